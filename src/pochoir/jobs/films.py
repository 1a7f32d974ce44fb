"""Films as outputs of jobs: finished, partial, or somebody else's."""

from pathlib import Path
from typing import Final

from pochoir import video
from pochoir.errors import InputError, OutputPathError
from pochoir.sequence.painted import PaintedVideo
from pochoir.sequence.records import FilmRecord
from pochoir.video.decode import count_packets
from pochoir.video.read_pillow import count_frames as count_pictures

SUFFIXES: Final = frozenset(
    [
        ".mp4",
        ".m4v",
        ".mov",
        ".mkv",
        ".webm",
        ".avi",
        ".mpg",
        ".mpeg",
        ".ts",
        ".mts",
        ".m2ts",
        ".wmv",
        ".flv",
        ".3gp",
        ".ogv",
        ".gif",
        ".webp",
        ".png",
        ".avif",
    ]
)
"""Extensions of the videos that are looked for in folders, in small letters."""
_MAY_BE_STILL: Final = frozenset([".webp", ".png", ".avif"])
"""Those of them that most files have for still pictures."""


def is_finished_film(target: Path, painted: PaintedVideo, *, force: bool) -> bool:
    """Return whether a film is up to date: it is whole, and made by the same request.

    Args:
        target: File or folder of the film.
        painted: The film that is wanted.
        force: Allow other files to be replaced.

    Raises:
        OutputPathError: There is another file, and ``force`` is not set.
    """
    if not target.exists() or (target.is_file() and target.stat().st_size == 0) or _is_empty_folder(target):
        return False
    made = read_film(target)
    if made is not None and made.key == painted.record.key:
        return not made.partial and _is_whole(target, made)
    if not force:
        whose = "is another film" if made is not None else "was not made by pochoir video"
        raise OutputPathError(f"'{target}' exists and {whose}; choose another output or replace it (--force).")
    return False


def read_film(path: Path) -> FilmRecord | None:
    """Return the record of a film that was painted; None for any other file."""
    try:
        return FilmRecord.from_json(video.read_film_record(path))
    except (InputError, OSError):
        return None


def is_moving(path: Path) -> bool:
    """Return whether a file with one of ``SUFFIXES`` is a video and not a still picture."""
    return path.suffix.lower() not in _MAY_BE_STILL or (count_pictures(path) or 0) > 1


def _is_whole(path: Path, made: FilmRecord) -> bool:
    """Return whether a film has all its frames; a copy may have been cut off."""
    if not made.frames:
        return True
    if path.is_dir():
        return sum(1 for _ in path.glob("frame-*.png")) == made.frames
    suffix = path.suffix.lower()
    if suffix in video.FORMATS and video.FORMATS[suffix].needs_av:
        return count_packets(path) == made.frames
    return True


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())
