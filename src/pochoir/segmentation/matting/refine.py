"""Refinement of a matte's edges, and a picture to judge a matte by."""

import math
from collections.abc import Callable

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pochoir import imaging
from pochoir._types import Size
from pochoir.errors import ShapeError, UnknownNameError
from pochoir.segmentation.matting.guided_filter import guided_filter
from pochoir.segmentation.matting.insides import fill_insides
from pochoir.segmentation.matting.local_colors import match_colors
from pochoir.segmentation.matting.trimaps import trimap
from pochoir.segmentation.protocol import SUBJECT_THRESHOLD, check_matte, check_photo

_RADIUS = 0.004  # of the long side
_EPS = 1e-3
_SUBSAMPLING = 2
_FIT_LONG_SIDE = 1000  # on more pixels, a large photo's memory grows and its edges do not get sharper
_FOG = 0.05  # what the network leaves around a subject, and takes from its inside

_SURE_BACKGROUND, _SURE_SUBJECT, _MARGIN = 0.04, 0.94, 0.003
_CHANGED = 0.3  # where the colours change the matte by more than this, neither is sure
_LEAST_WEIGHT, _TRUSTED_WEIGHT = 0.01, 0.05  # of the judged colours against the matting Laplacian
_MOST_UNSURE = 120_000  # pixels to solve for; with more, the photo is solved at a smaller size
_SURVEY_LONG_SIDE = 256
_CARRY_RADIUS = 2  # pixels of the size that was solved at
_CARRY_EPS = 1e-6

_TINT = (0.10, 0.13, 0.35)
_TINT_OPACITY = 0.65
_LINE = (1.0, 0.85, 0.1)


def refine_matte(matte: Tensor, photo: Tensor, *, method: str = "fast") -> Tensor:
    """Make a matte's edges follow the photo.

    ``"none"`` returns the matte itself. ``"fast"`` judges the soft edge by the colours near by (``match_colors``) and
    smooths the result with a small guided filter. ``"best"`` solves for the unsure band by closed-form matting that is
    drawn to the judged colours. Both raise the contrast by 5 %, which clears the network's fog, and fill what is unsure
    deep inside the subject.

    Args:
        matte: Shape (1, 1, H, W), in [0, 1].
        photo: The photo it belongs to, shape (1, 3, H, W), RGB in [0, 1].
        method: ``"none"``, ``"fast"`` or ``"best"``.

    Returns:
        The refined matte, shape (1, 1, H, W), in [0, 1].

    Raises:
        ShapeError: Matte and photo differ in size, or are not one matte and one photo.
        UnknownNameError: There is no such method.

    Note:
        ``docs/cutouts.md`` shows what each stage is worth on real photographs, by leaving it out. Not worth their time
        were a guided filter before the colours, one more contrast step, and fog clearing by the sharpness of edges.
    """
    if method not in REFINE_METHODS:
        raise UnknownNameError("refinement", method, REFINE_METHODS)
    if check_matte(matte) != check_photo(photo):
        raise ShapeError(f"The matte is {check_matte(matte)}, the photo {check_photo(photo)}; resize the matte first.")
    return REFINE_METHODS[method](matte, photo)


