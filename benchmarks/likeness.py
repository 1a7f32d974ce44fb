"""Which features of VGG19 rank pictures by what they show, whatever they are painted in?

Photos of scikit-image are painted in built-in styles; then candidates (layer, normalisation, grid of cells) rank them.
Prints a Markdown table. With --quick fewer and smaller pictures.

    python benchmarks/likeness.py
"""

import argparse
import itertools
from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from skimage import data
from torch import Tensor

import pochoir
from pochoir import imaging
from pochoir._types import Size
from pochoir.encoders import load_encoder
from pochoir.imaging import Picture

PHOTOS = {"astronaut": data.astronaut, "cat": data.chelsea, "coffee": data.coffee, "rocket": data.rocket}
STYLES = ("mosaic", "ink-wash", "stained-glass")
LAYERS = ("relu3_1", "relu4_2", "relu4_4", "relu5_1", "relu5_4")
NORMALISATIONS = ("as they are", "less mean", "mean 0, deviation 1")
GRIDS = (1, 3, 5, 7, 14)
SHOWN = 8


class Candidate(NamedTuple):
    layer: str
    normalisation: str
    grid: int


class Ranking(NamedTuple):
    """Shares of comparisons that come out right, and how far apart the two kinds of pairs are."""

    own_photo: float
    other_style: float
    mirrored: float
    separation: float

    @property
    def total(self) -> float:
        return self.own_photo + self.other_style + self.mirrored + self.separation / 100


def paint(photos: Mapping[str, Tensor], *, size: int, steps: int) -> dict[tuple[str, str], Tensor]:
    pictures = {(photo, "photo"): rgb for photo, rgb in photos.items()}
    pictures |= {(photo, "mirrored"): rgb.flip(-1) for photo, rgb in photos.items()}
    for photo, style in itertools.product(photos, STYLES):
        array = photos[photo][0].permute(1, 2, 0).numpy()
        pictures[photo, style] = pochoir.stylize(array, style=style, size=size, steps=steps, threads=1).composite
    return pictures


def describe(features: Tensor, candidate: Candidate) -> Tensor:
    if candidate.normalisation != "as they are":
        features = features - features.mean(dim=(2, 3), keepdim=True)
    if candidate.normalisation == "mean 0, deviation 1":
        deviation = features.square().mean(dim=(2, 3), keepdim=True).sqrt()
        features = features / (deviation + 1e-3 * features.square().mean().sqrt() + 1e-12)
    return F.normalize(F.adaptive_avg_pool2d(features, candidate.grid).flatten(), dim=0)


def rank(vectors: Mapping[tuple[str, str], Tensor], photos: list[str]) -> Ranking:
    def likeness(*pair: tuple[str, str]) -> float:
        return float(vectors[pair[0]] @ vectors[pair[1]])

    own, strange = [], []
    right: dict[str, list[bool]] = {"photo": [], "style": [], "mirrored": []}
    for photo, other in itertools.permutations(photos, 2):
        own.append(likeness((photo, "mirrored"), (photo, "photo")))
        right["mirrored"].append(own.pop() > likeness((photo, "photo"), (other, "photo")))
        for style in STYLES:
            to_own = likeness((photo, style), (photo, "photo"))
            to_other = likeness((photo, style), (other, "photo"))
            own.append(to_own)
            strange.append(to_other)
            right["photo"].append(to_own > to_other)
            right["style"] += [
                likeness((photo, style), (photo, second)) > likeness((photo, style), (other, style))
                for second in STYLES
                if second != style
            ]
    near, far = torch.tensor(own), torch.tensor(strange)
    separation = (near.mean() - far.mean()) / ((near.var() + far.var()) / 2).sqrt()
    return Ranking(*(sum(each) / len(each) for each in right.values()), float(separation))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    is_quick = parser.parse_args().quick
    torch.set_num_threads(1)
    names = list(PHOTOS)[:2] if is_quick else list(PHOTOS)
    loaded: dict[str, Picture] = {name: imaging.load(PHOTOS[name]()) for name in names}
    photos = {name: imaging.resize(item.rgb, item.size.fit_long_side(192)) for name, item in loaded.items()}
    pictures = paint(photos, size=64 if is_quick else 160, steps=5 if is_quick else 30)

    encoder = load_encoder("vgg19")
    features: dict[tuple[str, str], dict[str, Tensor]] = {}
    with torch.no_grad():
        for key, rgb in pictures.items():
            size = Size(*rgb.shape[-2:])
            features[key] = encoder(imaging.resize(rgb, size.scaled(256 / size.pixels**0.5)), LAYERS)
    found = {}
    for candidate in map(Candidate._make, itertools.product(LAYERS, NORMALISATIONS, GRIDS)):
        if candidate.grid == 1 and candidate.normalisation != "as they are":
            continue  # the mean is what was taken away
        vectors = {key: describe(layers[candidate.layer], candidate) for key, layers in features.items()}
        found[candidate] = rank(vectors, names)
    print(
        "| layer | features | cells | own photo | same content | mirrored | separation |\n|---|---|---|---|---|---|---|"
    )
    best = sorted(found, key=lambda candidate: found[candidate].total, reverse=True)[:SHOWN]
    plain = [candidate for candidate in found if candidate.normalisation == "as they are" and candidate.grid in (1, 5)]
    for candidate in dict.fromkeys([*best, Candidate("relu4_4", NORMALISATIONS[2], 5), *plain]):
        own, style, mirrored, separation = found[candidate]
        cells = f"{candidate.grid}x{candidate.grid}"
        print(
            f"| {candidate.layer} | {candidate.normalisation} | {cells} | {own:.2f} | {style:.2f} | {mirrored:.2f} "
            f"| {separation:.1f} |"
        )


if __name__ == "__main__":
    main()
