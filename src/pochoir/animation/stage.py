"""Plates that drift and pass by behind the subjects."""

from collections.abc import Sequence
from math import pi, sin
from typing import Final

import cv2
import numpy as np

from pochoir.animation.arrays import Picture
from pochoir.animation.plate import fill_plate

_JOIN: Final = 0.25
"""Width of what joins the right edge of a plate to its left edge, as a share of the plate's width."""
_CONTEXT: Final = 0.3
"""Share of the plate at either side that the join is made from."""


def drift(plate: Picture, progress: float, parallax: float) -> Picture:
    """Return a plate shifted sideways; at the start of the clip it is the plate itself.

    Args:
        plate: The background, shape (H, W, 3).
        progress: Share of the clip that has passed.
        parallax: Largest shift to either side, as a share of the width; the border is mirrored.
    """
    shift_px = parallax * plate.shape[1] * sin(2 * pi * progress)
    if abs(shift_px) < 1e-9:
        return plate
    matrix = np.array([[1.0, 0.0, shift_px], [0.0, 1.0, 0.0]])
    moved = cv2.warpAffine(
        plate, matrix, plate.shape[1::-1], flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.clip(moved, 0.0, 1.0).astype(np.float32)


def close_plates(plates: Sequence[Picture]) -> list[Picture]:
    """Return plates continued to the right until they meet their own left edge, so that they can pass by endlessly.

    The join is filled from patches of the first plate. All plates get the same one: it should not flicker between them.
    """
    if not plates:
        return []
    first = plates[0]
    height, width = first.shape[:2]
    join, context = max(1, round(_JOIN * width)), max(1, round(_CONTEXT * width))
    gap = np.zeros((height, join, 3), np.float32)
    around = np.concatenate([first[:, width - context :], gap, first[:, :context]], axis=1)
    hole = np.zeros(around.shape[:2], bool)
    hole[:, context : context + join] = True
    filled = fill_plate(around, hole)[:, context : context + join]
    return [np.concatenate([plate, filled], axis=1) for plate in plates]


def pass_by(closed: Picture, progress: float, rounds: int, width: int) -> Picture:
    """Return the part of a passing plate that is in the frame; at the start of the clip it is the plate itself.

    Args:
        closed: A plate from ``close_plates``.
        progress: Share of the clip that has passed.
        rounds: Number of times that the plate passes by during the clip, negative to the left.
        width: Width of the frame.
    """
    around = closed.shape[1]
    shift = round(progress * rounds * around) % around  # whole pixels are sharp
    return np.ascontiguousarray(closed[:, (np.arange(width) - shift) % around])
