"""OpenRaster files: pictures in named layers, which GIMP, Krita and other painting programs open."""

import io
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from PIL import Image
from torch import Tensor

from pochoir._types import Size
from pochoir.errors import InputError, OutputPathError, ShapeError
from pochoir.imaging.encoding import Payload, encode
from pochoir.imaging.icc import srgb_profile
from pochoir.imaging.options import DEFAULT_OPTIONS
from pochoir.imaging.outputs import format_of
from pochoir.imaging.png import find_record
from pochoir.imaging.raster import Samples
from pochoir.imaging.writing import to_planes, write_file
from pochoir.imaging.xmp import Origin, build_packet

MIME_TYPE = "image/openraster"
MERGED_NAME = "mergedimage.png"

_VERSION = "0.0.5"
_THUMBNAIL_PX = 256
_DATE = (1980, 1, 1, 0, 0, 0)  # the same layers, the same bytes
_LARGEST_ENTRY = 2_000_000_000


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of a picture."""

    name: str
    picture: Tensor
    """Colours in [0, 1], shape (1, 3, H, W), or with alpha (1, 4, H, W), the colours not multiplied by alpha."""
    left: int = 0
    """Columns from the left edge of the picture to that of the layer; may be negative."""
    top: int = 0
    """Rows from the upper edge of the picture to that of the layer; may be negative."""
    is_visible: bool = True
    opacity: float = 1.0


def save_layers(
    path: str | os.PathLike[str],
    layers: Sequence[Layer],
    *,
    size: Size | None = None,
    record: str | None = None,
    origin: Origin | None = None,
) -> None:
    """Write an OpenRaster file; at its name there is the old file or the whole new one, never a part.

    Args:
        path: Path of the file; its extension is ``.ora``.
        layers: Layers from top to bottom; at least one.
        size: Size of the picture; by default that of the lowest layer.
        record: Text to keep inside the file.
        origin: ``"painted"`` or ``"cut out"``; the merged picture then says so in the IPTC's terms.

    Raises:
        OutputPathError: The extension is another.
        ShapeError: There is no layer, or one is no picture.
        InputError: A layer holds values that are not numbers, or its opacity is not in [0, 1].
        WriteError: The disk is full, the folder is missing or not writable, or the like.
    """
    if format_of(path, alpha=True) != "ORA":
        raise OutputPathError(f"Layers are written to .ora files; got {os.fspath(path)!r}.")
    write_file(path, encode_layers(layers, size=size, record=record, origin=origin))


def encode_layers(
    layers: Sequence[Layer], *, size: Size | None = None, record: str | None = None, origin: Origin | None = None
) -> bytes:
    """Return the bytes of an OpenRaster file; see ``save_layers``."""
    if not layers:
        raise ShapeError("A picture in layers needs at least one layer.")
    pixels = [_to_pixels(layer) for layer in layers]
    canvas = Size(*pixels[-1].shape[:2]) if size is None else size
    merged = _merge(layers, pixels, canvas)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        # Readers tell the format by these bytes at the beginning of the file.
        _add(archive, "mimetype", MIME_TYPE.encode())
        _add(archive, "stack.xml", _build_stack(layers, canvas))
        for index, layer_pixels in enumerate(pixels):
            _add(archive, _name_of(index), _encode_png(layer_pixels))
        packet = None if origin is None else build_packet(origin)
        _add(archive, MERGED_NAME, _encode_png(merged, record=record, xmp=packet))
        _add(archive, "Thumbnails/thumbnail.png", _encode_thumbnail(merged))
    return buffer.getvalue()


def read_layers_record(path: Path) -> str | None:
    """Return the record in an OpenRaster file; ``None`` if it holds none.

    Raises:
        ValueError: It is no such file.
        OSError: It cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(MERGED_NAME).file_size > _LARGEST_ENTRY:
                raise ValueError("its merged picture is too large")
            return find_record(archive.read(MERGED_NAME))
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"it is not an OpenRaster file ({error})") from error


