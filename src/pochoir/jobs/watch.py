"""Folders that fill up: photos are reported once they are whole."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from pochoir.errors import ImageReadError
from pochoir.jobs.photos import Photo, find_photos, place_outputs

SETTLE_S = 2.0
"""Seconds that a file has to stay unchanged before it counts as whole."""

_Signature: TypeAlias = tuple[int, int]


@dataclass
class _Seen:
    signature: _Signature
    since_s: float
    is_reported: bool = False


class FolderWatch:
    """Watch over a folder: ``poll`` returns each photo once, and again when its file has changed.

    Args:
        folder: The folder; folders below it are watched, too.
        suffixes: Extensions of pictures, in small letters.
        out: Folder that is written into; it is not watched.
        settle_s: Seconds that a file has to stay unchanged before it counts as whole.
        clock: Returns seconds.

    Raises:
        ImageReadError: The folder does not exist.
    """

    def __init__(
        self,
        folder: Path,
        *,
        suffixes: frozenset[str],
        out: Path | None = None,
        settle_s: float = SETTLE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not folder.is_dir():
            raise ImageReadError(f"Cannot watch {str(folder)!r}: there is no such folder.")
        self._folder = folder
        self._suffixes = suffixes
        self._out = out
        self._settle_s = settle_s
        self._clock = clock
        self._seen: dict[Path, _Seen] = {}

    @property
    def unsettled(self) -> int:
        """Photos that were seen and have not stayed unchanged for long enough."""
        return sum(not seen.is_reported for seen in self._seen.values())

    def poll(self) -> list[Photo]:
        """Return the photos that became whole since the last call."""
        found = {photo.path: photo for photo in self._find()}
        self._seen = {path: seen for path, seen in self._seen.items() if path in found}
        return [photo for path, photo in found.items() if self._settles(path)]

    def _find(self) -> Sequence[Photo]:
        try:
            return find_photos([str(self._folder)], suffixes=self._suffixes, out=self._out).photos
        except ImageReadError:  # there is none yet
            return ()

    def _settles(self, path: Path) -> bool:
        try:
            status = path.stat()
        except OSError:  # it was removed meanwhile
            return False
        signature, now_s = (status.st_size, status.st_mtime_ns), self._clock()
        seen = self._seen.get(path)
        if seen is None or seen.signature != signature:
            seen = self._seen[path] = _Seen(signature, now_s)
        # The file's own time may come from another machine's clock, so a file that was watched for long enough settles
        # as well.
        age_s = max(now_s - seen.since_s, time.time() - status.st_mtime)
        if seen.is_reported or age_s < self._settle_s:
            return False
        seen.is_reported = True
        return True


class Places:
    """Places of outputs for photos that come one after the other: a place that was given stays given.

    Args:
        out: Folder that is written into.
        suffix: Extension of what is written.
        labels: Labels of the pictures to be made of each photo.
        force: Allow photos to be overwritten.
    """

    def __init__(self, out: Path, *, suffix: str, labels: Sequence[str] = ("",), force: bool = False) -> None:
        self._out = out
        self._suffix = suffix
        self._labels = labels
        self._force = force
        self._owners: dict[str, Path] = {}

    def place(self, photo: Photo) -> list[tuple[str, Path]]:
        """Return the label and the path of each picture to be made of a photo.

        Raises:
            OutputPathError: A photo would be overwritten.
        """
        given: list[tuple[str, Path]] = []
        for label in self._labels:
            (place,) = place_outputs([photo], self._out, suffix=self._suffix, labels=[label], force=self._force)
            output = place.output
            if self._owners.setdefault(str(output).casefold(), photo.path) != photo.path:
                long = f"{photo.relative.name}-{label}" if label else photo.relative.name
                output = output.with_name(long + self._suffix)
                self._owners[str(output).casefold()] = photo.path
            given.append((label, output))
        return given
