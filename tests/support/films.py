"""Small films drawn for tests, written by PyAV alone."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def draw(index: int, height: int = 48, width: int = 64) -> np.ndarray:
    """A disc that moves over a gradient; every frame differs."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    inside = np.clip(height / 4 - np.hypot(x - 12 - 2 * (index % 20), y - height / 2), 0, 1)[..., None]
    back = np.stack([x * 190 / width + 20, y * 190 / height + 20, np.full_like(x, 60 + 5 * (index % 20))], -1)
    return np.rint(inside * np.float32([200, 60, 30]) + (1 - inside) * back).astype(np.uint8)


def write(
    path: Path,
    frames: Sequence[np.ndarray] | None = None,
    *,
    count: int = 20,
    pts: Sequence[int] | None = None,
    time_base: Fraction = Fraction(1, 25),
    rate: int = 25,
    codec: str = "libx264",
    pixels: str = "yuv444p",
    space: int = 1,
    full: bool = False,
    transfer: int = 1,
    primaries: int = 1,
    tagged: bool = True,
    rotation: int = 0,
    aspect: Fraction | None = None,
    sound: bool = False,
    options: dict[str, str] | None = None,
) -> Path:
    """Write a film and return its path."""
    shown = [draw(index) for index in range(count)] if frames is None else frames
    usual = {"libx264": {"crf": "1", "preset": "ultrafast", "g": "8"}}.get(codec, {})
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=usual | (options or {}))
        stream.height, stream.width = shown[0].shape[:2]
        stream.pix_fmt, stream.time_base = pixels, time_base
        context = stream.codec_context
        context.time_base, context.thread_count = time_base, 1
        if aspect is not None:
            context.sample_aspect_ratio = aspect
        if tagged:
            context.colorspace, context.color_range = space, 2 if full else 1
            context.color_trc, context.color_primaries = transfer, primaries
        if rotation:
            stream.set_display_rotation(rotation)
        voice = container.add_stream("aac", rate=48_000, layout="mono") if sound else None
        for index, rgb in enumerate(shown):
            kind = "rgb48le" if rgb.dtype == np.uint16 else "rgb24"
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format=kind)
            flags = av.video.reformatter.Interpolation
            picture = picture.reformat(
                format=pixels,
                dst_colorspace=space,
                dst_color_range=2 if full else 1,
                interpolation=flags.BICUBIC | flags.ACCURATE_RND | flags.FULL_CHR_H_INP,
            )
            picture.pts, picture.time_base = index if pts is None else pts[index], time_base
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
        if voice is not None:
            length = (len(shown) if pts is None else pts[-1] + 1) * time_base
            for start in range(0, int(length * 48_000), 1024):
                wave = np.sin((np.arange(1024) + start) * 2 * np.pi * 440 / 48_000).astype(np.float32)[None]
                piece = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
                piece.sample_rate, piece.pts, piece.time_base = 48_000, start, Fraction(1, 48_000)
                container.mux(voice.encode(piece))
            container.mux(voice.encode())
    return path


def sound_packets(path: Path) -> list[bytes]:
    """Return the packets of a file's first sound."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]
