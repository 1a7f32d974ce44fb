"""Protocol that readers of moving pictures follow."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from pochoir._types import Size
from pochoir.video.colors import ColorTags, Rgb


@dataclass(frozen=True, eq=False)
class Moment:
    """One frame before it is converted.

    Attributes:
        index: Number counted from the first frame.
        time_s: Seconds after the first frame.
        duration: Seconds that the file states for the frame; None if it states none.
        render: Function from a size to the upright picture.
    """

    index: int
    time_s: Fraction
    duration: Fraction | None
    render: Callable[[Size], Rgb]


class Source(Protocol):
    """A file of frames."""

    size: Size
    fps: Fraction
    time_base: Fraction
    estimate: int
    duration_s: Fraction
    rotation: int
    has_sound: bool
    has_alpha: bool
    is_variable: bool
    color: ColorTags
    notes: list[str]

    def moments(self, first: int) -> Generator[Moment, None, None]:
        """Yield frames in order of time, from one at or before number ``first`` on."""

    def find(self, time_s: Fraction) -> int:
        """Return a frame to start at so that none from ``time_s`` on is missed."""

    def key_before(self, index: int) -> int:
        """Return the last frame up to ``index`` that decoding can start at."""

    def count(self) -> int:
        """Return the number of frames; -1 if it is only known at the end."""
