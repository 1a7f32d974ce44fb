"""Woodblock print: breaking waves with foam claws in Prussian blue and cream, over a swell; the plank's grain shows."""

import numpy as np

from pochoir.styles.canvas import Bytes, Canvas, Field
from pochoir.styles.color import colors, mix, ramp, smoothstep, to_bytes, to_floats
from pochoir.styles.noise import fractal_noise, smooth_noise
from pochoir.styles.shapes import discs, fill, normals, smooth_curve, stroke, tapered
from pochoir.styles.surface import paper_grain

_SKY = "#3f5f86 #8fa9b5 #e3d6b4 #efe0bb #eec99a #e0a27c"
_CLOUD = colors("#f3e7c9")[0]
_SUN = colors("#c8402c")[0]
_KEY = colors("#0b1a33")[0]
_FOAM = colors("#f6eed8")[0]
_SHADE = colors("#8fb7c6")[0]
_BLUES = colors("#0f2a5c #f2e8cd #1d4a8c #123468 #7fb0c4 #174179 #0e2450 #dfe3d2 #2f6ba8 #11305f")
_WARM_BLACK = np.array([1.0, 0.98, 0.9], dtype=np.float32)
_FIRST_FOOT = 0.52
_ROW_STEP = 0.20
_SIZES = (0.6, 0.98, 1.35)
"""Sizes of the waves in the far, the middle and the near rows; at size 1 a wave is 0.4 short sides high."""
_BANDS = 12
"""Stripes between the back and the face of a wave. More are so narrow that they come out as scratches."""
_CLAWS = 4
"""Fingers at the end of a crest. Many small ones, or ones made of beads, fill a photo's sky with curls."""
_CLAW_POINTS = 9
_CLAW_LENGTH, _CLAW_WIDTH = 0.16, 0.04
_CREST_WIDTH = 0.05
_KEY_WIDTH = 0.012
"""Both outlines of a claw or a crest together. These lengths are in units of the wave's size."""
_BACK = 0.4 * np.array(
    [
        (-1.45, 0.55),
        (-0.98, 0.34),
        (-0.60, -0.02),
        (-0.30, -0.5),
        (0.05, -0.88),
        (0.4, -0.95),
        (0.66, -0.78),
        (0.72, -0.52),
    ]
)
_FACE = 0.4 * np.array(
    [(1.15, 0.55), (0.72, 0.38), (0.34, 0.18), (0.10, -0.08), (0.06, -0.38), (0.20, -0.6), (0.42, -0.68), (0.66, -0.55)]
)
"""Outline of a breaking wave from its foot, at 0, to its tip: the back, and the hollow face."""


def paint(canvas: Canvas, rng: np.random.Generator) -> Field:
    """Draw the picture, float32, (H, W, 3)."""
    picture = to_bytes(_sky(canvas, rng))
    for row, foot in enumerate(np.arange(_FIRST_FOOT, canvas.height, _ROW_STEP).tolist()):
        size = _SIZES[min(row, len(_SIZES) - 1)]
        _swell(picture, canvas, rng, top=foot - 0.02, size=size)
        spacing = 0.68 * size
        for x in np.arange(rng.uniform(-0.8, 0.0) * spacing, canvas.width + spacing, spacing):
            at = np.array([x + rng.uniform(-0.12, 0.12) * spacing, foot + rng.uniform(-0.04, 0.04)])
            _wave(picture, canvas, rng, at, size * rng.uniform(0.8, 1.15))
    _swell(picture, canvas, rng, top=canvas.height - 0.12, size=0.55)
    _spray(picture, canvas, rng)
    return _print(canvas, rng, to_floats(picture))


def _sky(canvas: Canvas, rng: np.random.Generator) -> Field:
    x, y = canvas.grid()
    sky = ramp(y / np.float32(0.62) + 0.06 * fractal_noise(canvas, rng, 2.0), _SKY)
    sun = np.hypot(x - np.float32(canvas.width * rng.uniform(0.25, 0.75)), y - np.float32(0.20))
    sky = mix(sky, _SUN, smoothstep(0.092, 0.088, sun))
    rows = np.sin(y * 85.0 + 4.0 * smooth_noise(canvas, rng, 2.5, 6) + 1.2 * np.sin(x * 3.0))
    banks = smoothstep(0.25, 0.35, 0.5 * rows + 0.9 * smooth_noise(canvas, rng, 3.0, 11))
    return mix(sky, _CLOUD, banks * 0.8)


