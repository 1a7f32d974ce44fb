"""Sound of one file carried to another: packets are copied, or transcoded where the new file cannot hold them."""

import os
from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from pochoir._files import place_of
from pochoir.video.decode import find_stream, open_container
from pochoir.video.film import SoundSource
from pochoir.video.pyav import av

_OPUS, _AAC = ("libopus", "Opus"), ("aac", "AAC")
_ENCODERS: Final = {".webm": _OPUS, ".mkv": _OPUS, ".mp4": _AAC, ".mov": _AAC}
_RATE: Final = 48_000
_FORMATS: Final = {".mp4": "mp4", ".mov": "mov", ".webm": "webm", ".mkv": "matroska"}
_MOST_CHANNELS: Final = 2


class SoundTrack:
    """Packets of a sound, ready to be written beside a picture.

    Args:
        source: Where the sound comes from.
        container: File to write, before its first packet.
        suffix: Its extension.

    Attributes:
        ends_with_picture: True if nothing is to be taken after the last frame.
    """

    def __init__(self, source: SoundSource, container: Any, suffix: str) -> None:
        self._library = av()
        self._input = open_container(Path(place_of(source.path)))
        self._source = source
        self.ends_with_picture = source.ends_with_picture
        self._stream: Any = self._input.streams.audio[0] if self._input.streams.audio else None
        self._origin = _first_picture_s(self._input)
        self._encoder: Any = None
        self._output: Any = None
        if self._stream is not None:
            self._add_stream(container, suffix)
        self._packets = self._read()
        self._next: Any = next(self._packets, None)

    def close(self) -> None:
        """Close the source."""
        self._input.close()

    def take_until(self, time_s: Fraction | None) -> Iterator[Any]:
        """Yield the packets that begin before a time of the film; with None, all that remain."""
        while self._next is not None and (time_s is None or self._begin_s(self._next) < time_s):
            yield self._next
            self._next = next(self._packets, None)

    @staticmethod
    def _begin_s(packet: Any) -> Fraction:
        return Fraction(packet.pts * packet.time_base)

    def _add_stream(self, container: Any, suffix: str) -> None:
        if self._stream.codec_context.name in container.supported_codecs:
            self._output = container.add_stream_from_template(self._stream)
            return
        name, _ = _ENCODERS[suffix]
        channels = min(self._stream.codec_context.layout.nb_channels, _MOST_CHANNELS)
        self._output = container.add_stream(name, rate=_RATE, layout="mono" if channels == 1 else "stereo")
        self._output.codec_context.bit_rate = 64_000 * channels
        self._encoder = self._output.codec_context

    def _read(self) -> Iterator[Any]:
        if self._stream is None:
            return
        if self._encoder is None:
            for packet in self._wanted():
                packet.stream = self._output
                yield packet
        else:
            yield from self._transcode()

    def _wanted(self) -> Iterator[Any]:
        """Yield the packets of the source between start and end, with times counted from the film's start."""
        start = self._origin + Fraction(self._source.start_s)
        end = None if self._source.end_s is None else self._origin + Fraction(self._source.end_s)
        base = self._stream.time_base
        shift = round(start / base)
        packets = self._input.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except self._library.error.FFmpegError:
                return  # truncated: the sound ends here
            if packet is None:
                return
            if packet.pts is None or packet.size == 0:
                continue
            time_s = packet.pts * base
            if end is not None and time_s >= end:
                return
            # From the very start, packets before it prime the decoder.
            if time_s >= start or not self._source.start_s:
                packet.pts -= shift
                packet.dts = packet.pts
                yield packet

    def _transcode(self) -> Iterator[Any]:
        decoder = self._stream.codec_context
        encoder = self._encoder
        encoder.open()
        resampler = self._library.AudioResampler(
            format=encoder.format, layout=encoder.layout, rate=encoder.rate, frame_size=encoder.frame_size or None
        )
        for packet in self._wanted():
            try:
                frames = decoder.decode(packet)
            except self._library.error.FFmpegError:
                continue
            for frame in frames:
                for piece in resampler.resample(frame):
                    yield from self._stamped(encoder.encode(piece))
        for piece in resampler.resample(None):
            yield from self._stamped(encoder.encode(piece))
        yield from self._stamped(encoder.encode(None))

    def _stamped(self, packets: list[Any]) -> Iterator[Any]:
        for packet in packets:
            packet.stream = self._output
            yield packet


def describe_sound(source: SoundSource, suffix: str) -> str | None:
    """Return a note on what becomes of a sound in a file of an extension; None if it is kept as it is.

    Args:
        source: Where the sound comes from.
        suffix: Extension of the file to be written.
    """
    with closing(open_container(Path(place_of(source.path)))) as container:
        if not container.streams.audio:
            return None
        name = container.streams.audio[0].codec_context.name
    if suffix not in _FORMATS:
        return f"{suffix or 'a folder'} holds no sound; it is left out"
    library = av()
    with library.open(os.devnull, "w", format=_FORMATS[suffix]) as probe:
        if name in probe.supported_codecs:
            return None
    return f"{suffix} holds no {name} sound; it is converted to {_ENCODERS[suffix][1]}"


def _first_picture_s(container: Any) -> Fraction:
    picture = find_stream(container)
    if picture is None or picture.start_time is None:
        return Fraction(0)
    return Fraction(picture.start_time * picture.time_base)
