"""Formats that Pillow decodes as they are."""

import io

import numpy as np
from PIL import Image

from pochoir.errors import ImageReadError
from pochoir.imaging.exif import read_orientation, read_xmp_orientation
from pochoir.imaging.raster import (
    Raster,
    Samples,
    check_decoded_size,
    check_range,
    check_samples,
    reduce_samples,
    reduction_note,
    reduction_of,
)

# Raster formats only: Pillow would run Ghostscript on an EPS file, and a few others need plug-ins of their own.
FORMATS = ("WEBP", "GIF", "BMP", "JPEG2000", "PPM", "TGA", "ICO", "QOI", "PSD", "PCX", "DIB")

_PLAIN_MODES = {"L": "grey", "RGB": "rgb", "CMYK": "cmyk"}
_NOTES_OF_MODE = {"P": "palette colours converted to RGB"}


def decode_with_pillow(data: bytes) -> Raster:
    """Decode the first frame of a file of one of ``FORMATS``.

    Raises:
        ImageReadError: It has too many pixels.
    """
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        check_decoded_size(*image.size, 4)
        frames = getattr(image, "n_frames", 1)
        image.load()
        factor = reduction_of(*image.size)
        raster = raster_of_pil(image, factor=factor)
        if frames > 1:
            raster.notes.insert(0, f"first of {frames} frames taken")
        if factor > 1:
            raster.notes.append(reduction_note(image.size, factor))
        add_metadata(raster, image)
    return raster


def add_metadata(raster: Raster, image: Image.Image) -> None:
    """Take profile, EXIF and resolution over from a Pillow image."""
    raster.icc = image.info.get("icc_profile") or None
    raster.dpi = _dpi_of(image)
    block = image.info.get("exif")
    if isinstance(block, bytes) and block:
        raster.orientation, raster.exif = read_orientation(block, raster.notes), block
    elif image.info.get("xmp"):
        raster.orientation = read_xmp_orientation(image.info["xmp"])


def raster_of_pil(image: Image.Image, *, factor: int = 1) -> Raster:
    """Return the samples of a loaded Pillow image of any mode, reduced by ``factor``."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Raster(reduce_samples(_deep_samples(image), factor)[..., None], "grey")
    notes = [_NOTES_OF_MODE[image.mode]] if image.mode in _NOTES_OF_MODE else []
    alpha = None
    if image.has_transparency_data:
        translucent = image.convert("RGBA")
        alpha = reduce_samples(np.asarray(translucent.getchannel("A")), factor)
        # Converted by way of RGBA, so that colours that were multiplied by alpha are divided again.
        flat = image.convert("L") if image.mode in ("1", "L", "LA") else translucent.convert("RGB")
    elif image.mode == "1":
        return Raster(check_samples(reduce_samples(np.asarray(image), factor))[..., None], "grey", notes=notes)
    elif image.mode == "LAB":
        return Raster(reduce_samples(lab_of_bytes(np.asarray(image)), factor), "lab", notes=["Lab converted to RGB"])
    else:
        flat = image if image.mode in _PLAIN_MODES else image.convert("RGB")
    samples = reduce_samples(np.asarray(flat), factor)
    if samples.ndim == 2:
        samples = samples[..., None]
    return Raster(samples, _PLAIN_MODES[flat.mode], alpha, notes=notes)  # type: ignore[arg-type]


def lab_of_bytes(values: Samples) -> Samples:
    """Return L*, a* and b* of 8-bit samples whose a* and b* are offset by 128."""
    return values.astype(np.float32) * np.array([100 / 255, 1, 1], np.float32) - np.array([0, 128, 128], np.float32)


def _deep_samples(image: Image.Image) -> Samples:
    values = np.asarray(image)
    if values.dtype == np.int32:  # Pillow's mode I, which holds 16-bit pictures
        check_range(values, 0, 65535)
        values = values.astype(np.uint16)
    samples = check_samples(values)
    key = image.info.get("transparency")
    if key is not None:
        raise ImageReadError("it marks one of its 16-bit greys as transparent, which is only read from PNG files")
    return samples


def _dpi_of(image: Image.Image) -> tuple[float, float] | None:
    try:
        x, y = (float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return (x, y) if 1 < x < 1e5 and 1 < y < 1e5 else None
