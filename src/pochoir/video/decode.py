"""Decoding of one video stream from any place, past damaged parts."""

import bisect
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, NamedTuple

from pochoir.video.pyav import av

_COVER: Final = 0x400
"""FFmpeg's flag of pictures attached to a sound file."""
_WITHOUT_TIMES: Final = ("avi",)
"""Formats whose packets have times in the order of decoding, which says nothing about B-frames."""
_MOST_PACKETS_WITHOUT_FRAME: Final = 2000
"""Packets in a row without a frame after which a file counts as damaged to its end."""


class Decoded(NamedTuple):
    """One decoded frame, its number counted from the first, and its time in units of the stream's time base."""

    number: int
    pts: int
    frame: Any


@dataclass(frozen=True)
class Index:
    """Times of a stream's packets.

    Attributes:
        pts: Presentation times in order, in units of the time base.
        keys: Those that decoding can start at.
        is_whole: False if the scan ended before the file did.
        last_duration: Duration of the last packet, 0 if unknown.
    """

    pts: tuple[int, ...]
    keys: tuple[int, ...]
    is_whole: bool
    last_duration: int = 0

    @property
    def is_variable(self) -> bool:
        """True if frames are shown for different times, rounding to the time base apart."""
        steps = [after - before for before, after in zip(self.pts, self.pts[1:], strict=False)]
        return bool(steps) and max(steps) - min(steps) > max(1, 0.02 * min(steps))

    def rank(self, pts: int) -> int:
        """Return the number of the frame that is shown at a time."""
        return max(0, bisect.bisect_right(self.pts, pts) - 1)

    def key_before(self, index: int) -> int:
        """Return the number of the last frame up to ``index`` that decoding can start at."""
        at = bisect.bisect_right(self.keys, self.pts[min(index, len(self.pts) - 1)]) - 1
        return self.rank(self.keys[at]) if at > 0 else 0


def find_stream(container: Any) -> Any:
    """Return a container's first video stream that is not a cover picture; None if it has none."""
    streams = [stream for stream in container.streams.video if not stream.disposition & _COVER]
    return streams[0] if streams else None


def open_container(path: Path) -> Any:
    """Open a file, and nothing that it may refer to: no network and no other file."""
    # The protocol keeps names like "http:x" files; a playlist inside may not open anything.
    return av().open(f"file:{path}", options={"protocol_whitelist": "file"}, metadata_errors="replace")


def scan(path: Path, most: int | None = None) -> Index | None:
    """Read the times of all packets, or of the first ``most``; None if packets hold no times."""
    library = av()
    times: dict[int, bool] = {}
    last_duration = 0
    with closing(open_container(path)) as container:
        if container.format.name in _WITHOUT_TIMES:
            return None
        packets = container.demux(find_stream(container))
        is_whole = True
        while True:
            try:
                packet = next(packets, None)
            except library.error.FFmpegError:
                break  # truncated: the packets so far are all there is
            if packet is None:
                break
            if packet.size == 0 or packet.is_discard:
                continue
            if packet.pts is None:
                return None
            times[packet.pts] = times.get(packet.pts, False) or packet.is_keyframe
            last_duration = packet.duration or 0
            if most is not None and len(times) >= most:
                is_whole = False
                break
    pts = sorted(times)
    return Index(tuple(pts), tuple(time for time in pts if times[time]), is_whole, last_duration) if pts else None


def count_packets(path: Path) -> int:
    """Return the number of frames whose data a video holds; 0 if it cannot be read."""
    try:
        index = scan(path)
    except (av().error.FFmpegError, ValueError, OSError):
        return 0
    return 0 if index is None else len(index.pts)


class Decoder:
    """Decoder of a file's first video stream, for one pass in order of time.

    Args:
        path: The video.
        index: Times of all packets; None decodes from the start and counts.
        first: Number of the first frame that is wanted.

    Attributes:
        damaged: Number of places where data could not be decoded.
    """

    def __init__(self, path: Path, index: Index | None, first: int = 0) -> None:
        self.damaged = 0
        self._library = av()
        self._path = path
        self._index = index
        self._first = first
        self._open()
        self._has_times = self._container.format.name not in _WITHOUT_TIMES
        rate = self._stream.average_rate or self._stream.guessed_rate or Fraction(25)
        self._step = max(1, round(1 / (rate * self._stream.time_base))) if self._stream.time_base else 1

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _open(self) -> None:
        self._container = open_container(self._path)
        self._stream = find_stream(self._container)
        self._stream.thread_type = "AUTO"

    def __iter__(self) -> Iterator[Decoded]:
        wanted = None
        if self._index is not None and self._first > 0:
            wanted = self._index.pts[self._first]
            self._seek(wanted)
        last_index, last_pts = -1, None
        for frame in self._frames():
            pts = frame.pts
            if self._index is None:
                index = last_index + 1
                if pts is None or not self._has_times or (last_pts is not None and pts <= last_pts):
                    pts = 0 if last_pts is None else last_pts + self._step
            elif pts is None or (index := self._index.rank(pts)) <= last_index:
                continue
            last_index, last_pts = index, pts
            if index >= self._first:
                yield Decoded(index, pts, frame)

    def _seek(self, wanted: int) -> None:
        """Go to the last key frame that is shown no later than ``wanted``."""
        assert self._index is not None  # noqa: S101
        at = bisect.bisect_right(self._index.keys, wanted) - 1
        while at > 0:
            # Some containers look for a decoding time, and may land one key frame too late.
            with suppress(self._library.error.FFmpegError):
                self._container.seek(self._index.keys[at], stream=self._stream)
                packet = next(self._container.demux(self._stream), None)
                if packet is not None and packet.pts is not None and packet.pts <= wanted:
                    self._container.seek(self._index.keys[at], stream=self._stream)
                    return
            at -= 1
        self._container.close()  # a damaged file may not even seek to its start
        self._open()

    def _frames(self) -> Iterator[Any]:
        """Yield whole frames; after damage, go on at the next key frame."""
        waiting_for_key = False
        barren = 0
        packets = self._container.demux(self._stream)
        while barren < _MOST_PACKETS_WITHOUT_FRAME:
            try:
                packet = next(packets, None)
            except self._library.error.FFmpegError:
                self.damaged += 1
                break
            if packet is None:
                return
            try:
                frames = self._stream.decode(packet)
            except self._library.error.EOFError:
                return
            except self._library.error.FFmpegError:
                self.damaged += not waiting_for_key
                waiting_for_key = True
                barren += 1
                continue
            barren = 0 if frames else barren + 1
            for frame in frames:
                if frame.is_corrupt:
                    self.damaged += not waiting_for_key
                    waiting_for_key = True
                elif not waiting_for_key or frame.key_frame:
                    waiting_for_key = False
                    yield frame
