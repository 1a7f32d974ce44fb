"""Boxes of the ISO base media file format, in which AVIF, HEIF and JPEG XL files are wrapped."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_FULL_BOX = 4  # bytes of version and flags


@dataclass(frozen=True)
class ItemProperties:
    """Properties of a file's main picture."""

    bits: int | None = None
    """Bits of a sample."""
    icc: bytes | None = None
    cicp: tuple[int, int] | None = None
    """Code points of primaries and transfer function."""


def iter_boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Yield (kind, start, end) of each box; start and end are those of its contents."""
    end = len(data) if end is None else end
    at = start
    while at + 8 <= end:
        size, kind, header = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if size == 1:
            size, header = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        elif size == 0:
            size = end - at
        if size < header or at + size > end:
            return
        yield kind, at + header, at + size
        at += size


def brands_of(data: bytes) -> set[bytes]:
    """Return the brands that a file names at its beginning; none if it is no such file."""
    if data[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(data[:4], "big"), 4096, len(data))
    return {data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4))}


def read_properties(data: bytes) -> ItemProperties:
    """Return the properties of the main picture; empty ones where the boxes cannot be read."""
    try:
        meta = _find(data, b"meta", 0, len(data))
        if meta is None:
            return ItemProperties()
        start, end = meta[0] + _FULL_BOX, meta[1]
        primary = _find(data, b"pitm", start, end)
        tables = _find(data, b"iprp", start, end)
        if primary is None or tables is None:
            return ItemProperties()
        item = int.from_bytes(data[primary[0] + _FULL_BOX : primary[1]], "big")
        container, links = _find(data, b"ipco", *tables), _find(data, b"ipma", *tables)
        if container is None or links is None:
            return ItemProperties()
        properties = list(iter_boxes(data, *container))
        return _collect(data, [properties[index - 1] for index in _links_of(data, links, item) if index])
    except (struct.error, IndexError):
        return ItemProperties()


def _find(data: bytes, wanted: bytes, start: int, end: int) -> tuple[int, int] | None:
    return next(((begin, stop) for kind, begin, stop in iter_boxes(data, start, end) if kind == wanted), None)


def _links_of(data: bytes, box: tuple[int, int], item: int) -> list[int]:
    """Return the indices, from 1, of an item's properties."""
    at = box[0]
    version, flags = data[at], data[at + 3]
    (entries,) = struct.unpack_from(">I", data, at + 4)
    at += 8
    for _ in range(entries):
        (number,) = struct.unpack_from(">I" if version else ">H", data, at)
        at += 4 if version else 2
        count, at = data[at], at + 1
        wide = flags & 1
        step = 2 if wide else 1
        mask = 0x7FFF if wide else 0x7F
        indices = [int.from_bytes(data[at + step * i : at + step * (i + 1)], "big") & mask for i in range(count)]
        if number == item:
            return indices
        at += step * count
    return []


def _collect(data: bytes, properties: list[tuple[bytes, int, int]]) -> ItemProperties:
    bits, icc, cicp = None, None, None
    for kind, start, end in properties:
        if kind == b"pixi" and end - start > _FULL_BOX + 1:
            bits = data[start + _FULL_BOX + 1]
        elif kind == b"av1C" and bits is None:
            flags = data[start + 2]
            bits = (12 if flags & 0x20 else 10) if flags & 0x40 else 8
        elif kind == b"colr" and data[start : start + 4] in (b"prof", b"rICC"):
            icc = data[start + 4 : end]
        elif kind == b"colr" and data[start : start + 4] == b"nclx":
            cicp = struct.unpack_from(">HH", data, start + 4)
    return ItemProperties(bits, icc, cicp)
