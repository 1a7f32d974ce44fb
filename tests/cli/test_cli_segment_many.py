"""Many photos at once: places, reruns, bad files, interruption."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pochoir.jobs import Worker
from support.program import PROGRAM, error_line, pochoir, run_program, start_program

GRABCUT = ("--segmenter", "grabcut", "--box", "14,6,36,36", "--refine", "none")


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
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in paths if not path.parts[0].startswith("."))


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
        assert set(self.statuses(album, tmp_path / "out").values()) == {"skipped"}
        assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.png")} == before

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            (("--set", "grabcut-iterations=2"), "was made with other settings (grabcut iterations)"),
            (("--as", "trimap"), "was made in another form"),
        ],
    )
    def test_other_settings_need_force(
        self, album: Path, tmp_path: Path, options: tuple[str, ...], reason: str
    ) -> None:
        out = tmp_path / "out"
        self.statuses(album, out)
        before = (out / "a.png").read_bytes()
        refused = pochoir("segment", album, "-o", out, *GRABCUT, *options)
        assert refused.exit_code == 2
        assert f"'{out / 'a.png'}' exists and {reason}; choose another output or replace it" in refused.stderr
        assert (out / "a.png").read_bytes() == before
        assert set(self.statuses(album, out, *options, "--force").values()) == {"saved"}
        assert set(self.statuses(album, out, *options, "--force").values()) == {"skipped"}

    def test_what_is_damaged_is_done_again_and_what_is_another_photos_is_kept(
        self, album: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        self.statuses(album, out)
        with Image.open(album / "b.png") as image:
            image.rotate(180).save(album / "b.png")
        (out / "below" / "c.png").write_bytes((out / "below" / "c.png").read_bytes()[:-60])
        result = pochoir("segment", album, "-o", out, *GRABCUT, "--json")
        told = {Path(str(line["photo"])).name: line for line in lines(result.stdout)}
        assert {name: line["status"] for name, line in told.items()} == {
            "a.png": "skipped",
            "b.png": "failed",
            "c.png": "saved",
        }
        assert "was made from another photo" in str(told["b.png"]["error"])
        assert set(self.statuses(album, out, "--force").values()) == {"skipped", "saved"}

    def test_a_folder_that_was_moved_is_still_finished(self, album: Path, tmp_path: Path) -> None:
        self.statuses(album, tmp_path / "out")
        moved = album.rename(tmp_path / "moved")
        assert set(self.statuses(moved, tmp_path / "out").values()) == {"skipped"}

    def test_pictures_written_below_the_photos_are_no_photos(self, album: Path) -> None:
        self.statuses(album, album / "out")
        assert self.statuses(album, album / "out") == dict.fromkeys(["a.png", "b.png", "c.png"], "skipped")


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
        (["album"], "out", ["--jobs", "-1"], "--jobs takes 1 to 256"),
        (["album"], "out", ["--format", "gif"], "Unknown format 'gif'. Allowed: png, jpg, webp, tiff"),
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
        while not list(out.glob("*.png")) and time.monotonic() - began < 120:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "what is finished is kept; repeat the command to go on" in stderr
    assert "Error: Interrupted." in stderr
    assert 0 < len(list(out.glob("*.png"))) < 60
    for path in out.glob("[!.]*"):
        assert path.suffix == ".png"
        with Image.open(path) as image:
            image.load()


def test_four_photos_are_announced_as_many(album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    maker = Worker.maker
    monkeypatch.setattr(Worker, "maker", lambda **options: seen.append(options["many"]) or maker(**options))
    pochoir("segment", album, "-o", tmp_path / "out", *GRABCUT)
    shutil.copy(album / "a.png", album / "d.png")
    pochoir("segment", album, "-o", tmp_path / "out", *GRABCUT)
    assert seen == [False, True]


class TestOwnAndForeignFiles:
    def test_cutouts_are_no_photos_of_the_folder_that_they_were_written_into(self, album: Path) -> None:
        (album / "below" / "c.png").rename(album / "c.jpg.png")
        for path in list(album.glob("*.png")):
            with Image.open(path) as image:
                image.save(path.with_suffix(".jpg"))
            path.unlink()
        assert pochoir("segment", album, "-o", album, *GRABCUT).stdout == "Saved 3.\n"
        again = pochoir("segment", album, "-o", album, *GRABCUT)
        assert (again.exit_code, again.stdout) == (0, "Saved 0, 3 were there already.\n")
        assert "note: passed over 3 pictures that pochoir made: a.png, b.png, c.jpg.png; name one itself" in (
            again.stderr
        )

    def test_a_foreign_picture_stays(self, album: Path, photo_file: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        out.mkdir()
        shutil.copy(photo_file, out / "a.png")
        result = pochoir("segment", album, "-o", out, *GRABCUT)
        assert result.exit_code == 1
        assert f"failed: {album / 'a.png'}: '{out / 'a.png'}' exists and was not made by pochoir" in result.stderr
        assert (out / "a.png").read_bytes() == photo_file.read_bytes()
        assert pochoir("segment", album, "-o", out, *GRABCUT, "--force").exit_code == 0
        assert (out / "a.png").read_bytes() != photo_file.read_bytes()

    def test_a_foreign_sidecar_stays(self, photo_file: Path, tmp_path: Path) -> None:
        sidecar = tmp_path / "IMG_1.jpg.json"
        sidecar.write_text('{"rating": 5}')
        result = pochoir("segment", photo_file, "-o", tmp_path / "IMG_1.jpg", *GRABCUT)
        assert result.exit_code == 2
        assert "is not a record of pochoir, which would go there" in error_line(result)
        assert sidecar.read_text() == '{"rating": 5}'
        assert not (tmp_path / "IMG_1.jpg").exists()
        assert pochoir("segment", photo_file, "-o", tmp_path / "IMG_1.jpg", *GRABCUT, "--force").exit_code == 0

    def test_a_picture_that_was_changed_by_hand_stays(self, photo_file: Path, tmp_path: Path) -> None:
        out = tmp_path / "out.jpg"
        assert pochoir("segment", photo_file, "-o", out, *GRABCUT).exit_code == 0
        with Image.open(out) as image:
            image.rotate(90).save(out)
        result = pochoir("segment", photo_file, "-o", out, *GRABCUT)
        assert result.exit_code == 2
        assert "was changed after pochoir made it" in error_line(result)

    def test_an_empty_file_is_a_place(self, photo_file: Path, tmp_path: Path) -> None:
        out = tmp_path / "out.png"
        out.touch()
        assert pochoir("segment", photo_file, "-o", out, *GRABCUT).exit_code == 0


def test_other_files_in_folders_are_counted(album: Path, tmp_path: Path) -> None:
    (album / "raw.cr2").touch()
    result = pochoir("segment", album, "-o", tmp_path / "out", *GRABCUT)
    assert "note: passed over 2 files that pochoir cannot read as a picture: notes.txt, raw.cr2" in result.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems take no such names")
def test_names_that_are_not_utf_8(photo_file: Path, tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    Path(os.fsdecode(folder)).mkdir()
    shutil.copy(photo_file, folder + b"/\xff.png")
    name = os.fsdecode(folder + b"/\xff.png")
    one = run_program("segment", name, "-o", tmp_path / "one.png", *GRABCUT)
    assert one.returncode == 0, one.stderr
    many = run_program("segment", os.fsdecode(folder), "-o", os.fsdecode(folder + b"/out"), *GRABCUT)
    assert (many.returncode, many.stdout) == (0, "Saved 1.\n"), many.stderr
    written_there = Path(os.fsdecode(folder), "out").iterdir()
    assert sorted(os.fsencode(path.name) for path in written_there) == [b".pochoir", b"\xff.png"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipes_and_standard_streams(photo_file: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain.png"
    options = (*GRABCUT, "--threads", "1")
    assert pochoir("segment", photo_file, "-o", plain, *options).exit_code == 0
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # the picture fits into the pipe
    try:
        done = run_program("segment", photo_file, "-o", pipe, *options)
        assert done.returncode == 0, done.stderr
        data = os.read(reader, 1 << 16)
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert data == plain.read_bytes()
    command = [str(PROGRAM), "segment", "-", "-o", "-", *options]
    piped = subprocess.run(command, input=photo_file.read_bytes(), capture_output=True, timeout=60)
    assert piped.returncode == 0, piped.stderr
    (tmp_path / "stdout.png").write_bytes(piped.stdout)
    with Image.open(tmp_path / "stdout.png") as image, Image.open(plain) as expected:
        assert (np.asarray(image) == np.asarray(expected)).all()
    assert b"Saved -" in piped.stderr


def test_a_pattern_in_a_folder_with_brackets(album: Path, tmp_path: Path) -> None:
    album = album.rename(tmp_path / "album [2024]")
    result = pochoir("segment", f"{album}/[ab].png", "-o", tmp_path / "out", *GRABCUT)
    assert (result.exit_code, written(tmp_path / "out")) == (0, ["a.png", "b.png"])
