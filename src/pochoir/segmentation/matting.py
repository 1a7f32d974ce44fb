"""What is done to a matte after the subject is found: edges, a trimap, a picture to judge it by."""

import math
from collections.abc import Callable

import cv2
import numpy as np
import torch
from torch import Tensor

from pochoir._types import Size
from pochoir.errors import OptionError, ShapeError, UnknownNameError
from pochoir.segmentation.guided_filter import guided_filter
from pochoir.segmentation.protocol import SUBJECT_THRESHOLD, check_matte, check_photo

_RADIUS = 0.01  # of the long side
_EPS = 1e-4
_SUBSAMPLING = 4
_FIT_LONG_SIDE = 2000  # fits on more pixels than this make a large photo's memory grow, not its edges sharper
_STRETCH_FROM, _STRETCH_TO = 0.1, 0.9

_TINT = (0.10, 0.13, 0.35)
_TINT_OPACITY = 0.65
_LINE = (1.0, 0.85, 0.1)


def refine_matte(matte: Tensor, photo: Tensor, *, method: str = "fast") -> Tensor:
    """Make a matte's edges follow the photo.

    Args:
        matte: Shape (1, 1, H, W), in [0, 1].
        photo: The photo it belongs to, shape (1, 3, H, W), RGB in [0, 1].
        method: ``"none"`` gives the matte itself; ``"fast"`` is a colour guided filter with a window radius of
            1 % of the long side, fitted at a quarter of the size, whose result is spread so that 0.1 becomes 0 and
            0.9 becomes 1: the filter alone leaves a faint fog around the subject.

    Returns:
        The refined matte, shape (1, 1, H, W), in [0, 1].

    Raises:
        ShapeError: Matte and photo differ in size, or are not one matte and one photo.
        UnknownNameError: There is no such method.
    """
    if method not in REFINE_METHODS:
        raise UnknownNameError("refinement", method, REFINE_METHODS)
    if check_matte(matte) != check_photo(photo):
        raise ShapeError(f"The matte is {check_matte(matte)}, the photo {check_photo(photo)}; resize the matte first.")
    return REFINE_METHODS[method](matte, photo)


def trimap(matte: Tensor, *, sure_background: float = 0.05, sure_subject: float = 0.95, margin: float = 0.01) -> Tensor:
    """Divide a matte into surely subject (1), surely background (0) and unsure (0.5).

    Args:
        matte: Shape (1, 1, H, W), in [0, 1].
        sure_background: Pixels up to this value are background.
        sure_subject: Pixels from this value on are subject.
        margin: How far the sure regions are drawn back from each other, as a share of the long side. The photo's
            frame does not count as an edge: a subject that the frame cuts off stays sure up to it.

    Returns:
        Shape (1, 1, H, W), float32; every value is 0, 0.5 or 1.

    Raises:
        OptionError: The two limits are not in order within [0, 1], or the margin is not in [0, 0.5].
        ShapeError: It is not one matte.
    """
    size = check_matte(matte)
    if not 0.0 <= sure_background < sure_subject <= 1.0:
        raise OptionError(
            f"A trimap needs 0 <= sure background < sure subject <= 1; got {sure_background:g} and {sure_subject:g}."
        )
    if not 0.0 <= margin <= 0.5:
        raise OptionError(f"A trimap's margin is a share of the long side between 0 and 0.5; got {margin:g}.")
    margin_px = margin * size.long_side
    subject = _draw_back(matte >= sure_subject, margin_px)
    background = _draw_back(matte <= sure_background, margin_px)
    return torch.full_like(matte, 0.5, dtype=torch.float32).masked_fill_(background, 0.0).masked_fill_(subject, 1.0)


def overlay(photo: Tensor, matte: Tensor) -> Tensor:
    """A picture to judge a matte by: the subject clear, the background tinted dark, a line where they meet.

    Args:
        photo: Shape (1, 3, H, W), RGB in [0, 1].
        matte: Shape (1, 1, H, W), in [0, 1].

    Returns:
        Shape (1, 3, H, W), RGB in [0, 1].

    Raises:
        ShapeError: Matte and photo differ in size, or are not one matte and one photo.
    """
    size = check_photo(photo)
    if check_matte(matte) != size:
        raise ShapeError(f"The matte is {check_matte(matte)}, the photo {size}; resize the matte first.")
    tint, line = (photo.new_tensor(colour).view(1, 3, 1, 1) for colour in (_TINT, _LINE))  # (1, 3, 1, 1)
    shown = torch.lerp(photo, tint, _TINT_OPACITY * (1.0 - matte))
    return torch.lerp(shown, line, _contour(matte, size)).clamp_(0.0, 1.0)


def _refine_none(matte: Tensor, photo: Tensor) -> Tensor:
    return matte


def _refine_fast(matte: Tensor, photo: Tensor) -> Tensor:
    long_side = check_photo(photo).long_side
    radius = max(1, round(_RADIUS * long_side))
    # Small pictures have windows of a few pixels, of which a quarter would leave nothing.
    subsampling = max(min(_SUBSAMPLING, radius), math.ceil(long_side / _FIT_LONG_SIDE))
    smooth = guided_filter(matte, photo, radius_px=radius, eps=_EPS, subsampling=subsampling)
    return smooth.sub_(_STRETCH_FROM).div_(_STRETCH_TO - _STRETCH_FROM).clamp_(0.0, 1.0)


REFINE_METHODS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"none": _refine_none, "fast": _refine_fast}
"""Ways to refine a matte by name; each takes the matte and the photo."""


def _draw_back(region: Tensor, margin_px: float) -> Tensor:
    # The distance to the region's edge takes the same time for any margin; eroding with a disc does not.
    distance = cv2.distanceTransform(region[0, 0].cpu().numpy().astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return torch.from_numpy(distance > margin_px).to(region.device)[None, None]


def _contour(matte: Tensor, size: Size) -> Tensor:
    inside = (matte[0, 0] > SUBJECT_THRESHOLD).cpu().numpy().astype(np.uint8)
    outlines, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    canvas = np.zeros((size.height, size.width), np.uint8)
    cv2.drawContours(canvas, outlines, -1, 255, thickness=max(1, round(size.long_side / 500)), lineType=cv2.LINE_AA)
    return (torch.from_numpy(canvas).to(matte) / 255.0)[None, None]
