"""What the README and the page on controls tell people to type works as it stands, only smaller."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from support.program import pochoir

pytestmark = pytest.mark.weights

COMMANDS = ("animate", "compare", "recipe", "redo", "score", "segment", "styles", "stylize", "sweep", "video", "watch")
TYPED = tuple(f"pochoir {name}" for name in COMMANDS)
SMALLER = {
    "stylize": ["--size", "64", "--steps", "1", "--threads", "1"],
    "watch": ["--size", "48", "--steps", "1", "--threads", "1"],
    "animate": ["--size", "64", "--steps", "1", "--duration", "0.5s", "--fps", "8", "--threads", "1"],
    "video": ["--size", "64", "--steps", "1", "--threads", "1"],
    "sweep": ["--size", "48", "--steps", "1", "--threads", "1"],
    "compare": ["--size", "48", "--steps", "1", "--no-weaknesses"],
}
"""Options that make each command quick."""


ROOT = Path(__file__).parents[2]


def blocks_of(page: str) -> list[tuple[str, str]]:
    """The language and the text of each block of code."""
    text = (ROOT / page).read_text()
    return re.findall(r"^```(\w*)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def commands_of(page: str) -> list[str]:
    lines = [line for language, block in blocks_of(page) if not language for line in block.splitlines()]
    lines = [line.removeprefix(".venv/bin/") for line in lines]
    return [line.removeprefix("pochoir ") for line in lines if line.startswith(TYPED)]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the pictures that the README speaks of."""
    y, x = np.mgrid[0:512, 0:512] // 4
    photo = Image.fromarray(np.stack([40 + x // 2, 90 + y // 4, 200 - y // 2], axis=-1).astype(np.uint8))
    ImageDraw.Draw(photo).ellipse((120, 60, 400, 480), fill=(240, 190, 60))
    matte = Image.new("L", photo.size)
    ImageDraw.Draw(matte).ellipse((120, 60, 400, 480), fill=255)
    for name in ("matte.png", "keep.png"):
        matte.save(tmp_path / name)
    for folder in ("photos", "pochoir-demo"):
        (tmp_path / folder).mkdir()
    photo.save(tmp_path / "pochoir-demo/photo.png")
    names = (
        "photo.png",
        "parrot.jpg",
        "cat.jpg",
        "cat.png",
        "astronaut.png",
        "chelsea.png",
        "flower.png",
        "raccoon-face.png",
        "tower.png",
        "peak.png",
        "tabby.png",
        "coffee.png",
    )
    for name in (*names, "photos/one.jpg", "photos/two.png"):
        (photo if "/" not in name else photo.resize((96, 96))).save(tmp_path / name)
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    for name in ("candy.jpg", "my-drawing.jpg", "scream.jpg", "starry.jpg", "mosaic.png"):
        Image.fromarray(noise).save(tmp_path / name)
    strokes = photo.copy()
    ImageDraw.Draw(strokes).line((200, 200, 300, 300), fill=(0, 255, 0), width=9)
    ImageDraw.Draw(strokes).line((20, 20, 90, 40), fill=(255, 0, 0), width=9)
    for name in ("strokes.png", "strokes-add.png"):
        strokes.save(tmp_path / name)
    pair = Image.new("RGB", (1024, 512))
    pair.paste(photo, (0, 0))
    pair.paste(photo, (512, 0))
    for name in ("pair.png", "touching.png"):
        pair.save(tmp_path / name)
    frames = [photo.resize((512, 341)).rotate(angle) for angle in (0, 1, 2, 3)]  # the size of the demo's
    frames[0].save(tmp_path / "clip.webp", save_all=True, append_images=frames[1:], duration=300)
    Image.fromarray((y[:64, :64] < 8).astype(np.uint8) * 255).save(tmp_path / "sky.png")
    Image.new("L", (64, 64), 255).save(tmp_path / "white.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


PAGES = sorted(
    str(path.relative_to(ROOT)) for folder in ("tutorials", "howto") for path in (ROOT / "docs" / folder).glob("*.md")
)
COMMAND_PAGES = ["README.md", "docs/controls.md", "docs/gallery.md", *PAGES]


def test_pages_hold_commands() -> None:
    assert len(commands_of("README.md")) >= 25
    assert len(commands_of("docs/controls.md")) >= 9
    assert sum(len(commands_of(page)) for page in PAGES) >= 20


@pytest.mark.timeout(900)  # the README alone has some thirty commands
@pytest.mark.parametrize("page", COMMAND_PAGES)
def test_commands(page: str, desk: Path) -> None:
    commands = commands_of(page)
    for command in commands:
        typed = shlex.split(command, comments=True)
        target = typed.pop() if ">" in typed[-2:-1] else ""
        typed = typed[:-1] if target else typed
        typed += SMALLER.get(typed[0], [])
        if (
            typed[0] in ("stylize", "segment", "animate", "video", "watch")
            and "--segmenter" not in typed
            and "--list" not in typed
        ):
            typed += ["--segmenter", "u2netp"]
        result = pochoir(*typed)
        assert result.exit_code == 0, f"{command}\n{result.output}"
        if target:
            (desk / target).write_text(result.stdout)
        if "-o" in typed:
            assert (desk / typed[typed.index("-o") + 1]).exists()


def save_own_weights(path: Path) -> None:
    """Write random weights of a VGG-19 in the form of torchvision."""
    import torch

    from pochoir.encoders import VGG

    generator = torch.Generator().manual_seed(0)
    shapes = [value.shape for value in VGG("vgg19").state_dict().values()]
    torch.save(
        {
            f"features.{number // 2}.{('weight', 'bias')[number % 2]}": 0.02 * torch.randn(shape, generator=generator)
            for number, shape in enumerate(shapes)
        }
        | {"classifier.0.weight": torch.zeros(2, 2)},
        path,
    )


def test_the_page_on_json_has_every_field_that_commands_print(desk: Path) -> None:
    page = (ROOT / "docs/reference/json.md").read_text()
    small = ["--size", "64", "--threads", "1", "--json"]
    painted = [*small, "--steps", "1", "--segmenter", "u2netp"]
    for command in (
        ["segment", "photos", "-o", "cutouts", "--json", "--segmenter", "u2netp"],
        ["segment", "photo.png", "-o", "found.png", "--json", "--segmenter", "u2netp"],
        ["stylize", "photo.png", "-o", "painted.png", "--style", "mosaic", *painted],
        ["animate", "photo.png", "-o", "moving.webp", "--duration", "0.3s", "--fps", "8", *painted],
        ["video", "clip.webp", "-o", "film.webp", "--as", "matte", "--end", "0.3s", *painted],
        ["score", "photo.png", "cat.jpg", "--metric", "gram", "--json"],
    ):
        result = pochoir(*command)
        assert result.exit_code == 0, result.output
        for line in result.stdout.splitlines():
            assert [name for name in json.loads(line) if f"`{name}`" not in page] == [], command


def test_library_example(desk: Path) -> None:
    (example,) = [block for language, block in blocks_of("README.md") if language == "python"]
    assert "size=768" in example
    assert 'style="mosaic"' in example
    quick = 'size=64, steps=1, threads=1, segmenter="u2netp"'
    smaller = example.replace("size=768", quick).replace('style="mosaic"', f'style="mosaic", {quick}')
    smaller = smaller.replace("Session()", 'Session(segmenter="u2netp")')
    exec(compile(smaller, "README.md", "exec"), {"print": lambda *_: None})  # noqa: S102
    assert (desk / "two.png").exists()
    assert (desk / "mosaic-photo.png").exists()


@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(language == "python" for language, _ in blocks_of(page))]
)
def test_python_of_pages(page: str, desk: Path) -> None:
    if "my-vgg19.pth" in (ROOT / page).read_text():
        save_own_weights(desk / "my-vgg19.pth")
    with Image.open("photo.png") as photo, Image.open("matte.png") as matte:
        photo.putalpha(matte)
        for name in ("cutout.png", "person.png"):  # the demo makes the first, a command of its page the second
            photo.save(name)
    names: dict[str, object] = {"print": lambda *_: None}
    for language, block in blocks_of(page):
        if language == "python":
            exec(compile(block, page, "exec"), names)  # noqa: S102