def _to_pixels(layer: Layer) -> Samples:
    picture = layer.picture
    if picture.ndim != 4 or picture.shape[1] not in (3, 4):
        raise ShapeError(
            f"The layer {layer.name!r} has the shape (1, 3, H, W) or (1, 4, H, W); got {tuple(picture.shape)}."
        )
    if not 0 <= layer.opacity <= 1:
        raise InputError(f"The opacity of the layer {layer.name!r} is between 0 and 1; got {layer.opacity:g}.")
    colors, alpha = to_planes(picture[:, :3], picture[:, 3:] if picture.shape[1] == 4 else None)
    opaque = np.ones(colors.shape[:2], np.float32) if alpha is None else alpha
    values = np.dstack([colors, opaque]).clip(0, 1)
    rounded: Samples = (values * 255 + 0.5).astype(np.uint8)
    return rounded


def _merge(layers: Sequence[Layer], pixels: Sequence[Samples], size: Size) -> Samples:
    """Lay the visible layers over each other, as the reader of the file will."""
    merged: Samples = np.zeros((*size, 4), np.float32)  # colours multiplied by alpha
    for layer, values in reversed(list(zip(layers, pixels, strict=True))):
        if not layer.is_visible:
            continue
        target, source = _overlap(layer, values.shape[:2], size)
        part = values[source].astype(np.float32) / 255
        alpha = part[..., 3:] * np.float32(layer.opacity)
        under = merged[target]
        merged[target] = under * (1 - alpha) + np.concatenate([part[..., :3] * alpha, alpha], axis=2)
    alpha = merged[..., 3:]
    colors = np.divide(merged[..., :3], alpha, out=np.zeros_like(merged[..., :3]), where=alpha > 0)
    rounded: Samples = (np.concatenate([colors, alpha], axis=2).clip(0, 1) * 255 + 0.5).astype(np.uint8)
    return rounded


def _overlap(layer: Layer, shape: tuple[int, ...], size: Size) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return the part of the picture that a layer covers, and the part of the layer that lies inside the picture."""
    top, left = max(0, layer.top), max(0, layer.left)
    bottom = max(top, min(size.height, layer.top + shape[0]))
    right = max(left, min(size.width, layer.left + shape[1]))
    target = (slice(top, bottom), slice(left, right))
    inside = (slice(top - layer.top, bottom - layer.top), slice(left - layer.left, right - layer.left))
    return target, inside


def _build_stack(layers: Sequence[Layer], size: Size) -> bytes:
    image = ElementTree.Element("image", version=_VERSION, w=str(size.width), h=str(size.height))
    stack = ElementTree.SubElement(image, "stack")
    for index, layer in enumerate(layers):
        ElementTree.SubElement(
            stack,
            "layer",
            {
                "name": layer.name,
                "src": _name_of(index),
                "x": str(layer.left),
                "y": str(layer.top),
                "opacity": f"{layer.opacity:g}",
                "visibility": "visible" if layer.is_visible else "hidden",
                "composite-op": "svg:src-over",
            },
        )
    return bytes(ElementTree.tostring(image, encoding="UTF-8", xml_declaration=True))


def _name_of(index: int) -> str:
    return f"data/layer{index}.png"


def _encode_png(pixels: Samples, *, record: str | None = None, xmp: bytes | None = None) -> bytes:
    payload = Payload(
        pixels=pixels,
        options=DEFAULT_OPTIONS,
        icc=srgb_profile(),
        is_srgb=True,
        exif=None,
        dpi=None,
        xmp=xmp,
        record=record,
    )
    return encode(payload, "PNG")


def _encode_thumbnail(pixels: Samples) -> bytes:
    thumbnail = Image.fromarray(pixels)
    thumbnail.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX))
    return _encode_png(np.asarray(thumbnail))


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, date_time=_DATE)
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, data, compress_type=zipfile.ZIP_STORED)  # PNGs do not get any smaller
