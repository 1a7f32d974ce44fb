"""Pointillism: a river at sunset, underpainted in flowing colour and covered with dabs of three sizes."""

import cv2
import numpy as np

from pochoir.styles.canvas import Bytes, Canvas, Field
from pochoir.styles.color import colors, ink, jitter, mix, ramp, smoothstep, to_bytes, to_floats
from pochoir.styles.noise import fractal_noise, smooth_noise
from pochoir.styles.surface import relief

_SKY = "#2f49a8 #4f7fd0 #9a8fd0 #f0a0b0 #ffc46b #ffe69a"
_WATER = "#ffd98a #f08f7a #7f6fc0 #2f5fb0 #16357f"
_BANK = "#17304f #1f6a4f #5fa83f #c8cf4a #f2b84a"
_LAYERS = ((0.031, 0.0200), (0.0205, 0.0130), (0.0160, 0.0082))
"""Spacing and radius of the dabs of each layer, the largest first."""
_COMPLEMENT_SHARE = 0.20
_PURE = colors("#ff5a1f #ffd21f #1f4fd8 #12a07a #e0307a #7a3fd0 #fff3c8 #38b6e8")


def paint(canvas: Canvas, rng: np.random.Generator) -> Field:
    """Draw the picture, float32, (H, W, 3)."""
    scene = _scene(canvas, rng)
    direction = 1.2 * smooth_noise(canvas, rng, 1.6)
    # The fourth channel is the paint's thickness; it is drawn together with the colour, so both agree.
    painted = np.dstack([to_bytes(scene * 0.8 + 0.1), np.zeros(canvas.size, dtype=np.uint8)])
    for spacing, radius in _LAYERS:
        _dab(painted, canvas, rng, scene, direction, spacing, radius)
    thickness = cv2.GaussianBlur(to_floats(painted[..., 3]), (0, 0), max(canvas.px(0.0008), 0.3))
    weave = smooth_noise(canvas, rng, 260) * 0.02
    return to_floats(painted[..., :3]) + (relief(canvas, thickness, depth=0.05) + weave)[..., None]


def _scene(canvas: Canvas, rng: np.random.Generator) -> Field:
    x, y = canvas.grid()
    drift = fractal_noise(canvas, rng, 2.2)
    horizon = canvas.height * rng.uniform(0.46, 0.56)
    sun_x, sun_y = canvas.width * rng.uniform(0.3, 0.7), horizon - 0.15
    sun = np.hypot(x - np.float32(sun_x), y - np.float32(sun_y))
    swirl = 0.13 * np.sin(sun * 40.0 + 2.5 * drift)
    picture = ramp(0.98 - sun * 1.05 / canvas.height + swirl * 0.8 + 0.10 * drift, _SKY)
    picture = mix(picture, colors("#fffbe0")[0], smoothstep(0.085, 0.065, sun))

    depth = (y - np.float32(horizon)) / np.float32(canvas.height - horizon)
    glitter = np.exp(-(((x - np.float32(sun_x)) / (0.05 + 0.12 * np.maximum(depth, 0.0))) ** 2))
    ripple = np.sin(y * 70.0 / (0.4 + np.maximum(depth, 0.0)) ** 0.5 + 5.0 * drift)
    water = ramp(depth * 0.9 + 0.12 * ripple + 0.12 * drift - 0.35 * glitter + 0.1, _WATER)
    picture = mix(picture, water, smoothstep(-0.01, 0.01, depth))

    far_bank = horizon - 0.05 - 0.05 * smooth_noise(canvas, rng, 5) - 0.04 * smooth_noise(canvas, rng, 14)
    far = smoothstep(0.0, 0.01, y - far_bank) * smoothstep(0.02, 0.0, depth)
    picture = mix(picture, ramp(0.35 + 0.4 * drift + 2.0 * (horizon - y), "#2a2f78 #3f5fa8 #7f8fd0"), far)
    near = x * 0.35 / canvas.width + y / canvas.height + 0.12 * drift + 0.05 * np.sin(x * 9.0)
    leaf = fractal_noise(canvas, rng, 9, octaves=3)
    tree = np.hypot((x - 0.12 * canvas.width) / 0.30, (y - 0.42 * canvas.height) / 0.46) + 0.35 * leaf
    bank = np.maximum(smoothstep(1.07, 1.10, near), smoothstep(0.95, 0.90, tree))
    return mix(picture, ramp(0.42 + 0.55 * leaf + 0.25 * (sun < 0.5) * (0.5 - sun), _BANK), bank)


def _dab(
    painted: Bytes,
    canvas: Canvas,
    rng: np.random.Generator,
    scene: Field,
    direction: Field,
    spacing: float,
    radius: float,
) -> None:
    points = canvas.scatter(rng, spacing, margin=radius)
    shades = jitter(rng, canvas.sample(scene, points), hue=0.075, value=0.05)
    # The complement is about as light as the ground, so it vibrates beside it without speckles.
    crossed = rng.random(len(points)) < _COMPLEMENT_SHARE
    grey = shades[crossed].mean(axis=1, keepdims=True)
    shades[crossed] = 0.88 * grey - 1.1 * (shades[crossed] - grey) + 0.03
    pure = rng.random(len(points)) < 0.10
    shades[pure] = 0.7 * _PURE[rng.integers(len(_PURE), size=int(pure.sum()))] + 0.3 * shades[pure]
    sizes = radius * rng.uniform(0.65, 1.2, len(points)) * canvas.unit_px
    tilts = np.degrees(canvas.sample(direction, points)) + rng.normal(0.0, 14.0, len(points))
    heights = rng.uniform(76, 255, len(points))
    dabs = zip((points * canvas.unit_px).tolist(), sizes.tolist(), tilts.tolist(), shades, heights, strict=True)
    for center, size, tilt, shade, height in dabs:
        box = (center, (2.0 * size, 1.5 * size), tilt)
        cv2.ellipse(painted, box, (*ink(shade), height), cv2.FILLED, cv2.LINE_AA)
