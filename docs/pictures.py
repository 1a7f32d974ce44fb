"""Makes the pictures of README and gallery: python docs/pictures.py [NAME]..., one of ``MAKERS`` or all of them.

``python docs/pictures.py photos`` writes the photos of the gallery into the folder ``gallery`` instead.
"""

import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from skimage import data
from torch import Tensor

import pochoir
from pochoir import imaging, styles
from pochoir._types import Box, Size
from pochoir.animation.rig import Rig
from pochoir.cli.commands import demo
from pochoir.lab.report.photos import sample_photos, write_photos
from pochoir.sources import load_style

IMAGES = Path(__file__).parent / "images"


def save(name: str, sheet: Tensor) -> None:
    """Write one of the README's pictures."""
    IMAGES.mkdir(exist_ok=True)
    imaging.save(IMAGES / f"{name}.jpg", sheet, options=imaging.SaveOptions(quality=80))


def make_styles() -> None:
    """One sheet of the built-in styles."""
    save("styles", imaging.contact_sheet([(n, load_style(n).rgb) for n in styles.NAMES], columns=4, tile_px=240))


GENTLER: dict[str, dict[str, float]] = {
    "marbling": {"strength": 0.45, "style_scale": 0.8},  # else its chevrons cross an eye
}
"""Settings of the styles that are not painted as usual on the sheet."""


