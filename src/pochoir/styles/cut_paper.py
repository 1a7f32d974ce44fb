"""Cut paper: fronds, pebbles and stars cut from gouache-painted sheets, laid with their shadows on bold blocks."""

import cv2
import numpy as np

from pochoir.styles.canvas import Bytes, Canvas, Field
from pochoir.styles.color import colors, jitter, mix, smoothstep, to_floats
from pochoir.styles.noise import fractal_noise, slanted_streaks, smooth_noise
from pochoir.styles.shapes import smooth_curve, tapered
from pochoir.styles.surface import paper_grain, relief

_SHEETS = colors("#0e4fa8 #f04e23 #f7b71d #0f8a55 #e8387f #f6efe0 #14171f #5fb7d9 #7b3fa0 #93c83e #b81f32")
_STREAK_ANGLES = (0.15, 0.9, 1.7, 2.5)
_SPACINGS = (0.30, 0.21, 0.15)
"""Distance between the shapes of each layer, in short sides; shapes are smaller in the upper layers."""
_SHADOW_OFFSET = 0.008
_SHADOW_BLUR = 0.007


def paint(canvas: Canvas, rng: np.random.Generator) -> Field:
    """Draw the picture, float32, (H, W, 3)."""
    streaks = [slanted_streaks(canvas, rng, angle=angle, across=150, along=4) for angle in _STREAK_ANGLES]
    washes = fractal_noise(canvas, rng, 5, octaves=3)
    blocks = _blocks(canvas, rng)
    picture = _gouache(rng, blocks, streaks, washes)
    for spacing in _SPACINGS:
        sheet = _cut_outs(canvas, rng, spacing)
        picture = _lay(canvas, rng, picture, sheet, _gouache(rng, sheet, streaks, washes))
    return picture + 0.045 * paper_grain(canvas, rng)[..., None]


def _blocks(canvas: Canvas, rng: np.random.Generator) -> Bytes:
    """Return the sheet number of each pixel of the ground: upright blocks of unequal width and height, cut by hand."""
    sheet = np.zeros(canvas.size, dtype=np.uint8)
    left = -0.05
    while left < canvas.width:
        right = left + rng.uniform(0.16, 0.34)
        top = -0.05
        while top < canvas.height:
            bottom = top + rng.uniform(0.18, 0.42)
            corners = np.array([(left, top), (right, top), (right, bottom + 0.05), (left, bottom + 0.05)])
            _stencil(sheet, canvas, corners + rng.normal(0.0, 0.008, corners.shape), int(rng.integers(1, 256)))
            top = bottom
        left = right
    return sheet


def _cut_outs(canvas: Canvas, rng: np.random.Generator, spacing: float) -> Bytes:
    """Return the sheet number of each pixel of a layer of shapes, 0 where there is none."""
    sheet = np.zeros(canvas.size, dtype=np.uint8)
    kinds = (_frond, _frond, _pebble, _star, _ribbon)
    for center in canvas.scatter(rng, spacing, margin=0.1):
        outline = kinds[rng.integers(len(kinds))](rng) * spacing * rng.uniform(0.45, 0.75)
        turn = rng.uniform(0, 2 * np.pi)
        rotation = np.array([(np.cos(turn), np.sin(turn)), (-np.sin(turn), np.cos(turn))])
        _stencil(sheet, canvas, outline @ rotation + center, int(rng.integers(1, 256)))
    return sheet


def _stencil(sheet: Bytes, canvas: Canvas, outline: Field, number: int) -> None:
    # No smooth edges here: a blend of two sheet numbers would be a third sheet.
    cv2.fillPoly(sheet, [(outline * canvas.unit_px).round().astype(np.int32)], float(number))


