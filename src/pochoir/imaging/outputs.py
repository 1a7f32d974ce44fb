"""Checks of output paths, before anything long begins."""

import os
from collections.abc import Iterable
from pathlib import Path

from pochoir.errors import OutputPathError
from pochoir.imaging.options import DEFAULT_OPTIONS, SaveOptions

FORMAT_OF_SUFFIX = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".avif": "AVIF",
    ".jxl": "JXL",
    ".ora": "ORA",
}
RECORD_INSIDE = ("PNG", "ORA")
"""Formats that hold their record; others have it in a file beside them."""
_WITHOUT_ALPHA = ("JPEG",)
_DEEP_FORMATS = ("PNG", "TIFF", "JXL")
_SRGB_FORMATS = ("JXL", "ORA")
_MAX_NAME_BYTES = 255 - len(".json")


def format_of(path: str | os.PathLike[str], *, alpha: bool) -> str:
    """Return the name of the format that a path's extension stands for.

    Raises:
        OutputPathError: The extension is unknown, or its format cannot hold the alpha that is needed.
    """
    suffix = Path(path).suffix
    name = FORMAT_OF_SUFFIX.get(suffix.lower())
    if name is None:
        given = f"extension {suffix!r}" if suffix else "missing extension"
        raise OutputPathError(
            f"Cannot tell the picture format of {os.fspath(path)!r} by its {given}; "
            f"allowed: {', '.join(FORMAT_OF_SUFFIX)}."
        )
    if alpha and name in _WITHOUT_ALPHA:
        raise OutputPathError(
            f"{os.fspath(path)!r} is to hold transparency, which {name} cannot; use .png, .webp or .tiff."
        )
    return name


def check_options(file_format: str, options: SaveOptions) -> None:
    """Check that a format can hold what the options ask for.

    Raises:
        OutputPathError: It has fewer bits, or no profile of its own.
    """
    if options.bits > 8 and file_format not in _DEEP_FORMATS:
        raise OutputPathError(f"{file_format} holds 8 bits; for 16 bits use .png, .tiff or .jxl.")
    if options.profile == "keep" and file_format in _SRGB_FORMATS:
        raise OutputPathError(f"{file_format} is written in sRGB; use .png or .tiff to keep the photo's profile.")


def holds_alpha(path: str | os.PathLike[str]) -> bool:
    """Return whether the format of a path's extension can hold transparency.

    Raises:
        OutputPathError: The extension is unknown.
    """
    return format_of(path, alpha=False) not in _WITHOUT_ALPHA


def holds_layers(path: str | os.PathLike[str]) -> bool:
    """Return whether the format of a path's extension holds layers instead of one picture.

    Raises:
        OutputPathError: The extension is unknown.
    """
    return format_of(path, alpha=False) == "ORA"


def sidecar_of(path: str | os.PathLike[str]) -> Path:
    """Return the path beside a picture for its record, for formats that do not hold it."""
    return Path(f"{os.fspath(path)}.json")


def needs_sidecar(path: str | os.PathLike[str]) -> bool:
    """Return whether the format of a path's extension has its record in a file beside it.

    Raises:
        OutputPathError: The extension is unknown.
    """
    return format_of(path, alpha=False) not in RECORD_INSIDE


def is_stream(path: str | os.PathLike[str]) -> bool:
    """Return whether a path is a pipe or a device, which is written to and never replaced."""
    target = Path(path)
    return target.exists() and not target.is_file() and not target.is_dir()


def make_folder(folder: str | os.PathLike[str]) -> None:
    """Make a folder for pictures, with its parents, unless it is there.

    Raises:
        OutputPathError: It cannot be made.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise OutputPathError(f"Cannot make the folder {os.fspath(folder)}: a file has that name.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputPathError(f"Cannot make the folder {os.fspath(folder)}: {reason}.") from error


def check_output(
    path: str | os.PathLike[str],
    *,
    inputs: Iterable[str | os.PathLike[str]] = (),
    alpha: bool = False,
    force: bool = False,
    options: SaveOptions = DEFAULT_OPTIONS,
    has_layers: bool = True,
) -> None:
    """Check before a long run that its picture can be written.

    An existing file is replaced without asking unless it is one of the inputs, also by another name or a link.

    Args:
        path: Path of the picture.
        inputs: Files that the run reads.
        alpha: Whether the picture has transparency.
        force: Allow an input to be replaced.
        options: Options of the file.
        has_layers: Whether the picture comes in layers, which one format needs.

    Raises:
        OutputPathError: The extension is unknown, or its format cannot hold the alpha, the bits or the profile; the
            path is a folder; its folder is missing or cannot be written to; or it is one of the inputs and ``force``
            is not given.
    """
    target = Path(path)
    picture_format = format_of(target, alpha=alpha)
    check_options(picture_format, options)
    if picture_format == "ORA" and not has_layers:
        raise OutputPathError(f"{os.fspath(path)!r} holds layers; a single picture is saved as .png or the like.")
    try:
        check_place(target)
    except OSError as error:
        raise OutputPathError(f"The output {str(target)!r} cannot be used: {error.strerror}.") from error
    if force:
        return
    written = [target] if picture_format in RECORD_INSIDE else [target, sidecar_of(target)]
    for source in inputs:
        for candidate in written:
            if _is_same_file(candidate, Path(source)):
                raise OutputPathError(
                    f"{os.fspath(candidate)!r} is an input and would be overwritten; "
                    "choose another output or force it (--force)."
                )


def check_place(target: Path) -> None:
    """Check that a file can be made at a path.

    Raises:
        OutputPathError: The path is a folder, its name is not possible, or its folder is missing or not writable.
    """
    if "\0" in str(target) or len(os.fsencode(target.name)) > _MAX_NAME_BYTES:
        raise OutputPathError(f"The output's name {target.name[:40]!r}... is too long or has characters no file can.")
    folder = target.parent
    if not folder.exists():
        raise OutputPathError(f"The folder {str(folder)!r} of the output does not exist; make it first.")
    if not folder.is_dir():
        raise OutputPathError(f"{str(folder)!r} is a file, not a folder; the output cannot go into it.")
    if target.is_dir():
        raise OutputPathError(f"The output {str(target)!r} is a folder; give a file's name.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputPathError(f"The folder {str(folder)!r} cannot be written to; choose another or change its rights.")


def _is_same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):  # at least one does not exist
        return os.path.realpath(one) == os.path.realpath(other)  # unlike Path.resolve, survives links in a circle
