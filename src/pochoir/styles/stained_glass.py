"""Stained glass: a sun in a sky of rings above hills, cut into panes; light from behind, lead between."""

import cv2
import numpy as np
import numpy.typing as npt

from pochoir.styles.canvas import Canvas, Field
from pochoir.styles.color import colors, jitter, mix, smoothstep
from pochoir.styles.noise import fractal_noise, slanted_streaks, smooth_noise
from pochoir.styles.surface import relief

_SUN = colors("#ffd23f #ffb020 #ff8c1a #ffe48a #f4561d")
_RAYS = colors("#e8272c #ff7a1a #ffb52e #b3123a #ff9ea0 #ffd766")
_SKY = colors("#0f4fc4 #1c7ae0 #38b0ee #5b2fb5 #0b2f8f #0a1f55 #16123f #9fdcf5 #17a2b8 #7d46d6")
_HILLS = colors("#0e7a45 #3aa63f #9bcc3c #0a5a52 #07302c #241a3a #3a1c12 #d6d94a #15946b #c2357a #f08a3c")
_REGIONS = (_SUN, _RAYS, _SKY, _HILLS)
_PANES_PER_REGION = 4096
_STREAK_ANGLES = (0.3, 1.2, 2.2)


def paint(canvas: Canvas, rng: np.random.Generator) -> Field:
    """Draw the picture, float32, (H, W, 3)."""
    region, pane, sun_distance = _cut(canvas, rng)
    inside = _distance_to_seams(canvas, pane)
    border = _distance_to_seams(canvas, region)
    glass = _glass(canvas, rng, region, pane)
    light = 0.70 + 0.42 * (1 - cv2.exp(inside * -34.0)) + 0.22 * cv2.exp(sun_distance * -2.2)
    glass = glass * light[..., None]
    return _lead(canvas, rng, glass, inside, border)


def _cut(canvas: Canvas, rng: np.random.Generator) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], Field]:
    """Return the region (sun, rays, sky, hills) and pane of each pixel, and the distance from the sun."""
    x, y = canvas.grid()
    x = x + 0.05 * fractal_noise(canvas, rng, 2.5, octaves=2)
    y = y + 0.05 * fractal_noise(canvas, rng, 2.5, octaves=2)
    sun_x, sun_y = canvas.width * rng.uniform(0.35, 0.65), canvas.height * rng.uniform(0.33, 0.45)
    radius, angle = cv2.cartToPolar(x - np.float32(sun_x), y - np.float32(sun_y))
    turn = angle / np.float32(2 * np.pi) + 0.12 * np.sin(radius * 4.0) / (1.0 + radius * radius)
    rings = np.array([0.07, 0.125, 0.20, 0.28, 0.37, 0.46, 0.56, 0.67, 0.79, 0.92, 1.06], dtype=np.float32)
    ring = np.searchsorted(rings, radius.ravel()).reshape(radius.shape).astype(np.int32)
    ring += ((radius > rings[-1]) * (radius - rings[-1]) / 0.14).astype(np.int32)
    cuts = np.concatenate([[6, 12, 18, 20], np.rint(13.0 + 4.0 * np.arange(800))]).astype(np.int32)
    offset = rng.random(len(cuts)).astype(np.float32)
    sector = np.floor((turn % 1.0) * cuts[ring] + offset[ring]).astype(np.int32) % cuts[ring]
    region = np.choose(np.minimum(ring, 4), (0, 1, 1, 1, 2)).astype(np.int32)
    pane = region * _PANES_PER_REGION + (ring * 97 + sector) % _PANES_PER_REGION

    ridge = canvas.height - 0.30 + 0.07 * np.sin(x * 5.0 + rng.uniform(0, 6)) + 0.04 * np.sin(x * 11.0)
    below = y - ridge
    band = np.floor(below / 0.068 + 0.3 * np.sin(x * 6.5)).astype(np.int32)
    shift = rng.random(512).astype(np.float32)[band % 512]
    block = np.floor((x + 0.35 * y) * (5.5 + 4.0 * shift) + 7 * shift).astype(np.int32)
    hill = below > 0
    region[hill] = 3
    pane[hill] = 3 * _PANES_PER_REGION + (band * 131 + block)[hill] % _PANES_PER_REGION
    return region, pane, radius


def _distance_to_seams(canvas: Canvas, labels: npt.NDArray[np.int32]) -> Field:
    """Return the distance of each pixel to the nearest place where the label changes, in short sides."""
    same = np.ones(labels.shape, dtype=np.uint8)
    same[:, 1:] &= labels[:, 1:] == labels[:, :-1]
    same[1:, :] &= labels[1:, :] == labels[:-1, :]
    same[0, 0] = 0
    return cv2.distanceTransform(same, cv2.DIST_L2, cv2.DIST_MASK_5) / np.float32(canvas.unit_px)


def _glass(
    canvas: Canvas, rng: np.random.Generator, region: npt.NDArray[np.int32], pane: npt.NDArray[np.int32]
) -> Field:
    panes = np.concatenate(
        [
            jitter(rng, palette[rng.integers(len(palette), size=_PANES_PER_REGION)], hue=0.03, value=0.05)
            for palette in _REGIONS
        ]
    )
    second = np.clip(panes[:, [1, 2, 0]] * 0.5 + panes * 0.75, 0.0, 1.0)
    kind = rng.integers(len(_STREAK_ANGLES), size=len(panes))[pane]
    streaks = [slanted_streaks(canvas, rng, angle=a, across=20, along=2) for a in _STREAK_ANGLES]
    streak = np.choose(kind, streaks) + 0.6 * fractal_noise(canvas, rng, 9, octaves=3)
    glass = mix(panes[pane], second[pane], smoothstep(-0.1, 1.0, streak) * 0.4)
    glass *= (1.0 - 0.30 * smoothstep(-0.1, -1.0, streak))[..., None]
    hammered = smooth_noise(canvas, rng, 45) + 0.5 * smooth_noise(canvas, rng, 110)
    # Stronger relief, narrower streaks or bubbles come out as dirt on the panes of a large painting.
    glass += relief(canvas, hammered, depth=0.015)[..., None]
    return glass


def _lead(canvas: Canvas, rng: np.random.Generator, glass: Field, inside: Field, border: Field) -> Field:
    sway = 1.0 + 0.35 * smooth_noise(canvas, rng, 8)
    half = np.where(border < 0.012, np.float32(0.0085), np.float32(0.0045)) * sway
    across = np.minimum(inside, border * np.float32(0.55)) / half
    came = np.sqrt(np.maximum(1.0 - across * across, 0.0))
    metal = colors("#15161c")[0] + (relief(canvas, came, depth=0.10) + 0.05 * came)[..., None] * 1.6
    metal += 0.03 * smooth_noise(canvas, rng, 160)[..., None]
    shadow = 1.0 - 0.45 * smoothstep(2.2, 1.0, across)
    return mix(glass * shadow[..., None], metal, smoothstep(1.08, 0.92, across))
