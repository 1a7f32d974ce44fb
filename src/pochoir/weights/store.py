"""The cache folder: what is there, whether it is sound, and how a file gets there.

A file has its final name only after its size and SHA-256 were found right. Whoever fetches a file holds a lock on it,
so that processes that start at the same time fetch it once.
"""

import logging
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import platformdirs

from pochoir._hashing import hash_file
from pochoir.errors import UnknownNameError, WeightsDownloadError, WeightsMissingError, WriteError
from pochoir.weights.sources import Source, SourceError
from pochoir.weights.table import TABLE, WeightFile

logger = logging.getLogger(__name__)

HOME_VARIABLE = "POCHOIR_HOME"
OFFLINE_VARIABLE = "POCHOIR_OFFLINE"

Progress = Callable[[int, int], None]
"""Receives the bytes that have arrived and the bytes of the whole file."""


class WeightStatus(StrEnum):
    """Whether a weight file can be used."""

    OK = "ok"
    MISSING = "missing"
    DAMAGED = "damaged"


@dataclass(frozen=True)
class WeightState:
    """What was found in the cache for one row of the table.

    Args:
        file: The row.
        path: Where the file is, or would be.
        status: Whether it can be used.
        reason: What this was judged by, for people.
    """

    file: WeightFile
    path: Path
    status: WeightStatus
    reason: str


