"""Blurred maps, and a map of where a photo is calm."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from pochoir.transfer.color import luma

CALM_BELOW, BUSY_ABOVE = 0.012, 0.045
"""Local contrast of a photo's luma, in units of the full range, below which it is calm and above which it is busy."""


def gaussian_blur(picture: Tensor, sigma_px: float) -> Tensor:
    """Blur a picture with a Gaussian; what lies beyond its edges is its reflection.

    Args:
        picture: Shape (B, C, H, W).
        sigma_px: Standard deviation, above 0.

    Returns:
        Same shape.
    """
    return _blur_rows(_blur_rows(picture, sigma_px).transpose(-1, -2), sigma_px).transpose(-1, -2)


def calmness(photo: Tensor) -> Tensor:
    """Return 1 where a photo is calm, such as a clear sky, and 0 where it is busy.

    Calm is a small RMS of the detail finer than a 96th of the long side, in a neighbourhood of a 64th.

    Args:
        photo: Shape (1, 3, H, W), in [0, 1].

    Returns:
        Shape (1, 1, H, W), in [0, 1].
    """
    grey, long_side = luma(photo), max(photo.shape[-2:])
    detail = grey - gaussian_blur(grey, long_side / 96)
    contrast = gaussian_blur(detail.square(), long_side / 64).sqrt()
    busy = ((contrast - CALM_BELOW) / (BUSY_ABOVE - CALM_BELOW)).clamp(0.0, 1.0)
    return 1.0 - busy.square() * (3.0 - 2.0 * busy)


def _blur_rows(picture: Tensor, sigma_px: float) -> Tensor:
    batch, channels, height, width = picture.shape
    reach = min(math.ceil(3 * sigma_px), width - 1)
    places = torch.arange(-reach, reach + 1, dtype=picture.dtype, device=picture.device)
    kernel = torch.exp(-0.5 * (places / sigma_px).square())
    rows = F.pad(picture.reshape(-1, 1, width), (reach, reach), mode="reflect")
    blurred = F.conv1d(rows, (kernel / kernel.sum()).view(1, 1, -1))
    return blurred.view(batch, channels, height, width)
