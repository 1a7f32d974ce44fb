"""Corrections of a matte by the user: points, strokes and a box.

A stroke says for sure what its own pixels are. Its reach beyond them is found in three steps, on a copy of bounded
size. The first finds the object that the stroke lies in: a connected piece of the matte, or of the photo. The second
finds the pieces of that object that no other stroke touches. The third puts the border between the two where the
colours change, by a random walk over the photo.

References:
    Grady, "Random Walks for Image Segmentation", TPAMI 2006, by way of scikit-image; Felzenszwalb and Huttenlocher,
    "Efficient Graph-Based Image Segmentation", IJCV 2004, likewise.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pochoir._types import Box, Size
from pochoir.errors import OptionError, ShapeError
from pochoir.recipe import Points, SegmentSettings
from pochoir.segmentation.grabcut import box_around
from pochoir.segmentation.protocol import SUBJECT_THRESHOLD, check_matte, check_photo
from pochoir.segmentation.stroke_propagation import VISIBLE, share_added, share_kept

WORKING_LONG_SIDE = 512
"""Corrections are spread on a copy of at most this size; a large photo costs hardly more than a small one."""

POINT_RADIUS = 0.003
"""A point is a disc of this radius, as a share of the photo's long side: nobody means a single pixel."""

# A stroke's colour need not be pure, but a lawn or a brick wall must not pass for one.
_STROKE_LEAD = 0.4
_STROKE_LEVEL = 0.6
# Where a scribble was drawn on a copy of the photo itself, only what differs from it is a stroke. A copy saved as JPEG
# differs a little nearly everywhere, and here and there by more than that.
_SAME_AS_PHOTO = 0.12
_LOSSY_FROM = 0.25  # of the pixels
_SPECK = 0.05  # of the area of the largest stroke
_DRAWN_FROM = 0.35  # mean change of colour


