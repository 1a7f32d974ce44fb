"""Marbling (ebru): drops of ink that push each other aside, then combs and a stylus drawn through them.

The motions are those of ideal ink on water (Lu, Jaffer, Jin, Zhao and Mao, "Mathematical Marbling", IEEE Computer
Graphics and Applications 2012). A drop moves every point outwards and keeps areas. A tine carries the ink along its
line, less with the distance from it. Outlines of drops are moved as polygons. Combs and stylus are
undone pixel by pixel, which is exact since they do not change the distance that decides how far they carry.
"""

from typing import NamedTuple

import cv2
import numpy as np

from pochoir.styles.canvas import Bytes, Canvas, Field
from pochoir.styles.color import colors, to_floats
from pochoir.styles.noise import fractal_noise, smooth_noise
from pochoir.styles.shapes import discs, fill
from pochoir.styles.surface import paper_grain

_WATER = colors("#1d2f6f")[0]
_INKS = colors("#0f1a3c #f4ead0 #b51f2e #f2ab2e #137b8e #fbf6e6 #2746a0 #0c0e16 #e4573a #86c1b9 #5a1f4f")
_OUTLINE_POINTS = 120
_RINGS = 7
_RING_AREA = 0.0016
_PUSH_REACH = 0.6
"""Distance, in short sides, beyond which a stone pushes by less than a hundredth of it."""
_MARGIN = 0.25
"""Margin of ink around the sheet; without it the combs would drag bare water in."""


class _Tines(NamedTuple):
    angle: float
    spacing: float
    shift: float
    reach: float


def paint(canvas: Canvas, rng: np.random.Generator) -> Field:
    """Draw the picture, float32, (H, W, 3)."""
    bath = canvas.widened(_MARGIN)
    floating = to_floats(_drop_inks(bath, rng))
    floating *= (1.0 + 0.16 * fractal_noise(bath, rng, 22, octaves=3, gain=0.8))[..., None]
    x, y = _undo_tools(canvas, rng)
    sheet = cv2.remap(floating, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    uptake = 1.0 + 0.05 * paper_grain(canvas, rng) + 0.05 * smooth_noise(canvas, rng, 3)
    taken_up: Field = sheet * uptake[..., None]
    return taken_up


def _drop_inks(bath: Canvas, rng: np.random.Generator) -> Bytes:
    water = np.empty((*bath.size, 3), dtype=np.uint8)
    water[:] = (_WATER * 255).astype(np.uint8)
    for rings in _stones(rng, bath.scatter(rng, 0.15)):
        for outline in rings:
            fill(water, bath, outline, _INKS[rng.integers(len(_INKS))])
    specks = bath.scatter(rng, 0.06)
    sizes = rng.uniform(0.003, 0.012, len(specks))
    for start, color in enumerate(_INKS):
        discs(water, bath, specks[start :: len(_INKS)], sizes[start :: len(_INKS)], color)
    return water


def _stones(rng: np.random.Generator, centers: Field) -> Field:
    """Return outlines of rings of ink, shape (stones, rings, points, 2), the outer ring first.

    Drops let fall on one spot make rings, which push the rings of the earlier stones aside as one large drop would.
    """
    areas = rng.uniform(0.2, 1.0, (len(centers), _RINGS)).cumsum(axis=1)[:, ::-1] * _RING_AREA
    turn = np.linspace(0.0, 2 * np.pi, _OUTLINE_POINTS, endpoint=False)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    outlines: Field = (centers[:, None, None] + np.sqrt(areas)[..., None, None] * circle).astype(np.float32)
    for index, center in enumerate(centers):
        near = np.flatnonzero(np.abs(centers[:index] - center).max(axis=1, initial=0.0) < _PUSH_REACH)
        away = outlines[near] - center
        squared = np.maximum(away[..., :1] ** 2 + away[..., 1:] ** 2, 1e-8)
        outlines[near] = center + away * np.sqrt(1.0 + np.float32(areas[index, 0]) / squared)
    return outlines


def _undo_tools(canvas: Canvas, rng: np.random.Generator) -> tuple[Field, Field]:
    """Return the place of each pixel's ink before combs and stylus, as columns and rows for a remap."""
    # The motions are smooth, so every other pixel is enough.
    coarse = Canvas(canvas.size.scaled(0.5), canvas.height, canvas.width, canvas.unit_px / 2)
    x, y = (np.ascontiguousarray(np.broadcast_to(axis, coarse.size)) for axis in coarse.grid())
    for center in canvas.scatter(rng, 0.6):
        ring, carry = rng.uniform(0.05, 0.13), rng.choice((-1.0, 1.0)) * rng.uniform(0.2, 0.45)
        x, y = _unwind(x, y, center, ring=ring, carry=carry)
    lean = rng.uniform(-0.2, 0.2)
    for tines in (_Tines(np.pi / 2 + lean, 0.085, 0.13, 0.016), _Tines(lean, 0.26, 0.22, 0.09)):
        x, y = _uncomb(x, y, tines)
    size = (canvas.size.width, canvas.size.height)
    columns, rows = (cv2.resize((axis + _MARGIN) * canvas.unit_px - 0.5, size) for axis in (x, y))
    return columns, rows


def _uncomb(x: Field, y: Field, tines: _Tines) -> tuple[Field, Field]:
    along_x, along_y = np.float32(np.cos(tines.angle)), np.float32(np.sin(tines.angle))
    across = (y * along_x - x * along_y) / np.float32(tines.spacing)
    # Neighbouring tines run in opposite directions, so that half-way between two the ink stays where it is.
    tooth = np.rint(across)
    gap = np.abs(across - tooth)
    fade = np.float32(-tines.spacing / tines.reach)
    carry = (cv2.exp(gap * fade) - cv2.exp((1.0 - gap) * fade)) * np.float32(tines.shift) * (1.0 - 2.0 * (tooth % 2))
    return x - carry * along_x, y - carry * along_y


def _unwind(x: Field, y: Field, center: Field, *, ring: float, carry: float) -> tuple[Field, Field]:
    """Undo a stylus that went once round ``center`` at the distance ``ring``."""
    away_x, away_y = x - center[0], y - center[1]
    radius = cv2.magnitude(away_x, away_y)
    angle = cv2.exp(np.abs(radius - np.float32(ring)) * np.float32(-20.0)) * np.float32(-carry)
    angle /= np.maximum(radius, 0.04)
    cosine, sine = np.cos(angle), np.sin(angle)
    return center[0] + away_x * cosine - away_y * sine, center[1] + away_x * sine + away_y * cosine
