"""The clock of a clip: frames, held frames and phases of motions."""

from dataclasses import dataclass
from fractions import Fraction
from math import floor


@dataclass(frozen=True)
class Timing:
    """Number and spacing of a clip's frames.

    Attributes:
        duration_s: Length of the clip in seconds.
        fps: Frames a second.
        loop: True if the last frame leads back to the first; False if the clip ends at rest.
        hold: Number of frames that show one pose: 1 is smooth, 2 and 3 look drawn by hand.
    """

    duration_s: float
    fps: float
    loop: bool = True
    hold: int = 1

    @property
    def frames(self) -> int:
        """Number of frames, at least one."""
        return max(1, round(self.duration_s * self.fps))

    def index_at(self, time_s: float) -> int:
        """Return the frame shown at a time; times beyond the ends wrap around in a loop and are clamped otherwise."""
        index = floor(Fraction(time_s).limit_denominator(10**6) * Fraction(self.fps).limit_denominator(10**4))
        return index % self.frames if self.loop else min(max(index, 0), self.frames - 1)

    def progress(self, index: int) -> float:
        """Return the share of the clip that has passed at a frame, with poses held."""
        held = index - index % self.hold
        last = self.frames if self.loop else max(1, self.frames - 1)
        # A clip that plays once ends at rest, also where the last frames hold an earlier pose.
        return 1.0 if not self.loop and index == self.frames - 1 else held / last

    def phase(self, index: int, period_s: float) -> float:
        """Return the phase in [0, 1) of a motion that takes about ``period_s`` for one cycle."""
        return (self.progress(index) * self.cycles(period_s)) % 1.0

    def cycles(self, period_s: float) -> int:
        """Return the whole number of cycles that fits the duration best, so that loops close."""
        return max(1, round(self.duration_s / period_s))
