"""Putting layers together and taking them apart, without a rim of the wrong colours.

A photo's pixel on a soft edge shows a mixture of subject and background. Pasting it elsewhere by its matte alone
would take the old background along; so the subject's own colour there is estimated first. All blending is done on
sRGB-encoded values, as painting programs do and as the matte was made for.
"""

import functools
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from pochoir.errors import OptionError, ShapeError, WriteError

# Known pixels that the estimate may draw on around the soft ones; further away they no longer change it.
_MARGIN_PX = 32

# Closer to 0 or 1 than this, a value looks the same in 8 bits.
_INVISIBLE = 1e-3

# Numba's fallback thread pool, the only one on some systems, aborts the process when two threads enter it.
_estimator_lock = threading.Lock()


@dataclass(frozen=True, eq=False)
class Layers:
    """A picture taken apart into what is in front and what is behind."""

    foreground: Tensor
    """The subject's colours in [0, 1], shape (1, 3, H, W); the picture's own where the matte is 1."""
    background: Tensor
    """The background's colours in [0, 1], shape (1, 3, H, W); the picture's own where the matte is 0."""


def alpha_over(front: Tensor, back: Tensor, matte: Tensor) -> Tensor:
    """Lay one picture over another: ``matte * front + (1 - matte) * back``.

    Args:
        front: Colours in [0, 1], shape (B, 3, H, W), not multiplied by the matte.
        back: Colours of the opaque picture behind, same shape.
        matte: Opacity of ``front`` in [0, 1], shape (B, 1, H, W).

    Returns:
        Shape (B, 3, H, W); bit for bit ``front`` where the matte is 1 and ``back`` where it is 0.

    Raises:
        ShapeError: The shapes do not agree.

    References:
        Porter and Duff, "Compositing Digital Images", SIGGRAPH 1984: the operator "over" on an opaque back.
    """
    if front.shape != back.shape:
        raise ShapeError(f"Front and back must have one shape; got {tuple(front.shape)} and {tuple(back.shape)}.")
    check_matte(front, matte)
    return torch.lerp(back, front, matte)  # exact at both ends, which a*x + (1-a)*y need not be


def estimate_layers(picture: Tensor, matte: Tensor) -> Layers:
    """Estimate the colours of subject and background where the matte mixes them.

    Only the rectangle around the soft pixels is worked on; without soft pixels both layers are the picture.

    Args:
        picture: Colours in [0, 1], shape (1, 3, H, W).
        matte: Share of the subject in [0, 1], shape (1, 1, H, W).

    Returns:
        Both layers. The foreground where the matte is 0 and the background where it is 1 are guesses near the
        soft pixels and the picture elsewhere: they are not seen in a composite.

    Raises:
        ShapeError: The shapes do not agree, or there is more than one picture.
        WriteError: The estimator's compiled code cannot be kept anywhere.

    References:
        Germer, Uelwer, Conrad, Harmeling, "Fast Multi-Level Foreground Estimation", 2020, arXiv:2006.14970, as
        implemented by pymatting with its default weights.
    """
    area = _area_to_estimate(picture, matte)
    if area is None:
        return Layers(picture, picture)
    front, back = _estimate(picture[area], matte[area])
    foreground, background = picture.clone(), picture.clone()
    foreground[area] = torch.where(matte[area] == 1, picture[area], front)
    background[area] = torch.where(matte[area] == 0, picture[area], back)
    return Layers(foreground, background)


def estimate_foreground(picture: Tensor, matte: Tensor) -> Tensor:
    """The foreground of ``estimate_layers`` alone, which takes half of the memory; shapes and errors are the same."""
    area = _area_to_estimate(picture, matte)
    if area is None:
        return picture
    front, _ = _estimate(picture[area], matte[area])
    foreground = picture.clone()  # after the estimate, which is when memory is shortest
    foreground[area] = torch.where(matte[area] == 1, picture[area], front)
    return foreground


def composite(front: Tensor, back: Tensor, matte: Tensor) -> Tensor:
    """Lay the subject of one picture over the background of another, both with the same matte.

    The subject's estimated colours are laid over the background's estimated colours, so that on soft edges neither
    the first picture's background nor the second one's subject shines through.

    Args:
        front: Picture whose subject is taken, in [0, 1], shape (1, 3, H, W).
        back: Picture whose background is taken, same shape.
        matte: Share of the subject in both, in [0, 1], shape (1, 1, H, W).

    Returns:
        Shape (1, 3, H, W); bit for bit ``front`` where the matte is 1 and ``back`` where it is 0.

    Raises:
        ShapeError: The shapes do not agree, or there is more than one picture.

    Note:
        Both pictures must have the subject in the same place, like a photo and its pastiche. A backdrop that never
        had the subject on it needs no estimate: ``alpha_over(estimate_foreground(front, matte), back, matte)``.
    """
    if front is back:
        return front
    return alpha_over(estimate_layers(front, matte).foreground, estimate_layers(back, matte).background, matte)


def cutout(picture: Tensor, matte: Tensor) -> Tensor:
    """Free the subject from its background.

    Args:
        picture: Colours in [0, 1], shape (1, 3, H, W).
        matte: Share of the subject in [0, 1], shape (1, 1, H, W).

    Returns:
        Shape (1, 4, H, W): the subject's estimated colours, not multiplied by alpha, and the matte as alpha. The
        picture's own colours where alpha is 1. Where alpha is 0 the colours near by are carried on, so that no
        program that scales or blurs the cutout mixes in a rim; nothing is left of the background. Black where
        there is no subject at all.

    Raises:
        ShapeError: The shapes do not agree, or there is more than one picture.
    """
    colors = estimate_foreground(picture, matte)
    if bool((matte == 0).any()):
        colors = torch.where(matte > 0, colors, _carry_on(colors * matte, matte))
    return torch.cat([colors, matte], dim=1)


