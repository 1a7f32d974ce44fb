"""Memory for kernels: aligned arrays, scratch space for each thread, and arenas that reuse freed tensors."""

import contextlib
import threading
import weakref
from collections import deque
from math import ceil, prod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

LEAST_BLOCK = 1 << 20
"""Size of an arena's first block, in float32 numbers."""
ALIGNMENT = 16
"""Float32 numbers in a cache line, and in the widest vector."""

_local = threading.local()


def scratch(count: int) -> NDArray[np.float32]:
    """Return at least ``count`` numbers of scratch space; the calling thread owns it until its next call."""
    room: NDArray[np.float32] | None = getattr(_local, "room", None)
    if room is None or room.size < count:
        room = _local.room = aligned_array(count)
    return room


def aligned_array(count: int) -> NDArray[np.float32]:
    """Return an uninitialised array of ``count`` numbers that starts at a cache line.

    Otherwise each vector as wide as a line would lie across two lines. NumPy asks the system for large pages, which
    are ready twice as fast as torch's.
    """
    room = np.empty(count + ALIGNMENT, np.float32)
    skipped = -room.ctypes.data // room.itemsize % ALIGNMENT
    return room[skipped : skipped + count]


class Arena:
    """Allocator of tensors that reuses their memory when the last view of them is gone.

    Fresh memory costs more than writing to it, because the system clears each page on first touch. An optimiser asks
    for the same sizes at each step, and for other sizes late in a step than early in it. The arena cuts all of them
    from one block, of which only as much is touched as is in use at once.
    """

    def __init__(self) -> None:
        self._block = _Block(LEAST_BLOCK)
        self._lock = threading.RLock()  # several threads may run one network

    def reserve(self, count: int) -> None:
        """Prepare one block for ``count`` numbers.

        The block is not touched, so on most systems a generous count costs nothing. If the system refuses, blocks are
        added on demand.
        """
        with self._lock:
            if self._block.memory.size < count:
                with contextlib.suppress(MemoryError):
                    self._block = _Block(count)

    def release(self) -> None:
        """Free the block as soon as all tensors cut from it are gone."""
        with self._lock:
            self._block = _Block(LEAST_BLOCK)

    def allocate(self, *shape: int) -> Tensor:
        """Return an uninitialised float32 tensor."""
        count = prod(shape)
        with self._lock:
            view = self._block.cut(count)
            if view is None:
                # Tensors cut from the old block keep it alive.
                self.reserve(2 * max(self._block.memory.size, count))
                view = self._block.cut(count)
        return torch.from_numpy(aligned_array(count) if view is None else view).view(shape)


class _Block:
    """Block of memory with first-fit allocation."""

    def __init__(self, count: int) -> None:
        self.memory = aligned_array(count)  # not touched yet, so the system has not provided its pages
        self._gaps = [(0, count)]
        # The last view of a tensor can be freed at any moment, also during the search for a gap.
        self._freed: deque[tuple[int, int]] = deque()

    def cut(self, count: int) -> NDArray[np.float32] | None:
        """Return ``count`` numbers of this block; None if no gap is wide enough."""
        while self._freed:
            self._gaps = _join_gaps(sorted([*self._gaps, self._freed.popleft()]))
        width = ceil(count / ALIGNMENT) * ALIGNMENT
        for index, (start, stop) in enumerate(self._gaps):
            if stop - start >= width:
                self._gaps[index : index + 1] = [(start + width, stop)] if stop - start > width else []
                view = self.memory[start : start + count]
                # The tensor keeps this view alive, and so do all views of the tensor.
                weakref.finalize(view, self._freed.append, (start, start + width)).atexit = False
                return view
        return None


def _join_gaps(gaps: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Merge adjacent gaps of a sorted list."""
    joined = gaps[:1]
    for start, stop in gaps[1:]:
        if start == joined[-1][1]:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return joined
