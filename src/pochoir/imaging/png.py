"""PNG: chunks are read by pochoir itself, so that a damaged side chunk does not cost the picture."""

import io
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import imagecodecs
import numpy as np
from PIL import PngImagePlugin

from pochoir.errors import ImageReadError
from pochoir.imaging.exif import read_orientation, read_xmp_orientation
from pochoir.imaging.pillow_decoder import raster_of_pil
from pochoir.imaging.raster import (
    Encoding,
    Raster,
    Samples,
    check_decoded_size,
    reduce_samples,
    reduction_note,
    reduction_of,
    split_alpha,
)
from pochoir.imaging.transfer_functions import encoding_of_cicp, encoding_of_gamma

MAGIC = b"\x89PNG\r\n\x1a\n"
RECORD_KEY = "pochoir"
"""Keyword of the text chunk that holds a record."""
END_NOTE = "read without its end marker, which is missing"

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PILLOW_BYTES = {1: 1, 3: 4, 2: 2, 4: 4}  # bytes that Pillow takes for a pixel of so many channels
_LARGEST_PROFILE = 16_000_000
_LONGEST_TEXT = 64_000_000
_INCHES_PER_METRE = 0.0254


@dataclass(frozen=True)
class Chunk:
    """One chunk; ``is_sound`` is false if its checksum is wrong."""

    kind: bytes
    payload: bytes
    is_sound: bool

    @property
    def is_critical(self) -> bool:
        """True for chunks without which the pixels cannot be understood."""
        return not self.kind[0] & 0x20


def iter_chunks(data: bytes) -> Iterator[Chunk]:
    """Yield the chunks that are there whole."""
    at = len(MAGIC)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, end = data[at + 4 : at + 8], at + 8 + length
        if end + 4 > len(data) or not kind.isalpha():
            return
        payload = data[at + 8 : end]
        (checksum,) = struct.unpack_from(">I", data, end)
        yield Chunk(kind, payload, zlib.crc32(payload, zlib.crc32(kind)) == checksum)
        if kind == b"IEND":
            return
        at = end + 4


def decode_png(data: bytes) -> Raster:
    """Decode a PNG at its own depth.

    Raises:
        ImageReadError: Pixels are missing or damaged, or the file uses something that is not understood.
    """
    chunks = list(iter_chunks(data))
    header = _header_of(chunks)
    side = {chunk.kind: chunk for chunk in chunks if not chunk.is_critical}
    notes = [f"damaged {kind.decode()} chunk ignored" for kind, chunk in side.items() if not chunk.is_sound]
    sound = {kind: chunk.payload for kind, chunk in side.items() if chunk.is_sound}
    if chunks[-1].kind != b"IEND":
        notes.append(END_NOTE)
    frames = _frames_of(sound, chunks)
    if frames > 1:
        notes.append(f"first of {frames} frames taken")
    raster = _decode_pixels(chunks, header, sound.get(b"tRNS"))
    raster.notes[:0] = notes
    raster.icc, raster.encoding = _colors_of(sound, raster.notes)
    if (block := sound.get(b"eXIf")) is not None:
        raster.orientation, raster.exif = read_orientation(block, raster.notes), block
    elif (text := find_text(chunks, b"XML:com.adobe.xmp")) is not None:
        raster.orientation = read_xmp_orientation(text)
    raster.dpi = _dpi_of(sound.get(b"pHYs", b""))
    return raster


