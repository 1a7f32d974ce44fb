"""Windows of a picture: its painted part, its margin, and tiles where it is too large to process whole."""

import itertools
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from pochoir._types import Size

GRID_PX = 16
LEAST_CORE_PX = 128
"""Tiles of a smaller core would mostly be margin."""
FRAME_MARGIN_PX = 8
"""Reflected pixels painted around the frame at every scale. The encoder pads its maps with zeros: without a margin,
strokes curl along the border; see docs/edges.md."""


class Window(NamedTuple):
    """A rectangle of a picture, in its pixels."""

    top: int
    left: int
    size: Size

    def cut(self, tensor: Tensor) -> Tensor:
        """Return the part of a tensor (..., H, W) inside, as a view."""
        return tensor[..., self.top : self.top + self.size.height, self.left : self.left + self.size.width]

    def paste(self, frame: Tensor, part: Tensor) -> Tensor:
        """Return a copy of ``frame`` with ``part`` inside."""
        pasted = frame.clone()
        self.cut(pasted).copy_(part)
        return pasted


class Margin(NamedTuple):
    """Reflected pixels around a picture, by side."""

    top: int = 0
    left: int = 0
    bottom: int = 0
    right: int = 0

    def pad(self, picture: Tensor) -> Tensor:
        """Return a picture (B, C, H, W) with its reflection in the margin, which must be shorter than its sides."""
        if not any(self):
            return picture
        return F.pad(picture, (self.left, self.right, self.top, self.bottom), mode="reflect")

    def padded_size(self, size: Size) -> Size:
        """Return the size of a picture with its margin."""
        return Size(size.height + self.top + self.bottom, size.width + self.left + self.right)

    def crop(self, padded: Tensor) -> Tensor:
        """Return the picture inside of the margin, as a view."""
        height, width = padded.shape[-2:]
        return padded[..., self.top : height - self.bottom, self.left : width - self.right]

    def falloff(self, padded: Size) -> Tensor:
        """Return weights of the pixels of a padded picture, shape (1, 1, H, W).

        They are 1 inside, and fall in the margin in a straight line to 0 at its outer end.
        """
        rows = _falloff(padded.height, self.top, self.bottom)
        columns = _falloff(padded.width, self.left, self.right)
        return torch.minimum(rows[:, None], columns)[None, None]

    def within(self, window: Window, padded: Size) -> "Margin":
        """Return the margin's part of a window of the padded picture."""
        below = padded.height - self.bottom
        beside = padded.width - self.right
        return Margin(
            top=max(0, self.top - window.top),
            left=max(0, self.left - window.left),
            bottom=max(0, window.top + window.size.height - below),
            right=max(0, window.left + window.size.width - beside),
        )


def _falloff(length: int, before: int, after: int) -> Tensor:
    weights, places = torch.ones(length), torch.arange(length) + 0.5
    for width, distance in ((before, places), (after, length - places)):
        if width:
            weights = torch.minimum(weights, distance / width)
    return weights


NO_MARGIN = Margin()


