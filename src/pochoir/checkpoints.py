"""Half-done paintings on disk, so that a run that was killed can be taken up again."""

import pickle
from pathlib import Path

import torch

from pochoir._files import replacing
from pochoir.transfer import Checkpoint

_DAMAGE = (pickle.UnpicklingError, EOFError, OSError, RuntimeError, ValueError, LookupError, TypeError, AttributeError)


def path_beside(out: Path) -> Path:
    """Where the half-done painting of an output lies."""
    return out.with_name(f".{out.name}.partial")


def write(path: Path, checkpoint: Checkpoint, *, key: str) -> None:
    """Write a checkpoint so that there is a whole one at any time.

    Args:
        path: Where to.
        checkpoint: The state.
        key: What tells the run that it belongs to.
    """
    with replacing(path) as passing:
        torch.save({"key": key, "picture": checkpoint.picture.cpu(), "steps": checkpoint.steps}, passing)


def read(path: Path, *, key: str) -> Checkpoint | None:
    """The checkpoint at a path; None if there is none, if it is damaged or if it is another run's."""
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        return Checkpoint(stored["picture"], tuple(stored["steps"])) if stored["key"] == key else None
    except _DAMAGE:
        return None