def _frond(rng: np.random.Generator) -> Field:
    """Return the outline of a seaweed leaf: rounded lobes on both sides of a stem; about 2 long."""
    lobes = int(rng.integers(4, 7))
    knots = [(-1.0, -0.06)]
    for lobe in range(lobes):
        at = -0.85 + 1.7 * lobe / lobes
        reach = rng.uniform(0.40, 0.62) * (1.0 - 0.45 * abs(at))
        knots += [(at + 0.02, -0.09), (at + 0.10, -reach), (at + 0.24, -reach - 0.02), (at + 0.20, -0.12)]
    knots.append((1.0, 0.0))
    upper = np.array(knots)
    lower = upper[::-1] * (1.0, -rng.uniform(0.8, 1.1))
    outline = smooth_curve(np.concatenate([upper, lower]), samples=6)
    bend = rng.uniform(-0.35, 0.35)
    outline[:, 1] += bend * (outline[:, 0] ** 2 - 0.5)
    return outline


def _pebble(rng: np.random.Generator) -> Field:
    radii = rng.uniform(0.45, 0.9, 7)
    # The knots overlap by two, so that the curve closes without a corner.
    turn = np.linspace(0.0, 2 * np.pi, len(radii), endpoint=False)
    knots = np.stack([np.cos(turn), np.sin(turn)], axis=1) * radii[:, None]
    return smooth_curve(np.concatenate([knots, knots[:3]]), samples=8)[8:-9]


def _star(rng: np.random.Generator) -> Field:
    points = int(rng.integers(5, 9))
    radii = np.where(np.arange(2 * points) % 2 == 0, 0.95, 0.42) * rng.uniform(0.85, 1.1, 2 * points)
    turn = np.linspace(0.0, 2 * np.pi, 2 * points, endpoint=False)
    star: Field = np.stack([np.cos(turn), np.sin(turn)], axis=1) * radii[:, None]
    return star


def _ribbon(rng: np.random.Generator) -> Field:
    x = np.linspace(-1.2, 1.2, 40)
    spine = np.stack([x, 0.28 * np.sin(x * rng.uniform(3.5, 5.5) + rng.uniform(0, 6))], axis=1)
    return tapered(spine, 0.26 * np.cos(x * 1.2) + 0.06)


def _gouache(rng: np.random.Generator, sheet: Bytes, streaks: list[Field], washes: Field) -> Field:
    """Return painted paper for each sheet number: one colour, brushed in one direction, thicker and thinner."""
    shades = jitter(rng, _SHEETS[rng.integers(len(_SHEETS), size=256)], hue=0.02, value=0.02)
    brushed = np.choose(rng.integers(len(streaks), size=256)[sheet], streaks)
    thin = 0.28 * smoothstep(0.25, 1.1, brushed + 0.5 * washes)
    thick = 1.0 - 0.25 * smoothstep(-0.2, -1.1, brushed + 0.7 * washes)
    painted: Field = shades[sheet]
    painted *= ((1.0 - thin) * thick)[..., None]
    painted += (thin * thick)[..., None]
    return painted


def _lay(canvas: Canvas, rng: np.random.Generator, under: Field, sheet: Bytes, paper: Field) -> Field:
    """Lay cut paper on a picture: its shadow falls below it, its edge catches the light."""
    shape = to_floats((sheet > 0).astype(np.uint8) * np.uint8(255))
    # A shadow is soft, so a quarter of the resolution holds it.
    small = cv2.resize(shape, canvas.size.scaled(0.25)[::-1], interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), canvas.px(_SHADOW_BLUR / 4))
    offset = canvas.px(_SHADOW_OFFSET / 4)
    soft = cv2.warpAffine(soft, np.array([(1, 0, offset * 0.7), (0, 1, offset)]), small.shape[::-1])
    shadow = cv2.resize(soft, canvas.size[::-1]) * (0.55 + 0.16 * smooth_noise(canvas, rng, 5))
    under = under * (1.0 - shadow)[..., None]
    edge = cv2.GaussianBlur(shape, (0, 0), max(canvas.px(0.0012), 0.4))
    return mix(under, paper + relief(canvas, edge, depth=0.07)[..., None], shape)
