"""Pictures and clips made again from their records."""

import os
from pathlib import Path

from pochoir import clips, pipeline
from pochoir.animation.clip import Clip
from pochoir.errors import InputError
from pochoir.recipe import Record
from pochoir.result import Result


def redo(made: str | os.PathLike[str], *, inputs_dir: str | os.PathLike[str] | None = None) -> Result | Clip:
    """Make a picture or a clip again from the record in it.

    Args:
        made: File that pochoir made.
        inputs_dir: Folder to look for the inputs in first, by their names.

    Returns:
        The result of a painting, or the clip. On the same machine with the same versions it has the same bytes. The
        result's notes say where versions or devices differ.

    Raises:
        InputError: The file holds no record, or was cut out and not painted, or was made with an object of the user's
            own; or an input is missing or has changed.
        WeightsError: The weights are missing, or are not those of the record.

    Example:
        >>> pochoir.redo("two.png").save("again.png")  # doctest: +SKIP
    """
    path = Path(made)
    folder = None if inputs_dir is None else Path(inputs_dir)
    text = clips.read_record(path)
    if clips.holds_clip(text):
        return clips.replay(text, base=path.parent, inputs_dir=folder).clip()
    record = Record.from_json(text)
    if record.request.form is not None:
        raise InputError(f"{str(path)!r} was cut out, not painted; call pochoir.segment with the same options.")
    painting = pipeline.replay(record, base=path.parent, inputs_dir=folder)
    for _ in painting:
        pass
    return painting.result()
