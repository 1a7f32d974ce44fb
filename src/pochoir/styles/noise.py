"""Random fields that depend on the seed and the canvas's shape, not on its resolution."""

import math

import cv2
import numpy as np

from pochoir.styles.canvas import Canvas, Field

_NODE_PX = 12
"""Pixels per cell of coarse noise, which is then enlarged; this is much faster."""


def smooth_noise(canvas: Canvas, rng: np.random.Generator, cells_x: float, cells_y: float | None = None) -> Field:
    """Return random values on a lattice, interpolated with cubics.

    Args:
        canvas: Where the field is sampled.
        rng: Source of the lattice values.
        cells_x: Lattice cells per short side, across.
        cells_y: The same, down; as ``cells_x`` if not given. Unequal values give streaks.

    Returns:
        Field (H, W), mean about 0, mostly within [-1, 1].
    """
    cells_y = cells_x if cells_y is None else cells_y
    # Two spare nodes on each side keep the border's replicated values out of the picture.
    rows, columns = math.ceil(canvas.height * cells_y) + 4, math.ceil(canvas.width * cells_x) + 4
    lattice = rng.uniform(-1.0, 1.0, (rows, columns)).astype(np.float32)
    height, width = _px(rows, canvas, cells_y), _px(columns, canvas, cells_x)
    top, left = _px(2, canvas, cells_y), _px(2, canvas, cells_x)
    coarse = (min(width, columns * _NODE_PX), min(height, rows * _NODE_PX))
    field = cv2.resize(lattice, coarse, interpolation=cv2.INTER_CUBIC)
    field = cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(field[top : top + canvas.size.height, left : left + canvas.size.width])


def _px(nodes: int, canvas: Canvas, cells: float) -> int:
    return math.ceil(nodes / cells * canvas.unit_px)


def fractal_noise(
    canvas: Canvas, rng: np.random.Generator, cells: float, *, octaves: int = 4, gain: float = 0.5
) -> Field:
    """Return a sum of noises, each twice as fine as the one before and ``gain`` times as strong.

    Returns:
        Field (H, W), mean about 0, mostly within [-1, 1].
    """
    total = smooth_noise(canvas, rng, cells)
    weight = 1.0
    for octave in range(1, octaves):
        weight *= gain
        total += weight * smooth_noise(canvas, rng, cells * 2**octave)
    total *= np.float32((1 - gain) / (1 - gain**octaves) * 1.4)
    return total


def slanted_streaks(canvas: Canvas, rng: np.random.Generator, *, angle: float, across: float, along: float) -> Field:
    """Return streaks in one direction.

    Args:
        canvas: Where the field is sampled.
        rng: Source of the lattice values.
        angle: Direction of the streaks in radians, from the x axis towards the y axis.
        across: Streaks per short side.
        along: Changes per short side along a streak.

    Returns:
        Field (H, W), mean about 0, mostly within [-1, 1].
    """
    side = math.hypot(canvas.height, canvas.width)
    side_px = math.ceil(side * canvas.unit_px)
    lattice_size = (math.ceil(side * along) + 2, math.ceil(side * across) + 2)
    lattice = rng.uniform(-1.0, 1.0, lattice_size[::-1]).astype(np.float32)
    straight = cv2.resize(lattice, (side_px, side_px), interpolation=cv2.INTER_LINEAR)
    turn = cv2.getRotationMatrix2D((side_px / 2, side_px / 2), -math.degrees(angle), 1.0)
    turn[0, 2] += (canvas.size.width - side_px) / 2
    turn[1, 2] += (canvas.size.height - side_px) / 2
    return cv2.warpAffine(straight, turn, (canvas.size.width, canvas.size.height), borderMode=cv2.BORDER_REFLECT)


def ridge_line(canvas: Canvas, rng: np.random.Generator, cells: float) -> Field:
    """Return fractal noise along x, five octaves: an outline of mountains, shape (1, W), mostly within [-1, 1]."""
    total = np.zeros((1, canvas.size.width), dtype=np.float32)
    for octave in range(5):
        nodes = math.ceil(canvas.width * cells * 2**octave) + 4
        lattice = rng.uniform(-1.0, 1.0, (1, nodes)).astype(np.float32)
        line = cv2.resize(lattice, (_px(nodes, canvas, cells * 2**octave), 1), interpolation=cv2.INTER_CUBIC)
        start = _px(2, canvas, cells * 2**octave)
        total += 0.7 * 0.5**octave * line[:, start : start + canvas.size.width]
    return total
