"""Clips that exist already: the same, another, or somebody else's."""

from pathlib import Path

from pochoir import imaging, video
from pochoir.clips.production import Production
from pochoir.clips.records import holds_clip, is_same_clip
from pochoir.errors import InputError, OutputPathError


def is_up_to_date(path: Path, production: Production, *, force: bool = False) -> bool:
    """Tell whether an output is the very clip that a production would make.

    Args:
        path: File or folder of the clip.
        production: The clip in the making.
        force: Allow other files to be replaced.

    Raises:
        OutputPathError: The output is another file, and ``force`` is not set.
    """
    if (
        not path.exists()
        or (path.is_file() and path.stat().st_size == 0)
        or (path.is_dir() and not any(path.iterdir()))
    ):
        return False
    try:
        record = video.read_film_record(path)
    except InputError:
        record = ""
    if is_same_clip(record, production.record):
        return True
    if force:
        return False
    made = "is another clip" if holds_clip(record) else "was not made by pochoir animate"
    raise OutputPathError(f"'{path}' exists and {made}; choose another output or replace it (--force).")


def read_record(path: Path) -> str:
    """Return the record in a picture or in a clip.

    Raises:
        InputError: There is no such file, or it holds no record.
    """
    if path.exists() and not (path.is_dir() or path.is_file()):
        raise InputError(f"Cannot read the recipe in {str(path)!r}: it is a pipe or a device, not a file.")
    if path.is_dir() or path.suffix.lower() in video.FORMATS:
        try:
            return video.read_film_record(path)
        except InputError:  # a picture in a format that also holds clips has its record beside it
            if path.is_dir():
                raise
    return imaging.read_record(path)
