"""Input of the writers of moving pictures."""

import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from pochoir._types import Size

Frame = npt.NDArray[np.uint8]
"""One frame, shape (H, W, 3), or (H, W, 4) with alpha that colours are not multiplied by."""


@dataclass(frozen=True)
class SoundSource:
    """Sound of a film: the first sound of another file, from one time to another.

    Attributes:
        path: A file with sound, and with a picture or without.
        start_s: Time at which the film starts, in seconds after the file's first picture.
        end_s: Time at which the film ends; None keeps the sound to its end.
        ends_with_picture: True to end the sound with the last frame that is written, whatever ``end_s`` says.
    """

    path: str | os.PathLike[str]
    start_s: float | Fraction = 0.0
    end_s: float | Fraction | None = None
    ends_with_picture: bool = False


@dataclass(frozen=True, eq=False)
class Film:
    """Frames to be written, one after the other, so that memory does not grow with their number.

    Attributes:
        frames: The frames in order, iterated once.
        count: Number of frames.
        size: Size of each frame.
        fps: Frames a second; on average, where there are durations.
        alpha: True if frames have four channels.
        loop: True if viewers are to repeat the film.
        record: Text to keep in the file.
        sample: Function that returns any frame by its index, for formats that share one palette; None if frames can
            be had in order only.
        durations: Seconds that each frame is shown; None shows all for the same time. Files that PyAV writes take each
            duration after its frame, so both may come from one source; other formats take all of them first.
        time_base: Unit of the frames' times in seconds; None takes one that suits.
        sound: Sound to add; only files that PyAV writes have sound.
        codec: Name of a codec of ``codecs.CODECS``; None takes the format's own.
    """

    frames: Iterable[Frame]
    count: int
    size: Size
    fps: float
    alpha: bool = False
    loop: bool = True
    record: str | None = None
    sample: Callable[[int], Frame] | None = None
    durations: Iterable[Fraction] | None = None
    time_base: Fraction | None = None
    sound: SoundSource | None = None
    codec: str | None = None

    def delays_ms(self, unit_ms: int = 1) -> list[int]:
        """Return the duration of each frame, multiples of ``unit_ms`` whose sums stay closest to exact time."""
        if self.durations is None:
            exact: Iterable[float | Fraction] = (index / self.fps for index in range(self.count + 1))
        else:
            exact = itertools.accumulate(self.durations, initial=Fraction(0))
        ends = [round(end * 1000 / unit_ms) for end in exact]
        return [max(1, after - before) * unit_ms for before, after in itertools.pairwise(ends)]

    def timed(self) -> Iterator[tuple[Frame, Fraction]]:
        """Yield each frame with its duration in seconds."""
        if self.durations is None:
            rate = Fraction(self.fps).limit_denominator(1001)
            yield from ((frame, 1 / rate) for frame in self.frames)
            return
        durations = iter(self.durations)
        for frame in self.frames:
            yield frame, next(durations)
