"""Weights in a form that is mapped into memory instead of being read, kept beside their file."""

import contextlib
import ctypes
import mmap
import pickle
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from pochoir._files import replacing
from pochoir._version import __version__
from pochoir.errors import WeightsError

Network = TypeVar("Network")
State = Mapping[str, Tensor]

_DAMAGE = (OSError, EOFError, LookupError, TypeError, ValueError, RuntimeError, WeightsError, pickle.UnpicklingError)


def load_mapped(path: Path, read: Callable[[], State], build: Callable[[State], Network]) -> Network:
    """Build a network from what a weight file holds, mapped into memory.

    The first time the file is read, and what was read is kept as ``NAME.mapped``. That is made anew if the file changes
    or the copy is damaged or another network's, and done without where the folder cannot be written.

    Args:
        path: The weight file.
        read: Reads it; raises what it likes.
        build: Makes the network of tensors by name, which are not copied; raises if they do not fit. Writing to them
            changes no file.

    Returns:
        What ``build`` made.
    """
    kept = path.with_name(f"{path.name}.mapped")
    with contextlib.suppress(*_DAMAGE):
        return build(_map(kept, path))
    state = read()
    network = build(state)
    _keep(kept, path, state)
    # What lies in memory in another order gives other last digits: the first run takes what the next one will.
    with contextlib.suppress(*_DAMAGE):
        return build(_map(kept, path))
    return network


def let_go(tensors: Iterable[Tensor]) -> None:
    """Give the memory of mapped tensors back, which lasts until they are read again. Only Linux is asked to.

    Args:
        tensors: From ``load_mapped`` and not written to since; others are left alone.
    """
    if not sys.platform.startswith("linux"):
        return
    page, libc = mmap.PAGESIZE, ctypes.CDLL(None)
    mapped = _mapped_ranges()
    for tensor in tensors:
        start = -(-tensor.data_ptr() // page) * page
        stop = (tensor.data_ptr() + tensor.nbytes) // page * page
        if any(low <= start < stop <= high for low, high in mapped):
            libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(stop - start), mmap.MADV_DONTNEED)


def _mapped_ranges() -> list[tuple[int, int]]:
    """Where copies lie in memory: what is asked to go anywhere else would be lost."""
    try:
        lines = Path("/proc/self/maps").read_bytes().splitlines()
    except OSError:  # there is no /proc; then nothing is let go
        return []
    ranges = [line.split(maxsplit=1)[0].split(b"-") for line in lines if line.endswith(b".mapped")]
    return [(int(low, 16), int(high, 16)) for low, high in ranges]


def _identify(path: Path) -> str:
    told = path.stat()
    return f"{told.st_size} bytes of {told.st_mtime_ns}, torch {torch.__version__}, pochoir {__version__}"


def _map(kept: Path, path: Path) -> State:
    stored = torch.load(kept, map_location="cpu", weights_only=True, mmap=True)
    if stored["source"] != _identify(path):
        raise WeightsError(f"{kept} is not of {path}.")
    state: State = stored["state"]
    return state


def _keep(kept: Path, path: Path, state: State) -> None:
    # Where the folder cannot be written or the disk is full torch raises RuntimeError.
    with contextlib.suppress(OSError, RuntimeError), replacing(kept) as passing:
        torch.save({"source": _identify(path), "state": dict(state)}, passing)
