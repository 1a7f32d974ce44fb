"""The public functions: paint a photo, find its subject, paint a picture again from its record."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

import torch

from pochoir import weights
from pochoir._devices import resolve_device
from pochoir._hashing import hash_file
from pochoir._version import __version__
from pochoir.arguments import PICTURE_FIELDS, SegmentOptions, StylizeOptions
from pochoir.encoders import expected_engine
from pochoir.errors import InputError, OptionError, WeightsError
from pochoir.faces import WEIGHTS as FACES
from pochoir.imaging import PictureSource
from pochoir.painting import Painting
from pochoir.recipe import MASK_FIELDS, STYLE_FIELDS, InputFile, Recipe, Record, StyleRef
from pochoir.result import Result
from pochoir.scene import Scene
from pochoir.segmentation import Segmentation
from pochoir.session import Session as Session
from pochoir.sources import Sources, find_input, load_sources


def stylize(photo: PictureSource, recipe: Recipe | None = None, **options: Unpack[StylizeOptions]) -> Result:
    """Paint a photo.

    For many photos use a ``Session``, which loads networks and styles once.

    Args:
        photo: Path, PIL image, array (H, W), (H, W, 3) or (H, W, 4), or tensor (3, H, W). Alpha that cuts out a subject
            is the subject's matte.
        recipe: Settings to start from; None takes the defaults.
        **options: Settings that count more than the recipe's; ``Recipe`` describes each of them. Of these,

            - ``style`` is the style of the whole picture: a path, a built-in name, a picture, or several of them;
              ``"S:2"`` and ``(picture, 2.0)`` give a share. ``subject`` and ``background`` are those of the regions.
            - ``style_mask``, ``subject_style_mask`` and ``background_style_mask`` are white where the look is taken
              from; of several styles one for each, in their order.
            - ``mask`` is the subject's matte, white is subject: a picture, a tensor or a ``Segmentation``.
            - ``scribble`` is a picture with strokes that correct the matte: green is subject, red is background.
            - ``backdrop`` stands behind the subject: ``"photo"``, ``"transparent"``, a colour or a picture.
            - ``init`` is the start: ``"content"``, ``"noise"``, ``"style"`` or a picture.
            - ``segmenter`` is a name, or an object of your own with ``name`` and ``segment(photo)``.
            - ``encoder`` is a name, or a network of your own.

    Returns:
        The finished picture and its layers.

    Raises:
        InputError: Something that was given cannot be used.
        WeightsError: Trained weights are missing; the text says how to get them.
    """
    with Session() as session:
        return session.stylize(photo, recipe, **options)


def iter_stylize(
    photo: PictureSource,
    recipe: Recipe | None = None,
    *,
    checkpoint: str | Path | None = None,
    started_s: float | None = None,
    **options: Unpack[StylizeOptions],
) -> Painting:
    """Prepare to paint a photo, step by step.

    Args:
        photo: As for ``stylize``.
        recipe: Settings to start from; None takes the defaults.
        checkpoint: File that keeps the unfinished painting, so that the same call resumes it after a crash.
        started_s: Start of the recipe's ``time``, on the clock of ``time.monotonic()``; None for now.
        **options: As for ``stylize``.

    Returns:
        A ``Painting``: iterate it for ``Step`` events, stop when you like, then call ``result()``.

    Raises:
        InputError: Something that was given cannot be used.
        WeightsError: Trained weights are missing; the text says how to get them.

    Examples:
        >>> painting = pochoir.iter_stylize("photo.jpg", style="mosaic", checkpoint="photo.partial")  # doctest: +SKIP
        >>> for step in painting:  # doctest: +SKIP
        ...     print(f"{step.done} of {step.total}")
        >>> painting.result().save("mosaic.png")  # doctest: +SKIP
        >>> painting.remove_checkpoint()  # doctest: +SKIP
    """
    with Session() as session:  # what it lent, the painting keeps until it ends
        return session.iter_stylize(photo, recipe, checkpoint=checkpoint, started_s=started_s, **options)


VARIATION_PX = 256
"""Long side of a variation."""
MAX_VARIATIONS = 64


def iter_variations(
    photo: PictureSource, recipe: Recipe | None = None, *, count: int = 4, **options: Unpack[StylizeOptions]
) -> Iterator[Result]:
    """Paint a photo several times at small size, with different strokes.

    The first variation has the recipe's seed, and each further one the next seed. Paint the chosen one at full size
    with its ``result.recipe.seed``.

    Args:
        photo: As for ``stylize``.
        recipe: Settings to start from; None takes the defaults. Its size is replaced if it is larger than 256 pixels.
        count: Number of variations, from 1 to 64.
        **options: As for ``stylize``.

    Yields:
        The variations, one after the other.

    Raises:
        InputError: Something that was given cannot be used.
        WeightsError: Trained weights are missing; the text says how to get them.
    """
    if not 1 <= count <= MAX_VARIATIONS:
        raise OptionError(f"Variations are 1 to {MAX_VARIATIONS}; got {count}.")
    return _iter_variations(photo, recipe, count, options)


def _iter_variations(
    photo: PictureSource, recipe: Recipe | None, count: int, options: StylizeOptions
) -> Iterator[Result]:
    with Session() as session:
        first = session.iter_stylize(photo, recipe, **options).scene.recipe
        size = VARIATION_PX if not isinstance(first.size, int) else min(first.size, VARIATION_PX)
        for number in range(count):
            varied: StylizeOptions = {**options, "seed": (first.seed + number) % 2**32, "size": size, "enlarge": 1}
            yield session.stylize(photo, recipe, **varied)


def segment(
    photo: PictureSource, *, with_parts: bool = False, with_doubt: bool = False, **options: Unpack[SegmentOptions]
) -> Segmentation:
    """Find the subject of a photo.

    Args:
        photo: As for ``stylize``. The alpha of a cutout is its matte, unless another segmenter than the usual one is
            named. What an alpha hides is not subject.
        with_parts: Number the connected subjects even if all of them are wanted.
        with_doubt: Look a second time and say how far the matte can be trusted.
        **options: Fields of ``SegmentSettings`` but the mask, and ``device`` and ``threads``. ``segmenter`` and
            ``scribble`` can be objects, as for ``stylize``.

    Returns:
        The matte at the photo's size, shape (1, 1, H, W) in [0, 1], corrected, chosen and refined as asked; its stages;
        notes.

    Raises:
        InputError: Something that was given cannot be used.
        WeightsMissingError: The network's weights are not in the cache.
    """
    with Session() as session:
        return session.segment(photo, with_parts=with_parts, with_doubt=with_doubt, **options)


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
    sources, recipe = restore_inputs(record, base=base, inputs_dir=inputs_dir)
    ran_on = record.environment
    device = resolve_device(recipe.device)
    return Painting(
        Scene(sources, recipe, device=device, keeps_faces=FACES in record.environment.weights),
        recorded=record,
        threads=ran_on.threads,
        engine="torch" if ran_on.engine == "torch" else "auto",
        notes=describe_differences(record, device),
    )


def restore_inputs(record: Record, *, base: Path, inputs_dir: Path | None = None) -> tuple[Sources, Recipe]:
    """Find and decode the inputs of a record again, and check that they and the weights have not changed.

    Args:
        record: What made the picture.
        base: Folder that relative paths may be relative to, besides the current one.
        inputs_dir: Folder to look for the inputs in first, by their names.

    Returns:
        The inputs, and the recipe as it was recorded.

    Raises:
        InputError: An input is not found, its content has changed, or the record is not whole.
        WeightsError: The weights are missing, or are not those of the record.
    """
    inputs = record.request.inputs
    if not any(entry.role == "photo" for entry in inputs):
        raise InputError("The record names no photo, so there is nothing to run again.")
    found, here = find_inputs(record, base=base, inputs_dir=inputs_dir)
    sources = load_sources(found["photo"][0], here, {})
    check_unchanged(record, sources.files())
    return sources, record.recipe


def find_inputs(
    record: Record, *, base: Path, inputs_dir: Path | None = None
) -> tuple[Mapping[str, Sequence[str]], Recipe]:
    """Find the inputs of a record again without reading them, and check the weights.

    Args:
        record: Record of a picture or a film.
        base: Folder that relative paths may be relative to, besides the current one.
        inputs_dir: Folder to look for the inputs in first, by their names.

    Returns:
        Paths or names by role, with underscores for spaces; the recipe with these paths in place of the recorded ones.

    Raises:
        InputError: An input or the folder is not found, or the record needs an object of the user's own.
        WeightsError: The weights are missing, or are not those of the record.
    """
    if record.request.own:
        own = " and ".join(record.request.own)
        raise InputError(
            f"The picture was made with an object of the user's own ({own}), which a record cannot bring back; "
            "run the Python program that made it."
        )
    if inputs_dir is not None and not inputs_dir.is_dir():
        raise InputError(f"There is no folder {str(inputs_dir)!r} to look for the inputs in.")
    _check_weights(record)
    found: dict[str, list[str]] = {}
    for entry in record.request.inputs:
        found.setdefault(entry.role.replace(" ", "_"), []).append(find_input(entry, base=base, inputs_dir=inputs_dir))
    recipe = record.recipe
    renamed: dict[str, Any] = {
        name: tuple(StyleRef(path, ref.weight) for path, ref in zip(found[name], getattr(recipe, name), strict=True))
        for name in STYLE_FIELDS
        if name in found
    }
    renamed |= {name: tuple(found[name]) for name in MASK_FIELDS if name in found}
    renamed |= {name: found[name][0] for name in PICTURE_FIELDS if name in found}
    return found, recipe.replace(**renamed)


def check_unchanged(record: Record, read: Sequence[InputFile]) -> None:
    """Raise an ``InputError`` if the inputs that were read are not those of a record."""
    recorded = record.request.inputs
    if [entry.role for entry in read] != [entry.role for entry in recorded]:
        raise InputError("The record's inputs are not those that its recipe asks for; it was changed by hand.")
    for entry, now in zip(recorded, read, strict=True):
        if entry.sha256 == now.sha256:
            continue
        if now.path is None:
            raise InputError(
                f"The built-in style {now.name} is drawn differently now. Use pochoir {record.environment.version}, "
                "which made this picture; or paint with the new drawing: pochoir recipe FILE > recipe.toml, then "
                "--recipe recipe.toml."
            )
        raise InputError(f"{entry.role} {now.path} is not the file that made this picture: it changed.")


def _check_weights(record: Record) -> None:
    for name, sha256 in record.environment.weights.items():
        if name in weights.TABLE and hash_file(weights.where(name)) != sha256:
            raise WeightsError(
                f"The weights {name!r} in the cache are not those that made this picture (sha256 {sha256}); "
                f"check them with: pochoir models verify {name}"
            )


def describe_differences(record: Record, device: str) -> tuple[str, ...]:
    """Return one sentence if versions or devices differ, since the bytes may then differ as well.

    Another version of pochoir may lay other strokes; the rest changes rounding.
    """
    ran_on = record.environment
    then = {"pochoir": ran_on.version, "torch": ran_on.torch, "device": ran_on.device, "engine": ran_on.engine}
    engine = "torch" if ran_on.engine == "torch" else expected_engine(device)  # torch is there in any case
    now = {"pochoir": __version__, "torch": str(torch.__version__), "device": device, "engine": engine}
    changes = [f"{name} was {then[name]} and is {now[name]}" for name in then if then[name] != now[name]]
    by = "" if ran_on.version != __version__ else " a little"
    return (f"the picture may differ{by} from the first one: {', '.join(changes)}",) if changes else ()
