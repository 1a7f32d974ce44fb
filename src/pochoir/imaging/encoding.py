"""Encoding of pictures as PNG, JPEG, WebP, TIFF, AVIF and JPEG XL."""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from PIL import ExifTags, Image

from pochoir.errors import OutputPathError
from pochoir.imaging.color import from_unit
from pochoir.imaging.exif import add_prefix, read_texts
from pochoir.imaging.icc import from_srgb, srgb_profile
from pochoir.imaging.options import SaveOptions
from pochoir.imaging.png import RECORD_KEY, insert_chunks
from pochoir.imaging.raster import Samples, to_unit
from pochoir.imaging.transfer_functions import srgb_to_linear

_COMPRESS_FROM = 4096
# Readers refuse compressed text that unpacks to more than a megabyte, and may refuse the picture with it.
_COMPRESS_TO = 1_000_000
_METRES_PER_INCH = 0.0254
_SUBSAMPLING = {"444": "4:4:4", "422": "4:2:2", "420": "4:2:0"}
_LOSSLESS = 100
_EFFORT = 5  # of JPEG XL: 7, its default, takes three times as long for 2 % of the file
_SPEED = 6  # of AVIF
_LEVEL = 3  # of zlib, for 16 bits: more takes longer for next to nothing
_XMP_TAG = 700


@dataclass(frozen=True)
class Payload:
    """Contents of one file."""

    pixels: Samples
    """(H, W, 3 or 4), uint8 or uint16, the alpha not multiplied in."""
    options: SaveOptions
    icc: bytes
    is_srgb: bool
    exif: bytes | None
    dpi: tuple[float, float] | None
    xmp: bytes | None
    record: str | None
    """Text to keep inside the file; only PNG does."""


def encode(payload: Payload, file_format: str) -> bytes:
    """Return the bytes of a file.

    Raises:
        OutputPathError: The format cannot hold such a picture.
    """
    try:
        return _ENCODERS[file_format](payload)
    except (OSError, ValueError, OverflowError, RuntimeError) as error:
        height, width = payload.pixels.shape[:2]
        raise OutputPathError(
            f"A picture of {width}x{height} cannot be written as {file_format} ({error}); try .png or .tiff."
        ) from error


def to_pixels(
    rgb: Samples, alpha: Samples | None, options: SaveOptions, icc: bytes | None
) -> tuple[Samples, bytes, bool]:
    """Round a picture to the depth of a file, in the space of a profile.

    Args:
        rgb: (H, W, 3) float32 in sRGB; what lies outside of [0, 1] is clipped.
        alpha: (H, W) float32.
        options: Depth, and whether the photo's profile is kept.
        icc: Profile of the photo.

    Returns:
        Pixels, their profile, and whether that is sRGB.
    """
    converted = from_srgb(rgb.clip(0, 1), icc) if options.profile == "keep" and icc else None
    is_srgb = converted is None
    planes = rgb if converted is None else converted
    if alpha is not None:
        planes = np.dstack([planes, alpha])
    return _round(planes, options.bits), srgb_profile() if is_srgb or icc is None else icc, is_srgb


def _round(values: Samples, bits: int) -> Samples:
    scaled = values.clip(0, 1) * np.float32(2**bits - 1)
    scaled += np.float32(0.5)  # halves go up
    rounded: Samples = scaled.astype(np.uint8 if bits == 8 else np.uint16)
    return rounded


def _encode_png(payload: Payload) -> bytes:
    if payload.pixels.dtype == np.uint16:
        data = imagecodecs.png_encode(np.ascontiguousarray(payload.pixels), level=_LEVEL)
    else:
        # Beyond runs of one value zlib finds little in photos: it takes four times as long for 1 % of the file.
        data = _encode_with_pillow(payload, "PNG", compress_type=zlib.Z_RLE)
    return insert_chunks(bytes(data), _png_chunks(payload))


def _png_chunks(payload: Payload) -> list[tuple[bytes, bytes]]:
    perceptual = b"\0"
    profile = b"photo\0\0" + zlib.compress(payload.icc)
    chunks = [(b"sRGB", perceptual) if payload.is_srgb else (b"iCCP", profile)]
    if payload.record is not None:
        chunks.insert(0, (b"iTXt", _pack_record(payload.record)))  # first, where it is found even in a cut file
    if payload.dpi is not None:
        x, y = (round(value / _METRES_PER_INCH) for value in payload.dpi)
        chunks.append((b"pHYs", struct.pack(">IIB", x, y, 1)))
    if payload.exif:
        chunks.append((b"eXIf", payload.exif))
    if payload.xmp:
        chunks.append((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + payload.xmp))
    return chunks


