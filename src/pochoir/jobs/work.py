"""Work: the registry of kinds of jobs, and the worker that runs them."""

import functools
import importlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pochoir.errors import OptionError, UnknownNameError
from pochoir.jobs.control import Control
from pochoir.jobs.event import Canceled, Event, Failed, Started
from pochoir.jobs.executors.protocol import MakeWorker
from pochoir.jobs.job import STREAM, Job
from pochoir.recipe import Recipe

if TYPE_CHECKING:
    from pochoir.session import Session

_TARGETS: dict[str, str] = {
    "stylize": "pochoir.jobs.kinds.stylize:KIND",
    "redo": "pochoir.jobs.kinds.redo:KIND",
    "segment": "pochoir.jobs.kinds.segment:KIND",
    "video": "pochoir.jobs.kinds.video:KIND",
    "animate": "pochoir.jobs.kinds.animate:KIND",
}


@dataclass(frozen=True)
class Kind:
    """A kind of job.

    Attributes:
        perform: Do the job: yield its events, a final one last; raise what goes wrong. It gets the job, the worker
            with its loaded networks, and the control that may ask it to stop.
        inputs: Return the paths of the files that a job reads.
        check: Raise an ``InputError`` if a job cannot be run; quick, without reading pictures.
        check_shared: Raise an ``InputError`` if a picture that several jobs share cannot be used; called once for each
            recipe of a batch.
    """

    perform: "Callable[[Job, Worker, Control], Iterator[Event]]"
    inputs: Callable[[Job], list[str]] = lambda job: [job.photo]
    check: Callable[[Job], None] = lambda job: None
    check_shared: Callable[[Recipe], None] = lambda recipe: None


def register(name: str, target: str) -> None:
    """Add a kind of job.

    Args:
        name: Name of the kind, as jobs give it.
        target: Place of its ``Kind`` as ``"module:name"``; workers in other processes import it from there.

    Raises:
        OptionError: The target has another form, or the name is taken.
    """
    if target.count(":") != 1:
        raise OptionError(f"A kind of job is given as 'module:name'; got {target!r}.")
    if _TARGETS.setdefault(name, target) != target:
        raise OptionError(f"The kind of job {name!r} is taken by {_TARGETS[name]}.")


def kinds() -> tuple[str, ...]:
    """Return the names of all kinds of jobs."""
    return tuple(_TARGETS)


def check_jobs(jobs: Sequence[Job]) -> None:
    """Raise an ``InputError`` if one of the jobs cannot be run, before any is begun."""
    seen: dict[str, Job] = {}
    checked: set[tuple[str, str]] = set()
    for job in jobs:
        if job.kind not in _TARGETS:
            raise UnknownNameError("kind of job", job.kind, _TARGETS)
        kind = _load(_TARGETS[job.kind])
        kind.check(job)
        if job.id in seen and job.output != STREAM:
            raise OptionError(f"Two jobs write {job.output!r}: {seen[job.id].photo!r} and {job.photo!r}.")
        seen[job.id] = job
        settings = (job.kind, json.dumps(job.recipe.to_dict()))
        if len(jobs) > 1 and settings not in checked:
            checked.add(settings)
            kind.check_shared(job.recipe)


class Worker:
    """Runs jobs in one process and keeps what they share loaded. Several threads may use one.

    Args:
        targets: The kinds of jobs, by name.
        previews_s: Seconds between two previews; None makes none.
        many: Segment with compiled kernels, which pay from a few photos on.
        started_s: Time on the clock of ``time.monotonic()`` from which the first job's time counts, such as the start
            of the program; None counts from the job's own start, as for all further jobs.
    """

    def __init__(
        self,
        targets: Mapping[str, str],
        *,
        previews_s: float | None = None,
        many: bool = False,
        started_s: float | None = None,
    ) -> None:
        self.previews_s = previews_s
        self._started_s = started_s
        self._targets = dict(targets)
        self._many = many
        self._lock = threading.Lock()
        self._session: Session | None = None

    @classmethod
    def maker(
        cls, *, previews_s: float | None = None, many: bool = False, started_s: float | None = None
    ) -> MakeWorker:
        """Return a picklable function that makes a worker for the kinds that are known now."""
        return functools.partial(cls, dict(_TARGETS), previews_s=previews_s, many=many, started_s=started_s)

    def take_start(self) -> float:
        """Return the time from which a job's time counts; the given one serves once."""
        with self._lock:
            started_s, self._started_s = self._started_s, None
        return time.monotonic() if started_s is None else started_s

    @property
    def session(self) -> "Session":
        """Networks, styles and targets that jobs share; loaded when they are first needed."""
        from pochoir.session import Session

        with self._lock:
            if self._session is None:
                self._session = Session(many=self._many)
            return self._session

    def run(self, job: Job, control: Control) -> Iterator[Event]:
        """Run one job: yield its events, a final one last. Errors of the job become a ``Failed`` event."""
        import torch

        yield Started(job=job.id, worker=str(os.getpid()), threads=torch.get_num_threads())
        try:
            kind = _load(self._targets[job.kind])
            for event in kind.perform(job, self, control):
                yield event
                if event.is_final:
                    return
            yield Canceled(job=job.id)
        except Exception as error:  # a photo may be broken in ways that nobody has seen; the others are not
            yield Failed.from_error(job.id, error)

    def inputs(self, job: Job) -> list[str]:
        """Return the paths of the files that a job reads."""
        return _load(self._targets[job.kind]).inputs(job)


@functools.cache
def _load(target: str) -> Kind:
    module, _, name = target.partition(":")
    kind: Any = getattr(importlib.import_module(module), name)
    assert isinstance(kind, Kind)  # noqa: S101  # what was registered is one
    return kind
