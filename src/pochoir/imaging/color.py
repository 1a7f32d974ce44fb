"""Conversion of samples in any colour space, at any depth, to sRGB."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pochoir.imaging.icc import apply_profile
from pochoir.imaging.raster import Raster, Samples, full_scale, to_unit
from pochoir.imaging.transfer_functions import from_linear_srgb, rgb_to_rgb, srgb_to_linear, tone_map

GREY_NOTE = "grey spread to RGB"

_BAND_ROWS_PIXELS = 2_000_000  # pixels that are converted at a time, which bounds the memory for float copies

# Matrix from XYZ under D50, the white of Lab and of ICC profiles, to linear sRGB under D65 (Bradford adaptation).
_XYZ_D50_TO_SRGB = np.array(
    [[3.1338561, -1.6168667, -0.4906146], [-0.9787684, 1.9161415, 0.0334540], [0.0719453, -0.2289914, 1.4052427]],
    np.float32,
)
_D50 = (0.96422, 1.0, 0.82521)


def to_srgb(raster: Raster) -> Samples:
    """Return the picture in sRGB, shape (H, W, 3); what was done is appended to the raster's notes.

    Samples that are sRGB already keep their type and their exact values.
    """
    if raster.space == "lab":
        return _in_bands(raster.samples, _lab_to_srgb)
    if raster.icc is not None:
        converted = apply_profile(raster)
        if converted is not None:
            return converted
    elif raster.encoding is not None:
        raster.notes.append(f"colours converted from {raster.encoding.name} to sRGB")
        return _in_bands(raster.samples, lambda band: _decode_encoding(band, raster))
    if raster.space == "grey":
        raster.notes.append(GREY_NOTE)
        return np.broadcast_to(raster.samples, (*raster.samples.shape[:2], 3))
    if raster.space == "cmyk":
        raster.notes.append("CMYK without a profile converted to RGB")
        return _cmyk_to_rgb(raster.samples)
    return raster.samples


def unpremultiply(colors: Samples, alpha: Samples) -> Samples:
    """Divide colours that were stored multiplied by their alpha; fully transparent pixels become black."""
    opacity = to_unit(alpha)[..., None]
    divided = np.divide(to_unit(colors), opacity, out=np.zeros(colors.shape, np.float32), where=opacity > 0)
    return from_unit(divided, colors.dtype)


def from_unit(values: npt.NDArray[np.float32], dtype: np.dtype[np.generic]) -> Samples:
    """Return values, clipped to [0, 1], as samples of the given type."""
    scaled = values.clip(0, 1)
    if np.issubdtype(dtype, np.floating):
        return scaled.astype(dtype, copy=False)
    return np.round(scaled * full_scale(dtype)).astype(dtype)


def _in_bands(samples: Samples, convert: Callable[[Samples], npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    """Convert a picture some rows at a time."""
    height, width = samples.shape[:2]
    result = np.empty((height, width, 3), np.float32)
    rows = max(1, _BAND_ROWS_PIXELS // width)
    for top in range(0, height, rows):
        result[top : top + rows] = convert(samples[top : top + rows])
    return result


def _decode_encoding(band: Samples, raster: Raster) -> npt.NDArray[np.float32]:
    encoding = raster.encoding
    assert encoding is not None  # noqa: S101 - the caller has looked
    values = to_unit(band)
    linear = srgb_to_linear(values) if encoding.to_linear is None else encoding.to_linear(values)
    if linear.shape[2] == 1:
        linear = np.repeat(linear, 3, axis=2)  # grey has the white of its space, which becomes that of sRGB
    elif encoding.primaries is not None:
        linear = rgb_to_rgb(linear, encoding.primaries)
    return from_linear_srgb(tone_map(linear) if encoding.is_hdr else linear)


def _cmyk_to_rgb(samples: Samples) -> Samples:
    """Subtract inks from white, as programs do that know nothing of the press."""
    if samples.dtype == np.uint8:
        cleared = 255 - samples.astype(np.uint32)
        return ((cleared[..., :3] * cleared[..., 3:] + 127) // 255).astype(np.uint8)
    inks = to_unit(samples)
    return from_unit((1 - inks[..., :3]) * (1 - inks[..., 3:]), samples.dtype)


def _lab_to_srgb(band: Samples) -> npt.NDArray[np.float32]:
    lightness, a, b = np.moveaxis(band.astype(np.float32), 2, 0)
    y = (lightness + 16) / 116
    ratios = np.stack([y + a / 500, y, y - b / 200], axis=-1)
    limit = 6 / 29
    xyz = np.where(ratios > limit, ratios**3, 3 * limit**2 * (ratios - 4 / 29)) * np.array(_D50, np.float32)
    return from_linear_srgb(xyz.astype(np.float32) @ _XYZ_D50_TO_SRGB.T)
