"""A soft contact shadow on the ground below a subject."""

from collections.abc import Sequence

import cv2
import numpy as np

from pochoir.animation.arrays import Plane

_COARSE = 4
_FLAT = 0.18
_SOFT = 0.03


def contact_shade(alpha: Plane, grounds: Sequence[tuple[float, float]], strength: float) -> Plane:
    """Squash a matte onto its ground line and blur it.

    Args:
        alpha: The drawn subjects' alpha, shape (H, W).
        grounds: Ground line and height of each subject that stands in the picture, in pixels.
        strength: Largest share of light that the shadow takes.

    Returns:
        Share of light that is taken, shape (H, W).
    """
    height, width = alpha.shape
    small = (max(1, width // _COARSE), max(1, height // _COARSE))
    coarse = cv2.resize(alpha, small, interpolation=cv2.INTER_AREA)
    shade = np.zeros_like(coarse)
    for foot, tall in grounds:
        line = foot / _COARSE
        squash = np.array([[1.0, 0.0, 0.0], [0.0, _FLAT, line * (1 - _FLAT)]], np.float32)
        flat = cv2.warpAffine(coarse, squash, small, flags=cv2.INTER_LINEAR)
        shade = np.maximum(shade, cv2.GaussianBlur(flat, (0, 0), max(1.0, _SOFT * tall / _COARSE)))
    full = cv2.resize(shade, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(np.clip(full * strength, 0.0, 1.0), dtype=np.float32)