def make_pastiches() -> None:
    """The same photo in each built-in style."""
    photo = imaging.load(data.chelsea()).rgb  # CC0, Stefan van der Walt
    cropped = imaging.resize(photo[..., 0:300, 60:360], Size(480, 480))
    array = (cropped[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
    tiles = [(name, pochoir.stylize(array, style=name, **GENTLER.get(name, {})).composite) for name in styles.NAMES]
    save("pastiches", imaging.contact_sheet(tiles, columns=4, tile_px=320))


def make_demo() -> None:
    """The sheet that ``pochoir demo`` makes, and its clip, which opens the README."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["pochoir", "demo"], check=True, cwd=folder)  # the clip's record names files relative to it
        made = Path(folder) / "pochoir-demo"
        save("demo", imaging.load(made / "contact-sheet.png").rgb)
        shutil.copyfile(made / "clip.webp", IMAGES / "clip.webp")


def make_animation() -> None:
    """Eight frames of two clips for docs/animation.md."""
    clip = pochoir.animate(
        data.coffee(),  # CC0, Rachel Michetti
        motion=demo.MOTION,
        size=demo.CLIP_PX,
        duration=demo.CLIP_S,
        fps=demo.CLIP_FPS,
        **demo.RUNS[-1].styles,
    )
    breathing = pochoir.animate(
        data.chelsea(),  # CC0, Stefan van der Walt
        motion=("nod", "breathe"),
        size=448,
        subject="stained-glass",
        background="stained-glass",
        keep_points="262,247",  # the nose
    )
    tiles = []
    for caption, made in (("waddle", clip), ("nod and breathe", breathing)):
        for step in range(8):
            frame = to_picture(made.frame_at(step * len(made) // 8))
            tiles.append((caption if step == 0 else f"{step}/8", frame))
    save("animation", imaging.contact_sheet(tiles, columns=4, tile_px=240))


GALLERY_PX = 720
"""Long side of the gallery's pictures."""


CROPS = {
    "flower": ("dahlia.jpg", Box(130, 64, 360, 308)),  # without the blossom that the frame cuts
    "tabby": ("chelsea.png", Box(50, 0, 401, 300)),  # without the dark corner
    "raccoon-face": ("raccoon.png", Box(364, 0, 660, 600)),
    "tower": ("pagoda.jpg", Box(30, 0, 360, 388)),
    "peak": ("mountain.jpg", Box(900, 300, 3600, 2800)),
}
"""Photos of the gallery that are cut from others before they are painted."""


def write_gallery_photos(folder: Path = Path("gallery")) -> None:
    """Write the photos that the commands of the gallery take."""
    samples = sample_photos()
    missing = sorted({source for source, _ in CROPS.values() if Path(source).stem not in samples})
    if missing:
        sys.exit(f"Sample photos are missing: {', '.join(missing)}. Run `pochoir models pull photos` first.")
    write_photos(folder)
    for name, (source, box) in CROPS.items():
        with Image.open(folder / source) as photo:
            photo.crop((box.x, box.y, box.x + box.width, box.y + box.height)).save(folder / f"{name}.png")


def make_gallery() -> None:
    """Run the commands of the gallery, except those of clips and styles, and save their pictures reduced."""
    page = (Path(__file__).parent / "gallery.md").read_text(encoding="utf-8")
    folder = IMAGES / "gallery"
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as desk:
        write_gallery_photos(Path(desk))
        for line in page.splitlines():
            command = shlex.split(line) if line.startswith("pochoir stylize") else []
            made = Path(desk) / command[command.index("-o") + 1] if command else None
            if made is not None and not list(folder.glob(f"{made.stem}.*")):  # remove a picture to make it again
                subprocess.run(command, check=True, cwd=desk)
                save_reduced(made, folder)


def save_reduced(path: Path, folder: Path) -> None:
    """Save a picture at the gallery's size: as PNG if it is transparent, else as JPEG."""
    picture = imaging.load(path)
    size = picture.size.fit_long_side(min(GALLERY_PX, picture.size.long_side))
    if picture.alpha is None:
        small = imaging.resize(picture.rgb, size)
        imaging.save(folder / f"{path.stem}.jpg", small, options=imaging.SaveOptions(quality=82))
    else:
        small = imaging.resize_with_alpha(picture.rgb_or_rgba, size)
        imaging.save(folder / path.name, small[:, :3], alpha=small[:, 3:])


def draw_doll() -> tuple[Image.Image, Rig]:
    """A figure with a coat and boots, and its limbs, in a frame of 300 x 380 pixels."""
    scale = 3  # drawn larger and scaled down, for soft edges
    picture = Image.new("RGBA", (300 * scale, 380 * scale))
    pen = ImageDraw.Draw(picture)
    limbs: list[dict[str, object]] = []

    def stroke(points: list[tuple[int, int]], width: int, color: str) -> None:
        pen.line([(x * scale, y * scale) for x, y in points], fill=color, width=width * scale, joint="curve")
        for x, y in points:
            box = [(x - width / 2) * scale, (y - width / 2) * scale, (x + width / 2) * scale, (y + width / 2) * scale]
            pen.ellipse(box, fill=color)

    for name, side in (("left", -1), ("right", 1)):
        leg = [(150 + 17 * side, 210), (150 + 20 * side, 268), (150 + 22 * side, 326), (150 + 34 * side, 336)]
        stroke(leg[:3], 26, "#3b4d7a")
        stroke(leg[2:], 26, "#2a2226")
        limbs.append({"name": f"leg_{name}", "kind": "leg", "points": leg, "width": 13, "front": False})
    stroke([(150, 128), (150, 205)], 62, "#c8432f")
    stroke([(150, 128), (150, 205)], 8, "#f2c14e")
    stroke([(150, 84), (150, 88)], 50, "#e8b48c")
    stroke([(136, 62), (164, 62)], 20, "#4a2c20")
    for name, side in (("left", -1), ("right", 1)):
        arm = [(150 + 32 * side, 118), (150 + 45 * side, 160), (150 + 49 * side, 202), (150 + 50 * side, 216)]
        stroke(arm[:3], 19, "#a83426")
        stroke(arm[2:], 17, "#e8b48c")
        limbs.append({"name": f"arm_{name}", "kind": "arm", "points": arm, "width": 9})
    limbs.append({"name": "head", "kind": "head", "points": [(150, 112), (150, 54)], "width": 26, "cut": False})
    rig = Rig.from_dict({"width": 300, "height": 380, "limbs": limbs, "spine": [(150, 210), (150, 112)]})
    return picture.resize((300, 380), Image.Resampling.LANCZOS), rig


def make_people() -> None:
    """Eight frames each of a drawn figure that dances, waves and jumps, painted once."""
    doll, rig = draw_doll()
    with tempfile.TemporaryDirectory() as folder:
        path, painted = Path(folder) / "doll.png", Path(folder) / "painted.png"
        doll.save(path)
        pochoir.stylize(path, subject="stained-glass", backdrop="transparent").save(painted)
        tiles = []
        for motion in ("dance", "wave", "jump"):
            clip = pochoir.animate(painted, motion=motion, rig=rig, backdrop="#e9e0cf", shadow=True, margin="14%")
            for step in range(8):
                frame = clip.frame_at(int((step + 0.37) * len(clip) / 8) if step else 0)
                tiles.append((motion if step == 0 else f"{step}/8", to_picture(frame)))
    save("animation-people", imaging.contact_sheet(tiles, columns=8, tile_px=150))


def make_two_people() -> None:
    """The pictures of docs/howto/one-of-two.md: two people apart, numbered, and two who touch, one of them dropped."""
    page = (Path(__file__).parent / "howto" / "one-of-two.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"^```python\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    (points,) = re.findall(r"--keep-points .*", page)
    with tempfile.TemporaryDirectory() as folder:
        desk = Path(folder)
        imaging.save(desk / "astronaut.png", imaging.load(data.astronaut()).rgb)  # NASA, public domain
        for command in (
            "segment astronaut.png -o person.png --as cutout",
            "segment pair.png -o parts.png --as parts",
            f"segment touching.png -o dropped.png --as overlay {points}",
        ):
            subprocess.run(["pochoir", *shlex.split(command)], check=True, cwd=desk)
            if not (desk / "pair.png").exists():
                subprocess.run([sys.executable, "-c", script], check=True, cwd=desk)
        pictures = [imaging.load(desk / name).rgb for name in ("parts.png", "dropped.png")]
    gap = torch.ones(1, 3, pictures[0].shape[2], 20)
    sheet = torch.cat([pictures[0], gap, pictures[1]], dim=-1)
    save("two-people", imaging.resize(sheet, Size(sheet.shape[2], sheet.shape[3]).fit_long_side(1034)))


def to_picture(frame: np.ndarray) -> Tensor:
    """Return a frame as a picture of shape (1, 3, H, W)."""
    return torch.from_numpy(frame).permute(2, 0, 1)[None].float() / 255


MAKERS: dict[str, Callable[[], None]] = {
    "styles": make_styles,
    "pastiches": make_pastiches,
    "animation": make_animation,
    "people": make_people,
    "demo": make_demo,
    "two-people": make_two_people,
    "gallery": make_gallery,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or MAKERS:
        (MAKERS | {"photos": write_gallery_photos})[name]()
