"""JPEG XL, by libjxl; its colours are read from the header, which the decoder does not report."""

import struct

import imagecodecs
import numpy as np

from pochoir.errors import ImageReadError
from pochoir.imaging.boxes import iter_boxes
from pochoir.imaging.exif import read_orientation
from pochoir.imaging.raster import (
    Encoding,
    Raster,
    check_decoded_size,
    check_samples,
    reduce_samples,
    reduction_note,
    reduction_of,
    split_alpha,
)
from pochoir.imaging.transfer_functions import encoding_of_cicp

CODESTREAM_MAGIC = b"\xff\x0a"
CONTAINER_MAGIC = b"\0\0\0\x0cJXL \r\n\x87\n"


def is_jpegxl(data: bytes) -> bool:
    """Return whether a file is a JPEG XL, bare or in a container."""
    return data.startswith((CODESTREAM_MAGIC, CONTAINER_MAGIC))


def decode_jpegxl(data: bytes) -> Raster:
    """Decode a JPEG XL at its own depth; of an animation the first frame. The decoder turns it upright.

    Raises:
        ImageReadError: Pixels are missing or damaged, or its colours are not understood.
    """
    header = _read_header(_codestream_of(data))
    check_decoded_size(header.width, header.height, 4 * header.sample_bytes)
    values = np.asarray(imagecodecs.jpegxl_decode(data, index=0))
    if values.ndim == 2:
        values = values[..., None]
    if values.ndim != 3 or values.shape[2] > 4:
        raise ImageReadError(f"it has the shape {values.shape}, which is not that of one picture")
    factor = reduction_of(values.shape[1], values.shape[0])
    raster = split_alpha(reduce_samples(check_samples(values, bits=header.bits), factor))
    raster.encoding = header.encoding
    if factor > 1:
        raster.notes.append(reduction_note((values.shape[1], values.shape[0]), factor))
    if (block := _exif_of(data)) is not None:
        read_orientation(block, raster.notes)  # for the note alone: the decoder has turned the picture
        raster.exif = block
    return raster


class _Header:
    """Size, depth and colours at the beginning of a codestream (ISO/IEC 18181-1, annex D and E)."""

    def __init__(self, bits: "_Bits") -> None:
        self.width, self.height = _read_size(bits)
        self.bits: int | None = 8
        self.sample_bytes = 1
        self.encoding: Encoding | None = None
        if bits.read(1):  # all fields have their defaults
            return
        if bits.read(1):
            self._skip_extra_fields(bits)
        is_float = bool(bits.read(1))
        if is_float:
            self.bits, self.sample_bytes = None, 4
            bits.choose((32, 0), (16, 0), (24, 0), (1, 6))
            bits.read(4)
        else:
            self.bits = bits.choose((8, 0), (10, 0), (12, 0), (1, 6))
            self.sample_bytes = 1 if self.bits <= 8 else 2
        bits.read(1)  # whether 16-bit buffers are enough
        for _ in range(bits.choose((0, 0), (1, 0), (2, 4), (1, 12))):
            _skip_extra_channel(bits)
        is_xyb = bool(bits.read(1))
        self.encoding = _read_encoding(bits, is_xyb=is_xyb)

    def _skip_extra_fields(self, bits: "_Bits") -> None:
        bits.read(3)  # orientation, which the decoder undoes
        if bits.read(1):
            _read_size(bits)  # intrinsic size
        if bits.read(1):
            raise ImageReadError("it has a preview, which pochoir does not read in JPEG XL")
        if bits.read(1):  # animation
            bits.choose((100, 0), (1000, 0), (1, 10), (1, 30))
            bits.choose((1, 0), (1001, 0), (1, 8), (1, 10))
            bits.choose((0, 0), (0, 3), (0, 16), (0, 32))
            bits.read(1)


