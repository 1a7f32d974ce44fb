"""Videos read by PyAV."""

import os
from collections.abc import Generator
from contextlib import closing
from fractions import Fraction
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

from pochoir._types import Size
from pochoir.errors import InputError
from pochoir.video.colors import ColorTags, Rgb, geometry_of, tags_of, to_rgb
from pochoir.video.decode import Decoder, Index, find_stream, open_container, scan
from pochoir.video.pyav import av
from pochoir.video.source import Moment

_SCANNED_AT_OPENING: Final = 1500
"""Packets whose times are read when a file is opened; all are read only when frames are."""
_USUAL_FPS: Final = Fraction(25)
_MOST_FPS: Final = 1000
_PQ: Final = 16


def open_source(path: Path, name: str) -> "AvSource":
    """Open a video.

    Args:
        path: The file.
        name: Name in errors.

    Raises:
        InputError: It is not a video with at least one whole frame.
    """
    library = av()
    os.environ.setdefault("SVT_LOG", "1")
    try:
        with closing(open_container(path)) as container:
            stream = find_stream(container)
            if stream is None:
                raise InputError(f"{name!r} has no video stream.")
            if _is_picture(container):
                raise InputError(f"{name!r} is a still picture; use: pochoir stylize")
            return AvSource(path, name, container, stream)
    except library.error.EOFError as error:
        raise InputError(f"Cannot read the video {name!r}: it holds no whole frame.") from error
    except (library.error.FFmpegError, ValueError) as error:
        raise InputError(f"Cannot read the video {name!r}: {_reason(path, error)}.") from error


def _is_picture(container: Any) -> bool:
    name = str(container.format.name)
    return name.endswith("_pipe") or name in ("image2", "ico")


def _reason(path: Path, error: Exception) -> str:
    if path.stat().st_size == 0:
        return "the file is empty"
    text = getattr(error, "strerror", None) or str(error)
    return "it is damaged, or not a video" if "Invalid data" in text else text.rstrip(".")


def _holds_alpha(frame: Any, stream: Any) -> bool:
    """Return whether frames are transparent. WebM keeps alpha in a stream of its own, which only a tag tells of."""
    return any(part.is_alpha for part in frame.format.components) or stream.metadata.get("alpha_mode") == "1"


class AvSource:
    """A video that PyAV reads.

    Args:
        path: The file.
        name: Name in errors.
        container: The open file; not kept.
        stream: Its video stream; not kept.

    Raises:
        InputError: No frame can be decoded.
    """

    def __init__(self, path: Path, name: str, container: Any, stream: Any) -> None:
        self._path, self._name = path, name
        self.notes: list[str] = []
        self.has_sound = bool(container.streams.audio)
        self.time_base: Fraction = stream.time_base or Fraction(1, 1000)
        with closing(Decoder(path, None)) as decoder:
            first = next(iter(decoder), None)
        if first is None:
            raise InputError(f"Cannot read the video {name!r}: it holds no whole frame.")
        self._geometry = geometry_of(first.frame, stream.sample_aspect_ratio)
        self.size = self._geometry.upright
        self.rotation = self._geometry.turns * 90
        self.color: ColorTags = tags_of(first.frame)
        self.has_alpha = _holds_alpha(first.frame, stream)
        self._start = scan(path, _SCANNED_AT_OPENING)
        self._first_pts: int = self._start.pts[0] if self._start else first.pts
        self.is_variable = self._start is not None and self._start.is_variable
        self.fps = self._rate(stream)
        self.duration_s = self._duration(container, stream)
        self.estimate = self._estimate(stream)
        self._note_conversions(first.frame)

    def moments(self, first: int) -> Generator[Moment, None, None]:
        """Yield frames in order of time, from number ``first`` on."""
        with closing(Decoder(self._path, self._index, first)) as decoder:
            for index, pts, frame in decoder:
                if (frame.height, frame.width) != self._geometry.stored:
                    self._note(f"frames change their size; they are resized to the first one's, {self.size}")
                duration = frame.duration * self.time_base if frame.duration else None
                time_s = (pts - self._first_pts) * self.time_base
                yield Moment(index, time_s, duration, partial(self._render, frame))
            if decoder.damaged:
                self._note(f"{_places(decoder.damaged)} of the video {_are(decoder.damaged)} damaged and left out")

    def find(self, time_s: Fraction) -> int:
        """Return a frame to start at so that none from ``time_s`` on is missed."""
        if time_s <= 0 or self._index is None:
            return 0
        return self._index.rank(self._first_pts + int(time_s / self.time_base))

    def key_before(self, index: int) -> int:
        """Return the last frame up to ``index`` that decoding can start at."""
        if self._index is None or index <= 0:
            return 0
        return self._index.key_before(index)

    def count(self) -> int:
        """Return the number of frames; -1 if the file does not tell."""
        return -1 if self._index is None else len(self._index.pts)

    @cached_property
    def _index(self) -> Index | None:
        if self._start is None or self._start.is_whole:
            return self._start
        return scan(self._path)

    def _render(self, frame: Any, size: Size) -> Rgb:
        library = av()
        try:
            return to_rgb(library, frame, size, self._geometry.turns)
        except (library.error.FFmpegError, ValueError) as error:
            raise InputError(f"Cannot convert the frames of {self._name!r} ({frame.format.name}) to RGB.") from error

    def _rate(self, stream: Any) -> Fraction:
        known = [rate for rate in (stream.average_rate, stream.guessed_rate) if rate and 0 < rate <= _MOST_FPS]
        if known:
            return Fraction(known[0])
        times = self._start.pts if self._start else ()
        if len(times) < 2:
            return _USUAL_FPS
        return (len(times) - 1) / ((times[-1] - times[0]) * self.time_base)

    def _duration(self, container: Any, stream: Any) -> Fraction:
        if self._start is not None and self._start.is_whole:
            last = self._start.last_duration * self.time_base or 1 / self.fps
            return (self._start.pts[-1] - self._start.pts[0]) * self.time_base + last
        if stream.duration:
            return Fraction(stream.duration) * self.time_base
        if container.duration:
            return Fraction(container.duration, 1_000_000)
        return int(stream.frames) / self.fps

    def _estimate(self, stream: Any) -> int:
        if self._start is not None and self._start.is_whole:
            return len(self._start.pts)
        return int(stream.frames) or max(1, round(self.duration_s * self.fps))

    def _note_conversions(self, frame: Any) -> None:
        if self.color.is_hdr:
            kind = "PQ" if self.color.transfer == _PQ else "HLG"
            self._note(f"the video has a high dynamic range ({kind}); light above the white of a page is compressed")
        elif self.color.is_wide:
            self._note("the video has a wide gamut; colours outside sRGB are cut")
        if frame.interlaced_frame:
            self._note("the video is interlaced; its frames are used as they are")

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def _places(count: int) -> str:
    return "1 place" if count == 1 else f"{count} places"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
