"""TIFF at every depth and in every layout, by tifffile."""

import io
import logging
from typing import Any

import numpy as np
import tifffile
from PIL import Image

from pochoir.errors import ImageReadError
from pochoir.imaging.pillow_decoder import lab_of_bytes, raster_of_pil
from pochoir.imaging.raster import (
    Raster,
    Samples,
    check_decoded_size,
    check_samples,
    full_scale,
    reduce_samples,
    reduction_note,
    reduction_of,
)

# Errors and notes say already what tifffile reports about a damaged file; it should not reach the terminal as well.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
RAW_MESSAGE = "it is a camera's raw file; develop it first, for example to TIFF"

_RAW_PHOTOMETRICS = (32803, 34892)  # colour filter array, linear raw
_RAW_TAGS = (50706, 50708, 33421, 33422)  # DNG version, camera model, pattern of the colour filter
_RAW_MAKERS = (b"CR\x02\0",)
_THUMBNAIL = 1  # bit of NewSubfileType
_SUB_IFDS = 330
_ORIENTATION = 274
_EXTRA_SAMPLES = 338
_ASSOCIATED, _UNASSOCIATED = 1, 2
_PHOTOMETRIC = tifffile.PHOTOMETRIC
_CHANNELS = {
    _PHOTOMETRIC.MINISWHITE: 1,
    _PHOTOMETRIC.MINISBLACK: 1,
    _PHOTOMETRIC.PALETTE: 1,
    _PHOTOMETRIC.RGB: 3,
    _PHOTOMETRIC.YCBCR: 3,
    _PHOTOMETRIC.CIELAB: 3,
    _PHOTOMETRIC.ICCLAB: 3,
    _PHOTOMETRIC.SEPARATED: 4,
}
_CMYK_INK_SET = 1
_MOST_PAGES = 64  # pages that are searched for the full picture


def decode_tiff(data: bytes) -> Raster:
    """Decode the first full picture of a TIFF at its own depth.

    Raises:
        ImageReadError: Pixels are missing or damaged, or the file uses something that is not understood.
    """
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        pages = _readable_pages(file)
        if data[8:12] in _RAW_MAKERS or any(_is_raw(page) for page in pages):
            raise ImageReadError(RAW_MESSAGE)
        full = [index for index, page in enumerate(pages) if not page.subfiletype & _THUMBNAIL]
        index = full[0] if full else 0
        page = pages[index]
        notes = []
        if len(file.pages) > 1:
            notes.append(f"{'first' if index == 0 else f'number {index + 1}'} of {len(file.pages)} frames taken")
        raster = _decode_page(page, data, index)
    raster.notes[:0] = notes
    return raster


def _readable_pages(file: tifffile.TiffFile) -> list[Any]:
    count = len(file.pages)
    if not count:
        raise ImageReadError("it is truncated or damaged (no picture in it)")
    return [file.pages.get(index, aspage=True) for index in range(min(count, _MOST_PAGES))]


def _is_raw(page: Any) -> bool:
    if int(page.tags.valueof(262, -1)) in _RAW_PHOTOMETRICS or any(tag in page.tags for tag in _RAW_TAGS):
        return True
    children = page.pages if _SUB_IFDS in page.tags else None
    return any(int(child.tags.valueof(262, -1)) in _RAW_PHOTOMETRICS for child in children or ())


def _decode_page(page: Any, data: bytes, index: int) -> Raster:
    photometric = page.photometric
    if photometric not in _CHANNELS:
        raise ImageReadError(
            f"its colours are stored as {getattr(photometric, 'name', photometric)}, which is not read"
        )
    _check_layout(page, data)
    # YCbCr that is not compressed as JPEG is subsampled in blocks, which libtiff knows and tifffile does not.
    if photometric == _PHOTOMETRIC.YCBCR and page.compression not in (6, 7):
        raster = _decode_by_libtiff(data, index)
    else:
        raster = _split(page, _read_samples(page))
    raster.icc = page.iccprofile
    raster.dpi = _dpi_of(page)
    orientation = page.tags.valueof(_ORIENTATION, 1)
    raster.orientation = orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1
    factor = reduction_of(page.imagewidth, page.imagelength)
    if factor > 1:
        raster.samples = reduce_samples(raster.samples, factor)
        raster.alpha = None if raster.alpha is None else reduce_samples(raster.alpha, factor)
        raster.notes.append(reduction_note((page.imagewidth, page.imagelength), factor))
    return raster


