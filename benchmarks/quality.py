"""Measure and show paintings of two checkouts: frame edges, calm and busy areas, faces, style, content and time.

Each pair of a photo and a style is painted by the command line of each checkout in turn, all settings at their defaults
unless given after ``--``. Printed for each painting:

- border: share of the gradient energy that runs across the nearest edge in the outer 12 pixels, less the same share
  inside. Strokes along the border raise it. It depends on the photo, so compare it between checkouts only. Other
  strokes change it, too: the differences between checkouts are also taken at frames further inside, where neither has
  a border, and their root mean square is printed at the end.
- calm, busy: RMS of the painting's detail finer than 2 pixels, in levels, where the photo is calm and where it is busy.
- faces: share of the photo's faces that the detector finds in the painting as well, if there are any.
- style, content: relative distances of Gram matrices and of relu4_2. The objective itself cannot be compared: the
  encoder's zero padding rewards strokes along the border. So the picture is shown with reflected surroundings that are
  not counted. They are 69 pixels wide above and on the left, which no stride divides: a painting is nearest to its
  style at the very positions of the deep layers where it was optimised, and a margin moves these.
- inside: style without the outer 32 pixels. It favours the checkout that optimised the smaller area: a part of what
  was optimised as a whole has other Gram matrices by chance, the more so the smaller it is.
- seconds, cpu: wall time and processor seconds of the whole command, all threads.

    python benchmarks/quality.py --photos DIR --styles DIR --pair boat.jpg:woodblock-waves --pair girl.png:ink-wash \
        --before OTHER/src --out build/quality --size 384 -- --steps 36
"""

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from skimage import data
from torch import Tensor

from pochoir import imaging
from pochoir._types import Size
from pochoir.encoders import VGG, load_encoder
from pochoir.faces import find_faces
from pochoir.sources import load_style
from pochoir.transfer.color import luma
from pochoir.transfer.filters import calmness, gaussian_blur
from pochoir.transfer.functional import gram, relative_distance

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT_LAYER = "relu4_2"
BORDER_PX = 12
SURROUNDINGS_PX = 64
SHIFT_PX = 5
"""Further surroundings above and on the left, so that the deep layers' positions are those of neither checkout."""
FRAMES_INSIDE_PX = range(20, 80, 12)
"""Pixels cut off each side of the frames on which the border score is also compared."""
INSIDE_PX = 32
"""Width of the frame's outer part that is not inside."""
PAIRS = ("astronaut:mosaic", "astronaut:woodblock-waves", "chelsea:ink-wash", "coffee:stained-glass", "rocket:marbling")
"""Photos of scikit-image and built-in styles, for a run without folders."""


def main() -> None:
    options = read_options()
    options.out.mkdir(parents=True, exist_ok=True)
    encoder = load_encoder("vgg19")
    checkouts = {"after": Path(__file__).parent.parent / "src"}
    if options.before is not None:
        checkouts = {"before": options.before, **checkouts}
    rows: list[dict[str, Any]] = []
    chances: list[float] = []
    for pair in options.pair or PAIRS:
        photo, style = find_pair(pair, options)
        pictures = [imaging.load(photo).rgb]
        for name, source in checkouts.items():
            out = options.out / f"{Path(photo).stem}-{Path(style).stem}-{name}.png"
            seconds, cpu_s = paint(photo, style, out, source, options)
            painting = imaging.load(out).rgb
            pictures.append(painting)
            row = {
                "pair": f"{Path(photo).stem}, {Path(style).stem}",
                "checkout": name,
                "seconds": seconds,
                "cpu": cpu_s,
            }
            rows.append(row | measure(painting, pictures[0], style, encoder))
            print_row(rows[-1])
        if len(checkouts) == 2:
            chances += border_differences(*pictures[1:])
        save_sheet(pictures, ["photo", *checkouts], options.out / f"{Path(photo).stem}-{Path(style).stem}.jpg")
    summarize(rows, options)
    if chances:
        print(f"border: by chance {math.sqrt(sum(value**2 for value in chances) / len(chances)):.3f}")


