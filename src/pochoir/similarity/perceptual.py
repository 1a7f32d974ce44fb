"""LPIPS and DISTS, distances trained on the judgement of people, through ``piq`` if it is installed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch

from pochoir import imaging
from pochoir._types import Size
from pochoir.errors import MissingExtraError, WeightsMissingError
from pochoir.similarity.protocol import Features, Measure, View

_VGG16 = "vgg16-397923af.pth"
_FILES = {"lpips": (_VGG16, "lpips_weights.pt"), "dists": (_VGG16, "dists_weights.pt")}
NAMES = tuple(_FILES)


class PerceptualDistance:
    """A learned distance of two pictures: 0 for equal ones, growing as people see them apart.

    A part is seen on the backdrop, and its pixels are not weighed beyond that.

    Args:
        name: ``"lpips"`` or ``"dists"``.
        loss: Takes two pictures, RGB in [0, 1], shape (1, 3, H, W), and gives their distance.
        device: Where it runs.

    References:
        Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", arXiv:1801.03924.
        Ding et al., "Image Quality Assessment: Unifying Structure and Texture Similarity", arXiv:2004.07728.
    """

    closer: Literal["higher", "lower"] = "lower"
    pixels: int | None = 256 * 256

    def __init__(self, name: str, loss: Any, device: str) -> None:
        self.name = name
        self._loss = loss
        self._device = device

    def describe(self, views: Sequence[View]) -> list[Features]:
        """Keep the pictures themselves: the library takes pairs."""
        return [(view.rgb,) for view in views]

    def compare(self, one: Features, other: Features) -> Measure:
        """Compare two pictures; of other shapes, both are brought to the smaller height and width."""
        size = Size(*(min(a, b) for a, b in zip(one[0].shape[-2:], other[0].shape[-2:], strict=True)))
        a, b = (imaging.resize(each[0], size).to(self._device) for each in (one, other))
        with torch.no_grad():
            return Measure(float(self._loss(a, b)))


def load_perceptual(name: str, *, device: str = "cpu") -> PerceptualDistance:
    """LPIPS or DISTS; their weights are never fetched behind the user's back.

    Raises:
        MissingExtraError: ``piq`` is not installed, or torchvision does not fit torch.
        WeightsMissingError: The weights are not on this machine.
    """
    try:
        import piq
    except (ImportError, RuntimeError) as error:  # torchvision raises a RuntimeError if it does not fit torch
        raise MissingExtraError(
            f"The metric {name} needs the package piq and a torchvision that fits torch ({error}); "
            "install them with: pip install 'pochoir[perceptual]'"
        ) from error
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    missing = [file for file in _FILES[name] if not (folder / file).is_file()]
    if missing:
        raise WeightsMissingError(
            f"The weights of {name} are not on this machine: {folder} lacks {' and '.join(missing)}. "
            f'Fetch them once with: python -c "import piq; piq.{name.upper()}()"'
        )
    return PerceptualDistance(name, getattr(piq, name.upper())().to(device), device)
