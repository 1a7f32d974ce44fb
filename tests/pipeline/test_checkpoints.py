from pathlib import Path

import pytest
import torch

import pochoir
from pochoir import checkpoints, loading
from pochoir.encoders import tiny_encoder
from pochoir.errors import WriteError
from pochoir.transfer import Checkpoint


@pytest.fixture
def checkpoint() -> Checkpoint:
    return Checkpoint(torch.rand(1, 3, 4, 5, generator=torch.Generator().manual_seed(1)), (3, 2))


def test_what_is_written_is_read_again(tmp_path: Path, checkpoint: Checkpoint) -> None:
    path = checkpoints.path_beside(tmp_path / "out.png")
    assert checkpoints.read(path, key="a") is None
    checkpoints.write(path, checkpoint, key="a")
    again = checkpoints.read(path, key="a")
    assert again is not None
    assert again.steps == (3, 2)
    assert torch.equal(again.picture, checkpoint.picture)
    assert [entry.name for entry in tmp_path.iterdir()] == [".out.png.partial"]


def test_another_run_s_and_a_damaged_one_are_no_checkpoints(tmp_path: Path, checkpoint: Checkpoint) -> None:
    path = tmp_path / "partial"
    checkpoints.write(path, checkpoint, key="a")
    assert checkpoints.read(path, key="b") is None
    path.write_bytes(path.read_bytes()[:100])
    assert checkpoints.read(path, key="a") is None
    path.write_text("not a checkpoint")
    assert checkpoints.read(path, key="a") is None


def test_what_cannot_be_written_is_an_error_of_one_line(tmp_path: Path, checkpoint: Checkpoint) -> None:
    with pytest.raises(WriteError, match=r"Cannot write .*missing.*partial"):
        checkpoints.write(tmp_path / "missing" / "partial", checkpoint, key="a")


class TestResuming:
    @pytest.fixture
    def settings(self, style_file: Path) -> dict[str, object]:
        return {"encoder": tiny_encoder(), "schedule": (2, 3), "threads": 1, "style": style_file}

    @staticmethod
    def interrupt(photo_file: Path, kept: Path, settings: dict[str, object]) -> None:
        """Paint the first scale and one step more, as a run that is killed does."""
        for step in pochoir.iter_stylize(photo_file, checkpoint=kept, **settings):
            if step.scale == 2:
                return

    @pytest.mark.parametrize("roles", [("style",), ("subject",), ("subject", "background")], ids="-".join)
    def test_the_result_is_that_of_an_uninterrupted_run(self, roles, tmp_path, settings, photo_file, mask_file):
        settings |= dict.fromkeys(roles, settings.pop("style"))
        if "style" not in roles:
            settings["mask"] = mask_file
        straight = pochoir.stylize(photo_file, **settings)
        self.interrupt(photo_file, tmp_path / "partial", settings)

        again = pochoir.iter_stylize(photo_file, checkpoint=tmp_path / "partial", **settings)
        assert again.resumed_steps == 2
        assert [step.done for step in again] == [3, 4, 5]
        result = again.result()
        assert torch.equal(result.composite, straight.composite)
        assert result.record() == straight.record()
        again.remove_checkpoint()
        assert not (tmp_path / "partial").exists()

    @pytest.mark.parametrize(
        "change", [{"seed": 1}, {"threads": 2}, {"memory": "1G"}, {"encoder": None}, {"strength": 0.6}], ids=str
    )
    def test_another_request_or_environment_starts_anew(self, change, tmp_path, settings, photo_file, monkeypatch):
        monkeypatch.setattr(loading.weights, "where", lambda name: photo_file)
        self.interrupt(photo_file, tmp_path / "partial", settings)
        other = pochoir.iter_stylize(photo_file, checkpoint=tmp_path / "partial", **settings | change)
        assert other.resumed_steps == 0

    def test_other_names_of_the_same_files_resume(self, tmp_path, settings, photo_file):
        self.interrupt(photo_file, tmp_path / "partial", settings)
        moved = photo_file.rename(tmp_path / "moved.png")
        assert pochoir.iter_stylize(moved, checkpoint=tmp_path / "partial", **settings).resumed_steps == 2

    def test_a_damaged_file_starts_anew_and_is_replaced(self, tmp_path, settings, photo_file):
        self.interrupt(photo_file, tmp_path / "partial", settings)
        (tmp_path / "partial").write_bytes(b"damaged")
        again = pochoir.iter_stylize(photo_file, checkpoint=tmp_path / "partial", **settings)
        assert [step.done for step in again] == [1, 2, 3, 4, 5]
        assert (tmp_path / "partial").stat().st_size > 100

    def test_a_disk_that_is_full_does_not_cost_the_painting(self, tmp_path, settings, photo_file):
        painted = pochoir.iter_stylize(photo_file, checkpoint=tmp_path / "missing" / "partial", **settings)
        assert [step.done for step in painted] == [1, 2, 3, 4, 5]
        (note,) = painted.result().notes
        assert note.startswith("the unfinished painting was not kept: Cannot write")
