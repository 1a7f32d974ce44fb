"""Curves and filled shapes in the canvas's units, drawn with smooth edges into 8-bit pictures."""

import cv2
import numpy as np
import numpy.typing as npt

from pochoir.styles.canvas import Bytes, Canvas, Field
from pochoir.styles.color import ink

_SHIFT = 4
"""OpenCV's fixed-point coordinates: sixteenths of a pixel."""


def smooth_curve(knots: npt.ArrayLike, *, samples: int = 12) -> Field:
    """Return a Catmull-Rom curve through knots (N, 2), with ``samples`` points for each span; shape (M, 2)."""
    p = np.asarray(knots, dtype=np.float32)
    p = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    t = np.linspace(0.0, 1.0, samples, endpoint=False, dtype=np.float32)[None, :, None]
    a, b, c, d = (p[i : len(p) - 3 + i, None, :] for i in range(4))
    spans = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    return np.concatenate([spans.reshape(-1, 2), p[-2:-1]])


def normals(curves: Field) -> Field:
    """Return unit normals of curves (..., N, 2), to the left of their direction on the screen."""
    tangent = np.gradient(curves, axis=-2)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=-1, keepdims=True), 1e-9)
    return np.stack([tangent[..., 1], -tangent[..., 0]], axis=-1).astype(np.float32)


def tapered(curves: Field, widths: Field) -> Field:
    """Return outlines (..., 2 N, 2) of strokes along curves (..., N, 2) with varying widths (..., N)."""
    aside = normals(curves) * (np.asarray(widths, dtype=np.float32) / 2)[..., None]
    return np.concatenate([curves + aside, np.flip(curves - aside, axis=-2)], axis=-2)


def fill(picture: Bytes, canvas: Canvas, outline: Field, color: npt.ArrayLike) -> None:
    """Fill a closed outline (N, 2) in place."""
    cv2.fillPoly(picture, [_fixed(canvas, outline)], ink(color), cv2.LINE_AA, _SHIFT)


def stroke(picture: Bytes, canvas: Canvas, curve: Field, color: npt.ArrayLike, width: float) -> None:
    """Draw a curve (N, 2) of constant width in place; at least one pixel wide."""
    thickness = max(1, round(canvas.px(width)))
    cv2.polylines(picture, [_fixed(canvas, curve)], False, ink(color), thickness, cv2.LINE_AA, _SHIFT)


def discs(picture: Bytes, canvas: Canvas, centers: Field, radii: Field, color: npt.ArrayLike) -> None:
    """Fill circles with centres (N, 2) and radii (N,) in place."""
    fill_color = ink(color)
    sizes = np.maximum(_fixed(canvas, radii), 1)
    for center, radius in zip(_fixed(canvas, centers).tolist(), sizes.tolist(), strict=True):
        cv2.circle(picture, center, radius, fill_color, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def _fixed(canvas: Canvas, points: Field) -> npt.NDArray[np.int32]:
    fixed: npt.NDArray[np.int32] = (points * canvas.unit_px * 2**_SHIFT).round().astype(np.int32)
    return fixed
