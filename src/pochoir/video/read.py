"""Reading of videos: frames with their exact times, upright, in sRGB."""

import os
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from pochoir import imaging
from pochoir._files import place_of
from pochoir._types import Size
from pochoir.errors import InputError
from pochoir.video import read_av, read_pillow
from pochoir.video.colors import ColorTags, Rgb
from pochoir.video.source import Moment, Source

_NEAR: Final = 6
"""Frames that are decoded sooner than a file is opened again."""


@dataclass(frozen=True)
class VideoInfo:
    """Facts about a video.

    Attributes:
        size: Size of the upright picture with square pixels.
        fps: Average number of frames a second.
        time_base: Unit of the frames' times, in seconds.
        frames: Number of frames; an estimate for long files.
        duration_s: Duration of the picture, in seconds.
        rotation: Degrees counter-clockwise that the stored picture was turned by.
        has_sound: True if there is at least one audio stream.
        has_alpha: True if frames are transparent; only their colours are read.
        is_variable: True if frames are shown for different times.
        is_hdr: True if the video has a high dynamic range (PQ or HLG), which is compressed to sRGB.
        color: Colours of the stored frames.
    """

    size: Size
    fps: Fraction
    time_base: Fraction
    frames: int
    duration_s: float
    rotation: int
    has_sound: bool
    has_alpha: bool
    is_variable: bool
    is_hdr: bool
    color: ColorTags


@dataclass(frozen=True, eq=False)
class VideoFrame:
    """One frame.

    Attributes:
        index: Number of the frame, counted from the video's first. Numbers of damaged frames are missing.
        time_s: Time at which the frame appears, in seconds after the video's first frame.
        duration: Time until the next frame, in seconds; None for the last one of a file that does not state it.
        rgb: Upright picture, shape (H, W, 3), sRGB, full range.
    """

    index: int
    time_s: Fraction
    duration: Fraction | None
    rgb: Rgb = field(repr=False)


class Video:
    """An open video; use ``open_video``.

    Frames are decoded when they are asked for, so memory does not grow with the length. Several iterators may run at
    the same time.

    Attributes:
        path: Path as it was given.
        info: Facts about the video.
    """

    def __init__(self, path: str, info: VideoInfo, source: Source) -> None:
        self.path = path
        self.info = info
        self._source = source
        self._cursor: Generator[Moment, None, None] | None = None
        self._before: Moment | None = None
        self._after: Moment | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; frames that were read stay valid."""
        self._reset()

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what was converted, skipped or assumed so far."""
        return tuple(self._source.notes)

    def frames(
        self, start_s: float | Fraction = 0.0, end_s: float | Fraction | None = None, size: Size | None = None
    ) -> Iterator[VideoFrame]:
        """Yield the frames that appear from ``start_s`` on and before ``end_s``, in order.

        Args:
            start_s: Seconds after the video's first frame.
            end_s: Seconds after the video's first frame; None reads to the end.
            size: Size of the frames; None keeps the video's.

        Yields:
            Frames. Damaged ones are left out, and ``notes`` says so.

        Raises:
            InputError: The times or the size make no sense.
        """
        _check_times(start_s, end_s)
        wanted = _check_size(size or self.info.size)
        slack = self.info.time_base / 2  # a time that was rounded to a float
        start, end = Fraction(start_s) - slack, None if end_s is None else Fraction(end_s) - slack
        held: Moment | None = None
        with closing(self._source.moments(self._source.find(start))) as moments:
            for moment in moments:
                if held is not None:
                    yield self._show(held, wanted, moment.time_s - held.time_s)
                    held = None
                if end is not None and moment.time_s >= end:
                    return
                if moment.time_s >= start:
                    held = moment
        if held is not None:
            yield self._show(held, wanted, held.duration)

    def frame(self, index: int, size: Size | None = None) -> VideoFrame:
        """Return one frame by its number; of a damaged frame, the last whole one before it.

        Args:
            index: Number counted from the video's first frame.
            size: Size of the frame; None keeps the video's.

        Raises:
            InputError: There is no such frame.
        """
        wanted = _check_size(size or self.info.size)
        if index < 0:
            raise InputError(f"Frames of a video are counted from 0; got {index}.")
        if not self._is_ahead(index):
            self._start_at(self._source.key_before(index))
        self._advance(index)
        if self._before is None:  # the part from the key frame on is damaged
            self._start_at(0)
            self._advance(index)
        if self._before is None or (self._after is None and index > self._last_index()):
            raise InputError(f"{self.path!r} has no frame {index}: the last one is {self._last_index()}.")
        following = None if self._after is None else self._after.time_s - self._before.time_s
        return self._show(self._before, wanted, following or self._before.duration)

    def _last_index(self) -> int:
        last = self._before.index if self._before is not None else -1
        return max(last, self._source.count() - 1)

    def _is_ahead(self, index: int) -> bool:
        """Return True if the cursor reaches a frame sooner than a jump to a key frame would."""
        if self._cursor is None or self._before is None or index < self._before.index:
            return False
        return index <= self._before.index + _NEAR or self._source.key_before(index) <= self._before.index

    def _start_at(self, first: int) -> None:
        self._reset()
        self._cursor = self._source.moments(first)
        self._after = next(self._cursor, None)

    def _advance(self, index: int) -> None:
        """Read on until the frame after ``index``."""
        while self._cursor is not None and self._after is not None and self._after.index <= index:
            self._before, self._after = self._after, next(self._cursor, None)

    def _reset(self) -> None:
        if self._cursor is not None:
            self._cursor.close()
        self._cursor = self._before = self._after = None

    @staticmethod
    def _show(moment: Moment, size: Size, duration: Fraction | None) -> VideoFrame:
        return VideoFrame(moment.index, moment.time_s, duration, moment.render(size))


