"""The end of a painting that has limited time."""

import math
import time

SAVING_S, SAVING_S_PER_PX = 0.15, 0.3e-6
"""Part of the time that is kept for composing and saving: half of it, or less, on a machine that does nothing else."""


class TimeLimit:
    """Limited time, from the start of the program up to the saved file.

    Args:
        limit_s: Seconds; None for any time.
        started_s: When they began, on the clock of ``time.monotonic()``; None for now.
    """

    def __init__(self, limit_s: float | None, started_s: float | None) -> None:
        self._limit_s = math.inf if limit_s is None else limit_s
        self._started_s = time.monotonic() if started_s is None else started_s
        self._saving_s = 0.0

    def keep_for_saving(self, pixels: int) -> None:
        """Keep a part of the time for a file with so many pixels."""
        self._saving_s = SAVING_S + SAVING_S_PER_PX * pixels

    @property
    def left_s(self) -> float:
        """Seconds that are left for painting; below 0 if the time is up."""
        return self._started_s + self._limit_s - self._saving_s - time.monotonic()
