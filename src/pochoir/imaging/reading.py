"""Reading of files, PIL images and arrays as pictures."""

import hashlib
import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from pochoir._files import place_of
from pochoir._types import Size
from pochoir.errors import ImageReadError
from pochoir.imaging.alpha import AlphaKind, fill_hidden, judge_alpha
from pochoir.imaging.color import GREY_NOTE
from pochoir.imaging.decoding import Decoded, decode_array, decode_image, decode_pil
from pochoir.imaging.display import to_array
from pochoir.imaging.masks import matte_of
from pochoir.imaging.picture import Matte, Picture, PictureSource
from pochoir.imaging.resizing import resize

_log = logging.getLogger(__name__)

_FULL_SCALE = {np.dtype(np.uint8): 255.0, np.dtype(np.uint16): 65535.0, np.dtype(np.float32): 1.0}


def load(source: PictureSource, *, role: str = "photo") -> Picture:
    """Read a picture and convert it to upright sRGB.

    Files: PNG, JPEG, WebP, TIFF, AVIF, HEIF, JPEG XL, GIF, BMP and what ``pillow_decoder.FORMATS`` lists, of any
    colour space and depth. 16-bit and floating-point pictures keep their precision. Of several frames the first is
    taken. Pictures of more than 100 megapixels are reduced. ``notes`` lists every conversion.

    Arrays: (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) in RGB(A) order; uint8 in 0..255, uint16 in 0..65535, bool, or
    floating point in 0..1. Tensors: (C, H, W), (1, C, H, W) or (H, W) with 1, 3 or 4 channels, of the same types. A
    ``Picture`` is returned as it is.

    Args:
        source: A path, a PIL image, an array, a tensor or a ``Picture``.
        role: Use of the picture, as error messages name it.

    Returns:
        The picture at its own size.

    Raises:
        ImageReadError: The picture is missing, empty, truncated, not a picture or out of range.
    """
    if isinstance(source, Picture):
        return source
    if isinstance(source, str | os.PathLike):
        return _load_file(os.fspath(source), role)
    try:
        if isinstance(source, Image.Image):
            decoded = decode_pil(source)
        elif isinstance(source, np.ndarray):
            decoded = decode_array(source)
        elif isinstance(source, Tensor):
            decoded = decode_array(to_array(source))
        else:
            kind = type(source).__name__
            raise ImageReadError(f"expected a path, a PIL image, an array, a tensor or a Picture, got {kind}")
    except ImageReadError as error:
        raise ImageReadError(f"Cannot use the {role}: {error}.") from error
    rgb, alpha = _to_tensors(decoded)
    digest = _hash_tensors(rgb, alpha)
    return _make_picture(decoded, rgb, alpha, name="<image>", path=None, sha256=digest)


def load_matte(source: PictureSource, *, size: Size) -> Matte:
    """Read a mask: by its transparency if that cuts out a shape, else by its brightness, white for the subject.

    A mask of 0 and 1, or of black and one colour, is stretched to black and white with a note.

    Args:
        source: As for ``load``.
        size: The photo's size; a mask of another size is resized with a note.

    Returns:
        The matte at ``size``. A mask of black and white at that size is exactly 0 and 1.

    Raises:
        ImageReadError: As for ``load``; or it holds several labels.
    """
    picture = load(source, role="mask")
    try:
        matte, own_notes = matte_of(picture)
    except ImageReadError as error:
        raise ImageReadError(f"Cannot use the mask {picture.path or picture.name!r}: {error}.") from error
    notes = tuple(note for note in picture.notes if note != GREY_NOTE) + own_notes  # grey is what a mask should be
    if picture.size != size:
        shape = picture.size.width * size.height / (picture.size.height * size.width)
        change = " and stretched, since its shape differs" if abs(shape - 1) > 0.02 else ""
        notes = (*notes, f"mask resized from {picture.size} to {size}{change}")
        matte = resize(matte, size, mode="bilinear")
    return Matte(matte, picture.name, picture.path, picture.sha256, notes)


def _load_file(path: str, role: str) -> Picture:
    data = _read_bytes(path, role)
    try:
        decoded = decode_image(data)
    except ImageReadError as error:
        raise ImageReadError(f"Cannot read the {role} {path!r}: {error}.") from error
    for note in decoded.notes:
        _log.debug("%s: %s", path, note)
    digest = hashlib.sha256(data).hexdigest()
    return _make_picture(decoded, *_to_tensors(decoded), name=Path(path).name, path=path, sha256=digest)


def _make_picture(decoded: Decoded, rgb: Tensor, alpha: Tensor | None, **origin: Any) -> Picture:
    """Judge the transparency, and hide what transparent pixels hold from everything that follows."""
    judgement = judge_alpha(rgb, alpha)
    notes = (*decoded.notes, *([judgement.note] if judgement.note else []))
    if alpha is None or judgement.kind is AlphaKind.DEAD:
        return Picture(rgb, None, notes=notes, metadata=decoded.metadata, **origin)
    return Picture(fill_hidden(rgb, alpha), alpha, notes=notes, metadata=decoded.metadata, **origin)


def _read_bytes(path: str, role: str) -> bytes:
    start = f"Cannot read the {role} {path!r}: "
    if not path:
        raise ImageReadError(f"Cannot read the {role}: its path is empty.")
    try:
        data = place_of(path).read_bytes()
    except FileNotFoundError as error:
        raise ImageReadError(f"{start}there is no such file.") from error
    except IsADirectoryError as error:
        raise ImageReadError(f"{start}it is a folder, not a picture.") from error
    except (OSError, ValueError) as error:
        raise ImageReadError(f"{start}{getattr(error, 'strerror', None) or error}.") from error
    if not data:
        raise ImageReadError(f"{start}the file is empty.")
    return data


def _to_tensors(decoded: Decoded) -> tuple[Tensor, Tensor | None]:
    rgb = _to_planes(decoded.rgb)
    if decoded.alpha is None:
        return rgb, None
    alpha = _to_planes(decoded.alpha[..., None])
    return rgb, alpha if bool((alpha < 1).any()) else None


def _to_planes(values: npt.NDArray[Any]) -> Tensor:  # (H, W, C) of any known type -> (1, C, H, W) in [0, 1]
    planes = np.empty((1, values.shape[2], *values.shape[:2]), np.float32)
    planes[0] = np.moveaxis(values, 2, 0)  # converts on the way, without a second large array
    planes /= _FULL_SCALE[values.dtype]
    return torch.from_numpy(planes)


def _hash_tensors(rgb: Tensor, alpha: Tensor | None) -> str:
    digest = hashlib.sha256(repr(tuple(rgb.shape[-2:])).encode())
    for tensor in (rgb, alpha):
        if tensor is not None:
            digest.update(tensor.numpy().data)
    return digest.hexdigest()
