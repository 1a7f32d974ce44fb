"""Inputs of a painted video: the open video, the pictures that its recipe names, and masks of single frames."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch

from pochoir import imaging, segmentation, video
from pochoir._files import place_of
from pochoir._hashing import hash_large_file
from pochoir._types import Size
from pochoir.errors import InputError, OptionError
from pochoir.pipeline import check_unchanged, find_inputs
from pochoir.recipe import InputFile, OutputSettings, Recipe
from pochoir.recipe.work_size import find_work_size
from pochoir.sequence.records import FilmRecord
from pochoir.sequence.settings import Correction, VideoSettings
from pochoir.sources import Sources, load_sources

_KEPT_OUTPUT = ("quality", "no_recipe")
ONE_PICTURE = (
    "full_size",
    "init",
    "mask",
    "scribble",
    *(name for name in OutputSettings.model_fields if name not in _KEPT_OUTPUT),
)
"""Fields of a recipe that make sense for single pictures only."""
OF_FRAMES = ("box", "keep_points", "drop_points")
"""Fields of a recipe that a video takes for single frames."""


@dataclass(frozen=True, eq=False)
class VideoInputs:
    """The decoded inputs.

    Attributes:
        video: The open video.
        first: Number in the video of the film's first frame.
        sources: The pictures; ``photo`` is the film's first frame.
        masks: Entries of the masks of single frames, by the number of the frame.
    """

    video: video.Video
    first: int
    sources: Sources
    masks: Mapping[int, InputFile]

    @classmethod
    def read(cls, path: str, recipe: Recipe, settings: VideoSettings, in_memory: Mapping[str, Any]) -> Self:
        """Open a video and read every picture that is named.

        Raises:
            InputError: Something cannot be read or used.
            MissingExtraError: PyAV is not installed.
        """
        check_recipe(recipe)
        opened = video.open_video(path)
        if settings.start >= opened.info.duration_s:
            raise OptionError(f"The start at {settings.start:g} s is after the end of {path!r}: {_length(opened)}.")
        first = next(iter(opened.frames(settings.start, settings.end)), None)
        if first is None:
            raise OptionError(f"{path!r} shows no frame between the start and the end; {_length(opened)}.")
        _check_corrections(opened, find_work_size(opened.info.size, recipe), first.index, settings)
        sources = load_sources(first.rgb, recipe, in_memory)
        masks = {each.frame: each.mask for each in settings.corrections if each.mask is not None}
        entries = {}
        for frame, mask in masks.items():
            read = imaging.load_matte(mask, size=opened.info.size)
            entries[frame] = InputFile(
                role=f"mask of frame {frame}", name=read.name, path=read.path, sha256=read.sha256
            )
        return cls(opened, first.index, sources, entries)

    def files(self) -> tuple[InputFile, ...]:
        """Return the files that were read, for the record."""
        path = self.video.path
        own = InputFile(role="video", name=Path(path).name, path=path, sha256=hash_large_file(place_of(path)))
        return (own, *self.sources.files()[1:], *(self.masks[frame] for frame in sorted(self.masks)))


def restore(made: FilmRecord, *, base: Path, inputs_dir: Path | None = None) -> tuple[VideoInputs, VideoSettings]:
    """Find and read the inputs of a film again, and check that they have not changed.

    Args:
        made: Record of the film.
        base: Folder that relative paths may be relative to, besides the current one.
        inputs_dir: Folder to look for the inputs in first, by their names.

    Returns:
        The inputs, and the settings with today's paths.

    Raises:
        InputError: An input is not found, or has changed.
        WeightsError: The weights are missing, or are not those of the record.
    """
    found, recipe = find_inputs(made.record, base=base, inputs_dir=inputs_dir)
    corrections = tuple(
        each if each.mask is None else each.replace(mask=found[f"mask_of_frame_{each.frame}"][0])
        for each in made.settings.corrections
    )
    settings = made.settings.replace(corrections=corrections)
    inputs = VideoInputs.read(found["video"][0], recipe, settings, {})
    check_unchanged(made.record, inputs.files())
    return inputs, settings


def check_recipe(recipe: Recipe) -> None:
    """Raise an ``OptionError`` if a recipe has settings that a video cannot have."""
    for name in ONE_PICTURE:
        if getattr(recipe, name) != Recipe.model_fields[name].default:
            hint = "; give --mask-frame N=FILE" if name in ("mask", "scribble") else ""
            raise OptionError(f"{name.replace('_', '-')} is for single pictures, not for videos{hint}.")
    for name in OF_FRAMES:
        if getattr(recipe, name) != Recipe.model_fields[name].default:
            label = name.replace("_", "-")
            raise OptionError(f"In a video, {label} is given for one frame: --{label} N=...; N counts from 0.")


def with_form(recipe: Recipe, settings: VideoSettings) -> Recipe:
    """Return the recipe for a form: cutouts have no background, but a ground that is given.

    Raises:
        OptionError: The form and the recipe contradict each other.
    """
    is_painted = recipe.paints_subject or recipe.paints_background
    if settings.form == "matte" and is_painted:
        raise OptionError("A matte has no style; leave the styles out, or use --as cutout.")
    if settings.form == "painting" and not is_painted:
        raise OptionError(
            "Nothing is to be painted: give a --style, a --subject-style or a --background-style; or --as cutout."
        )
    if settings.form == "cutout" and recipe.backdrop.is_photo:
        return recipe.replace(backdrop="transparent")
    return recipe


def count_frames(opened: video.Video, settings: VideoSettings) -> int:
    """Return the number of frames of the film, about."""
    info = opened.info
    end_s = info.duration_s if settings.end is None else min(settings.end, info.duration_s)
    if settings.start == 0.0 and end_s >= info.duration_s:
        return info.frames
    return max(1, min(info.frames, round((end_s - settings.start) * float(info.fps))))


def _check_corrections(opened: video.Video, work_size: Size, first: int, settings: VideoSettings) -> None:
    own_size = opened.info.size
    drawn: dict[int, int] = {}
    for each in settings.corrections:
        if not _shows(opened, each.frame, first, settings):
            last = first + count_frames(opened, settings) - 1
            raise OptionError(f"There is no frame {each.frame} to correct: the film has frames {first} to {last}.")
        other = drawn.setdefault((each.frame - first) // settings.on, each.frame)
        if other != each.frame:
            raise OptionError(f"Frames {other} and {each.frame} show one picture (--on {settings.on}); correct one.")
        check_hints(each, own_size, work_size)


def check_hints(correction: Correction, own_size: Size, work_size: Size) -> None:
    """Refuse points and boxes that lie outside of the frames, and points that meet where they are painted smaller.

    Args:
        correction: Points and a box in a video's pixels.
        own_size: Size of the video.
        work_size: Size of the drawings.

    Raises:
        OptionError: One does.
    """
    for size, place in ((own_size, ""), (work_size, f" at {work_size} pixels")):
        strokes = Recipe(**correction.strokes(own_size, size))
        try:
            segmentation.read_corrections(strokes, torch.zeros(()).expand(1, 3, *size))
        except OptionError as error:
            raise OptionError(f"The correction of frame {correction.frame} cannot be used{place}. {error}") from error


def _shows(opened: video.Video, index: int, first: int, settings: VideoSettings) -> bool:
    """Return whether a film has a frame. Numbers of frames are estimates, so the frame itself is read."""
    if index < first:
        return False
    try:
        frame = opened.frame(index)
    except InputError:
        return False
    return settings.end is None or float(frame.time_s) < settings.end


def _length(opened: video.Video) -> str:
    return f"it lasts {opened.info.duration_s:.2f} s"
