"""Writing of a film: out of sight until it is whole, and in the background while its frames are being made."""

import contextvars
import os
import queue
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, Generic, TypeVar

from pochoir import video
from pochoir.errors import WriteError
from pochoir.sequence.store import FolderStore

Item = TypeVar("Item")

_MOST_WAITING: Final = 4
"""Frames that may wait for the encoder; more would only take memory."""
_CHECK_S: Final = 0.2


def write_film(film: video.Film, target: Path, store: FolderStore, *, quality: int | None) -> None:
    """Write a film; a process that is killed leaves its draft among the finished parts, not beside the output.

    Args:
        film: The film.
        target: File or folder to write.
        store: The parts; their folder has to exist.
        quality: As for ``video.save``.

    Raises:
        WriteError: The disk is full, or the folder cannot be written to.
    """
    if target.suffix.lower() == ".json":  # which names its picture
        video.save(target, film, quality=quality)
        return
    draft = store.folder / f"film-{os.getpid()}-{os.urandom(4).hex()}{target.suffix}"
    real = Path(os.path.realpath(target))  # a link is written through
    try:
        video.save(draft, film, quality=quality)
        if real.is_dir():
            shutil.rmtree(real)
        draft.replace(real)
    except OSError as error:
        raise WriteError(f"Cannot write {str(target)!r}: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(draft) if draft.is_dir() else draft.unlink(missing_ok=True)


class _Abandoned(Exception):  # noqa: N818  # not an error: the writer is asked to end
    """Ends the writing of a film that is given up, so that its draft is removed."""


class BackgroundWriter(Generic[Item]):
    """Runs a function that takes an iterator of frames in a thread, and feeds it.

    Args:
        write: Function that writes all frames.
    """

    def __init__(self, write: Callable[[Iterator[Item]], object]) -> None:
        self._frames: queue.Queue[Item | None] = queue.Queue(_MOST_WAITING)
        self._is_abandoned = threading.Event()
        self._error: BaseException | None = None
        self._write = write
        # The thread has to find files where this one does; see ``reading_elsewhere``.
        run = partial(contextvars.copy_context().run, self._run)
        self._thread = threading.Thread(target=run, name="pochoir-film", daemon=True)
        self._thread.start()

    def add(self, frame: Item) -> None:
        """Give the next frame to the writer; raise its error if it failed."""
        self._put(frame)

    def finish(self) -> None:
        """Wait until the film is written; raise the writer's error if it failed."""
        self._put(None)
        self._thread.join()
        self._raise()

    def close(self) -> None:
        """Give the film up unless it is finished, and wait until its draft is removed."""
        self._is_abandoned.set()
        self._thread.join()

    def _put(self, frame: Item | None) -> None:
        while self._thread.is_alive():
            try:
                self._frames.put(frame, timeout=_CHECK_S)
            except queue.Full:
                continue
            return
        self._raise()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _iterate(self) -> Iterator[Item]:
        while True:
            if self._is_abandoned.is_set():
                raise _Abandoned
            try:
                frame = self._frames.get(timeout=_CHECK_S)
            except queue.Empty:
                continue
            if frame is None:
                return
            yield frame

    def _run(self) -> None:
        try:
            self._write(self._iterate())
        except _Abandoned:
            pass
        except BaseException as error:  # it is raised in the thread that makes the frames
            self._error = error