def overlay(photo: Tensor, matte: Tensor) -> Tensor:
    """Draw a picture to judge a matte by: the subject clear, the background tinted dark, a line where they meet.

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
    tint, line = (photo.new_tensor(color).view(1, 3, 1, 1) for color in (_TINT, _LINE))  # (1, 3, 1, 1)
    shown = torch.lerp(photo, tint, _TINT_OPACITY * (1.0 - matte))
    return torch.lerp(shown, line, _contour(matte, size)).clamp_(0.0, 1.0)


def _refine_none(matte: Tensor, photo: Tensor) -> Tensor:
    return matte


def _refine_fast(matte: Tensor, photo: Tensor) -> Tensor:
    judged = match_colors(matte, photo)
    followed = torch.lerp(matte, judged.matte, judged.trust)
    long_side = check_photo(photo).long_side
    radius = max(1, round(_RADIUS * long_side))
    # Small pictures have windows of one or two pixels, of which subsampling would leave nothing.
    subsampling = max(min(_SUBSAMPLING, radius), long_side / _FIT_LONG_SIDE)
    return fill_insides(_clear_fog(guided_filter(followed, photo, radius_px=radius, eps=_EPS, subsampling=subsampling)))


def _refine_best(matte: Tensor, photo: Tensor) -> Tensor:
    size = check_photo(photo)
    work = _work_size(matte, size)
    solved = fill_insides(_solve_band(imaging.resize(matte, work, mode="bilinear"), imaging.resize(photo, work)))
    if work == size:
        return solved
    # The solution is nearly linear in the colours, so its slopes and not its values are carried to the full size.
    factor = size.long_side / work.long_side
    radius = max(1, round(_CARRY_RADIUS * factor))
    enlarged = imaging.resize(solved, size, mode="bilinear")
    return guided_filter(enlarged, photo, radius_px=radius, eps=_CARRY_EPS, subsampling=factor).clamp_(0.0, 1.0)


def _solve_band(matte: Tensor, photo: Tensor) -> Tensor:
    from pochoir.segmentation.matting.closed_form import solve_matte  # brings SciPy, a quarter of a second to load

    judged = match_colors(matte, photo)
    prior = _clear_fog(torch.lerp(matte, judged.matte, judged.trust))
    matte = _clear_fog(matte.clone())
    changed = torch.nn.functional.max_pool2d(((prior - matte).abs() > _CHANGED).to(matte), 3, stride=1, padding=1) > 0
    known = trimap(
        matte.masked_fill(changed, 0.5), sure_background=_SURE_BACKGROUND, sure_subject=_SURE_SUBJECT, margin=_MARGIN
    )
    solved = solve_matte(
        photo[0].detach().permute(1, 2, 0).double().cpu().numpy(),  # (H, W, 3)
        _to_plane(known),
        _to_plane(prior),
        prior=_to_plane(prior),
        weight=_to_plane(_LEAST_WEIGHT + _TRUSTED_WEIGHT * judged.trust.square()),
    )
    return torch.from_numpy(solved)[None, None].to(matte)


def _clear_fog(matte: Tensor) -> Tensor:
    """Raise a matte's contrast, in place: 5 % becomes 0 and 95 % becomes 1."""
    return matte.sub_(_FOG).div_(1.0 - 2.0 * _FOG).clamp_(0.0, 1.0)


def _work_size(matte: Tensor, size: Size) -> Size:
    """Return the size at which the unsure band has about ``_MOST_UNSURE`` pixels, or the size itself."""
    small = size if size.long_side <= _SURVEY_LONG_SIDE else size.fit_long_side(_SURVEY_LONG_SIDE)
    known = trimap(
        imaging.resize(matte, small), sure_background=_SURE_BACKGROUND, sure_subject=_SURE_SUBJECT, margin=_MARGIN
    )
    share = float((known == 0.5).float().mean())
    factor = math.sqrt(_MOST_UNSURE / max(share * size.pixels, 1.0))
    return size if factor >= 1.0 else size.scaled(factor)


def _to_plane(x: Tensor) -> NDArray[np.float64]:  # (1, 1, H, W) -> (H, W)
    return np.asarray(x[0, 0].detach().double().cpu().numpy())


REFINE_METHODS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "none": _refine_none,
    "fast": _refine_fast,
    "best": _refine_best,
}
"""Ways to refine a matte by name; each takes the matte and the photo."""


def _contour(matte: Tensor, size: Size) -> Tensor:
    inside = (matte[0, 0] > SUBJECT_THRESHOLD).cpu().numpy().astype(np.uint8)
    outlines, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    canvas = np.zeros((size.height, size.width), np.uint8)
    cv2.drawContours(canvas, outlines, -1, 255, thickness=max(1, round(size.long_side / 500)), lineType=cv2.LINE_AA)
    return (torch.from_numpy(canvas).to(matte) / 255.0)[None, None]
