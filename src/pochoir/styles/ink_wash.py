"""Ink wash (sumi-e): misty mountains and bamboo in black ink, with vermilion and indigo, on fibrous paper."""

import math
from collections.abc import Iterator

import cv2
import numpy as np

from pochoir.styles.canvas import Bytes, Canvas, Field
from pochoir.styles.color import colors, pigment, smoothstep, to_floats
from pochoir.styles.noise import fractal_noise, ridge_line, smooth_noise
from pochoir.styles.shapes import discs, fill, stroke, tapered
from pochoir.styles.surface import paper_grain

_PAPER = colors("#efe4cc")[0]
_INK = "#2b2f38"
_INDIGO = "#3d6c9c"
_VERMILION = "#d9482f"
_OCHRE = "#d8b46a"
_SUN_RADIUS = 0.105
_FIRST_RANGE = 0.34
_RANGE_STEP = 0.125
_CANES = 2
"""Canes in one short side."""


def paint(canvas: Canvas, rng: np.random.Generator) -> Field:
    """Draw the picture, float32, (H, W, 3)."""
    fibres = _fibres(canvas, rng)
    bleed = fractal_noise(canvas, rng, 6, octaves=3)
    picture: Field = _PAPER * (1.0 + 0.05 * fibres)[..., None]
    for code, density in _sky(canvas, rng, bleed):
        picture = pigment(picture, code, density * (1.0 + 0.25 * fibres))
    _mountains(picture, canvas, rng, bleed, fibres)
    for code, density in _brushwork(canvas, rng):
        picture = pigment(picture, code, _soak(canvas, density, bleed, fibres))
    return picture


def _fibres(canvas: Canvas, rng: np.random.Generator) -> Field:
    """Return paper of long fibres: its grain, and hairs that take more ink."""
    hairs = np.zeros(canvas.size, dtype=np.uint8)
    for start in canvas.scatter(rng, 0.035):
        angle, length = rng.uniform(0, np.pi), rng.uniform(0.02, 0.06)
        bends = np.array([(np.cos(angle), np.sin(angle))]) * np.linspace(0, length, 4)[:, None]
        stroke(hairs, canvas, start + bends + rng.normal(0, 0.003, (4, 2)), _grey(1.0), 0.0008)
    return 0.7 * paper_grain(canvas, rng) + 0.9 * to_floats(hairs)


def _sky(canvas: Canvas, rng: np.random.Generator, bleed: Field) -> Iterator[tuple[str, Field]]:
    x, y = canvas.grid()
    sun = np.hypot(x - np.float32(canvas.width * rng.uniform(0.55, 0.75)), y - np.float32(0.22)) + 0.012 * bleed
    clouds = smooth_noise(canvas, rng, 2.0, 5.0) + 0.5 * bleed
    blue = 0.75 * smoothstep(0.0, 1.2, clouds + 0.4 - 1.2 * y)
    yield _INDIGO, blue * (sun > _SUN_RADIUS)
    yield _OCHRE, 0.9 * smoothstep(0.0, 1.1, smooth_noise(canvas, rng, 2.5) + 0.4 * bleed)
    yield _VERMILION, _wash(sun - np.float32(_SUN_RADIUS)) * np.maximum(0.9 + 0.35 * bleed, 0.0)


def _mountains(picture: Field, canvas: Canvas, rng: np.random.Generator, bleed: Field, fibres: Field) -> None:
    """Paint mountain ranges in place, from far to near; each dissolves downwards into mist."""
    x, y = canvas.grid()
    bases = np.arange(_FIRST_RANGE, canvas.height - 0.05, _RANGE_STEP).tolist()
    for depth, base in enumerate(bases):
        nearness = min(depth, 4)
        steps = np.abs(np.sin(x * (6.0 + 2 * nearness) + rng.uniform(0, 6)))
        ridge = base - 0.15 * ridge_line(canvas, rng, 1.4 + 0.5 * nearness) - 0.05 * steps
        # A range changes no paper above its highest peak and below its mist.
        rows = slice(max(0, int(canvas.px(base - 0.3))), int(canvas.px(base + 0.75)))
        wet = bleed[rows]
        below = y[rows] - ridge + 0.012 * wet
        foot = np.maximum(below, 0.0)
        mist = np.exp(foot * (1.2 * nearness - 13.0)) * (0.62 + 0.10 * nearness)
        density = _wash(-below) * mist * (0.8 + 0.5 * wet) * (1.0 + 0.25 * fibres[rows])
        code = _INDIGO if depth % 2 else _INK
        picture[rows] = pigment(picture[rows], code, np.maximum(density, 0.0))


