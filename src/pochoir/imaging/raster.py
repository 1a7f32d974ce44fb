"""Samples as a file holds them, and the facts that give them a meaning."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from pochoir.errors import ImageReadError

Samples: TypeAlias = npt.NDArray[Any]
Space: TypeAlias = Literal["grey", "rgb", "cmyk", "lab"]

MAX_PIXELS = 100_000_000
"""Most pixels that reading returns; larger pictures are reduced by 2, 4 or 8 while they are decoded."""
MAX_SOURCE_PIXELS = 300_000_000
"""Most pixels that a file may hold."""
MAX_DECODED_BYTES = 1_300_000_000
"""Most bytes of decoded samples, which allows 200 megapixels of 16-bit RGB."""

# A float array that a resampler or a transform has just left may miss [0, 1] by this much.
_FLOAT_SLACK = 1e-3


@dataclass(frozen=True)
class Metadata:
    """Facts about a photo that its painted picture may keep."""

    icc: bytes | None = None
    """Embedded ICC profile."""
    exif: bytes | None = None
    """EXIF block, beginning with its TIFF header."""
    dpi: tuple[float, float] | None = None
    """Print resolution in pixels per inch, horizontal and vertical."""


@dataclass(frozen=True)
class Encoding:
    """Colours of samples that have no ICC profile: primaries and transfer function."""

    name: str
    """Name in notes, such as ``"Display P3"``."""
    primaries: tuple[tuple[float, float], ...] | None
    """Chromaticities (x, y) of red, green, blue and white; ``None`` for those of sRGB."""
    to_linear: Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]] | None
    """Function from samples in [0, 1] to linear light; ``None`` for the curve of sRGB."""
    is_hdr: bool = False
    """True if linear light may exceed 1, the white of a page."""


@dataclass
class Raster:
    """Decoded samples before they are converted to sRGB."""

    samples: Samples
    """(H, W, C), uint8, uint16 or float32 in [0, 1]; C is 1 for grey, 4 for CMYK, else 3."""
    space: Space
    """Colour space of the samples; Lab has L* in 0..100 and a*, b* around 0, as float32."""
    alpha: Samples | None = None
    """(H, W), of one of the same types."""
    icc: bytes | None = None
    encoding: Encoding | None = None
    """Colours where there is no ICC profile; ``None`` means sRGB."""
    orientation: int = 1
    """EXIF orientation that is still to be undone, 1 to 8."""
    exif: bytes | None = None
    dpi: tuple[float, float] | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def metadata(self) -> Metadata:
        """Facts that a painted picture may keep."""
        return Metadata(self.icc, self.exif, self.dpi)


def split_alpha(samples: Samples) -> Raster:
    """Return the raster of grey or RGB samples, (H, W) or (H, W, C); the last of 2 or 4 channels is alpha."""
    if samples.ndim == 2:
        samples = samples[..., None]
    has_alpha = samples.shape[2] in (2, 4)
    colors = samples[..., :-1] if has_alpha else samples
    return Raster(colors, "grey" if colors.shape[2] == 1 else "rgb", samples[..., -1] if has_alpha else None)


def full_scale(dtype: np.dtype[Any]) -> float:
    """Return the value of full intensity for samples of this type."""
    return 1.0 if np.issubdtype(dtype, np.floating) else float(np.iinfo(dtype).max)


def to_unit(values: Samples) -> npt.NDArray[np.float32]:
    """Return samples as float32 in [0, 1]."""
    scaled = values.astype(np.float32)
    if scaled is values or scaled.base is values:
        scaled = scaled.copy()
    scaled /= np.float32(full_scale(values.dtype))
    return scaled


def check_samples(values: Samples, *, bits: int | None = None) -> Samples:
    """Return samples as uint8, uint16 or float32 in [0, 1].

    Args:
        values: Samples of any type.
        bits: Bits that each sample really has, for samples in a wider type.

    Raises:
        ImageReadError: The type or the range is not one that pochoir reads.
    """
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    kind = values.dtype.kind
    if kind == "f":
        return _check_float(values)
    if kind != "u":
        raise ImageReadError(f"samples are unsigned integers, bool or floating point, got {values.dtype}")
    width = values.dtype.itemsize * 8
    if bits is not None and bits < width:
        return _widen(values, bits)
    if width <= 16:
        return values if values.dtype.isnative else values.astype(values.dtype.newbyteorder("="))
    return (values / float(2**width - 1)).astype(np.float32)


def _check_float(values: Samples) -> Samples:
    if not np.isfinite(values).all():
        raise ImageReadError("it has values that are not finite numbers (NaN or infinity)")
    check_range(values, 0, 1, slack=_FLOAT_SLACK)
    return values.clip(0, 1).astype(np.float32, copy=False)


def _widen(values: Samples, bits: int) -> Samples:
    """Spread samples of fewer bits over all values of uint8 or uint16."""
    target = np.uint8 if bits < 8 else np.uint16
    most = float(np.iinfo(target).max)
    widened: Samples = np.round(values * (most / (2**bits - 1))).astype(target)
    return widened


def check_range(values: Samples, low: float, high: float, *, slack: float = 0) -> None:
    """Raise an ``ImageReadError`` if a value lies outside of the allowed range."""
    least, most = float(values.min()), float(values.max())
    if least < low - slack or most > high + slack:
        raise ImageReadError(
            f"its values run from {least:g} to {most:g}; {low} to {high} is allowed for {values.dtype}"
        )


def check_decoded_size(width: int, height: int, bytes_per_pixel: float) -> None:
    """Refuse a picture whose samples would take too much memory.

    Raises:
        ImageReadError: The text names the limit.
    """
    if 0 in (width, height):
        raise ImageReadError(f"it has no pixels: its size is {width}x{height}")
    allowed = min(MAX_SOURCE_PIXELS, MAX_DECODED_BYTES / bytes_per_pixel)
    if width * height > allowed:
        raise ImageReadError(
            f"it has {width * height / 1e6:.0f} million pixels of {bytes_per_pixel:g} bytes; "
            f"at most {allowed / 1e6:.0f} million such pixels are read; make it smaller first"
        )


def reduction_of(width: int, height: int) -> int:
    """Return the power of 2 by which a picture is reduced so that it has at most ``MAX_PIXELS``."""
    factor = 1
    while (width // factor) * (height // factor) > MAX_PIXELS:
        factor *= 2
    return factor


def reduce_samples(values: Samples, factor: int) -> Samples:
    """Return means over squares of ``factor`` pixels, in the type of the samples; a part of a square is left out."""
    if factor == 1:
        return values
    height, width = values.shape[0] // factor, values.shape[1] // factor
    reduced = np.empty((height, width, *values.shape[2:]), np.uint8 if values.dtype == np.bool_ else values.dtype)
    rows = max(1, 4_000_000 // max(1, values[0].size * factor))
    for top in range(0, height, rows):
        band = values[top * factor : (top + rows) * factor, : width * factor][: (height - top) * factor]
        squares = band.reshape(-1, factor, width, factor, *values.shape[2:])
        mean = squares.mean(axis=(1, 3), dtype=np.float32)
        if values.dtype == np.bool_:
            mean *= 255
        reduced[top : top + len(mean)] = mean if values.dtype.kind == "f" else np.round(mean)
    return reduced


def reduction_note(before: tuple[int, int], factor: int) -> str:
    """Return the note for a picture, (width, height), that was reduced while it was decoded."""
    width, height = before
    return (
        f"reduced from {width}x{height} to {width // factor}x{height // factor}, "
        f"since it has more than {MAX_PIXELS / 1e6:.0f} million pixels"
    )
