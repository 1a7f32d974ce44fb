from pathlib import Path

import pytest
from PIL import Image

from pochoir.cli.commands import demo
from pochoir.cli.own_files import OwnFiles
from pochoir.errors import OutputPathError
from support.program import error_line, pochoir

NAMES = ("photo", "matte", "cutout", "stained-glass", "mosaic", "subject", "background", "both")


@pytest.mark.weights
def test_demo_makes_every_picture_and_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SIZE_PX", "CLIP_PX"):
        monkeypatch.setattr(demo, name, 64)
    folder = tmp_path / "new" / "pictures"
    result = pochoir("demo", "--out", folder)
    assert result.exit_code == 0, result.output
    paths = [folder / f"{name}.png" for name in (*NAMES, "contact-sheet", "astronaut")]
    clip = folder / "clip.webp"
    assert [Path(line.split()[0]) for line in result.stdout.splitlines()] == [*paths, clip]
    with Image.open(clip) as image:
        assert image.n_frames > 24  # 48, less those that are equal to the one before
    for path in paths:
        with Image.open(path) as image:
            assert image.mode == ("RGBA" if path.stem == "cutout" else "RGB")
    with Image.open(folder / "matte.png") as image:
        assert image.convert("L").getpixel((570, 60)) < 10  # the table
        assert image.convert("L").getpixel((250, 250)) > 245  # the cup
    assert {path.name for path in (*paths, clip)} == set(demo.FILES)
    # Its pictures are as good as any: each says how it was made.
    assert "stained-glass" in pochoir("recipe", folder / "both.png").stdout
    # It may replace what it made, but not what someone has changed since.
    again = pochoir("demo", "--out", folder)
    assert again.exit_code == 0, again.output
    Image.new("RGB", (8, 8)).save(folder / "matte.png")
    edited = (folder / "matte.png").read_bytes()
    refused = pochoir("demo", "--out", folder)
    assert refused.exit_code == 2
    assert "did not make" in error_line(refused)
    assert (folder / "matte.png").read_bytes() == edited


@pytest.mark.parametrize("name", ["photo.png", "astronaut.png", "both.png", "clip.webp"])
def test_demo_refuses_to_replace_files_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(b"mine")
    result = pochoir("demo", "--out", ".")
    assert result.exit_code == 2
    assert error_line(result) == f"The demo did not make '{name}' and would replace it; choose another folder (--out)."
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(name, b"mine")]


def test_files_of_a_command_are_known_by_their_content(tmp_path: Path) -> None:
    mine, others = tmp_path / "a.png", tmp_path / "b.png"
    mine.write_bytes(b"1")
    own = OwnFiles(tmp_path, "demo")
    own.add(mine)
    others.write_bytes(b"1")
    OwnFiles(tmp_path, "demo").check(["a.png", "c.png"])
    with pytest.raises(OutputPathError, match=r"did not make '.*b\.png'"):
        OwnFiles(tmp_path, "demo").check(["a.png", "b.png"])
    mine.write_bytes(b"2")
    with pytest.raises(OutputPathError, match=r"did not make '.*a\.png'"):
        own.check(["a.png"])
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OutputPathError, match="folder"):
        own.check(["folder.png"])
    (tmp_path / "link.png").symlink_to(tmp_path / "nowhere.png")
    with pytest.raises(OutputPathError, match="link"):
        own.check(["link.png"])


@pytest.mark.parametrize("text", ["", "[]", "\xff", "{"])
def test_a_damaged_list_of_files_allows_no_replacement(tmp_path: Path, text: str) -> None:
    (tmp_path / ".pochoir-demo.json").write_bytes(text.encode("latin-1"))
    (tmp_path / "a.png").touch()
    own = OwnFiles(tmp_path, "demo")
    own.check(["b.png"])
    with pytest.raises(OutputPathError):
        own.check(["a.png"])


def test_demo_without_weights_says_so_before_it_makes_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POCHOIR_HOME", str(tmp_path / "empty"))
    result = pochoir("demo", "--out", tmp_path / "demo")
    assert result.exit_code == 3
    assert "pochoir models pull" in error_line(result)
    assert result.stdout == ""


def test_demo_into_a_file_is_exit_2(photo_file: Path) -> None:
    result = pochoir("demo", "--out", photo_file)
    assert result.exit_code == 2
    assert f"Cannot make the folder {photo_file}" in error_line(result)
