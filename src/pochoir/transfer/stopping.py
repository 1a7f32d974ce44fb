"""End of a scale, and choice of the scales that fit in the time."""

import math
import time
from collections import deque
from collections.abc import Callable, Sequence

from pochoir.transfer.schedule import Scale

STALL_STEPS = 12
STALL_SHARE = 0.002
"""A scale ends when so many steps together have lowered the objective by less than this share: more would not show."""
OVERHEAD_PX = 16_000
"""Time of a step that does not depend on its size, as pixels: reading weights, small sums, waiting. With it the
measured steps at 128, 256 and 512 pixels have the same cost per pixel within 6 %."""
STEPS_TO_BEGIN = 1.75
"""Duration of a scale's beginning, as steps of it: targets of photo and style, and the objective at the start."""
LEAST_SHARE = 0.25
"""A scale is begun only if there is time for this share of its steps."""
RECENT_STEPS = 3
"""A step is expected to take as long as the mean of so many; limited time allows for the last one if that took
longer."""
SPARE_STEPS = 0.25
"""Share of a step whose time is left over, because a machine that is slow in steps is slow in saving, too."""

TIME_UP = "time was up"
CONVERGED = "more steps would not show"


class StoppingRule:
    """Ends a scale when its steps are done, when the time is needed elsewhere, or when more steps would not show.

    In limited time all scales are cut to the same share of their steps. That share is worked out anew after each step,
    from the measured seconds of this scale's steps. A finer scale that could not have ``LEAST_SHARE`` of its steps is
    left out, and the scale before it continues for as long as there is time. Steps that coarse scales lacked are done
    at the finest, if there is time after all.

    Args:
        scales: The schedule.
        work_px: Pixels that one step at each scale has to process; None are the pixels of its size.
        budget_s: Seconds for all of them.
        clock: Returns the time in seconds.

    Attributes:
        done: Steps done; to be set where scales have been done before.
        has_finer: Whether another scale is to follow, known when a scale has ended.
        reason: Why fewer steps than planned were done, ``TIME_UP`` or ``CONVERGED``; empty if all were.
    """

    def __init__(
        self,
        scales: Sequence[Scale],
        *,
        work_px: Sequence[float] | None = None,
        budget_s: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.scales, self.clock = scales, clock
        work_px = [scale.size.pixels for scale in scales] if work_px is None else work_px
        self._costs = [pixels + OVERHEAD_PX for pixels in work_px]
        self.end_s = clock() + budget_s
        self.done = 0
        self.has_finer = False
        self.reason = ""
        self._index = 0
        self._step = 0
        self._step_began_s = 0.0
        self._is_cold = True
        self._recent_s: deque[float] = deque(maxlen=RECENT_STEPS)
        self._best: deque[float] = deque(maxlen=STALL_STEPS + 1)

    def begin_scale(self, index: int) -> None:
        """Begin the scale of this number, from 0."""
        self._index, self._step = index, 0
        self._best.clear()

    def begin_steps(self) -> None:
        """Note that the objective at the start is known, and that steps follow."""
        self._step_began_s = self.clock()
        self._recent_s.clear()

    def count_step(self, loss: float) -> bool:
        """Count a step and return whether another one should follow at this scale.

        Args:
            loss: The lowest objective so far at this scale.
        """
        self.done += 1
        self._step += 1
        self._best.append(loss)
        now = self.clock()
        if self._is_cold and self._recent_s:  # the first step of all also warms up, by up to a half of itself
            self._recent_s.clear()
            self._is_cold = False
        self._recent_s.append(now - self._step_began_s)
        self._step_began_s = now
        is_stalled = len(self._best) > STALL_STEPS and self._best[0] - self._best[-1] < STALL_SHARE * self._best[0]
        planned = self.scales[self._index].steps
        finer = self._finer_that_fit(own_steps=self._step if is_stalled else max(planned, self._step))
        if not is_stalled and self._step + 0.5 <= self._allowed_steps(finer):
            return True
        self.has_finer = bool(finer)
        if len(finer) < len(self._finer()) or (self._step < planned and not is_stalled):
            self.reason = TIME_UP
        elif self.done >= sum(scale.steps for scale in self.scales):
            self.reason = ""
        elif self._step < planned:
            self.reason = self.reason or CONVERGED
        return False

    @property
    def left_s(self) -> float:
        """Seconds that the rest will take if no scale ends early, from the steps of this scale."""
        own_steps = self.scales[self._index].steps if self._finer() or self.end_s == math.inf else self._most_steps()
        unit_s = self._mean_s() / self._costs[self._index]
        planned = max(0, own_steps - self._step) * self._costs[self._index]
        planned += sum((self.scales[index].steps + STEPS_TO_BEGIN) * self._costs[index] for index in self._finer())
        return min(planned * unit_s, max(0.0, self.end_s - self.clock()))

    def _finer(self) -> list[int]:
        """Return the numbers of the finer scales that have steps."""
        return [index for index in range(self._index + 1, len(self.scales)) if self.scales[index].steps]

    def _step_s(self, index: int) -> float:
        """Return the seconds to allow for a step at a scale."""
        expected_s = max(self._mean_s(), self._recent_s[-1])
        return max(expected_s, 1e-6) * self._costs[index] / self._costs[self._index]

    def _mean_s(self) -> float:
        return sum(self._recent_s) / len(self._recent_s)

    def _usable_s(self, finer: Sequence[int]) -> float:
        """Return the seconds that are left for steps of this scale and of some finer ones."""
        finest = max(finer, default=self._index)
        return self.end_s - self.clock() - SPARE_STEPS * self._step_s(finest)

    def _allowed_steps(self, finer: Sequence[int]) -> float:
        """Return the steps of this scale that there is time for, those done included, if some finer scales follow."""
        planned, left_s = self.scales[self._index].steps, self._usable_s(finer)
        if left_s == math.inf:
            return planned
        if finer:
            return min(1.0, self._share_of_steps(finer, own_steps=planned)) * planned
        fitting = self._step + math.floor(max(0.0, left_s) / self._step_s(self._index))
        return fitting if self._finer() else min(self._most_steps(), fitting)

    def _most_steps(self) -> int:
        """Return the most steps of the finest scale in limited time: its own and those that coarser ones lacked."""
        earlier = sum(scale.steps for scale in self.scales[: self._index]) - (self.done - self._step)
        return self.scales[self._index].steps + max(0, earlier)

    def _finer_that_fit(self, *, own_steps: int) -> list[int]:
        """Return the numbers of the finer scales that can have their least share, if this one has so many steps."""
        finer = self._finer()
        while finer and self._share_of_steps(finer, own_steps=own_steps) < LEAST_SHARE:
            finer.pop()
        return finer

    def _share_of_steps(self, finer: Sequence[int], *, own_steps: int) -> float:
        """Return the share of their steps that this scale and finer ones can have; above 1 if there is time for all."""
        own_s = self._step_s(self._index)
        beginning = sum(STEPS_TO_BEGIN * self._step_s(index) for index in finer)
        wanted = own_steps * own_s + sum(self.scales[index].steps * self._step_s(index) for index in finer)
        return (self._usable_s(finer) - beginning + self._step * own_s) / wanted
