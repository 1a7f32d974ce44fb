"""The functions that make clips: from a photo, from one of pochoir's pictures, and again from a record."""

from pathlib import Path
from typing import Any, Unpack

from pochoir import imaging
from pochoir._devices import resolve_device
from pochoir.animation.clip import Clip
from pochoir.animation.rig import Rig
from pochoir.animation.settings import ClipSettings
from pochoir.arguments import Arguments, read_stylize_options
from pochoir.clips.options import AnimateOptions
from pochoir.clips.production import Production
from pochoir.clips.records import ClipRecord
from pochoir.errors import InputError
from pochoir.imaging import PictureSource
from pochoir.pipeline import describe_differences, restore_inputs
from pochoir.recipe import Recipe, Record
from pochoir.sources import load_sources


def prepare(
    photo: PictureSource,
    recipe: Recipe | None = None,
    settings: ClipSettings | None = None,
    *,
    rig: Rig | str | Path | None = None,
    **options: Unpack[AnimateOptions],
) -> Production:
    """Prepare a clip of a photo; see ``animate``."""
    rest: dict[str, Any] = dict(options)
    own = {name: rest.pop(name) for name in list(rest) if name in ClipSettings.model_fields}
    base = ClipSettings() if settings is None else settings
    chosen = base.replace(**own) if own else base
    given = read_stylize_options(Arguments(Recipe()).with_recipe(recipe), rest)
    limbs = _read_rig(rig)
    notes: tuple[str, ...] = ()
    if isinstance(photo, str | Path) and not any(
        (given.recipe.style, given.recipe.subject_style, given.recipe.background_style)
    ):
        made = _read_own(Path(photo))
        # A cutout is moved as it is. Of other pictures the plate is needed, which only the photo can give.
        if made is not None and not made.recipe.backdrop.is_transparent:
            usual = Recipe()
            changes = {
                name: value
                for name in Recipe.model_fields
                if (value := getattr(given.recipe, name)) != getattr(usual, name)
            }
            found, remembered = restore_inputs(made, base=Path(photo).parent, inputs_dir=None)
            notes = (f"{Path(photo).name} was painted by pochoir; its photo and its recipe are used",)
            return Production(
                found,
                remembered.replace(**changes) if changes else remembered,
                chosen,
                limbs,
                notes,
                segmenter=given.segmenter,
                encoder=given.encoder,
            )
    sources = load_sources(photo, given.recipe, given.pictures)
    return Production(sources, given.recipe, chosen, limbs, segmenter=given.segmenter, encoder=given.encoder)


def animate(
    photo: PictureSource,
    recipe: Recipe | None = None,
    settings: ClipSettings | None = None,
    *,
    rig: Rig | str | Path | None = None,
    **options: Unpack[AnimateOptions],
) -> Clip:
    """Make a clip of a photo: its subject moves, in the style that it is painted in.

    Args:
        photo: A photo, a cutout with alpha, or an opaque picture that pochoir painted, whose photo and recipe are then
            used. A transparent one moves as it is, cut out by its own alpha.
        recipe: Settings of the painting; None takes the defaults. Without a style nothing is painted.
        settings: Settings of the clip; None takes the defaults.
        rig: Limbs of the subject, or the JSON file with them; None finds them where a motion needs them.
        **options: Fields of ``ClipSettings``, which count more than ``settings``, and keyword arguments of ``stylize``.

    Returns:
        The clip. ``clip.frame(time_s)`` is a pure function of time; iterate for all frames; ``clip.save(path)`` writes
        them.

    Raises:
        InputError: Something that was given cannot be used.
        WeightsError: Trained weights are missing; the text says how to get them.

    Examples:
        >>> clip = pochoir.animate("parrot.jpg", motion="nod", subject="stained-glass")  # doctest: +SKIP
        >>> clip.save("parrot.webp")  # doctest: +SKIP
    """
    return prepare(photo, recipe, settings, rig=rig, **options).clip()


def replay(record: str, *, base: Path, inputs_dir: Path | None = None) -> Production:
    """Prepare to make a clip again from its record, on the same inputs.

    Args:
        record: Text that was saved with the clip.
        base: Folder that relative paths may be relative to, besides the current one.
        inputs_dir: Folder to look for the inputs in first, by their names.

    Raises:
        InputError: The record is not that of a clip, or an input is missing or has changed.
        WeightsError: The weights are missing, or are not those of the record.
    """
    made = ClipRecord.from_json(record)
    sources, recipe = restore_inputs(made.record, base=base, inputs_dir=inputs_dir)
    ran_on = made.record.environment
    return Production(
        sources,
        recipe,
        made.settings,
        made.rig,
        describe_differences(made.record, resolve_device(recipe.device)),
        done=dict(made.done),
        threads=ran_on.threads or None,
        engine="torch" if ran_on.engine == "torch" else "auto",
    )


def _read_rig(rig: Rig | str | Path | None) -> Rig | None:
    if rig is None or isinstance(rig, Rig):
        return rig
    try:
        return Rig.from_json(Path(rig).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"Cannot read the rig {str(rig)!r}: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"Cannot use the rig {str(rig)!r}: it is not a text file; a rig is JSON.") from error
    except InputError as error:
        raise InputError(f"Cannot use the rig {str(rig)!r}: {error}") from error


def _read_own(path: Path) -> Record | None:
    """Return the record of a picture that pochoir painted; None for any other picture."""
    try:
        record = Record.from_json(imaging.read_record(path))
    except InputError:
        return None
    return None if record.request.form is not None else record
