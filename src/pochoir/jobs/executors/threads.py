"""Executor of threads in this process, which share one worker and its networks."""

import queue
import threading

from pochoir.jobs.control import Control
from pochoir.jobs.event import Event, Failed
from pochoir.jobs.executors.protocol import JobWorker, MakeWorker
from pochoir.jobs.job import Job


class ThreadExecutor:
    """Runs several jobs at once in threads.

    Args:
        make_worker: Makes the worker that all threads share, when the first job begins.
        workers: Jobs at once.
        threads: Torch's threads of each job.
    """

    def __init__(self, make_worker: MakeWorker, *, workers: int, threads: int) -> None:
        self._make_worker = make_worker
        self._threads = threads
        self._lock = threading.Lock()
        self._worker: JobWorker | None = None
        self._workers = workers
        self._jobs: queue.SimpleQueue[tuple[Job, Control] | None] = queue.SimpleQueue()
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._controls: dict[str, Control] = {}
        self._started: list[threading.Thread] = []

    @property
    def free(self) -> int:
        """Jobs that can be started now."""
        return self._workers - len(self._controls)

    def start(self, job: Job) -> None:
        """Begin a job in a thread that is idle, or in a new one."""
        self._controls[job.id] = control = Control()
        if len(self._started) < len(self._controls):
            thread = threading.Thread(target=self._serve, name=f"pochoir-job-{len(self._started)}", daemon=True)
            self._started.append(thread)
            thread.start()
        self._jobs.put((job, control))

    def collect(self, timeout_s: float) -> list[Event]:
        """Return what the threads have reported."""
        events: list[Event] = []
        try:
            events.append(self._events.get(timeout=timeout_s))
            while True:
                events.append(self._events.get_nowait())
        except queue.Empty:
            pass
        for event in events:
            if event.is_final:
                self._controls.pop(event.job, None)
        return events

    def cancel(self, job: str, *, keep: bool = False) -> None:
        """Ask a job to stop after its step."""
        if job in self._controls:
            self._controls[job].cancel(keep=keep)

    def close(self) -> None:
        """Stop all jobs after their step, and wait for the threads."""
        for control in self._controls.values():
            control.cancel()
        for _ in self._started:
            self._jobs.put(None)
        for thread in self._started:
            thread.join()
        self._started.clear()

    def _serve(self) -> None:
        while (task := self._jobs.get()) is not None:
            job, control = task
            try:
                self._run(job, control)
            except BaseException as error:  # the runner waits for a final event whatever happens
                self._events.put(Failed.from_error(job.id, error))

    def _run(self, job: Job, control: Control) -> None:
        from pochoir._threads import torch_threads

        with self._lock:
            if self._worker is None:
                self._worker = self._make_worker()
        with torch_threads(self._threads):
            for event in self._worker.run(job, control):
                self._events.put(event)
                if event.is_final:
                    return
