"""Shares work out over threads, and lends the memory it needs."""

import itertools
import os
import threading
import weakref
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import prod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

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
    take_pieces()
    for future in futures:
        future.result()


def _executor(helpers: int) -> ThreadPoolExecutor:
    if helpers not in _executors:
        _executors[helpers] = ThreadPoolExecutor(helpers, thread_name_prefix="pochoir-kernels")
    return _executors[helpers]


def scratch(count: int) -> NDArray[np.float32]:
    """Room for at least ``count`` numbers that belongs to the calling thread until it asks again."""
    room: NDArray[np.float32] | None = getattr(_local, "room", None)
    if room is None or room.size < count:
        room = _local.room = np.empty(count, np.float32)
    return room


class Lender:
    """Lends tensors and takes their memory back when the last view of them is gone.

    Fresh memory costs more than writing to it: the system clears each page on its first touch. An optimiser asks for
    the same sizes again at each step.
    """

    def __init__(self) -> None:
        self._free: defaultdict[int, list[NDArray[np.float32]]] = defaultdict(list)

    def lend(self, *shape: int) -> Tensor:
        """A tensor of float32 with any contents."""
        free = self._free[prod(shape)]
        try:
            block = free.pop()
        except IndexError:
            block = np.empty(prod(shape), np.float32)
        view = block[:]
        # The tensor keeps the view alive, and so do all its own views.
        weakref.finalize(view, free.append, block).atexit = False
        return torch.from_numpy(view).view(shape)

    def forget(self) -> None:
        """Give memory that is not lent now back to the system, and what is lent as soon as it comes back."""
        self._free.clear()