def find_pair(pair: str, options: argparse.Namespace) -> tuple[str, str]:
    """Return the photo's path, and the style's path or built-in name."""
    photo, _, style = pair.rpartition(":")
    path = photo if options.photos is None else str(options.photos / photo)
    if not Path(path).is_file():
        path = str(options.out / f"{photo}.png")
        Image.fromarray(getattr(data, photo)()[..., :3]).save(path)
    within = None if options.styles is None else options.styles / style
    return path, str(within) if within is not None and within.is_file() else style


def paint(photo: str, style: str, out: Path, source: Path, options: argparse.Namespace) -> tuple[float, float]:
    """Paint by the command line of a checkout; return wall and processor seconds."""
    command = [sys.executable, "-m", "pochoir", "stylize", photo, "-o", str(out), "--style", style, "--force"]
    command += ["--size", str(options.size), "--threads", str(options.threads), *options.arguments]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    environment = {**os.environ, "PYTHONPATH": str(source), "OMP_WAIT_POLICY": "PASSIVE"}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - began, cpu_s


@torch.no_grad()
def measure(painting: Tensor, photo: Tensor, style: str, encoder: VGG) -> dict[str, float]:
    """Return all scores of a painting, shape (1, 3, H, W)."""
    size = Size(*painting.shape[-2:])
    photo = imaging.resize(photo, size)
    calm = calmness(photo)
    detail = (luma(painting) - gaussian_blur(luma(painting), 2.0)) * 255.0
    source = load_style(style)
    target = imaging.resize(source.rgb, source.size.scaled(math.sqrt(size.pixels / source.size.pixels)))
    of_style = encoder(target, STYLE_LAYERS)
    of_painting, of_photo = (encode_with_surroundings(picture, encoder) for picture in (painting, photo))

    def style_distance(without_px: int) -> float:
        maps = {name: crop(of_painting[name], name, size, without_px) for name in STYLE_LAYERS}
        distances = [float(relative_distance(gram(maps[name]), gram(of_style[name]))) for name in STYLE_LAYERS]
        return sum(distances) / len(distances)

    contents = [crop(maps[CONTENT_LAYER], CONTENT_LAYER, size, 0) for maps in (of_painting, of_photo)]
    faces = score_faces(painting, photo)
    return faces | {
        "border": border_score(painting),
        "calm": weighted_rms(detail, calm),
        "busy": weighted_rms(detail, 1.0 - calm),
        "style": style_distance(0),
        "inside": style_distance(INSIDE_PX),
        "content": float(relative_distance(*contents)),
    }


def score_faces(painting: Tensor, photo: Tensor) -> dict[str, float]:
    """Return the share of the photo's faces that are found in the painting; nothing where the photo has none."""
    wanted, found = find_faces(photo), find_faces(painting)
    if not wanted:
        return {}
    reach = [max(face.width, face.height) / 2 for face in wanted]
    kept = [
        any(abs(other.left - face.left) < near and abs(other.top - face.top) < near for other in found)
        for face, near in zip(wanted, reach, strict=True)
    ]
    return {"faces": sum(kept) / len(kept)}


def encode_with_surroundings(picture: Tensor, encoder: VGG) -> dict[str, Tensor]:
    """Return the features of a picture as if it went on beyond its frame."""
    before = SURROUNDINGS_PX + SHIFT_PX
    padded = F.pad(picture, (before, SURROUNDINGS_PX, before, SURROUNDINGS_PX), mode="reflect")
    return encoder(padded, (*STYLE_LAYERS, CONTENT_LAYER))


