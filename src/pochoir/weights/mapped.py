"""Memory-mapped copies of weight files, saved beside them."""

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
    """Build a network from a memory-mapped copy of a weight file.

    The first call reads the file and saves the copy as ``NAME.mapped``. The copy is made again if the file changes, or
    if the copy is damaged or belongs to another network. If the folder is not writable, the file is read each time.

    Args:
        path: The weight file.
        read: Reads the file; may raise any error.
        build: Builds the network from tensors by name, without copying them; raises an error if they do not fit.
            Writing to the tensors changes no file.

    Returns:
        The result of ``build``.
    """
    kept = path.with_name(f"{path.name}.mapped")
    with contextlib.suppress(*_DAMAGE):
        return build(_map(kept, path))
    state = read()
    network = build(state)
    _keep(kept, path, state)
    # Another memory order changes rounding, so the first run uses the same copy as later runs.
    with contextlib.suppress(*_DAMAGE):
        return build(_map(kept, path))
    return network


def release_pages(tensors: Iterable[Tensor]) -> None:
    """Release the memory pages of mapped tensors until they are read again; works on Linux only.

    Args:
        tensors: Unmodified tensors of ``load_mapped``; others are not affected.
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
    """Return the address ranges of mapped copies; releasing any other memory would lose data."""
    try:
        lines = Path("/proc/self/maps").read_bytes().splitlines()
    except OSError:  # without /proc nothing is released
        return []
    ranges = [line.split(maxsplit=1)[0].split(b"-") for line in lines if line.endswith(b".mapped")]
    return [(int(low, 16), int(high, 16)) for low, high in ranges]


def _identify(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size} bytes of {status.st_mtime_ns}, torch {torch.__version__}, pochoir {__version__}"


def _map(kept: Path, path: Path) -> State:
    stored = torch.load(kept, map_location="cpu", weights_only=True, mmap=True)
    if stored["source"] != _identify(path):
        raise WeightsError(f"{kept} is not a copy of {path}.")
    state: State = stored["state"]
    return state


def _keep(kept: Path, path: Path, state: State) -> None:
    # Where the folder cannot be written or the disk is full torch raises RuntimeError.
    with contextlib.suppress(OSError, RuntimeError), replacing(kept) as passing:
        torch.save({"source": _identify(path), "state": dict(state)}, passing)
