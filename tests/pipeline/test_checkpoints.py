from pathlib import Path

import pytest
import torch

import pochoir
from pochoir import checkpoints
from pochoir.encoders import tiny_encoder
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


@pytest.mark.parametrize("roles", [("style",), ("subject",), ("subject", "background")], ids="-".join)
def test_a_painting_that_is_taken_up_comes_to_the_same_result(roles, tmp_path, photo_file, style_file, mask_file):
    settings = {"encoder": tiny_encoder(), "schedule": (2, 3), "threads": 1} | dict.fromkeys(roles, style_file)
    if "style" not in roles:
        settings["mask"] = mask_file
    straight = pochoir.iter_stylize(photo_file, **settings)
    kept = [step.checkpoint for step in straight if step.checkpoint is not None]
    checkpoints.write(tmp_path / "partial", kept[0], key=straight.key)

    again = pochoir.iter_stylize(photo_file, **settings)
    taken = checkpoints.read(tmp_path / "partial", key=again.key)
    assert taken is not None
    again.resume(tmp_path / "partial")
    assert [step.done for step in again] == [3, 4, 5]
    assert torch.equal(again.result().composite, straight.result().composite)
    assert again.result().record() == straight.result().record()
    other = pochoir.iter_stylize(photo_file, **settings | {"seed": 1})
    assert other.key != again.key
