"""Surfaces: light on relief, and paper."""

import cv2
import numpy as np

from pochoir.styles.canvas import Canvas, Field
from pochoir.styles.noise import smooth_noise


def relief(canvas: Canvas, height: Field, *, depth: float) -> Field:
    """Return light from the upper left on a surface.

    Args:
        canvas: Gives the scale, so that the relief looks alike at any resolution.
        height: Height of the surface (H, W), any range.
        depth: How much a slope of ``height`` changing by 1 over 1 % of the short side brightens or darkens.

    Returns:
        Brightness to add to a picture (H, W), 0 on flat ground, held within [-depth, depth] times 2.
    """
    step = np.float32(depth * canvas.px(0.01) / np.sqrt(2.0))
    across, down = (cv2.Sobel(height, cv2.CV_32F, x, 1 - x, ksize=3, scale=1 / 8) for x in (1, 0))
    light: Field = np.clip((across + down) * step, -2 * depth, 2 * depth)
    return light


def paper_grain(canvas: Canvas, rng: np.random.Generator) -> Field:
    """Return the tooth of a rough sheet (H, W), mean about 0, mostly within [-1, 1]."""
    fine = smooth_noise(canvas, rng, 300)
    coarse = smooth_noise(canvas, rng, 110)
    return 0.6 * fine + 0.6 * coarse
