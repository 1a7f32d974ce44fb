"""What pochoir does, as functions: paint a photo, find its subject, run a record again."""

import time
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeAlias

import torch

from pochoir import imaging, weights
from pochoir._version import __version__
from pochoir.encoders import VGG, expected_engine
from pochoir.errors import InputError, OptionError, UnknownNameError, WeightsError
from pochoir.imaging import PictureSource
from pochoir.painting import Painting, Result, resolve_device
from pochoir.recipe.recipe import STYLE_FIELDS, Recipe, SegmentSettings, StyleRef
from pochoir.recipe.record import Record, hash_file
from pochoir.segmentation import Segmentation, Segmenter, find_subject
from pochoir.sources import find_input, load_sources

MASK_FIELDS = tuple(f"{name}_mask" for name in STYLE_FIELDS)
"""The recipe's fields that name the masks of styles."""

StyleSource: TypeAlias = "PictureSource | StyleRef | tuple[PictureSource, float]"
"""A picture, a path, a built-in style's name, ``"S:weight"``, or a pair of a picture and its share."""


def iter_stylize(
    photo: PictureSource,
    recipe: Recipe | None = None,
    *,
    style: "StyleSource | Sequence[StyleSource] | None" = None,
    subject: "StyleSource | Sequence[StyleSource] | None" = None,
    background: "StyleSource | Sequence[StyleSource] | None" = None,
    style_mask: PictureSource | Sequence[PictureSource] | None = None,
    subject_style_mask: PictureSource | Sequence[PictureSource] | None = None,
    background_style_mask: PictureSource | Sequence[PictureSource] | None = None,
    mask: PictureSource | None = None,
    scribble: PictureSource | None = None,
    backdrop: PictureSource | None = None,
    init: PictureSource | None = None,
    segmenter: str | Segmenter | None = None,
    encoder: str | VGG | None = None,
    began_s: float | None = None,
    **settings: Any,
) -> Painting:
    """Prepare to paint a photo, step by step.

    Args:
        photo: Path, PIL image or array (H, W), (H, W, 3) or (H, W, 4); its alpha, if any, is the subject's matte.
        recipe: Settings to start from; None takes the defaults.
        style: Style of the whole picture: a path, a built-in name, a picture, or several of them; ``"S:2"`` and
            ``(picture, 2.0)`` give a share.
        subject: Style of the subject, likewise.
        background: Style of the background, likewise.
        style_mask: What of the style's picture the look is taken from, white in this picture of the same proportions;
            of several styles one for each, in their order.
        subject_style_mask: Of the subject's style, likewise.
        background_style_mask: Of the background's style, likewise.
        mask: The subject's matte, white is subject; None finds it.
        scribble: A picture with strokes that correct the matte: green is subject, red is background.
        backdrop: What stands behind the subject: ``"photo"``, ``"transparent"``, ``"#rrggbb"`` or a picture.
        init: What to start from: ``"content"``, ``"noise"``, ``"style"`` or a picture.
        segmenter: A name, or an object of your own with ``name`` and ``segment(photo)``.
        encoder: A name, or a network of your own.
        began_s: When the recipe's ``time`` began to run, as ``time.monotonic()`` told; None for now.
        **settings: Any other field of ``Recipe``; it wins over ``recipe``.

    Returns:
        A ``Painting``: iterate it for ``Step`` events and break off when you like, then call ``result()``.

    Raises:
        InputError: Something that was given cannot be used.
        WeightsError: Trained weights are missing; the text says how to get them.
    """
    began_s = time.monotonic() if began_s is None else began_s
    pictures: dict[str, Any] = {"mask": mask, "scribble": scribble, "backdrop": backdrop, "init": init}
    pictures |= {"style": style, "subject_style": subject, "background_style": background}
    masks = (style_mask, subject_style_mask, background_style_mask)
    pictures |= dict(zip(MASK_FIELDS, masks, strict=True))
    names: dict[str, Any] = {}
    in_memory: dict[str, Any] = {}
    for name, value in pictures.items():
        if value is None:
            continue
        if name in MASK_FIELDS:
            files = [_file_ref(item) for item in _as_list(value)]
            names[name] = tuple(path for path, _ in files)
            in_memory[name] = [item for _, item in files]
        elif name in STYLE_FIELDS:
            sources = [_style_ref(item) for item in _as_list(value)]
            names[name] = tuple(ref for ref, _ in sources)
            in_memory[name] = [item for _, item in sources]
        else:
            names[name], picture = _file_ref(value)
            if picture is not None:
                in_memory[name] = picture
    if isinstance(segmenter, str):
        names["segmenter"] = segmenter
    if isinstance(encoder, str):
        names["encoder"] = encoder
    if recipe is not None and not isinstance(recipe, Recipe):
        raise OptionError(f"The recipe is to be a Recipe; got {recipe!r}. A style is given by name: style='mosaic'.")
    base = recipe.to_dict() if recipe is not None else {}
    made = Recipe.from_dict(base | settings | names)
    return Painting(
        load_sources(photo, made, in_memory),
        made,
        segmenter=None if isinstance(segmenter, str) else segmenter,
        encoder=None if isinstance(encoder, str) else encoder,
        began_s=began_s,
    )


