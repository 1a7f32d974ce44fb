"""Compositing and separating layers without a rim of the wrong colours.

A pixel on a soft edge of a photo shows a mixture of subject and background. Pasted elsewhere by the matte alone, it
would bring the old background along, so the subject's colour is estimated first. All blending is done on sRGB-encoded
values, as in painting programs.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pochoir.compositing.edge_colors import estimate_channel, matte_pyramid
from pochoir.errors import ShapeError

# Closer to 0 or 1 than this, a value looks the same in 8 bits.
_INVISIBLE = 1e-3


@dataclass(frozen=True, eq=False)
class Layers:
    """Colours of a picture's subject and of its background."""

    foreground: Tensor = field(repr=False)
    """The subject's colours in [0, 1], shape (1, 3, H, W); the picture's own where the matte is 1."""
    background: Tensor = field(repr=False)
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

    Args:
        picture: Colours in [0, 1], shape (1, 3, H, W).
        matte: Share of the subject in [0, 1], shape (1, 1, H, W).

    Returns:
        Both layers; without soft pixels both are the picture. Where a layer is hidden, it has the colours of its
        nearest visible pixels.

    Raises:
        ShapeError: The shapes do not agree, or there is more than one picture.

    References:
        See ``edge_colors.estimate_channel``.
    """
    if not _has_soft_pixels(picture, matte):
        return Layers(picture, picture)
    foreground, background = torch.empty_like(picture), torch.empty_like(picture)
    mattes = matte_pyramid(_to_plane(matte[0, 0]))
    for channel in range(3):
        layers = estimate_channel(_to_plane(picture[0, channel]), mattes)
        for whole, layer in zip((foreground, background), layers, strict=True):
            whole[0, channel] = torch.from_numpy(layer)
    return Layers(torch.where(matte == 1, picture, foreground), torch.where(matte == 0, picture, background))


def estimate_foreground(picture: Tensor, matte: Tensor) -> Tensor:
    """Return the foreground of ``estimate_layers`` alone, with less memory; shapes and errors are the same."""
    return _free_foreground(picture, matte) if _has_soft_pixels(picture, matte) else picture


def composite(front: Tensor, back: Tensor, matte: Tensor) -> Tensor:
    """Lay the subject of one picture over the background of another, both with the same matte.

    Both are laid with their estimated colours. So on soft edges neither the background of the first picture nor the
    subject of the second one shines through.

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
    """Cut the subject out of a picture.

    Args:
        picture: Colours in [0, 1], shape (1, 3, H, W).
        matte: Share of the subject in [0, 1], shape (1, 1, H, W).

    Returns:
        Shape (1, 4, H, W): the subject's estimated colours, not multiplied by alpha, and the matte as alpha. Where
        alpha is 1, the colours are the picture's. Where alpha is 0, they are those of the nearest visible pixels, so
        that scaling or blurring the cutout mixes in no rim; nothing is left of the background. Without a subject all
        is black.

    Raises:
        ShapeError: The shapes do not agree, or there is more than one picture.
    """
    _check_one(picture, matte)
    colors = picture if bool((matte == 1).all()) else _free_foreground(picture, matte)
    return torch.cat([colors, matte], dim=1)


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


def _check_one(picture: Tensor, matte: Tensor) -> None:
    check_matte(picture, matte)
    if picture.shape[0] != 1:
        raise ShapeError(f"Layers are estimated for one picture at a time; got {picture.shape[0]}.")


def _has_soft_pixels(picture: Tensor, matte: Tensor) -> bool:
    _check_one(picture, matte)
    return bool(((matte > 0) & (matte < 1)).any())


def _free_foreground(picture: Tensor, matte: Tensor) -> Tensor:
    mattes = matte_pyramid(_to_plane(matte[0, 0]))
    foreground = torch.empty_like(picture)
    for channel in range(3):  # one at a time, because large photos need much memory
        front, _ = estimate_channel(_to_plane(picture[0, channel]), mattes)
        foreground[0, channel] = torch.where(matte[0, 0] == 1, picture[0, channel], torch.from_numpy(front).to(picture))
    return foreground


def _to_plane(x: Tensor) -> npt.NDArray[np.float32]:  # (H, W)
    return np.ascontiguousarray(x.detach().to("cpu", torch.float32).numpy())
