"""All settings of a run: the one source of defaults, bounds, allowed values and help texts.

The command line, the library functions and the record inside each picture are all built from the fields
below. Nothing here imports torch or any other heavy library, so ``pochoir --help`` stays quick.
"""

import dataclasses
import itertools
import json
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, Self

import tomli_w

from pochoir._types import Box
from pochoir.errors import OptionError, UnknownNameError
from pochoir.recipe.quantities import parse_bytes, parse_duration_s

SEGMENTERS = ("u2net", "u2netp", "grabcut")
FULL = "full"
"""The size of a picture that is painted as large as the photo is."""
MOST_SIZE_PX = 8192
REMBG_PREFIX = "rembg:"
"""What the name of a segmenter starts with that runs in the ``rembg`` package."""
PREPROCESSINGS = ("official", "rembg", "report")
REFINEMENTS = ("none", "fast", "best")
ENCODERS = ("vgg19", "vgg16")
POOLINGS = ("max", "avg")
OPTIMIZERS = ("lbfgs", "adam")
INITS = ("content", "noise", "style")
COLORS = ("style", "photo", "match")
BACKDROPS = ("photo", "transparent")
STYLE_FIELDS = ("style", "subject_style", "background_style")
"""The recipe's fields that name styles: for the whole picture, or for a region of it."""

CONVOLUTIONS_PER_BLOCK = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
SUBJECT_CHOICE = re.compile(r"all|largest|[1-9]\d{0,4}(?:,[1-9]\d{0,4})*")
LEAST_MEMORY = 256 << 20
"""Bytes; the encoder and one small tile need as much."""
HEX_COLOR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")


def layer_names(encoder: str) -> tuple[str, ...]:
    """Names of an encoder's layers from shallow to deep: conv1_1, relu1_1, ..., pool1, ..., pool5."""
    names: list[str] = []
    for block, count in enumerate(CONVOLUTIONS_PER_BLOCK[encoder], start=1):
        for index in range(1, count + 1):
            names += [f"conv{block}_{index}", f"relu{block}_{index}"]
        names.append(f"pool{block}")
    return tuple(names)


class StyleRef(NamedTuple):
    """A style picture by name, and its share where several are blended."""

    source: str
    """A file's path or a built-in style's name."""
    weight: float = 1.0
    """Relative share, > 0; shares of one region are divided by their sum."""

    @classmethod
    def parse(cls, text: str) -> "StyleRef":
        """Read ``S`` or ``S:weight``; a colon that no number follows belongs to the name."""
        return cls(*(cls._split(text) or (text,))).checked()

    @staticmethod
    def _split(text: str) -> tuple[str, float] | None:
        source, _, tail = text.rpartition(":")
        try:
            return (source, float(tail)) if source else None
        except ValueError:
            return None

    def checked(self) -> "StyleRef":
        """This reference if it can be used; raises ``OptionError`` otherwise."""
        if not isinstance(self.source, str) or not self.source:
            raise OptionError(f"A style needs a name or a path; got {self.source!r}.")
        if isinstance(self.weight, bool) or not isinstance(self.weight, int | float):
            raise OptionError(f"The weight of style {self.source!r} must be a number; got {self.weight!r}.")
        if not (math.isfinite(self.weight) and self.weight > 0):
            raise OptionError(f"The weight of style {self.source!r} must be above 0; got {self.weight:g}.")
        return self

    def __str__(self) -> str:
        # What is parsed again must be the same: every digit of the weight, and no name taken for a weight.
        if self.weight == 1.0 and StyleRef._split(self.source) is None:
            return self.source
        return f"{self.source}:{repr(float(self.weight)).removesuffix('.0')}"


