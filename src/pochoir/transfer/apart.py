"""Regions in pictures of their own, so that none of them takes on anything from beyond its silhouette.

The encoder looks far: painted jointly, two regions meet in features that see both, and what makes those more like one
style shows up to a dozen pixels beyond the silhouette, as a halo. Coarse scales settle palette and strokes and are
cheap, so there each region is painted by itself, on a ground that its own colours are carried on into.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from pochoir import compositing
from pochoir.transfer.criterion import Criterion, Losses
from pochoir.transfer.functional import differentiated
from pochoir.transfer.levels import Level
from pochoir.transfer.windows import find_window

BEYOND_PX = 8
"""How far beyond its silhouette a region is painted: a position of the deepest content layer. The encoder is shown no
more than that: what lies further out would be the region's own colours again."""


def take_apart(level: Level) -> tuple[Level, ...]:
    """For each region a level of its own, of the same size.

    Its photo shows the region's colours alone, without those that a soft edge mixes in, and carried on beyond the
    silhouette; its matte reaches a little beyond it, too. A region that fills the picture keeps photo and matte.
    """
    return tuple(
        level
        if len(level.regions) == 1 and bool((region.matte == 1.0).all())
        else replace(
            level,
            photo=compositing.cutout(level.photo, region.matte)[:, :3],
            regions=[replace(region, matte=_reach_beyond(region.matte))],
        )
        for region in level.regions
    )


def put_together(layers: Tensor, level: Level) -> Tensor:
    """The picture that the regions' pictures make by their mattes, on the photo where nothing is painted.

    Args:
        layers: A picture for each of the level's regions, shape (regions, 3, H, W).
        level: Tells the mattes.

    Returns:
        Shape (1, 3, H, W).
    """
    weights = torch.cat([region.matte for region in level.regions])
    return (layers * weights).sum(dim=0, keepdim=True) + level.photo * (1.0 - level.cover).clamp_min(0.0)


class ApartCriterion:
    """The mean of the regions' own objectives, by area: what each pixel counts as in a joint one.

    Args:
        level: The regions, which are weighed by their area.
        parts: The same, taken apart.
        build: Makes a region's objective.
    """

    def __init__(self, level: Level, parts: Sequence[Level], build: Callable[[Level], Criterion]) -> None:
        areas = [float(region.matte.sum()) for region in level.regions]
        self.shares = [area / sum(areas) for area in areas]
        self.windows = [find_window(part.cover, margin_px=0) for part in parts]
        self.criteria = [build(part.within(window)) for part, window in zip(parts, self.windows, strict=True)]

    def __call__(self, layers: Tensor) -> tuple[Tensor, Losses]:
        """The objective at pictures, shape (regions, 3, H, W); see ``Criterion``."""
        if len(self.criteria) == 1:
            return self.criteria[0](self.windows[0].cut(layers))
        slope = torch.zeros_like(layers)
        terms = torch.zeros(len(Losses._fields), dtype=torch.float64)
        for index, share in enumerate(self.shares):
            window = self.windows[index]
            # One after the other, so that there is never more than one region's features in memory.
            with torch.enable_grad():
                layer = window.cut(layers[index : index + 1]).detach().requires_grad_()
                value, losses = self.criteria[index](layer)
                (gradient,) = torch.autograd.grad(share * value, layer)
            window.cut(slope[index : index + 1]).copy_(gradient)
            terms += share * torch.tensor(losses, dtype=torch.float64)
        losses = Losses(*terms.tolist())
        return differentiated(layers, layers.new_tensor(losses.total), slope), losses


def _reach_beyond(matte: Tensor) -> Tensor:
    return F.max_pool2d(matte, 2 * BEYOND_PX + 1, stride=1, padding=BEYOND_PX)
