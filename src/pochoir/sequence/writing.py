"""Writing of a film in the background, while its frames are being made."""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Final

from pochoir.video import Frame

_MOST_WAITING: Final = 4
"""Frames that may wait for the encoder; more would only take memory."""
_CHECK_S: Final = 0.2


class _AbandonedError(Exception):
    """The film is given up; raised inside the writer, so that it removes its draft."""


class BackgroundWriter:
    """Runs a function that takes an iterator of frames in a thread, and feeds it.

    Use it as a context manager. A block that fails gives the film up, and its draft is removed.

    Args:
        write: Function that writes all frames.
    """

    def __init__(self, write: Callable[[Iterator[Frame]], object]) -> None:
        self._frames: queue.Queue[Frame | None] = queue.Queue(_MOST_WAITING)
        self._abandoned = threading.Event()
        self._error: BaseException | None = None
        self._write = write
        self._thread = threading.Thread(target=self._run, name="pochoir-film", daemon=True)

    def __enter__(self) -> "BackgroundWriter":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._abandoned.set()
        self._thread.join()

    def add(self, frame: Frame) -> None:
        """Give the next frame to the writer; raise its error if it failed."""
        self._put(frame)

    def finish(self) -> None:
        """Wait until the film is written; raise the writer's error if it failed."""
        self._put(None)
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _put(self, frame: Frame | None) -> None:
        while self._thread.is_alive():
            try:
                self._frames.put(frame, timeout=_CHECK_S)
            except queue.Full:
                continue
            return
        if self._error is not None:
            raise self._error

    def _iterate(self) -> Iterator[Frame]:
        while True:
            try:
                frame = self._frames.get(timeout=_CHECK_S)
            except queue.Empty:
                if self._abandoned.is_set():
                    raise _AbandonedError from None
                continue
            if self._abandoned.is_set():
                raise _AbandonedError
            if frame is None:
                return
            yield frame

    def _run(self) -> None:
        try:
            self._write(self._iterate())
        except _AbandonedError:
            pass
        except BaseException as error:  # it is raised in the thread that makes the frames
            self._error = error
