"""Executor in the calling thread: one job at a time, one event per call."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import cast

from pochoir.jobs.control import Control
from pochoir.jobs.event import Event
from pochoir.jobs.executors.protocol import JobWorker, MakeWorker
from pochoir.jobs.job import Job


class SerialExecutor:
    """Runs jobs in the calling thread.

    Args:
        make_worker: Makes the worker, when the first job begins.
        threads: Torch's threads while a job is at work; None leaves them as they are.
    """

    def __init__(self, make_worker: MakeWorker, *, threads: int | None = None) -> None:
        self._make_worker = make_worker
        self._threads = threads
        self._worker: JobWorker | None = None
        self._control = ("", Control())
        """The job's name and its control; one value, because other threads read it."""
        self._events: Generator[Event, None, None] | None = None

    @property
    def free(self) -> int:
        """Jobs that can be started now."""
        return 0 if self._events is not None else 1

    def start(self, job: Job) -> None:
        """Begin a job."""
        if self._worker is None:
            self._worker = self._make_worker()
        control = Control()
        self._control = (job.id, control)
        self._events = cast("Generator[Event, None, None]", self._worker.run(job, control))

    def collect(self, timeout_s: float) -> list[Event]:
        """Run the job up to its next event."""
        if self._events is None:
            return []
        with self._torch_threads():
            event = next(self._events, None)
        if event is None:
            self._events = None
            return []
        if event.is_final:
            self._events.close()
            self._events = None
        return [event]

    def cancel(self, job: str, *, keep: bool = False) -> None:
        """Ask the running job to stop. Other threads may do so, too, while ``collect`` waits for the job."""
        running, control = self._control
        if job == running:
            control.cancel(keep=keep)

    def close(self) -> None:
        """Stop the job between two steps."""
        if self._events is not None:
            self._events.close()
            self._events = None

    @contextmanager
    def _torch_threads(self) -> Iterator[None]:
        # Between two events the process belongs to the caller, so the number is set for each of them.
        if self._threads is None:
            yield
            return
        from pochoir._threads import torch_threads

        with torch_threads(self._threads):
            yield
