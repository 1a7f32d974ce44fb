"""Unfinished paintings on disk, so that an interrupted run can be resumed."""

import pickle
from pathlib import Path

import torch

from pochoir._files import replacing
from pochoir.errors import WriteError
from pochoir.transfer import Checkpoint

_DAMAGE = (pickle.UnpicklingError, EOFError, OSError, RuntimeError, ValueError, LookupError, TypeError, AttributeError)


def path_beside(output: Path) -> Path:
    """Return the path that the command line uses for the unfinished painting of an output."""
    return output.with_name(f".{output.name}.partial")


def write(path: Path, checkpoint: Checkpoint, *, key: str) -> None:
    """Write a checkpoint; a reader finds the old one or the whole new one at any time.

    Args:
        path: File to replace.
        checkpoint: The state.
        key: Key of the run; only a run with the same key can resume from it.

    Raises:
        WriteError: The disk is full, or the folder is missing or not writable.
    """
    try:
        with replacing(path) as draft:
            torch.save({"key": key, "picture": checkpoint.picture.cpu(), "steps": checkpoint.steps}, draft)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        raise WriteError(f"Cannot write {str(path)!r}: {getattr(error, 'strerror', None) or error}.") from error


def read(path: Path, *, key: str) -> Checkpoint | None:
    """Return the checkpoint at a path; None if there is none, or if it is damaged or another run's."""
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        return Checkpoint(stored["picture"], tuple(stored["steps"])) if stored["key"] == key else None
    except _DAMAGE:
        return None
