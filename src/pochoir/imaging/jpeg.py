"""JPEG: complete pictures without their end marker are read, cut ones are not."""

import io

import numpy as np
from PIL import Image, JpegImagePlugin

from pochoir.errors import ImageReadError
from pochoir.imaging.pillow_decoder import add_metadata, raster_of_pil
from pochoir.imaging.png import END_NOTE
from pochoir.imaging.raster import MAX_PIXELS, Raster, check_decoded_size, reduction_note

MAGIC = b"\xff\xd8\xff"

_END = b"\xff\xd9"
_BLOCK = 8
_GREY = 128  # intensity of the blocks that libjpeg puts where the data ended
# Bits that are no picture, and no marker either. Where data is missing they change what libjpeg makes of the rest.
_FILLER = bytes(value % 251 for value in range(7, 9007, 31)) * 8


def decode_jpeg(data: bytes) -> Raster:
    """Decode a JPEG; of several pictures in one file the first.

    Raises:
        ImageReadError: Pixels are missing or damaged.
    """
    notes: list[str] = []
    try:
        image, factor = _open(data)
    except OSError as error:
        if "truncated" not in str(error):
            raise
        closed = data + _END
        if not _is_complete(closed):
            raise ImageReadError("it is truncated or damaged (pixels are missing at its end)") from error
        image, factor = _open(closed)
        notes.append(END_NOTE)
    with image:
        if not notes and _ends_in_grey(image) and not _is_complete(data):
            raise ImageReadError("it is truncated or damaged (pixels are missing at its end)")
        raster = raster_of_pil(image)
        raster.notes[:0] = notes
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


def _open(data: bytes) -> tuple[_Jpeg, int]:
    """Decode, reduced as far as the limit on pixels demands."""
    # Not by Image.open, whose limit on pixels is lower than ours.
    image = _Jpeg(io.BytesIO(data))
    image.full_size = width, height = image.size
    factor = 1
    while (width // factor) * (height // factor) > MAX_PIXELS and factor < _BLOCK:
        factor *= 2
    check_decoded_size(-(-width // factor), -(-height // factor), 4)
    check_decoded_size(width, height, 1)
    if factor > 1:
        image.draft(None, (width // factor, height // factor))  # None keeps the mode
    image.load()
    return image, factor


def _is_complete(data: bytes) -> bool:
    """True if bits put before the end marker change no pixel, so that no pixel waited for bits."""
    end = data.rfind(_END)
    if end < 0:
        return False
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as one:
        expected = np.asarray(one)
    with Image.open(io.BytesIO(data[:end] + _FILLER + data[end:]), formats=("JPEG",)) as other:
        return np.array_equal(expected, np.asarray(other))


def _ends_in_grey(image: Image.Image) -> bool:
    width, height = image.size
    corner = np.asarray(image.crop((max(0, width - _BLOCK), max(0, height - _BLOCK), width, height)), np.int16)
    return bool(np.abs(corner - _GREY).max() <= 1)


def _frames_of(image: JpegImagePlugin.JpegImageFile) -> int:
    """Count the pictures of a multi-picture file, as stereo cameras and some phones write them."""
    try:
        index = image._getmp()
        return int(index[0xB001]) if index else 1
    except Exception:  # readers of broken blocks raise whatever they stumble over
        return 1
