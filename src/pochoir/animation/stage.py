"""Plates that drift and pass by behind the subjects."""

from math import pi, sin

import cv2
import numpy as np

from pochoir.animation.arrays import Picture


def drift(plate: Picture, progress: float, parallax: float, scroll: int) -> Picture:
    """Return a plate shifted sideways; at the start of the clip it is the plate itself.

    Args:
        plate: The background, shape (H, W, 3).
        progress: Share of the clip that has passed.
        parallax: Largest shift to either side, as a share of the width; the border is mirrored.
        scroll: Number of mirrored pairs of the plate that pass by during the clip, negative to the left.
    """
    width = plate.shape[1]
    if scroll:
        # Whole pixels of a mirror-tiled plate: sharp, and the same after every two widths.
        shift = round(progress * scroll * 2 * width) % (2 * width)
        columns = (np.arange(width) - shift) % (2 * width)
        return np.ascontiguousarray(plate[:, np.where(columns < width, columns, 2 * width - 1 - columns)])
    shift_px = parallax * width * sin(2 * pi * progress)
    if abs(shift_px) < 1e-9:
        return plate
    matrix = np.array([[1.0, 0.0, shift_px], [0.0, 1.0, 0.0]])
    moved = cv2.warpAffine(
        plate, matrix, plate.shape[1::-1], flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.clip(moved, 0.0, 1.0).astype(np.float32)
