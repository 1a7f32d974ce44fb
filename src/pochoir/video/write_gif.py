"""GIF, frame by frame.

Pillow's own writer holds all frames in memory and rounds 24 frames a second to 25.
"""

import struct
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt
from PIL import GifImagePlugin, Image

from pochoir.video.film import Film, Frame

DELAY_UNIT_MS: Final = 10
"""GIF counts time in hundredths of a second."""
_COLORS: Final = 255
_CLEAR: Final = 255
_SAMPLES: Final = 8
_KEEP, _RESTORE_BACKGROUND = 1, 2
_SOLID_FROM: Final = 128

Indices = npt.NDArray[np.uint8]


def write(film: Film, path: Path, quality: int | None) -> None:
    """Write a GIF with one palette for all frames and without dithering, so that nothing flickers.

    Args:
        film: The frames; alpha below one half becomes transparent.
        path: File to write.
        quality: Not used: a GIF has no such setting.
    """
    frames = iter(film.frames)
    samples, frames = _sample(film, frames)
    palette = _palette(samples)
    with path.open("wb") as file:
        _write_head(file, film, palette)
        before: Indices | None = None
        for frame, delay_ms in zip(frames, film.delays_ms(DELAY_UNIT_MS), strict=False):
            indices = _quantize(frame, palette)
            if film.alpha:
                indices[frame[..., 3] < _SOLID_FROM] = _CLEAR
                _write_frame(file, indices, (0, 0), delay_ms, _RESTORE_BACKGROUND)
            else:
                _write_change(file, indices, before, delay_ms)
                before = indices
        file.write(b";")


def _sample(film: Film, frames: Iterator[Frame]) -> tuple[list[Frame], Iterator[Frame]]:
    """Return frames to take the palette from, and the iterator of all frames."""
    if film.sample is not None:
        every = max(1, film.count // _SAMPLES)
        return [film.sample(index) for index in range(0, film.count, every)][:_SAMPLES], frames
    first = list(islice(frames, _SAMPLES))
    return first, chain(first, frames)


def _palette(samples: list[Frame]) -> Image.Image:
    strip = []
    for frame in samples:
        pixels = frame[::2, ::2] if min(frame.shape[:2]) > 8 else frame
        colors = pixels[..., :3].reshape(-1, 3)
        strip.append(colors[pixels[..., 3].ravel() >= _SOLID_FROM] if pixels.shape[2] == 4 else colors)
    colors = np.concatenate(strip)
    if not len(colors):
        colors = np.zeros((1, 3), np.uint8)
    image = Image.fromarray(np.ascontiguousarray(colors[None]))
    return image.quantize(_COLORS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def _quantize(frame: Frame, palette: Image.Image) -> Indices:
    image = Image.fromarray(np.ascontiguousarray(frame[..., :3]))
    return np.array(image.quantize(palette=palette, dither=Image.Dither.NONE))


def _write_head(file: BinaryIO, film: Film, palette: Image.Image) -> None:
    table = bytes(palette.getpalette("RGB") or ()).ljust(768, b"\0")[:768]
    file.write(b"GIF89a" + struct.pack("<HHBBB", film.size.width, film.size.height, 0xF7, 0, 0) + table)
    if film.loop:
        file.write(b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0")
    if film.record is not None:
        data = film.record.encode()
        blocks = (data[at : at + 255] for at in range(0, len(data), 255))
        file.write(b"!\xfe" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0")


def _write_change(file: BinaryIO, indices: Indices, before: Indices | None, delay_ms: int) -> None:
    """Write the box that differs from the frame before; pixels inside it that stay the same are transparent."""
    if before is None:
        _write_frame(file, indices, (0, 0), delay_ms, _KEEP)
        return
    same = indices == before
    rows, columns = np.nonzero(~same.all(axis=1))[0], np.nonzero(~same.all(axis=0))[0]
    top, bottom = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 1)
    left, right = (int(columns[0]), int(columns[-1]) + 1) if len(columns) else (0, 1)
    changed = np.where(same, np.uint8(_CLEAR), indices)[top:bottom, left:right]
    _write_frame(file, changed, (left, top), delay_ms, _KEEP)


def _write_frame(file: BinaryIO, indices: Indices, at: tuple[int, int], delay_ms: int, disposal: int) -> None:
    image = Image.fromarray(np.ascontiguousarray(indices)).convert("P")
    for block in GifImagePlugin.getdata(
        image, offset=at, duration=delay_ms, disposal=disposal, transparency=_CLEAR, include_color_table=False
    ):
        file.write(block)
