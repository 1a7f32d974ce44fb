"""The functions that prepare painted videos: from a file, and again from a record."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Unpack

from pochoir._devices import resolve_device
from pochoir.arguments import Arguments, PaintingOptions, read_stylize_options
from pochoir.errors import OptionError
from pochoir.pipeline import describe_differences
from pochoir.recipe import Recipe
from pochoir.sequence.inputs import VideoInputs, restore, with_form
from pochoir.sequence.painted import PaintedVideo
from pochoir.sequence.records import FilmRecord
from pochoir.sequence.settings import AtFrames, Codec, VideoForm, VideoSettings, read_corrections
from pochoir.sequence.tools import Tools

CORRECTIONS = ("mask_frame", "keep_points", "drop_points", "box")
"""Options that correct the subject in single frames."""


class VideoOptions(PaintingOptions, total=False):
    """Keyword arguments of ``stylize_video``: fields of ``VideoSettings`` and ``Recipe``, and corrections by frame."""

    keys: int | Literal["auto"] | None
    on: int
    start: float | str
    end: float | str | None
    form: VideoForm
    codec: Codec
    sound: bool
    mask_frame: AtFrames
    keep_points: AtFrames
    drop_points: AtFrames
    box: AtFrames


def stylize_video(
    path: str | os.PathLike[str],
    recipe: Recipe | None = None,
    settings: VideoSettings | None = None,
    **options: Unpack[VideoOptions],
) -> PaintedVideo:
    """Prepare to paint a video: subject and background each in its style, steady from frame to frame.

    Key frames are painted; optical flow carries them to the frames between. Nothing is painted before the frames are
    asked for.

    Args:
        path: A video, or an animated GIF, WebP or PNG.
        recipe: Settings of the painting; None takes the defaults.
        settings: Settings of the video; None takes the defaults.
        **options: Fields of ``VideoSettings`` and keyword arguments of ``stylize``; both count more than ``recipe``
            and ``settings``. Corrections of single frames are given by number from 0:
            ``mask_frame={12: "matte.png"}``, ``keep_points={12: "120,80;200,90"}``, ``drop_points``, ``box``.

    Returns:
        The video in the making: iterate it for frames, uint8 of shape (H, W, 3), or (H, W, 4) if it is transparent;
        or call ``save``.

    Raises:
        InputError: Something that was given cannot be used.
        MissingExtraError: PyAV is not installed.
        WeightsError: Trained weights are missing; the text says how to get them.

    Examples:
        >>> film = pochoir.stylize_video("walk.mp4", subject="mosaic", background="ink-wash")  # doctest: +SKIP
        >>> for frame in film:  # doctest: +SKIP
        ...     show(frame)
        >>> film.save("painted.mp4")  # doctest: +SKIP
    """
    return prepare(path, recipe, settings, options)


def prepare(
    path: str | os.PathLike[str],
    recipe: Recipe | None,
    settings: VideoSettings | None,
    options: Mapping[str, Any],
    tools: Tools | None = None,
) -> PaintedVideo:
    """Prepare a painted video; see ``stylize_video``.

    Args:
        path: The video.
        recipe: Settings of the painting.
        settings: Settings of the video.
        options: Further settings.
        tools: Networks that are loaded already.
    """
    rest = dict(options)
    own = {name: rest.pop(name) for name in list(rest) if name in VideoSettings.model_fields}
    words = {name: rest.pop(name) for name in CORRECTIONS if name in rest}
    base = VideoSettings() if settings is None else settings
    if words:
        own["corrections"] = read_corrections(**words)
    chosen = base.replace(**own) if own else base
    given = read_stylize_options(Arguments(Recipe()).with_recipe(recipe), rest)
    if not isinstance(path, str | os.PathLike):
        raise OptionError(f"A video is given by the path of its file; got {type(path).__name__}.")
    with_form(given.recipe, chosen)  # a contradiction is said before the video is opened
    inputs = VideoInputs.read(os.fspath(path), given.recipe, chosen, given.pictures)
    loaded = tools or Tools()
    return PaintedVideo(
        inputs,
        given.recipe,
        chosen,
        Tools(given.encoder, given.segmenter, loaded.open_encoder, loaded.create_segmenter),
    )


def replay(record: str, *, base: Path, inputs_dir: Path | None = None, tools: Tools | None = None) -> PaintedVideo:
    """Prepare to make a film again from its record, on the same inputs.

    Args:
        record: Text that was saved in the film.
        base: Folder that relative paths may be relative to, besides the current one.
        inputs_dir: Folder to look for the inputs in first, by their names.
        tools: Networks that are loaded already.

    Raises:
        InputError: The record is not that of a painted video, or an input is missing or has changed.
        WeightsError: The weights are missing, or are not those of the record.
    """
    made = FilmRecord.from_json(record)
    inputs, settings = restore(made, base=base, inputs_dir=inputs_dir)
    ran_on = made.record.environment
    return PaintedVideo(
        inputs,
        made.record.request.recipe,
        settings,
        tools or Tools(),
        recorded=made.settings,
        threads=ran_on.threads,
        engine="torch" if ran_on.engine == "torch" else "auto",
        steps=made.steps,
        given_notes=describe_differences(made.record, resolve_device(made.record.recipe.device)),
    )
