"""The drawings of a film: frames of a video that are painted, and the moments at which each is shown."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from pochoir._types import Size
from pochoir.video.read import Video
from pochoir.video.shots import CutFinder

Pixels = npt.NDArray[np.uint8]

_KEPT_BYTES: Final = 48 << 20
_LEAST_KEPT: Final = 64
"""Frames that are kept: the tracker of mattes looks 25 frames ahead of the segment that is painted."""
_TINY: Final = Size(1, 1)
_SEARCHED_LONG_SIDE: Final = 128
"""Size at which cuts are searched."""


class Moment(NamedTuple):
    """A frame of the film."""

    number: int
    """Number in the film, from 0."""
    time_s: Fraction
    """Seconds after the film's first frame."""
    duration: Fraction | None


class Drawings(Sequence[Pixels]):
    """Frames of a film that are painted, each of shape (H, W, 3); every ``on``-th frame of the video.

    Frames are decoded when they are asked for, and the last ones are kept.

    Args:
        video: The video.
        size: Size of the frames.
        numbers: Numbers of the film's frames in the video.
        on: Number of frames that show one drawing.
    """

    def __init__(self, video: Video, size: Size, numbers: npt.NDArray[np.int64], on: int = 1) -> None:
        self.size = size
        self._video, self._numbers, self._on = video, numbers, on
        self._kept: OrderedDict[int, Pixels] = OrderedDict()
        self._first_s: Fraction | None = None
        self._moments: dict[int, tuple[Moment, ...]] = {}

    def __len__(self) -> int:
        return -(-len(self._numbers) // self._on)

    @overload
    def __getitem__(self, index: int) -> Pixels: ...
    @overload
    def __getitem__(self, index: slice) -> "Shot": ...
    def __getitem__(self, index: int | slice) -> "Pixels | Shot":
        if isinstance(index, slice):
            return Shot(self, *index.indices(len(self))[:2])
        if not 0 <= index < len(self):
            raise IndexError(index)
        if index not in self._kept:
            self._kept[index] = self._read(index)
            most = max(_LEAST_KEPT, _KEPT_BYTES // (3 * self.size.pixels))
            while len(self._kept) > most:
                self._kept.popitem(last=False)
        self._kept.move_to_end(index)
        return self._kept[index]

    def moments(self, index: int) -> tuple[Moment, ...]:
        """Return the frames of the film that show a drawing, once for each time it was read."""
        return self._moments.pop(index)

    def numbers(self, index: int) -> list[int]:
        """Return the numbers in the video of the frames that show a drawing."""
        return [int(self._numbers[at]) for at in self._shown(index)]

    def _shown(self, index: int) -> range:
        return range(index * self._on, min((index + 1) * self._on, len(self._numbers)))

    def _read(self, index: int) -> Pixels:
        """Read a drawing, and the times of the frames that show it: later the video would have to go back for them."""
        shown = self._shown(index)
        frames = [self._video.frame(int(self._numbers[at]), self.size if at == shown.start else _TINY) for at in shown]
        if self._first_s is None:
            self._first_s = frames[0].time_s if index == 0 else self._video.frame(int(self._numbers[0]), _TINY).time_s
        first_s = self._first_s
        moments = (Moment(at, each.time_s - first_s, each.duration) for at, each in zip(shown, frames, strict=True))
        self._moments[index] = tuple(moments)
        return frames[0].rgb


class Shot(Sequence[Pixels]):
    """The drawings of one shot, counted from 0.

    Args:
        drawings: All drawings.
        first: Number of the first drawing of the shot.
        stop: Number of the first drawing after it.
    """

    def __init__(self, drawings: Drawings, first: int, stop: int) -> None:
        self.drawings, self.first, self.stop = drawings, first, stop

    def __len__(self) -> int:
        return self.stop - self.first

    def __getitem__(self, index: Any) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self.drawings[self.first + index]

    def numbers(self, index: int) -> list[int]:
        """Return the numbers in the video of the frames that show a drawing of the shot."""
        return self.drawings.numbers(self.first + index)

    def __repr__(self) -> str:
        return f"Shot({self.first} to {self.stop - 1})"


class Scan:
    """First pass over a video: the numbers of its whole frames, and the cuts.

    Iterate it for the number of frames that were read so far.

    Args:
        video: The video.
        start_s: Start of the film in the video.
        end_s: End of the film; None is the end of the video.
    """

    def __init__(self, video: Video, start_s: float = 0.0, end_s: float | None = None) -> None:
        self._frames = video.frames(start_s, end_s, video.info.size.fit_long_side(_SEARCHED_LONG_SIDE))
        self._numbers: list[int] = []
        self._finder = CutFinder()
        self.cuts: list[int] = []

    def __iter__(self) -> Iterator[int]:
        for frame in self._frames:
            self._numbers.append(frame.index)
            self.cuts += self._finder.feed(frame.rgb)
            yield len(self._numbers)
        self.cuts += self._finder.finish()

    @property
    def runs(self) -> list[list[int]]:
        """The numbers of the frames as first and last numbers of unbroken runs."""
        numbers = np.asarray(self._numbers, np.int64)
        breaks = np.flatnonzero(np.diff(numbers) != 1) + 1
        return [[int(part[0]), int(part[-1])] for part in np.split(numbers, breaks) if len(part)]


def expand(runs: Sequence[Sequence[int]]) -> npt.NDArray[np.int64]:
    """Return the numbers that ``Scan.runs`` stands for."""
    return np.concatenate([np.arange(first, last + 1) for first, last in runs]).astype(np.int64)
