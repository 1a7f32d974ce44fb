"""Progress of a batch: counts, and the time left for all of its jobs."""

import time
from collections import Counter
from collections.abc import Callable

from pochoir.jobs.event import Event, Progress, Started


class BatchProgress:
    """Sums up the events of a batch.

    Args:
        total: Number of jobs.
        clock: Returns seconds.

    Attributes:
        counts: Jobs by the kind of their final event.
    """

    def __init__(self, total: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.total = total
        self.counts: Counter[str] = Counter()
        self._clock = clock
        self._shares: dict[str, float] = {}
        self._started_s: float | None = None
        self._skipped = 0

    def add(self, event: Event) -> None:
        """Take the next event."""
        if isinstance(event, Started):
            self._started_s = self._clock() if self._started_s is None else self._started_s
            self._shares[event.job] = 0.0
        elif isinstance(event, Progress):
            self._shares[event.job] = event.share
        elif event.kind == "queued":
            self._shares.pop(event.job, None)
        elif event.is_final:
            self._shares.pop(event.job, None)
            self.counts[event.kind] += 1

    @property
    def done(self) -> int:
        """Jobs that are finished."""
        return self.counts.total()

    @property
    def units(self) -> float:
        """Jobs that are finished, counting shares of those that are running."""
        return self.done + sum(self._shares.values())

    @property
    def left_s(self) -> float | None:
        """Seconds that the remaining jobs will take; None before anything is known.

        Jobs that were skipped or failed took no time, so they do not count for the speed.
        """
        worked = self.counts["saved"] + sum(self._shares.values())
        if self._started_s is None or worked <= 0.0:
            return None
        return (self._clock() - self._started_s) / worked * (self.total - self.units)
