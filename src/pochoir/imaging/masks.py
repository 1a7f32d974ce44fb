"""Interpretation of pictures as masks: opacity, brightness, or a single label."""

import numpy as np
import torch
from torch import Tensor

from pochoir.errors import ImageReadError
from pochoir.imaging.alpha import AlphaKind
from pochoir.imaging.picture import Picture

_DIM = 0.1  # brightest value below which a mask can only hold labels
_MOST_LABELS = 64  # flat colours up to which a coloured picture is a map of labels
_COLORED = 8 / 255  # difference of channels from which a colour is none of grey
_UNIFORM = 0.1  # range of brightness up to which the visible part of a mask is of one colour


def matte_of(picture: Picture) -> tuple[Tensor, tuple[str, ...]]:
    """Return the matte that a picture stands for, shape (1, 1, H, W), and notes on how it was read.

    Transparency is the matte where it cuts a shape out of one colour; otherwise brightness is, white for the subject.

    Raises:
        ImageReadError: It holds labels. Its text is only the reason, for the caller to complete.
    """
    alpha = picture.alpha
    if alpha is None or picture.alpha_kind is not AlphaKind.CUTOUT:
        return _read_levels(picture.rgb, luminance(picture.rgb))
    brightness = luminance(picture.rgb)
    seen = brightness[alpha > 0.5]
    if seen.numel() and float(seen.max() - seen.min()) > _UNIFORM:
        return brightness * alpha, ("mask read by its brightness, since what is visible has several",)
    return alpha, ()


def luminance(rgb: Tensor) -> Tensor:
    """Return Rec. 601 luma, written as differences so that a grey pixel keeps its value to the last bit."""
    red, green, blue = rgb.unbind(1)
    return (red + 0.587 * (green - red) + 0.114 * (blue - red)).clamp(0, 1).unsqueeze(1)


def _read_levels(rgb: Tensor, matte: Tensor) -> tuple[Tensor, tuple[str, ...]]:
    """Stretch masks of 0 and 1, and refuse labels."""
    if _is_colored(rgb):
        return _read_colors(rgb, matte)
    brightest = float(matte.max())
    if brightest >= _DIM or brightest == 0:
        return matte, ()
    if brightest * 65535 < 255.5:  # 8 bits in a 16-bit file
        return _read_deep_levels(rgb, matte, brightest)
    if len(np.unique(matte.numpy())) <= 2:
        highest = round(brightest * 255)
        return (matte > 0).to(matte), (f"mask of 0 and {highest}: {highest} of 255 taken as white",)
    raise ImageReadError(
        f"its highest value is {round(brightest * 255)} of 255 and it has several, as maps of labels do; "
        "make the wanted label white and the others black"
    )


def _read_deep_levels(rgb: Tensor, matte: Tensor, brightest: float) -> tuple[Tensor, tuple[str, ...]]:
    highest = round(brightest * 65535)
    if len(np.unique(matte.numpy())) <= 2:
        return (matte > 0).to(matte), (f"mask of 0 and {highest}: {highest} of 65535 taken as white",)
    stretched = (matte * 257).clamp(0, 1)
    result, notes = _read_levels(stretched.expand_as(rgb), stretched)
    return result, (f"8-bit values in a 16-bit mask: 255 of 65535 taken as white (its highest is {highest})", *notes)


def _is_colored(rgb: Tensor) -> bool:
    return bool((rgb.amax(1) - rgb.amin(1)).max() > _COLORED)


def _read_colors(rgb: Tensor, matte: Tensor) -> tuple[Tensor, tuple[str, ...]]:
    colors = _flat_colors(rgb)
    if colors is None:
        return matte, ("coloured mask read by its brightness",)
    bright = colors[luminance(colors.T[None, :, None])[0, 0, 0] > 0]
    if len(bright) == 1 and len(colors) <= 2:
        return (matte > 0).to(matte), ("mask of black and one colour: the colour taken as white",)
    raise ImageReadError(
        f"it has {len(bright)} flat colours, as maps of labels do; make the wanted label white and the others black"
    )


def _flat_colors(rgb: Tensor) -> Tensor | None:
    """Return the colours of a picture, shape (N, 3); ``None`` if there are too many for labels."""
    pixels = rgb[0].flatten(1)
    codes = (pixels * 255).round().to(torch.int64)
    packed = (codes[0] * 65536 + codes[1] * 256 + codes[2]).numpy()
    if len(np.unique(packed[:: max(1, packed.size // 4096)])) > _MOST_LABELS:
        return None
    colors = torch.from_numpy(np.unique(packed))
    if len(colors) > _MOST_LABELS:
        return None
    return torch.stack([colors // 65536, colors // 256 % 256, colors % 256], dim=1).to(rgb) / 255
