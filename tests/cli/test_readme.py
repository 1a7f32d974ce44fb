"""What the README tells people to type works as it stands, only smaller."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from support.program import pochoir

pytestmark = pytest.mark.weights

README = (Path(__file__).parents[2] / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
COMMANDS = [
    line.removeprefix("pochoir ")
    for language, block in BLOCKS
    if not language
    for line in block.splitlines()
    if line.startswith(("pochoir stylize", "pochoir segment", "pochoir recipe", "pochoir redo", "pochoir styles"))
]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the pictures that the README speaks of."""
    y, x = np.mgrid[0:700, 0:700] // 4
    photo = Image.fromarray(np.stack([40 + x // 2, 90 + y // 4, 200 - y // 2], axis=-1).astype(np.uint8))
    ImageDraw.Draw(photo).ellipse((425, 225, 675, 675), fill=(240, 190, 60))
    photo.save(tmp_path / "parrot.jpg")
    photo.save(tmp_path / "cat.jpg")
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "candy.jpg")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_commands(desk: Path) -> None:
    assert len(COMMANDS) > 8
    for command in COMMANDS:
        typed = shlex.split(command, comments=True)
        target = typed.pop() if typed[-2] == ">" else ""
        typed = typed[:-1] if target else typed
        if typed[0] == "stylize":
            typed += ["--size", "64", "--steps", "1", "--threads", "1"]
        if typed[0] in ("stylize", "segment") and "--segmenter" not in typed:
            typed += ["--segmenter", "u2netp"]
        result = pochoir(*typed)
        assert result.exit_code == 0, f"{command}\n{result.output}"
        if target:
            (desk / target).write_text(result.stdout)
        if "-o" in typed:
            assert (desk / typed[typed.index("-o") + 1]).exists()


def test_library_example(desk: Path) -> None:
    (example,) = [block for language, block in BLOCKS if language == "python"]
    assert "size=768" in example
    assert 'style="mosaic"' in example
    quick = 'size=64, steps=1, threads=1, segmenter="u2netp"'
    smaller = example.replace("size=768", quick).replace('style="mosaic"', f'style="mosaic", {quick}')
    exec(compile(smaller, "README.md", "exec"), {"print": lambda *_: None})  # noqa: S102
    assert (desk / "two.png").exists()
    assert (desk / "mosaic.png").exists()
