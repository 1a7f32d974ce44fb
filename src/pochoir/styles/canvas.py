"""Canvas of a style: lengths are in short sides, and drawings are made larger than needed and averaged down."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from pochoir._types import Size

Field = npt.NDArray[Any]
"""Floats: a number for each pixel, (H, W), a colour for each pixel, (H, W, 3), or points, (N, 2) as x and y.

Pixels are float32. OpenCV declares its results as any kind of number, hence no narrower type. Colours are sRGB in
[0, 1].
"""
Bytes = npt.NDArray[np.uint8]
"""A picture with 8 bits a channel; OpenCV smooths the edges of shapes in these only."""

OVERSAMPLING = 2.0
MIN_WORKING_SIDE_PX = 400
"""A line is drawn at least a pixel wide, so on a smaller canvas fine lines would come out too heavy."""
MAX_WORKING_PIXELS = 6_000_000


@dataclass(frozen=True)
class Canvas:
    """Geometry of a drawing; positions and lengths are in units of the short side, y downwards.

    Attributes:
        size: Size in pixels at which the style draws.
        height: Height in short sides, at least 1.
        width: Width in short sides, at least 1.
        unit_px: Pixels in one short side.
    """

    size: Size
    height: float
    width: float
    unit_px: float

    def widened(self, margin: float) -> "Canvas":
        """Return this canvas with a margin on all four sides, in its short sides; the origin is the new corner."""
        border = 2 * round(self.px(margin))
        size = Size(self.size.height + border, self.size.width + border)
        return Canvas(size, self.height + 2 * margin, self.width + 2 * margin, self.unit_px)

    def px(self, length: float) -> float:
        """Return a length in pixels."""
        return length * self.unit_px

    def grid(self) -> tuple[Field, Field]:
        """Return the coordinates of the pixel centres: x of shape (1, W) and y of shape (H, 1), to be broadcast."""
        x = (np.arange(self.size.width, dtype=np.float32) + 0.5) / np.float32(self.unit_px)
        y = (np.arange(self.size.height, dtype=np.float32) + 0.5) / np.float32(self.unit_px)
        return x[None, :], y[:, None]

    def count(self, per_square: float) -> int:
        """Return the number of things to draw where a square picture gets ``per_square``."""
        return max(1, round(per_square * self.height * self.width))

    def scatter(self, rng: np.random.Generator, spacing: float, *, margin: float = 0.0) -> Field:
        """Return the points of a jittered grid over the canvas and a margin, in random order, shape (N, 2) as x, y."""
        columns = math.ceil((self.width + 2 * margin) / spacing)
        rows = math.ceil((self.height + 2 * margin) / spacing)
        cells = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2)
        points = (cells + rng.random(cells.shape)) * spacing - margin
        return rng.permutation(points).astype(np.float32)

    def sample(self, picture: Field, points: Field) -> Field:
        """Return a picture's values at the points (N, 2); points outside take the nearest edge pixel."""
        column, row = (np.asarray(points).T * self.unit_px).astype(int)
        values: Field = picture[np.clip(row, 0, self.size.height - 1), np.clip(column, 0, self.size.width - 1)]
        return values


Painter = Callable[[Canvas, np.random.Generator], Field]


def render(paint: Painter, size: Size, seed: int) -> Bytes:
    """Draw on a canvas that suits a size, and scale the drawing to that size.

    Args:
        paint: Draws an RGB picture, float32, (H, W, 3), at the canvas's own size; it may leave [0, 1].
        size: Size of the result in pixels.
        seed: Seed of the generator that the style draws with.

    Returns:
        RGB picture, uint8, shape (size.height, size.width, 3).
    """
    factor = max(OVERSAMPLING, MIN_WORKING_SIDE_PX / size.short_side)
    factor = min(factor, math.sqrt(MAX_WORKING_PIXELS / size.pixels))
    working = size.scaled(factor)
    height, width = size.height / size.short_side, size.width / size.short_side
    # The larger of the two, so that rounding the sides to whole pixels leaves no pixel outside the canvas.
    unit_px = max(working.height / height, working.width / width)
    canvas = Canvas(working, height, width, unit_px)
    picture: Field = np.clip(paint(canvas, np.random.default_rng(seed)), 0.0, 1.0)
    how = cv2.INTER_AREA if factor >= 1 else cv2.INTER_CUBIC
    picture = cv2.resize(picture, (size.width, size.height), interpolation=how)
    return (np.clip(picture, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