def _swell(picture: Bytes, canvas: Canvas, rng: np.random.Generator, *, top: float, size: float) -> None:
    """Draw rolling water: bands from ``top`` to below the next row, each along the curve of the last."""
    x = np.linspace(-0.1, canvas.width + 0.1, round(160 * canvas.width), dtype=np.float32)
    phase = rng.uniform(0, 2 * np.pi, 3)
    floor = min(canvas.height, top + 2 * _ROW_STEP) + 0.1
    level = top
    band = 0
    while level < floor:
        roll = np.sin(x * (5.2 / size) + phase[0] + 0.55 * band)
        roll += 0.5 * np.sin(x * (12.0 / size) - phase[1] + 0.3 * band)
        curve = np.stack([x, level + 0.03 * size * roll], axis=1)
        below = np.array([(x[-1], floor + 0.1), (x[0], floor + 0.1)])
        fill(picture, canvas, np.concatenate([curve, below]), _BLUES[rng.integers(len(_BLUES))])
        line = 0.003 * np.sin(x * 9.0 + phase[2] + band) + 0.0045
        fill(picture, canvas, tapered(curve, line), _KEY)
        level += 0.03 * size * rng.uniform(0.4, 1.6)
        band += 1


def _wave(picture: Bytes, canvas: Canvas, rng: np.random.Generator, foot: Field, size: float) -> None:
    stretch = (size * rng.uniform(0.85, 1.15), size)
    back, face = (smooth_curve(knots * stretch + foot, samples=14) for knots in (_BACK, _FACE))
    shares = rng.uniform(0.3, 1.7, _BANDS).cumsum()
    shares /= shares[-1]
    line = np.linspace(0.006, 0.002, len(back)) * size
    near = back
    for band, share in enumerate(shares):
        far = back + (face - back) * share
        fill(picture, canvas, np.concatenate([near, far[::-1]]), _BLUES[band % len(_BLUES)])
        fill(picture, canvas, tapered(far, line), _KEY)
        near = far
    stroke(picture, canvas, back, _KEY, 0.009 * size)
    _foam(picture, canvas, rng, back[len(back) * 45 // 100 :], size)


def _foam(picture: Bytes, canvas: Canvas, rng: np.random.Generator, lip: Field, size: float) -> None:
    """Draw a crest of foam along the lip of a wave, with claws at its end."""
    claws = [_claw(rng, lip, place, size) for place in np.linspace(0.6, 1.0, _CLAWS)]
    profile = np.sin(np.linspace(0.0, 0.85 * np.pi, len(lip))) ** 0.5
    crest = (lip, _CREST_WIDTH * size * profile)
    for swollen, color in ((_KEY_WIDTH * size, _KEY), (0.0, _FOAM)):
        for curve, widths in (*claws, crest):
            fill(picture, canvas, tapered(curve, widths + swollen), color)
    shade = lip - 0.22 * _CREST_WIDTH * size * normals(lip)
    fill(picture, canvas, tapered(shade, 0.25 * crest[1]), _SHADE)


def _claw(rng: np.random.Generator, lip: Field, place: float, size: float) -> tuple[Field, Field]:
    """Return the curve and the widths of a finger that leaves the lip and curls downwards."""
    index = round(place * (len(lip) - 1))
    out = normals(lip)[index]
    turns = np.arctan2(out[1], out[0]) + rng.uniform(-0.5, 0.3) + rng.uniform(0.20, 0.30) * np.arange(_CLAW_POINTS)
    step = rng.uniform(0.8, 1.2) * _CLAW_LENGTH * size / _CLAW_POINTS
    steps = step * np.stack([np.cos(turns), np.sin(turns)], axis=-1)
    widths = np.linspace(1.0, 0.15, _CLAW_POINTS) * _CLAW_WIDTH * size
    return lip[index] + steps.cumsum(axis=0) - steps[0], widths


def _spray(picture: Bytes, canvas: Canvas, rng: np.random.Generator) -> None:
    drops = canvas.scatter(rng, 0.09)
    drops = drops[(rng.random(len(drops)) < 0.4) & (drops[:, 1] > 0.22) & (drops[:, 1] < canvas.height - 0.2)]
    discs(picture, canvas, drops, rng.uniform(0.003, 0.006, len(drops)), _FOAM)


def _print(canvas: Canvas, rng: np.random.Generator, picture: Field) -> Field:
    """Add the traces of printing: the grain of the plank, uneven ink, the paper."""
    _, y = canvas.grid()
    rings = y * 180.0 + 19.0 * fractal_noise(canvas, rng, 1.3, octaves=2) + 3.0 * smooth_noise(canvas, rng, 3, 70)
    grain = 0.6 * np.sin(rings) + 0.5 * smooth_noise(canvas, rng, 6, 240)
    inked = 1.03 - picture.mean(axis=2)
    uneven = 0.08 * fractal_noise(canvas, rng, 6, octaves=4, gain=0.65)
    lift = inked * (0.10 * grain + uneven) + 0.03 * paper_grain(canvas, rng)
    printed: Field = 0.95 * picture + 0.04 + lift[..., None] * _WARM_BLACK
    return printed
