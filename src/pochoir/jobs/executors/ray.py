"""Executor on a Ray cluster: one actor for each job at once, each with a worker and networks of its own.

Files are read and written at their own paths where a node sees them; otherwise their bytes travel with the job.
"""

import logging
import secrets
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pochoir._files import replacing
from pochoir.errors import OptionError, WriteError
from pochoir.jobs.event import Event, Failed
from pochoir.jobs.executors.protocol import JobWorker, MakeWorker
from pochoir.jobs.executors.ray_worker import Delivery, RayWorker, Signature, import_ray
from pochoir.jobs.job import STREAM, Job

CLOSE_S = 5.0
"""Seconds that an actor has to end its step when the executor is closed; then it is killed."""
REACHABLE_S = 5.0
"""Seconds to wait for a cluster's address to answer."""
LAST_PORT = 65535
LOCAL = "local"
"""Address that starts a cluster on this machine."""


@dataclass
class _Actor:
    handle: Any
    waits_for: Any
    """Reference to the answer that the actor owes."""
    is_ready: bool = False
    job: Job | None = None
    stream: Any = None
    probe: Path | None = None


class RayExecutor:
    """Runs jobs on a Ray cluster.

    Args:
        make_worker: Makes the worker in each actor; picklable.
        workers: Jobs at once; None fills the cluster's processors.
        threads: Torch's threads of each job, and the processors that it takes.
        address: Address of the cluster; ``"auto"`` for one that runs, ``"local"`` to start one on this machine.

    Raises:
        MissingExtraError: Ray is not installed.
        OptionError: There is no cluster at the address.
    """

    worker_class: ClassVar[type[RayWorker]] = RayWorker
    """Body of the actors."""

    def __init__(
        self, make_worker: MakeWorker, *, workers: int | None = None, threads: int = 1, address: str = "auto"
    ) -> None:
        self._ray = ray = import_ray()
        self._owns_ray = not ray.is_initialized()
        if self._owns_ray:
            _connect(ray, address)
        self._make_worker, self._threads, self._cpus = make_worker, threads, threads
        self._local: JobWorker = make_worker()
        self._shipped: dict[tuple[str, Signature], Any] = {}
        self._actors: list[_Actor] = []
        cpus = int(ray.cluster_resources().get("CPU", 1))
        for _ in range(workers or max(1, cpus // threads)):
            self._add_actor()

    @property
    def free(self) -> int:
        """Jobs that can be started now."""
        return sum(actor.is_ready and actor.job is None for actor in self._actors)

    def start(self, job: Job) -> None:
        """Begin a job on an actor that is idle."""
        actor = next(actor for actor in self._actors if actor.is_ready and actor.job is None)
        actor.job = job
        actor.probe = _leave_probe(job)
        files = {path: signature for path in self._files_of(job) if (signature := Signature.of(path))}
        probe = None if actor.probe is None else str(actor.probe)
        actor.waits_for = actor.handle.find_missing.remote(files, probe)

    def collect(self, timeout_s: float) -> list[Event]:
        """Return what the actors have reported, and the jobs that died with theirs."""
        waiting = {self._awaited(actor): actor for actor in self._actors if self._awaited(actor) is not None}
        if not waiting:
            return []
        done, _ = self._ray.wait(list(waiting), num_returns=1, timeout=timeout_s, fetch_local=False)
        if done:  # there may be more
            done, _ = self._ray.wait(list(waiting), num_returns=len(waiting), timeout=0, fetch_local=False)
        events: list[Event] = []
        for reference in done:
            actor = waiting[reference]
            try:
                events += self._advance(actor)
            except self._ray.exceptions.RayTaskError as error:
                events += self._end(actor, [Failed.from_error(actor.job.id, error)] if actor.job else [])
            except self._ray.exceptions.RayError as error:
                events += self._bury(actor, error)
        return events

    def cancel(self, job: str, *, keep: bool = False) -> None:
        """Ask a job to stop after its step."""
        for actor in self._actors:
            if actor.job is not None and actor.job.id == job:
                actor.handle.cancel.remote(job, keep)

    def close(self) -> None:
        """Stop all jobs after their step and end the actors; kill those that take too long."""
        busy = [actor for actor in self._actors if actor.job is not None]
        for actor in busy:
            self.cancel(actor.job.id)  # type: ignore[union-attr]  # they are busy
        deadline = time.monotonic() + CLOSE_S
        while any(actor.job is not None for actor in self._actors) and time.monotonic() < deadline:
            self.collect(0.1)
        for actor in self._actors:
            _remove(actor.probe)
            with suppress(Exception):
                self._ray.kill(actor.handle)
        self._actors.clear()
        if self._owns_ray:
            self._ray.shutdown()

    def _add_actor(self) -> None:
        body = self._ray.remote(self.worker_class)
        # Two threads: one runs a job, the other takes the request to cancel it.
        options = {"num_cpus": self._cpus, "max_concurrency": 2, "max_restarts": 0}
        handle = body.options(**options).remote(self._make_worker, self._threads)
        self._actors.append(_Actor(handle, handle.ready.remote()))

    @staticmethod
    def _awaited(actor: _Actor) -> Any:
        return actor.stream if actor.stream is not None else actor.waits_for

    def _advance(self, actor: _Actor) -> list[Event]:
        if actor.stream is not None:
            return self._next_of(actor)
        answer = self._ray.get(actor.waits_for)
        actor.waits_for = None
        if not actor.is_ready:
            actor.is_ready = True
            return []
        assert actor.job is not None  # noqa: S101  # it was asked about the files of a job
        missing, sees_output = answer
        _remove(actor.probe)
        actor.probe = None
        shipped = {path: self._ship(path) for path in missing}
        if not sees_output:
            shipped |= {path: self._ship(path) for path in _outputs_of(actor.job) if Path(path).is_file()}
        run = actor.handle.run.options(num_returns="streaming")
        actor.stream = run.remote(actor.job, shipped, sees_output)
        return []

    def _next_of(self, actor: _Actor) -> list[Event]:
        assert actor.job is not None  # noqa: S101  # a stream belongs to a job
        try:
            message = self._ray.get(next(actor.stream))
        except StopIteration:
            lost = Failed(job=actor.job.id, error="The worker ended without a result.", category="lost")
            return self._end(actor, [lost])
        if isinstance(message, Delivery):
            try:
                _write(message)
            except WriteError as error:
                return self._end(actor, [Failed.from_error(actor.job.id, error)])
            return []
        return self._end(actor, [message]) if message.is_final else [message]

    @staticmethod
    def _end(actor: _Actor, events: list[Event]) -> list[Event]:
        actor.job = actor.stream = actor.waits_for = None
        return events

    def _bury(self, actor: _Actor, error: Exception) -> list[Event]:
        """Replace an actor that died; its job is lost."""
        _remove(actor.probe)
        with suppress(Exception):  # it may live on where the network cannot reach it
            self._ray.kill(actor.handle)
        self._actors.remove(actor)
        self._add_actor()
        text = f"A worker of the cluster died: {' '.join(str(error).split())[:200]}"
        return [] if actor.job is None else [Failed(job=actor.job.id, error=text, category="lost")]

    def _files_of(self, job: Job) -> list[str]:
        return [path for path in self._local.inputs(job) if Path(path).is_file()]

    def _ship(self, path: str) -> Any:
        """Put a file's bytes into the cluster's object store, once for all jobs."""
        signature = Signature.of(path)
        if signature is None:
            return self._ray.put(b"")
        if (path, signature) not in self._shipped:
            self._shipped[path, signature] = self._ray.put(Path(path).read_bytes())
        return self._shipped[path, signature]


def _connect(ray: Any, address: str) -> None:
    _check_reachable(address)
    try:
        where = None if address == LOCAL else address
        dashboard = False if address == LOCAL else None
        ray.init(address=where, log_to_driver=False, logging_level=logging.ERROR, include_dashboard=dashboard)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise _no_cluster(address, error) from error


def _check_reachable(address: str) -> None:
    """Raise an ``OptionError`` where nobody listens; Ray itself tries for minutes, and prints lines of its own."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        return
    if int(port) > LAST_PORT:
        raise OptionError(f"A port of a cluster is at most {LAST_PORT}; got {port} in {address!r}.")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=REACHABLE_S).close()
    except OSError as error:
        raise _no_cluster(address, error) from error
    except ValueError as error:  # the host cannot be a name, such as "a..b"
        raise OptionError(f"{address!r} is not an address of a cluster; one is written like 10.0.0.1:6379.") from error


def _no_cluster(address: str, error: Exception) -> OptionError:
    return OptionError(
        f"There is no Ray cluster at {address!r} ({' '.join(str(error).split())[:160]}). Start one with "
        "'ray start --head', give its address, or use 'local'."
    )


def _outputs_of(job: Job) -> tuple[str, str]:
    return job.output, f"{job.output}.json"


def _leave_probe(job: Job) -> Path | None:
    """Write an empty file beside the output, by which a node knows whether it sees the folder."""
    if job.output == STREAM:
        return None
    folder = Path(job.output).parent
    probe = folder / f".pochoir-{secrets.token_hex(8)}.probe"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
    except OSError:
        return None
    return probe


def _remove(probe: Path | None) -> None:
    if probe is not None:
        with suppress(OSError):
            probe.unlink()


def _write(delivery: Delivery) -> None:
    # The picture comes last: when it is there, so is its record.
    for path, data in reversed(delivery.files.items()):
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            with replacing(Path(path)) as draft:
                draft.write_bytes(data)
        except OSError as error:
            raise WriteError(f"Cannot write '{path}': {error.strerror or error}.") from error
