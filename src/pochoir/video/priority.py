"""Priority of threads, which one encoder raises."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_TASKS: Final = Path("/proc/self/task")


@contextmanager
def ordinary_priority() -> Iterator[None]:
    """Undo what a library does in the block to the scheduling of this thread and of those that it starts.

    SVT-AV1 asks for real-time scheduling when it runs as root, as it does in most containers: for its threads and for
    the one that opens it, from which all later threads and processes of the program inherit it. Such a process keeps
    every other off its core. On two cores, two of them stopped a browser, and with it themselves, for good.

    Does nothing where the system is not Linux, and where the thread had real-time scheduling before.
    """
    before = _real_time_threads()
    yield
    for thread in _real_time_threads() - before:
        with suppress(OSError):  # it has ended meanwhile
            os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))


def _real_time_threads() -> set[int]:
    """Return the numbers of the process's threads with real-time scheduling."""
    found: set[int] = set()
    # sched_getscheduler is missing on macOS and Windows.
    if not hasattr(os, "sched_getscheduler") or not _TASKS.is_dir():
        return found
    for entry in _TASKS.iterdir():
        with suppress(OSError):
            if os.sched_getscheduler(int(entry.name)) in (os.SCHED_FIFO, os.SCHED_RR):
                found.add(int(entry.name))
    return found
