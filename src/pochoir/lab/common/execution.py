"""Painting of an experiment's pictures: jobs, run in this process, in several or on a cluster."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from pochoir import jobs
from pochoir.errors import InputError, OptionError, PochoirError, WeightsError, WriteError
from pochoir.jobs import Event, Failed, Job

STORE_NAME = "jobs.sqlite"
MOST_WORKERS = 256

RunJobs: TypeAlias = Callable[..., Iterator[Event]]
"""Runs jobs as ``pochoir.jobs.run`` does."""

_ERRORS: dict[str, type[PochoirError]] = {"input": InputError, "weights": WeightsError, "write": WriteError}


@dataclass(frozen=True)
class Execution:
    """Choice of where an experiment's pictures are painted.

    Attributes:
        workers: Pictures at once, each in a process of its own; 1 paints in this one, 0 chooses by the processors.
        cluster: Address of a Ray cluster, or ``"auto"``; None uses this machine.
        run: Replaces the runner of jobs.

    Raises:
        OptionError: The number of workers is out of bounds.
    """

    workers: int = 1
    cluster: str | None = None
    run: RunJobs = jobs.run

    def __post_init__(self) -> None:
        if not 0 <= self.workers <= MOST_WORKERS:
            raise OptionError(
                f"--jobs takes 1 to {MOST_WORKERS}, or 0 to choose by the processors; got {self.workers}."
            )

    @property
    def _workers(self) -> int | None:
        is_free = self.workers == 0 or (self.cluster is not None and self.workers == 1)
        return None if is_free else self.workers

    def paint(self, work: Iterable[Job], folder: Path) -> Iterator[Event]:
        """Run jobs; those whose picture is up to date are skipped, and a killed run resumes.

        Args:
            work: Jobs, each with an output of its own.
            folder: Folder of the experiment, which keeps the states of its jobs. It has to exist.

        Yields:
            Events as they happen.

        Raises:
            WeightsError: Trained weights are missing, so no further picture can be painted.
            WriteError: The disk is full or cannot be written, likewise.
        """
        executor = "ray" if self.cluster else ("serial" if self.workers == 1 else "processes")
        events = self.run(
            list(work),
            executor=executor,
            workers=None if executor == "serial" else self._workers,
            address=self.cluster or "auto",
            store=folder / STORE_NAME,
        )
        for event in events:
            if isinstance(event, Failed) and event.concerns_all:
                raise error_of(event)
            yield event


HERE = Execution()
"""Painting in this process, one picture after the other."""


def error_of(event: Failed) -> PochoirError:
    """Return the error that a job failed with."""
    return _ERRORS.get(event.category, PochoirError)(event.error)
