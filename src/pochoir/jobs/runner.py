"""Runner: gives jobs to an executor, keeps the store, and yields what happens."""

import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pochoir.errors import PochoirError
from pochoir.jobs.event import Canceled, Event, Failed, Progress, Queued
from pochoir.jobs.executors import Executor, create_executor
from pochoir.jobs.executors.serial import SerialExecutor
from pochoir.jobs.job import Job
from pochoir.jobs.store import Store
from pochoir.jobs.work import Worker, check_jobs

MANY_FROM = 4
"""Jobs from which it pays to load compiled kernels for segmentation."""
COLLECT_S = 0.1
"""Seconds to wait for events before looking at the store again."""
RECHECK_S = 0.25
"""Seconds between two looks at jobs that other processes hold."""
CANCEL_S = 0.05
"""Seconds between two looks at the store for cancellations while a job holds up this thread."""
PROGRESS_S = 0.2
"""Least time between two progress events of one job that are written to the store."""
MOST_ATTEMPTS = 3
"""Times that a job is begun whose workers die."""


def run(
    jobs: Iterable[Job],
    *,
    executor: str | Executor = "serial",
    workers: int | None = None,
    threads: int | None = None,
    address: str = "auto",
    store: Store | str | Path | None = None,
    previews_s: float | None = None,
) -> Generator[Event, None, None]:
    """Run jobs: yield their events as they happen.

    Jobs whose output is up to date are skipped, and those that were canceled in the store while they waited are not
    begun. A job that another process holds in the same store is waited for, and taken over if that process dies. To
    stop, close the iterator: what is saved stays saved, and running the same jobs again resumes the others.

    Args:
        jobs: The jobs; each has an output of its own.
        executor: ``"serial"`` (this thread), ``"threads"``, ``"processes"``, ``"ray"``, or an executor of your own,
            which is left open.
        workers: Jobs at once; None chooses by the processors.
        threads: Torch's threads of each job; None shares out the processors.
        address: Address of the Ray cluster.
        store: Store, or path of its file; None keeps states in memory, unseen by other processes.
        previews_s: Seconds between two previews of a job; None makes none.

    Yields:
        Events: of each job ``Queued``, ``Started``, then any number of ``Progress`` and ``Preview``, then one of
        ``Saved``, ``Skipped``, ``Canceled`` and ``Failed``.

    Raises:
        InputError: A job or an option cannot be used. Nothing has been started then.
        MissingExtraError: The executor is ``"ray"``, which is not installed.
        WriteError: The store cannot be written.
    """
    queue = list(jobs)
    check_jobs(queue)
    return _run(queue, executor, workers, threads, address, store, previews_s)


def _run(
    queue: Sequence[Job],
    executor: str | Executor,
    workers: int | None,
    threads: int | None,
    address: str,
    store: Store | str | Path | None,
    previews_s: float | None,
) -> Generator[Event, None, None]:
    opened = store if isinstance(store, Store) else Store(store)
    try:
        chosen = executor
        if isinstance(chosen, str):
            make_worker = Worker.maker(previews_s=previews_s, many=len(queue) >= MANY_FROM)
            chosen = create_executor(chosen, make_worker, workers=workers, threads=threads, address=address)
        runner = _Runner(chosen, opened)
        if opened.path is not None:
            from pochoir.jobs.outputs import remove_drafts

            remove_drafts(queue)
        try:
            with _renewing(opened), runner.canceling():
                yield from runner.run(queue)
        finally:
            runner.stop(close=chosen is not executor)
    finally:
        if opened is not store:
            opened.close()


class _Runner:
    def __init__(self, executor: Executor, store: Store) -> None:
        self._executor = executor
        self._store = store
        self._waiting: deque[Job] = deque()
        self._held: list[Job] = []
        """Jobs that other processes hold."""
        self._running: dict[str, Job] = {}
        self._attempts: dict[str, int] = {}
        self._recheck_at = 0.0
        self._written_at: dict[str, float] = {}

    def run(self, jobs: Sequence[Job]) -> Iterator[Event]:
        """Run the jobs to their end."""
        yield from self._store.add(jobs, anew=False)
        self._waiting.extend(jobs)
        while self._waiting or self._held or self._running:
            yield from self._start()
            for event in self._executor.collect(COLLECT_S):
                yield from self._take(event)
            self._cancel_running()
            if not self._running and self._held and not self._waiting:
                time.sleep(RECHECK_S)

    def stop(self, *, close: bool) -> None:
        """Cancel what is running and give back the claims."""
        for job in self._running:
            self._executor.cancel(job)
        if close:
            self._executor.close()
        else:
            self._drain()
        self._store.release(self._running)

    def _drain(self) -> None:
        """Take the last events of canceled jobs off an executor that is going to be used again."""
        deadline = time.monotonic() + 10.0
        while self._running and time.monotonic() < deadline:
            for event in self._executor.collect(COLLECT_S):
                if event.is_final and self._running.pop(event.job, None) is not None:
                    self._store.record(event)

    def _start(self) -> Iterator[Event]:
        """Begin as many jobs as the executor takes."""
        if self._held and time.monotonic() >= self._recheck_at:
            self._waiting.extend(self._held)
            self._held.clear()
            self._recheck_at = time.monotonic() + RECHECK_S
        canceled: dict[str, bool] | None = None
        while self._waiting and self._executor.free > 0:
            job = self._waiting.popleft()
            canceled = self._store.canceled() if canceled is None else canceled
            if job.id in canceled:
                event = Canceled(job=job.id)
                self._store.record(event)
                yield event
            elif self._store.claim(job.id):
                self._attempts[job.id] = self._attempts.get(job.id, 0) + 1
                self._running[job.id] = job
                self._executor.start(job)
            else:
                self._held.append(job)

    def _take(self, event: Event) -> Iterator[Event]:
        """Keep an event and pass it on; queue a lost job again."""
        job = self._running.get(event.job)
        if job is None:
            return
        if event.is_final:
            del self._running[event.job]
            lost = isinstance(event, Failed) and event.category == "lost"
            if lost and self._attempts[event.job] < MOST_ATTEMPTS:
                self._store.release([event.job])
                self._waiting.append(job)
                event = Queued(job=job.id, photo=job.photo, output=job.output, reason=getattr(event, "error", ""))
        if not isinstance(event, Progress) or self._is_due(event):
            self._store.record(event)
        yield event

    def _is_due(self, event: Progress) -> bool:
        now = time.monotonic()
        if now - self._written_at.get(event.job, 0.0) < PROGRESS_S and event.done < event.total:
            return False
        self._written_at[event.job] = now
        return True

    @contextmanager
    def canceling(self) -> Iterator[None]:
        """Cancel jobs from a thread of its own if the executor returns only after a whole step, which may be long."""
        if not isinstance(self._executor, SerialExecutor) or self._store.path is None:
            yield
            return
        ended = threading.Event()

        def look() -> None:
            while not ended.wait(CANCEL_S):
                with suppress(PochoirError):  # the runner meets the same trouble
                    self._cancel_running()

        thread = threading.Thread(target=look, name="pochoir-cancellations", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _cancel_running(self) -> None:
        for job, keep in self._store.canceled().items():
            if job in self._running:
                self._executor.cancel(job, keep=keep)


@contextmanager
def _renewing(store: Store) -> Iterator[None]:
    """Renew the store's claims in the background, since one step may take longer than a lease."""
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(store.lease_s / 4):
            store.renew()

    thread = threading.Thread(target=renew, name="pochoir-leases", daemon=True)
    if store.path is not None:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        if store.path is not None:
            thread.join()
