"""Regions painted in separate pictures, so that no region takes colours from beyond its silhouette.

The encoder's receptive fields are wide. In a joint picture, features near the silhouette see both regions, and each
style leaves a halo of up to a dozen pixels in the other region. Coarse scales decide palette and strokes and are cheap,
so there each region is painted separately, on a ground that continues its own colours.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from pochoir import compositing
from pochoir.transfer.criterion import Criterion, Terms
from pochoir.transfer.features import encode_batch, fit_in_one_batch
from pochoir.transfer.functional import differentiated
from pochoir.transfer.pyramid import Level
from pochoir.transfer.tiling import find_window

DILATION_PX = 8
"""Margin beyond the silhouette that is painted with a region: one position of the deepest content layer. Farther out,
the picture repeats the region's own colours."""


def split_regions(level: Level) -> tuple[Level, ...]:
    """Return a level of its own for each region, of the same size.

    Its photo shows the region's colours alone, without those that a soft edge mixes in. They continue beyond the
    silhouette, and so does the matte, a little. A region that fills the picture keeps photo and matte.
    """
    return tuple(
        level
        if len(level.regions) == 1 and bool((region.matte == 1.0).all())
        else replace(
            level,
            photo=compositing.cutout(level.photo, region.matte)[:, :3],
            regions=[replace(region, matte=_dilate(region.matte))],
            # Beyond the silhouette an anchor shows another region.
            anchors=tuple(anchor.within(region.matte) for anchor in level.anchors),
        )
        for region in level.regions
    )


def merge_regions(layers: Tensor, level: Level) -> Tensor:
    """Join the regions' pictures by their mattes, on the photo where nothing is painted.

    Args:
        layers: A picture for each of the level's regions, shape (regions, 3, H, W).
        level: Mattes and ground.

    Returns:
        Shape (1, 3, H, W).
    """
    weights = torch.cat([region.matte for region in level.regions])
    return (layers * weights).sum(dim=0, keepdim=True) + level.photo * (1.0 - level.cover).clamp_min(0.0)


class RegionsCriterion:
    """Mean of the regions' own objectives by area, so that each pixel counts as in a joint one.

    Args:
        level: The regions, which are weighed by their area.
        parts: Their levels, from ``split_regions``.
        build: Builds a region's objective.
    """

    def __init__(self, level: Level, parts: Sequence[Level], build: Callable[[Level], Criterion]) -> None:
        areas = [float(region.matte.sum()) for region in level.regions]
        self.shares = [area / sum(areas) for area in areas]
        self.windows = [find_window(part.cover, margin_px=0) for part in parts]
        self.criteria = [build(part.within(window)) for part, window in zip(parts, self.windows, strict=True)]
        self.tiles = [criterion.tiles for criterion in self.criteria]
        self.is_batched = fit_in_one_batch(self.tiles)

    def __call__(self, layers: Tensor) -> Terms:
        """Return the objective at pictures, shape (regions, 3, H, W); see ``Criterion``."""
        if self.is_batched:
            pictures = self._crop_windows(layers)
            shown = zip(self.criteria, pictures, encode_batch(self.tiles, pictures), strict=True)
            return self._mean([criterion(picture, features) for criterion, picture, features in shown])
        slope = torch.zeros_like(layers)
        parts = []
        for index, share in enumerate(self.shares):
            # One after the other, so that there is never more than one region's features in memory.
            with torch.enable_grad():
                picture = self._crop_windows(layers.detach())[index].requires_grad_()
                terms = self.criteria[index](picture)
                (gradient,) = torch.autograd.grad(share * terms.total, picture)
            self.windows[index].cut(slope[index : index + 1]).copy_(gradient)
            parts.append(Terms(*(term.detach() for term in terms)))
        mean = self._mean(parts)
        return mean._replace(total=differentiated(layers, mean.total, slope))

    def _crop_windows(self, layers: Tensor) -> list[Tensor]:
        """Return the window of each region's picture that its objective sees."""
        return [window.cut(layers[index : index + 1]) for index, window in enumerate(self.windows)]

    def _mean(self, parts: Sequence[Terms]) -> Terms:
        def mean(terms: Sequence[Tensor]) -> Tensor:
            return torch.stack([share * term for share, term in zip(self.shares, terms, strict=True)]).sum()

        return Terms(*map(mean, zip(*parts, strict=True)))


def _dilate(matte: Tensor) -> Tensor:
    side = 2 * DILATION_PX + 1
    rows = F.max_pool2d(
        matte, (side, 1), stride=1, padding=(DILATION_PX, 0)
    )  # one direction after the other: 8 x faster
    return F.max_pool2d(rows, (1, side), stride=1, padding=(0, DILATION_PX))
