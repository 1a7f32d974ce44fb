"""Pictures become files."""

import io
import os
import secrets
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from PIL import Image, PngImagePlugin
from torch import Tensor

from pochoir.errors import InputError, OutputPathError, ShapeError, WriteError
from pochoir.imaging.icc import srgb_profile
from pochoir.imaging.integrity import stamp_record, strip_stamp
from pochoir.imaging.outputs import format_of, sidecar_of

RECORD_KEY = "pochoir"

_COMPRESS_FROM = 4096
# Readers refuse compressed text that unpacks to more than a megabyte, and may refuse the picture with it.
_COMPRESS_TO = 1_000_000


def save(
    path: str | os.PathLike[str],
    rgb: Tensor,
    *,
    alpha: Tensor | None = None,
    record: str | None = None,
    quality: int = 95,
) -> None:
    """Write a picture; at its name there is the old file or the whole new one, never a part.

    Values are rounded to the nearest of 256 steps, halves up, so what came from 8 bits returns to the same 8 bits.
    The file says that it is sRGB. The same picture and record give the same bytes.

    Args:
        path: Where to; the extension picks PNG, JPEG, WebP or TIFF.
        rgb: Colours in [0, 1], shape (1, 3, H, W); what lies outside is clipped.
        alpha: Opacity in [0, 1], shape (1, 1, H, W).
        record: Text to keep with the picture: in PNG inside it, else in a file of the same name plus ``.json``.
        quality: 1 to 100, for JPEG and WebP.

    Raises:
        OutputPathError: The extension is unknown, or the format cannot hold such a picture.
        ShapeError: The tensors are not one picture.
        InputError: The picture holds values that are not numbers.
        WriteError: The disk is full, the folder is missing or not writable, or the like.
    """
    picture_format = format_of(path, alpha=alpha is not None)
    image = _to_image(rgb, alpha)
    try:
        data = _encode(image, picture_format, record, quality)
    except (OSError, ValueError, OverflowError) as error:
        raise OutputPathError(
            f"A picture of {image.width}x{image.height} cannot be written as {picture_format} ({error}); "
            "try .png or .tiff."
        ) from error
    files = {Path(path): data}
    if record is not None and picture_format != "PNG":
        files[sidecar_of(path)] = stamp_record(record, data).encode()
    _write_all(files)


def write_file(path: str | os.PathLike[str], data: bytes) -> None:
    """Write bytes; at the name there is the old file or the whole new one, never a part.

    Raises:
        WriteError: The disk is full, the folder is missing or not writable, or the like.
    """
    _write_all({Path(path): data})


def read_record(path: str | os.PathLike[str]) -> str:
    """The text that ``save`` has kept with a picture.

    Raises:
        InputError: There is no such file, it is not a picture, or it has no record.
    """
    target = Path(path)
    try:
        if target.suffix.lower() == ".png":
            with _no_size_warnings(), Image.open(target, formats=("PNG",)) as image:
                text = image.info.get(RECORD_KEY)
                if text is None:  # some programs move text behind the pixels when they rewrite a PNG
                    image.load()
                    text = image.info.get(RECORD_KEY)
        else:
            text = strip_stamp(sidecar_of(target).read_text(encoding="utf-8")) if target.exists() else None
    except FileNotFoundError:
        text = None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"Cannot read the recipe in {str(target)!r}: {error}.") from error
    if text is None:
        raise InputError(_missing_record(target))
    return str(text)


@contextmanager
def _no_size_warnings() -> Iterator[None]:
    with warnings.catch_warnings():  # of pictures above 90 megapixels, as full-size ones may be
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def _missing_record(target: Path) -> str:
    if not target.exists():
        return f"Cannot read the recipe in {str(target)!r}: there is no such file."
    if target.suffix.lower() == ".png":
        return f"{str(target)!r} holds no recipe; it was not made by pochoir, or another program dropped it."
    return f"{str(target)!r} has no recipe beside it; {sidecar_of(target).name!r} should lie in the same folder."


def _to_image(rgb: Tensor, alpha: Tensor | None) -> Image.Image:
    if rgb.ndim != 4 or rgb.shape[:2] != (1, 3) or 0 in rgb.shape:
        raise ShapeError(f"A picture to save has the shape (1, 3, H, W); got {tuple(rgb.shape)}.")
    if alpha is not None and alpha.shape != (1, 1, *rgb.shape[-2:]):
        raise ShapeError(
            f"The alpha of a {tuple(rgb.shape)} picture is {(1, 1, *rgb.shape[-2:])}; got {tuple(alpha.shape)}."
        )
    planes = [*rgb[0], *([] if alpha is None else alpha[0])]
    return Image.merge("RGB" if alpha is None else "RGBA", [Image.fromarray(_to_bytes(plane)) for plane in planes])


def _to_bytes(plane: Tensor) -> Any:  # (H, W) in [0, 1] -> uint8 array
    if not bool(torch.isfinite(plane).all()):
        raise InputError("The picture holds values that are not finite numbers, so it is not saved.")
    return plane.detach().cpu().mul(255).add_(0.5).clamp_(0, 255).to(torch.uint8).numpy()


def _encode(image: Image.Image, picture_format: str, record: str | None, quality: int) -> bytes:
    options: dict[str, Any]
    if picture_format == "PNG":
        # Beyond runs of one value zlib finds little in photos: it takes four times as long for 1 % of the file.
        options = {"pnginfo": _png_chunks(record), "compress_type": zlib.Z_RLE}
    elif picture_format == "JPEG":
        # Painted pictures live on saturated edges, which halved chroma would smear.
        options = {"quality": quality, "subsampling": "4:4:4", "icc_profile": srgb_profile()}
    elif picture_format == "WEBP":
        options = {"quality": quality, "exact": True, "icc_profile": srgb_profile()}
    else:
        options = {"compression": "tiff_adobe_deflate", "icc_profile": srgb_profile()}
    buffer = io.BytesIO()
    image.save(buffer, picture_format, **options)
    return buffer.getvalue()


def _png_chunks(record: str | None) -> PngImagePlugin.PngInfo:
    chunks = PngImagePlugin.PngInfo()
    chunks.add(b"sRGB", b"\0")  # rendering intent: perceptual
    if record is not None:
        chunks.add_itxt(RECORD_KEY, record, zip=_COMPRESS_FROM <= len(record.encode()) <= _COMPRESS_TO)
    return chunks


def _write_all(files: dict[Path, bytes]) -> None:
    """Write every file under a temporary name first, then move them all into place."""
    staged: dict[Path, Path] = {}
    try:
        for path, data in files.items():
            # A link is written through, as with any other program; Path.resolve would fail on links in a circle.
            target = Path(os.path.realpath(path))
            draft = target.with_name(f".pochoir-{secrets.token_hex(6)}.tmp")
            staged[target] = draft
            _write_new(draft, data)
        for target, draft in staged.items():
            draft.replace(target)
    except (OSError, ValueError) as error:
        names = " and ".join(repr(str(path)) for path in files)
        raise WriteError(f"Cannot write {names}: {getattr(error, 'strerror', None) or error}.") from error
    finally:
        for draft in staged.values():
            draft.unlink(missing_ok=True)


def _write_new(path: Path, data: bytes) -> None:
    with path.open("xb") as handle:
        handle.write(data)
