"""Cuts between shots."""

from collections import deque
from collections.abc import Iterable
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from pochoir.video.colors import Rgb
from pochoir.video.warping import DenseSearch, warp

NEIGHBORS: Final = 6
"""Differences on each side that a cut is compared with."""
THRESHOLD: Final = 2.5
"""Times a difference must exceed the largest of its neighbours to be a cut."""
_LONG_SIDE_PX: Final = 128
_LEAST_LEVELS: Final = 3.0
"""Difference in 8-bit levels that the largest neighbour counts as at least, so that noise in a still scene is none."""


class CutFinder:
    """Streaming search for cuts.

    A cut is a frame that differs from the one before by far more than the frames around it do, after motion is
    compensated. Flashes, pans and fades are none. Feed frames in order; each answer comes ``NEIGHBORS`` frames late.
    """

    def __init__(self) -> None:
        self._before: npt.NDArray[np.uint8] | None = None
        self._differences: deque[float] = deque(maxlen=2 * NEIGHBORS + 1)
        self._count = 0

    def feed(self, frame: Rgb) -> list[int]:
        """Take the next frame, shape (H, W, 3); return the first frames of shots that are certain now."""
        small = _shrink(frame)
        self._count += 1
        found = []
        if self._before is None:
            found.append(0)
        else:
            self._differences.append(compensated_difference(self._before, small))
            if len(self._differences) > NEIGHBORS:
                found += self._judge(len(self._differences) - 1 - NEIGHBORS)
        self._before = small
        return found

    def finish(self) -> list[int]:
        """Return the first frames of the remaining shots after the last frame."""
        late = range(max(0, len(self._differences) - NEIGHBORS), len(self._differences))
        return [first for at in late for first in self._judge(at)]

    def _judge(self, at: int) -> list[int]:
        """Return the frame after the difference number ``at`` of those that are kept, if it is a cut."""
        around = [each for place, each in enumerate(self._differences) if 0 < abs(place - at) <= NEIGHBORS]
        usual = max([*around, _LEAST_LEVELS])
        frame = self._count - len(self._differences) + at
        return [frame] if self._differences[at] > THRESHOLD * usual else []


def find_cuts(frames: Iterable[Rgb]) -> list[int]:
    """Return the first frame of each shot, from 0; an empty list without frames.

    Args:
        frames: Frames in order, each (H, W, 3), uint8, iterated once.
    """
    finder = CutFinder()
    cuts = [first for frame in frames for first in finder.feed(frame)]
    return cuts + finder.finish()


def compensated_difference(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> float:
    """Return the mean difference of two small frames in 8-bit levels, once one is warped onto the other."""
    search = DenseSearch(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    grays = [np.asarray(cv2.cvtColor(each, cv2.COLOR_RGB2GRAY), np.uint8) for each in (other, one)]
    moved = warp(one, search.flow(grays[0], grays[1]), interpolation="linear")
    return float(np.abs(moved - other).mean())


def _shrink(frame: Rgb) -> npt.NDArray[np.uint8]:
    height, width = frame.shape[:2]
    factor = _LONG_SIDE_PX / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
