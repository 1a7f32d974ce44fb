"""What is done to a matte after the subject is found: edges, a trimap, a picture to judge it by."""

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
from pochoir.segmentation.matting.guided_filter import enlarge, guided_filter, shrink
from pochoir.segmentation.matting.local_colors import match_colours
from pochoir.segmentation.matting.trimaps import trimap
from pochoir.segmentation.protocol import SUBJECT_THRESHOLD, check_matte, check_photo

_RADIUS = 0.01  # of the long side
_EPS = 1e-4
_SUBSAMPLING = 4
_FIT_LONG_SIDE = 1000  # fits on more pixels than this make a large photo's memory grow, not its edges sharper
_STRETCH = 0.1  # the filter alone leaves a faint fog around the subject
_FOG, _LEAST_FOG = 0.1, 0.02  # and so do the later steps; the least is near blurred edges, whose faint rim is no fog
_FOG_LONG_SIDE = 800  # how sharp an edge is, is judged at this size
_FOG_REACH = 0.01  # by the steepest place near by, as a share of the long side
_FLAT, _BLURRED, _SHARP = 0.02, 0.15, 0.3  # rise of the matte from one pixel to the next

_PRIOR_WEIGHT = 0.03  # of the judged colours against the matting Laplacian
_MOST_UNSURE = 120_000  # pixels to solve for; at 800 px 50 thousand lose .004 of boundary IoU, 20 thousand .014
_SURVEY_LONG_SIDE = 256
_CARRY_RADIUS = 2  # pixels of the size that was solved at
_CARRY_EPS = 1e-6

_TINT = (0.10, 0.13, 0.35)
_TINT_OPACITY = 0.65
_LINE = (1.0, 0.85, 0.1)


def refine_matte(matte: Tensor, photo: Tensor, *, method: str = "fast") -> Tensor:
    """Make a matte's edges follow the photo.

    Args:
        matte: Shape (1, 1, H, W), in [0, 1].
        photo: The photo it belongs to, shape (1, 3, H, W), RGB in [0, 1].
        method: ``"none"`` gives the matte itself. ``"fast"`` is a colour guided filter with a window radius of 1 % of
            the long side, then each pixel of the unsure band judged by the colours near by (``match_colours``), as far
            as these can be trusted. ``"best"`` solves for the band by closed-form matting that is drawn to the same
            judgement. Against fog, contrast is raised so that 0.1 becomes 0 and 0.9 becomes 1; at the end hardly
            near blurred edges, since the faint rim of a subject out of focus is no fog.

    Returns:
        The refined matte, shape (1, 1, H, W), in [0, 1].

    Raises:
        ShapeError: Matte and photo differ in size, or are not one matte and one photo.
        UnknownNameError: There is no such method.

    Note:
        Seven drawn scenes with known alpha, 800 px, from U2-Net's mattes, when fog was still removed everywhere (mean
        boundary IoU, summed error / 1000): none .58, 17.3; guided filter alone .64, 14.0; fast .75, 10.5; best .77,
        9.9; rembg -a .67, 13.3; plain closed-form matting on the guided matte's trimap .69, 13.2. Averaging U2-Net's
        answers to the photo and its mirror image helps some scenes and hurts others more, so one answer is used.
    """
    if method not in REFINE_METHODS:
        raise UnknownNameError("refinement", method, REFINE_METHODS)
    if check_matte(matte) != check_photo(photo):
        raise ShapeError(f"The matte is {check_matte(matte)}, the photo {check_photo(photo)}; resize the matte first.")
    return REFINE_METHODS[method](matte, photo)


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
    followed = _follow_edges(matte, photo)
    judged = match_colours(followed, photo)
    return _clear_fog(followed.lerp_(judged.matte, judged.trust))


def _refine_best(matte: Tensor, photo: Tensor) -> Tensor:
    size = check_photo(photo)
    followed = _follow_edges(matte, photo)
    work = _work_size(followed, size)
    solved = _solve_band(imaging.resize(followed, work, mode="bilinear"), imaging.resize(photo, work))
    if work != size:
        # The solution is nearly linear in the colours, so its slopes and not its values are carried to the full size.
        factor = size.long_side / work.long_side
        radius = max(1, round(_CARRY_RADIUS * factor))
        enlarged = imaging.resize(solved, size, mode="bilinear")
        solved = guided_filter(enlarged, photo, radius_px=radius, eps=_CARRY_EPS, subsampling=factor)
    return _clear_fog(solved)


def _solve_band(matte: Tensor, photo: Tensor) -> Tensor:
    from pochoir.segmentation.matting.closed_form import solve_matte  # brings SciPy, a quarter of a second to load

    judged = match_colours(matte, photo)
    solved = solve_matte(
        photo[0].detach().permute(1, 2, 0).double().cpu().numpy(),  # (H, W, 3)
        _to_plane(trimap(matte)),
        _to_plane(matte.lerp(judged.matte, judged.trust)),
        prior=_to_plane(judged.matte),
        weight=_to_plane(judged.trust * _PRIOR_WEIGHT),
    )
    return torch.from_numpy(solved)[None, None].to(matte)


def _follow_edges(matte: Tensor, photo: Tensor) -> Tensor:
    long_side = check_photo(photo).long_side
    radius = max(1, round(_RADIUS * long_side))
    # Small pictures have windows of a few pixels, of which a quarter would leave nothing.
    subsampling = max(min(_SUBSAMPLING, radius), math.ceil(long_side / _FIT_LONG_SIDE))
    return _spread(guided_filter(matte, photo, radius_px=radius, eps=_EPS, subsampling=subsampling), _STRETCH)


def _clear_fog(matte: Tensor) -> Tensor:
    size = check_matte(matte)
    small = size if size.long_side <= _FOG_LONG_SIDE else size.fit_long_side(_FOG_LONG_SIDE)
    plane = shrink(matte[0, 0].detach().float().cpu().numpy(), small).astype(np.float32)
    across, down = (cv2.Sobel(plane, cv2.CV_32F, *axes, ksize=3, scale=1 / 8) for axes in ((1, 0), (0, 1)))
    width = 2 * max(1, round(_FOG_REACH * small.long_side)) + 1
    steepest = cv2.blur(cv2.dilate(cv2.magnitude(across, down), np.ones((width, width), np.uint8)), (width, width))
    near_sharp, far_from_any = (steepest - _BLURRED) / (_SHARP - _BLURRED), 1.0 - steepest / _FLAT
    share = np.clip(_FOG * np.maximum(near_sharp, far_from_any), _LEAST_FOG, _FOG)
    return _spread(matte, torch.from_numpy(enlarge(share, size))[None, None].to(matte))


def _spread(matte: Tensor, share: Tensor | float) -> Tensor:
    """The matte's contrast raised, in place: ``share`` becomes 0 and ``1 - share`` becomes 1."""
    return matte.sub_(share).div_(1.0 - 2.0 * share).clamp_(0.0, 1.0)


def _work_size(matte: Tensor, size: Size) -> Size:
    """The size at which the unsure band has at most ``_MOST_UNSURE`` pixels, or the size itself."""
    small = size if size.long_side <= _SURVEY_LONG_SIDE else size.fit_long_side(_SURVEY_LONG_SIDE)
    share = float((trimap(imaging.resize(matte, small)) == 0.5).float().mean())
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
