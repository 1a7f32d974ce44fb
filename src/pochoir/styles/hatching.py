"""Hatching: pen strokes in four inks that follow the folds of the land and cross where it is dark."""

from typing import NamedTuple

import cv2
import numpy as np

from pochoir.styles.canvas import Bytes, Canvas, Field
from pochoir.styles.color import colors, mix, ramp, smoothstep, to_bytes, to_floats
from pochoir.styles.noise import fractal_noise, smooth_noise
from pochoir.styles.shapes import fill, tapered
from pochoir.styles.surface import paper_grain

_PAPER = colors("#f3e8cf")[0]


class _Pass(NamedTuple):
    """One pass with one pen."""

    color: str
    turn: float
    """Angle to the folds, in radians."""
    spacing: float
    darker_than: float
    """Tone below which strokes are drawn."""
    length: float
    width: float


_PASSES = (
    _Pass("#1f7fa0", 0.15, 0.0215, 1.10, 0.090, 0.0030),
    _Pass("#e0481f", -0.30, 0.0215, 0.80, 0.085, 0.0033),
    _Pass("#2238a0", 0.0, 0.0200, 0.58, 0.095, 0.0036),
    _Pass("#1c1424", 1.05, 0.0175, 0.36, 0.058, 0.0034),
    _Pass("#100c18", -0.85, 0.0175, 0.20, 0.058, 0.0038),
)
_POINTS = 9


def paint(canvas: Canvas, rng: np.random.Generator) -> Field:
    """Draw the picture, float32, (H, W, 3)."""
    tone, folds, tint = _land(canvas, rng)
    sheet = _washes(canvas, rng, tone, tint)
    drawn = to_bytes(sheet)
    for pen in _PASSES:
        _hatch(drawn, canvas, rng, pen, tone, folds)
    return to_floats(drawn) * (1.0 + 0.035 * paper_grain(canvas, rng))[..., None]


def _land(canvas: Canvas, rng: np.random.Generator) -> tuple[Field, Field, Field]:
    """Return the tone (0 dark, 1 light), the direction of the folds in radians, and the tint of the wash (0 to 1)."""
    x, y = canvas.grid()
    warp_x = 0.16 * fractal_noise(canvas, rng, 1.7, octaves=2)
    warp_y = 0.16 * fractal_noise(canvas, rng, 1.7, octaves=2)
    height: Field = (
        fractal_noise(canvas, rng, 1.5, octaves=2) + 0.22 * np.sin((y + warp_y) * 15.0 + 6.0 * warp_x) + 0.15 * (x - y)
    )
    slope_y, slope_x = np.gradient(cv2.GaussianBlur(height, (0, 0), canvas.px(0.004)), 1.0 / canvas.unit_px)
    steep = np.sqrt(1.0 + 0.35 * (slope_x * slope_x + slope_y * slope_y))
    lit = (1.0 + 0.6 * slope_x + 0.55 * slope_y) / steep
    tone = _equalized(lit + 0.25 * fractal_noise(canvas, rng, 5, octaves=3))
    folds = np.arctan2(slope_x, -slope_y)
    return tone, folds, smoothstep(-0.9, 0.9, smooth_noise(canvas, rng, 2.4) + 0.5 * height)


def _equalized(values: Field) -> Field:
    """Spread values so that every tone from 0 to 1 covers the same area, whatever the seed."""
    shares = np.linspace(0.0, 1.0, 65)
    return np.interp(values, np.quantile(values[::8, ::8], shares), shares).astype(np.float32)


def _washes(canvas: Canvas, rng: np.random.Generator, tone: Field, tint: Field) -> Field:
    mottle = fractal_noise(canvas, rng, 7, octaves=4, gain=0.6)
    wash = ramp(tint + 0.15 * mottle, "#f7b032 #f2855a #fbe08a #8fd6bc #7fb4e8 #e29ac8")
    strength = 0.42 + 0.50 * smoothstep(1.0, 0.3, tone + 0.15 * mottle)
    sheet = mix(np.broadcast_to(_PAPER, (*canvas.size, 3)), wash, strength)
    sheet *= (1.0 + 0.05 * mottle)[..., None]
    return sheet


def _hatch(drawn: Bytes, canvas: Canvas, rng: np.random.Generator, pen: _Pass, tone: Field, folds: Field) -> None:
    """Draw one pass of strokes; all are traced together through the folds, each from its middle."""
    middles = canvas.scatter(rng, pen.spacing, margin=0.02)
    # All random numbers are drawn before any stroke is left out, so that they do not depend on the resolution.
    edge, swerve = rng.uniform(-0.04, 0.04, len(middles)), pen.turn + rng.normal(0.0, 0.06, len(middles))
    lengths, weights = rng.uniform(0.5, 1.2, len(middles)), rng.uniform(0.75, 1.2, len(middles))
    wanted = pen.darker_than - canvas.sample(tone, middles)
    keep = wanted > edge
    middles, wanted, swerve, weights = middles[keep], wanted[keep], swerve[keep], weights[keep]
    step = pen.length * lengths[keep] / (_POINTS - 1)
    halves = [_trace(canvas, folds, middles, swerve, step * sign) for sign in (-1, 1)]
    curves = np.concatenate([halves[0][::-1], halves[1][1:]]).transpose(1, 0, 2)
    widths = pen.width * np.clip(0.55 + 1.6 * wanted, 0.5, 1.25) * weights
    profile = np.sin(np.linspace(0.15, np.pi - 0.05, curves.shape[1])).astype(np.float32) ** 0.6
    color = colors(pen.color)[0]
    for outline in tapered(curves, widths[:, None] * profile):
        fill(drawn, canvas, outline, color)


def _trace(canvas: Canvas, folds: Field, start: Field, swerve: Field, step: Field) -> Field:
    points = [start]
    # Folds have no direction: a stroke continues on the side that it is heading to.
    heading = canvas.sample(folds, start) + swerve
    for _ in range(_POINTS // 2):
        at = points[-1] + step[:, None] * np.stack([np.cos(heading), np.sin(heading)], axis=1)
        points.append(at.astype(np.float32))
        turned = canvas.sample(folds, points[-1]) + swerve
        heading = turned + np.pi * (np.cos(turned - heading) < 0)
    return np.stack(points)