def _check_layout(page: Any, data: bytes) -> None:
    """Refuse volumes and what is not there: tifffile fills the gaps of a cut file with zeros."""
    if page.imagedepth != 1:
        raise ImageReadError(f"it is a volume of {page.imagedepth} slices, not a picture")
    check_decoded_size(page.imagewidth, page.imagelength, page.samplesperpixel * max(1, page.bitspersample // 8))
    if page.dtype is None:
        raise ImageReadError(f"its samples of {page.bitspersample} bits are of a kind that is not read")
    segments = list(zip(page.dataoffsets, page.databytecounts, strict=False))
    if not segments or any(count <= 0 or offset + count > len(data) for offset, count in segments):
        raise ImageReadError("it is truncated or damaged (pixels are missing)")
    if len(segments) < np.prod(page.chunked):
        raise ImageReadError("it is truncated or damaged (pixels are missing)")


def _read_samples(page: Any) -> Samples:
    """Return (H, W, S), whatever the order in the file."""
    values: Samples = page.asarray()
    shape = (page.imagelength, page.imagewidth, page.samplesperpixel)
    if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE and page.samplesperpixel > 1:
        values = np.moveaxis(values.reshape(shape[2], shape[0], shape[1]), 0, 2)
    return values.reshape(shape)


def _decode_by_libtiff(data: bytes, index: int) -> Raster:
    with Image.open(io.BytesIO(data), formats=("TIFF",)) as image:
        image.seek(index)
        turned = image.convert("RGB")  # libtiff converts to RGB
        return raster_of_pil(turned)


def _split(page: Any, values: Samples) -> Raster:
    """Split samples into colours, alpha and further channels."""
    count = _CHANNELS[page.photometric]
    if values.shape[2] < count:
        raise ImageReadError(f"it has {values.shape[2]} channels, fewer than its colour space needs")
    if page.photometric == _PHOTOMETRIC.SEPARATED and page.tags.valueof(332, _CMYK_INK_SET) != _CMYK_INK_SET:
        raise ImageReadError("its inks are not cyan, magenta, yellow and black")
    notes: list[str] = []
    alpha, is_associated = _alpha_of(page, values, count, notes)
    raster = _colors_of(page, values[..., :count])
    raster.alpha = alpha
    raster.notes[:0] = notes
    if is_associated and alpha is not None:
        from pochoir.imaging.color import unpremultiply

        raster.samples = unpremultiply(raster.samples, alpha)
    return raster


def _alpha_of(page: Any, values: Samples, count: int, notes: list[str]) -> tuple[Samples | None, bool]:
    kinds = [int(kind) for kind in page.extrasamples]
    if _EXTRA_SAMPLES not in page.tags and values.shape[2] == count + 1:
        kinds = [_UNASSOCIATED]  # as OpenCV writes alpha
    kinds += [0] * (values.shape[2] - count - len(kinds))
    alphas = [at for at, kind in enumerate(kinds) if kind in (_ASSOCIATED, _UNASSOCIATED)]
    ignored = len(kinds) - bool(alphas)
    if ignored:
        notes.append(f"{ignored} further channel{'s' if ignored > 1 else ''} of unknown meaning ignored")
    if not alphas:
        return None, False
    return check_samples(values[..., count + alphas[0]], bits=page.bitspersample), kinds[alphas[0]] == _ASSOCIATED


def _colors_of(page: Any, values: Samples) -> Raster:
    photometric = page.photometric
    if photometric == _PHOTOMETRIC.PALETTE:
        return _from_palette(page, values[..., 0])
    if photometric in (_PHOTOMETRIC.CIELAB, _PHOTOMETRIC.ICCLAB):
        return Raster(
            _lab_of(values, is_signed=photometric == _PHOTOMETRIC.CIELAB), "lab", notes=["Lab converted to RGB"]
        )
    samples = check_samples(values, bits=page.bitspersample)
    if photometric == _PHOTOMETRIC.MINISWHITE:
        samples = (full_scale(samples.dtype) - samples).astype(samples.dtype)
    space = {1: "grey", 3: "rgb", 4: "cmyk"}[samples.shape[2]]
    return Raster(samples, space)  # type: ignore[arg-type]


def _from_palette(page: Any, indices: Samples) -> Raster:
    colormap = page.colormap
    if colormap is None or int(indices.max()) >= colormap.shape[1]:
        raise ImageReadError("it is truncated or damaged (colours are missing in its palette)")
    table = np.ascontiguousarray(colormap.T)
    # Most palettes hold 8-bit colours, some writers' in the upper byte alone.
    if not (table % 257).any() or not (table & 255).any():
        table = (table >> 8).astype(np.uint8)
    return Raster(table[indices], "rgb", notes=["palette colours converted to RGB"])


def _lab_of(values: Samples, *, is_signed: bool) -> Samples:
    if values.dtype == np.uint8:
        return lab_of_bytes(values ^ np.array([0, 128, 128], np.uint8)) if is_signed else lab_of_bytes(values)
    if values.dtype == np.uint16:
        lightness = values[..., :1].astype(np.float32) * np.float32(100 / 65535)
        chroma = values[..., 1:]
        signed = chroma.view(np.int16).astype(np.float32) if is_signed else chroma.astype(np.float32) - 32768
        return np.concatenate([lightness, signed / 256], axis=2)
    raise ImageReadError(f"Lab colours of type {values.dtype} are not read; 8 and 16 bits are")


def _dpi_of(page: Any) -> tuple[float, float] | None:
    try:
        (x_up, x_down), (y_up, y_down) = page.tags.valueof(282), page.tags.valueof(283)
        inch = {2: 1.0, 3: 2.54}[int(page.tags.valueof(296, 2))]
        dpi = (x_up / x_down * inch, y_up / y_down * inch)
    except (TypeError, ValueError, KeyError, ZeroDivisionError):
        return None
    return dpi if all(1 < value < 1e5 for value in dpi) else None
