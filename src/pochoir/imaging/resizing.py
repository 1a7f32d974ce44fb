"""Resampling of pictures and mattes."""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from pochoir._types import Size


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