@dataclass(frozen=True, eq=False)
class Corrections:
    """Pixels that the user has marked as subject or background.

    Attributes:
        keep: Shape (1, 1, H, W), bool: surely subject.
        drop: Shape (1, 1, H, W), bool: surely background. No pixel is in both.
        box: Everything outside is background.
        notes: Notes on how they were read.
    """

    keep: Tensor = field(repr=False)
    drop: Tensor = field(repr=False)
    box: Box | None = None
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to correct."""
        return self.box is None and not bool(self.keep.any()) and not bool(self.drop.any())

    def stamp(self, matte: Tensor) -> Tensor:
        """Set the matte to 1 under keep, and to 0 under drop and outside the box.

        Args:
            matte: Shape (1, 1, H, W), in [0, 1], of the same size.
        """
        if self.is_empty:
            return matte
        matte = self.within_box(matte)
        return matte.masked_fill(self.keep.to(matte.device), 1.0).masked_fill(self.drop.to(matte.device), 0.0)

    def within_box(self, matte: Tensor) -> Tensor:
        """Set the matte to 0 outside the box; return the matte itself without a box.

        Args:
            matte: Shape (1, 1, H, W), in [0, 1], of the same size.
        """
        if self.box is None:
            return matte
        rows = slice(max(0, self.box.y), max(0, self.box.y + self.box.height))
        columns = slice(max(0, self.box.x), max(0, self.box.x + self.box.width))
        within = torch.zeros_like(matte)
        within[..., rows, columns] = matte[..., rows, columns]
        return within


def check_points(points: Points, size: Size, *, name: str = "points") -> Points:
    """Return the points if all of them lie in the photo.

    Args:
        points: Pixels, counted from the upper left corner.
        size: The photo's size.
        name: Name of the option, for errors.

    Raises:
        OptionError: A point lies outside the photo.
    """
    for x, y in points:
        if not (0 <= x < size.width and 0 <= y < size.height):
            raise OptionError(
                f"{name}: {x},{y} lies outside the photo, which is {size}; "
                f"x goes from 0 to {size.width - 1}, y from 0 to {size.height - 1}."
            )
    return points


def read_corrections(settings: SegmentSettings, photo: Tensor, *, scribble: Tensor | None = None) -> Corrections:
    """Read the points, the strokes and the box that the settings name.

    Args:
        settings: Holds the points and the box.
        photo: The photo that they correct, shape (1, 3, H, W), RGB in [0, 1].
        scribble: The picture of strokes, shape (1, 3, h, w), or (1, 4, h, w) with its opacity. Strong green is
            subject, strong red background; what is transparent, or equal to the photo underneath, is neither.

    Raises:
        OptionError: A point or the box lies outside, the scribble holds no stroke, or keep and drop cover each other.
        ShapeError: It is not one photo, or the scribble has another shape.
    """
    size = check_photo(photo)
    keep = _draw_points(check_points(settings.keep_points, size, name="keep points"), size)
    drop = _draw_points(check_points(settings.drop_points, size, name="drop points"), size)
    notes: tuple[str, ...] = ()
    if scribble is not None:
        green, red, notes = _read_strokes(scribble, photo)
        keep, drop = keep | green, drop | red
    both = keep & drop
    # Where strokes cross, nothing is known; but no kind of stroke may vanish because of that.
    for wanted in (keep, drop):
        if bool(wanted.any()) and not bool((wanted & ~both).any()):
            raise OptionError("Keep and drop lie on the same pixels; move one of them.")
    if settings.box is not None:
        _check_box(settings.box, size)
    surely_in, surely_out = (torch.from_numpy(mask & ~both)[None, None] for mask in (keep, drop))
    return Corrections(surely_in, surely_out, settings.box, notes)


def correct_matte(matte: Tensor, photo: Tensor, corrections: Corrections) -> Tensor:
    """Correct a matte by the user's points, strokes and box.

    A drop stroke removes the object that it lies in, which is a connected piece of the matte. The largest piece, and a
    piece that also holds keep strokes, is divided instead. A keep stroke outside the subject brings in the part of the
    photo that it lies in, up to where the colours change. What is known for sure is exact, and whatever no stroke
    reaches stays as it is, bit for bit.

    Args:
        matte: Shape (1, 1, H, W), in [0, 1].
        photo: The photo it belongs to, shape (1, 3, H, W), RGB in [0, 1].
        corrections: What is known, at the same size.

    Returns:
        The corrected matte, shape (1, 1, H, W), in [0, 1]; the very same without corrections. Its new edges are as
        coarse as the copy that was worked on; refine it afterwards.

    Raises:
        ShapeError: The sizes differ.
    """
    size = check_photo(photo)
    if check_matte(matte) != size or tuple(corrections.keep.shape[-2:]) != tuple(size):
        raise ShapeError(f"Matte, photo and corrections must have one size; got {check_matte(matte)} and {size}.")
    if corrections.is_empty:
        return matte
    matte = corrections.within_box(matte)
    if not bool(corrections.keep.any()) and not bool(corrections.drop.any()):
        return matte
    working = size if size.long_side <= WORKING_LONG_SIDE else size.fit_long_side(WORKING_LONG_SIDE)
    rgb = _shrink(photo[0].detach().permute(1, 2, 0).float().cpu().numpy(), working)
    small = _shrink(matte[0, 0].detach().float().cpu().numpy(), working)
    keep, drop = (_resize_strokes(item[0, 0].numpy(), working) for item in (corrections.keep, corrections.drop))
    kept = share_kept(small, rgb, keep=keep, drop=drop)
    added = share_added(small, rgb, keep=keep, drop=drop)
    matte = matte * _enlarge(kept, size, matte)
    matte = 1.0 - (1.0 - matte) * (1.0 - _enlarge(added, size, matte)) if bool(added.any()) else matte
    return corrections.stamp(matte)


def miss_notes(matte: Tensor, corrections: Corrections) -> tuple[str, ...]:
    """Return sentences on a box or strokes that miss the subject, nothing otherwise.

    Args:
        matte: The matte to be corrected, shape (1, 1, H, W), in [0, 1].
        corrections: The corrections, at the same size.
    """
    notes = []
    inside = matte > SUBJECT_THRESHOLD
    if corrections.box is not None and bool(inside.any()) and not bool(corrections.within_box(inside).any()):
        notes.append(
            f"The box {corrections.box} holds nothing of the subject, which was found in {box_around(matte)}: move the "
            "box there, or find the subject from the box alone with --segmenter grabcut."
        )
    drop = corrections.drop.to(matte.device)
    if bool(drop.any()) and not bool((matte[drop] > VISIBLE).any()):
        notes.append("The drop points and strokes lie outside the subject and remove nothing.")
    return tuple(notes)


def _draw_points(points: tuple[tuple[int, int], ...], size: Size) -> NDArray[np.bool_]:
    canvas = np.zeros(size, np.uint8)
    for point in points:
        cv2.circle(canvas, point, round(POINT_RADIUS * size.long_side), 1, thickness=-1)
    return canvas > 0


def _read_strokes(scribble: Tensor, photo: Tensor) -> tuple[NDArray[np.bool_], NDArray[np.bool_], tuple[str, ...]]:
    if scribble.ndim != 4 or scribble.shape[0] != 1 or scribble.shape[1] not in (3, 4):
        raise ShapeError(f"A scribble has the shape (1, 3, h, w) or (1, 4, h, w); got {tuple(scribble.shape)}.")
    size, own = Size(*photo.shape[-2:]), Size(*scribble.shape[-2:])
    red, green, blue = scribble[0, :3].cpu().unbind(0)  # each (h, w)
    is_drawn = torch.ones_like(red, dtype=torch.bool)
    if scribble.shape[1] == 4:
        is_drawn &= scribble[0, 3].cpu() > 0.5
    difference, is_lossy = torch.ones_like(red), False
    if own == size:
        difference = (scribble[0, :3] - photo[0]).abs().amax(0).cpu()
        is_drawn &= difference > _SAME_AS_PHOTO
        is_lossy = float(((difference > 0) & (difference <= _SAME_AS_PHOTO)).float().mean()) > _LOSSY_FROM
    strokes = []
    for ink, others in ((green, torch.maximum(red, blue)), (red, torch.maximum(green, blue))):
        mask = (is_drawn & (ink >= _STROKE_LEVEL) & (ink - others >= _STROKE_LEAD)).numpy()
        # Resized after the colours are separated: green and red mix to something else.
        strokes.append(_resize_strokes(_without_artefacts(mask, difference.numpy()) if is_lossy else mask, size))
    if not strokes[0].any() and not strokes[1].any():
        raise OptionError(
            "The scribble holds no stroke: draw with strong green (0,255,0) what is subject and with strong red "
            "(255,0,0) what is not."
        )
    notes = () if own == size else (f"The scribble was resized from {own} to {size}.",)
    return strokes[0], strokes[1], notes


def _without_artefacts(strokes: NDArray[np.bool_], difference: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Remove what JPEG makes of a strongly red or green photo: specks, and rims along edges that differ little."""
    _, pieces, facts, _ = cv2.connectedComponentsWithStats(strokes.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S)
    areas = facts[:, cv2.CC_STAT_AREA].copy()
    change = np.bincount(pieces.ravel(), difference.ravel(), len(areas)) / np.maximum(areas, 1)
    change[0] = 0.0  # the ground
    is_stroke = change >= _DRAWN_FROM
    is_stroke &= areas >= _SPECK * areas[is_stroke].max(initial=0)
    return np.asarray(is_stroke[pieces] & strokes)


def _resize_strokes(strokes: NDArray[np.bool_], size: Size) -> NDArray[np.bool_]:
    # The thinnest stroke survives: a small pixel is marked if any of its large pixels is.
    if strokes.shape == tuple(size):
        return strokes
    share = cv2.resize(strokes.astype(np.float32), (size.width, size.height), interpolation=cv2.INTER_AREA)
    return np.asarray(share > (0.0 if size.pixels < strokes.size else 0.5))


def _check_box(box: Box, size: Size) -> None:
    if box.x >= size.width or box.y >= size.height or box.x + box.width <= 0 or box.y + box.height <= 0:
        raise OptionError(
            f"The box {box} lies outside the photo, which is {size}; a box is X,Y,WIDTH,HEIGHT in pixels."
        )


def _shrink(values: NDArray[np.float32], working: Size) -> NDArray[np.float32]:
    if values.shape[:2] == tuple(working):
        return values
    return cv2.resize(values, (working.width, working.height), interpolation=cv2.INTER_AREA).astype(np.float32)


def _enlarge(share: NDArray[np.float32], size: Size, like: Tensor) -> Tensor:
    if share.shape != tuple(size):
        share = cv2.resize(share, (size.width, size.height), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    return torch.from_numpy(share).to(like)[None, None]
