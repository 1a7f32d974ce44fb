"""Waiting of OpenMP's threads: torch leaves them spinning, which takes the cores that the kernels need.

Between two of torch's operations its threads wait in a loop for milliseconds. Beside another program, a step on two
threads then took three times as long. Sleeping threads change no result.
"""

import os
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ctypes

POLICIES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
"""Variables by which users choose for themselves."""
MOST_PARKED_THREADS = 32

_lock = threading.Lock()
_is_done = False


def prefer_sleeping() -> None:
    """Ask for sleeping threads before torch is imported; libraries read the variable when they are loaded."""
    if "torch" not in sys.modules and not is_chosen():
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"


def is_chosen() -> bool:
    """Return whether the environment says how threads wait."""
    return any(name in os.environ for name in POLICIES)


def stop_spinning(threads: int) -> None:
    """Make the threads of torch's OpenMP sleep, where torch was imported before pochoir. Only the first call works.

    LLVM's library has a function for it. GNU's spins only briefly while there are more threads than cores, so some more
    are started and parked.

    Args:
        threads: Number of threads that torch uses.
    """
    global _is_done  # a property of the process
    with _lock:
        if _is_done or is_chosen():
            return
        _is_done = True
    set_blocktime = getattr(_loaded("libomp.dylib", "libiomp5.so", "libomp.so"), "kmp_set_blocktime", None)
    if set_blocktime is not None:
        set_blocktime(0)
    if sys.platform.startswith("linux"):
        _park_threads(len(os.sched_getaffinity(0)) - threads + 2)


def _park_threads(count: int) -> None:
    """Start a team of GNU OpenMP threads that never works again."""
    import ctypes

    run_team = getattr(_loaded("libgomp.so.1"), "GOMP_parallel", None)
    if run_team is None or not 2 <= count <= MOST_PARKED_THREADS:
        return
    # Any function of the C library that does nothing serves as the team's work.
    work = ctypes.cast(ctypes.CDLL(None).getpid, ctypes.c_void_p)
    is_parked = threading.Event()

    def park() -> None:
        run_team(work, None, ctypes.c_uint(count), ctypes.c_uint(0))
        is_parked.set()
        threading.Event().wait()  # the team ends with the thread that started it

    threading.Thread(target=park, name="pochoir-openmp", daemon=True).start()
    is_parked.wait(timeout=5.0)


def _loaded(*names: str) -> "ctypes.CDLL | None":
    """Return the first of these libraries that the process has loaded already."""
    import ctypes

    flags = getattr(os, "RTLD_NOLOAD", None)
    if flags is None:
        return None
    for name in names:
        try:
            return ctypes.CDLL(name, mode=flags | os.RTLD_NOW)
        except OSError:
            continue
    return None


def _reset() -> None:
    global _is_done
    _is_done = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset)  # threads do not survive a fork
