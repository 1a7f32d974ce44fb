"""Shares work out over threads, and lends the memory it needs."""

import contextlib
import ctypes
import itertools
import os
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from math import ceil, prod
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pochoir.kernels.layout import COUNTER, INTEGER_BYTES, Waiting

LEAST_ARENA = 1 << 20
"""Numbers."""
ALIGNMENT = 16
"""Numbers in a line of the cache, and in the widest vector."""

_local = threading.local()
_executors: dict[int, ThreadPoolExecutor] = {}
# Threads do not survive a fork, so a child starts its own.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_executors.clear)


def share(work: Callable[[int], None], count: int) -> None:
    """Do ``work(0)`` to ``work(count - 1)`` on as many threads as torch uses.

    Each piece is taken by the next free thread, so one that is held up does not hold up the others.

    Args:
        work: Releases the interpreter's lock while it computes; its pieces do not depend on each other.
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
        # Broken off or not: the memory that the others write to must outlast them.
        wait(futures)
    for future in futures:
        future.result()


def share_counted(work: Callable[[int], None], count: int, *, counters: int = 1) -> None:
    """Let kernels share out their pieces by themselves: no thread has to wait for the interpreter between two of them.

    Args:
        work: Called at most as many times as there are threads, with the address of numbers to count with, 0 at first
            and COUNTER bytes apart.
        count: Number of pieces.
        counters: How many numbers.
    """
    numbers = np.zeros(counters * COUNTER // INTEGER_BYTES, np.int64)
    share(lambda _: work(numbers.ctypes.data), min(torch.get_num_threads(), count))


def _find_waiting() -> Waiting:
    on_windows = sys.platform == "win32"
    library = ctypes.CDLL("kernel32" if on_windows else None)
    names = ("SwitchToThread", "Sleep") if on_windows else ("sched_yield", "usleep")
    give_way, sleep = (ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0 for name in names)
    return Waiting(give_way, sleep, nap=1 if on_windows else 50)  # milliseconds there


WAITING: Final = np.array(_find_waiting(), np.int64)
"""``layout.Waiting``, for kernels."""


def _executor(helpers: int) -> ThreadPoolExecutor:
    if helpers not in _executors:
        _executors[helpers] = ThreadPoolExecutor(helpers, thread_name_prefix="pochoir-kernels")
    return _executors[helpers]


def scratch(count: int) -> NDArray[np.float32]:
    """Room for at least ``count`` numbers that belongs to the calling thread until it asks again."""
    room: NDArray[np.float32] | None = getattr(_local, "room", None)
    if room is None or room.size < count:
        room = _local.room = allocate(count)
    return room


def allocate(count: int) -> NDArray[np.float32]:
    """Room for ``count`` numbers that begins where a line of the cache does.

    Vectors as wide as a line would otherwise lie across two lines each. Numpy asks the system for large pages, which
    are there twice as fast as torch's.
    """
    room = np.empty(count + ALIGNMENT, np.float32)
    skipped = -room.ctypes.data // room.itemsize % ALIGNMENT
    return room[skipped : skipped + count]


class Lender:
    """Lends tensors and takes their memory back when the last view of them is gone.

    Fresh memory costs more than writing to it: the system clears each page on its first touch. An optimiser asks for
    the same sizes again at each step, and late in a step for other sizes than early in it: all of them are cut from one
    piece of memory, of which only as much is ever touched as was lent at once.
    """

    def __init__(self) -> None:
        self._arena = _Arena(LEAST_ARENA)
        self._lock = threading.RLock()  # several threads may run one network

    def reserve(self, count: int) -> None:
        """Be able to lend so many numbers from one piece of memory.

        It is not touched, so on most systems more than needed costs nothing; where it does and is not there, pieces are
        added as they are asked for.
        """
        with self._lock:
            if self._arena.memory.size < count:
                with contextlib.suppress(MemoryError):
                    self._arena = _Arena(count)

    def begin_anew(self) -> None:
        """Give the memory back as soon as all that was lent from it is gone."""
        with self._lock:
            self._arena = _Arena(LEAST_ARENA)

    def lend(self, *shape: int) -> Tensor:
        """A tensor of float32 with any contents."""
        count = prod(shape)
        with self._lock:
            view = self._arena.cut(count)
            if view is None:
                # What the old one has lent keeps it alive until it is given back.
                self.reserve(2 * max(self._arena.memory.size, count))
                view = self._arena.cut(count)
        return torch.from_numpy(allocate(count) if view is None else view).view(shape)


class _Arena:
    """A piece of memory from which the first gap that is wide enough is taken."""

    def __init__(self, count: int) -> None:
        self.memory = allocate(count)  # not touched, and so not there yet
        self._gaps = [(0, count)]
        # The last view of a tensor can go at any moment, also while a gap is being looked for.
        self._returned: deque[tuple[int, int]] = deque()

    def cut(self, count: int) -> NDArray[np.float32] | None:
        """So many numbers; None if no gap is wide enough."""
        while self._returned:
            self._gaps = _join(sorted([*self._gaps, self._returned.popleft()]))
        width = ceil(count / ALIGNMENT) * ALIGNMENT
        for index, (start, stop) in enumerate(self._gaps):
            if stop - start >= width:
                self._gaps[index : index + 1] = [(start + width, stop)] if stop - start > width else []
                view = self.memory[start : start + count]
                # The tensor keeps the view alive, and so do all its own views.
                weakref.finalize(view, self._returned.append, (start, start + width)).atexit = False
                return view
        return None


def _join(gaps: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Gaps in order, those that touch made one."""
    joined = gaps[:1]
    for start, stop in gaps[1:]:
        if start == joined[-1][1]:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return joined