def stylize(photo: PictureSource, recipe: Recipe | None = None, **arguments: Any) -> Result:
    """Paint a photo; takes what ``iter_stylize`` takes, runs all steps and returns the result."""
    painting = iter_stylize(photo, recipe, **arguments)
    for _ in painting:
        pass
    return painting.result()


def segment(
    photo: PictureSource,
    *,
    segmenter: str | Segmenter | None = None,
    scribble: PictureSource | None = None,
    with_parts: bool = False,
    with_doubt: bool = False,
    **settings: Any,
) -> Segmentation:
    """Find the subject of a photo.

    Args:
        photo: Path, PIL image or array; its alpha, if any, is left out, with a note.
        segmenter: A name, or an object of your own with ``name`` and ``segment(photo)``.
        scribble: A picture with strokes that correct the matte: green is subject, red is background.
        with_parts: Number the connected subjects even if all of them are wanted.
        with_doubt: Look a second time and say how far the matte can be trusted.
        **settings: Fields of ``SegmentSettings`` but mask; and ``device``.

    Returns:
        The matte at the photo's size, shape (1, 1, H, W) in [0, 1], corrected, chosen and refined as asked; how it
        came about; notes.

    Raises:
        InputError: Something that was given cannot be used.
        WeightsMissingError: The network's weights are not in the cache.
    """
    if isinstance(segmenter, str):
        settings["segmenter"] = segmenter
    allowed = [item.name for item in fields(SegmentSettings) if item.name != "mask"] + ["device"]
    for name in settings:
        if name not in allowed:
            raise UnknownNameError("setting of segment", name, allowed)
    if scribble is None:
        scribble = settings.get("scribble")
    elif isinstance(scribble, str | Path):
        settings["scribble"] = str(scribble)
    recipe = Recipe.from_dict(settings)
    picture = imaging.load(photo)
    strokes = None if scribble is None else imaging.load(scribble, role="scribble")
    found = find_subject(
        picture.rgb,
        recipe,
        segmenter=None if isinstance(segmenter, str) else segmenter,
        device=resolve_device(recipe.device),
        scribble=None if strokes is None else strokes.rgb_or_rgba,
        with_parts=with_parts,
        with_doubt=with_doubt,
    )
    ignored = () if picture.alpha is None else ("the photo's own alpha is left out: the subject is looked for anew",)
    return replace(found, notes=(*picture.notes, *ignored, *found.notes))


