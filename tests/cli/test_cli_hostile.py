"""Wrong command lines that a user types on purpose: one line, exit code 2, and nothing written."""

from pathlib import Path

import pytest
from PIL import Image

from support.program import error_line, pochoir


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a photo, an animation and an empty folder."""
    monkeypatch.chdir(tmp_path)
    pictures = [Image.new("RGB", (64, 48), (40 * number, 80, 90)) for number in range(5)]
    pictures[0].save("a.png")
    pictures[0].save("clip.gif", save_all=True, append_images=pictures[1:], duration=100)
    Path("empty").mkdir()
    return tmp_path


LONG = "a" * 300
REPORT = ("lab", "report", "-o", "out", "--work", "work")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("styles", "-o", "out.png"), "Say which style to save, as in: pochoir styles"),
        (("models", "pull", "vgg19", "nothing"), "Unknown weights 'nothing'."),
        (("video", "clip.gif", "-o", "out.png", "--style", "mosaic", "--preview", "--partial"), "give one of them"),
        (("sweep", "a.png", "-o", "out", "--style", "mosaic", "--grid", "threads=1,2"), "threads cannot be swept"),
        (("sweep", "a.png", "-o", "out", "--style", "mosaic", "--grid", "device=cpu,cuda"), "device cannot be swept"),
        (("studio", "--folder", "a.png", "--no-browser"), "Cannot use the folder a.png: Not a directory"),
        (("demo", "--out", "a.png"), "Cannot make the folder a.png: a file has that name."),
        (("compare", "a.png", "-o", "out", "--mask", "a.png"), "Unknown option '--mask'."),
        (("sweep", "a.png", "-o", "out", "--style", "mosaic", "--grid", "init=a.png,zz.png"), "the init 'zz.png'"),
        (
            ("sweep", "a.png", "-o", "out", "--style", "mosaic", "--grid", "strength=0,1", "--mask", "zz.png"),
            "'zz.png'",
        ),
        (("watch", "empty", "-o", "out", "--style", "nothing", "--once"), "Unknown style 'nothing'."),
        (("watch", "empty", "-o", "out", "--style", "mosaic", "--backdrop", "zz.png", "--once"), "backdrop 'zz.png'"),
        (
            ("stylize", "a.png", "-o", f"{LONG}.png", "--style", "mosaic"),
            f"A name is too long for a file here: '{LONG}",
        ),
        (("stylize", f"{LONG}.png", "-o", "out.png", "--style", "mosaic"), "too long"),
        (("segment", "a.png", "-o", f"{LONG}/out.png"), "too long"),
        (("video", "clip.gif", "-o", f"{LONG}.gif", "--style", "mosaic"), "too long"),
        (("styles", "mosaic", "-o", f"{LONG}.png"), "too long"),
        pytest.param(
            (*REPORT, "--steps", "0"), "steps must be between 1 and 100000; got 0.", marks=pytest.mark.weights
        ),
        pytest.param((*REPORT, "--draws", "0"), "At least 1 moved box is needed", marks=pytest.mark.weights),
        pytest.param((*REPORT, "--scenes", "-2"), "At least 1 scene of each kind is needed", marks=pytest.mark.weights),
        pytest.param((*REPORT, "--sweep-size", "9000"), "size must be between 1 and 8192", marks=pytest.mark.weights),
        pytest.param((*REPORT, "--photos", "empty"), "--photos takes a folder of photos", marks=pytest.mark.weights),
        pytest.param((*REPORT, "--photos", "a.png"), "--photos takes a folder of photos", marks=pytest.mark.weights),
    ],
)
def test_it_is_one_line_and_nothing_is_written(room: Path, arguments: tuple[str, ...], line: str) -> None:
    before = {path: path.stat().st_mtime_ns for path in room.rglob("*")}
    result = pochoir(*arguments)
    assert result.exit_code == 2, result.output
    assert line in error_line(result)
    assert result.stdout == ""
    assert {path: path.stat().st_mtime_ns for path in room.rglob("*")} == before


@pytest.mark.weights
def test_each_style_may_be_one_style_for_one_picture(room: Path) -> None:
    quick = ("--size", "32", "--steps", "1", "--threads", "1")
    result = pochoir("stylize", "a.png", "-o", "out.png", "--each-style", "mosaic", *quick)
    assert result.exit_code == 0, result.output
    assert Path("out.png").is_file()