def insert_chunks(data: bytes, chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return a PNG with further chunks, (kind, payload), behind its header."""
    end = len(MAGIC) + 12 + 13
    return data[:end] + b"".join(_pack(kind, payload) for kind, payload in chunks) + data[end:]


def find_text(chunks: Iterable[Chunk], keyword: bytes) -> bytes | None:
    """Return the text of an iTXt chunk, encoded as UTF-8; ``None`` if it is missing, damaged or too long."""
    for chunk in chunks:
        if chunk.kind != b"iTXt" or not chunk.is_sound or not chunk.payload.startswith(keyword + b"\0"):
            continue
        rest = chunk.payload[len(keyword) + 1 :]
        is_packed, fields = rest[:1] == b"\1", rest[2:].split(b"\0", 2)
        if len(fields) == 3:
            return _unpack(fields[2], _LONGEST_TEXT) if is_packed else fields[2]
    return None


def find_record(data: bytes) -> str | None:
    """Return the record that ``save`` keeps in a PNG; ``None`` if there is none.

    Raises:
        ValueError: It is not a PNG.
    """
    if not data.startswith(MAGIC):
        raise ValueError("it is not a PNG")
    text = find_text(iter_chunks(data), RECORD_KEY.encode())
    return None if text is None else text.decode()


@dataclass(frozen=True)
class _Header:
    width: int
    height: int
    depth: int
    color_type: int


def _header_of(chunks: list[Chunk]) -> _Header:
    for chunk in chunks:
        if chunk.is_critical and not chunk.is_sound:
            raise ImageReadError(f"it is truncated or damaged (the checksum of {chunk.kind.decode()} is wrong)")
        if chunk.is_critical and chunk.kind not in (b"IHDR", b"PLTE", b"IDAT", b"IEND"):
            raise ImageReadError(f"it needs {chunk.kind.decode()}, an extension of PNG that pochoir does not know")
    if not chunks or chunks[0].kind != b"IHDR" or len(chunks[0].payload) != 13:
        raise ImageReadError("it is truncated or damaged (no PNG header)")
    if not any(chunk.kind == b"IDAT" for chunk in chunks):
        raise ImageReadError("it is truncated or damaged (no pixels)")
    width, height, depth, color_type = struct.unpack_from(">IIBB", chunks[0].payload)
    if color_type not in _CHANNELS or depth not in (1, 2, 4, 8, 16):
        raise ImageReadError(f"it is truncated or damaged (colour type {color_type} with {depth} bits)")
    channels = _CHANNELS[color_type]
    check_decoded_size(width, height, 2 * channels if depth == 16 else _PILLOW_BYTES[channels])
    return _Header(width, height, depth, color_type)


def _decode_pixels(chunks: list[Chunk], header: _Header, key: bytes | None) -> Raster:
    factor = reduction_of(header.width, header.height)
    if header.depth == 16:
        raster = _split_deep(imagecodecs.png_decode(_rebuild(chunks, None)), key)
        raster.samples = reduce_samples(raster.samples, factor)
        raster.alpha = None if raster.alpha is None else reduce_samples(raster.alpha, factor)
    else:
        # Not by Image.open, whose limit on pixels is lower than ours.
        with PngImagePlugin.PngImageFile(io.BytesIO(_rebuild(chunks, key))) as image:
            image.load()
            raster = raster_of_pil(image, factor=factor)
    if factor > 1:
        raster.notes.append(reduction_note((header.width, header.height), factor))
    return raster


def _rebuild(chunks: list[Chunk], key: bytes | None) -> bytes:
    """Return a PNG of the critical chunks, the transparency and nothing else."""
    parts = [MAGIC]
    for chunk in chunks:
        if chunk.kind == b"IDAT" and key is not None:
            parts.append(_pack(b"tRNS", key))
            key = None
        if chunk.is_critical and chunk.kind != b"IEND":
            parts.append(_pack(chunk.kind, chunk.payload))
    return b"".join([*parts, _pack(b"IEND", b"")])


def _pack(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(payload, zlib.crc32(kind)))


def _split_deep(values: Samples, key: bytes | None) -> Raster:
    if values.dtype != np.uint16:
        raise ImageReadError("it is truncated or damaged (no 16-bit samples)")
    raster = split_alpha(values)
    if raster.alpha is None and key is not None and len(key) == 2 * raster.samples.shape[2]:
        is_key = (raster.samples == np.frombuffer(key, ">u2")).all(axis=2)
        raster.alpha = np.where(is_key, 0, 65535).astype(np.uint16)
    return raster


def _frames_of(side: dict[bytes, bytes], chunks: list[Chunk]) -> int:
    payload = side.get(b"acTL", b"")
    frames = int(struct.unpack_from(">I", payload)[0]) if len(payload) == 8 else 1
    kinds = [chunk.kind for chunk in chunks]
    is_hidden = frames > 1 and b"fcTL" not in kinds[: kinds.index(b"IDAT")]  # a picture for readers without animation
    return frames + is_hidden


def _colors_of(side: dict[bytes, bytes], notes: list[str]) -> tuple[bytes | None, Encoding | None]:
    """Return profile and encoding by the order of precedence of the PNG specification: cICP, iCCP, sRGB, gAMA."""
    if len(code := side.get(b"cICP", b"")) == 4:
        primaries, transfer, matrix, full_range = code
        if matrix != 0 or full_range != 1:
            raise ImageReadError("its cICP chunk names video levels, which pochoir does not read in PNG")
        return None, encoding_of_cicp(primaries, transfer)
    if b"iCCP" in side:
        profile = _unpack_profile(side[b"iCCP"])
        if profile is not None:
            return profile, None
        notes.append("broken colour profile ignored, colours taken as sRGB")
        return None, None
    if b"sRGB" in side:
        return None, None
    gamma = struct.unpack(">I", side[b"gAMA"])[0] / 1e5 if len(side.get(b"gAMA", b"")) == 4 else None
    return None, encoding_of_gamma(gamma or None, _primaries_of(side.get(b"cHRM", b"")))


def _primaries_of(payload: bytes) -> tuple[tuple[float, float], ...] | None:
    if len(payload) != 32:
        return None
    values = [value / 1e5 for value in struct.unpack(">8I", payload)]
    white, red, green, blue = zip(values[::2], values[1::2], strict=True)
    if any(y <= 0 or x + y > 1 for x, y in (white, red, green, blue)):
        return None  # no colours that exist
    return red, green, blue, white


def _unpack_profile(payload: bytes) -> bytes | None:
    _, _, packed = payload.partition(b"\0")
    return _unpack(packed[1:], _LARGEST_PROFILE)


def _unpack(packed: bytes, most: int) -> bytes | None:
    try:
        stream = zlib.decompressobj()
        unpacked = stream.decompress(packed, most)
    except zlib.error:
        return None
    return unpacked if stream.eof else None


def _dpi_of(payload: bytes) -> tuple[float, float] | None:
    if len(payload) != 9 or payload[8] != 1:
        return None
    x, y = struct.unpack_from(">II", payload)
    return (x * _INCHES_PER_METRE, y * _INCHES_PER_METRE) if x and y else None
