"""Subjects that cross the picture and come back in from the other side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from pochoir.animation.arrays import Points
from pochoir.animation.motions import Move
from pochoir.animation.puppet import Puppet
from pochoir.animation.rigged import Rigged
from pochoir.animation.timing import Timing

_GAP: Final = 0.05
"""Way between leaving at one side and returning at the other, in widths of the subject."""
_OVERHANG_SAMPLES: Final = 24
_HOP_CROUCH: Final = 0.28
_HOPS: Final = 3


@dataclass(frozen=True, eq=False)
class Journey:
    """Way of one subject across the picture, once in the clip.

    Attributes:
        start: Where it stands at rest, on a line that begins where it is out of sight.
        span: Length of that line in pixels.
        sign: 1 to the right, -1 to the left.
        cycles: Cycles of its gait during the clip; 0 leaves them to the motion.
        covered: Share of one cycle's way that is covered, at even phases from 0 to 1.
    """

    start: float
    span: float
    sign: float
    cycles: int
    covered: Points

    def offset(self, progress: float) -> float:
        """Return the horizontal shift when a share of the clip has passed."""
        cycles = max(1, self.cycles)
        whole, phase = divmod(progress * cycles, 1.0)
        within = float(np.interp(phase, np.linspace(0.0, 1.0, len(self.covered)), self.covered))
        at = (self.start + self.sign * (whole + within) / cycles * self.span) % self.span
        return float(at - self.start)


def plan_journey(puppet: Puppet, moves: Sequence[Move], timing: Timing, towards: str) -> Journey | None:
    """Plan the way of a subject; None if none of its motions travels.

    Walkers take as many steps as bring them across without sliding, as nearly as whole cycles allow, and advance as
    their standing foot does. Hops advance in the air, other motions evenly.

    Args:
        puppet: The subject.
        moves: Its motions.
        timing: The clip's clock.
        towards: ``"left"`` or ``"right"``.
    """
    travelling = next((move for move in moves if move.motion.travels), None)
    if travelling is None:
        return None
    body = puppet.body
    low, high = _extent(puppet, moves)
    gap = _GAP * body.w
    span = body.width_px + (high - low) + gap
    start = high + gap / 2
    sign = 1.0 if towards == "right" else -1.0
    if travelling.motion.curve is not None and isinstance(puppet, Rigged):
        distance, covered = puppet.stride(travelling, int(sign))
        if distance > 0:
            return Journey(start, span, sign, max(1, round(span / distance)), covered)
    if travelling.motion.name == "hop":
        phase = np.linspace(0.0, 1.0, 1 + 32 * _HOPS)
        beat, within = np.divmod(phase * _HOPS, 1.0)
        covered = (beat + np.clip((within - _HOP_CROUCH) / (1 - _HOP_CROUCH), 0.0, 1.0)) / _HOPS
        return Journey(start, span, sign, timing.cycles(travelling.motion.period_s), covered)
    return Journey(start, span, sign, 0, np.array([0.0, 1.0]))


def _extent(puppet: Puppet, moves: Sequence[Move]) -> tuple[float, float]:
    """Return the leftmost and the rightmost column that a subject reaches in one cycle of its motions."""

    def pose(phase: float) -> Points:
        return puppet.pose(moves, lambda _: phase)

    poses = [pose(number / _OVERHANG_SAMPLES) for number in range(_OVERHANG_SAMPLES)]
    across = np.concatenate([points[:, 0] for points in poses])
    return float(across.min()), float(across.max())