def setting(
    default: Any,
    text: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
    kind: str = "",
    of: type | None = None,
) -> Any:
    """A dataclass field that carries its help text, bounds (inclusive), allowed values, and type.

    The type is the default's; where the default is None, which stands for not given, it is ``of``.
    """
    metadata = {"help": text, "low": low, "high": high, "choices": choices, "kind": kind, "of": of or type(default)}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class SegmentSettings:
    """How the subject is found."""

    segmenter: str = setting(
        "u2net",
        f"Network or method that finds the subject; or {REMBG_PREFIX}NAME, one of rembg's",
        choices=SEGMENTERS,
        kind="segmenter",
    )
    preprocess: str = setting(
        "official",
        "How U2-Net is shown the photo: as its authors do, as rembg does, or 512 pixels wide and smoothed",
        choices=PREPROCESSINGS,
    )
    box: Box | None = setting(  # noqa: RUF009  # setting() is dataclasses.field()
        None,
        "X,Y,W,H in photo pixels around the subject: what lies outside is dropped, and grabcut starts from it",
        of=Box,
    )
    keep_points: str = setting("", "Points X,Y;X,Y in photo pixels that are subject", kind="points")
    drop_points: str = setting("", "Points X,Y;X,Y in photo pixels that are background", kind="points")
    scribble: str | None = setting(None, "Picture with strokes: green is subject, red is background", of=str)
    subject: str = setting(
        "all", "Which of several subjects: all, largest, or numbers as --as parts shows them: 1 or 1,3", kind="subject"
    )
    mask: str | None = setting(None, "Picture to use as the matte: white is subject, black is background", of=str)
    refine: str = setting("fast", "Edges: none, the method's own; fast; best, up to a second more", choices=REFINEMENTS)
    grabcut_iterations: int = setting(5, "Rounds of GrabCut", low=1, high=100)

    def __post_init__(self) -> None:
        _check_fields(self)
        if not SUBJECT_CHOICE.fullmatch(self.subject):
            raise OptionError(f"A subject is all, largest, or numbers such as 1 or 1,3; got {self.subject!r}.")
        if self.box is not None and not all(isinstance(side, int) for side in self.box):
            raise OptionError(f"A box is four whole numbers: x, y, width, height; got {tuple(self.box)}.")
        if self.box is not None and (self.box.width < 1 or self.box.height < 1):
            raise OptionError(f"A box needs a width and a height of at least 1 pixel; got {self.box}.")