def crop(features: Tensor, layer: str, size: Size, without_px: int) -> Tensor:
    """Return the positions that lie in the picture as a whole, without an outer part of it."""
    stride, before = VGG.stride(layer), SURROUNDINGS_PX + SHIFT_PX
    rows, columns = (
        slice(-(-(before + without_px) // stride), (before + side - without_px) // stride) for side in size
    )
    return features[..., rows, columns].contiguous()


def border_score(painting: Tensor) -> float:
    """Share of gradient energy across the edge in the outer pixels less the share inside, the mean of four sides."""
    grey = luma(painting)[0, 0]
    down, across = grey.diff(dim=0)[:, :-1].square(), grey.diff(dim=1)[:-1].square()
    turned = [(down, across), (down.flip(0), across.flip(0)), (across.T, down.T), (across.T.flip(0), down.T.flip(0))]
    scores = []
    for over, along in turned:
        inside = slice(3 * BORDER_PX, -3 * BORDER_PX)
        shares = [
            float(over[part].sum() / (over[part] + along[part]).sum().clamp_min(1e-12))
            for part in (slice(0, BORDER_PX), inside)
        ]
        scores.append(shares[0] - shares[1])
    return sum(scores) / len(scores)


def border_differences(before: Tensor, after: Tensor) -> list[float]:
    """Return how much the border scores of two paintings differ at frames further inside."""
    least_px = 8 * BORDER_PX
    return [
        border_score(after[..., px:-px, px:-px]) - border_score(before[..., px:-px, px:-px])
        for px in FRAMES_INSIDE_PX
        if min(before.shape[-2:]) - 2 * px >= least_px
    ]


def weighted_rms(values: Tensor, weight: Tensor) -> float:
    return math.sqrt(float((values.square() * weight).sum() / weight.sum().clamp_min(1e-6)))


def print_row(row: dict[str, Any]) -> None:
    numbers = "  ".join(f"{name} {value:.3f}" for name, value in row.items() if isinstance(value, float))
    print(f"{row['pair']:32} {row['checkout']:6}  {numbers}", flush=True)


def summarize(rows: list[dict[str, Any]], options: argparse.Namespace) -> None:
    """Print means, and ratios of after to before; write everything as JSON."""
    names = list(dict.fromkeys(name for row in rows for name, value in row.items() if isinstance(value, float)))
    for checkout in dict.fromkeys(row["checkout"] for row in rows):
        of_it = [row for row in rows if row["checkout"] == checkout]
        known = {name: [row[name] for row in of_it if name in row] for name in names}
        means = {name: sum(values) / len(values) for name, values in known.items() if values}
        print_row({"pair": f"mean of {len(of_it)}", "checkout": checkout, **means})
    if options.before is not None:
        pairs = list(zip(rows[::2], rows[1::2], strict=True))
        for name in ("seconds", "cpu", "style", "inside", "content", "calm", "busy"):
            ratio = math.exp(sum(math.log(after[name] / before[name]) for before, after in pairs) / len(pairs))
            print(f"{name}: after / before {ratio:.3f}")
    (options.out / "quality.json").write_text(json.dumps({"size": options.size, "rows": rows}, indent=2) + "\n")


def save_sheet(pictures: list[Tensor], labels: list[str], path: Path) -> None:
    """Save pictures side by side, with labels."""
    size = Size(*pictures[-1].shape[-2:])
    tiles = [(imaging.resize(picture, size)[0].permute(1, 2, 0) * 255).round().byte().numpy() for picture in pictures]
    sheet = Image.new("RGB", (len(tiles) * (size.width + 4), size.height + 14), "white")
    draw = ImageDraw.Draw(sheet)
    for index, (tile, label) in enumerate(zip(tiles, labels, strict=True)):
        sheet.paste(Image.fromarray(tile), (index * (size.width + 4), 14))
        draw.text((index * (size.width + 4) + 2, 1), label, fill="black")
    sheet.save(path, quality=92)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, help="folder of the photos (default: those of scikit-image)")
    parser.add_argument("--styles", type=Path, help="folder of styles; built-in names serve, too")
    parser.add_argument("--pair", action="append", help="PHOTO:STYLE; may be given several times")
    parser.add_argument("--before", type=Path, help="src folder of the checkout to compare with")
    parser.add_argument("--out", type=Path, required=True, help="folder for paintings, sheets and quality.json")
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("arguments", nargs="*", help="after --: further arguments of pochoir stylize")
    return parser.parse_args()


if __name__ == "__main__":
    main()
