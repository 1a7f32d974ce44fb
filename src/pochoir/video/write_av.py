"""MP4, WebM and QuickTime, by PyAV."""

import os
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from pochoir.errors import WriteError
from pochoir.video.film import Film, Frame
from pochoir.video.pyav import av

_BT709: Final = 1
_LIMITED: Final = 1
"""Numbers of the colour standard and of the range of values, as ITU-T H.273 and FFmpeg count them."""


class Codec(NamedTuple):
    """An encoder and how it is set."""

    name: str
    pixels: str
    options: dict[str, str]


def write_mp4(film: Film, path: Path, quality: int | None) -> None:
    """Write an MP4 with AV1."""
    options = {"preset": "9", "crf": _crf(quality, 32, 63), "svtav1-params": "lp=1"}
    _write(film, path, "mp4", Codec("libsvtav1", "yuv420p", options))


def write_webm(film: Film, path: Path, quality: int | None) -> None:
    """Write a WebM with VP9, and alpha if the film has it."""
    options = {"crf": _crf(quality, 30, 63), "b": "0", "cpu-used": "5", "deadline": "good", "row-mt": "1"}
    if film.alpha:
        options["auto-alt-ref"] = "0"  # frames that are never shown have no alpha of their own
    _write(film, path, "webm", Codec("libvpx-vp9", "yuva420p" if film.alpha else "yuv420p", options))


def write_mov(film: Film, path: Path, quality: int | None) -> None:
    """Write a QuickTime file with ProRes 4444."""
    scale = 9 if quality is None else max(1, round(32 - 0.31 * quality))
    options = {"profile": "4444", "qscale": str(scale), "vendor": "apl0"}
    _write(film, path, "mov", Codec("prores_ks", "yuva444p10le" if film.alpha else "yuv444p10le", options))


def _crf(quality: int | None, usual: int, worst: int) -> str:
    """Return the constant rate factor of a quality from 1 to 100."""
    return str(usual if quality is None else round(worst * (1 - quality / 100)))


def _write(film: Film, path: Path, kind: str, codec: Codec) -> None:
    library = av()
    os.environ.setdefault("SVT_LOG", "1")  # else the AV1 encoder prints its settings on stderr
    flags = {"fflags": "+bitexact"}  # else files hold the time and random numbers
    options = flags | ({"movflags": "+faststart+use_metadata_tags"} if kind != "webm" else {})
    try:
        with library.open(str(path), "w", format=kind, container_options=options) as container:
            if film.record is not None:
                container.metadata["comment"] = film.record
            stream = _add_stream(container, film, codec)
            for number, frame in enumerate(film.frames):
                picture = _to_video(library, frame, codec.pixels)
                picture.pts = number
                container.mux(stream.encode(picture))
            container.mux(stream.encode())
    except library.error.FFmpegError as error:
        raise WriteError(f"Cannot write {kind} with {codec.name}: {error.strerror or error}.") from error


def _add_stream(container: Any, film: Film, codec: Codec) -> Any:
    rate = Fraction(film.fps).limit_denominator(1001)
    stream = container.add_stream(codec.name, rate=rate, options=codec.options)
    # 4:2:0 needs even sides; the last row or column is repeated.
    stream.width, stream.height = film.size.width + film.size.width % 2, film.size.height + film.size.height % 2
    stream.pix_fmt = codec.pixels
    stream.time_base = 1 / rate
    context = stream.codec_context
    context.time_base = 1 / rate
    context.thread_count = 1 if codec.name != "prores_ks" else 0  # threads of other encoders may change the bytes
    context.colorspace = context.color_primaries = context.color_trc = _BT709
    context.color_range = _LIMITED
    return stream


def _to_video(library: Any, frame: Frame, pixels: str) -> Any:
    height, width = frame.shape[:2]
    even = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    picture = library.VideoFrame.from_ndarray(
        np.ascontiguousarray(even), format="rgba" if even.shape[2] == 4 else "rgb24"
    )
    return picture.reformat(format=pixels, dst_colorspace=_BT709, dst_color_range=_LIMITED)