def home() -> Path:
    """The cache folder: ``POCHOIR_HOME`` if set, else the user's cache folder. It need not exist yet."""
    chosen = os.environ.get(HOME_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    return platformdirs.user_cache_path("pochoir", appauthor=False)


def where(name: str) -> Path:
    """Path of a weight file that is in the cache.

    Quick enough for every start: existence and size are checked, the SHA-256 is not (see :func:`verify`).

    Args:
        name: A name in :data:`~pochoir.weights.table.TABLE`.

    Raises:
        UnknownNameError: If there is no such name.
        WeightsMissingError: If the file is not there or has the wrong size; the text says how to get it.
    """
    state = _glance(_row(name))
    if state.status is not WeightStatus.OK:
        raise WeightsMissingError(_missing_text(state))
    return state.path


def verify(name: str) -> WeightState:
    """Check a weight file's size and SHA-256; it does not matter how the file got there.

    Args:
        name: A name in :data:`~pochoir.weights.table.TABLE`.

    Raises:
        UnknownNameError: If there is no such name.
    """
    return _inspect(_row(name))


def states() -> tuple[WeightState, ...]:
    """What the cache holds for each row of the table, judged by existence and size alone."""
    return tuple(_glance(row) for row in TABLE.values())


def pull(name: str, *, progress: Progress | None = None, offline: bool | None = None) -> Path:
    """Path of a weight file, fetched if it is not in the cache or is damaged there.

    The sources are tried in order. What arrives is checked by size and SHA-256 before it gets its final name; nothing
    else but an empty lock file stays behind, also when this is interrupted.

    Args:
        name: A name in :data:`~pochoir.weights.table.TABLE`.
        progress: Called with the bytes that have arrived and the bytes of the whole file; starts from 0 again with each
            source. Not called when the file is already there. May raise to cancel.
        offline: Whether to refuse to fetch. None asks the environment variable ``POCHOIR_OFFLINE`` (set and not 0).

    Raises:
        UnknownNameError: If there is no such name.
        WeightsMissingError: If the file would have to be fetched but pochoir is offline.
        WeightsDownloadError: If no source gave the right file; the text has the reason of each.
        WriteError: If the cache folder cannot be written or is full.
    """
    row = _row(name)
    state = _inspect(row)
    if state.status is WeightStatus.OK:
        return state.path
    if is_offline() if offline is None else offline:
        raise WeightsMissingError(f"Offline, so nothing is fetched. {_missing_text(state)}")
    try:
        with _workspace(row) as folder:
            state = _inspect(row)  # while we waited for the lock, another process may have fetched it
            if state.status is not WeightStatus.OK:
                _fetch(row, folder / row.filename, progress).replace(state.path)
    except OSError as error:
        raise WriteError(
            f"Cannot write {row.filename} ({row.size_text}) into {home()}: {error.strerror or error}. "
            f"Make room or set {HOME_VARIABLE} to a folder that can be written."
        ) from error
    return state.path


def is_offline() -> bool:
    """Whether the environment variable ``POCHOIR_OFFLINE`` forbids to fetch anything: it is set, and not to 0 or no."""
    return os.environ.get(OFFLINE_VARIABLE, "").strip().lower() not in {"", "0", "false", "no", "off"}


def _row(name: str) -> WeightFile:
    if name not in TABLE:
        raise UnknownNameError("weights", name, TABLE)
    return TABLE[name]


@contextmanager
def _workspace(row: WeightFile) -> Iterator[Path]:
    """An empty folder inside the cache that is this process's alone and is removed at the end."""
    import filelock  # imported here because only downloads need it, and it takes a while

    home().mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(home() / f".{row.filename}.lock"):
        folder = home() / f".{row.filename}.part"
        shutil.rmtree(folder, ignore_errors=True)  # left by a process that was killed: we hold the lock
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _fetch(row: WeightFile, destination: Path, progress: Progress | None) -> Path:
    reasons = []
    for source in row.sources:
        logger.info("fetching %s from %s", row.name, source.description)
        try:
            _fetch_from(source, row, destination, progress)
        except SourceError as error:
            reasons.append(f"{source.description}: {error}")
            logger.info("%s: %s", source.description, error)
        else:
            return destination
    raise WeightsDownloadError(
        f"Could not fetch weights {row.name!r} ({row.size_text}). {'; '.join(reasons)}. "
        f"Check the network, or put the file there by hand: {home() / row.filename} (sha256 {row.sha256})."
    )


def _fetch_from(source: Source, row: WeightFile, destination: Path, progress: Progress | None) -> None:
    def report(done_bytes: int) -> None:
        if progress is not None:
            progress(min(done_bytes, row.size_bytes), row.size_bytes)

    report(0)
    source.fetch(destination, limit_bytes=row.size_bytes, report=report)
    fault = _size_fault(row, destination) or _hash_fault(row, destination)
    if fault:
        raise SourceError(f"it gave the wrong file: {fault}")
    report(row.size_bytes)


def _glance(row: WeightFile) -> WeightState:
    path = home() / row.filename
    try:
        fault = _size_fault(row, path)
    except (FileNotFoundError, NotADirectoryError):
        return WeightState(row, path, WeightStatus.MISSING, "no such file")
    except OSError as error:
        return WeightState(row, path, WeightStatus.DAMAGED, f"it cannot be read ({error.strerror or error})")
    if fault:
        return WeightState(row, path, WeightStatus.DAMAGED, fault)
    return WeightState(row, path, WeightStatus.OK, "the size is right, the sha256 was not checked")


def _inspect(row: WeightFile) -> WeightState:
    state = _glance(row)
    if state.status is not WeightStatus.OK:
        return state
    try:
        fault = _hash_fault(row, state.path)
    except OSError as error:
        fault = f"it cannot be read ({error.strerror or error})"
    if fault:
        return WeightState(row, state.path, WeightStatus.DAMAGED, fault)
    return WeightState(row, state.path, WeightStatus.OK, "size and sha256 are right")


def _size_fault(row: WeightFile, path: Path) -> str:
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        return "it is not a file"
    return "" if found.st_size == row.size_bytes else f"it has {found.st_size} bytes instead of {row.size_bytes}"


def _hash_fault(row: WeightFile, path: Path) -> str:
    found = hash_file(path)
    return "" if found == row.sha256 else f"its sha256 is {found} instead of {row.sha256}"


def _missing_text(state: WeightState) -> str:
    row = state.file
    what = "are missing" if state.status is WeightStatus.MISSING else f"are damaged ({state.reason})"
    places = " or ".join(source.description for source in row.sources)
    return (
        f"Weights {row.name!r} {what}: {state.path} ({row.size_text}, sha256 {row.sha256}, from {places}). "
        f"Get them with: pochoir models pull {row.name}"
    )
