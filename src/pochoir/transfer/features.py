"""Features of a picture in tiles, and the Gram matrices that are summed over them."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from pochoir._types import Size
from pochoir.encoders import VGG
from pochoir.transfer.functional import gram
from pochoir.transfer.windows import Tile, Window, plan_tiles

WHOLE_PX = math.inf
"""A limit that no picture exceeds."""

Features = Mapping[str, Tensor]
"""By layer the features of a tile's core, each (1, C, h, w)."""


class _Part(NamedTuple):
    """A guide over a tile's core; None where it weighs all positions alike, which saves a copy of the features."""

    guide: Tensor | None
    share: float
    """Of the guide's sum over the whole picture."""


class GuidedGrams:
    """Guided Gram matrices of several regions, of which each tile gives a part.

    Args:
        guides: For each region its guides by layer, each (1, 1, h, w), none zero everywhere.
    """

    def __init__(self, guides: Sequence[Mapping[str, Tensor]]) -> None:
        self.guides = guides
        self.totals = [{layer: float(guide.sum()) for layer, guide in region.items()} for region in guides]
        # Looked at once for all steps: numbers have to be waited for on a GPU.
        self._parts: dict[Tile, list[dict[str, _Part]]] = {}

    def __call__(self, tile: Tile, features: Features) -> list[dict[str, Tensor]]:
        """The tile's part for each region and layer, shape (1, C, C); the parts of all tiles add up."""
        if tile not in self._parts:
            self._parts[tile] = [
                {
                    layer: _cut(guide, tile.positions(VGG.stride(layer)), totals[layer])
                    for layer, guide in region.items()
                }
                for region, totals in zip(self.guides, self.totals, strict=True)
            ]
        return [
            {layer: _gram_part(features[layer], part) for layer, part in region.items()} for region in self._parts[tile]
        ]


def _cut(guide: Tensor, core: Window, total: float) -> _Part:
    here = core.cut(guide)
    return _Part(None if bool(here.min() == here.max()) else here, float(here.sum()) / total)


def _gram_part(features: Tensor, part: _Part) -> Tensor:
    if not part.share > 0.0:  # a Gram matrix is a mean over the guide: here there is none
        return features.new_zeros(1, features.shape[1], features.shape[1])
    return gram(features, part.guide) * part.share


class FeatureTiles:
    """Runs an encoder over a picture, in as many tiles as it takes.

    Args:
        encoder: The network.
        layers: Names of the layers.
        size: Of the picture.
        most_px: Pixels that the encoder is shown at once.
    """

    def __init__(self, encoder: VGG, layers: Sequence[str], size: Size, *, most_px: float = WHOLE_PX) -> None:
        self.encoder, self.layers, self.size = encoder, tuple(layers), size
        self.tiles = plan_tiles(
            size,
            most_px=most_px,
            margin_px=max((encoder.reach_px(layer) for layer in layers), default=0),
            grid_px=max((encoder.stride(layer) for layer in layers), default=1),
        )

    def __len__(self) -> int:
        return len(self.tiles)

    def run(self, picture: Tensor) -> Iterator[tuple[Tile, Features]]:
        """Each tile with its features; what the picture records, gradients, they record."""
        for tile in self.tiles:
            yield tile, self._run_tile(tile, tile.shown.cut(picture))

    def _run_tile(self, tile: Tile, shown: Tensor) -> Features:
        maps = self.encoder(shown, self.layers)
        return {layer: tile.positions_shown(self.encoder.stride(layer)).cut(map_) for layer, map_ in maps.items()}

    @torch.no_grad()
    def measure(self, picture: Tensor, grams: GuidedGrams) -> list[dict[str, Tensor]]:
        """The Gram matrices of the whole picture, without gradients, by region and layer."""
        totals: list[dict[str, Tensor]] = [{} for _ in grams.guides]
        for tile, features in self.run(picture):
            for total, part in zip(totals, grams(tile, features), strict=True):
                for layer, matrix in part.items():
                    total[layer] = total[layer] + matrix if layer in total else matrix
        return totals

    @torch.no_grad()
    def gather(self, picture: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """The features of the whole picture, without gradients, by layer."""
        gathered: dict[str, Tensor] = {}
        for tile, features in self.run(picture) if layers else ():
            for layer in layers:
                part, stride = features[layer], self.encoder.stride(layer)
                if len(self) == 1:
                    gathered[layer] = part
                    continue
                if layer not in gathered:
                    height, width = self.size.height // stride, self.size.width // stride
                    gathered[layer] = part.new_empty(1, part.shape[1], height, width)
                tile.positions(stride).cut(gathered[layer]).copy_(part)
        return gathered

    def differentiate(self, picture: Tensor, objective: Callable[[Tile, Features], Tensor]) -> Tensor:
        """Gradient in the picture of an objective that is a sum over tiles, one tile at a time."""
        total = torch.zeros_like(picture)
        for tile in self.tiles:
            with torch.enable_grad():
                shown = tile.shown.cut(picture).detach().requires_grad_()
                value = objective(tile, self._run_tile(tile, shown))
                (gradient,) = torch.autograd.grad(value, shown)
            tile.shown.cut(total).add_(gradient)
        return total

    def full_guides(self, picture: Tensor) -> dict[str, Tensor]:
        """Guides that weigh all positions of each layer alike."""
        sides = {layer: self.encoder.stride(layer) for layer in self.layers}
        return {
            layer: picture.new_ones(1, 1, self.size.height // stride, self.size.width // stride)
            for layer, stride in sides.items()
        }
