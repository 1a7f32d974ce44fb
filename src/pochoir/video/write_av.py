"""MP4, WebM, Matroska and QuickTime, by PyAV."""

import os
from collections.abc import Iterator
from contextlib import closing, nullcontext
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np

from pochoir._types import Size
from pochoir.errors import WriteError
from pochoir.video.codecs import Codec, codec_of
from pochoir.video.film import Film, Frame
from pochoir.video.priority import ordinary_priority
from pochoir.video.pyav import av
from pochoir.video.sound import SoundTrack

_BT709: Final = 1
_LIMITED: Final = 1
"""Numbers of the colour standard and of the range of values, as ITU-T H.273 and FFmpeg count them."""
_FINE_TIME_BASE: Final = Fraction(1, 90_000)
_KINDS: Final = {".mp4": "mp4", ".webm": "webm", ".mov": "mov", ".mkv": "matroska"}


def write_mp4(film: Film, path: Path, quality: int | None) -> None:
    """Write an MP4."""
    _write(film, path, ".mp4", quality)


def write_webm(film: Film, path: Path, quality: int | None) -> None:
    """Write a WebM."""
    _write(film, path, ".webm", quality)


def write_mov(film: Film, path: Path, quality: int | None) -> None:
    """Write a QuickTime file."""
    _write(film, path, ".mov", quality)


def write_mkv(film: Film, path: Path, quality: int | None) -> None:
    """Write a Matroska file."""
    _write(film, path, ".mkv", quality)


def _write(film: Film, path: Path, suffix: str, quality: int | None) -> None:
    library = av()
    codec = codec_of(suffix, film.codec, alpha=film.alpha, short_side_px=film.size.short_side)
    os.environ.setdefault("SVT_LOG", "1")  # else the AV1 encoder prints its settings on stderr
    options = {"fflags": "+bitexact"}  # else files hold the time and random numbers
    if suffix in (".mp4", ".mov"):
        options["movflags"] = "+faststart+use_metadata_tags"
    try:
        with library.open(str(path), "w", format=_KINDS[suffix], container_options=options) as container:
            if film.record is not None:
                container.metadata["comment"] = film.record
            stream = _add_stream(container, film, codec, quality)
            track = None if film.sound is None else SoundTrack(film.sound, container, suffix)
            with nullcontext() if track is None else closing(track):
                end_s = Fraction(0)
                for packet in _encode(library, film, codec, stream):
                    if track is not None:
                        container.mux(list(track.take_until(packet.pts * packet.time_base)))
                    end_s = max(end_s, (packet.pts + (packet.duration or 0)) * packet.time_base)
                    container.mux(packet)
                if track is not None:
                    container.mux(list(track.take_until(end_s if track.ends_with_picture else None)))
    except library.error.FFmpegError as error:
        raise WriteError(f"Cannot write {suffix} with {codec.encoder}: {error.strerror or error}.") from error


def _add_stream(container: Any, film: Film, codec: Codec, quality: int | None) -> Any:
    rate = Fraction(film.fps).limit_denominator(1001)
    size = _stored_size(film.size, codec)
    options = codec.settings(quality, width=size.width, alpha=film.alpha)
    stream = container.add_stream(codec.encoder, rate=rate, options=options)
    stream.width, stream.height = size.width, size.height
    stream.pix_fmt = codec.alpha_pixels if film.alpha else codec.pixels
    base = _time_base(film)
    stream.time_base = base
    context = stream.codec_context
    context.time_base = base
    context.thread_count = codec.threads
    if not codec.is_rgb:
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = _LIMITED
    with ordinary_priority():
        context.open()
    return stream


def _time_base(film: Film) -> Fraction:
    if film.time_base is not None:
        return film.time_base
    return 1 / Fraction(film.fps).limit_denominator(1001) if film.durations is None else _FINE_TIME_BASE


def _stored_size(size: Size, codec: Codec) -> Size:
    """Return the size of the stored frames; their last row or column is repeated to make it even."""
    if not codec.needs_even_sides:
        return size
    return Size(size.height + size.height % 2, size.width + size.width % 2)


def _encode(library: Any, film: Film, codec: Codec, stream: Any) -> Iterator[Any]:
    """Yield packets with their times and durations."""
    base = _time_base(film)
    time_s = Fraction(0)
    lengths: dict[int, int] = {}
    last = -1
    for frame, duration in film.timed():
        pts = max(last + 1, round(time_s / base))
        time_s += duration
        lengths[pts] = max(1, round(time_s / base) - pts)
        last = pts
        picture = _to_video(library, frame, codec, alpha=film.alpha)
        picture.pts, picture.time_base = pts, base
        for packet in stream.encode(picture):
            yield _with_length(packet, base, lengths)
    for packet in stream.encode():
        yield _with_length(packet, base, lengths)


def _with_length(packet: Any, base: Fraction, lengths: dict[int, int]) -> Any:
    # Encoders know an average rate at most.
    pts = round(packet.pts * packet.time_base / base)
    length = lengths.pop(pts, None)
    if length is not None:
        packet.duration = max(1, round(length * base / packet.time_base))
    return packet


def _to_video(library: Any, frame: Frame, codec: Codec, *, alpha: bool) -> Any:
    height, width = frame.shape[:2]
    stored = _stored_size(Size(height, width), codec)
    even = np.pad(frame, ((0, stored.height - height), (0, stored.width - width), (0, 0)), mode="edge")
    picture = library.VideoFrame.from_ndarray(
        np.ascontiguousarray(even), format="rgba" if even.shape[2] == 4 else "rgb24"
    )
    pixels = codec.alpha_pixels if alpha else codec.pixels
    if codec.is_rgb:
        return picture.reformat(format=pixels)
    flags = library.video.reformatter.Interpolation
    way = flags.BICUBIC | flags.ACCURATE_RND | flags.FULL_CHR_H_INP
    return picture.reformat(
        format=pixels, dst_colorspace=_BT709, dst_color_range=_LIMITED, interpolation=way, threads=1
    )