@dataclass(frozen=True, kw_only=True)
class TransferSettings:
    """How a picture is repainted."""

    size: int | str | None = setting(
        None,
        "Long side of the painted picture in pixels, up to 8192, or full for the photo's own; by default 512, or the "
        "photo's own if that is smaller",
        low=1,
        high=MOST_SIZE_PX,
        kind="size",
        of=int,
    )
    steps: int = setting(36, "Optimiser steps, all scales together", low=1, high=100_000)
    schedule: tuple[int, ...] = setting(
        (), "Steps of each scale from coarse to fine, instead of sharing out the steps", kind="counts"
    )
    time: str = setting("", "Finish within this time, such as 30s or 2m, with as many of the steps as fit", kind="time")
    memory: str = setting(
        "2G", "Memory to paint in; pictures that need more are looked at in tiles, which takes longer", kind="memory"
    )
    strength: float = setting(
        0.5,
        "How much of the style's look: 0 is a hint, 1 is wild; a tenth more halves the hold of the photo's forms",
        low=0.0,
        high=1.0,
    )
    content_weight: float = setting(1.0, "How much of the photo's forms to keep", low=0.0, high=1e9)
    style_weight: float = setting(1.0, "How much of the style's look to take", low=0.0, high=1e9)
    tv_weight: float = setting(1.0, "How smooth neighbouring pixels are to be", low=0.0, high=1e9)
    style_scale: float = setting(1.0, "Size of the brush: the style picture's scale", low=0.1, high=4.0)
    init: str = setting("content", "Start from content, noise, style or a picture file", kind="init")
    optimizer: str = setting("lbfgs", "Optimiser", choices=OPTIMIZERS)
    encoder: str = setting("vgg19", "Network whose features are compared", choices=ENCODERS)
    content_layers: tuple[str, ...] = setting(("relu4_2",), "Layers where content is compared", kind="layers")
    style_layers: tuple[str, ...] = setting(
        ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"), "Layers where style is compared", kind="layers"
    )
    pooling: str = setting("max", "Pooling inside the encoder", choices=POOLINGS)
    color: str = setting(
        "style",
        "Whose colours: the style's; the photo's own, painting brightness only; or the style's strokes matched to the "
        "photo's palette",
        choices=COLORS,
    )
    seed: int = setting(0, "Seed of everything random", low=0, high=2**32 - 1)

    def __post_init__(self) -> None:
        _check_fields(self)
        self._check_layers()
        self._check_effort()

    @property
    def hold(self) -> float:
        """The content weight that is used: ``content_weight``, halved for each tenth of strength above one half."""
        return float(self.content_weight * 2.0 ** (10.0 * (0.5 - self.strength)))

    @property
    def treatment(self) -> "Treatment":
        """How a region is treated that has no settings of its own."""
        return Treatment(self.color, self.hold, self.content_layers)

    def _check_layers(self) -> None:
        allowed = layer_names(self.encoder)
        for label, layers in (("content", self.content_layers), ("style", self.style_layers)):
            for layer in layers:
                if layer not in allowed:
                    raise UnknownNameError(f"{label} layer of {self.encoder}", str(layer), allowed)
            if len(set(layers)) != len(layers):
                raise OptionError(f"The {label} layers name a layer twice: {', '.join(layers)}.")
        if not self.style_layers and not self.content_layers:
            raise OptionError("At least one content layer or style layer is needed.")

    def _check_effort(self) -> None:
        if self.time:
            parse_duration_s(self.time)
        if parse_bytes(self.memory) < LEAST_MEMORY:
            raise OptionError(f"Painting takes at least {LEAST_MEMORY >> 20}M of memory; got {self.memory!r}.")
        counts = self.schedule
        if not all(
            isinstance(count, int) and not isinstance(count, bool) and 0 <= count <= 100_000 for count in counts
        ):
            raise OptionError(f"A schedule is whole numbers of steps such as 40,25,15; got {_list(counts)}.")
        if counts and (not counts[0] or any(late and not early for early, late in itertools.pairwise(counts))):
            raise OptionError(f"Only the finest scales of a schedule can have no steps; got {_list(counts)}.")


class Treatment(NamedTuple):
    """What a region keeps of the photo."""

    color: str
    """Whose colours it takes, one of ``COLORS``."""
    hold: float
    """Its content weight, at least 0."""
    content_layers: tuple[str, ...]
    """Where content is compared in it."""


def _own(region: str, name: str) -> Any:
    """The field for the subject or the background alone that stands for a field of ``TransferSettings``."""
    item = TransferSettings.__dataclass_fields__[name]
    known = {key: item.metadata[key] for key in ("low", "high", "choices", "kind", "of")}
    return setting(None, f"In place of --{name.replace('_', '-')} for the {region}", **known)


@dataclass(frozen=True, kw_only=True)
class RegionSettings:
    """How the subject or the background is repainted where that is not as everywhere. None is as everywhere."""

    subject_color: str | None = _own("subject", "color")
    background_color: str | None = _own("background", "color")
    subject_strength: float | None = _own("subject", "strength")
    background_strength: float | None = _own("background", "strength")
    subject_content_weight: float | None = _own("subject", "content_weight")
    background_content_weight: float | None = _own("background", "content_weight")
    subject_content_layers: tuple[str, ...] | None = _own("subject", "content_layers")
    background_content_layers: tuple[str, ...] | None = _own("background", "content_layers")


