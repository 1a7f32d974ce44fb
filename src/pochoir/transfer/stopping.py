"""When a scale has had enough steps."""

import math
import time
from collections import deque
from collections.abc import Callable, Sequence

from pochoir.transfer.schedule import Scale

STALL_STEPS = 12
STALL_SHARE = 0.002
"""A scale ends when so many steps together have lowered the objective by less than this share: more would not show."""
EVALUATIONS_TO_BEGIN = 4.0
"""What a scale takes until its first step is done: targets of photo and style, its start, the step."""


class Pace:
    """Ends a scale when its steps are done, when its time is up, or when more steps would not show.

    Args:
        scales: The schedule.
        budget_s: Seconds for all of them. What is left of them when a scale begins is shared out among this scale and
            the finer ones as their steps and pixels ask for.
        clock: Tells the time in seconds.

    Attributes:
        done: Steps done; to be set where scales have been done before.
    """

    def __init__(
        self, scales: Sequence[Scale], *, budget_s: float = math.inf, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.scales, self.clock = scales, clock
        self.end_s = clock() + budget_s
        self.done = 0
        self._index = 0
        self._step = 0
        self._scale_end_s = math.inf
        self._set_out_s = 0.0
        self._s_per_px = 0.0  # of a step; not known before the first
        self._best: deque[float] = deque(maxlen=STALL_STEPS + 1)

    def begins(self, index: int) -> bool:
        """Begin a scale; tells whether it is worth it. The first one is in any case."""
        costs = [scale.steps * scale.size.pixels for scale in self.scales[index:]]
        now = self.clock()
        least_s = EVALUATIONS_TO_BEGIN * self._s_per_px * self.scales[index].size.pixels
        if index > 0 and (now + least_s > self.end_s or not self.scales[index].steps):
            return False
        self._scale_end_s = now + (self.end_s - now) * costs[0] / sum(costs)
        self._index, self._step = index, 0
        self._best.clear()
        return True

    def sets_out(self) -> None:
        """Say that the start of the scale has been looked at, and that steps follow."""
        self._set_out_s = self.clock()

    def goes_on(self, loss: float) -> bool:
        """Count a step, after which ``loss`` is the lowest so far; tells whether another one should follow."""
        self.done += 1
        self._step += 1
        self._best.append(loss)
        now = self.clock()
        step_s = (now - self._set_out_s) / self._step
        self._s_per_px = step_s / self.scales[self._index].size.pixels
        if self._step >= self.scales[self._index].steps or now + step_s > self._scale_end_s:
            return False
        return len(self._best) <= STALL_STEPS or self._best[0] - self._best[-1] >= STALL_SHARE * self._best[0]

    @property
    def left_s(self) -> float:
        """Seconds that the rest will take, as far as can be told from the steps of this scale."""
        current, *finer = self.scales[self._index :]
        steps_px: float = (current.steps - self._step) * current.size.pixels
        steps_px += sum((scale.steps + EVALUATIONS_TO_BEGIN) * scale.size.pixels for scale in finer if scale.steps)
        return min(steps_px * self._s_per_px, max(0.0, self.end_s - self.clock()))
