"""Finished work: pictures that need not be made again."""

import os

from pochoir import imaging
from pochoir.errors import InputError
from pochoir.recipe import Record


def is_done(path: str | os.PathLike[str], key: str) -> bool:
    """Return whether the picture of a key is already made.

    Args:
        path: Path of the picture.
        key: Key of the work; see ``recipe.work_key``.

    Returns:
        Whether the picture exists, is whole, and holds a record of this key. False in any other case, also where the
        picture cannot be read.
    """
    try:
        record = Record.from_json(imaging.read_record(path))
    except (InputError, OSError):
        return False
    return record.key == key and imaging.is_intact(path)
