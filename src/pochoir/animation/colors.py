"""Smooth continuation of colours beyond what is known."""

import cv2
import numpy as np

from pochoir.animation.arrays import Mask, Picture


def spread(picture: Picture, known: Mask) -> Picture:
    """Return a picture whose unknown pixels continue the known ones smoothly.

    Args:
        picture: Colours, shape (H, W, 3).
        known: True where colours are kept, shape (H, W). Without any, the result is grey.

    References:
        Gortler et al., "The Lumigraph", SIGGRAPH 1996: push and pull through an image pyramid.
    """
    if not known.any():
        return np.full_like(picture, 0.5)
    filled = _pull(picture.astype(np.float32), known.astype(np.float32))
    return np.where(known[..., None], picture, filled).astype(np.float32)


def _pull(picture: Picture, weight: Picture) -> Picture:
    height, width = weight.shape
    if min(height, width) <= 1 or weight.min() >= 1:
        total = max(float(weight.sum()), 1e-6)
        mean = (picture * weight[..., None]).sum(axis=(0, 1)) / total
        return np.where(weight[..., None] > 0, picture, mean).astype(np.float32)
    half = ((width + 1) // 2, (height + 1) // 2)
    colors = cv2.resize(picture * weight[..., None], half, interpolation=cv2.INTER_AREA)
    share = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)
    mean = np.asarray(colors / np.maximum(share, 1e-6)[..., None], np.float32)
    coarse = _pull(mean, np.minimum(share * 4, 1.0))
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(picture * weight[..., None] + smooth * (1 - weight[..., None]), np.float32)
