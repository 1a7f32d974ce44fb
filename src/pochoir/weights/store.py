"""Cache of weight files: state, verification and download.

A file gets its final name only after its size and SHA-256 were verified. A download holds a lock, so that processes
that start together fetch the file once.
"""

import logging
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import platformdirs

from pochoir._hashing import hash_file
from pochoir.errors import OptionError, UnknownNameError, WeightsDownloadError, WeightsMissingError, WriteError
from pochoir.weights.samples import SAMPLES
from pochoir.weights.sources import Source, SourceError
from pochoir.weights.table import TABLE, WeightFile

logger = logging.getLogger(__name__)

HOME_VARIABLE = "POCHOIR_HOME"
OFFLINE_VARIABLE = "POCHOIR_OFFLINE"

Progress = Callable[[int, int], None]
"""Callback for the bytes received so far and the bytes of the whole file."""


class WeightStatus(StrEnum):
    """State of a weight file."""

    OK = "ok"
    MISSING = "missing"
    DAMAGED = "damaged"


@dataclass(frozen=True)
class WeightState:
    """State of one row of the table in the cache.

    Args:
        file: The row.
        path: Path of the file, also if it is missing.
        status: State of the file.
        reason: Reason for the status, for messages.
    """

    file: WeightFile
    path: Path
    status: WeightStatus
    reason: str


def check_terms(name: str) -> None:
    """Refuse weights whose terms forbid commercial use.

    Raises:
        UnknownNameError: If there is no such name.
        OptionError: If the terms forbid it.
    """
    row = _row(name)
    if not row.allows_commercial_use:
        raise OptionError(
            f"The weights {name} ({row.licence}) are for non-commercial use only; choose others, "
            "or leave --commercial-safe out."
        )


def home() -> Path:
    """Return the cache folder: ``POCHOIR_HOME``, or the user's cache folder. It may not exist yet."""
    chosen = os.environ.get(HOME_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    return platformdirs.user_cache_path("pochoir", appauthor=False)


def where(name: str) -> Path:
    """Return the path of a weight file in the cache.

    Existence and size are checked, which is quick. The SHA-256 is not; see :func:`verify`.

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
    """Check a weight file's size and SHA-256, however it got there.

    Args:
        name: A name in :data:`~pochoir.weights.table.TABLE`.

    Raises:
        UnknownNameError: If there is no such name.
    """
    return _inspect(_row(name))


def states() -> tuple[WeightState, ...]:
    """Return the state of each row of the table, by existence and size alone."""
    return tuple(_glance(row) for row in TABLE.values())


def check_names(names: Iterable[str], *, groups: Iterable[str] = ()) -> None:
    """Raise an ``UnknownNameError`` for the first name that is in no table.

    Args:
        names: The names.
        groups: Names of several files at once, which the error lists as well.
    """
    allowed = (*TABLE, *groups, *SAMPLES)
    for name in names:
        if name not in allowed:
            raise UnknownNameError("weights", name, allowed)


def pull(name: str, *, progress: Progress | None = None, offline: bool | None = None) -> Path:
    """Return the path of a weight file, and fetch the file first if it is missing or damaged.

    Sources are tried in order. A download is verified by size and SHA-256 before it gets its final name. Even after an
    interruption only an empty lock file stays behind.

    Args:
        name: A name in :data:`~pochoir.weights.table.TABLE`.
        progress: Called with the bytes received and the bytes of the whole file; starts from 0 for each source. It is
            not called if the file is in the cache. It may raise an exception to cancel.
        offline: Refuse to fetch. None follows the environment variable ``POCHOIR_OFFLINE``.

    Raises:
        UnknownNameError: If there is no such name.
        WeightsMissingError: If the file is not in the cache and pochoir is offline.
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
            state = _inspect(row)  # another process may have fetched it during the wait for the lock
            if state.status is not WeightStatus.OK:
                _fetch(row, folder / row.filename, progress).replace(state.path)
    except OSError as error:
        raise WriteError(
            f"Cannot write {row.filename} ({row.size_text}) into {home()}: {error.strerror or error}. "
            f"Make room or set {HOME_VARIABLE} to a folder that can be written."
        ) from error
    return state.path


def is_offline() -> bool:
    """Return True if ``POCHOIR_OFFLINE`` is set to anything but 0, false, no or off."""
    return os.environ.get(OFFLINE_VARIABLE, "").strip().lower() not in {"", "0", "false", "no", "off"}


def _row(name: str) -> WeightFile:
    row = TABLE.get(name) or SAMPLES.get(name)
    if row is None:
        raise UnknownNameError("weights", name, (*TABLE, *SAMPLES))
    return row


@contextmanager
def _workspace(row: WeightFile) -> Iterator[Path]:
    """Provide an empty folder in the cache for this process, and remove it at the end."""
    import filelock  # only downloads need this slow import

    home().mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(home() / f".{row.filename}.lock"):
        folder = home() / f".{row.filename}.part"
        shutil.rmtree(folder, ignore_errors=True)  # left by a killed process, since this one holds the lock
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
