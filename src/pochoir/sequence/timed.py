"""Frames of a film with the time that each is shown."""

from collections import deque
from collections.abc import Iterable, Iterator
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
