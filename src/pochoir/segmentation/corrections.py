"""What the user knows better than a segmenter: points, strokes and a box that correct a matte."""

from dataclasses import dataclass

import torch
from torch import Tensor

from pochoir._types import Box, Size
from pochoir.recipe import SegmentSettings


@dataclass(frozen=True, eq=False)
class Corrections:
    """What is known of some pixels of a photo.

    Attributes:
        keep: Shape (1, 1, H, W), bool: surely subject.
        drop: Shape (1, 1, H, W), bool: surely background.
        box: Everything outside is background.
        notes: What the user should know of how they were read.
    """

    keep: Tensor
    drop: Tensor
    box: Box | None = None
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to correct."""
        return self.box is None and not bool(self.keep.any()) and not bool(self.drop.any())


def read_corrections(settings: SegmentSettings, size: Size, *, scribble: Tensor | None = None) -> Corrections:
    """Read the corrections that the settings name."""
    nowhere = torch.zeros(1, 1, *size, dtype=torch.bool)
    return Corrections(nowhere, nowhere, settings.box)


def correct_matte(matte: Tensor, photo: Tensor, corrections: Corrections) -> Tensor:
    """Correct a matte."""
    return matte
