"""What every segmenter takes and gives."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from torch import Tensor

from pochoir._types import Box, Size
from pochoir.errors import ShapeError

if TYPE_CHECKING:
    from pochoir.segmentation.confidence import Doubt
    from pochoir.segmentation.parts import Parts

SUBJECT_THRESHOLD = 0.5
"""A pixel whose matte is above this belongs to the subject when a yes or no is needed."""


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
    parts: "Parts | None" = None
    doubt: "Doubt | None" = None

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
