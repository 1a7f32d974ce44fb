"""Input of the writers of moving pictures."""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pochoir._types import Size

Frame = npt.NDArray[np.uint8]
"""One frame, shape (H, W, 3), or (H, W, 4) with alpha that colours are not multiplied by."""


@dataclass(frozen=True, eq=False)
class Film:
    """Frames to be written, one after the other, so that memory does not grow with their number.

    Attributes:
        frames: The frames in order, iterated once.
        count: Number of frames.
        size: Size of each frame.
        fps: Frames a second.
        alpha: True if frames have four channels.
        loop: True if viewers are to repeat the film.
        record: Text to keep in the file.
        sample: Function that returns any frame by its index, for formats that share one palette; None if frames can
            be had in order only.
    """

    frames: Iterable[Frame]
    count: int
    size: Size
    fps: float
    alpha: bool = False
    loop: bool = True
    record: str | None = None
    sample: Callable[[int], Frame] | None = None

    def delays_ms(self, unit_ms: int = 1) -> list[int]:
        """Return the duration of each frame, multiples of ``unit_ms`` whose sums stay closest to exact time."""
        ends = [round(index * 1000 / (self.fps * unit_ms)) for index in range(self.count + 1)]
        return [max(1, after - before) * unit_ms for before, after in itertools.pairwise(ends)]
