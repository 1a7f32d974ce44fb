"""Protocols between the runner, executors and workers."""

from collections.abc import Callable, Iterator
from typing import Protocol, TypeAlias

from pochoir.jobs.control import Control
from pochoir.jobs.event import Event
from pochoir.jobs.job import Job


class JobWorker(Protocol):
    """Runs jobs and keeps networks loaded between them."""

    def run(self, job: Job, control: Control) -> Iterator[Event]:
        """Run one job: yield its events, a final one last. Errors of the job become a ``Failed`` event."""

    def inputs(self, job: Job) -> list[str]:
        """Return the paths of the files that a job reads."""


MakeWorker: TypeAlias = Callable[[], JobWorker]


class Executor(Protocol):
    """Runs several jobs at once. All methods are called from one thread.

    A job whose worker died ends with a ``Failed`` event of the category ``"lost"``.
    """

    @property
    def free(self) -> int:
        """Jobs that can be started now."""

    def start(self, job: Job) -> None:
        """Begin a job; ``free`` has to be above 0."""

    def collect(self, timeout_s: float) -> list[Event]:
        """Return the events since the last call; wait for one at most about ``timeout_s`` seconds, or one step."""

    def cancel(self, job: str, *, keep: bool = False) -> None:
        """Ask a running job to stop; its final event follows. ``keep`` asks it to save the best picture so far."""

    def close(self) -> None:
        """Stop all jobs and workers."""
