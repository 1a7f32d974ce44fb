"""Requests to a job that is being run."""

import threading


class Control:
    """Tells a running job to stop. Safe to use from several threads."""

    def __init__(self) -> None:
        self._canceled = threading.Event()
        self._keeps = False

    def cancel(self, *, keep: bool = False) -> None:
        """Ask the job to stop; ``keep`` asks it to save the best picture so far."""
        self._keeps = keep
        self._canceled.set()

    @property
    def canceled(self) -> bool:
        """True once the job should stop."""
        return self._canceled.is_set()

    @property
    def keeps(self) -> bool:
        """True if the best picture so far should be saved."""
        return self._keeps