def _pack_record(record: str) -> bytes:
    text = record.encode()
    is_packed = _COMPRESS_FROM <= len(text) <= _COMPRESS_TO
    flags = b"\1\0" if is_packed else b"\0\0"
    return RECORD_KEY.encode() + b"\0" + flags + b"\0\0" + (zlib.compress(text) if is_packed else text)


def _encode_jpeg(payload: Payload) -> bytes:
    options, metadata = payload.options, _metadata(payload)
    if payload.exif:
        metadata["exif"] = add_prefix(payload.exif)
    if payload.dpi is not None:
        metadata["dpi"] = tuple(round(value) for value in payload.dpi)
    subsampling = _SUBSAMPLING[options.chroma]
    return _encode_with_pillow(payload, "JPEG", quality=options.quality, subsampling=subsampling, **metadata)


def _encode_webp(payload: Payload) -> bytes:
    is_lossless = payload.options.quality == _LOSSLESS
    quality = payload.options.quality
    return _encode_with_pillow(payload, "WEBP", quality=quality, lossless=is_lossless, exact=True, **_metadata(payload))


def _encode_avif(payload: Payload) -> bytes:
    options = payload.options
    return _encode_with_pillow(
        payload,
        "AVIF",
        quality=options.quality,
        subsampling=_SUBSAMPLING[options.chroma],
        speed=_SPEED,
        **_metadata(payload),
    )


def _metadata(payload: Payload) -> dict[str, Any]:
    """Return the arguments by which Pillow keeps profile, EXIF and XMP."""
    blocks = {"icc_profile": payload.icc, "exif": payload.exif, "xmp": payload.xmp}
    return {name: block for name, block in blocks.items() if block}


def _encode_with_pillow(payload: Payload, file_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(payload.pixels)).save(buffer, file_format, **options)
    return buffer.getvalue()


def _encode_tiff(payload: Payload) -> bytes:
    extra: list[tuple[Any, ...]] = []
    if payload.xmp:
        extra.append((_XMP_TAG, "B", len(payload.xmp), payload.xmp, True))
    texts = read_texts(payload.exif)
    for tag in (ExifTags.Base.Make, ExifTags.Base.Model, ExifTags.Base.Artist, ExifTags.Base.Copyright):
        if tag in texts:
            extra.append((int(tag), "s", 0, texts[tag], True))
    taken = texts.get(ExifTags.Base.DateTimeOriginal) or texts.get(ExifTags.Base.DateTime)
    if taken:
        extra.append((int(ExifTags.Base.DateTime), "s", 0, taken, True))
    resolution: dict[str, Any] = {} if payload.dpi is None else {"resolution": payload.dpi, "resolutionunit": "INCH"}
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        payload.pixels,
        photometric="rgb",
        extrasamples=["unassalpha"] if payload.pixels.shape[2] == 4 else None,
        compression="adobe_deflate",
        compressionargs={"level": _LEVEL},
        predictor=True,
        iccprofile=payload.icc,
        software=False,
        metadata=None,
        extratags=extra,
        **resolution,
    )
    return buffer.getvalue()


def _encode_jpegxl(payload: Payload) -> bytes:
    pixels, quality = payload.pixels, payload.options.quality
    if pixels.dtype == np.uint16:  # libjxl's encoder labels deep samples as linear light
        linear = srgb_to_linear(to_unit(pixels[..., :3]))
        pixels = np.dstack([from_unit(linear, pixels.dtype), pixels[..., 3:]])
    # Transparency would suffer from loss as well, and its edges show it.
    is_lossless = quality == _LOSSLESS or pixels.shape[2] == 4
    distance = None if is_lossless else 0.1 + (_LOSSLESS - quality) * 0.09  # as libjxl converts qualities from 30 on
    data = imagecodecs.jpegxl_encode(
        np.ascontiguousarray(pixels), effort=_EFFORT, lossless=is_lossless, distance=distance, usecontainer=True
    )
    boxes = [(b"Exif", bytes(4) + payload.exif)] if payload.exif else []
    if payload.xmp:
        boxes.append((b"xml ", payload.xmp))
    return bytes(data) + b"".join(struct.pack(">I", len(body) + 8) + kind + body for kind, body in boxes)


_ENCODERS: dict[str, Callable[[Payload], bytes]] = {
    "PNG": _encode_png,
    "JPEG": _encode_jpeg,
    "WEBP": _encode_webp,
    "TIFF": _encode_tiff,
    "AVIF": _encode_avif,
    "JXL": _encode_jpegxl,
}
