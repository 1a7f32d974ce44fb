"""The studio's folder: finished pictures in it, and everything else in a hidden folder below."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import platformdirs

from pochoir._files import replacing
from pochoir.errors import InputError, OutputPathError, WriteError

HIDDEN = ".pochoir"
_ID = re.compile(r"[0-9a-f]{16}")


class NotFoundError(InputError):
    """No photo, style, job or picture has this id."""


def default_folder() -> Path:
    """Return the folder for pictures where the user chooses none."""
    return Path(platformdirs.user_pictures_dir()) / "pochoir"


def new_id(text: str | bytes) -> str:
    """Return an id for some content: 16 hexadecimal digits."""
    return hashlib.sha256(text if isinstance(text, bytes) else text.encode(errors="surrogateescape")).hexdigest()[:16]


def is_id(text: str) -> bool:
    """Tell whether a text has the form of an id."""
    return _ID.fullmatch(text) is not None


def checked_id(text: str) -> str:
    """Return an id from a request.

    Raises:
        NotFoundError: The text has not the form of an id.
    """
    if not is_id(text):
        raise NotFoundError("There is nothing with this id.")
    return text


class Folder:
    """Places of all files.

    Args:
        root: Folder of the finished pictures. It is made if it is missing.

    Raises:
        OutputPathError: The folder cannot be made.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.hidden = root / HIDDEN
        self.photos = self.hidden / "photos"
        self.videos = self.hidden / "videos"
        self.masks = self.hidden / "masks"
        self.styles = self.hidden / "styles"
        self.thumbs = self.hidden / "thumbs"
        self.jobs = self.hidden / "orders"
        self.uploads = self.hidden / "uploads"
        self.store = self.hidden / "jobs.sqlite"
        try:
            for folder in (self.photos, self.videos, self.masks, self.styles, self.thumbs, self.jobs, self.uploads):
                folder.mkdir(parents=True, exist_ok=True)
            for rest in self.uploads.iterdir():  # of a server that was killed
                rest.unlink(missing_ok=True)
        except OSError as error:
            raise OutputPathError(
                f"Cannot use the folder {root}: {error.strerror or error}; name another with --folder."
            ) from error


def write_json(path: Path, values: Any) -> None:
    """Write plain values so that the file is whole at any time.

    Raises:
        WriteError: The file cannot be written.
    """
    try:
        with replacing(path) as draft:
            draft.write_text(json.dumps(values))
    except OSError as error:
        raise WriteError(f"Cannot write {path.name}: {error.strerror or error}.") from error


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the values in a file; None if it is missing or damaged."""
    try:
        values = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return values if isinstance(values, dict) else None


def newest_first(paths: Iterator[Path]) -> list[Path]:
    """Sort files by their time of change; files that vanish meanwhile are left out."""
    found = []
    for path in paths:
        try:
            found.append((path.stat().st_mtime_ns, path))
        except OSError:
            continue
    return [path for _, path in sorted(found, reverse=True)]
