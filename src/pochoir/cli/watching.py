"""Folders for results."""

from pathlib import Path


def make_folder(folder: Path) -> None:
    """Make a folder for pictures, with its parents, unless it is there."""
    from pochoir import imaging

    imaging.make_folder(folder)
