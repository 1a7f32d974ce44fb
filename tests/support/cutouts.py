"""Drawn cutouts to animate, and measures of them."""

import numpy as np
from scipy.ndimage import gaussian_filter, laplace

from pochoir.animation.arrays import Layer


def paint(alpha: np.ndarray, seed: int = 0) -> Layer:
    """A premultiplied cutout of 8 bit values with strokes a few pixels wide."""
    rng = np.random.default_rng(seed)
    strokes = gaussian_filter(rng.random((*alpha.shape, 3)), (1.2, 1.2, 0))
    strokes = (strokes - strokes.min()) / (strokes.max() - strokes.min())
    eight = np.rint(alpha * 255) / 255
    colors = np.rint(strokes * 255) / 255
    return np.dstack([colors * eight[..., None], eight]).astype(np.float32)


def soft(distance: np.ndarray) -> np.ndarray:
    """Alpha of a shape from the signed distance to its outline, positive inside."""
    return np.clip(distance + 0.5, 0, 1)


def ellipse(height: int, width: int, cx: float, cy: float, rx: float, ry: float) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width]
    return soft((1 - np.hypot((x - cx) / rx, (y - cy) / ry)) * min(rx, ry))


def laplacian_energy(layer: Layer) -> float:
    """Strength of the finest detail well inside a cutout."""
    inside = gaussian_filter((layer[..., 3] > 0.99).astype(np.float64), 2) > 0.97
    return float(laplace(layer[..., :3].mean(axis=2).astype(np.float64))[inside].var())
