from pathlib import Path

import pytest
from PIL import Image

from pochoir.cli.commands import demo
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
    # Its pictures are as good as any: each says how it was made.
    assert "stained-glass" in pochoir("recipe", folder / "both.png").stdout


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
