"""Place of the finished parts of a film."""

import shutil
from pathlib import Path

from pochoir.sequence.frames import expand
from pochoir.sequence.production import FRAMES
from pochoir.sequence.store import Store


def folder_beside(output: Path) -> Path:
    """Return the folder that keeps the finished parts of an output."""
    return output.with_name(f".{output.name}.parts")


def remove_parts(output: Path) -> None:
    """Remove the finished parts of an output, also those of other requests."""
    shutil.rmtree(folder_beside(output), ignore_errors=True)


def count_drawn(store: Store) -> int | None:
    """Return the exact number of the film's frames, which a store holds once the video has been read."""
    runs = store.read_json(FRAMES)
    return None if runs is None else len(expand(runs))
