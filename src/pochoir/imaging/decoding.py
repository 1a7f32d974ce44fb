"""Decoding of files, PIL images and arrays to upright sRGB."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from pochoir.errors import ImageReadError
from pochoir.imaging import heif, jpeg, jpegxl, png, tiff
from pochoir.imaging.boxes import brands_of
from pochoir.imaging.color import to_srgb
from pochoir.imaging.pillow_decoder import FORMATS, add_metadata, decode_with_pillow, raster_of_pil
from pochoir.imaging.raster import Metadata, Raster, check_samples

READABLE = "PNG, JPEG, WebP, TIFF, AVIF, HEIF, JPEG XL, GIF, BMP, JPEG 2000 and the like"

_OWN_DECODERS = ("PNG", "JPEG", "TIFF", "AVIF")
_RAW_MAGICS = (b"FUJIFILMCCD-RAW", b"IIU\0", b"IIRO", b"IIRS", b"MMOR", b"\0MRM", b"FOVb")
_MATROSKA = b"\x1aE\xdf\xa3"  # of WebM, too


@dataclass
class Decoded:
    """Pixels in upright sRGB, and notes on their conversion."""

    rgb: npt.NDArray[Any]
    """(H, W, 3), uint8, uint16 or float32 in [0, 1]."""
    alpha: npt.NDArray[Any] | None = None
    """(H, W), of one of the same types."""
    notes: list[str] = field(default_factory=list)
    metadata: Metadata = field(default_factory=Metadata)


def picture_suffixes() -> frozenset[str]:
    """Return the extensions of the files that can be read, in small letters, each with its dot."""
    registered = Image.registered_extensions().items()
    suffixes = {suffix for suffix, name in registered if name in (*FORMATS, *_OWN_DECODERS)}
    # HEIF is listed even where it cannot be read: a photo in a folder is refused by name, not passed over in silence.
    return frozenset(suffixes | {".jxl", *heif.HEIF_SUFFIXES})


def is_still(head: bytes) -> bool:
    """Return True if the first 64 bytes are those of a still format; False for animated or unknown files.

    PNG, GIF and WebP are False, since only their frames show whether they move. Of AVIF and HEIF the main brand counts:
    a video may name a brand of pictures among the others.
    """
    brand = head[8:12] if head[4:8] == b"ftyp" else b""
    return (
        head.startswith((jpeg.MAGIC, *tiff.MAGICS, *_RAW_MAGICS))
        or jpegxl.is_jpegxl(head)
        or brand in heif.STILL_BRANDS
        or brand == b"crx "
    )


def decode_image(data: bytes) -> Decoded:
    """Decode the bytes of a picture file.

    Raises:
        ImageReadError: Its text is only the reason, for the caller to complete.
    """
    return _guarded(lambda: _decoder_of(data)(data))


def decode_pil(image: Image.Image) -> Decoded:
    """Decode a PIL image at its current frame.

    Raises:
        ImageReadError: Its text is only the reason, for the caller to complete.
    """
    if 0 in image.size:
        raise ImageReadError(f"it has no pixels: its size is {image.width}x{image.height}")

    def decode() -> Raster:
        image.load()
        raster = raster_of_pil(image)
        add_metadata(raster, image)
        return raster

    return _guarded(decode)


def decode_array(values: npt.NDArray[Any]) -> Decoded:
    """Check and split an array; see ``reading.load`` for what is taken."""
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] not in (1, 3, 4)):
        raise ImageReadError(
            f"an array must have the shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), got {values.shape}"
        )
    if 0 in values.shape:
        raise ImageReadError(f"it has no pixels: its shape is {values.shape}")
    if values.dtype.kind not in "fb" and values.dtype not in (np.uint8, np.uint16):
        raise ImageReadError(f"arrays are uint8, uint16, bool or floating point, got {values.dtype}")
    samples = check_samples(values if values.ndim == 3 else values[..., None])
    if samples.shape[2] == 1:
        return Decoded(np.broadcast_to(samples, (*samples.shape[:2], 3)))
    return Decoded(samples[..., :3], samples[..., 3] if samples.shape[2] == 4 else None)


def _decoder_of(data: bytes) -> Callable[[bytes], Raster]:
    """Return the decoder for what the first bytes say; the extension of a file may be wrong."""
    if data.startswith(_RAW_MAGICS) or b"crx " in brands_of(data):
        raise ImageReadError(tiff.RAW_MESSAGE)
    for matches, decoder in (
        (data.startswith(png.MAGIC), png.decode_png),
        (data.startswith(jpeg.MAGIC), jpeg.decode_jpeg),
        (data.startswith(tiff.MAGICS), tiff.decode_tiff),
        (jpegxl.is_jpegxl(data), jpegxl.decode_jpegxl),
        (heif.is_avif(data), heif.decode_avif),
        (heif.is_heif(data), heif.decode_heif),
    ):
        if matches:
            return decoder
    if data[4:8] == b"ftyp" or data.startswith(_MATROSKA) or (data.startswith(b"RIFF") and data[8:12] == b"AVI "):
        raise ImageReadError("it is a video, not a picture; videos are painted with: pochoir video")
    return decode_with_pillow


def _guarded(decode: Callable[[], Raster]) -> Decoded:
    """Decode, turn upright and convert; whatever a decoder of a broken file raises becomes one readable reason."""
    with warnings.catch_warnings():
        # Decoders warn about odd metadata and large pictures; neither keeps us from using the picture.
        warnings.simplefilter("ignore")
        try:
            return _finish(decode())
        except ImageReadError:
            raise
        except UnidentifiedImageError as error:
            raise ImageReadError(f"it is not a picture that can be read ({READABLE})") from error
        except Image.DecompressionBombError as error:
            limit = 2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6
            raise ImageReadError(f"it has more than {limit:.0f} million pixels; make it smaller first") from error
        except MemoryError as error:
            raise ImageReadError("there is not enough memory for it; make it smaller first") from error
        except Exception as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ImageReadError(f"it is truncated or damaged ({reason})") from error


def _finish(raster: Raster) -> Decoded:
    rgb, alpha = to_srgb(raster), raster.alpha
    turn = _TURNS.get(raster.orientation)
    if turn is not None:
        raster.notes.append(f"turned upright (EXIF orientation {raster.orientation})")
        rgb, alpha = turn(rgb), None if alpha is None else turn(alpha)
    return Decoded(rgb, alpha, raster.notes, raster.metadata)


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
