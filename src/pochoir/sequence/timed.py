"""Frames of a film with the time that each is shown."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

from pochoir.sequence.events import Shown
from pochoir.video import Frame


class Timed:
    """Splits finished frames into pictures and durations, for writers that take each duration after its frame.

    Args:
        shown: The frames in order.
        usual: Duration of a frame that the video states none for, in seconds.
    """

    def __init__(self, shown: Iterable[Shown], usual: Fraction) -> None:
        self._shown = shown
        self._usual = usual
        self._waiting: deque[Fraction] = deque()

    def frames(self) -> Iterator[Frame]:
        """Yield the pictures."""
        for each in self._shown:
            self._waiting.append(each.duration or self._usual)
            yield each.pixels

    def durations(self) -> Iterator[Fraction]:
        """Yield the duration of each frame that was taken, in seconds."""
        while self._waiting:
            yield self._waiting.popleft()


def begin(shown: Iterator[Shown]) -> tuple[list[Shown], Iterator[Shown]]:
    """Make the first frame, so that the whole video has been read; return it, if there is one, and the others."""
    first = next(shown, None)
    return ([] if first is None else [first]), shown


def counted(shown: Iterator[Shown], progress: Callable[[int], None] | None) -> Iterator[Shown]:
    """Yield the frames, and tell how many the writer has taken."""
    for each in shown:
        yield each
        if progress is not None:
            progress(each.index + 1)
