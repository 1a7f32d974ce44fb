"""Does a small subject take on as much style as a large one?

The same subject is laid over the same ground so that it covers 40 %, 15 % and 4 % of the frame, and is painted with
the same recipe. Printed is the style distance inside the subject (relative distance of guided Gram matrices),
measured on the composite after rounding to 8 bits, and the spread of the three: (largest - smallest) / mean. Below
25 % is what we ask for. Two means over the style layers are given: weighted as in the objective, where a layer counts
less if the subject has too few positions there to fill its Gram matrix, and plain. The plain one is ruled by relu5_1,
where 4 % of a 512-pixel frame is 40 positions for 512 channels: no picture of that size has the style's Gram matrix.
How near one can be expected to come shows the last column: the distance of pieces of the style picture itself, seen
through the same matte.

    python benchmarks/area_fairness.py
    python benchmarks/area_fairness.py --photo parrot.jpg --style candy.jpg --size 512 --steps 100 --json out.json
"""

import argparse
import json
import math
from pathlib import Path

import torch
from skimage import data
from torch import Tensor

import pochoir
from pochoir import compositing, imaging
from pochoir._types import Size
from pochoir.encoders import VGG, load_encoder
from pochoir.recipe import Recipe
from pochoir.sources import load_style
from pochoir.transfer.functional import gram, relative_distance
from pochoir.transfer.guidance import build_guides
from pochoir.transfer.layer_weights import weigh_layers
from pochoir.transfer.targets import style_grams

AREAS = (0.40, 0.15, 0.04)


def main() -> None:
    options = read_options()
    recipe = Recipe(size=options.size, steps=options.steps, threads=options.threads)
    encoder = load_encoder(recipe.encoder)
    style = load_style(options.style)
    subject = cut_subject(options.photo)
    ground = imaging.load(data.rocket() if options.ground is None else options.ground).rgb
    frame = Size(options.size, options.size)
    rows = []
    for area in AREAS:
        photo, matte = lay(subject, imaging.resize(ground, frame), area)
        result = pochoir.stylize(
            to_array(photo), recipe, subject=style, mask=to_array(matte.expand(-1, 3, -1, -1)), encoder=encoder
        )
        target = imaging.resize(style.rgb, style.size.scaled(math.sqrt(frame.pixels / style.size.pixels)))
        saved = (result.composite * 255).round() / 255
        before = measure(photo, matte, target, encoder, recipe)
        after = measure(saved, matte, target, encoder, recipe)
        pieces = measure_pieces(matte, target, encoder, recipe)
        rows.append({"area": float(matte.mean()), "unpainted": before, "painted": after, "style": pieces})
        each = "  ".join(f"{layer} {after[layer]:.4f}" for layer in recipe.style_layers if layer in after)
        print(f"area {rows[-1]['area']:6.1%}  {before['weighted']:.4f} -> {after['weighted']:.4f}", end="  ")
        print(f"plain {before['plain']:.4f} -> {after['plain']:.4f}   {each}", end="   ")
        print(f"the style itself {pieces['weighted']:.4f}, plain {pieces['plain']:.4f}", flush=True)
    spread = {}
    for mean in ("weighted", "plain"):
        reached = [row["painted"][mean] for row in rows]
        spread[mean] = (max(reached) - min(reached)) / (sum(reached) / len(reached))
        print(f"spread of the {mean} mean: {spread[mean]:.1%}")
    if options.json is not None:
        settings = {"size": options.size, "steps": options.steps, "style": options.style, "torch": torch.__version__}
        options.json.write_text(json.dumps({"rows": rows, "spread": spread, **settings}, indent=2) + "\n")


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photo", help="photo whose subject is used (default: scikit-image's cat)")
    parser.add_argument("--ground", help="photo that is laid behind it (default: scikit-image's rocket)")
    parser.add_argument("--style", default="stained-glass")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--steps", type=int, default=Recipe().steps)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def cut_subject(photo: str | None) -> Tensor:
    """The subject of a photo as RGBA, cropped to its own box."""
    picture = imaging.load(data.chelsea() if photo is None else photo)
    matte = pochoir.segment(picture).matte
    rows = torch.nonzero(matte[0, 0].amax(dim=1) > 0.5).flatten()
    columns = torch.nonzero(matte[0, 0].amax(dim=0) > 0.5).flatten()
    rgba = compositing.cutout(picture.rgb, matte)
    return rgba[..., rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def lay(subject: Tensor, ground: Tensor, area: float) -> tuple[Tensor, Tensor]:
    """The subject in the middle of the ground, so scaled that its matte covers ``area`` of the frame."""
    size = Size(*ground.shape[-2:])
    own = Size(*subject.shape[-2:])
    factor = math.sqrt(area * size.pixels / float(subject[:, 3:].sum()))
    scaled = imaging.resize(subject, own.scaled(factor))
    height, width = min(size.height, scaled.shape[-2]), min(size.width, scaled.shape[-1])
    scaled = scaled[..., :height, :width]
    top, left = (size.height - height) // 2, (size.width - width) // 2
    front = torch.zeros(1, 4, *size)
    front[..., top : top + height, left : left + width] = scaled
    matte = (front[:, 3:] * 255).round() / 255
    return compositing.alpha_over(front[:, :3], ground, matte), matte


def measure(picture: Tensor, matte: Tensor, style: Tensor, encoder: VGG, recipe: Recipe) -> dict[str, float]:
    guides = build_guides(matte, encoder, recipe.style_layers)
    targets = style_grams([(style, 1.0)], encoder, recipe.style_layers)
    with torch.inference_mode():
        features = encoder(picture, recipe.style_layers)
    by_layer = {
        layer: float(relative_distance(gram(features[layer], guide), targets[layer])) for layer, guide in guides.items()
    }
    weights = weigh_layers(guides, targets)
    weighted = sum(weights[layer] * distance for layer, distance in by_layer.items())
    return {"weighted": weighted, "plain": sum(by_layer.values()) / len(by_layer), **by_layer}


def measure_pieces(matte: Tensor, style: Tensor, encoder: VGG, recipe: Recipe) -> dict[str, float]:
    """Mean distance of four pieces of the style, mirrored where it is smaller than the frame."""
    mirrored = torch.cat([style, style.flip(-1)], dim=-1)
    mirrored = torch.cat([mirrored, mirrored.flip(-2)], dim=-2)
    height, width = style.shape[-2:]
    tops, lefts = (0, height // 2), (0, width // 2)
    frame = Size(*matte.shape[-2:])
    pieces = [
        measure(
            mirrored.roll((-top, -left), (-2, -1))[..., : frame.height, : frame.width], matte, style, encoder, recipe
        )
        for top in tops
        for left in lefts
    ]
    return {key: sum(piece[key] for piece in pieces) / len(pieces) for key in pieces[0]}


def to_array(picture: Tensor) -> object:
    return (picture[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()


if __name__ == "__main__":
    main()
