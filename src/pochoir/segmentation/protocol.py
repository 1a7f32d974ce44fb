"""Values that segmenters return, and the protocol that they follow."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from PIL import Image
from torch import Tensor

from pochoir import compositing, imaging
from pochoir._types import Box, Size
from pochoir.errors import OptionError, ShapeError

SUBJECT_THRESHOLD = 0.5
"""Matte above which a pixel belongs to the subject when a yes or no is needed."""
PREVIEW_LONG_SIDE_PX = 768
"""Largest long side of the picture that a notebook shows."""


@dataclass(frozen=True, eq=False)
class Parts:
    """Connected subjects of a matte.

    Attributes:
        labels: Shape (1, 1, H, W), int32: number of each pixel's part, 0 in specks and where the matte is not above
            one half.
        areas_px: Pixels of parts 1, 2, ..., from the largest to the smallest.
        boxes: The smallest box around each part.
    """

    labels: Tensor = field(repr=False)
    areas_px: tuple[int, ...]
    boxes: tuple[Box, ...]

    def __len__(self) -> int:
        return len(self.areas_px)


@dataclass(frozen=True, eq=False)
class Doubt:
    """Confidence in a matte.

    Attributes:
        confidence: In [0, 1]; below ``confidence.SURE_FROM`` a note says so.
        map: Doubt, high where the matte is undecided or a second look differs, shape (1, 1, h, w) in the photo's
            proportions, in [0, 1].
    """

    confidence: float
    map: Tensor = field(repr=False)


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Subject that was found in a photo.

    Attributes:
        matte: Share of subject in each pixel, shape (1, 1, H, W), float32 in [0, 1], at the photo's size.
        method: Name of the segmenter that made it.
        stages: Captions and intermediate maps, each (1, 1, h, w) in [0, 1]; may be empty.
        box: The rectangle the search started from, in photo pixels, where there was one.
        notes: Sentences for the user, for example that no subject was found.
        parts: Connected subjects, numbered, if asked for; those that were not chosen as well.
        doubt: Reliability of the matte, if asked for or known without extra work.
        photo: The photo's colours, shape (1, 3, H, W); None where a segmenter was called directly.
    """

    matte: Tensor
    method: str
    stages: tuple[tuple[str, Tensor], ...] = ()
    box: Box | None = None
    notes: tuple[str, ...] = ()
    parts: Parts | None = None
    doubt: Doubt | None = None
    photo: Tensor | None = None

    def __repr__(self) -> str:
        share = "empty" if self.is_empty else f"{float(self.matte.mean()):.0%} subject"
        return f"Segmentation({self.size}, {share}, found by {self.method}, {len(self.notes)} notes)"

    def _repr_png_(self) -> bytes:
        shown = self.matte if self.photo is None else self.cutout()
        return imaging.encode_preview(shown, PREVIEW_LONG_SIDE_PX)

    @property
    def size(self) -> Size:
        """Height and width of the matte, in pixels."""
        return Size(*self.matte.shape[-2:])

    @property
    def is_empty(self) -> bool:
        """True if no pixel is subject: the matte is nowhere above one half."""
        return not bool((self.matte > SUBJECT_THRESHOLD).any())

    def cutout(self) -> Tensor:
        """Return the subject on a transparent ground, shape (1, 4, H, W), without a rim of the background's colours.

        Raises:
            OptionError: The photo is not known.
        """
        if self.photo is None:
            raise OptionError("This segmentation does not hold its photo; call pochoir.segment, or compositing.cutout.")
        return compositing.cutout(self.photo, self.matte)

    def image(self) -> Image.Image:
        """Return the matte as a PIL image of mode L: white is subject."""
        return imaging.to_image(self.matte)

    def cutout_image(self) -> Image.Image:
        """Return ``cutout`` as a PIL image of mode RGBA.

        Raises:
            OptionError: The photo is not known.
        """
        return imaging.to_image(self.cutout())

    def save(self, path: str | Path, *, as_matte: bool = False) -> None:
        """Save the cutout, or the matte.

        Args:
            path: File to write; its extension picks the format.
            as_matte: Save the matte, white is subject, instead of the cutout.

        Raises:
            OptionError: The photo is not known, so there is no cutout.
            OutputPathError: The path's format is unknown or cannot hold transparency.
            WriteError: The file cannot be written.
        """
        if as_matte:
            imaging.save(path, self.matte.expand(-1, 3, -1, -1), origin="cut out")
            return
        cutout = self.cutout()
        imaging.save(path, cutout[:, :3], alpha=cutout[:, 3:], origin="cut out")


class Segmenter(Protocol):
    """Protocol of segmenters; pass your own object wherever one is taken."""

    @property
    def name(self) -> str:
        """Short name, shown to the user."""

    def segment(self, photo: Tensor) -> Segmentation:
        """Find the subject of a photo, shape (1, 3, H, W), RGB in [0, 1]."""


def check_photo(photo: Tensor) -> Size:
    """Return the size of a photo of shape (1, 3, H, W).

    Raises:
        ShapeError: It has another shape, or no pixels.
    """
    if photo.ndim != 4 or photo.shape[0] != 1 or photo.shape[1] != 3 or photo.numel() == 0:
        raise ShapeError(f"A segmenter takes one RGB photo, shape (1, 3, H, W); got {tuple(photo.shape)}.")
    return Size(photo.shape[2], photo.shape[3])


def check_matte(matte: Tensor) -> Size:
    """Return the size of a matte of shape (1, 1, H, W).

    Raises:
        ShapeError: It has another shape, or no pixels.
    """
    if matte.ndim != 4 or matte.shape[0] != 1 or matte.shape[1] != 1 or matte.numel() == 0:
        raise ShapeError(f"One matte of shape (1, 1, H, W) is needed; got {tuple(matte.shape)}.")
    return Size(matte.shape[2], matte.shape[3])


def coverage_notes(matte: Tensor) -> tuple[str, ...]:
    """Return a sentence if a matte has no subject or no background, nothing otherwise."""
    inside = matte > SUBJECT_THRESHOLD
    if not bool(inside.any()):
        return ("No subject was found: the matte is nowhere above one half.",)
    if bool(inside.all()):
        return ("The subject fills the whole photo: no background was found.",)
    return ()
