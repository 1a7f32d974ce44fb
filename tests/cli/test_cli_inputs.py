"""Files that cannot be used are reported before anything heavy is imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pochoir import imaging
from pochoir.cli.inputs import check_inputs
from pochoir.clips import read_record
from pochoir.errors import ImageReadError, InputError, UnknownNameError
from pochoir.recipe import Recipe
from pochoir.sources import load_style
from pochoir.video.read import check_is_moving

HEAVY = ("torch", "PIL", "cv2", "scipy", "numba")


@pytest.mark.parametrize("command", ["stylize", "segment"])
def test_a_missing_photo_is_reported_without_torch(command: str, tmp_path: Path) -> None:
    script = (
        "import sys, typer\n"
        "from pochoir.cli import app\n"
        "from pochoir.errors import ImageReadError\n"
        f"try: app(['{command}', 'missing.jpg', '-o', 'out.png'], standalone_mode=False)\n"
        "except (ImageReadError, SystemExit) as error: print(error)\n"
        f"print([name for name in {HEAVY} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert "Cannot read the photo 'missing.jpg': there is no such file." in done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("kind", ["missing", "empty", "folder"])
def test_the_reason_is_that_of_reading(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "file.png"
    if kind == "empty":
        path.touch()
    if kind == "folder":
        path.mkdir()
    for recipe, role in ((Recipe(style=str(path)), "style"), (Recipe(mask=str(path)), "mask")):
        if (kind, role) == ("missing", "style"):
            continue
        with pytest.raises(ImageReadError) as early:
            check_inputs([], [recipe])
        with pytest.raises(ImageReadError) as late:
            imaging.load(path, role=role)
        assert str(early.value) == str(late.value)


@pytest.mark.parametrize("name", ["mosaik", "missing.png", "folder/mosaic"])
def test_an_unknown_style_is_reported_as_by_reading(name: str) -> None:
    with pytest.raises((ImageReadError, UnknownNameError)) as early:
        check_inputs([], [Recipe(style=name)])
    with pytest.raises((ImageReadError, UnknownNameError)) as late:
        load_style(name)
    assert (type(early.value), str(early.value)) == (type(late.value), str(late.value))


def test_what_may_be_right_is_left_to_reading(tmp_path: Path, photo_file: Path, style_file: Path) -> None:
    for photos in (["-"], ["*.jpg"], [str(tmp_path)], ["one.jpg", "two.jpg"], [str(photo_file)]):
        check_inputs(photos, [Recipe(style=[str(style_file), "mosaic"], backdrop="#fff", init="noise")])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipes_and_devices_are_refused_and_not_waited_for(photo_file: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    words = "it is a pipe or a device, not a file"
    with pytest.raises(ImageReadError, match=f"{words}; - reads the photo from standard input"):
        check_inputs([str(pipe)])
    for recipe in (Recipe(style=[str(pipe)]), Recipe(mask=str(pipe)), Recipe(backdrop=str(pipe))):
        with pytest.raises(ImageReadError, match=words):
            check_inputs([str(photo_file)], [recipe])
    with pytest.raises(InputError, match=words):
        check_is_moving(pipe)
    with pytest.raises(InputError, match=words):
        read_record(pipe)
    if Path("/dev/zero").exists():
        with pytest.raises(ImageReadError, match=words):
            check_inputs(["/dev/zero"])
