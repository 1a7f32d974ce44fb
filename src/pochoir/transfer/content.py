"""The content term of the objective."""

from collections.abc import Mapping

from torch import Tensor

from pochoir.encoders import VGG
from pochoir.transfer.functional import own_square, weighted_squares
from pochoir.transfer.tiling import Tile


class ContentDistance:
    """The content term, of which each tile gives a part.

    Args:
        targets: The photo's features by layer, each (1, C, h, w).
        guides: Weight of each position, each (1, 1, h, w).
        covers: How much of each position is painted, likewise: what the distance is a mean over.
        nothing: The value where no layer is compared: a zero on the pictures' device.
    """

    def __init__(
        self,
        targets: Mapping[str, Tensor],
        guides: Mapping[str, Tensor],
        covers: Mapping[str, Tensor],
        *,
        nothing: Tensor,
    ) -> None:
        self.targets, self.guides, self.nothing = targets, guides, nothing
        self.units = {layer: float(own_square(target, covers[layer])) for layer, target in targets.items()}

    def __call__(self, tile: Tile, features: Mapping[str, Tensor]) -> Tensor:
        """Return the tile's part of the mean over the layers of ``relative_distance``; the parts add up."""
        loss = self.nothing
        for layer, target in self.targets.items():
            stride = VGG.stride(layer)
            positions, part = tile.positions(stride), tile.core_of(features[layer], stride)
            excess = weighted_squares(part, positions.cut(target), positions.cut(self.guides[layer]))
            loss = loss + excess / (self.units[layer] * len(self.targets))
        return loss
