"""Executors: places where jobs are run, behind one protocol."""

import os
from collections.abc import Callable, Mapping

from pochoir.errors import OptionError, UnknownNameError
from pochoir.jobs.executors.processes import ProcessExecutor
from pochoir.jobs.executors.protocol import Executor, MakeWorker
from pochoir.jobs.executors.ray import RayExecutor
from pochoir.jobs.executors.serial import SerialExecutor
from pochoir.jobs.executors.threads import ThreadExecutor

MOST_WORKERS = 256

__all__ = ["EXECUTORS", "MOST_WORKERS", "Executor", "MakeWorker", "create_executor"]


def _create_serial(make_worker: MakeWorker, workers: int | None, threads: int | None, address: str) -> Executor:
    if workers is not None and workers != 1:
        raise OptionError(f"The serial executor runs one job at a time; got {workers} workers. Use threads, processes.")
    return SerialExecutor(make_worker, threads=threads)


def _create_threads(make_worker: MakeWorker, workers: int | None, threads: int | None, address: str) -> Executor:
    count = workers or min(2, os.cpu_count() or 1)
    return ThreadExecutor(make_worker, workers=count, threads=threads or share_of_cpus(count))


def _create_processes(make_worker: MakeWorker, workers: int | None, threads: int | None, address: str) -> Executor:
    count = workers or (os.cpu_count() or 1)
    return ProcessExecutor(make_worker, workers=count, threads=threads or share_of_cpus(count))


def _create_ray(make_worker: MakeWorker, workers: int | None, threads: int | None, address: str) -> Executor:
    return RayExecutor(make_worker, workers=workers, threads=threads or 1, address=address)


EXECUTORS: Mapping[str, Callable[[MakeWorker, int | None, int | None, str], Executor]] = {
    "serial": _create_serial,
    "threads": _create_threads,
    "processes": _create_processes,
    "ray": _create_ray,
}
"""Functions that make an executor, by its name."""


def create_executor(
    name: str,
    make_worker: MakeWorker,
    *,
    workers: int | None = None,
    threads: int | None = None,
    address: str = "auto",
) -> Executor:
    """Make an executor.

    Args:
        name: One of ``EXECUTORS``.
        make_worker: Makes what runs the jobs; it has to be picklable for ``processes`` and ``ray``.
        workers: Jobs at once; None chooses by the processors.
        threads: Torch's threads of each worker; None shares out the processors, and is 1 on a cluster.
        address: Address of a Ray cluster, ``"auto"`` for a running one, ``"local"`` to start one here.

    Raises:
        MissingExtraError: The name is ``ray``, which is not installed.
        OptionError: A number is out of bounds, or there is no cluster at the address.
        UnknownNameError: There is no such executor.
    """
    if name not in EXECUTORS:
        raise UnknownNameError("executor", name, EXECUTORS)
    for label, count in (("jobs", workers), ("threads", threads)):
        if count is not None and not 1 <= count <= MOST_WORKERS:
            raise OptionError(f"{label} takes 1 to {MOST_WORKERS}; got {count}.")
    return EXECUTORS[name](make_worker, workers, threads, address)


def share_of_cpus(workers: int) -> int:
    """Return the threads that each of so many workers gets."""
    return max(1, (os.cpu_count() or 1) // workers)
