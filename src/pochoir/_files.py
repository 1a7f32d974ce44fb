"""Files that are there whole or not at all."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file to write that takes the place of another when it is whole; if that fails, the other one stays.

    Args:
        path: The file in its place. Its folder has to be there.

    Yields:
        Where to write: beside it, under a name of its own.
    """
    passing = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        yield passing
        passing.replace(path)
    finally:
        passing.unlink(missing_ok=True)


_elsewhere: ContextVar[Mapping[str, Path]] = ContextVar("elsewhere", default=MappingProxyType({}))


@contextmanager
def reading_elsewhere(places: Mapping[str, Path]) -> Iterator[None]:
    """Context manager in which files are read from copies at other places, under their own names."""
    token = _elsewhere.set(places)
    try:
        yield
    finally:
        _elsewhere.reset(token)


def place_of(path: str | os.PathLike[str]) -> Path:
    """Return the place to read a file from: its path, unless ``reading_elsewhere`` says otherwise."""
    return _elsewhere.get().get(os.fspath(path), Path(path))
