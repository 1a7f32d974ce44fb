"""Drawing board for scenes: its drawings have a known alpha at every pixel.

Coordinates are (x, y) in units of the long side, so a scene looks the same at every size. All random numbers are drawn
independently of the size.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

# Arrays of any precision: OpenCV's stubs do not keep that of their arguments.
Plane: TypeAlias = NDArray[Any]  # (H, W)
Colors: TypeAlias = NDArray[Any]  # (H, W, 3)
Points: TypeAlias = NDArray[Any]  # (N, 2)
Color: TypeAlias = tuple[float, ...]  # RGB in [0, 1]

_SUBPIXEL_BITS = 4
_SHADE_LONG_SIDE = 600  # light changes slowly, so a small copy is enough


class Board:
    """Stack of layers; ``color`` is multiplied by ``alpha``.

    Args:
        width: In units of the long side.
        height: In units of the long side.
        long_side_px: Pixels to a unit.
        seed: For everything that is scattered.
    """

    def __init__(self, width: float, height: float, *, long_side_px: int, seed: int) -> None:
        self.unit = long_side_px
        self.shape = (round(height * long_side_px), round(width * long_side_px))
        self.rng = np.random.default_rng(seed)
        self.color: Colors = np.zeros((*self.shape, 3), np.float32)
        self.alpha: Plane = np.zeros(self.shape, np.float32)

    def lay(self, mask: Plane, color: Colors | Color) -> None:
        """Composite a colour over the board, as opaque as the mask."""
        self._lay_part(np.s_[:, :], mask, color)

    def polygon(self, points: Points) -> Plane:
        """Return the mask of the inside of a closed outline."""
        mask = np.zeros(self.shape, np.uint8)
        cv2.fillPoly(mask, [self._fixed(points)], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
        return mask.astype(np.float32) / 255

    def ellipse(self, x: float, y: float, rx: float, ry: float, turn: float = 0.0) -> Plane:
        """Return the mask of an ellipse, turned by ``turn`` radians."""
        return self.polygon(ring(x, y, rx, ry, turn=turn))

    def solid(self, mask: Plane, color: Color, *, light: float = 0.6, grain: float = 0.12, scale: float = 0.03) -> None:
        """Draw a rounded body with light from the upper left and a texture."""
        shade = 1 - light / 2 + light * (self.relief(mask) - 0.5) + grain * (self.noise(scale) - 0.5) * 2
        self.lay(mask, np.clip(shade[..., None] * np.asarray(color, np.float32), 0, 1))

    def strands(
        self,
        curves: Sequence[Points],
        colors: Sequence[Color] | NDArray[np.float64],
        *,
        width: float,
        opacity: float = 1.0,
        taper: bool = True,
    ) -> None:
        """Draw thin curves, each with its colour; ``width`` in units, at the root if they taper."""
        # Only the rectangle that they touch is painted: a tree has hundreds of twigs.
        points = np.concatenate(curves) * self.unit
        low = np.clip(np.floor(points.min(axis=0) - width * self.unit - 3).astype(int), 0, None)
        high = np.ceil(points.max(axis=0) + width * self.unit + 3).astype(int)
        part = np.s_[low[1] : high[1], low[0] : high[0]]
        mask = np.zeros(self.alpha[part].shape, np.uint8)
        if mask.size == 0:
            return
        paint = np.zeros((*mask.shape, 3), np.uint8)
        for curve, color in zip(curves, colors, strict=True):
            value = tuple(int(np.clip(c, 0, 1) * 255) for c in color)
            middle = len(curve) // 2
            pieces = ((curve[: middle + 1], 1.0), (curve[middle:], 0.6)) if taper else ((curve, 1.0),)
            for piece, share in pieces:
                fixed = self._fixed(piece, low)
                px = max(1, round(width * share * self.unit))
                cv2.polylines(paint, [fixed], False, value, px + 2, cv2.LINE_8, _SUBPIXEL_BITS)
                cv2.polylines(mask, [fixed], False, 255, px, cv2.LINE_AA, _SUBPIXEL_BITS)
        self._lay_part(part, mask.astype(np.float32) * (opacity / 255), paint.astype(np.float32) / 255)

    def patch(self, outline: Points, color: Color) -> None:
        """Draw a small flat shape."""
        low = np.clip(np.floor(outline.min(axis=0) * self.unit).astype(int) - 2, 0, None)
        high = np.ceil(outline.max(axis=0) * self.unit).astype(int) + 2
        part = np.s_[low[1] : high[1], low[0] : high[0]]
        mask = np.zeros(self.alpha[part].shape, np.uint8)
        if mask.size:
            cv2.fillPoly(mask, [self._fixed(outline, low)], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
            self._lay_part(part, mask.astype(np.float32) / 255, color)

    def noise(self, scale: float, octaves: int = 3) -> Plane:
        """Return smooth noise in [0, 1]; ``scale`` is the size of its largest spots."""
        height, width = self.shape
        total = np.zeros(self.shape, np.float32)
        for octave in range(octaves):
            step = scale / 2**octave
            cells = (max(2, round(height / self.unit / step)), max(2, round(width / self.unit / step)))
            grid = self.rng.random(cells, dtype=np.float32)
            total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) / 2**octave
        return np.asarray(np.clip(total / (2 - 2 / 2**octaves), 0, 1))

    def blur(self, plane: Plane, sigma: float) -> Plane:
        """Blur with a Gaussian; ``sigma`` in units of the long side."""
        px = sigma * self.unit
        if px < 8:
            return np.asarray(cv2.GaussianBlur(plane, (0, 0), max(px, 0.05)), np.float32)
        factor = 4 / px  # a wide blur leaves nothing that a small copy cannot hold
        size = plane.shape[1], plane.shape[0]
        small = cv2.resize(plane, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(cv2.GaussianBlur(small, (0, 0), 4), size, interpolation=cv2.INTER_CUBIC))

    def relief(self, mask: Plane) -> Plane:
        """Return the light in [0, 1] on a body that bulges out of the mask."""
        factor = min(1.0, _SHADE_LONG_SIDE / self.unit)
        small = cv2.resize(mask, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        depth = cv2.distanceTransform((small > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
        height = cv2.GaussianBlur(np.sqrt(depth) * 3, (0, 0), _SHADE_LONG_SIDE / 120)
        slope_y, slope_x = np.gradient(height)
        light = (1 + 0.8 * slope_x + slope_y) / np.sqrt(1 + slope_x**2 + slope_y**2) / 1.8
        size = mask.shape[1], mask.shape[0]
        return np.asarray(np.clip(cv2.resize(light.astype(np.float32), size, interpolation=cv2.INTER_LINEAR), 0, 1))

    def tints(self, base: Color, count: int, *, spread: float = 0.25) -> NDArray[np.float64]:
        """Return colours around a base, lighter and darker, shape (count, 3)."""
        return np.asarray(base) * (1 + spread * self.rng.uniform(-1, 1, (count, 1)))

    def _lay_part(self, part: tuple[slice, slice], mask: Plane, color: Colors | Color) -> None:
        under = 1 - mask
        self.color[part] = self.color[part] * under[..., None] + mask[..., None] * np.asarray(color, np.float32)
        self.alpha[part] = self.alpha[part] * under + mask

    def _fixed(self, points: Points, origin_px: NDArray[np.int64] | int = 0) -> NDArray[np.int32]:
        return np.asarray(np.round((points * self.unit - origin_px - 0.5) * 2**_SUBPIXEL_BITS).astype(np.int32))


def ring(x: float, y: float, rx: float, ry: float, *, turn: float = 0.0, count: int = 160) -> Points:
    """Return the outline of an ellipse."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    flat = np.stack([rx * np.cos(angle), ry * np.sin(angle)], axis=1)
    return flat @ rotation(turn).T + (x, y)