def plan_margin(size: Size, window: Window, frame: Size, *, is_partial: bool) -> Margin:
    """Return the margin of a window at one scale: only sides that lie on the frame's edge have one.

    Args:
        size: Size of the window at this scale.
        window: The window, in the frame's pixels.
        frame: Size of the whole frame.
        is_partial: Whether some pixels of the window are kept. Then the margin above and on the left is ``GRID_PX``, so
            that the positions of the deep layers are still those of the whole frame.
    """
    first_px = GRID_PX if is_partial else FRAME_MARGIN_PX

    def limited(wanted_px: int, side_px: int, is_on_edge: bool) -> int:
        return min(wanted_px, side_px // 4) if is_on_edge else 0  # tiny pictures would mostly be margin

    return Margin(
        top=limited(first_px, size.height, window.top == 0),
        left=limited(first_px, size.width, window.left == 0),
        bottom=limited(FRAME_MARGIN_PX, size.height, window.top + window.size.height == frame.height),
        right=limited(FRAME_MARGIN_PX, size.width, window.left + window.size.width == frame.width),
    )


def find_window(cover: Tensor, *, margin_px: int) -> Window:
    """Find the window that holds everything where a map (1, 1, H, W) is above 0, and a margin.

    The window begins on a multiple of ``GRID_PX``, the stride of the deepest style layer, and ends on one or at the
    frame's end. So the positions of all layers are those of the whole frame. The window holds at least one position of
    the deepest layer if the frame does.
    """
    rows = torch.nonzero(cover[0, 0].amax(dim=1)).flatten()
    columns = torch.nonzero(cover[0, 0].amax(dim=0)).flatten()
    height, width = cover.shape[-2:]
    (top, bottom), (left, right) = (
        _find_side(int(found[0]) - margin_px, int(found[-1]) + 1 + margin_px, length)
        for found, length in ((rows, height), (columns, width))
    )
    return Window(top, left, Size(bottom - top, right - left))


def _find_side(start: int, stop: int, length: int) -> tuple[int, int]:
    last = max(0, length - GRID_PX)  # from here on no whole position is left
    return max(0, min(start, last)) // GRID_PX * GRID_PX, min(length, -(-stop // GRID_PX) * GRID_PX)


class Tile(NamedTuple):
    """A part of a picture whose features are computed by themselves.

    Attributes:
        shown: Part that the encoder sees: the core and a margin as wide as its receptive field reaches, so that the
            features of the core are those of the whole picture.
        core: Part whose features are used. The cores of a plan cover the picture once.
    """

    shown: Window
    core: Window

    def positions(self, stride: int) -> Window:
        """Return the core among the positions of a layer of that stride over the whole picture.

        A core at the end of the picture ends with its last whole position, as the encoder's pooling does.
        """
        top, left = self.core.top // stride, self.core.left // stride
        bottom = (self.core.top + self.core.size.height) // stride
        right = (self.core.left + self.core.size.width) // stride
        return Window(top, left, Size(bottom - top, right - left))

    def positions_shown(self, stride: int) -> Window:
        """Return the same, counted from the first position of the tile."""
        top, left, size = self.positions(stride)
        return Window(top - self.shown.top // stride, left - self.shown.left // stride, size)

    def core_of(self, map_: Tensor, stride: int) -> Tensor:
        """Return the core's part of a tile's map, (..., h, w), of a layer of that stride."""
        return self.positions_shown(stride).cut(map_)


def plan_tiles(size: Size, *, most_px: float, margin_px: int, grid_px: int) -> tuple[Tile, ...]:
    """Divide a picture so that no tile shows more than ``most_px`` pixels, with the least margin in all.

    Args:
        size: Of the picture.
        most_px: Pixels shown at once. Tiles are not made so small that their margins outweigh them: the cores stay at
            least about 128 pixels wide and high, even if that is more.
        margin_px: Radius of the encoder's receptive field.
        grid_px: Stride of its deepest layer, a power of two: tiles begin on multiples of it, so that the positions
            of every layer are those of the whole picture.

    Returns:
        Tiles row by row; a single one for a picture that fits.
    """
    margin_px = -(-margin_px // grid_px) * grid_px
    plans = [
        _divide(size, rows, columns, margin_px, grid_px)
        for rows, columns in itertools.product(*(range(1, max(1, side // LEAST_CORE_PX) + 1) for side in size))
    ]
    fitting = [plan for plan in plans if max(tile.shown.size.pixels for tile in plan) <= most_px]
    # The last plan has the smallest tiles of all.
    return min(fitting, key=lambda plan: sum(tile.shown.size.pixels for tile in plan), default=plans[-1])


def _divide(size: Size, rows: int, columns: int, margin_px: int, grid_px: int) -> tuple[Tile, ...]:
    return tuple(
        Tile(
            shown=Window(above, before, Size(below - above, after - before)),
            core=Window(top, left, Size(bottom - top, right - left)),
        )
        for top, bottom, above, below in _cut_side(size.height, rows, margin_px, grid_px)
        for left, right, before, after in _cut_side(size.width, columns, margin_px, grid_px)
    )


def _cut_side(length: int, count: int, margin_px: int, grid_px: int) -> list[tuple[int, int, int, int]]:
    """Start and end of each core, and of each with its margin."""
    cuts = [round(length * index / count / grid_px) * grid_px for index in range(count)] + [length]
    return [
        (start, stop, max(0, start - margin_px), min(length, stop + margin_px))
        for start, stop in itertools.pairwise(cuts)
    ]
