"""The guided filter: a map smoothed so that its edges are those of a colour picture."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pochoir._types import Size
from pochoir.errors import ShapeError

Plane = NDArray[np.float64]
"""One channel of the copy that is fitted on, shape (H, W)."""


def guided_filter(target: Tensor, guide: Tensor, *, radius_px: int, eps: float, subsampling: float = 1.0) -> Tensor:
    """Fit the target by a linear function of the guide's colours in every window, and average the fits.

    In each window the target is approximated by ``a . colour + b`` with ``eps * |a|^2`` held against steep fits;
    a pixel gets the mean over all windows that contain it. Windows are clipped at the picture's border.

    Args:
        target: Map to filter, shape (1, 1, H, W).
        guide: Picture whose edges count, shape (1, 3, H, W), RGB in [0, 1].
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
    # One channel after the other: all four at full size would be what takes the most memory in a large photo.
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
    columns = np.empty((3, *target.shape, 3))  # columns of the covariance, each (H, W, 3)
    for i in range(3):
        for j in range(i, 3):
            covariance = mean(colours[i] * colours[j]) - means[i] * means[j] + (eps if i == j else 0.0)
            columns[i, ..., j] = columns[j, ..., i] = covariance
    wanted = [mean(colour * target) - average * target_mean for colour, average in zip(colours, means, strict=True)]
    slopes = solve_3x3(columns, wanted)
    offset = target_mean - np.einsum("hwc,chw->hw", slopes, np.stack(means))
    return [mean(np.ascontiguousarray(slopes[..., c])) for c in range(3)], mean(offset)


def solve_3x3(columns: NDArray[np.float64], wanted: list[Plane]) -> NDArray[np.float64]:
    """Solve a 3x3 system in every pixel: ``columns[i]`` (H, W, 3) is column i, ``wanted[i]`` (H, W) the right side.

    By Cramer's rule, since a library call for each pixel's system takes several times as long. Shape (H, W, 3).
    """
    first, second, third = columns
    cofactors = (np.cross(second, third), np.cross(third, first), np.cross(first, second))  # each (H, W, 3)
    determinant = np.einsum("hwc,hwc->hw", first, cofactors[0])
    summed = sum(cofactor * value[..., None] for cofactor, value in zip(cofactors, wanted, strict=True))
    return np.asarray(summed / determinant[..., None])


def shrink(plane: NDArray[np.float32], size: Size) -> Plane:
    """A channel (H, W) at a smaller size, by averaging areas."""
    return cv2.resize(plane, (size.width, size.height), interpolation=cv2.INTER_AREA).astype(np.float64)


def enlarge(plane: Plane, size: Size) -> NDArray[np.float32]:
    """A channel (H, W) at a larger size, bilinear."""
    shape = (size.width, size.height)
    return np.asarray(cv2.resize(plane.astype(np.float32), shape, interpolation=cv2.INTER_LINEAR), np.float32)
