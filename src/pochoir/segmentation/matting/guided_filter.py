"""Guided filter: smooths a map so that its edges are those of a colour picture."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pochoir._types import Size
from pochoir.errors import ShapeError

Plane = NDArray[np.float64]
"""One channel of the copy that fits are made on, shape (H, W)."""


def guided_filter(target: Tensor, guide: Tensor, *, radius_px: int, eps: float, subsampling: float = 1.0) -> Tensor:
    """Fit the target by a linear function of the guide's colours in every window, and average the fits.

    In each window the target is approximated by ``a . colour + b`` with ``eps * |a|^2`` held against steep fits;
    a pixel gets the mean over all windows that contain it. Windows are clipped at the picture's border.

    Args:
        target: Map to filter, shape (1, 1, H, W).
        guide: Picture whose edges the map should follow, shape (1, 3, H, W), RGB in [0, 1].
        radius_px: A window is ``2 * radius_px + 1`` pixels wide.
        eps: Strength of smoothing; windows whose colour variance is far below it are merely averaged.
        subsampling: Fit on a copy this many times smaller and apply the fits to the full picture (the fast
            variant); 1 is the exact filter.

    Returns:
        The filtered map, shape (1, 1, H, W), on the target's device. It may leave the target's range a little.

    Raises:
        ShapeError: The two sizes differ, or are not those of one map and one colour picture.

    Note:
        Not differentiable: it runs in OpenCV on the CPU. The copy is made by averaging areas, where the paper
        leaves the choice open. Fits are solved in float64, since in a window of one colour the covariance is
        almost singular.

    References:
        He et al., "Guided Image Filtering", TPAMI 2013, section 3.3 for colour guides; He and Sun, "Fast Guided
        Filter", arXiv:1505.00996.
    """
    if target.shape[:2] != (1, 1) or guide.shape[:2] != (1, 3) or target.shape[2:] != guide.shape[2:]:
        raise ShapeError(
            "The guided filter takes a map (1, 1, H, W) and a picture (1, 3, H, W) of the same size; "
            f"got {tuple(target.shape)} and {tuple(guide.shape)}."
        )
    colours: list[NDArray[np.float32]] = list(guide[0].detach().float().cpu().numpy())
    size = Size(*colours[0].shape)
    small = size.scaled(1 / subsampling)
    slopes, offset = _fit(
        shrink(target[0, 0].detach().float().cpu().numpy(), small),
        [shrink(colour, small) for colour in colours],
        radius=max(1, round(radius_px / subsampling)),
        eps=eps,
    )
    # One channel at a time: all four at full size would dominate the memory of a large photo.
    result = enlarge(offset, size)
    for slope, colour in zip(slopes, colours, strict=True):
        full = enlarge(slope, size)
        full *= colour
        result += full
    return torch.from_numpy(result).view(1, 1, *size).to(target)


def _fit(target: Plane, colours: list[Plane], *, radius: int, eps: float) -> tuple[list[Plane], Plane]:
    window = (2 * radius + 1, 2 * radius + 1)

    def total(plane: Plane) -> Plane:
        summed = cv2.boxFilter(plane, cv2.CV_64F, window, normalize=False, borderType=cv2.BORDER_CONSTANT)
        return np.asarray(summed, np.float64)

    counts = total(np.ones_like(target))

    def mean(plane: Plane) -> Plane:
        return total(plane) / counts

    means, target_mean = [mean(colour) for colour in colours], mean(target)
    covariance = [
        mean(colours[i] * colours[j]) - means[i] * means[j] + (eps if i == j else 0.0) for i, j in CHANNEL_PAIRS
    ]
    wanted = [mean(colour * target) - average * target_mean for colour, average in zip(colours, means, strict=True)]
    slopes = solve_3x3(covariance, wanted)
    return [mean(slope) for slope in slopes], mean(target_mean - dot(slopes, means))


CHANNEL_PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
"""Order of a covariance's six planes."""


def solve_3x3(covariance: list[Plane], wanted: list[Plane]) -> list[Plane]:
    """Solve a symmetric 3x3 system in every pixel, the matrix given in the order of ``CHANNEL_PAIRS``.

    By cofactors, since a library call for each pixel's system takes several times as long.
    """
    a, b, c, d, e, f = covariance
    first = [d * f - e * e, c * e - b * f, b * e - c * d]  # rows of the adjugate, which is symmetric, too
    middle, last, mixed = a * f - c * c, a * d - b * b, b * c - a * e
    inverse_determinant = 1.0 / dot([a, b, c], first)
    rows = (first, [first[1], middle, mixed], [first[2], mixed, last])
    return [dot(row, wanted) * inverse_determinant for row in rows]


def dot(first: list[Plane], second: list[Plane]) -> Plane:
    """Return the sum of the products of two lists of planes."""
    result = first[0] * second[0]
    for a, b in zip(first[1:], second[1:], strict=True):
        result += a * b
    return result


def shrink(plane: NDArray[np.float32], size: Size) -> Plane:
    """Resize a channel (H, W) to a smaller size, by averaging areas."""
    return cv2.resize(plane, (size.width, size.height), interpolation=cv2.INTER_AREA).astype(np.float64)


def enlarge(plane: Plane, size: Size) -> NDArray[np.float32]:
    """Resize a channel (H, W) to a larger size, bilinear."""
    shape = (size.width, size.height)
    return np.asarray(cv2.resize(plane.astype(np.float32), shape, interpolation=cv2.INTER_LINEAR), np.float32)
