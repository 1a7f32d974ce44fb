"""Resampling of pictures, mattes and cutouts."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from pochoir._types import Size

_INVISIBLE = 0.5 / 255  # opacity that 8 bits round to nothing


def resize(x: Tensor, size: Size, *, mode: Literal["bicubic", "bilinear"] = "bicubic") -> Tensor:
    """Resample a picture or a matte.

    When shrinking, the filter is widened so that nothing aliases. Pixel centres are aligned as in Pillow, and so is
    the bicubic kernel (a = -0.5), whose overshoot is clamped.

    Args:
        x: Values in [0, 1], shape (B, C, H, W).
        size: Wanted height and width, both at least 1.
        mode: ``"bicubic"`` for pictures; ``"bilinear"``, which never overshoots, for mattes.

    Returns:
        Values in [0, 1], shape (B, C, size.height, size.width); ``x`` itself if it has that size already.
    """
    if tuple(x.shape[-2:]) == tuple(size):
        return x
    # Antialiasing is also on where the picture grows: without it torch switches to another kernel (a = -0.75).
    return F.interpolate(x, size=tuple(size), mode=mode, align_corners=False, antialias=True).clamp_(0, 1)


def resize_with_alpha(cutout: Tensor, size: Size) -> Tensor:
    """Resample a picture with transparency so that no rim of other colours appears.

    Colours count by their opacity: they are multiplied by alpha, resampled together with it, and divided again.
    Clamping comes last, since a kernel's overshoot is in both and goes away in the division.

    Args:
        cutout: Colours and alpha in [0, 1], shape (B, 4, H, W), the colours not multiplied by alpha.
        size: Wanted height and width, both at least 1.

    Returns:
        Shape (B, 4, size.height, size.width), colours not multiplied by alpha; the cutout itself if it has that size.
    """
    if tuple(cutout.shape[-2:]) == tuple(size):
        return cutout
    colors, alpha = cutout[:, :3], cutout[:, 3:]
    layers = torch.cat([colors * alpha, alpha], dim=1)
    layers = F.interpolate(layers, size=tuple(size), mode="bicubic", align_corners=False, antialias=True)
    opacity = layers[:, 3:]
    # Where next to nothing is seen, the quotient is mostly rounding; a cutout carries its colours on there.
    plain = resize(colors, size, mode="bilinear")
    resampled = torch.where(opacity > _INVISIBLE, layers[:, :3] / opacity.clamp_min(_INVISIBLE), plain)
    return torch.cat([resampled, opacity], dim=1).clamp_(0, 1)
