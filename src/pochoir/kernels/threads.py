"""Worker threads for compiled kernels, which run without the interpreter's lock."""

import ctypes
import itertools
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Final

import numpy as np
import torch

from pochoir.kernels.layout import COUNTER, INTEGER_BYTES, Waiting

_executors: dict[int, ThreadPoolExecutor] = {}
# Threads do not survive a fork, so a child process starts its own.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_executors.clear)


def run_pieces(work: Callable[[int], None], count: int) -> None:
    """Call ``work(0)`` to ``work(count - 1)`` on as many threads as torch uses.

    Each piece goes to the next free thread, so a delayed thread does not delay the others.

    Args:
        work: Computes one piece and releases the interpreter's lock meanwhile. Pieces must not depend on each other.
        count: Number of pieces.
    """
    helpers = min(torch.get_num_threads(), count) - 1
    pieces = itertools.count()

    def take_pieces() -> None:
        while (piece := next(pieces)) < count:
            work(piece)

    if helpers < 1:
        take_pieces()
        return
    futures = [_executor(helpers).submit(take_pieces) for _ in range(helpers)]
    try:
        take_pieces()
    finally:
        # Even after an exception, the memory that the other threads write to must outlast them.
        wait(futures)
    for future in futures:
        future.result()


def run_counted(work: Callable[[int], None], count: int, *, counters: int = 1) -> None:
    """Run a kernel on several threads, which share the pieces among themselves through atomic counters.

    No thread has to wait for the interpreter between two pieces.

    Args:
        work: Called at most once per thread, with the address of the counters. They start at 0 and are COUNTER bytes
            apart.
        count: Number of pieces.
        counters: Number of counters.
    """
    numbers = np.zeros(counters * COUNTER // INTEGER_BYTES, np.int64)
    run_pieces(lambda _: work(numbers.ctypes.data), min(torch.get_num_threads(), count))


def _find_waiting() -> Waiting:
    on_windows = sys.platform == "win32"
    library = ctypes.CDLL("kernel32" if on_windows else None)
    names = ("SwitchToThread", "Sleep") if on_windows else ("sched_yield", "usleep")
    yield_core, sleep = (ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0 for name in names)
    return Waiting(yield_core, sleep, sleep_amount=1 if on_windows else 50)  # milliseconds there, microseconds here


WAITING: Final = np.array(_find_waiting(), np.int64)
"""``layout.Waiting`` as an array that kernels can read."""


def _executor(helpers: int) -> ThreadPoolExecutor:
    if helpers not in _executors:
        _executors[helpers] = ThreadPoolExecutor(helpers, thread_name_prefix="pochoir-kernels")
    return _executors[helpers]
