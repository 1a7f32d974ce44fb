"""AVIF, by Pillow or at 10 and 12 bits by libavif, and HEIF, by the optional pillow-heif."""

import importlib.util
import io
from typing import Any

import imagecodecs
import numpy as np
from PIL import Image

from pochoir.errors import ImageReadError
from pochoir.imaging.boxes import ItemProperties, brands_of, read_properties
from pochoir.imaging.exif import read_orientation
from pochoir.imaging.pillow_decoder import add_metadata, raster_of_pil
from pochoir.imaging.raster import (
    Raster,
    check_decoded_size,
    check_samples,
    reduce_samples,
    reduction_note,
    reduction_of,
    split_alpha,
)
from pochoir.imaging.transfer_functions import encoding_of_cicp

HEIF_SUFFIXES = (".heic", ".heif", ".hif")

STILL_BRANDS = frozenset([b"avif", b"heic", b"heix", b"heim", b"heis", b"mif1"])
"""Main brands of files that hold still pictures, AVIF among them. ``msf1`` is the brand of image sequences."""

_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_MISSING_HEIF = "reading HEIF needs the package pillow-heif; install pochoir[heif], or convert the picture to JPEG"


def is_avif(data: bytes) -> bool:
    """Return whether a file names itself an AVIF."""
    return bool(brands_of(data) & _AVIF_BRANDS)


def is_heif(data: bytes) -> bool:
    """Return whether a file names itself a HEIF, and not an AVIF."""
    return bool(brands_of(data) & _HEIF_BRANDS) and not is_avif(data)


def can_read_heif() -> bool:
    """Return whether the package that reads HEIF is installed."""
    return importlib.util.find_spec("pillow_heif") is not None


def decode_avif(data: bytes) -> Raster:
    """Decode an AVIF at its own depth; of an animation the first frame.

    Raises:
        ImageReadError: Its colours are not understood.
    """
    with Image.open(io.BytesIO(data), formats=("AVIF",)) as image:
        check_decoded_size(*image.size, 4)
        frames = getattr(image, "n_frames", 1)
        properties = read_properties(data)
        factor = reduction_of(*image.size)
        if (properties.bits or 8) > 8:
            raster = _split(imagecodecs.avif_decode(data, index=0), properties.bits or 8, factor)
        else:
            image.load()
            raster = raster_of_pil(image, factor=factor)
        add_metadata(raster, image)
        size = image.size
    _add_colors(raster, properties)
    _add_notes(raster, frames, size, factor)
    return raster


def decode_heif(data: bytes) -> Raster:
    """Decode a HEIF at its own depth; of several pictures the main one.

    Raises:
        ImageReadError: The package that reads it is not installed, or its colours are not understood.
    """
    if not can_read_heif():
        raise ImageReadError(_MISSING_HEIF)
    pillow_heif: Any = importlib.import_module("pillow_heif")
    file = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
    main = file[file.primary_index]
    width, height = main.size
    check_decoded_size(width, height, 8)
    factor = reduction_of(width, height)
    values = np.asarray(main)
    raster = _split(values, 16 if values.dtype == np.uint16 else 8, factor)
    raster.icc = main.info.get("icc_profile") or None
    block = main.info.get("exif")
    if block:
        read_orientation(block, raster.notes)  # for the note alone: the decoder has turned the picture
        raster.exif = block
    _add_colors(raster, read_properties(data))
    _add_notes(raster, len(file), main.size, factor)
    return raster


def _split(values: Any, bits: int, factor: int) -> Raster:
    return split_alpha(reduce_samples(check_samples(values, bits=bits), factor))


def _add_colors(raster: Raster, properties: ItemProperties) -> None:
    raster.icc = raster.icc or properties.icc
    if raster.icc is None and properties.cicp is not None:
        raster.encoding = encoding_of_cicp(*properties.cicp)


def _add_notes(raster: Raster, frames: int, size: tuple[int, int], factor: int) -> None:
    if frames > 1:
        raster.notes.insert(0, f"first of {frames} frames taken")
    if factor > 1:
        raster.notes.append(reduction_note(size, factor))