def _wash(distance: Field) -> Field:
    """Return the density of a wet patch where ``distance`` is below 0; ink gathers along its border."""
    return smoothstep(0.003, -0.003, distance) * (0.75 + 0.6 * np.exp(np.minimum(distance, 0.01) * 90.0))


def _brushwork(canvas: Canvas, rng: np.random.Generator) -> Iterator[tuple[str, Field]]:
    """Paint strokes and splashes with a loaded brush: bamboo, blossoms, drops."""
    ink, indigo, red = (np.zeros(canvas.size, dtype=np.uint8) for _ in range(3))
    for place in range(math.ceil(_CANES * canvas.width)):
        pot = ink if rng.random() < 0.6 else indigo
        _bamboo(pot, canvas, rng, x=(place + rng.uniform(0.15, 0.85)) / _CANES)
    for pot, radius in ((ink, 0.0045), (indigo, 0.005), (red, 0.006)):
        drops = _anywhere(canvas, rng, 6)
        discs(pot, canvas, drops, radius * rng.uniform(0.3, 1.0, len(drops)), _grey(0.8))
    for blossom in _anywhere(canvas, rng, 14):
        for turn in np.linspace(0, 2 * np.pi, 5, endpoint=False) + rng.uniform(0, 1):
            _leaf(red, canvas, rng, blossom, heading=turn, length=0.024, width=0.017)
    yield _INK, to_floats(ink) * 1.5
    yield _INDIGO, to_floats(indigo) * 1.6
    yield _VERMILION, to_floats(red) * 1.1


def _anywhere(canvas: Canvas, rng: np.random.Generator, per_square: float) -> Field:
    points: Field = rng.random((canvas.count(per_square), 2)) * (canvas.width, canvas.height)
    return points


def _grey(level: float) -> tuple[float, float, float]:
    return level, level, level


def _bamboo(pot: Bytes, canvas: Canvas, rng: np.random.Generator, *, x: float) -> None:
    """Draw a cane upwards joint by joint, with leaves hanging from it."""
    lean, width = rng.uniform(-0.12, 0.12), rng.uniform(0.010, 0.024)
    joint = np.array([x, canvas.height + 0.02])
    while joint[1] > -0.05:
        length = rng.uniform(0.11, 0.17)
        tip = joint + np.array([lean * length + rng.normal(0, 0.003), -length])
        _bristles(pot, canvas, rng, joint, tip + np.array([0.0, 0.008]), width)
        leaves = int(rng.integers(3, 8)) if rng.random() < 0.75 else 0
        for _ in range(leaves):
            heading, reach = rng.uniform(0.2, np.pi - 0.2), rng.uniform(0.06, 0.14)
            _leaf(pot, canvas, rng, tip, heading=heading, length=reach, width=0.016)
        joint = tip


def _bristles(pot: Bytes, canvas: Canvas, rng: np.random.Generator, start: Field, end: Field, width: float) -> None:
    """Draw a stroke as separate traces of the brush's hairs; hairs short of ink end early."""
    aside = np.array([end[1] - start[1], start[0] - end[0]]) / np.linalg.norm(end - start) * width
    flare = 1.0 + 0.25 * np.linspace(-1.0, 1.0, 6)[:, None] ** 4
    for side in np.linspace(-0.5, 0.5, 18):
        along = np.linspace(0.0, rng.uniform(0.85, 1.0), 6)[:, None] * (end - start)
        loaded = min(1.0, rng.uniform(0.25, 1.0) * (0.65 + 0.7 * abs(side)))
        stroke(pot, canvas, start + along + aside * side * flare, _grey(loaded), width / 14)


def _leaf(
    pot: Bytes, canvas: Canvas, rng: np.random.Generator, root: Field, *, heading: float, length: float, width: float
) -> None:
    along = np.linspace(0.0, length, 8)[:, None]
    sag = np.array([(0.0, 1.0)]) * along**2 * rng.uniform(-1.0, 2.5)
    curve = root + along * np.array([(np.cos(heading), np.sin(heading))]) + sag
    profile = np.sin(np.linspace(0.12, np.pi, 8)) ** 0.8 * width * rng.uniform(0.6, 1.2)
    fill(pot, canvas, tapered(curve, profile), _grey(rng.uniform(0.45, 1.0)))


def _soak(canvas: Canvas, density: Field, bleed: Field, fibres: Field) -> Field:
    """Spread ink into damp paper, unevenly; a dry brush leaves the paper's hollows bare."""
    spread = cv2.GaussianBlur(density, (0, 0), canvas.px(0.006))
    damp = smoothstep(0.1, 0.9, bleed)
    covered = smoothstep(-0.9, 0.1, fibres + 1.2 * density)
    soaked: Field = density * covered * (1.0 - 0.5 * damp) + spread * (0.20 + 0.8 * damp)
    return soaked
