"""Photos and places as they are typed: one photo, many, standard input and output."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pochoir.errors import OptionError, OutputPathError, UnknownNameError

if TYPE_CHECKING:
    from pochoir.jobs import Job
    from pochoir.jobs.photos import Found, Place

STREAM = "-"
FORMATS = ("png", "jpg", "webp", "tiff", "avif", "jxl", "ora")

Photos = Annotated[
    list[str],
    typer.Argument(
        metavar="PHOTO...", help="Photos, folders, patterns such as 'photos/*.jpg', or - for standard input."
    ),
]
Out = Annotated[
    Path,
    typer.Option(
        "-o",
        "--out",
        metavar="OUT|DIR",
        help="Picture to write: .png, .jpg, .webp, .tiff, .avif, .jxl or .ora (layers), or - for standard output; for "
        "many photos a folder.",
    ),
]


@dataclass(frozen=True)
class Targets:
    """Pictures to make.

    Attributes:
        places: Photos and the places of their pictures.
        is_one: Whether one photo becomes one picture at the very path that was typed.
        notes: Sentences about files that were passed over.
    """

    places: "tuple[Place, ...]"
    is_one: bool
    notes: tuple[str, ...] = ()


def find_targets(
    names: Sequence[str], out: Path, *, file_format: str, labels: Sequence[str] = ("",), force: bool = False
) -> Targets:
    """Find the photos that were typed, and give each picture its place.

    Args:
        names: Photos, folders and patterns.
        out: Picture or folder.
        file_format: One of ``FORMATS``, for pictures in a folder.
        labels: Labels of the pictures to be made of each photo.
        force: Allow photos to be overwritten.

    Raises:
        InputError: There is no photo, the format is unknown, or ``out`` is a picture where a folder is needed.
    """
    check_format(file_format)

    from pochoir import imaging
    from pochoir.jobs import photos

    if not photos.are_many(names) and len(labels) == 1 and not out.is_dir():
        check_streams(names[0], out)
        return Targets((photos.Place(Path(names[0]), out, labels[0]),), is_one=True)
    _check_folder(names, out, len(labels))
    found = photos.find_photos(names, suffixes=imaging.picture_suffixes(), out=out)
    places = photos.place_outputs(found.photos, out, suffix=f".{file_format}", labels=labels, force=force)
    return Targets(tuple(places), is_one=False, notes=found.notes)


def plan_films(
    make: "Callable[..., Job]",
    names: Sequence[str],
    out: Path,
    find: "Callable[[Sequence[str], Path], Found]",
    *,
    file_format: str,
    nouns: tuple[str, str],
    force: bool,
) -> "tuple[list[Job], tuple[str, ...] | None]":
    """Plan the jobs of a command that writes moving pictures.

    Args:
        make: Makes a job from a ``photo`` and an ``output``.
        names: Photos or videos, folders and patterns.
        out: File or folder.
        find: Finds the inputs of several names.
        file_format: Extension of the files in a folder, without a dot.
        nouns: Words for an input and an output.
        force: Allow inputs to be overwritten.

    Returns:
        The jobs, and notes on the inputs; None instead of notes for one input that becomes one file.

    Raises:
        InputError: There is no input, the format is unknown, or ``out`` is a file where a folder is needed.
    """
    from pochoir import imaging, video
    from pochoir.jobs import photos

    if not photos.are_many(names):
        if out.suffix or not out.exists():  # a folder of frames may hold earlier ones
            imaging.check_place(out)
        return [make(photo=names[0], output=str(out))], None
    if f".{file_format}" not in video.FORMATS:
        raise UnknownNameError("format", file_format, [suffix[1:] for suffix in video.FORMATS])
    if out.suffix.lower() in video.FORMATS:
        raise OutputPathError(f"Many {nouns[0]}s need -o DIR; '{out}' is the name of one {nouns[1]}.")
    found = find(names, out)
    places = photos.place_outputs(found.photos, out, suffix=f".{file_format}", force=force)
    return [make(photo=str(place.photo), output=str(place.output)) for place in places], found.notes


def check_format(name: str) -> None:
    """Raise an ``UnknownNameError`` if there is no such format."""
    if name not in FORMATS:
        raise UnknownNameError("format", name, FORMATS)


def check_streams(photo: str, out: Path) -> None:
    """Check that one output can be written, before anything is loaded.

    Raises:
        OutputPathError: The folder of ``out`` is missing, or the like.
    """
    from pochoir import imaging

    if str(out) != STREAM:
        imaging.check_output(out, inputs=[] if photo == STREAM else [photo], force=True)


def label_styles(names: Sequence[str]) -> Mapping[str, str]:
    """Return a short name for each style or recipe file, unlike all others: ``{label: name}``."""
    labels: dict[str, str] = {}
    for name in names:
        stem = Path(name.rpartition(":")[0] if _has_weight(name) else name).stem or "style"
        label, number = stem, 2
        while label in labels:
            label, number = f"{stem}-{number}", number + 1
        labels[label] = name
    return labels


def _has_weight(name: str) -> bool:
    return name.rpartition(":")[2].replace(".", "", 1).isdigit()


def _check_folder(names: Sequence[str], out: Path, labels: int) -> None:
    if STREAM in names:
        raise OptionError("Standard input is one photo, which cannot be given together with others or a folder.")
    if str(out) == STREAM:
        raise OutputPathError("Standard output takes one picture; several need -o DIR.")
    if out.is_dir() or (not out.exists() and out.suffix.lower().lstrip(".") not in (*FORMATS, "jpeg", "tif")):
        return
    if labels > 1:
        reason = f"{labels} pictures are made of each photo"
    else:
        reason = f"{names[0]!r} means many photos" if len(names) == 1 else f"{len(names)} photos are given"
    raise OutputPathError(f"{reason}, so -o takes a folder; '{out}' is the name of a picture.")
