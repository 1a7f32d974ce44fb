"""Mosaic: glass and gold tesserae set in rows along the outlines of a sun, hills and waves, in dark grout."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from pochoir.styles.canvas import Bytes, Canvas, Field
from pochoir.styles.color import colors, ink, jitter, to_floats
from pochoir.styles.noise import fractal_noise, smooth_noise
from pochoir.styles.surface import relief

_TILE = 0.026
_GROUT = colors("#3d352f")[0]
_GOLD = colors("#e8b43a #f7d978 #c98a1e #fff0b0")
_GOLD_SHARE = 0.05
_REGIONS = (
    colors("#f7d978 #e8b43a #fff0b0 #d99a28"),
    colors("#c8401f #e87a2a #a82420 #f0a040"),
    colors("#1f58b0 #2f86c8 #123a80 #66b4d8 #2a6ab0 #f0ead8"),
    colors("#9fd8dc #4a98c0 #e4ece0 #2a6aa8 #6fc0c8"),
    colors("#1f7a58 #5aa850 #a8c850 #0f4a48"),
    colors("#6a2a6a #b04878 #d888a0 #40205a"),
    colors("#0f2a58 #184a88 #2878a8 #1a1840"),
)
_SUN, _RAYS, _SKY, _CLOUD, _HILL, _FIELD, _SEA = range(len(_REGIONS))
_SQUARE = np.array([(-0.46, -0.44), (0.46, -0.44), (0.46, 0.44), (-0.46, 0.44)])
_SHIFT = 4


@dataclass(frozen=True, eq=False)
class _Floor:
    """Mosaic while it is laid.

    Attributes:
        canvas: Its geometry.
        rng: Source of what the hand does unevenly.
        region: Number of the region of each pixel (H, W).
        shade: Brightness to add to the colours (H, W).
        stones: RGB and the height of the stones, 0 for bare grout, (H, W, 4). Height is drawn together with colour
            and lights the stones' edges afterwards.
    """

    canvas: Canvas
    rng: np.random.Generator
    region: Bytes
    shade: Field
    stones: Bytes

    @property
    def tile_px(self) -> float:
        return self.canvas.px(_TILE)


def paint(canvas: Canvas, rng: np.random.Generator) -> Field:
    """Draw the picture, float32, (H, W, 3)."""
    region = _scene(canvas, rng)
    stones = np.empty((*canvas.size, 4), dtype=np.uint8)
    stones[:] = (*(_GROUT * 255).astype(np.uint8), 0)
    floor = _Floor(canvas, rng, region, 0.11 * fractal_noise(canvas, rng, 3, octaves=2), stones)
    for label in range(len(_REGIONS)):
        for line in _rows(region == label, floor.tile_px):
            _set_row(floor, line)
    _fill_gaps(floor)
    return _finish(canvas, rng, stones)


def _scene(canvas: Canvas, rng: np.random.Generator) -> Bytes:
    x, y = canvas.grid()
    sway = 0.035 * smooth_noise(canvas, rng, 2.5)
    away_x = x - np.float32(canvas.width * rng.uniform(0.3, 0.7))
    away_y = y - np.float32(canvas.height * rng.uniform(0.28, 0.36))
    radius, angle = np.hypot(away_x, away_y), np.arctan2(away_y, away_x)
    drift = np.sin(y * 16.0 + 40.0 * sway + 2.2 * np.sin(x * 4.0 + rng.uniform(0, 6)))
    region = np.where(drift > 0.35, _CLOUD, _SKY).astype(np.uint8)
    region[radius < 0.205 + 0.045 * np.cos(angle * 12 + 10 * radius)] = _RAYS
    region[radius < 0.115] = _SUN
    for label, top, swing, waves in ((_FIELD, 0.58, 0.07, 4.2), (_HILL, 0.68, 0.06, 5.5), (_SEA, 0.82, 0.025, 9.0)):
        line = canvas.height * top + swing * np.sin(x * waves + rng.uniform(0, 2 * np.pi)) + 0.6 * sway
        region[y > line] = label
    # ``line`` is the shore now; crests run along it.
    region[(region == _SEA) & (np.sin((y - line) * 60.0) > 0.45)] = _CLOUD
    return region


def _rows(inside: npt.NDArray[np.bool_], tile_px: float) -> Iterator[Field]:
    """Return the lines of a region's tesserae: at equal distances from its outline, pixel coordinates (N, 2)."""
    framed = cv2.copyMakeBorder(inside.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    for row in range(int(depth.max() / tile_px) + 1):
        core = (depth > (row + 0.5) * tile_px).astype(np.uint8)
        for outline in cv2.findContours(core, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0]:
            if len(outline) > tile_px:
                yield outline[:, 0].astype(np.float32)


def _set_row(floor: _Floor, line: Field) -> None:
    """Set tesserae side by side along a closed line."""
    step = floor.tile_px
    smooth = cv2.blur(np.pad(line, ((4, 4), (0, 0)), mode="wrap"), (1, 9))[4:-4]
    travelled = np.concatenate([[0.0], np.linalg.norm(np.diff(smooth, axis=0), axis=1).cumsum()])
    count = max(1, round(travelled[-1] / (step * 1.02)))
    at = np.linspace(0.0, travelled[-1], count, endpoint=False) + floor.rng.uniform(-0.06, 0.06, count) * step
    behind, centers, ahead = (
        np.stack([np.interp(place, travelled, smooth[:, axis]) for axis in (0, 1)], axis=1)
        for place in (at - step / 2, at, at + step / 2)
    )
    angles = np.arctan2(ahead[:, 1] - behind[:, 1], ahead[:, 0] - behind[:, 0])
    for center, angle in zip(centers, angles.tolist(), strict=True):
        _set_tile(floor, center, angle, step)


def _set_tile(floor: _Floor, center: Field, angle: float, side_px: float) -> None:
    """Set one tessera, unless its middle would lie on another."""
    column, row = np.clip(center, 0, (floor.canvas.size.width - 1, floor.canvas.size.height - 1)).astype(int).tolist()
    if floor.stones[row, column, 3]:
        return
    cosine, sine = np.cos(angle), np.sin(angle)
    chipped = side_px * (_SQUARE + floor.rng.normal(0.0, 0.035, (4, 2)))
    corners = chipped @ np.array([(cosine, sine), (-sine, cosine)]) + center
    gold = floor.rng.random() < _GOLD_SHARE
    palette = _GOLD if gold else _REGIONS[floor.region[row, column]]
    color = jitter(floor.rng, palette[floor.rng.integers(len(palette), size=1)], hue=0.025, value=0.05)[0]
    fill = (*ink(color + floor.shade[row, column]), floor.rng.uniform(150, 255))
    cv2.fillConvexPoly(floor.stones, (corners * 2**_SHIFT).round().astype(np.int32), fill, cv2.LINE_AA, _SHIFT)


def _fill_gaps(floor: _Floor) -> None:
    """Push chips into the widest places of grout, in two rounds."""
    for _ in range(2):
        bare = (floor.stones[..., 3] < 40).astype(np.uint8)
        depth = cv2.distanceTransform(bare, cv2.DIST_L2, cv2.DIST_MASK_3)
        widest = (depth == cv2.dilate(depth, np.ones((7, 7), np.uint8))) & (depth > 0.22 * floor.tile_px)
        for row, column in np.argwhere(widest):
            side_px = min(2.0 * float(depth[row, column]), floor.tile_px)
            _set_tile(floor, np.array([column, row]), floor.rng.uniform(0.0, np.pi), side_px)


def _finish(canvas: Canvas, rng: np.random.Generator, stones: Bytes) -> Field:
    height = to_floats(stones[..., 3])
    pillow = cv2.GaussianBlur(height, (0, 0), canvas.px(0.0018))
    glass = 0.06 * fractal_noise(canvas, rng, 60, octaves=3, gain=0.8) * height
    grout = 0.05 * smooth_noise(canvas, rng, 220) * (1 - height)
    lit: Field = to_floats(stones[..., :3]) + (relief(canvas, pillow, depth=0.11) + glass + grout)[..., None]
    return lit