@dataclass(frozen=True, kw_only=True)
class Recipe(SegmentSettings, TransferSettings, RegionSettings):
    """All settings of a run.

    A recipe is flat, so every field can be an option, a line in a file or an axis of a sweep. The stages see
    only the part that concerns them: ``SegmentSettings`` and ``TransferSettings`` are its base classes. What
    ``RegionSettings`` say of a region, ``treatment_of`` joins with what holds everywhere.

    Raises:
        OptionError: A value is out of bounds or contradicts another.
        UnknownNameError: A name is not among the allowed ones.
    """

    style: tuple[StyleRef, ...] = setting((), "Style for the whole picture", kind="styles")
    subject_style: tuple[StyleRef, ...] = setting((), "Style for the subject", kind="styles")
    background_style: tuple[StyleRef, ...] = setting((), "Style for the background", kind="styles")
    style_mask: tuple[str, ...] = setting(
        (), "Picture that is white where the look is to be taken from the style; one for each --style", kind="files"
    )
    subject_style_mask: tuple[str, ...] = setting((), "The same, one for each --subject-style", kind="files")
    background_style_mask: tuple[str, ...] = setting((), "The same, one for each --background-style", kind="files")
    backdrop: str = setting("photo", "What stands behind the subject: photo, transparent, #rrggbb or a picture file")
    full_size: bool = setting(False, "Save at the photo's full size, edges from the full-size matte")
    device: str = setting("auto", "auto, cpu, cuda, cuda:N or mps", kind="device")
    threads: int = setting(0, "CPU threads; 0 is all cores", low=0, high=1024)

    def __post_init__(self) -> None:
        SegmentSettings.__post_init__(self)
        TransferSettings.__post_init__(self)
        for name in STYLE_FIELDS:
            for ref in getattr(self, name):
                if not isinstance(ref, StyleRef):
                    raise OptionError(f"{name} holds names such as StyleRef.parse('mosaic:2'); got {ref!r}.")
                ref.checked()
        if self.style and (self.subject_style or self.background_style):
            raise OptionError(
                "A style for the whole picture cannot be joined with a subject or background style; "
                "give the whole picture's style to both regions instead."
            )
        self._check_style_masks()
        for region in ("subject", "background"):
            self._check_region(region)
        if self.backdrop.startswith("#") and not HEX_COLOR.fullmatch(self.backdrop):
            raise OptionError(f"A backdrop colour is #rgb or #rrggbb; got {self.backdrop!r}.")
        if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", self.device):
            raise UnknownNameError("device", self.device, ("auto", "cpu", "cuda", "cuda:0", "mps"))

    def treatment_of(self, region: str) -> Treatment:
        """How ``"subject"`` or ``"background"`` is treated."""
        return replace(self, **self._own_settings(region)).treatment

    def _own_settings(self, region: str) -> dict[str, Any]:
        """What is given for a region alone, by the names that it has for all."""
        names = (name for name in RegionSettings.__dataclass_fields__ if name.startswith(f"{region}_"))
        given = {name.removeprefix(f"{region}_"): getattr(self, name) for name in names}
        return {name: value for name, value in given.items() if value is not None}

    def _check_style_masks(self) -> None:
        for name in STYLE_FIELDS:
            masks, count = getattr(self, f"{name}_mask"), len(getattr(self, name))
            if not all(isinstance(mask, str) and mask for mask in masks):
                raise OptionError(f"{name}_mask holds the paths of pictures; got {masks!r}.")
            if masks and len(masks) != count:
                raise OptionError(
                    f"Each style needs its own mask: {name} has {count} and {name}_mask has {len(masks)}; give as "
                    "many, in the same order. An all-white one takes the look from everywhere."
                )

    def _check_region(self, region: str) -> None:
        own = self._own_settings(region)
        if own and not getattr(self, f"{region}_style"):
            name = f"{region}_{next(iter(own))}".replace("_", "-")
            raise OptionError(f"--{name} is for a {region} that has its own style; give it a --{region}-style, too.")
        if own:
            nothing: dict[str, Any] = dict.fromkeys(RegionSettings.__dataclass_fields__)
            replace(self, **nothing, **own)  # checks them like those for all

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Build a recipe from plain values; an unknown key is an error, a missing one takes its default."""
        fields = {item.name: item for item in dataclasses.fields(cls)}
        for key in values:
            if key not in fields:
                raise UnknownNameError("recipe field", str(key), fields)
        return cls(**{key: _from_plain(fields[key], value) for key, value in values.items()})

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read a recipe from a ``.toml`` or ``.json`` file."""
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise OptionError(
                f"{path} is not a recipe in a text file. If it is a picture: pochoir recipe {path} > recipe.toml"
            ) from error
        except OSError as error:
            raise OptionError(f"Cannot read the recipe {path}: {error.strerror or error}.") from error
        try:
            values = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            raise OptionError(f"{path} is not a valid recipe: {error}.") from error
        if not isinstance(values, dict):
            raise OptionError(f"{path} is not a valid recipe: it should hold a table of settings.")
        return cls.from_dict(values)

    def to_dict(self) -> dict[str, Any]:
        """All settings as plain values that JSON and ``from_dict`` take; ``None`` for what is not set."""
        return {item.name: _to_plain(getattr(self, item.name)) for item in dataclasses.fields(self)}

    def to_toml(self) -> str:
        """All settings as TOML, which has no null: what is not set is left out."""
        return tomli_w.dumps({key: value for key, value in self.to_dict().items() if value is not None})


