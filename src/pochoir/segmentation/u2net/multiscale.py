"""U2-Net on several versions of a photo, and the map that these agree on.

The mirrored photo shows whether the network's answer depends on chance. If the two maps differ, other input sizes
decide: at one size the network misses a jacket, at another the twigs of a tree.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pochoir import imaging
from pochoir._types import Size
from pochoir.segmentation.confidence import overlap
from pochoir.segmentation.u2net.network import SaliencyMaps
from pochoir.segmentation.u2net.preprocessing import normalize, shrink_smoothly, stretch

SHAPED_PX = 320
"""Long side of the first input and of its mirror image, which have the photo's proportions."""

SQUARE_SIZE = Size(256, 256)
"""Size of the third input, a square."""

FINE_PX = 448
"""Long side of the finest input, which has the photo's proportions."""

AGREED_FROM = 0.9
"""Overlap with the mirror image's map from which the first map is taken; below it the other sizes vote."""

_GRID_PX = 32  # sides are multiples of what the network's stages halve them by
_MERGE_LONG_SIDE = 896
_BLUR = 0.02  # standard deviation of what counts as the same place, as a share of the long side
_SAME, _DIFFERENT = 0.1, 0.2  # difference of blurred maps: up to the first, details are taken; from the second, not

Predict = Callable[[Tensor], SaliencyMaps]
"""Network from a normalised batch (B, 3, h, w) to its maps."""


@dataclass(frozen=True, eq=False)
class MultiscaleMaps:
    """Maps of one photo from inputs of several sizes.

    Attributes:
        first: Maps of the first input.
        merged: Map that the inputs agree on, shape (1, 1, h, w) in [0, 1], in the photo's proportions.
        agreement: Overlap of the first map with that of the mirrored photo, in [0, 1].
        difference: Absolute difference of these two maps, shape (1, 1, h, w).
    """

    first: SaliencyMaps
    merged: Tensor
    agreement: float
    difference: Tensor


def predict_multiscale(photo: Tensor, predict: Predict, *, with_detail: bool = False) -> MultiscaleMaps:
    """Find the subject in a photo and in its mirror image, and at two more input sizes where these disagree.

    The map of the first input counts if the mirror image's map agrees. Otherwise the median of three sizes does: it
    keeps what two of them found.

    Args:
        photo: Shape (1, 3, H, W), RGB in [0, 1].
        predict: Runs the network.
        with_detail: Always run the finest input, and take its details where it finds the same subject.

    Returns:
        The maps, the merged one stretched to [0, 1].

    Note:
        Agreement with the mirror image ranks mattes by their IoU far better than agreement between input sizes, which
        differ at every edge. ``docs/cutouts.md`` has the figures, and the other combinations that were compared.
    """
    size = Size(*photo.shape[-2:])
    small = normalize(shrink_smoothly(photo, _shape(size, SHAPED_PX)))
    both = predict(torch.cat((small, small.flip(-1))))
    first = SaliencyMaps(both.fused[:1], tuple(side[:1] for side in both.sides))
    shaped, mirrored = stretch(both.fused).chunk(2)
    mirrored = mirrored.flip(-1)
    agreement, difference = overlap(shaped, mirrored), (shaped - mirrored).abs()
    agreed = agreement >= AGREED_FROM
    if agreed and not with_detail:
        return MultiscaleMaps(first, shaped, agreement, difference)
    work = size.fit_long_side(_MERGE_LONG_SIDE)

    def look(at: Size) -> Tensor:
        found = stretch(predict(normalize(shrink_smoothly(photo, at))).fused)
        return imaging.resize(found, work, mode="bilinear")

    merged, fine = imaging.resize(shaped, work, mode="bilinear"), look(_shape(size, FINE_PX))
    if not agreed:
        merged = torch.cat((merged, look(SQUARE_SIZE), fine)).median(dim=0, keepdim=True).values
    if with_detail:
        merged = add_detail(merged, fine)
    return MultiscaleMaps(first, merged, agreement, difference)


def add_detail(base: Tensor, fine: Tensor) -> Tensor:
    """Take a finer map's values where both maps, blurred, say the same.

    Args:
        base: Reliable map, shape (1, 1, h, w), in [0, 1].
        fine: Map with more detail, same shape.

    Returns:
        The same shape: the finer map up to a blurred difference of 0.1, the base from 0.2 on, a blend between.
    """
    planes = [item[0, 0].detach().float().cpu().numpy() for item in (base, fine)]
    sigma = _BLUR * max(planes[0].shape)
    blurred = [np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma), np.float32) for plane in planes]
    share: NDArray[np.float32] = np.clip((_DIFFERENT - np.abs(blurred[0] - blurred[1])) / (_DIFFERENT - _SAME), 0, 1)
    return base + torch.from_numpy(share)[None, None].to(base) * (fine - base)


def _shape(size: Size, long_side: int) -> Size:
    """Return the photo's proportions at a long side, in whole steps of the network's grid."""
    factor = long_side / size.long_side / _GRID_PX
    return Size(*(_GRID_PX * max(1, round(side * factor)) for side in size))