def feather(matte: Tensor, feather_px: float) -> Tensor:
    """Soften the edges of a matte.

    Args:
        matte: Values in [0, 1], shape (1, 1, H, W).
        feather_px: How far the softness reaches to either side of a hard edge, in pixels: two standard deviations of
            the Gaussian used. 0 leaves the matte as it is.

    Returns:
        Values in [0, 1], shape (1, 1, H, W); exactly 0 and 1 again away from edges.

    Raises:
        OptionError: ``feather_px`` is negative or not finite.
    """
    if not 0 <= feather_px < float("inf"):
        raise OptionError(f"A feather is 0 pixels or more; got {feather_px:g}.")
    if feather_px == 0:
        return matte
    blurred = cv2.GaussianBlur(_to_array(matte)[..., 0], (0, 0), feather_px / 2, borderType=cv2.BORDER_REPLICATE)
    soft = torch.from_numpy(blurred)[None, None].to(matte)
    # Kept regions are promised bit for bit, so nothing invisible may be left in them.
    soft = torch.where(soft < _INVISIBLE, 0, soft)
    return torch.where(soft > 1 - _INVISIBLE, 1, soft)


def check_matte(picture: Tensor, matte: Tensor) -> None:
    """Check that a matte belongs to pictures of its size.

    Raises:
        ShapeError: The pictures are not (B, 3, H, W), or the matte is not (B, 1, H, W).
    """
    expected = (picture.shape[0], 1, *picture.shape[2:])
    if picture.ndim != 4 or picture.shape[1] != 3:
        raise ShapeError(f"A picture has the shape (B, 3, H, W); got {tuple(picture.shape)}.")
    if tuple(matte.shape) != expected:
        raise ShapeError(f"The matte of a {tuple(picture.shape)} picture is {expected}; got {tuple(matte.shape)}.")


def _soft_area(matte: Tensor) -> tuple[slice, ...] | None:
    """Index of the rectangle that holds all soft pixels and a margin; ``None`` if there are none."""
    soft = (matte[0, 0] > 0) & (matte[0, 0] < 1)
    if not bool(soft.any()):
        return None
    ranges = []
    for axis in (1, 0):  # rows that hold soft pixels, then columns
        hits = soft.any(dim=axis).nonzero()
        ranges.append(slice(max(0, int(hits[0]) - _MARGIN_PX), int(hits[-1]) + 1 + _MARGIN_PX))
    return (slice(None), slice(None), *ranges)


def _area_to_estimate(picture: Tensor, matte: Tensor) -> tuple[slice, ...] | None:
    check_matte(picture, matte)
    if picture.shape[0] != 1:
        raise ShapeError(f"Layers are estimated for one picture at a time; got {picture.shape[0]}.")
    return _soft_area(matte)


def _estimate(picture: Tensor, matte: Tensor) -> tuple[Tensor, Tensor]:
    if matte.numel() == 1:  # one mixed pixel and nothing to tell its parts by
        return picture, picture
    with _estimator_lock:
        layers = _estimator()(_to_array(picture), _to_array(matte)[..., 0], return_background=True)
    foreground, background = (torch.from_numpy(layer).permute(2, 0, 1)[None].to(picture) for layer in layers)
    return foreground, background


def _to_array(x: Tensor) -> npt.NDArray[np.float32]:  # (1, C, H, W) -> (H, W, C)
    return np.ascontiguousarray(x[0].detach().permute(1, 2, 0).to("cpu", torch.float32).numpy())


@functools.cache
def _estimator() -> Callable[..., Any]:
    """Pymatting's multi-level estimator.

    ``import pymatting`` would have Numba compile all of its solvers: three quarters of a minute on the first run, and a
    second on every later one. This one module takes an eighth of the first and half of the second, so it is loaded
    by itself, under its own name, since Numba looks it up by that when it reads its cache.
    """
    name = "pymatting.foreground.estimate_foreground_ml"
    if name not in sys.modules:
        package = PathFinder.find_spec("pymatting")
        folders = [str(Path(root) / "foreground") for root in (package and package.submodule_search_locations) or ()]
        spec = PathFinder.find_spec(name, folders)
        if spec is None or spec.loader is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        sys.modules[name] = module_from_spec(spec)
        try:
            spec.loader.exec_module(sys.modules[name])
        except BaseException as error:
            del sys.modules[name]
            if isinstance(error, RuntimeError) and "cache" in str(error):
                raise WriteError(
                    "The compiled colour estimator cannot be kept in pymatting's folder nor in the user's cache "
                    "folder; set NUMBA_CACHE_DIR to a folder that can be written to."
                ) from error
            raise
    estimate: Callable[..., Any] = sys.modules[name].estimate_foreground_ml
    return estimate


def _carry_on(weighted: Tensor, weight: Tensor) -> Tensor:
    """Colours for where there is no weight, averaged down a pyramid from where there is and filled back up."""
    if weight.shape[-2:] == (1, 1):
        return _known(weighted, weight)
    weighted, coarse = F.avg_pool2d(weighted, 2, ceil_mode=True), F.avg_pool2d(weight, 2, ceil_mode=True)
    filled = torch.where(coarse > 0, _known(weighted, coarse), _carry_on(weighted, coarse)).clamp_(0, 1)
    return F.interpolate(filled, size=weight.shape[-2:], mode="bilinear", align_corners=False)


def _known(weighted: Tensor, weight: Tensor) -> Tensor:
    return weighted / weight.clamp_min(torch.finfo(weight.dtype).tiny)