def rotation(turn: float) -> NDArray[np.float64]:
    """Return the matrix of a rotation by ``turn`` radians."""
    return np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])


def smooth(points: Sequence[tuple[float, float]], *, closed: bool = True, count: int = 24) -> Points:
    """Return a curve through the given points (Catmull-Rom)."""
    p = np.asarray(points, np.float64)
    p = np.concatenate([p[-1:], p, p[:2]]) if closed else np.concatenate([p[:1], p, p[-1:]])
    t = np.linspace(0, 1, count, endpoint=False)[:, None]
    parts = []
    for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True):
        parts.append(b + t * (c - a) / 2 + t**2 * (a - 2.5 * b + 2 * c - d / 2) + t**3 * (1.5 * (b - c) + (d - a) / 2))
    return np.concatenate(parts if closed else [*parts, p[-2:-1]])


def bend(
    root: Points | tuple[float, float], heading: float, length: float, *, curl: float, wave: float = 0.0
) -> Points:
    """Return a strand from ``root`` that turns by ``curl`` radians over its length and wavers by ``wave`` radians."""
    along = np.linspace(0, 1, 14)
    angle = heading + curl * along + wave * np.sin(along * 9 + heading * 7)
    steps = np.stack([np.cos(angle), np.sin(angle)], axis=1) * length / 13
    return np.asarray(np.asarray(root) + np.concatenate([np.zeros((1, 2)), np.cumsum(steps[:-1], axis=0)]))


def fringe(
    rng: np.random.Generator,
    outline: Points,
    count: int,
    *,
    length: float,
    lean: float = 0.0,
    scatter: float = 0.5,
    inset: float = 0.0,
) -> list[Points]:
    """Return strands that grow outwards from a closed outline (clockwise on the screen), leaning to one side."""
    picks = rng.integers(0, len(outline), count)
    ahead = outline[(picks + 1) % len(outline)] - outline[picks - 1]
    outward = np.arctan2(-ahead[:, 0], ahead[:, 1])
    strands = []
    for pick, heading in zip(picks, outward, strict=True):
        way = heading + lean + rng.normal(0, scatter)
        root = outline[pick] - inset * rng.random() * np.array([np.cos(heading), np.sin(heading)])
        strands.append(bend(root, way, length * rng.uniform(0.4, 1.2), curl=rng.normal(0, 0.5)))
    return strands
