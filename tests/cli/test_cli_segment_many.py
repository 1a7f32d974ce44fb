"""Many photos at once: places, reruns, bad files, interruption."""

import json
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pochoir.cli.photos import plan
from pochoir.errors import ImageReadError, OutputPathError
from support.program import error_line, pochoir, start_program

GRABCUT = ("--segmenter", "grabcut", "--box", "14,6,36,36", "--refine", "none")
SUFFIXES = frozenset({".png", ".jpg"})


@pytest.fixture
def album(photo_file: Path, tmp_path: Path) -> Path:
    """A folder with three photos, one of them in a folder below, and a text file."""
    folder = tmp_path / "album"
    (folder / "below").mkdir(parents=True)
    for name in ("a.png", "b.png", "below/c.png"):
        shutil.copy(photo_file, folder / name)
    (folder / "notes.txt").write_text("These are words.")
    return folder


def written(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_folder_is_mirrored(album: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = pochoir("segment", album, "-o", out, *GRABCUT)
    assert (result.exit_code, result.stdout) == (0, "Saved 3.\n"), result.output
    assert written(out) == ["a.png", "b.png", "below/c.png"]
    single = tmp_path / "single.png"
    assert pochoir("segment", album / "a.png", "-o", single, *GRABCUT).exit_code == 0
    with Image.open(single) as one, Image.open(out / "below" / "c.png") as other:
        assert (np.asarray(one) == np.asarray(other)).all()


def test_one_photo_can_go_into_a_folder(photo_file: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert pochoir("segment", photo_file, "-o", tmp_path / "out", *GRABCUT).exit_code == 0
    assert written(tmp_path / "out") == ["photo.png"]


def test_patterns_and_files_and_another_format(album: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ("--as", "cutout", "--trim", "--format", "webp", "--jobs", "3", *GRABCUT)
    result = pochoir("segment", f"{album}/**/c.*", album / "a.png", "-o", out, *options)
    assert result.exit_code == 0, result.output
    assert written(out) == ["a.webp", "a.webp.json", "below/c.webp", "below/c.webp.json"]
    with Image.open(out / "a.webp") as image:
        assert image.mode == "RGBA"
        assert image.size < (64, 48)


class TestReruns:
    def statuses(self, album: Path, out: Path, *options: str) -> dict[str, object]:
        result = pochoir("segment", album, "-o", out, *GRABCUT, "--json", *options)
        assert result.exit_code == 0, result.output
        return {Path(str(line["photo"])).name: line["status"] for line in lines(result.stdout)}

    def test_finished_ones_are_not_touched(self, album: Path, tmp_path: Path) -> None:
        assert set(self.statuses(album, tmp_path / "out").values()) == {"saved"}
        before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.png")}
        assert set(self.statuses(album, tmp_path / "out").values()) == {"finished"}
        assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.png")} == before

    @pytest.mark.parametrize("options", [("--set", "grabcut-iterations=2"), ("--as", "trimap")])
    def test_other_settings_are_done_again(self, album: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
        self.statuses(album, tmp_path / "out")
        assert set(self.statuses(album, tmp_path / "out", *options).values()) == {"saved"}

    def test_only_what_changed_is_done_again(self, album: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        self.statuses(album, out)
        with Image.open(album / "b.png") as image:
            image.rotate(180).save(album / "b.png")
        (out / "below" / "c.png").write_bytes((out / "below" / "c.png").read_bytes()[:200])
        expected = {"a.png": "finished", "b.png": "saved", "c.png": "saved"}
        assert self.statuses(album, out) == expected

    def test_a_folder_that_was_moved_is_still_finished(self, album: Path, tmp_path: Path) -> None:
        self.statuses(album, tmp_path / "out")
        moved = album.rename(tmp_path / "moved")
        assert set(self.statuses(moved, tmp_path / "out").values()) == {"finished"}

    def test_pictures_written_below_the_photos_are_no_photos(self, album: Path) -> None:
        self.statuses(album, album / "out")
        assert self.statuses(album, album / "out") == dict.fromkeys(["a.png", "b.png", "c.png"], "finished")


class TestBadFiles:
    def test_do_not_stop_the_rest(self, album: Path, tmp_path: Path) -> None:
        (album / "b.png").write_text("no picture")
        out = tmp_path / "out"
        result = pochoir("segment", album, tmp_path / "missing.png", "-o", out, *GRABCUT)
        assert (result.exit_code, result.stdout) == (1, "Saved 2, 2 failed.\n")
        failed = [line for line in result.stderr.splitlines() if line.startswith("failed: ")]
        assert len(failed) == 2
        assert any("b.png" in line and "not a picture" in line for line in failed)
        assert any("missing.png" in line and "no such file" in line for line in failed)
        assert written(out) == ["a.png", "below/c.png"]

    def test_told_to_programs(self, album: Path, tmp_path: Path) -> None:
        (album / "b.png").write_text("no picture")
        result = pochoir("segment", album, "-o", tmp_path / "out", *GRABCUT, "--json", "-q")
        told = {Path(str(line["photo"])).name: line for line in lines(result.stdout)}
        assert result.exit_code == 1
        assert told["b.png"]["outputs"] == []
        assert "not a picture" in str(told["b.png"]["error"])
        assert told["a.png"]["outputs"] == [str(tmp_path / "out" / "a.png")]
        assert told["a.png"]["as"] == "matte"

    def test_only_bad_files_are_bad_input(self, album: Path, tmp_path: Path) -> None:
        for path in album.rglob("*.png"):
            path.write_bytes(b"")
        result = pochoir("segment", album, "-o", tmp_path / "out", *GRABCUT)
        assert (result.exit_code, result.stdout) == (2, "Saved 0, 3 failed.\n")

    def test_missing_weights_end_it_at_once(self, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("POCHOIR_HOME", str(tmp_path / "empty"))
        result = pochoir("segment", album, "-o", tmp_path / "out")
        assert result.exit_code == 3
        assert error_line(result).endswith("pochoir models pull u2net")
        assert not (tmp_path / "out").exists() or written(tmp_path / "out") == []


@pytest.mark.parametrize(
    ("names", "out", "options", "message"),
    [
        (["album", "album/a.png"], "out.png", [], "-o takes a folder; 'out.png' is the name of a picture"),
        (["album/*.gif"], "out", [], "There is no picture in 'album/*.gif'"),
        (["empty"], "out", [], "There is no picture in 'empty'"),
        (["album"], "album", [], "is an input and would be overwritten"),
        (["album"], "album/notes.txt", [], "-o takes a folder"),
        (["album"], "out", ["--jobs", "-1"], "--jobs takes 1 to 64"),
        (["album"], "out", ["--format", "gif"], "Unknown format 'gif'. Allowed: png, jpg, webp, tiff."),
        (["album"], "out", ["--as", "cutout", "--format", "jpg"], "which jpg cannot hold"),
        (["album"], "out", ["--as", "cutout", "--pad", "-3"], "A margin is a number of pixels"),
        (["album"], "out", ["--scribble", "album"], "it is a folder, not a picture"),
        (["album[", "album"], "album/a.png/x", [], "Cannot make the folder"),
    ],
)
def test_wrong_words_are_one_line_and_nothing_is_written(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: list[str], out: str, options: list[str],
    message: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    before = written(tmp_path)
    result = pochoir("segment", *names, "-o", out, *GRABCUT, *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert written(tmp_path) == before


class TestPlan:
    def names(self, folder: Path, *arguments: Path | str) -> list[str]:
        jobs = plan([str(item) for item in arguments], folder / "o", suffix=".png", suffixes=SUFFIXES, force=False)
        return [job.out.relative_to(folder / "o").as_posix() for job in jobs]

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        for name in ("x/a.jpg", "x/a.png", "x/b.jpg", "y/b.jpg", "y/B.png", "x/.hidden.png", "x/.git/d.png"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        return tmp_path

    def test_names_that_meet_keep_their_extension(self, folder: Path) -> None:
        assert self.names(folder, folder / "x") == ["a.jpg.png", "a.png.png", "b.png"]

    def test_the_same_name_in_two_folders_gets_a_number(self, folder: Path) -> None:
        assert self.names(folder, folder / "x" / "b.jpg", folder / "y" / "b.jpg") == ["b.jpg.png", "b.jpg-2.png"]

    def test_capitals_make_no_other_name(self, folder: Path) -> None:
        assert self.names(folder, folder / "y") == ["B.png.png", "b.jpg.png"]

    def test_a_photo_that_is_named_twice_is_one(self, folder: Path) -> None:
        (folder / "link.jpg").symlink_to(folder / "x" / "b.jpg")
        assert self.names(folder, folder / "x" / "b.jpg", folder / "x", folder / "link.jpg") == [
            "b.png",
            "a.jpg.png",
            "a.png.png",
        ]

    def test_patterns_keep_what_is_below_their_fixed_part(self, folder: Path) -> None:
        assert self.names(folder, f"{folder}/*/b.jpg") == ["x/b.png", "y/b.png"]

    def test_a_name_with_brackets_is_a_name(self, folder: Path) -> None:
        (folder / "a[1].jpg").touch()
        assert self.names(folder, folder / "a[1].jpg", folder / "x" / "b.jpg") == ["a[1].png", "b.png"]

    def test_nothing_found(self, folder: Path) -> None:
        (folder / "none").mkdir()
        with pytest.raises(ImageReadError, match="There is no picture in"):
            self.names(folder, folder / "none")

    @pytest.mark.parametrize("force", [False, True])
    def test_another_photo_is_not_overwritten_unless_forced(self, folder: Path, force: bool) -> None:
        (folder / "x" / "b.png").touch()
        (folder / "b.jpg").touch()
        names = [str(folder / "b.jpg"), str(folder / "x" / "b.png")]  # both become b.*.png, which is free
        assert len(plan(names, folder / "x", suffix=".png", suffixes=SUFFIXES, force=force)) == 2
        (folder / "c.jpg").touch()
        (folder / "x" / "c.png").touch()
        names = [str(folder / "c.jpg"), f"{folder}/*/c.png"]  # c.png in x, and x/c.png below it
        if force:
            assert len(plan(names, folder / "x", suffix=".png", suffixes=SUFFIXES, force=force)) == 2
        else:
            with pytest.raises(OutputPathError, match="is an input and would be overwritten"):
                plan(names, folder / "x", suffix=".png", suffixes=SUFFIXES, force=force)


def test_ctrl_c_leaves_whole_pictures_only(photo_file: Path, tmp_path: Path) -> None:
    album, out = tmp_path / "many", tmp_path / "out"
    album.mkdir()
    with Image.open(photo_file) as image:
        photo = image.resize((640, 480))
    for number in range(60):
        photo.save(album / f"{number}.png")
    options = ("--segmenter", "grabcut", "--box", "140,60,360,360", "--set", "grabcut-iterations=20")
    with start_program("segment", album, "-o", out, *options) as process:
        began = time.monotonic()
        while not list(out.glob("*.png")) and time.monotonic() - began < 60:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "Error: Interrupted." in stderr
    assert 0 < len(list(out.iterdir())) < 60
    for path in out.iterdir():
        assert path.suffix == ".png"
        with Image.open(path) as image:
            image.load()


def test_four_photos_are_announced_as_many(album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(
        "pochoir.cli.commands.segment.cut_all",
        lambda cutter, planned, **_: seen.append((len(planned), cutter._many)) or 0,
    )
    pochoir("segment", album, "-o", tmp_path / "out", *GRABCUT)
    shutil.copy(album / "a.png", album / "d.png")
    pochoir("segment", album, "-o", tmp_path / "out", *GRABCUT)
    assert seen == [(3, False), (4, True)]
