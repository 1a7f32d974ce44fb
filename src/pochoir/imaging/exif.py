"""EXIF blocks: the orientation, read from whatever is left of a damaged one, and what an output may keep."""

import re
import struct

from PIL import ExifTags, Image

UNREADABLE_NOTE = "unreadable EXIF data ignored"

_PREFIX = b"Exif\0\0"
_ORIENTATION = 0x0112
_SHORT = 3
_KEPT = (
    ExifTags.Base.Make,
    ExifTags.Base.Model,
    ExifTags.Base.DateTime,
    ExifTags.Base.Artist,
    ExifTags.Base.Copyright,
)
_KEPT_PHOTO = (
    ExifTags.Base.DateTimeOriginal,
    ExifTags.Base.DateTimeDigitized,
    ExifTags.Base.OffsetTimeOriginal,
    ExifTags.Base.LensMake,
    ExifTags.Base.LensModel,
)


def read_orientation(block: bytes, notes: list[str]) -> int:
    """Return the orientation, 1 to 8; 1, and a note, if the block cannot be read.

    Args:
        block: EXIF data, with or without the prefix that JPEG puts before it.
        notes: Gets a note if the block is damaged.
    """
    try:
        return _find_orientation(strip_prefix(block))
    except (struct.error, ValueError):
        notes.append(UNREADABLE_NOTE)
        return 1


def read_xmp_orientation(packet: bytes | str) -> int:
    """Return the orientation that an XMP packet names, 1 to 8; 1 if it names none."""
    text = packet.decode("utf-8", "replace") if isinstance(packet, bytes) else packet
    match = re.search(r"tiff:Orientation(?:=[\"']|>)([1-8])[\"'<]", text)
    return int(match[1]) if match else 1


def strip_prefix(block: bytes) -> bytes:
    """Return an EXIF block from its TIFF header on."""
    return block[len(_PREFIX) :] if block.startswith(_PREFIX) else block


def add_prefix(block: bytes) -> bytes:
    """Return an EXIF block with the prefix that JPEG puts before it."""
    return _PREFIX + block


def select_exif(block: bytes | None, *, gps: bool = False) -> bytes | None:
    """Return a new EXIF block with date, camera, author and copyright of another; ``None`` if there are none.

    The orientation is left out, since pictures are upright after reading. So are previews and makers' notes.

    Args:
        block: EXIF data of a photo.
        gps: Keep the place where the photo was taken.
    """
    if not block:
        return None
    source, kept = Image.Exif(), Image.Exif()
    try:
        source.load(_PREFIX + strip_prefix(block))
        for tag in _KEPT:
            if isinstance(source.get(tag), str):
                kept[tag] = source[tag]
        photo = source.get_ifd(ExifTags.IFD.Exif)
        kept_photo = {tag: photo[tag] for tag in _KEPT_PHOTO if isinstance(photo.get(tag), str)}
        if kept_photo:
            kept[ExifTags.IFD.Exif] = kept_photo
        place = dict(source.get_ifd(ExifTags.IFD.GPSInfo)) if gps else {}
        if place:
            kept[ExifTags.IFD.GPSInfo] = place
        return strip_prefix(kept.tobytes()) if len(kept) else None
    except Exception:  # readers of broken blocks raise whatever they stumble over, and nobody misses the block
        return None


def read_texts(block: bytes | None) -> dict[int, str]:
    """Return the texts of a block that ``select_exif`` made, by their tags."""
    if not block:
        return {}
    exif = Image.Exif()
    exif.load(_PREFIX + block)
    fields = {**exif, **exif.get_ifd(ExifTags.IFD.Exif)}
    return {int(tag): value for tag, value in fields.items() if isinstance(value, str)}


def _find_orientation(block: bytes) -> int:
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None:
        raise ValueError("no TIFF header")
    magic, start = struct.unpack_from(order + "HI", block, 2)
    if magic != 42:
        raise ValueError("no TIFF header")
    (count,) = struct.unpack_from(order + "H", block, start)
    for index in range(count):
        tag, kind, values = struct.unpack_from(order + "HHI", block, start + 2 + 12 * index)
        if tag == _ORIENTATION:
            if kind != _SHORT or values not in (1, 2):  # some programs write it twice
                raise ValueError("orientation of a wrong type")
            (orientation,) = struct.unpack_from(order + "H", block, start + 10 + 12 * index)
            return orientation if 1 <= orientation <= 8 else 1
    return 1
