"""Noise of style pictures: measured and removed at the size of the file."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from pochoir.transfer.color import luma

NOISY_ABOVE = 3.5
"""Noise in levels of 255 from which a style is cleaned. Three of four pictures of paintings had at most .6 and the
built-in styles at most 1.5; a noisy scan had 5.6."""
NOISE_REACH = 2.0
"""Detail whose standard deviation is below this many of the noise's is taken for noise."""
WINDOW_PX = 2
"""Radius of the window in which the variance of detail is measured."""
BLOCK_PX = 8
CALMEST_SHARE = 0.1
LEAST_SIDE_PX = 96
"""Smaller pictures are patterns, where each pixel counts."""
_STRIP_PX = 1 << 18
_REACH_PX = WINDOW_PX + 1


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


def remove_grain(picture: Tensor, noise: float) -> Tensor:
    """Return a picture without what its noise explains: grain goes and strokes stay, however narrow they are.

    Each pixel is the median of its 3x3 neighbourhood, by channel, and the part of its difference from it that is more
    than noise. In calm places the difference has about the variance of the noise, and the median is left. Where strokes
    are, it has more, and is kept in that proportion.

    Args:
        picture: Shape (1, C, H, W), in [0, 1], at the size of its file.
        noise: What ``measure_noise`` says of it.

    References:
        Lee, "Digital image enhancement and noise filtering by use of local statistics", IEEE Transactions on Pattern
        Analysis and Machine Intelligence 2(2), 1980, who takes local means for medians.
    """
    height, width = picture.shape[-2:]
    if min(height, width) <= _REACH_PX:
        return picture
    variance = (NOISE_REACH * noise / 255.0) ** 2
    reach = _REACH_PX
    padded = F.pad(picture, (reach, reach, reach, reach), mode="reflect")
    rows = max(1, _STRIP_PX // width)  # the nine neighbours of a whole large picture would fill the memory
    strips = [_clean(padded[..., top : top + rows + 2 * reach, :], variance) for top in range(0, height, rows)]
    return torch.cat(strips, dim=2)


def _clean(padded: Tensor, noise_variance: float) -> Tensor:
    """Clean a part of a picture that has its surroundings around it."""
    median = _median(padded)
    detail = padded[..., 1:-1, 1:-1] - median
    variance = F.avg_pool2d(detail.square().mean(dim=1, keepdim=True), 2 * WINDOW_PX + 1, stride=1)
    inside = (..., slice(WINDOW_PX, -WINDOW_PX), slice(WINDOW_PX, -WINDOW_PX))
    kept = (1.0 - noise_variance / variance.clamp_min(1e-12)).clamp_min(0.0)
    return median[inside] + detail[inside] * kept


def _median(padded: Tensor) -> Tensor:
    """Return the median of each pixel's 3x3 neighbourhood, without the outermost pixels.

    Columns of three are sorted first: the median of nine is the middle one of the largest low, the middle middle and
    the smallest high value. That takes a tenth of the time of sorting nine values.
    """
    low, middle, high = _sort(padded[..., :-2, :], padded[..., 1:-1, :], padded[..., 2:, :])
    lows, middles, highs = ((row[..., :-2], row[..., 1:-1], row[..., 2:]) for row in (low, middle, high))
    largest_low = torch.maximum(torch.maximum(lows[0], lows[1]), lows[2])
    smallest_high = torch.minimum(torch.minimum(highs[0], highs[1]), highs[2])
    return _middle(largest_low, _middle(*middles), smallest_high)


def _sort(one: Tensor, two: Tensor, three: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    lower, upper = torch.minimum(one, two), torch.maximum(one, two)
    return torch.minimum(lower, three), _middle(one, two, three), torch.maximum(upper, three)


def _middle(one: Tensor, two: Tensor, three: Tensor) -> Tensor:
    return torch.maximum(torch.minimum(one, two), torch.minimum(torch.maximum(one, two), three))
