"""Keyword arguments of the public functions: their types, and the recipe and pictures that they stand for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypedDict

from pochoir._types import Box
from pochoir.encoders import VGG
from pochoir.errors import OptionError, UnknownNameError
from pochoir.imaging import PictureSource
from pochoir.recipe import MASK_FIELDS, STYLE_FIELDS, Recipe, StyleRef
from pochoir.segmentation import Segmentation, Segmenter

OBJECT_FIELDS = ("segmenter", "encoder")
"""Fields of the recipe that take a name, or an object of the user's own."""
PICTURE_FIELDS = ("mask", "scribble", "backdrop", "init", "protect")
"""Fields of the recipe that can name one picture."""
IN_MEMORY = "<image>"
"""Name in a recipe of a picture that came without a file."""

StyleSource: TypeAlias = PictureSource | StyleRef | tuple[PictureSource, float]
"""A picture, a path, a built-in style's name, ``"S:weight"``, or a pair of a picture and its share."""
Styles: TypeAlias = StyleSource | Sequence[StyleSource]
Masks: TypeAlias = PictureSource | Sequence[PictureSource]
MaskSource: TypeAlias = PictureSource | Segmentation

Color: TypeAlias = Literal["style", "photo", "match"]


class _FindingOptions(TypedDict, total=False):
    """Settings of the search for subjects in any number of pictures; ``Recipe`` describes each of them."""

    segmenter: str | Segmenter | None
    preprocess: Literal["multiscale", "official", "rembg", "report"]
    refine: Literal["none", "fast", "best"]
    grabcut_iterations: int
    commercial_safe: bool
    device: str
    threads: int


class _SubjectOptions(_FindingOptions, total=False):
    """Settings of the search for the subject of one picture."""

    box: Box | tuple[int, int, int, int] | None
    keep_points: str | Sequence[tuple[int, int]]
    drop_points: str | Sequence[tuple[int, int]]
    scribble: PictureSource | None


class SegmentOptions(_SubjectOptions, total=False):
    """Keyword arguments of ``segment``.

    They are the fields of ``SegmentSettings`` without the mask, and ``device`` and ``threads``.
    """

    subject: str


class PaintingOptions(_FindingOptions, total=False):
    """Settings of painting any number of pictures; ``Recipe`` describes each of them."""

    style: Styles | None
    subject: Styles | None
    background: Styles | None
    subject_style: Styles | None
    background_style: Styles | None
    style_mask: Masks | None
    subject_style_mask: Masks | None
    background_style_mask: Masks | None
    backdrop: PictureSource | None
    encoder: str | VGG | None
    size: int | Literal["full"] | None
    steps: int
    schedule: Sequence[int]
    time: float | str | None
    memory: int | str
    strength: float
    content_weight: float
    style_weight: float
    tv_weight: float
    style_scale: float
    optimizer: Literal["lbfgs", "adam"]
    content_layers: Sequence[str]
    style_layers: Sequence[str]
    pooling: Literal["max", "avg"]
    color: Color
    seed: int
    quality: int
    no_recipe: bool
    keep: Literal["faces", "none"]
    protect: PictureSource | None
    protect_amount: float
    calm: float
    clean_style: bool
    subject_color: Color | None
    background_color: Color | None
    subject_strength: float | None
    background_strength: float | None
    subject_content_weight: float | None
    background_content_weight: float | None
    subject_content_layers: Sequence[str] | None
    background_content_layers: Sequence[str] | None


class StylizeOptions(PaintingOptions, _SubjectOptions, total=False):
    """Keyword arguments of ``stylize``: the fields of ``Recipe``, where pictures can also be given in memory.

    ``subject`` and ``background`` are short for ``subject_style`` and ``background_style``. To choose one of several
    subjects, give a ``Recipe(subject="largest")``.
    """

    mask: MaskSource | None
    init: PictureSource | None
    full_size: bool
    enlarge: int
    bits: Literal[8, 16]
    chroma: Literal["444", "422", "420"]
    dpi: float | None
    profile: Literal["srgb", "keep"]
    metadata: Literal["basic", "gps", "none"]


