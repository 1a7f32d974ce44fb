"""Makes the pictures of README and gallery: python docs/pictures.py [styles] [pastiches] [clip] [demo] [gallery]."""

import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from skimage import data
from torch import Tensor

import pochoir
from pochoir import imaging, styles
from pochoir._types import Size
from pochoir.sources import load_style

IMAGES = Path(__file__).parent / "images"


def save(name: str, sheet: Tensor) -> None:
    """Write one of the README's pictures."""
    IMAGES.mkdir(exist_ok=True)
    imaging.save(IMAGES / f"{name}.jpg", sheet, options=imaging.SaveOptions(quality=80))


def make_styles() -> None:
    """One sheet of the built-in styles."""
    save("styles", imaging.contact_sheet([(n, load_style(n).rgb) for n in styles.NAMES], columns=4, tile_px=240))


def make_pastiches() -> None:
    """The same photo in each built-in style."""
    photo = imaging.load(data.chelsea()).rgb  # CC0
    cropped = imaging.resize(photo[..., 0:300, 75:375], Size(320, 320))
    array = (cropped[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
    tiles = [(name, pochoir.stylize(array, style=name).composite) for name in styles.NAMES]
    save("pastiches", imaging.contact_sheet(tiles, columns=4, tile_px=240))


def make_demo() -> None:
    """The sheet that ``pochoir demo`` makes."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["pochoir", "demo", "--out", folder], check=True)
        save("demo", imaging.load(Path(folder) / "contact-sheet.png").rgb)


def make_clip() -> None:
    """A clip that opens the README, and eight frames of two clips for docs/animation.md."""
    astronaut = data.astronaut()  # NASA, public domain
    styles_of_two = {"subject": "mosaic", "background": "ink-wash"}
    clip = pochoir.animate(astronaut, motion="turn", size=288, duration="2s", fps=12, **styles_of_two)
    clip.save(IMAGES / "clip.webp", quality=50)
    cat = data.chelsea()  # CC0
    breathing = pochoir.animate(cat, motion=("nod", "breathe"), size=288, subject="woodblock-waves")
    tiles = []
    for caption, made in (("turn", clip), ("nod and breathe", breathing)):
        for step in range(8):
            frame = torch.from_numpy(made.frame_at(step * len(made) // 8)).permute(2, 0, 1)[None].float() / 255
            tiles.append((caption if step == 0 else f"{step}/8", frame))
    save("animation", imaging.contact_sheet(tiles, columns=4, tile_px=240))


GALLERY_PX = 420
"""Long side of the gallery's pictures."""
PHOTOS = {"cat": data.chelsea, "astronaut": data.astronaut, "coffee": data.coffee, "rocket": data.rocket}


def make_gallery() -> None:
    """Run the commands of the gallery, except those of clips and styles, and save their pictures reduced."""
    page = (Path(__file__).parent / "gallery.md").read_text(encoding="utf-8")
    folder = IMAGES / "gallery"
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as desk:
        for name, read in PHOTOS.items():
            imaging.save(Path(desk) / f"{name}.png", imaging.load(read()).rgb)
        for line in page.splitlines():
            command = shlex.split(line) if line.startswith("pochoir stylize") else []
            made = Path(desk) / command[command.index("-o") + 1] if command else None
            if made is not None and not list(folder.glob(f"{made.stem}.*")):  # remove a picture to make it again
                subprocess.run(command, check=True, cwd=desk)
                save_reduced(made, folder)


def save_reduced(path: Path, folder: Path) -> None:
    """Save a picture at the gallery's size: as PNG if it is transparent, else as JPEG."""
    picture = imaging.load(path)
    size = picture.size.fit_long_side(GALLERY_PX)
    if picture.alpha is None:
        small = imaging.resize(picture.rgb, size)
        imaging.save(folder / f"{path.stem}.jpg", small, options=imaging.SaveOptions(quality=82))
    else:
        small = imaging.resize_with_alpha(picture.rgb_or_rgba, size)
        imaging.save(folder / path.name, small[:, :3], alpha=small[:, 3:])


MAKERS: dict[str, Callable[[], None]] = {
    "styles": make_styles,
    "pastiches": make_pastiches,
    "clip": make_clip,
    "demo": make_demo,
    "gallery": make_gallery,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or MAKERS:
        MAKERS[name]()