def open_video(path: str | os.PathLike[str]) -> Video:
    """Open a video, or an animated GIF, WebP or PNG.

    Args:
        path: The file.

    Returns:
        The video, to be closed or used as a context manager.

    Raises:
        InputError: There is no such file, or it is not a video with at least one whole frame.
        MissingExtraError: PyAV is not installed.
    """
    given, place = os.fspath(path), Path(place_of(path))
    is_picture = _check_is_moving(place, given)
    source = read_pillow.AnimatedPicture(place) if is_picture else read_av.open_source(place, given)
    size = _check_size(source.size)
    return Video(
        given,
        VideoInfo(
            size=size,
            fps=source.fps,
            time_base=source.time_base,
            frames=source.estimate,
            duration_s=float(source.duration_s),
            rotation=source.rotation,
            has_sound=source.has_sound,
            has_alpha=source.has_alpha,
            is_variable=source.is_variable,
            is_hdr=source.color.is_hdr,
            color=source.color,
        ),
        source,
    )


def check_is_moving(path: str | os.PathLike[str]) -> None:
    """Raise an ``InputError`` for nothing, a folder or a still picture; PyAV is not needed."""
    _check_is_moving(Path(place_of(path)), os.fspath(path))


def _check_is_moving(path: Path, name: str) -> bool:
    """Return whether a file is an animated picture that Pillow reads; see ``check_is_moving``."""
    if not path.exists():
        raise InputError(f"Cannot read the video {name!r}: there is no such file.")
    if path.is_dir():
        raise InputError(f"Cannot read the video {name!r}: it is a folder.")
    if not path.is_file():
        raise InputError(f"Cannot read the video {name!r}: it is a pipe or a device, not a file.")
    count = read_pillow.count_frames(path)
    if count == 1 or (count is None and _is_still(path, name)):
        raise InputError(f"{name!r} is a still picture; use: pochoir stylize")
    return count is not None


def _is_still(path: Path, name: str) -> bool:
    """Return whether a file that Pillow does not know is a still picture."""
    try:
        with path.open("rb") as file:
            return imaging.is_still(file.read(64))
    except OSError as error:
        raise InputError(f"Cannot read the video {name!r}: {error.strerror or error}.") from error


def _check_times(start_s: float | Fraction, end_s: float | Fraction | None) -> None:
    if not 0 <= start_s < float("inf"):
        raise InputError(f"The start is a number of seconds from 0 on; got {start_s}.")
    if end_s is not None and not start_s < end_s:
        raise InputError(f"The end must come after the start, {float(start_s):g} s; got {float(end_s):g} s.")


def _check_size(size: Size) -> Size:
    if size.height < 1 or size.width < 1:
        raise InputError(f"A frame has at least one pixel on each side; got {size}.")
    return size
