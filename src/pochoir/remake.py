"""Pictures, clips and painted videos made again from their records."""

import os
from pathlib import Path

from pochoir import clips, pipeline
from pochoir.animation.clip import Clip
from pochoir.errors import InputError
from pochoir.recipe import Record
from pochoir.result import Result
from pochoir.sequence import making as videos
from pochoir.sequence.painted import PaintedVideo
from pochoir.sequence.records import holds_video


def redo(
    made: str | os.PathLike[str], *, inputs_dir: str | os.PathLike[str] | None = None
) -> Result | Clip | PaintedVideo:
    """Make a picture, a clip or a painted video again from the record in it.

    Args:
        made: File that pochoir made.
        inputs_dir: Folder to look for the inputs in first, by their names.

    Returns:
        The result of a painting, the clip, or the video, which is painted when it is saved. On the same machine with
        the same versions it has the same bytes. Notes say where versions or devices differ.

    Raises:
        InputError: The file holds no record, or was cut out and not painted, or was made with an object of the user's
            own; or an input is missing or has changed.
        WeightsError: The weights are missing, or are not those of the record.

    Examples:
        >>> pochoir.redo("two.png").save("again.png")  # doctest: +SKIP
    """
    path = Path(made)
    folder = None if inputs_dir is None else Path(inputs_dir)
    text = clips.read_record(path)
    if clips.holds_clip(text):
        return clips.replay(text, base=path.parent, inputs_dir=folder).clip()
    if holds_video(text):
        return videos.replay(text, base=path.parent, inputs_dir=folder)
    record = Record.from_json(text)
    if record.request.form is not None:
        raise InputError(f"{str(path)!r} was cut out, not painted; call pochoir.segment with the same options.")
    painting = pipeline.replay(record, base=path.parent, inputs_dir=folder)
    for _ in painting:
        pass
    return painting.result()
