"""Shots of a camera that stands still: what does not move is painted once."""

from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Map = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_BLUR_PX: Final = 1.0
"""Averages noise out of the difference to the plate."""
_LEAST_LEVELS: Final = 2.0
_NOISE_TIMES: Final = 3.0
"""A pixel moves if it differs by more than the least levels and so many times the median difference."""
_SHIFT_PX: Final = 0.15
"""Motion of the camera, anywhere in the frame, from which the shot is no longer still."""
_SURE_PX: Final = 0.05
"""Standard error of this motion that is allowed; a blank wall says nothing about the camera."""
_STILL_SHARE: Final = 0.25
"""Share of the known background that must not have changed."""
_BORDER_PX: Final = 1.5
"""Softness of the border between what is still and what moves."""


@dataclass(frozen=True, eq=False)
class Plate:
    """The still part of a shot, as it was seen and painted.

    A frame is compared with the plate and never with the frame before: a camera that creeps by a hundredth of a pixel
    from frame to frame would pass as still.

    Attributes:
        frame: The pixels as they were seen, shape (H, W, 3).
        painting: The pixels as they were painted.
        known: Where there are such, shape (H, W).
    """

    frame: Pixels = field(repr=False)
    painting: Pixels = field(repr=False)
    known: Mask = field(repr=False)

    def stillness(self, frame: Pixels, ground: Mask | None = None) -> Map | None:
        """Return how much of each pixel is the plate's, in [0, 1], shape (H, W); None if the camera has moved.

        Args:
            frame: A later frame of the shot.
            ground: Where the frame shows background; None is everywhere.
        """
        known = self.known if ground is None else self.known & ground
        if not known.any():
            return None
        change = frame.astype(np.float32) - self.frame
        difference = np.abs(cv2.GaussianBlur(change, (0, 0), _BLUR_PX)).max(axis=2)
        limit = _LEAST_LEVELS + _NOISE_TIMES * float(np.median(difference[known]))
        still = known & (difference < limit)
        if still.sum() < _STILL_SHARE * known.sum() or not _is_camera_still(self.frame, frame, still):
            return None
        closed = cv2.morphologyEx(still.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        whole = cv2.morphologyEx(closed * known.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
        core = cv2.erode(whole, np.ones((5, 5), np.uint8)).astype(np.float32)
        soft = cv2.GaussianBlur(core, (0, 0), _BORDER_PX) * whole
        return np.asarray(np.where(cv2.erode(core, np.ones((7, 7), np.uint8)) > 0, 1.0, soft), np.float32)

    def lay(self, painting: Map, still: Map) -> Map:
        """Return a painting, shape (H, W, 3) in 8-bit levels, with the plate's where it is still."""
        amount = still[..., None]
        return np.asarray(painting * (1 - amount) + self.painting.astype(np.float32) * amount, np.float32)

    def extend(self, frame: Pixels, painting: Pixels, still: Map, ground: Mask | None = None) -> "Plate":
        """Return the plate with what a new key shows: what was hidden, and what has changed.

        Args:
            frame: The key.
            painting: Its painting.
            still: Where it is the plate's; see ``stillness``.
            ground: Where it shows background; None is everywhere.
        """
        new = still < 1.0
        if ground is not None:
            new &= ground
        known = self.known | new
        place = new[..., None]
        return Plate(np.where(place, frame, self.frame), np.where(place, painting, self.painting), known)


def begin_plate(frame: Pixels, painting: Pixels, ground: Mask | None = None) -> Plate:
    """Return the plate that a key begins.

    Args:
        frame: The key, shape (H, W, 3).
        painting: Its painting.
        ground: Where it shows background; None is everywhere.
    """
    return Plate(frame, painting, np.ones(frame.shape[:2], np.bool_) if ground is None else ground)


def _is_camera_still(before: Pixels, now: Pixels, counted: Mask) -> bool:
    """Tell whether an affine motion between two frames is surely next to nothing.

    It is found by least squares from the brightness and its slopes (Lucas and Kanade 1981), robustly.

    Args:
        before: Shape (H, W, 3).
        now: Shape (H, W, 3), hardly different.
        counted: Pixels that count, shape (H, W).
    """
    one, other = (
        cv2.GaussianBlur(cv2.cvtColor(each, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), _BLUR_PX)
        for each in (before, now)
    )
    middle = (one + other) / 2
    height, width = counted.shape
    y, x = np.nonzero(counted)
    dx, dy = (cv2.Sobel(middle, cv2.CV_32F, *order)[counted] / 8 for order in ((1, 0), (0, 1)))
    across, down = (x / max(1, width - 1) - 0.5).astype(np.float32), (y / max(1, height - 1) - 0.5).astype(np.float32)
    slopes = np.stack([dx, dx * across, dx * down, dy, dy * across, dy * down]).astype(np.float64)
    change = (one - other)[counted].astype(np.float64)
    weight = np.ones_like(change)
    for _ in range(3):
        normal = (slopes * weight) @ slopes.T
        if np.linalg.cond(normal) > 1e8:
            return False
        motion = np.linalg.solve(normal, (slopes * weight) @ change)
        rest = change - motion @ slopes
        spread = 1.5 * float(np.median(np.abs(rest))) + 0.1
        weight = 1 / (1 + np.square(rest / (2 * spread)))
    corners = np.array([[1, sx, sy] for sx in (-0.5, 0.5) for sy in (-0.5, 0.5)])
    moved = np.hypot(corners @ motion[:3], corners @ motion[3:])
    # Blurred noise is alike in some ten neighbouring pixels.
    covariance = np.linalg.inv(normal) * (10 * spread**2)
    errors = [np.sqrt(corner @ covariance[part, part] @ corner) for corner in corners for part in _PARTS]
    return bool(moved.max() < _SHIFT_PX and max(errors) < _SURE_PX)


_PARTS = (slice(0, 3), slice(3, 6))
