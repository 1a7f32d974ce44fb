"""Movements of the whole: subjects that cross the picture and plates that drift behind them."""

from collections.abc import Sequence
from math import pi, sin

import cv2
import numpy as np

from pochoir.animation.arrays import Picture
from pochoir.animation.motions import Move
from pochoir.animation.puppet import Puppet
from pochoir.animation.timing import Timing

_ROOM = 1.5
"""Width of a subject and the gap behind it, in widths, when it leaves at one side and returns at the other."""


def travel_offset(puppet: Puppet, moves: Sequence[Move], progress: float, timing: Timing, towards: str) -> float:
    """Return the horizontal shift of a subject that crosses the picture once and re-enters from the other side.

    Args:
        puppet: The subject.
        moves: Its motions; without one that travels the shift is 0.
        progress: Share of the clip that has passed.
        timing: The clip's clock.
        towards: ``"left"`` or ``"right"``.
    """
    travelling = [move for move in moves if move.motion.travels]
    if not travelling:
        return 0.0
    body = puppet.body
    span = body.width_px + _ROOM * body.w
    eased = ground_covered(travelling[0].motion.name, progress, timing.cycles(travelling[0].motion.period_s))
    sign = 1.0 if towards == "right" else -1.0
    start = body.center_x + _ROOM / 2 * body.w
    at = (start + sign * eased * span) % span
    return float(at - start)


def ground_covered(name: str, progress: float, cycles: int) -> float:
    """Return the share of the way covered: hops advance in the air only, other gaits evenly."""
    if name != "hop":
        return progress
    beats = 3 * cycles
    beat = progress * beats
    crouch = 0.28
    return (int(beat) + min(max((beat % 1.0 - crouch) / (1 - crouch), 0.0), 1.0)) / beats


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