@dataclass(frozen=True, eq=False)
class Arguments:
    """A recipe, and the objects that a recipe cannot hold.

    Attributes:
        recipe: The settings; pictures in memory have the name ``"<image>"``.
        pictures: Pictures to use instead of the recipe's names, as ``load_sources`` takes them.
        segmenter: Segmenter of the user's own.
        encoder: Network of the user's own.
    """

    recipe: Recipe
    pictures: Mapping[str, Any] = field(default_factory=dict)
    segmenter: Segmenter | None = None
    encoder: VGG | None = None

    def with_recipe(self, recipe: Recipe | None) -> "Arguments":
        """Return the same objects with another recipe and without pictures; None changes nothing.

        Raises:
            OptionError: It is not a recipe.
        """
        if recipe is None:
            return self
        if not isinstance(recipe, Recipe):
            raise OptionError(f"The recipe must be a Recipe; got {recipe!r}. A style is given by name: style='mosaic'.")
        return replace(self, recipe=recipe, pictures={})


def read_stylize_options(base: Arguments, options: Mapping[str, Any]) -> Arguments:
    """Turn the keyword arguments of ``stylize`` into a recipe and the objects beside it.

    Args:
        base: Values of the arguments that are not given.
        options: See ``StylizeOptions``. A picture or an object that is None was not given.

    Raises:
        InputError: An argument has no such name, or cannot be used.
    """
    values = _drop_absent(options)
    for short in ("subject", "background"):
        if short in values and f"{short}_style" in values:
            raise OptionError(f"{short} is short for {short}_style; give one of them.")
        if short in values:
            values[f"{short}_style"] = values.pop(short)
    pictures: dict[str, Any] = {}
    for name in (*STYLE_FIELDS, *MASK_FIELDS):
        if name in values:
            split = _split_style if name in STYLE_FIELDS else _split_file
            pairs = [split(item) for item in _as_list(values[name])]
            values[name] = tuple(reference for reference, _ in pairs)
            pictures[name] = [picture for _, picture in pairs]
    return _join(base, values, pictures)


def read_segment_options(base: Arguments, options: Mapping[str, Any]) -> Arguments:
    """Turn the keyword arguments of ``segment`` into a recipe and the objects beside it.

    Args:
        base: Values of the arguments that are not given.
        options: See ``SegmentOptions``. A picture or an object that is None was not given.

    Raises:
        InputError: An argument has no such name, or cannot be used.
    """
    for name in options:
        if name not in SegmentOptions.__annotations__:
            raise UnknownNameError("setting of segment", name, SegmentOptions.__annotations__)
    return _join(base, _drop_absent(options), {})


def _join(base: Arguments, values: dict[str, Any], pictures: dict[str, Any]) -> Arguments:
    """Lay new values over a base. ``values`` may still hold single pictures and objects; it is changed."""
    for name in PICTURE_FIELDS:
        if name in values:
            values[name], picture = _split_file(values[name])
            if picture is not None:
                pictures[name] = picture
    objects = {name: _pop_object(base, values, name) for name in OBJECT_FIELDS}
    kept = {name: picture for name, picture in base.pictures.items() if name not in values}
    recipe = base.recipe.replace(**values) if values else base.recipe
    return Arguments(recipe, kept | pictures, **objects)


def _drop_absent(options: Mapping[str, Any]) -> dict[str, Any]:
    optional = {"subject", "background", *STYLE_FIELDS, *MASK_FIELDS, *PICTURE_FIELDS, *OBJECT_FIELDS}
    return {name: value for name, value in options.items() if value is not None or name not in optional}


def _pop_object(base: Arguments, values: dict[str, Any], name: str) -> Any:
    """Take an object of the user's own out of some values. A name stays there, and counts more than the base."""
    if isinstance(values.get(name), str):
        return None
    return values.pop(name, getattr(base, name))


def _split_style(item: Any) -> tuple[StyleRef, Any]:
    """A reference for the recipe, and the picture if it is in memory."""
    if isinstance(item, StyleRef):
        return item, None
    if isinstance(item, str):
        return StyleRef.parse(item), None
    if isinstance(item, Path):
        return StyleRef(str(item)), None
    if isinstance(item, tuple):
        if len(item) != 2 or not isinstance(item[1], int | float):
            raise OptionError(f"A style and its share are a pair such as (picture, 2.0); got {item!r}.")
        reference, picture = _split_style(item[0])
        return StyleRef(reference.source, float(item[1])).checked(), picture
    return StyleRef(IN_MEMORY), item


def _split_file(item: Any) -> tuple[str, Any]:
    """A path for the recipe, and the picture if it is in memory."""
    if isinstance(item, str | Path):
        return str(item), None
    return IN_MEMORY, item.matte if isinstance(item, Segmentation) else item


def _as_list(value: Any) -> list[Any]:
    is_pair = isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], int | float)
    if isinstance(value, StyleRef) or is_pair or not isinstance(value, list | tuple):
        return [value]
    return list(value)
