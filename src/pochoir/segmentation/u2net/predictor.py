"""From a photo to a matte by way of U2-Net: the authors' way of feeding their network and reading its answer."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from pochoir import imaging, kernels
from pochoir._types import Size
from pochoir.errors import UnknownNameError
from pochoir.segmentation.protocol import Segmentation, check_photo, coverage_notes
from pochoir.segmentation.u2net.loading import load_u2net
from pochoir.segmentation.u2net.network import U2NET, U2NETP, U2Net

CONFIGS = {"u2net": U2NET, "u2netp": U2NETP}
"""The networks that have trained weights, by the name of their weights."""

INPUT_SIZE = Size(320, 320)
"""The size U2-Net was trained at; much larger squares make its maps fall apart (768 does)."""

REPORT_SIZE = Size(512, 512)
"""The larger input of the ``"report"`` convention: finer edges, but now and then a part of the subject is lost."""

FLAT_RANGE = 0.1
"""A map whose values differ by less than this is flat: stretching it would turn noise into a subject.

Blank pictures, gradients and the like stay below 0.06; photos with a subject reach 0.85 and more."""

UNSURE_BELOW = 0.5
"""When the network's strongest answer is below this, the user is told that it is unsure."""

_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


class U2NetSegmenter:
    """Finds the subject with U2-Net.

    Args:
        network: A network in evaluation mode, see ``load_u2net``.
        name: What to call it.
        device: Where to run it.
        preprocess: How a photo is brought to the network's size and the map back to the photo's: ``"official"`` as
            the authors do, ``"rembg"`` as that tool does (its mattes, pixel for pixel), ``"report"`` at 512 pixels
            with smoothing.
        many: Whether many photos are to be segmented. Then on a CPU that has them, compiled kernels do most of the
            work, in half the time; but loading them takes longer than plain torch does for one photo. They do so from
            the first photo on, so that a matte does not depend on which photo it is of. It differs from the one
            without them by less than 1e-4: of an 8-bit matte now and then a pixel by one level.

    Raises:
        UnknownNameError: There is no such way of preprocessing.
    """

    def __init__(
        self,
        network: U2Net,
        *,
        name: str = "u2net",
        device: str | torch.device = "cpu",
        preprocess: str = "official",
        many: bool = False,
    ) -> None:
        if preprocess not in CONVENTIONS:
            raise UnknownNameError("preprocessing", preprocess, CONVENTIONS)
        self.name = name
        self._convention = CONVENTIONS[preprocess]
        self._device = torch.device(device)
        # Channels last: a tenth quicker on a CPU, maps equal within 1e-7. Torch's stubs lack the argument.
        self._network = network.to(self._device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if many and self._device.type == "cpu" and kernels.chosen_engine() == "auto" and kernels.SUPPORTED:
            from pochoir.segmentation.u2net.compiled import use_kernels  # loads the kernels, which takes a while

            use_kernels(self._network)

    @classmethod
    def from_file(
        cls,
        path: Path,
        *,
        name: str,
        device: str | torch.device = "cpu",
        preprocess: str = "official",
        many: bool = False,
    ) -> "U2NetSegmenter":
        """Read the weights of ``"u2net"`` or ``"u2netp"`` from an ``.onnx`` or ``.pth`` file.

        Raises:
            UnknownNameError: There is no network, or no way of preprocessing, of that name.
            WeightsError: The file cannot be read, or holds another network.
        """
        if name not in CONFIGS:
            raise UnknownNameError("U2-Net", name, CONFIGS)
        if preprocess not in CONVENTIONS:  # said before the file is read, which takes a while
            raise UnknownNameError("preprocessing", preprocess, CONVENTIONS)
        return cls(load_u2net(path, CONFIGS[name]), name=name, device=device, preprocess=preprocess, many=many)

    def segment(self, photo: Tensor) -> Segmentation:
        """Find the subject of a photo.

        Args:
            photo: Shape (1, 3, H, W), RGB in [0, 1], any size.

        Returns:
            The matte at the photo's size and on its device; the fused map and the side outputs as stages in the
            photo's shape, their long side that of the network's input.

        Raises:
            ShapeError: The photo has another shape.
        """
        size = check_photo(photo)
        with torch.inference_mode():
            small = normalize(self._convention.shrink(photo))
            maps = self._network(small.to(self._device).contiguous(memory_format=torch.channels_last))
        # Tensors born in inference mode can never meet autograd, which a matte that guides a style does: copy them.
        fused, *sides = (item.to(photo.device).clone() for item in (maps.fused, *maps.sides))
        matte = self._convention.enlarge(stretch(fused), size)
        shown = size.fit_long_side(fused.shape[-1])
        stages = (("fused", fused), *((f"side {number}", side) for number, side in enumerate(sides, start=1)))
        return Segmentation(
            matte=matte,
            method=self.name,
            stages=tuple((caption, imaging.resize(stage, shown, mode="bilinear")) for caption, stage in stages),
            notes=coverage_notes(matte) or _doubts(fused, self.name),
        )


def normalize(small: Tensor) -> Tensor:
    """A photo at the network's size as U2-Net was trained to see it.

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
    """A map spread over the whole of [0, 1], as the authors do before they save it.

    Args:
        saliency: Shape (B, 1, H, W), in [0, 1].

    Returns:
        The same shape, its lowest value 0 and its highest 1. A flat map (see ``FLAT_RANGE``) holds no subject to
        bring out and is returned as it is.
    """
    low, high = saliency.amin(dim=(1, 2, 3), keepdim=True), saliency.amax(dim=(1, 2, 3), keepdim=True)
    span = high - low
    flat = span < FLAT_RANGE
    return torch.where(flat, saliency, (saliency - low) / torch.where(flat, torch.ones_like(span), span))


def _doubts(fused: Tensor, name: str) -> tuple[str, ...]:
    peak = float(fused.max())
    if peak >= UNSURE_BELOW:
        return ()
    return (f"{name} is unsure that there is a subject: its strongest answer is {peak:.2f} of 1.",)


@dataclass(frozen=True)
class Convention:
    """How a photo is brought to the network's size, and its map back to the photo's."""

    shrink: Callable[[Tensor], Tensor]
    """From (B, 3, H, W) in [0, 1] to a square of the network's size."""
    enlarge: Callable[[Tensor, Size], Tensor]
    """From a stretched map, (1, 1, h, w) in [0, 1], to a matte of a given size."""


def _skip_pixels(photo: Tensor) -> Tensor:
    # Smoothing first looks better, but the authors' published maps are no longer reproduced. One departure: a side
    # shorter than 320 pixels is enlarged without the dark rim that padding with zeros gives theirs.
    return F.interpolate(photo, size=INPUT_SIZE, mode="bilinear", align_corners=False, antialias=False)


def _smooth_to_report(photo: Tensor) -> Tensor:
    return F.interpolate(photo, size=REPORT_SIZE, mode="bilinear", align_corners=False, antialias=True)


def _enlarge_bilinear(saliency: Tensor, size: Size) -> Tensor:
    return imaging.resize(saliency, size, mode="bilinear")


def _lanczos_to_input(photo: Tensor) -> Tensor:
    # rembg keeps 8 bits on either side of its Lanczos, which is Pillow's: another one rings differently.
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
"""Ways of preprocessing by name."""
