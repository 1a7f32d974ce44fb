"""Mattes and backdrops of a scene: given mattes, rounding to 8 bits, subjects before a backdrop."""

import torch
from torch import Tensor

from pochoir import compositing, imaging
from pochoir._types import Size
from pochoir.imaging import AlphaKind, Matte, Picture
from pochoir.segmentation import GivenMatte


def round_to_8_bit(matte: Tensor) -> Tensor:
    """Round a matte in [0, 1] to steps of 1 / 255.

    Files keep mattes in 8 bits. With rounding before use, the saved matte is 0 or 1 at the same pixels as the used one,
    and a run from the saved matte equals the first run.
    """
    return (matte * 255.0).round() / 255.0


def lay_before(front: Tensor, backdrop: Tensor, matte: Tensor) -> Tensor:
    """Lay the subject of a picture over a backdrop that it was never mixed with, unlike its own background."""
    return compositing.alpha_over(compositing.estimate_foreground(front, matte), backdrop, matte)


def find_given_matte(photo: Picture, mask: Matte | None) -> GivenMatte | None:
    """Return the matte that a mask or the photo's alpha gives; None where the subject has to be found."""
    cutout = photo.alpha if photo.alpha_kind is AlphaKind.CUTOUT else None
    if mask is not None:
        # A mask cannot bring back what was cut away.
        matte = mask.matte if cutout is None else torch.minimum(mask.matte, cutout)
        return GivenMatte(matte, name="mask", notes=_describe_fullness("mask", matte))
    if cutout is None:
        return None
    notes = ("the photo's own alpha is used as the matte", *_describe_fullness("alpha", cutout))
    return GivenMatte(cutout, name="alpha", notes=notes)


def _describe_fullness(name: str, matte: Tensor) -> tuple[str, ...]:
    is_full = bool((round_to_8_bit(matte) == 1).all())
    return (f"the {name} is full: everything is subject and there is no background",) if is_full else ()


def cover(picture: Tensor, size: Size) -> Tensor:
    """Scale a picture to cover a size, and cut its overhang evenly."""
    own = Size(*picture.shape[-2:])
    factor = max(size.height / own.height, size.width / own.width)
    # Cut first: a sliver scaled whole could be larger than the memory.
    height, width = max(1, round(size.height / factor)), max(1, round(size.width / factor))
    top, left = (own.height - height) // 2, (own.width - width) // 2
    return imaging.resize(picture[..., top : top + height, left : left + width], size)