def _list(counts: tuple[object, ...]) -> str:
    return ",".join(map(str, counts))


def option(name: str) -> dataclasses.Field[Any]:
    """The recipe field of that name, for callers that need its default, help text, bounds or choices."""
    return Recipe.__dataclass_fields__[name]


def _to_plain(value: Any) -> Any:
    if isinstance(value, Box):
        return list(value)
    if isinstance(value, tuple):
        return [item if isinstance(item, int) else str(item) for item in value]
    return value


def _from_plain(item: "dataclasses.Field[Any]", value: Any) -> Any:
    if item.name == "box" and isinstance(value, list | tuple):
        if len(value) != 4:
            raise OptionError(f"A box is four numbers: x, y, width, height; got {value!r}.")
        return Box(*value)
    is_not_given = value is None and item.default is None
    if item.metadata["kind"] in ("styles", "layers", "counts", "files") and not is_not_given:
        # A single reference is a tuple, too, and would be taken for a list of its name and its weight.
        if not isinstance(value, list | tuple) or isinstance(value, StyleRef):
            what = "numbers" if item.metadata["kind"] == "counts" else "names"
            raise OptionError(f"{item.name} is a list of {what}; got {value!r}.")
        if item.metadata["kind"] != "styles":
            return tuple(value)
        return tuple(StyleRef.parse(ref) if isinstance(ref, str) else ref for ref in value)
    if item.metadata["of"] is float and isinstance(value, int) and not isinstance(value, bool):
        _check_value(item, value)  # first, as a very large one is no float
        return float(value)
    return value


def _check_fields(settings: object) -> None:
    """Check type, bounds and choices of every field against its own metadata."""
    for item in dataclasses.fields(settings):  # type: ignore[arg-type]  # always called with a dataclass
        value = getattr(settings, item.name)
        if item.metadata["kind"] == "size" and value == FULL:
            continue
        wanted: tuple[type, ...] = (item.metadata["of"],)
        if float in wanted:
            wanted = (float, int)
        if item.default is None:
            wanted = (*wanted, type(None))
        if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
            names = " or ".join("nothing" if kind is type(None) else kind.__name__ for kind in wanted)
            full = f" or {FULL!r}" if item.metadata["kind"] == "size" else ""
            raise OptionError(f"{item.name} must be {names}{full}; got {value!r}.")
        _check_value(item, value)


def _check_value(item: "dataclasses.Field[Any]", value: Any) -> None:
    low, high, choices = item.metadata["low"], item.metadata["high"], item.metadata["choices"]
    takes_rembg = item.metadata["kind"] == "segmenter"
    if value is None:  # what need not be given; its type has been checked
        return
    if choices is not None and value not in choices and not (takes_rembg and value.startswith(REMBG_PREFIX)):
        hint = f"Or {REMBG_PREFIX}NAME for a network of the rembg package." if takes_rembg else ""
        raise UnknownNameError(item.name.replace("_", " "), value, choices, hint)
    if low is not None and not low <= value <= high:
        raise OptionError(f"{item.name} must be between {low:.10g} and {high:.10g}; got {value!r}.")
