"""Noise of style pictures: measured and removed at the size of the file."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from pochoir.transfer.color import luma

NOISY_ABOVE = 3.5
"""Noise in levels of 255 from which a style is cleaned. Three of four pictures of paintings had at most .6 and the
built-in styles at most 1.5; a noisy scan had 5.6."""
BLOCK_PX = 8
CALMEST_SHARE = 0.1
LEAST_SIDE_PX = 96
"""Smaller pictures are patterns, where each pixel counts."""
_STRIP_PX = 1 << 20


def measure_noise(picture: Tensor) -> float:
    """Estimate the noise of a picture where it is calmest, in levels of 255.

    The standard deviation of the luma's noise by a 3x3 operator that slopes do not reach, the mean over the calmest
    tenth of blocks of 8 pixels, so that outlines are not taken for noise.

    Args:
        picture: Shape (1, 3, H, W), in [0, 1], at the size of its file.

    Returns:
        0 for pictures with a side below ``LEAST_SIDE_PX``.

    References:
        Immerkaer, "Fast noise variance estimation", Computer Vision and Image Understanding 64(2), 1996.
    """
    if min(picture.shape[-2:]) < LEAST_SIDE_PX:
        return 0.0
    grey = luma(picture) * 255.0
    # The operator is a second difference along both axes. As sums of slices it takes a tenth of a convolution's time.
    down = grey[..., 2:, :] - 2.0 * grey[..., 1:-1, :] + grey[..., :-2, :]
    response = (down[..., 2:] - 2.0 * down[..., 1:-1] + down[..., :-2]).abs()
    blocks = F.avg_pool2d(response, BLOCK_PX).flatten() * (math.sqrt(math.pi / 2.0) / 6.0)
    count = max(1, round(CALMEST_SHARE * len(blocks)))
    return float(blocks.sort().values[:count].mean())


def remove_grain(picture: Tensor) -> Tensor:
    """Return the median of each pixel's 3x3 neighbourhood, by channel: grain goes and strokes stay.

    Args:
        picture: Shape (1, C, H, W), in [0, 1], at the size of its file. At a smaller size, strokes are as narrow as
            grain and go, too.
    """
    height, width = picture.shape[-2:]
    if min(height, width) < 2:
        return picture
    padded = F.pad(picture, (1, 1, 1, 1), mode="reflect")
    rows = max(1, _STRIP_PX // width)  # the nine neighbours of a whole large picture would fill the memory
    return torch.cat([_median(padded[..., top : top + rows + 2, :]) for top in range(0, height, rows)], dim=-2)


def _median(padded: Tensor) -> Tensor:
    height, width = padded.shape[-2] - 2, padded.shape[-1] - 2
    neighbours = [padded[..., y : y + height, x : x + width] for y in range(3) for x in range(3)]
    return torch.stack(neighbours).median(dim=0).values
