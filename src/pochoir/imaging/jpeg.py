"""JPEG: complete pictures without their end marker are read, cut ones are not."""

import io
import re

import numpy as np
from PIL import Image, JpegImagePlugin

from pochoir.errors import ImageReadError
from pochoir.imaging.pillow_decoder import add_metadata, raster_of_pil
from pochoir.imaging.png import END_NOTE
from pochoir.imaging.raster import MAX_PIXELS, Raster, check_decoded_size, reduction_note

MAGIC = b"\xff\xd8\xff"

_END = b"\xff\xd9"
_BLOCK = 8
# Markers, without stuffed bytes and the restarts between blocks.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
# Bits that are no picture, and no marker either. Where data is missing they change what libjpeg makes of the rest. They
# begin with 11, since 00 and 10 may begin the code that ends a block, as the zeros do that libjpeg fills up with.
_FILLER = bytes([0xCB, 0xD5, 0xD3, 0xED, 0xB6, 0xDA]) * 500


def decode_jpeg(data: bytes) -> Raster:
    """Decode a JPEG; of several pictures in one file the first.

    Raises:
        ImageReadError: Pixels are missing or damaged.
    """
    end = _find_end(data)
    image, factor = _open(data if end is not None else data + _END)
    with image:
        if not _is_complete(image, data[:end], factor):
            raise ImageReadError("it is truncated or damaged (pixels are missing at its end)")
        raster = raster_of_pil(image)
        if end is None:
            raster.notes.insert(0, END_NOTE)
        frames = _frames_of(image)
        if frames > 1:
            raster.notes.insert(0, f"first of {frames} frames taken")
        if factor > 1:
            raster.notes.append(reduction_note(image.full_size, factor))
        add_metadata(raster, image)
    return raster


class _Jpeg(JpegImagePlugin.JpegImageFile):
    """JPEG file that remembers its size before it was reduced."""

    full_size: tuple[int, int]


def _open(data: bytes, factor: int = 1) -> tuple[_Jpeg, int]:
    """Decode at a size within the pixel limit."""
    # Not by Image.open, whose limit on pixels is lower than ours.
    image = _Jpeg(io.BytesIO(data))
    image.full_size = width, height = image.size
    while (width // factor) * (height // factor) > MAX_PIXELS and factor < _BLOCK:
        factor *= 2
    check_decoded_size(-(-width // factor), -(-height // factor), 4)
    check_decoded_size(width, height, 1)
    if factor > 1:
        image.draft(None, (width // factor, height // factor))  # None keeps the mode
    image.load()
    return image, factor


def _find_end(data: bytes) -> int | None:
    """Return the position of the first picture's end marker; ``None`` if it is missing."""
    at = 2
    while (match := _MARKER.search(data, at)) is not None:
        at = match.start()
        if data[at : at + 2] == _END:
            return at
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def _is_complete(image: Image.Image, body: bytes, factor: int) -> bool:
    """Return whether bits put before the end marker change no pixel, so that no pixel waited for bits.

    libjpeg fills up what is missing without an error.
    """
    try:
        other, _ = _open(body + _FILLER + _END, factor)
    except OSError:
        return False
    with other:
        return np.array_equal(np.asarray(image), np.asarray(other))


def _frames_of(image: JpegImagePlugin.JpegImageFile) -> int:
    """Count the pictures of a multi-picture file, as stereo cameras and some phones write them."""
    try:
        index = image._getmp()
        return int(index[0xB001]) if index else 1
    except Exception:  # readers of broken blocks raise whatever they stumble over
        return 1
