"""Living paint: the same picture painted again with other strokes but the same colours."""

from typing import Final

import cv2
import numpy as np

from pochoir.animation.arrays import Picture, Plane

STEPS: Final = 8
"""Steps that a repainting takes, at the finest scale alone."""
_STIR: Final = 60 / 255
_STIR_PX: Final = 4.0
_LOCK_PX: Final = 6.0


def stir(picture: Picture, seed: int) -> Picture:
    """Return a picture to start a repainting from: the finished one with blurred noise, so that strokes settle anew.

    Args:
        picture: Finished painting in [0, 1], shape (H, W, 3).
        seed: Another seed gives other strokes.
    """
    noise = np.random.default_rng(seed).standard_normal(picture.shape).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), _STIR_PX)
    strength = _STIR / max(float(soft.std()), 1e-6)
    return np.asarray(np.clip(picture + strength * soft, 0.0, 1.0), np.float32)


def lock_colors(repainted: Picture, original: Picture, weight: Plane | None = None) -> Picture:
    """Give a repainting the broad colours of the original, so that strokes change and colours do not flicker.

    Args:
        repainted: Repainting in [0, 1], shape (H, W, 3).
        original: First painting, same shape.
        weight: Matte inside which colours count; None is everywhere.
    """
    share = np.ones(repainted.shape[:2], np.float32) if weight is None else weight
    total = np.maximum(cv2.GaussianBlur(share, (0, 0), _LOCK_PX), 1e-3)[..., None]
    difference = cv2.GaussianBlur((original - repainted) * share[..., None], (0, 0), _LOCK_PX) / total
    return np.asarray(np.clip(repainted + difference, 0.0, 1.0), np.float32)
