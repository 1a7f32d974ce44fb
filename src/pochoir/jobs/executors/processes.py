"""Executor of processes on this machine, each with a worker and networks of its own."""

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from pochoir.jobs.control import Control
from pochoir.jobs.event import Event, Failed
from pochoir.jobs.executors.protocol import MakeWorker
from pochoir.jobs.job import Job

CLOSE_S = 5.0
"""Seconds that a worker has to end its step when the executor is closed; then it is killed."""


@dataclass
class _Process:
    process: Any
    pipe: "Connection[Any, Any]"
    job: Job | None = None
    is_ready: bool = False


class ProcessExecutor:
    """Runs several jobs at once, each in a process that stays for further jobs.

    A process that dies takes only its own job along; another one is started for the next job.

    Args:
        make_worker: Makes the worker in each process; picklable.
        workers: Jobs at once.
        threads: Torch's threads of each process.
    """

    def __init__(self, make_worker: MakeWorker, *, workers: int, threads: int) -> None:
        self._context = multiprocessing.get_context("spawn")  # a fork would copy threads in the middle of their work
        self._make_worker = make_worker
        self._workers = workers
        self._threads = threads
        self._processes: list[_Process] = []

    @property
    def free(self) -> int:
        """Jobs that can be started now."""
        return self._workers - sum(process.job is not None for process in self._processes)

    @property
    def pids(self) -> list[int]:
        """Process numbers of the workers."""
        return [process.process.pid for process in self._processes]

    def start(self, job: Job) -> None:
        """Begin a job in a process that is idle, or in a new one."""
        idle = next((process for process in self._processes if process.job is None), None) or self._spawn()
        idle.job = job
        with contextlib.suppress(OSError):  # it died while idle, which ``collect`` reports
            idle.pipe.send(job)

    def collect(self, timeout_s: float) -> list[Event]:
        """Return what the processes have reported, and the jobs that died with theirs."""
        busy = {process.pipe: process for process in self._processes if process.job is not None}
        if not busy:
            return []
        events: list[Event] = []
        for pipe in multiprocessing.connection.wait(list(busy), timeout=timeout_s):
            process = busy[pipe]  # type: ignore[index]  # only pipes were asked about
            try:
                while process.job is not None and process.pipe.poll():
                    events += self._receive(process)
            except (EOFError, OSError):
                events.append(self._bury(process))
        return events

    def cancel(self, job: str, *, keep: bool = False) -> None:
        """Ask a job to stop after its step."""
        for process in self._processes:
            if process.job is not None and process.job.id == job:
                with contextlib.suppress(OSError):  # it is dead
                    process.pipe.send(("cancel", keep))

    def close(self) -> None:
        """Stop all jobs after their step and end the processes; kill those that take too long."""
        for process in self._processes:
            process.pipe.close()  # the worker notices between two steps
            if process.job is None or not process.is_ready:
                process.process.kill()  # there is nothing to end
        deadline = time.monotonic() + CLOSE_S
        for process in self._processes:
            process.process.join(max(0.0, deadline - time.monotonic()))
            if process.process.is_alive():
                process.process.kill()
                process.process.join()
            process.process.close()
        self._processes.clear()

    def _receive(self, process: _Process) -> list[Event]:
        message = process.pipe.recv()
        process.is_ready = True
        if message is None:
            return []
        event: Event = message
        if event.is_final:
            process.job = None
        return [event]

    def _spawn(self) -> _Process:
        here, there = self._context.Pipe()
        process = self._context.Process(
            target=_serve, args=(there, self._make_worker, self._threads), name="pochoir-worker", daemon=True
        )
        process.start()
        there.close()  # otherwise the death of the process would not close the pipe
        self._processes.append(_Process(process, here))
        return self._processes[-1]

    def _bury(self, process: _Process) -> Event:
        self._processes.remove(process)
        process.pipe.close()
        process.process.join(CLOSE_S)
        code = process.process.exitcode
        assert process.job is not None  # noqa: S101  # only busy processes are waited for
        return Failed(job=process.job.id, error=_describe_death(code, is_ready=process.is_ready), category="lost")


def _describe_death(code: int | None, *, is_ready: bool) -> str:
    if not is_ready:
        return (
            f"A worker process ended with code {code} before its first job. A script that uses processes has to guard "
            "its main part with: if __name__ == '__main__'."
        )
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        hint = "; it may have needed more memory than there is" if -code == signal.SIGKILL else ""
        return f"The worker process was ended by {name}{hint}."
    return f"The worker process ended with code {code}."


class _PipeControl(Control):
    """Control whose requests arrive through the pipe."""

    def __init__(self, pipe: "Connection[Any, Any]") -> None:
        super().__init__()
        self._pipe = pipe

    @property
    def canceled(self) -> bool:
        """True once the job should stop; also if the parent process is gone."""
        try:
            while not super().canceled and self._pipe.poll():
                _, keep = self._pipe.recv()
                self.cancel(keep=keep)
        except (EOFError, OSError):
            self.cancel()
        return super().canceled


def _serve(pipe: "Connection[Any, Any]", make_worker: MakeWorker, threads: int) -> None:
    """Run jobs from the pipe until its other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the first one tells the others
    import torch

    torch.set_num_threads(threads)
    worker = make_worker()
    try:
        pipe.send(None)  # ready
        while True:
            job = pipe.recv()
            if not isinstance(job, Job):
                continue  # a cancellation that came too late
            for event in worker.run(job, _PipeControl(pipe)):
                pipe.send(event)
                if event.is_final:
                    break
    except (EOFError, OSError):
        os._exit(0)  # taking down torch's modules would need a second
