"""Encoded bytes, PIL images and arrays become arrays of one known layout."""

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, UnidentifiedImageError

from pochoir.errors import ImageReadError
from pochoir.imaging.color import GREY_NOTE, to_srgb
from pochoir.imaging.deep import decode_deep, is_deep

# Raster formats only: Pillow would run Ghostscript on an EPS file, and a few others need plug-ins of their own.
FORMATS = (
    "PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "AVIF", "JPEG2000", "PPM", "TGA", "ICO", "QOI", "PSD", "PCX", "DIB"
)  # fmt: skip
_READABLE = "PNG, JPEG, WebP, TIFF, GIF, BMP, AVIF, JPEG 2000 and the like"

_TIFF_MAGICS = (b"II*\0", b"MM\0*")

# A float array that a resampler or a transform has just left may miss [0, 1] by this much.
_FLOAT_SLACK = 1e-3


@dataclass
class Decoded:
    """Pixels in upright sRGB, and what was done to get them."""

    rgb: npt.NDArray[Any]
    """(H, W, 3), uint8, uint16 or float32 in [0, 1]."""
    alpha: npt.NDArray[Any] | None = None
    """(H, W), of one of the same types."""
    notes: list[str] = field(default_factory=list)


def picture_suffixes() -> frozenset[str]:
    """Extensions of the files that can be read, in small letters, each with its dot."""
    return frozenset(suffix for suffix, name in Image.registered_extensions().items() if name in FORMATS)


def decode_image(data: bytes) -> Decoded:
    """Decode the bytes of a picture file.

    Raises:
        ImageReadError: Its text is only the reason, for the caller to complete.
    """
    with warnings.catch_warnings():
        # Pillow warns about odd metadata and pictures above 90 megapixels; neither keeps us from using the picture.
        warnings.simplefilter("ignore")
        try:
            image = Image.open(io.BytesIO(data), formats=FORMATS)
        except UnidentifiedImageError as error:
            # Pillow does not know floating-point RGB in TIFF, OpenCV does.
            deep = decode_deep(data) if data.startswith(_TIFF_MAGICS) else None
            if deep is None:
                raise ImageReadError(f"it is not a picture that can be read ({_READABLE})") from error
            return Decoded(*_split(_checked(deep)))
        except Image.DecompressionBombError as error:
            raise ImageReadError(
                f"it has more than {2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6:.0f} million pixels; make it smaller first"
            ) from error
        except Exception as error:  # decoders of broken files raise whatever they stumble over
            raise ImageReadError(_damaged(error)) from error
        return decode_pil(image, data=data)


def decode_pil(image: Image.Image, *, data: bytes | None = None) -> Decoded:
    """Decode a PIL image at its current frame; ``data`` are the bytes it was opened from, if known.

    Raises:
        ImageReadError: Its text is only the reason, for the caller to complete.
    """
    if 0 in image.size:
        raise ImageReadError(f"it has no pixels: its size is {image.width}x{image.height}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _decode_frame(image, data)
        except ImageReadError:
            raise
        except Exception as error:  # decoders of broken files raise whatever they stumble over
            raise ImageReadError(_damaged(error)) from error


def decode_array(values: npt.NDArray[Any]) -> Decoded:
    """Check and split an array; see ``reading.load`` for what is taken."""
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] not in (1, 3, 4)):
        raise ImageReadError(
            f"an array must have the shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), got {values.shape}"
        )
    if 0 in values.shape:
        raise ImageReadError(f"it has no pixels: its shape is {values.shape}")
    return Decoded(*_split(_checked(values)))


def _decode_frame(image: Image.Image, data: bytes | None) -> Decoded:
    image.load()
    frames = getattr(image, "n_frames", 1)
    notes = [f"first of {frames} frames taken"] if data is not None and frames > 1 else []
    decoded = _decode_pixels(image, data, notes)
    orientation = image.getexif().get(ExifTags.Base.Orientation, 1)  # after load, which already turns TIFFs
    turn = _TURNS.get(orientation)
    if turn is None:
        return decoded
    notes.append(f"turned upright (EXIF orientation {orientation})")
    return Decoded(turn(decoded.rgb), None if decoded.alpha is None else turn(decoded.alpha), notes)


def _decode_pixels(image: Image.Image, data: bytes | None, notes: list[str]) -> Decoded:
    profile = image.info.get("icc_profile")
    deep = decode_deep(data) if data is not None and is_deep(image, data) else None
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        deep = np.asarray(image)
    if deep is not None and not (profile and deep.ndim == 3):
        if deep.ndim == 2:
            notes.append(GREY_NOTE)
        return Decoded(*_split(_checked(deep)), notes)
    if deep is not None:
        notes.append("16 bits reduced to 8 to apply the colour profile")
    alpha = np.asarray(image.convert("RGBA").getchannel("A")) if image.has_transparency_data else None
    return Decoded(np.asarray(to_srgb(image, profile, notes)), alpha, notes)


def _checked(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The values as uint8, uint16 or float32 in [0, 1]."""
    if values.dtype in (np.uint8, np.uint16):
        return values
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype == np.int32:  # Pillow's mode I, which holds 16-bit pictures
        _check_range(values, 0, 65535)
        return values.astype(np.uint16)
    if not np.issubdtype(values.dtype, np.floating):
        raise ImageReadError(f"arrays are uint8, uint16, bool or floating point, got {values.dtype}")
    if not np.isfinite(values).all():
        raise ImageReadError("it has values that are not finite numbers (NaN or infinity)")
    _check_range(values, 0, 1, slack=_FLOAT_SLACK)
    return values.clip(0, 1).astype(np.float32, copy=False)


def _check_range(values: npt.NDArray[Any], low: int, high: int, *, slack: float = 0) -> None:
    least, most = float(values.min()), float(values.max())
    if least < low - slack or most > high + slack:
        raise ImageReadError(
            f"its values run from {least:g} to {most:g}; {low} to {high} is allowed for {values.dtype}"
        )


def _split(values: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None]:
    if values.ndim == 2:
        values = values[..., None]
    if values.shape[2] == 1:
        return np.broadcast_to(values, (*values.shape[:2], 3)), None
    return values[..., :3], values[..., 3] if values.shape[2] == 4 else None


def _damaged(error: Exception) -> str:
    return f"it is truncated or damaged ({' '.join(str(error).split()) or type(error).__name__})"


# The eight EXIF orientations, as what undoes them; arrays and PIL images turn alike this way.
_TURNS: dict[int, Callable[[npt.NDArray[Any]], npt.NDArray[Any]]] = {
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: np.swapaxes(pixels, 0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(np.swapaxes(pixels, 0, 1), 2),
    8: lambda pixels: np.rot90(pixels, 1),
}
