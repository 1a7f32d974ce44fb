"""ICC profiles, applied by littleCMS at the depth of the samples."""

import io
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import imagecodecs
import numpy as np
from PIL import Image, ImageCms

from pochoir.imaging.raster import Raster, Samples, full_scale, to_unit

_SPACES = {"grey": "GRAY", "rgb": "RGB", "cmyk": "CMYK"}
_NAMES = {"grey": "grey", "rgb": "RGB", "cmyk": "CMYK"}
_CODEC_SPACES = {"GRAY": "gray", "RGB": "rgb", "CMYK": "cmyk"}
_MODES = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}
_BAND_PIXELS = 500_000
_THREADS = 4
_DATE = slice(24, 36)
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION
# Otherwise littleCMS replaces curves by tables of 33 steps, which costs up to 24 of 255 levels at 16 bits.
_FLAGS_OF_CURVES = _FLAGS | ImageCms.Flags.NOOPTIMIZE


@cache
def srgb_profile() -> bytes:
    """Return an sRGB profile, the same bytes on every day."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[_DATE] = b"\x07\xe8\x00\x01\x00\x01" + bytes(6)  # 2024-01-01
    return bytes(profile)


def apply_profile(raster: Raster) -> Samples | None:
    """Convert samples by their profile to sRGB, shape (H, W, 3).

    A profile whose result differs from sRGB by at most one 8-bit step is taken for sRGB and not applied. An ordinary
    picture then keeps its exact values. Rendering is relative colorimetric with black-point compensation.

    Returns:
        The converted samples, float32 where they had more than 8 bits; ``None`` if the profile says nothing new or
        cannot be used, which is then noted.
    """
    try:
        source = ImageCms.getOpenProfile(io.BytesIO(raster.icc or b""))
        space = source.profile.xcolor_space.strip()
        samples = raster.samples
        if raster.space == "grey" and space == "RGB":  # grey pictures often carry the profile of their colour originals
            samples = np.repeat(samples, 3, axis=2)
        elif space != _SPACES[raster.space]:
            raster.notes.append(f"{space} colour profile ignored, since the picture is {_NAMES[raster.space]}")
            return None
        if _is_srgb(source, space):
            return None
        name = " ".join(ImageCms.getProfileDescription(source).split())
        converted = _convert(samples, space, source, raster.icc or b"")
    except (ImageCms.PyCMSError, imagecodecs.CmsError, OSError, ValueError, TypeError):
        raster.notes.append("broken colour profile ignored, colours taken as sRGB")
        return None
    raster.notes.append(f"colours converted from {name or 'the embedded profile'} to sRGB")
    return converted


def from_srgb(rgb: Samples, profile: bytes) -> Samples | None:
    """Convert sRGB to the space of an RGB profile, in float32; ``None`` if the profile is of another kind or broken."""
    try:
        if ImageCms.getOpenProfile(io.BytesIO(profile)).profile.xcolor_space.strip() != "RGB":
            return None
        return _transform_bands(to_unit(rgb), "RGB", srgb_profile(), profile, has_table=False)
    except (ImageCms.PyCMSError, imagecodecs.CmsError, OSError, ValueError, TypeError):
        return None


def _convert(samples: Samples, space: str, source: ImageCms.ImageCmsProfile, profile: bytes) -> Samples:
    if samples.dtype == np.uint8:
        image = Image.fromarray(samples[..., 0] if space == "GRAY" else np.ascontiguousarray(samples), _MODES[space])
        return np.asarray(ImageCms.applyTransform(image, _transform_of(source, space)))
    # Tables are resampled by littleCMS in the same way at 8 and 16 bits, not in floating point.
    has_table = not source.profile.is_matrix_shaper
    if has_table and samples.dtype == np.float32:
        samples = np.round(samples * full_scale(np.dtype(np.uint16))).astype(np.uint16)
    return _transform_bands(samples, space, profile, srgb_profile(), has_table=has_table)


def _transform_bands(samples: Samples, space: str, source: bytes, target: bytes, *, has_table: bool) -> Samples:
    height, width = samples.shape[:2]
    result = np.empty((height, width, 3), np.float32)
    rows = max(1, _BAND_PIXELS // width)

    def convert(top: int) -> None:
        band = np.ascontiguousarray(samples[top : top + rows])
        converted = imagecodecs.cms_transform(
            band[..., 0] if space == "GRAY" else band,
            source,
            target,
            colorspace=_CODEC_SPACES[space],
            outcolorspace="rgb",
            outdtype="uint16" if has_table else "float32",
            intent=int(_INTENT),
            flags=int(_FLAGS if has_table else _FLAGS_OF_CURVES),
        )
        result[top : top + rows] = to_unit(converted.reshape(len(band), width, 3))

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(convert, range(0, height, rows)))
    return result.clip(0, 1, out=result)


def _transform_of(source: ImageCms.ImageCmsProfile, space: str) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        source,
        ImageCms.createProfile("sRGB"),
        _MODES[space],
        "RGB",
        _INTENT,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


def _is_srgb(source: ImageCms.ImageCmsProfile, space: str) -> bool:
    if space not in ("RGB", "GRAY"):
        return False
    ramp = np.linspace(0, 255, 16).astype(np.uint8)
    grid = np.stack(np.meshgrid(ramp, ramp, ramp), axis=-1).reshape(1, -1, 3)
    probe = Image.fromarray(grid if space == "RGB" else ramp[None])
    seen = ImageCms.applyTransform(probe, _transform_of(source, space))
    return bool(np.abs(np.asarray(seen, np.int16) - np.asarray(probe.convert("RGB"), np.int16)).max() <= 1)
