"""Writing of picture files, whole or not at all, with their records."""

import os
import secrets
from pathlib import Path

import torch
from torch import Tensor

from pochoir.errors import InputError, OutputPathError, ShapeError, WriteError
from pochoir.imaging.encoding import Payload, encode, to_pixels
from pochoir.imaging.exif import select_exif
from pochoir.imaging.integrity import stamp_record, strip_stamp
from pochoir.imaging.options import DEFAULT_OPTIONS, SaveOptions
from pochoir.imaging.outputs import FORMAT_OF_SUFFIX, RECORD_INSIDE, check_options, format_of, is_stream, sidecar_of
from pochoir.imaging.png import find_record
from pochoir.imaging.raster import Metadata, Samples
from pochoir.imaging.xmp import Origin, build_packet


def save(
    path: str | os.PathLike[str],
    rgb: Tensor,
    *,
    alpha: Tensor | None = None,
    record: str | None = None,
    options: SaveOptions = DEFAULT_OPTIONS,
    metadata: Metadata | None = None,
    origin: Origin | None = None,
) -> None:
    """Write a picture; at its name there is the old file or the whole new one, never a part.

    Values are rounded to the nearest step, halves up, so that samples of 8 bits return unchanged.
    The file says which colour space it is in. The same picture and record give the same bytes.

    Args:
        path: Path of the file; the extension picks PNG, JPEG, WebP, TIFF, AVIF or JPEG XL.
        rgb: Colours in [0, 1], shape (1, 3, H, W); values outside are clipped.
        alpha: Opacity in [0, 1], shape (1, 1, H, W).
        record: Text to keep with the picture: in PNG inside it, else in a file of the same name plus ``.json``.
        options: Depth, compression, and what is kept.
        metadata: Facts of the photo; ``options`` says which of them are kept.
        origin: ``"painted"`` or ``"cut out"``; the file then says so in the IPTC's terms.

    Raises:
        OutputPathError: The extension is unknown, or the format cannot hold such a picture.
        ShapeError: The tensors are not one picture.
        InputError: The picture holds values that are not numbers.
        WriteError: The disk is full, the folder is missing or not writable, or the like.
    """
    file_format = format_of(path, alpha=alpha is not None)
    check_options(file_format, options)
    if file_format == "ORA":
        raise OutputPathError(f"{os.fspath(path)!r} holds layers; a single picture is saved as .png or the like.")
    kept = record if options.embed_record else None
    facts = metadata or Metadata()
    colors, opacity = to_planes(rgb, alpha)
    pixels, icc, is_srgb = to_pixels(colors, opacity, options, facts.icc)
    exif = None if options.metadata == "none" else select_exif(facts.exif, gps=options.metadata == "gps")
    payload = Payload(
        pixels=pixels,
        options=options,
        icc=icc,
        is_srgb=is_srgb,
        exif=exif,
        dpi=facts.dpi if options.dpi is None else (options.dpi, options.dpi),
        xmp=None if origin is None else build_packet(origin),
        record=kept if file_format == "PNG" else None,
    )
    data = encode(payload, file_format)
    files = {Path(path): data}
    if kept is not None and file_format not in RECORD_INSIDE and not is_stream(path):
        files[sidecar_of(path)] = stamp_record(kept, data).encode()
    write_all(files)


def write_file(path: str | os.PathLike[str], data: bytes) -> None:
    """Write bytes; at the name there is the old file or the whole new one, never a part.

    Raises:
        WriteError: The disk is full, the folder is missing or not writable, or the like.
    """
    write_all({Path(path): data})


def read_record(path: str | os.PathLike[str]) -> str:
    """Return the text that ``save`` has kept with a picture.

    Raises:
        InputError: There is no such file, it is not a picture, or it has no record.
    """
    target = Path(path)
    try:
        if target.suffix.lower() == ".png":
            text = find_record(target.read_bytes())
        elif target.suffix.lower() == ".ora":
            from pochoir.imaging.openraster import read_layers_record  # which imports this module

            text = read_layers_record(target)
        else:
            text = strip_stamp(sidecar_of(target).read_text(encoding="utf-8")) if target.exists() else None
    except FileNotFoundError:
        text = None
    except (OSError, ValueError) as error:
        raise InputError(f"Cannot read the recipe in {str(target)!r}: {error}.") from error
    if text is None:
        raise InputError(_missing_record(target))
    return text


def _missing_record(target: Path) -> str:
    if not target.exists():
        return f"Cannot read the recipe in {str(target)!r}: there is no such file."
    suffix = target.suffix.lower()
    if suffix in (".png", ".ora") or suffix not in FORMAT_OF_SUFFIX:
        return f"{str(target)!r} holds no recipe; it was not made by pochoir, or another program dropped it."
    return f"{str(target)!r} has no recipe beside it; {sidecar_of(target).name!r} should lie in the same folder."


def to_planes(rgb: Tensor, alpha: Tensor | None) -> tuple[Samples, Samples | None]:
    """Return a picture as arrays, (H, W, 3) and (H, W) float32.

    Raises:
        ShapeError: The tensors are not one picture.
        InputError: They hold values that are not numbers.
    """
    if rgb.ndim != 4 or rgb.shape[:2] != (1, 3) or 0 in rgb.shape:
        raise ShapeError(f"A picture to save has the shape (1, 3, H, W); got {tuple(rgb.shape)}.")
    if alpha is not None and alpha.shape != (1, 1, *rgb.shape[-2:]):
        raise ShapeError(
            f"The alpha of a {tuple(rgb.shape)} picture is {(1, 1, *rgb.shape[-2:])}; got {tuple(alpha.shape)}."
        )
    colors = _to_array(rgb[0].permute(1, 2, 0))
    return colors, None if alpha is None else _to_array(alpha[0, 0])


def _to_array(values: Tensor) -> Samples:
    if not bool(torch.isfinite(values).all()):
        raise InputError("The picture holds values that are not finite numbers, so it is not saved.")
    array: Samples = values.detach().cpu().float().numpy()
    return array


def write_all(files: dict[Path, bytes]) -> None:
    """Write every file under a temporary name first, then move them all into place."""
    staged: dict[Path, Path] = {}
    try:
        for path, data in files.items():
            if is_stream(path):
                Path(path).write_bytes(data)
                continue
            # A link is written through, as with any other program; Path.resolve would fail on links in a circle.
            target = Path(os.path.realpath(path))
            draft = target.with_name(f".pochoir-{secrets.token_hex(6)}.tmp")
            staged[target] = draft
            _write_new(draft, data)
        for target, draft in reversed(staged.items()):  # a picture last: when it is there, so is its record
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
