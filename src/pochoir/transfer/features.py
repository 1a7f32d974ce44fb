"""Features of a picture in tiles, and sums over the tiles."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from pochoir._types import Size
from pochoir.encoders import VGG
from pochoir.transfer.grams import GuidedGrams
from pochoir.transfer.tiling import Tile, plan_tiles

WHOLE_PX = math.inf
"""A limit that no picture exceeds."""

TILED_WORK = 1.5
"""Work of a step in tiles to that of a step on the whole picture: the encoder is run forward twice."""

Features = Mapping[str, Tensor]
"""By layer the features of a whole tile, each (1, C, h, w); ``Tile.core_of`` cuts out its core."""


class FeatureTiles:
    """Runs an encoder over a picture, in as many tiles as it takes.

    Args:
        encoder: The network.
        layers: Names of the layers.
        size: Of the picture.
        most_px: Pixels that the encoder is shown at once.
        largest_px: See ``VGG.forward``.
    """

    def __init__(
        self,
        encoder: VGG,
        layers: Sequence[str],
        size: Size,
        *,
        most_px: float = WHOLE_PX,
        largest_px: float = 0.0,
    ) -> None:
        self.encoder, self.layers, self.size = encoder, tuple(layers), size
        self.most_px, self.largest_px = most_px, largest_px
        self.tiles = plan_tiles(
            size,
            most_px=most_px,
            margin_px=max((encoder.reach_px(layer) for layer in layers), default=0),
            grid_px=max((encoder.stride(layer) for layer in layers), default=1),
        )

    def __len__(self) -> int:
        return len(self.tiles)

    def run(self, picture: Tensor) -> Iterator[tuple[Tile, Features]]:
        """Yield each tile with its features, which record gradients if the picture does."""
        for tile in self.tiles:
            yield tile, self.show(tile, picture)

    def show(self, tile: Tile, picture: Tensor) -> Features:
        """Return the features of one of the tiles."""
        return self._show(tile.shown.cut(picture))

    def _show(self, part: Tensor) -> Features:
        maps: Features = self.encoder(part, self.layers, largest_px=self.largest_px)
        return maps

    @torch.no_grad()
    def measure(self, picture: Tensor, grams: GuidedGrams) -> list[dict[str, Tensor]]:
        """Return the Gram matrices of the whole picture, without gradients, by region and layer."""
        totals: list[dict[str, Tensor]] = [{} for _ in grams.guides]
        for tile, features in self.run(picture):
            for total, part in zip(totals, grams(tile, features), strict=True):
                for layer, matrix in part.items():
                    total[layer] = total[layer] + matrix if layer in total else matrix
        return totals

    @torch.no_grad()
    def gather(self, picture: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """Return the features of the whole picture, without gradients, by layer."""
        gathered: dict[str, Tensor] = {}
        for tile, features in self.run(picture) if layers else ():
            for layer in layers:
                stride = self.encoder.stride(layer)
                part = tile.core_of(features[layer], stride)
                if len(self) == 1:
                    gathered[layer] = part
                    continue
                if layer not in gathered:
                    height, width = self.size.height // stride, self.size.width // stride
                    gathered[layer] = part.new_empty(1, part.shape[1], height, width)
                tile.positions(stride).cut(gathered[layer]).copy_(part)
        return gathered

    def differentiate(self, picture: Tensor, objective: Callable[[Tile, Features], Tensor]) -> Tensor:
        """Return the gradient in the picture of an objective that is a sum over tiles, one tile at a time."""
        total = torch.zeros_like(picture)
        for tile in self.tiles:
            with torch.enable_grad():
                shown = tile.shown.cut(picture).detach().requires_grad_()
                value = objective(tile, self._show(shown))
                (gradient,) = torch.autograd.grad(value, shown)
            tile.shown.cut(total).add_(gradient)
        return total

    def full_guides(self, picture: Tensor) -> dict[str, Tensor]:
        """Return guides that weigh all positions of each layer alike."""
        sides = {layer: self.encoder.stride(layer) for layer in self.layers}
        return {
            layer: picture.new_ones(1, 1, self.size.height // stride, self.size.width // stride)
            for layer, stride in sides.items()
        }


def fit_in_one_batch(pictures: Sequence[FeatureTiles]) -> bool:
    """Return whether the encoder can process some pictures in one batch, with the layers of all of them."""
    shown_px = sum(tiles.size.pixels for tiles in pictures)
    largest_stride = max((tiles.encoder.stride(layer) for tiles in pictures for layer in tiles.layers), default=1)
    return all(
        len(tiles) == 1 and shown_px <= tiles.most_px and largest_stride <= tiles.size.short_side for tiles in pictures
    )


def encode_batch(pictures: Sequence[FeatureTiles], contents: Sequence[Tensor]) -> Sequence[Features]:
    """Return the features of pictures that ``fit_in_one_batch``, each with the layers of all."""
    first, *_ = pictures
    layers = tuple(dict.fromkeys(layer for tiles in pictures for layer in tiles.layers))
    return first.encoder.forward_many(contents, layers, largest_px=first.largest_px)


def step_work_px(size: Size, encoder: VGG, layers: Sequence[str], *, most_px: float) -> float:
    """Return the pixels that one step processes, about: those of the picture, or more if it is seen in tiles.

    Args:
        size: Size of the picture.
        encoder: The network.
        layers: Names of its layers.
        most_px: Pixels that the encoder is shown at once.
    """
    tiles = FeatureTiles(encoder, layers, size, most_px=most_px)
    shown = sum(tile.shown.size.pixels for tile in tiles.tiles)
    return float(shown) if len(tiles) == 1 else TILED_WORK * shown
