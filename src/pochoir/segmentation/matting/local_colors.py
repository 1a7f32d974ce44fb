"""Judgement of soft edges by the colours that subject and background have near by."""

from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pochoir._types import Size
from pochoir.errors import ShapeError
from pochoir.segmentation.matting.guided_filter import CHANNEL_PAIRS, dot, enlarge, shrink, solve_3x3
from pochoir.segmentation.matting.trimaps import trimap
from pochoir.segmentation.protocol import check_matte, check_photo

_FIT_LONG_SIDE = 256  # means and covariances are those of windows many times wider than a pixel of this copy
_REACH = 0.025  # standard deviation of that window, as a share of the long side
_PURITY = 4  # a pixel of matte m counts for the subject with weight m**4, so that mixtures hardly count
_NOISE = 1e-3  # variance that every colour has; with less, the coarse chroma blocks of a JPEG file show in hair
_HALF_TRUST = 36.0  # squared distance of the two colours, in standard deviations, at which one round trusts by one half
_LEAST_SEEN = 0.01  # share of the window that must be subject, and background, for full trust
_EDGE_REACH = 0.005  # error of an edge's place: a standard deviation, as a share of the long side
_ROUNDS = 4

Plane = NDArray[np.float64]


class ColorMatch(NamedTuple):
    """Matte judged by colours alone, and its reliability."""

    matte: Tensor
    """Share of the subject's colour in each pixel, shape (1, 1, H, W), in [0, 1]."""
    trust: Tensor
    """Reliability of that share, same shape, in [0, 1]: large where the two colours differ, 0 away from the edge."""


def match_colors(matte: Tensor, photo: Tensor) -> ColorMatch:
    """Judge each pixel by the mean colours and covariances of subject and background around it.

    Near each pixel both sides have a mean colour and a covariance, weighted by the current matte. The colour is
    projected on the direction that separates the two best (Fisher's linear discriminant, with the mean of both
    covariances): 0 at the background's mean and 1 at the subject's. A mixture of the two projects to its share of
    subject, so the result is a matte. The fits are made on a copy of 256 pixels and repeated four times, each time with
    a matte closer to the colours.

    Args:
        matte: Current matte, shape (1, 1, H, W), in [0, 1].
        photo: Shape (1, 3, H, W), RGB in [0, 1].

    Returns:
        The matte that the colours give, and its trust.

    Raises:
        ShapeError: Matte and photo differ in size, or are not one matte and one photo.

    Note:
        Early trust makes grain: where trust is one half, one pixel's noise is halved only. So a round trusts little,
        and the four rounds together trust as four such steps would.

    References:
        Levin et al., "A Closed-Form Solution to Natural Image Matting", 2008, on colour lines; Fisher, "The Use of
        Multiple Measurements in Taxonomic Problems", 1936, for the direction.
    """
    size = check_photo(photo)
    if check_matte(matte) != size:
        raise ShapeError(f"The matte is {check_matte(matte)}, the photo {size}; resize the matte first.")
    fit = size if size.long_side <= _FIT_LONG_SIDE else size.fit_long_side(_FIT_LONG_SIDE)
    channels: list[NDArray[np.float32]] = list(photo[0].detach().float().cpu().numpy())
    small = [shrink(channel, fit) for channel in channels]
    known = shrink(matte[0, 0].detach().float().cpu().numpy(), fit)
    unsure = (trimap(torch.from_numpy(known)[None, None].float())[0, 0] == 0.5).numpy()
    slopes, offset, trust = _fit(small, known)
    for _ in range(_ROUNDS - 1):
        judged = np.clip(dot(slopes, small) + offset, 0.0, 1.0)
        known = np.where(unsure, known + trust * (judged - known), known)
        slopes, offset, trust = _fit(small, known)
    trust = unsure * (1.0 - (1.0 - trust) ** _ROUNDS)
    # One channel at a time: all of them at full size would dominate the memory of a large photo.
    result = enlarge(offset, size)
    for slope, channel in zip(slopes, channels, strict=True):
        full = enlarge(slope, size)
        full *= channel
        result += full
    return ColorMatch(_as_map(result, size, matte), _as_map(enlarge(trust, size), size, matte))


def _fit(colors: list[Plane], matte: Plane) -> tuple[list[Plane], Plane, Plane]:
    """Return slopes and offset of the projection, and one round's trust, each (h, w)."""
    subject, subject_cov, subject_seen = _statistics(colors, matte**_PURITY)
    background, background_cov, background_seen = _statistics(colors, (1.0 - matte) ** _PURITY)
    difference = [a - b for a, b in zip(subject, background, strict=True)]
    covariance = [
        (a + b) / 2.0 + (_NOISE if i == j else 0.0)
        for (i, j), a, b in zip(CHANNEL_PAIRS, subject_cov, background_cov, strict=True)
    ]
    direction = solve_3x3(covariance, difference)
    distance = dot(direction, difference)  # squared, in standard deviations
    slopes = [plane / (distance + 1e-6) for plane in direction]
    trust = distance / (distance + _HALF_TRUST)
    # Far from the edge, the subject's colour is more likely a flower in the background than a piece of subject.
    near = np.asarray(cv2.GaussianBlur(matte, (0, 0), _EDGE_REACH * max(matte.shape)), np.float64)
    trust *= 2.0 * np.sqrt(np.clip(near * (1.0 - near), 0.0, 0.25))
    for seen in (subject_seen, background_seen):
        trust *= np.minimum(seen / _LEAST_SEEN, 1.0)
    return slopes, -dot(slopes, background), trust


def _statistics(colors: list[Plane], weight: Plane) -> tuple[list[Plane], list[Plane], Plane]:
    """Return means, covariances in the order of ``CHANNEL_PAIRS`` and weights of the window around each pixel."""
    sigma = _REACH * max(weight.shape)

    def total(plane: Plane) -> Plane:
        # Weights and weighted colours both end at the picture's frame. Single precision is a third of the time, and
        # its error a thousandth of the noise.
        summed = cv2.GaussianBlur(plane.astype(np.float32), (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
        return np.asarray(summed, np.float64)

    seen = total(weight)
    divisor = seen + 1e-6
    weighted = [weight * color for color in colors]
    means = [total(plane) / divisor for plane in weighted]
    covariance = [total(weighted[i] * colors[j]) / divisor - means[i] * means[j] for i, j in CHANNEL_PAIRS]
    return means, covariance, seen


def _as_map(plane: NDArray[np.float32], size: Size, like: Tensor) -> Tensor:
    return torch.from_numpy(plane).view(1, 1, size.height, size.width).to(like).clamp_(0.0, 1.0)
