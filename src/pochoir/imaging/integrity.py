"""Whole or damaged: pictures on disk, checked to their last byte."""

import hashlib
import io
import os
import re
import zipfile
import zlib
from pathlib import Path

from pochoir.errors import ImageReadError
from pochoir.imaging.decoding import decode_image
from pochoir.imaging.outputs import FORMAT_OF_SUFFIX, RECORD_INSIDE, sidecar_of

_PNG_START = b"\x89PNG\r\n\x1a\n"
_STAMP = re.compile(r',"picture_sha256":"([0-9a-f]{64})"\}\s*\Z')


def stamp_record(record: str, picture: bytes) -> str:
    """Return a record with the hash of the picture that it lies beside; text that is no JSON object stays as it is."""
    text = record.rstrip()
    if not text.startswith('{"') or not text.endswith("}"):
        return record
    return f'{text[:-1]},"picture_sha256":"{hashlib.sha256(picture).hexdigest()}"}}'


def strip_stamp(record: str) -> str:
    """Return a record as it was before ``stamp_record``."""
    return _STAMP.sub("}", record)


def is_intact(path: str | os.PathLike[str]) -> bool:
    """Return whether a picture that ``save`` wrote is whole to its last byte, and the one its sidecar belongs to.

    A missing file, a truncated one, and a picture that another program put in its place are not intact.
    """
    target = Path(path)
    picture_format = FORMAT_OF_SUFFIX.get(target.suffix.lower())
    try:
        data = target.read_bytes()
        stamp = None if picture_format in RECORD_INSIDE else _read_stamp(target)
    except (OSError, ValueError):
        return False
    if picture_format == "PNG":
        return _has_whole_chunks(data)
    if picture_format == "ORA":
        return _has_whole_entries(data)
    if stamp is not None:
        return stamp == hashlib.sha256(data).hexdigest()
    return picture_format is not None and _ends_well(data, picture_format) and _decodes(data)


def _read_stamp(target: Path) -> str | None:
    try:
        found = _STAMP.search(sidecar_of(target).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return None if found is None else found[1]


def _has_whole_chunks(data: bytes) -> bool:
    """Return whether all chunks of a PNG are there and have the checksums that they were written with."""
    if not data.startswith(_PNG_START):
        return False
    at = len(_PNG_START)
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        if end > len(data) or zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            return False
        if kind == b"IEND":
            return True
        at = end
    return False


def _has_whole_entries(data: bytes) -> bool:
    """Return whether all entries of an OpenRaster file are there and have the checksums that they were written with."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return archive.testzip() is None
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError):
        return False


def _ends_well(data: bytes, picture_format: str) -> bool:
    """Return whether the last bytes are there; decoders forgive some that are missing."""
    if picture_format == "JPEG":
        return data.endswith(b"\xff\xd9")
    if picture_format == "WEBP":
        return len(data) >= 8 + int.from_bytes(data[4:8], "little")
    return True  # the decoder of TIFF needs every strip in full


def _decodes(data: bytes) -> bool:
    try:
        decode_image(data)
    except ImageReadError:
        return False
    return True
