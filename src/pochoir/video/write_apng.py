"""Animated PNG, frame by frame. Pillow's own writer holds all frames in memory."""

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from pochoir.video.film import Film, Frame
from pochoir.video.records import RECORD_KEY

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MOST_TEXT_BYTES = 1_000_000


def write(film: Film, path: Path, quality: int | None) -> None:
    """Write an animated PNG.

    After the first frame only the box that changed is stored.

    Args:
        film: The frames.
        path: File to write.
        quality: Not used: PNG loses nothing.

    References:
        W3C, "Portable Network Graphics (PNG) Specification (Third Edition)", animation control chunks.
    """
    sequence = 0
    before: Frame | None = None
    with path.open("wb") as file:
        for frame, delay_ms in zip(film.frames, film.delays_ms(), strict=False):
            box = (0, 0, *film.size[::-1]) if before is None else _changed(before, frame)
            left, top, width, height = box
            head, *data = _encode(frame[top : top + height, left : left + width])
            if before is None:
                file.write(_SIGNATURE)
                _chunk(file, b"IHDR", head)
                _chunk(file, b"sRGB", b"\0")
                _chunk(file, b"acTL", struct.pack(">II", film.count, 0 if film.loop else 1))
                if film.record is not None:
                    _chunk(file, b"iTXt", _text(film.record))
            # Replace, do not blend: changed pixels may become more transparent.
            _chunk(file, b"fcTL", struct.pack(">IIIIIHHBB", sequence, width, height, left, top, delay_ms, 1000, 0, 0))
            sequence += 1
            for piece in data:
                if before is None:
                    _chunk(file, b"IDAT", piece)
                else:
                    _chunk(file, b"fdAT", struct.pack(">I", sequence) + piece)
                    sequence += 1
            before = frame
        _chunk(file, b"IEND", b"")


def _changed(before: Frame, frame: Frame) -> tuple[int, int, int, int]:
    different = (before != frame).any(axis=2)
    rows, columns = np.nonzero(different.any(axis=1))[0], np.nonzero(different.any(axis=0))[0]
    if not len(rows):
        return 0, 0, 1, 1
    left, top = int(columns[0]), int(rows[0])
    return left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top


def _encode(frame: Frame) -> Iterator[bytes]:
    """Yield the header of a frame as PNG, then its compressed data."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(frame)).save(buffer, "PNG", compress_level=4)
    data = buffer.getbuffer()
    at = len(_SIGNATURE)
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind = bytes(data[at + 4 : at + 8])
        if kind in (b"IHDR", b"IDAT"):
            yield bytes(data[at + 8 : at + 8 + length])
        at += 12 + length


def _text(record: str) -> bytes:
    data = record.encode()
    packed = len(data) <= _MOST_TEXT_BYTES  # readers refuse compressed text that unpacks to more
    head = RECORD_KEY.encode() + (b"\0\1\0\0\0" if packed else b"\0\0\0\0\0")
    return head + (zlib.compress(data) if packed else data)


def _chunk(file: BinaryIO, kind: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))
