"""Conventions for bringing a photo to U2-Net's input size and its map back to the photo's size."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from pochoir import imaging
from pochoir._types import Size

INPUT_SIZE = Size(320, 320)
"""Size that U2-Net was trained at; on much larger squares (768) its maps fall apart."""

REPORT_SIZE = Size(512, 512)
"""Input size of the ``"report"`` convention: finer edges, but sometimes a part of the subject is lost."""

MULTISCALE = "multiscale"
"""Name of the default convention, which runs the network at several sizes; see ``multiscale``."""

FLAT_RANGE = 0.1
"""Maps whose values differ by less than this are flat: stretching them would turn noise into a subject.

Blank pictures and gradients stay below 0.06; photos with a subject reach 0.85 and more."""

_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Convention:
    """Two resizing steps around the network.

    Attributes:
        shrink: From a photo (B, 3, H, W) in [0, 1] to the network's input size.
        enlarge: From a stretched map, (1, 1, h, w) in [0, 1], to a matte of a given size.
    """

    shrink: Callable[[Tensor], Tensor]
    enlarge: Callable[[Tensor, Size], Tensor]


def shrink_smoothly(photo: Tensor, size: Size) -> Tensor:
    """Resize a photo (B, 3, H, W) with a filter as wide as the pixels of the result."""
    return F.interpolate(photo, size=size, mode="bilinear", align_corners=False, antialias=True)


def normalize(small: Tensor) -> Tensor:
    """Normalise a photo at the network's size as in U2-Net's training.

    Args:
        small: Shape (B, 3, H, W), RGB in [0, 1].

    Returns:
        The same shape: divided by the brightest value of each photo, then normalised with ImageNet's mean and standard
        deviation. A black photo, which the authors would divide by zero, stays black.
    """
    brightest = small.amax(dim=(1, 2, 3), keepdim=True)
    small = small / torch.where(brightest > 0, brightest, torch.ones_like(brightest))
    mean, std = (small.new_tensor(values).view(1, 3, 1, 1) for values in (_MEAN, _STD))  # (1, 3, 1, 1)
    return (small - mean) / std


def stretch(saliency: Tensor) -> Tensor:
    """Stretch a map to the whole of [0, 1], as the authors do before they save it.

    Args:
        saliency: Shape (B, 1, H, W), in [0, 1].

    Returns:
        The same shape, its lowest value 0 and its highest 1. A flat map (see ``FLAT_RANGE``) shows no subject and is
        returned as it is.
    """
    low, high = saliency.amin(dim=(1, 2, 3), keepdim=True), saliency.amax(dim=(1, 2, 3), keepdim=True)
    span = high - low
    flat = span < FLAT_RANGE
    return torch.where(flat, saliency, (saliency - low) / torch.where(flat, torch.ones_like(span), span))


def _skip_pixels(photo: Tensor) -> Tensor:
    # Without smoothing, or the authors' published maps would not be reproduced. One departure: sides shorter than 320
    # pixels are enlarged without the dark rim that zero padding gives theirs.
    return F.interpolate(photo, size=INPUT_SIZE, mode="bilinear", align_corners=False, antialias=False)


def _smooth_to_report(photo: Tensor) -> Tensor:
    return shrink_smoothly(photo, REPORT_SIZE)


def _enlarge_bilinear(saliency: Tensor, size: Size) -> Tensor:
    return imaging.resize(saliency, size, mode="bilinear")


def _lanczos_to_input(photo: Tensor) -> Tensor:
    # rembg keeps 8 bits before and after Pillow's Lanczos filter; other implementations ring differently.
    small = [_lanczos(_to_8_bit(item.permute(1, 2, 0) * 255.0 + 0.5), INPUT_SIZE) for item in photo]
    return torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2).to(photo) / 255.0


def _enlarge_lanczos(saliency: Tensor, size: Size) -> Tensor:
    # Rounded down, not to the nearest, as rembg does.
    return torch.from_numpy(_lanczos(_to_8_bit(saliency[0, 0] * 255.0), size)).to(saliency)[None, None] / 255.0


def _to_8_bit(values: Tensor) -> NDArray[np.uint8]:
    return values.detach().clamp(0.0, 255.0).byte().cpu().numpy()


def _lanczos(pixels: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    return np.array(Image.fromarray(pixels).resize((size.width, size.height), Image.Resampling.LANCZOS))


CONVENTIONS: dict[str, Convention] = {
    "official": Convention(_skip_pixels, _enlarge_bilinear),
    "rembg": Convention(_lanczos_to_input, _enlarge_lanczos),
    "report": Convention(_smooth_to_report, _enlarge_bilinear),
}
"""Conventions with one input size, by name."""
