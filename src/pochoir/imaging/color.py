"""Any 8-bit colour mode and any embedded profile become sRGB."""

import io

import numpy as np
from PIL import Image, ImageCms

GREY_NOTE = "grey spread to RGB"

_SPACE_OF_MODE = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK", "LAB": "Lab"}
_WORD_OF_MODE = {"1": "black and white", "P": "palette colours", "CMYK": "CMYK without a profile"}


def to_srgb(image: Image.Image, profile: bytes | None, notes: list[str]) -> Image.Image:
    """Convert to mode RGB in sRGB; what was done is appended to ``notes``.

    A profile whose result differs from sRGB by at most one 8-bit step is taken for sRGB itself and not applied, so
    that an ordinary picture keeps its exact values. Rendering is relative colorimetric with black-point compensation.
    """
    flat = _without_alpha(image)
    converted = _apply_profile(flat, profile, notes) if profile else None
    if converted is not None:
        return converted
    if flat.mode == "L":
        notes.append(GREY_NOTE)
    elif image.mode not in ("RGB", "RGBA", "RGBX"):
        notes.append(f"{_WORD_OF_MODE.get(image.mode.removesuffix('A'), image.mode)} converted to RGB")
    return flat.convert("RGB")


def _without_alpha(image: Image.Image) -> Image.Image:
    """The colours alone, in a mode that a profile can speak about."""
    if image.mode in _SPACE_OF_MODE:
        return image
    if image.mode in ("1", "LA"):
        return image.convert("L")
    return image.convert("RGBA").convert("RGB")


def _apply_profile(flat: Image.Image, profile: bytes, notes: list[str]) -> Image.Image | None:
    """The picture in sRGB, or ``None`` if the profile says nothing new or cannot be used."""
    try:
        source = ImageCms.getOpenProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        if flat.mode == "L" and space == "RGB":  # grey pictures often carry the profile of their colour originals
            flat = flat.convert("RGB")
        if space != _SPACE_OF_MODE[flat.mode]:
            notes.append(f"{space} colour profile ignored, since the picture is {flat.mode}")
            return None
        transform = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            flat.mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        if _is_srgb(transform, flat.mode):
            return None
        converted = ImageCms.applyTransform(flat, transform)
        name = " ".join(ImageCms.getProfileDescription(source).split())
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        notes.append("broken colour profile ignored, colours taken as sRGB")
        return None
    notes.append(f"colours converted from {name or 'the embedded profile'} to sRGB")
    return converted


def _is_srgb(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    if mode not in ("RGB", "L"):
        return False
    ramp = np.linspace(0, 255, 16).astype(np.uint8)
    grid = np.stack(np.meshgrid(ramp, ramp, ramp), axis=-1).reshape(1, -1, 3)
    probe = Image.fromarray(grid if mode == "RGB" else ramp[None])
    seen = ImageCms.applyTransform(probe, transform)
    return bool(np.abs(np.asarray(seen, np.int16) - np.asarray(probe.convert("RGB"), np.int16)).max() <= 1)
