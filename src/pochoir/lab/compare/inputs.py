"""Inputs of a comparison: photos, true mattes and boxes, read and checked before the first run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pochoir import imaging
from pochoir._types import Box, Size
from pochoir.errors import ImageReadError, InputError, OptionError, UnknownNameError
from pochoir.imaging import Picture, PictureSource
from pochoir.recipe import DEFAULT_LONG_SIDE_PX
from pochoir.segmentation.grabcut import box_around

TRUTH_BOX_MARGIN = 0.05
"""Margin of the box around a true matte, on each side, as a share of its width or height."""


@dataclass(frozen=True, eq=False)
class Subject:
    """Photo to compare methods on, at the size that all of them see.

    Attributes:
        name: Unique among the photos; used in file names.
        photo: The photo, scaled.
        truth: The true matte at the photo's size, shape (1, 1, H, W); None if it is not known.
        box: The box that is given to GrabCut, in pixels of the scaled photo; None if none is known.
        notes: Conversions.
    """

    name: str
    photo: Picture
    truth: Tensor | None = None
    box: Box | None = None
    notes: tuple[str, ...] = ()


def make_subject(
    name: str,
    photo: PictureSource,
    *,
    truth: PictureSource | None = None,
    box: Box | None = None,
    long_side_px: int = DEFAULT_LONG_SIDE_PX,
) -> Subject:
    """Read one photo, its truth and its box.

    Args:
        name: Name of the photo.
        photo: Path, PIL image, array or ``Picture``.
        truth: The true matte, white is subject.
        box: Rectangle around the subject in pixels of the photo; without one the truth's, a little wider, is taken.
        long_side_px: The photo is scaled to this long side, unless it is smaller.

    Raises:
        ImageReadError: A picture cannot be read.
        InputError: The truth is empty, or the box lies outside of the photo.
    """
    read = imaging.load(photo)
    size = read.size if read.size.long_side <= long_side_px else read.size.fit_long_side(long_side_px)
    notes = [f"{name}: {note}" for note in read.notes]
    matte = None
    if truth is not None:
        loaded = imaging.load_matte(truth, size=read.size)
        notes += [f"{name}: {note.replace('mask', 'truth', 1)}" for note in loaded.notes]
        matte = imaging.resize(loaded.matte, size, mode="bilinear")
        if box_around(matte) is None:
            raise InputError(f"The truth of {name} is empty: it is nowhere above one half.")
    given = None if matte is None else box_around(matte, margin=TRUTH_BOX_MARGIN)
    if box is not None:
        given = _scale_box(box, read.size, size, name)
    return Subject(name, _scaled(read, size), matte, given, tuple(notes))


def read_subjects(
    photos: Mapping[str, Path],
    *,
    truth_dir: Path | None = None,
    boxes: Mapping[str, Box] | None = None,
    long_side_px: int = DEFAULT_LONG_SIDE_PX,
) -> list[Subject]:
    """Read all photos with their truths and boxes.

    Args:
        photos: Their files by their unique names.
        truth_dir: Folder of true mattes; the one of ``a/horse.jpg`` is called ``horse`` with any picture's extension.
        boxes: Boxes by the photos' names, in pixels of the photos.
        long_side_px: Photos are scaled to this long side, unless they are smaller.

    Raises:
        ImageReadError: A picture cannot be read, or the folder of truths holds none that belongs to a photo.
        UnknownNameError: A box is for a photo that is not there.
        InputError: A truth is empty, or a box lies outside of its photo.
    """
    for name in boxes or {}:
        if name not in photos:
            raise UnknownNameError("photo of a box", name, photos)
    truths = {} if truth_dir is None else _find_truths(photos, truth_dir)
    return [
        make_subject(name, path, truth=truths.get(name), box=(boxes or {}).get(name), long_side_px=long_side_px)
        for name, path in photos.items()
    ]


def missing_truths(subjects: Sequence[Subject]) -> tuple[str, ...]:
    """Return a note on photos without a truth where others have one."""
    without = [subject.name for subject in subjects if subject.truth is None]
    if not without or len(without) == len(subjects):
        return ()
    return (f"no truth for {', '.join(without)}: left out where a truth is needed",)


def _find_truths(photos: Mapping[str, Path], folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise ImageReadError(f"--truth takes a folder of true mattes; '{folder}' is not a folder.")
    suffixes = imaging.picture_suffixes()
    by_stem: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in suffixes and not path.name.startswith("."):
            by_stem.setdefault(path.stem, []).append(path)
    found: dict[str, Path] = {}
    for name, photo in photos.items():
        candidates = by_stem.get(photo.stem, [])
        if len(candidates) > 1:
            raise OptionError(
                f"There are several truths of {photo.name}: {', '.join(map(str, candidates))}; keep one of them."
            )
        if candidates:
            found[name] = candidates[0]
    if not found:
        stems = ", ".join(path.stem for path in photos.values())
        raise ImageReadError(f"No picture in '{folder}' has the name of one of the photos: {stems}.")
    return found


def _scale_box(box: Box, photo: Size, size: Size, name: str) -> Box:
    left, top = max(0, box.x), max(0, box.y)
    right, bottom = min(photo.width, box.x + box.width), min(photo.height, box.y + box.height)
    if right <= left or bottom <= top:
        raise OptionError(f"The box {box} lies outside of {name}, which is {photo}.")
    fx, fy = size.width / photo.width, size.height / photo.height
    x, y = min(int(left * fx), size.width - 1), min(int(top * fy), size.height - 1)
    return Box(x, y, max(1, round(right * fx) - x), max(1, round(bottom * fy) - y))


def _scaled(photo: Picture, size: Size) -> Picture:
    """Return the scaled photo in 8 bits, so that a saved copy of it is the same picture."""
    rgb = (imaging.resize(photo.rgb, size) * 255).round().to(torch.uint8)
    return imaging.load(rgb[0].permute(1, 2, 0).contiguous().numpy())