def replay(record: Record, *, base: Path, inputs_dir: Path | None = None) -> Painting:
    """Prepare to run a record again, on the same inputs.

    Args:
        record: What made the picture.
        base: Folder that relative paths may be relative to, besides the current one.
        inputs_dir: Folder to look for the inputs in first, by their names.

    Returns:
        The painting. On the same machine with the same versions it gives the same bytes; its result notes where
        versions or devices differ.

    Raises:
        InputError: An input is not found, its content has changed, or the record is not whole.
        WeightsError: The weights are missing, or are not those of the record.
    """
    if not any(entry.role == "photo" for entry in record.inputs):
        raise InputError("The record names no photo, so there is nothing to run again.")
    _check_weights(record)
    found: dict[str, list[str]] = {}
    for entry in record.inputs:
        found.setdefault(entry.role.replace(" ", "_"), []).append(find_input(entry, base=base, inputs_dir=inputs_dir))
    recipe = record.recipe
    renamed: dict[str, Any] = {
        name: tuple(StyleRef(path, ref.weight) for path, ref in zip(found[name], getattr(recipe, name), strict=True))
        for name in STYLE_FIELDS
        if name in found
    }
    renamed |= {name: tuple(found[name]) for name in MASK_FIELDS if name in found}
    renamed |= {name: found[name][0] for name in ("mask", "scribble", "backdrop", "init") if name in found}
    sources = load_sources(found["photo"][0], replace(recipe, **renamed), {})
    read = sources.files()
    if [entry.role for entry in read] != [entry.role for entry in record.inputs]:
        raise InputError("The record's inputs are not those that its recipe asks for; it was changed by hand.")
    for entry, now in zip(record.inputs, read, strict=True):
        if entry.sha256 != now.sha256:
            raise InputError(f"{entry.role} {now.path or now.name} is not the file that made this picture: it changed.")
    notes = _differences(record, resolve_device(recipe.device))
    engine = "torch" if record.engine == "torch" else "auto"
    return Painting(sources, recipe, recorded_inputs=record.inputs, threads=record.threads, engine=engine, notes=notes)


def _check_weights(record: Record) -> None:
    for name, sha256 in record.weights.items():
        if name in weights.TABLE and hash_file(weights.where(name)) != sha256:
            raise WeightsError(
                f"The weights {name!r} in the cache are not those that made this picture (sha256 {sha256}); "
                f"check them with: pochoir models verify {name}"
            )


def _differences(record: Record, device: str) -> tuple[str, ...]:
    """What may make other bytes of the same record."""
    then = {"pochoir": record.version, "torch": record.torch, "device": record.device, "engine": record.engine}
    engine = "torch" if record.engine == "torch" else expected_engine(device)  # torch is there in any case
    now = {"pochoir": __version__, "torch": str(torch.__version__), "device": device, "engine": engine}
    changes = [f"{name} was {then[name]} and is {now[name]}" for name in then if then[name] != now[name]]
    return (f"the picture may differ a little from the first one: {', '.join(changes)}",) if changes else ()


def _style_ref(item: Any) -> tuple[StyleRef, Any]:
    """A reference for the recipe, and the picture itself if it is not to be read by name."""
    if isinstance(item, StyleRef):
        return item, None
    if isinstance(item, str):
        return StyleRef.parse(item), None
    if isinstance(item, Path):
        return StyleRef(str(item)), None
    if isinstance(item, tuple):
        if len(item) != 2 or not isinstance(item[1], int | float):
            raise OptionError(f"A style and its share are a pair such as (picture, 2.0); got {item!r}.")
        ref, picture = _style_ref(item[0])
        return StyleRef(ref.source, float(item[1])).checked(), picture
    return StyleRef("<image>"), item


def _file_ref(item: Any) -> tuple[str, Any]:
    """A path for the recipe, and the picture itself if it is not to be read from there."""
    return (str(item), None) if isinstance(item, str | Path) else ("<image>", item)


def _as_list(value: Any) -> list[Any]:
    is_pair = isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], int | float)
    if isinstance(value, StyleRef) or is_pair or not isinstance(value, list | tuple):
        return [value]
    return list(value)
