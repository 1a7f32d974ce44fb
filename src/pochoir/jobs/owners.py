"""Identity of the processes that own claims."""

import contextlib
import os
import socket
from pathlib import Path

import psutil

CLOCK_STEP_S = 2.0
"""Tolerance for the start of a process, in seconds. It is derived from the clock, which may be set meanwhile."""


def host_name() -> str:
    """Return a name for everything that shares process numbers with this process, until the next boot."""
    parts = [socket.gethostname()]
    for path, read in (("/proc/sys/kernel/random/boot_id", Path.read_text), ("/proc/self/ns/pid", Path.readlink)):
        with contextlib.suppress(OSError):
            parts.append(str(read(Path(path))).strip())
    return " ".join(parts)


def this_process() -> tuple[str, int, float]:
    """Return host, number and start of this process."""
    return host_name(), os.getpid(), psutil.Process().create_time()


def is_alive(pid: int, started_s: float) -> bool:
    """Return True if the process with this number and start runs on this host."""
    try:
        process = psutil.Process(pid)
        is_same = abs(process.create_time() - started_s) < CLOCK_STEP_S
        return bool(is_same and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
