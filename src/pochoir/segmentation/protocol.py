"""What every segmenter takes and gives."""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from pochoir._types import Box, Size
from pochoir.errors import ShapeError

SUBJECT_THRESHOLD = 0.5
"""A pixel whose matte is above this belongs to the subject when a yes or no is needed."""


@dataclass(frozen=True, eq=False)
class Parts:
    """The connected subjects of a matte.

    Attributes:
        labels: Shape (1, 1, H, W), int32: the number of the part that a pixel belongs to, 0 where the matte is not
            above one half, and in specks.
        areas_px: Pixels of parts 1, 2, ..., from the largest to the smallest.
        boxes: The smallest box around each part.
    """

    labels: Tensor
    areas_px: tuple[int, ...]
    boxes: tuple[Box, ...]

    def __len__(self) -> int:
        return len(self.areas_px)


@dataclass(frozen=True, eq=False)
class Doubt:
    """How far a matte can be trusted.

    Attributes:
        confidence: In [0, 1]; below ``confidence.SURE_FROM`` the user is told.
        map: Where the matte is undecided or the second look differs, shape (1, 1, H, W), in [0, 1].
    """

    confidence: float
    map: Tensor


@dataclass(frozen=True, eq=False)
class Segmentation:
    """A subject that was found in a photo.

    Attributes:
        matte: How much of each pixel is subject, shape (1, 1, H, W), float32 in [0, 1], at the photo's size.
        method: Name of the segmenter that made it.
        stages: Captions and maps, each (1, 1, h, w) in [0, 1], that show how the matte came about; may be empty.
        box: The rectangle the search started from, in photo pixels, where there was one.
        notes: Sentences that the user should see, for example that no subject was found.
        parts: The connected subjects, numbered, where they were asked for; those that were not chosen as well.
        doubt: How far the matte can be trusted, where that was asked for.
    """

    matte: Tensor
    method: str
    stages: tuple[tuple[str, Tensor], ...] = ()
    box: Box | None = None
    notes: tuple[str, ...] = ()
    parts: Parts | None = None
    doubt: Doubt | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no pixel is subject: the matte is nowhere above one half."""
        return not bool((self.matte > SUBJECT_THRESHOLD).any())


class Segmenter(Protocol):
    """Anything that finds the subject of a photo; pass your own object wherever one is taken."""

    @property
    def name(self) -> str:
        """Short name, shown to the user."""

    def segment(self, photo: Tensor) -> Segmentation:
        """Find the subject of a photo, shape (1, 3, H, W), RGB in [0, 1]."""


def check_photo(photo: Tensor) -> Size:
    """The size of a photo of shape (1, 3, H, W).

    Raises:
        ShapeError: It has another shape, or no pixels.
    """
    if photo.ndim != 4 or photo.shape[0] != 1 or photo.shape[1] != 3 or photo.numel() == 0:
        raise ShapeError(f"A segmenter takes one RGB photo, shape (1, 3, H, W); got {tuple(photo.shape)}.")
    return Size(photo.shape[2], photo.shape[3])


def check_matte(matte: Tensor) -> Size:
    """The size of a matte of shape (1, 1, H, W).

    Raises:
        ShapeError: It has another shape, or no pixels.
    """
    if matte.ndim != 4 or matte.shape[0] != 1 or matte.shape[1] != 1 or matte.numel() == 0:
        raise ShapeError(f"One matte of shape (1, 1, H, W) is needed; got {tuple(matte.shape)}.")
    return Size(matte.shape[2], matte.shape[3])


def coverage_notes(matte: Tensor) -> tuple[str, ...]:
    """A sentence if a matte has no subject or no background, nothing otherwise."""
    inside = matte > SUBJECT_THRESHOLD
    if not bool(inside.any()):
        return ("No subject was found: the matte is nowhere above one half.",)
    if bool(inside.all()):
        return ("The subject fills the whole photo: no background was found.",)
    return ()
