"""Writing files whole or not at all, and reading them from other places."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Replace a file when the block ends; keep the old one if the block fails.

    Args:
        path: File to replace or to make. Its folder has to exist.

    Yields:
        Path of a draft beside it, to be written by the block.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


_elsewhere: ContextVar[Mapping[str, Path]] = ContextVar("elsewhere", default=MappingProxyType({}))


@contextmanager
def reading_elsewhere(places: Mapping[str, Path]) -> Iterator[None]:
    """Read files from copies at other places for the duration of a block; their names stay.

    Args:
        places: Path of the copy, by the path of the file.
    """
    token = _elsewhere.set(places)
    try:
        yield
    finally:
        _elsewhere.reset(token)


def place_of(path: str | os.PathLike[str]) -> Path:
    """Return the place to read a file from: its path, unless ``reading_elsewhere`` says otherwise."""
    return _elsewhere.get().get(os.fspath(path), Path(path))
