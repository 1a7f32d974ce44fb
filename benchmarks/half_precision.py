"""Does it show in what is painted that convolutions are rounded to bfloat16, as on GPUs that multiply it faster?

    python benchmarks/half_precision.py --pair PHOTO STYLE --pair PHOTO STYLE --size 256

Each pair is painted with the encoder in float32 and in half precision, both on plain torch; the saved pictures are
compared by the objective of the whole picture at its finest scale, in float32. It needs no GPU: processors round alike,
only slower.
"""

import argparse
import math
import time
from pathlib import Path

import torch
from torch import Tensor

import pochoir
from pochoir import imaging
from pochoir._types import Size
from pochoir.encoders import load_encoder
from pochoir.recipe import Recipe
from pochoir.sources import load_style
from pochoir.transfer.criterion import Criterion, StyledRegion
from pochoir.transfer.targets import style_grams


def main() -> None:
    options = read_options()
    recipe = Recipe(size=options.size, steps=options.steps, threads=options.threads)
    for photo, style in options.pair:
        picture = load_at(photo, options.size)
        judge = build_judge(picture, style, recipe)
        totals = {}
        for name in ("float32", "bfloat16"):
            encoder = load_encoder("vgg19", engine="torch")
            if name == "bfloat16":
                encoder.use_bfloat16()
            began = time.monotonic()
            result = pochoir.stylize(
                picture[0].permute(1, 2, 0).numpy(), recipe, style=load_style(style), encoder=encoder
            )
            losses = judge((result.composite * 255.0).round() / 255.0).numbers()
            totals[name] = losses.total
            more = losses.total / totals["float32"] - 1.0
            print(
                f"{Path(photo).stem} in {Path(style).stem}, {name:8}: objective {losses.total:.4f} ({more:+.2%}), "
                f"content {losses.content:.4f}, style {losses.style:.5f}, {time.monotonic() - began:.0f} s",
                flush=True,
            )


def build_judge(picture: Tensor, style: str, recipe: Recipe) -> Criterion:
    """The objective of the finest scale."""
    encoder, frame = load_encoder("vgg19"), Size(*picture.shape[-2:])
    source = load_style(style)
    target = imaging.resize(source.rgb, source.size.scaled(math.sqrt(frame.pixels / source.size.pixels)))
    grams = style_grams([(target, 1.0)], encoder, recipe.style_layers)
    return Criterion(picture, [StyledRegion(torch.ones(1, 1, *frame), grams)], encoder, recipe)


def load_at(photo: str, size: int) -> Tensor:
    picture = imaging.load(photo)
    return imaging.resize(picture.rgb, picture.size.scaled(size / picture.size.long_side))


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pair", nargs=2, action="append", required=True, metavar=("PHOTO", "STYLE"))
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--steps", type=int, default=Recipe().steps)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