class _Bits:
    """Reader of bits, least significant first."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data[:256], "little")
        self._at, self._end = 0, 8 * min(len(data), 256)

    def read(self, count: int) -> int:
        if self._at + count > self._end:
            raise ImageReadError("it is truncated or damaged (its header ends early)")
        value = (self._value >> self._at) & ((1 << count) - 1)
        self._at += count
        return value

    def choose(self, *options: tuple[int, int]) -> int:
        """Read a number that is one of four offsets plus some bits."""
        offset, count = options[self.read(2)]
        return offset + self.read(count)

    def read_enum(self) -> int:
        return self.choose((0, 0), (1, 0), (2, 4), (18, 6))


_D65, _CUSTOM, _DCI_WHITE = 1, 2, 11
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


def _read_size(bits: _Bits) -> tuple[int, int]:
    is_small = bits.read(1)

    def side() -> int:
        return (bits.read(5) + 1) * 8 if is_small else bits.choose((1, 9), (1, 13), (1, 18), (1, 30))

    height = side()
    ratio = bits.read(3)
    width = side() if ratio == 0 else height * _RATIOS[ratio - 1][0] // _RATIOS[ratio - 1][1]
    return width, height


def _skip_extra_channel(bits: _Bits) -> None:
    if bits.read(1):  # an alpha channel with all defaults
        return
    kind = bits.read_enum()
    if bits.read(1):
        bits.choose((32, 0), (16, 0), (24, 0), (1, 6))
        bits.read(4)
    else:
        bits.choose((8, 0), (10, 0), (12, 0), (1, 6))
    bits.choose((0, 0), (3, 0), (4, 0), (1, 3))
    for _ in range(bits.choose((0, 0), (0, 4), (16, 5), (48, 10))):
        bits.read(8)  # its name
    if kind != 0:
        raise ImageReadError("it has channels besides colours and alpha, which pochoir does not read in JPEG XL")
    if bits.read(1):
        raise ImageReadError("its colours are multiplied by alpha, which pochoir does not read in JPEG XL")


def _read_encoding(bits: _Bits, *, is_xyb: bool) -> Encoding | None:
    if bits.read(1):  # sRGB
        return None
    has_profile = bits.read(1)
    space = bits.read_enum()
    if has_profile:
        if is_xyb:
            return None  # the decoder converts to sRGB what it stores in its own space
        raise ImageReadError("its colours are described by an embedded profile, which pochoir does not read in JPEG XL")
    if space not in (0, 1):
        raise ImageReadError("its colour space is not RGB or grey")
    white = bits.read_enum()
    primaries = bits.read_enum() if space == 0 and white != _CUSTOM else 1
    if white not in (_D65, _DCI_WHITE) or primaries == _CUSTOM:
        raise ImageReadError("it has primaries or a white point of its own, which pochoir does not read in JPEG XL")
    if primaries == 11 and white == _D65:
        primaries = 12  # H.273 gives another number to P3 with the white of daylight
    if bits.read(1):
        gamma = bits.read(24) / 1e7
        raise ImageReadError(f"it has the gamma {gamma:g}, which pochoir does not read in JPEG XL")
    return encoding_of_cicp(primaries, bits.read_enum())


def _read_header(codestream: bytes) -> _Header:
    if codestream[:2] != CODESTREAM_MAGIC:
        raise ImageReadError("it is truncated or damaged (no JPEG XL header)")
    return _Header(_Bits(codestream[2:]))


def _codestream_of(data: bytes) -> bytes:
    if data.startswith(CODESTREAM_MAGIC):
        return data[:512]
    for kind, start, end in iter_boxes(data):
        if kind == b"jxlc":
            return data[start : min(end, start + 512)]
        if kind == b"jxlp":
            return data[start + 4 : min(end, start + 516)]
    return b""


def _exif_of(data: bytes) -> bytes | None:
    if data.startswith(CODESTREAM_MAGIC):
        return None
    for kind, start, end in iter_boxes(data):
        if kind == b"Exif" and end - start > 4:
            (offset,) = struct.unpack_from(">I", data, start)
            return data[start + 4 + offset : end] or None
    return None
