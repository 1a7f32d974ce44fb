"""Pictures from and for other libraries and notebooks."""

import io
from typing import Any

import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from pochoir._types import Size
from pochoir.errors import ImageReadError, ShapeError
from pochoir.imaging.resizing import resize, resize_with_alpha

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def to_image(picture: Tensor) -> Image.Image:
    """Convert a picture to a PIL image.

    Args:
        picture: Values in [0, 1], shape (1, C, H, W): a matte with 1 channel, RGB with 3, RGBA with 4 (colours not
            multiplied by alpha). Values outside are clipped.

    Returns:
        An image of mode L, RGB or RGBA, 8 bits per channel.

    Raises:
        ShapeError: It has another shape.
    """
    if picture.ndim != 4 or picture.shape[0] != 1 or picture.shape[1] not in _MODES or picture.numel() == 0:
        raise ShapeError(f"A picture has the shape (1, C, H, W) with 1, 3 or 4 channels; got {tuple(picture.shape)}.")
    values = picture.detach().cpu()[0].mul(255).add(0.5).clamp(0, 255).to(torch.uint8)
    planes = [Image.fromarray(plane.numpy()) for plane in values]
    return Image.merge(_MODES[len(planes)], planes) if len(planes) > 1 else planes[0]


def to_array(picture: Tensor) -> npt.NDArray[Any]:
    """Convert a tensor to an array with the channels last, as ``load`` takes it.

    Args:
        picture: Shape (C, H, W), (1, C, H, W) or (H, W), on any device.

    Returns:
        Shape (H, W, C) or (H, W), of the same type; half-precision numbers become float32.

    Raises:
        ImageReadError: It has another shape. The text is only the reason, for the caller to complete.
    """
    single = picture[0] if picture.ndim == 4 and len(picture) == 1 else picture
    if single.ndim not in (2, 3) or (single.ndim == 3 and single.shape[0] not in _MODES):
        raise ImageReadError(
            "a tensor must have the shape (H, W), (C, H, W) or (1, C, H, W) with 1, 3 or 4 channels, "
            f"got {tuple(picture.shape)}"
        )
    single = single.detach().cpu()
    if single.is_floating_point():
        single = single.float()
    return (single.permute(1, 2, 0) if single.ndim == 3 else single).numpy()


def encode_preview(picture: Tensor, long_side_px: int) -> bytes:
    """Return a picture as PNG for display, scaled down if its long side is larger.

    Args:
        picture: As for ``to_image``.
        long_side_px: Largest long side.

    Raises:
        ShapeError: It has another shape.
    """
    size = Size(*picture.shape[-2:])
    if size.long_side > long_side_px:
        scale = resize_with_alpha if picture.shape[1] == 4 else resize
        picture = scale(picture, size.fit_long_side(long_side_px))
    buffer = io.BytesIO()
    to_image(picture).save(buffer, "PNG")
    return buffer.getvalue()
