"""Drawing of textured triangles, and compositing of the drawn layer over the plate."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.ndimage import spline_filter  # type: ignore[import-untyped]

from pochoir.animation._compiling import compiled
from pochoir.animation.arrays import Frame, Layer, Picture, Plane, Points, Triangles

_PAD_PX: Final = 8
"""Border of repeated pixels around a texture, so that the sampler needs no bounds checks at each tap."""


class Textures:
    """Prefiltered layers to sample from.

    Sampling with a quintic B-spline of prefiltered values is interpolation: a texture drawn unmoved is the texture.
    Fine brush strokes keep 93 % of their strength a quarter of a pixel away, where a cubic keeps 87 % and bilinear
    sampling 48 %.

    Args:
        layers: One or several layers of equal size.

    References:
        Unser, "Splines: a perfect fit for signal and image processing", IEEE Signal Processing Magazine 1999.
    """

    def __init__(self, *layers: Layer) -> None:
        self.coefficients = np.stack([_prefilter(layer) for layer in layers])


def _prefilter(layer: Layer) -> Layer:
    padded = np.pad(layer, ((_PAD_PX, _PAD_PX), (_PAD_PX, _PAD_PX), (0, 0)), mode="edge").astype(np.float64)
    planes = [spline_filter(padded[..., channel], order=5, mode="mirror") for channel in range(4)]
    return np.ascontiguousarray(np.stack(planes, axis=-1), dtype=np.float32)


def draw(
    target: Layer,
    textures: Textures,
    points: Points,
    rest: Points,
    triangles: Triangles,
    parts: npt.NDArray[np.int32],
) -> None:
    """Draw triangles in their order onto a layer.

    Where triangles overlap they are composited with "conjoint over": the alpha of the result is the larger of both. So
    two parts that were cut from one subject along a soft seam add up to the subject, without a crack.

    Args:
        target: Layer to draw onto, changed in place.
        textures: Layers to sample.
        points: Positions of the vertices on the target.
        rest: Positions of the vertices in the textures.
        triangles: Corners of the triangles.
        parts: Index of the texture that each triangle takes.
    """
    _draw(target, textures.coefficients, points, rest, triangles, parts)


def over_plate(plate: Picture, layer: Layer, shade: Plane | None = None) -> Frame:
    """Composite a layer over an opaque plate.

    Args:
        plate: Background, shape (H, W, 3).
        layer: Premultiplied layer, shape (H, W, 4).
        shade: Share of the plate's light that a shadow takes, shape (H, W).

    Returns:
        Shape (H, W, 3), rounded to the nearest of 256 values.
    """
    frame = np.empty(plate.shape, np.uint8)
    _over_plate(plate, layer, np.zeros((1, 1), np.float32) if shade is None else shade, frame)
    return frame


def to_straight(layer: Layer, shade: Plane | None = None) -> Frame:
    """Return a layer as 8 bit colours that alpha does not multiply, shape (H, W, 4), with a black shadow below it."""
    frame = np.empty(layer.shape, np.uint8)
    _to_straight(layer, np.zeros((1, 1), np.float32) if shade is None else shade, frame)
    return frame


@compiled
def _draw(target: Any, textures: Any, points: Any, rest: Any, triangles: Any, parts: Any) -> None:
    height, width = target.shape[0], target.shape[1]
    most_u, most_v = textures.shape[2] - 5.0, textures.shape[1] - 5.0
    weights = np.empty((2, 6), np.float32)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        texture = textures[parts[t]]
        x0, y0 = points[a, 0], points[a, 1]
        e1x, e1y = points[b, 0] - x0, points[b, 1] - y0
        e2x, e2y = points[c, 0] - x0, points[c, 1] - y0
        det = e1x * e2y - e2x * e1y
        if abs(det) < 1e-9:
            continue
        # Barycentric and texture coordinates are linear in x and y.
        l1x, l1y, l2x, l2y = e2y / det, -e2x / det, -e1y / det, e1x / det
        f1x, f1y = rest[b, 0] - rest[a, 0], rest[b, 1] - rest[a, 1]
        f2x, f2y = rest[c, 0] - rest[a, 0], rest[c, 1] - rest[a, 1]
        ux, uy = l1x * f1x + l2x * f2x, l1y * f1x + l2y * f2x
        vx, vy = l1x * f1y + l2x * f2y, l1y * f1y + l2y * f2y
        low = min(0.0, min(e1y, e2y)) + y0
        high = max(0.0, max(e1y, e2y)) + y0
        for y in range(max(0, int(np.ceil(low - 1e-4))), min(height - 1, int(np.floor(high + 1e-4))) + 1):
            dy = y - y0
            left, right = _clip(-1e9, 1e9, l1x, l1y * dy)
            left, right = _clip(left, right, l2x, l2y * dy)
            left, right = _clip(left, right, -l1x - l2x, 1.0 - (l1y + l2y) * dy)
            if right < left:
                continue
            for x in range(max(0, int(np.ceil(x0 + left))), min(width - 1, int(np.floor(x0 + right))) + 1):
                dx = x - x0
                u = min(max(rest[a, 0] + ux * dx + uy * dy + _PAD_PX, 2.0), most_u)
                v = min(max(rest[a, 1] + vx * dx + vy * dy + _PAD_PX, 2.0), most_v)
                _put(target[y, x], texture, u, v, weights)


@compiled
def _clip(left: float, right: float, slope: float, level: float) -> tuple[float, float]:
    """Narrow an interval of x to where ``slope * x + level`` is not negative."""
    slack = 1e-6  # in barycentric units; pixels on a common edge are drawn twice, to the same effect
    if slope > 1e-12:
        return max(left, (-slack - level) / slope), right
    if slope < -1e-12:
        return left, min(right, (-slack - level) / slope)
    return left, (right if level >= -slack else -1e9)


@compiled
def _put(pixel: Any, texture: Any, u: float, v: float, weights: Any) -> None:
    """Sample the texture and composite the sample onto a pixel."""
    iu, iv = int(u), int(v)
    _weigh(np.float32(u - iu), weights[0])
    _weigh(np.float32(v - iv), weights[1])
    red = green = blue = alpha = np.float32(0.0)
    for j in range(6):
        for i in range(6):
            weight = weights[1, j] * weights[0, i]
            red += weight * texture[iv + j - 2, iu + i - 2, 0]
            green += weight * texture[iv + j - 2, iu + i - 2, 1]
            blue += weight * texture[iv + j - 2, iu + i - 2, 2]
            alpha += weight * texture[iv + j - 2, iu + i - 2, 3]
    if alpha < np.float32(0.001):
        return
    alpha = min(alpha, np.float32(1.0))
    below = pixel[3]
    keep = (below - alpha) / below if below > alpha else np.float32(0.0)
    pixel[0] = min(max(red, np.float32(0.0)), alpha) + keep * pixel[0]
    pixel[1] = min(max(green, np.float32(0.0)), alpha) + keep * pixel[1]
    pixel[2] = min(max(blue, np.float32(0.0)), alpha) + keep * pixel[2]
    pixel[3] = max(alpha, below)


@compiled
def _weigh(f: Any, weights: Any) -> None:
    """Fill in the six weights of a quintic B-spline at the fraction ``f``."""
    unit = np.float32(1.0 / 120.0)
    g, f2 = np.float32(1.0) - f, f * f
    f4 = f2 * f2
    weights[0] = g * g * g * g * g * unit
    weights[5] = f4 * f * unit
    weights[2] = (np.float32(66.0) - np.float32(60.0) * f2 + np.float32(30.0) * f4 - np.float32(10.0) * f4 * f) * unit
    g2 = g * g
    g4 = g2 * g2
    weights[3] = (np.float32(66.0) - np.float32(60.0) * g2 + np.float32(30.0) * g4 - np.float32(10.0) * g4 * g) * unit
    weights[1] = (
        np.float32(26.0) - np.float32(50.0) * f + np.float32(20.0) * (f2 + f2 * f - f4) + np.float32(5.0) * f4 * f
    ) * unit
    weights[4] = np.float32(1.0) - weights[0] - weights[1] - weights[2] - weights[3] - weights[5]


@compiled
def _over_plate(plate: Any, layer: Any, shade: Any, frame: Any) -> None:
    shaded = shade.shape[0] > 1
    for y in range(plate.shape[0]):
        for x in range(plate.shape[1]):
            light = np.float32(1.0) - layer[y, x, 3]
            if shaded:
                light *= np.float32(1.0) - shade[y, x]
            for c in range(3):
                value = (layer[y, x, c] + light * plate[y, x, c]) * np.float32(255.0) + np.float32(0.5)
                frame[y, x, c] = np.uint8(min(max(value, np.float32(0.0)), np.float32(255.0)))


@compiled
def _to_straight(layer: Any, shade: Any, frame: Any) -> None:
    shaded = shade.shape[0] > 1
    for y in range(layer.shape[0]):
        for x in range(layer.shape[1]):
            alpha = layer[y, x, 3]
            if shaded:
                alpha += (np.float32(1.0) - alpha) * shade[y, x]
            scale = np.float32(255.0) / alpha if alpha > np.float32(0.0) else np.float32(0.0)
            for c in range(3):
                frame[y, x, c] = np.uint8(min(layer[y, x, c] * scale + np.float32(0.5), np.float32(255.0)))
            frame[y, x, 3] = np.uint8(alpha * np.float32(255.0) + np.float32(0.5))
