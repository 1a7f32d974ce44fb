"""Settings of a run: defaults, bounds, choices, help texts and units, each written once.

The command line, the library functions, the page's form and the record inside each picture are built from these fields.
"""

import itertools
import re
from typing import Annotated, Any, Literal, NamedTuple, get_args

from pydantic import AfterValidator, BeforeValidator, Strict, WithJsonSchema, model_validator

from pochoir._plugins import SEGMENTERS as SEGMENTER_PLUGINS
from pochoir._plugins import plugin_names
from pochoir.errors import OptionError, UnknownNameError
from pochoir.recipe.declare import Level, setting
from pochoir.recipe.geometry import MAX_SIZE_PX, BoxField, LongSide, Points
from pochoir.recipe.layers import Layers, check_layers
from pochoir.recipe.model import FrozenModel, bounds_of
from pochoir.recipe.text_value import PathText
from pochoir.recipe.values import MIN_MEMORY, Bytes, Init, Seconds, SubjectChoice

Preprocessing = Literal["multiscale", "official", "rembg", "report"]
Refinement = Literal["none", "fast", "best"]
Encoder = Literal["vgg19", "vgg16"]
Pooling = Literal["max", "avg"]
Optimizer = Literal["lbfgs", "adam"]
Color = Literal["style", "photo", "match"]
Keep = Literal["faces", "none"]

SEGMENTERS = ("u2net", "u2netp", "grabcut")
REMBG_PREFIX = "rembg:"
"""Prefix of the names of segmenters that run in the ``rembg`` package."""
PREPROCESSINGS: tuple[str, ...] = get_args(Preprocessing)
REFINEMENTS: tuple[str, ...] = get_args(Refinement)
ENCODERS: tuple[str, ...] = get_args(Encoder)
POOLINGS: tuple[str, ...] = get_args(Pooling)
OPTIMIZERS: tuple[str, ...] = get_args(Optimizer)
COLORS: tuple[str, ...] = get_args(Color)
KEEPS: tuple[str, ...] = get_args(Keep)

MAX_STEPS = 100_000


def _check_segmenter(name: str) -> str:
    if name in SEGMENTERS or name.startswith(REMBG_PREFIX):
        return name
    plugins = plugin_names(SEGMENTER_PLUGINS)
    if name not in plugins:
        hint = f"Or {REMBG_PREFIX}NAME for a network of the rembg package."
        raise UnknownNameError("segmenter", name, (*SEGMENTERS, *plugins), hint)
    return name


SegmenterName = Annotated[
    str,
    Strict(),
    AfterValidator(_check_segmenter),
    WithJsonSchema({"anyOf": [{"enum": list(SEGMENTERS)}, {"type": "string", "pattern": f"^{REMBG_PREFIX}"}]}),
]
"""One of ``SEGMENTERS``, a plug-in's name, or ``rembg:NAME``."""


def _split_counts(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return [int(part) for part in value.split(",") if value.strip()]
    except ValueError:
        raise OptionError(f"A schedule is whole numbers of steps such as 40,25,15; got {value!r}.") from None


def _empty_is_none(value: Any) -> Any:
    return None if value == "" else value  # records of earlier versions write no limit like this


def _check_memory(value: Bytes) -> Bytes:
    if value < MIN_MEMORY:
        raise OptionError(f"Painting takes at least {MIN_MEMORY >> 20}M of memory; got {str(value)!r}.")
    return value


Counts = Annotated[tuple[Annotated[int, Strict()], ...], BeforeValidator(_split_counts)]
"""Whole numbers; a text is split at its commas."""


class SegmentSettings(FrozenModel):
    """Settings of finding the subject."""

    field_noun = "recipe field"

    segmenter: SegmenterName = setting(
        "u2net",
        f"Network or method that finds the subject; {REMBG_PREFIX}NAME runs a network of the rembg package",
        group="subject",
        level="basic",
    )
    preprocess: Preprocessing = setting(
        "multiscale",
        "Photo as U2-Net sees it: at several sizes, as its authors do, as rembg does, or 512 pixels wide",
        group="subject",
        level="experiment",
    )
    box: BoxField | None = setting(
        None,
        "Box X,Y,W,H around the subject; everything outside is dropped, and grabcut starts from it",
        group="subject",
        unit="px",
    )
    keep_points: Points = setting(Points(), "Points X,Y;X,Y of the photo that are subject", group="subject", unit="px")
    drop_points: Points = setting(
        Points(), "Points X,Y;X,Y of the photo that are background", group="subject", unit="px"
    )
    scribble: PathText | None = setting(
        None, "Picture with strokes: green is subject, red is background", group="subject"
    )
    subject: SubjectChoice = setting(
        SubjectChoice("all"),
        "Subjects to keep: all, largest, or their numbers such as 1 or 1,3, as --as parts shows them",
        group="subject",
    )
    mask: PathText | None = setting(
        None, "Picture to use as the matte: white is subject, black is background", group="subject", level="basic"
    )
    refine: Refinement = setting(
        "fast",
        "Edges of the matte: none (the method's own), fast, or best, which takes up to a second more",
        group="subject",
    )
    commercial_safe: bool = setting(
        False, "Refuse weights whose terms forbid commercial use, or are not known", group="machine"
    )
    grabcut_iterations: int = setting(5, "Rounds of GrabCut", group="subject", level="experiment", low=1, high=100)


class Treatment(NamedTuple):
    """Settings of one region: how much of the photo it keeps."""

    color: str
    """Source of its colors, one of ``COLORS``."""
    hold: float
    """Its content weight, at least 0."""
    content_layers: tuple[str, ...]
    """Layers where its content is compared."""


class TransferSettings(FrozenModel):
    """Settings of painting."""

    field_noun = "recipe field"

    size: LongSide | None = setting(
        None,
        f"Long side of the painted picture, up to {MAX_SIZE_PX}, or full for the photo's own; by default 512, or the "
        "photo's own if that is smaller",
        group="painting",
        level="basic",
        unit="px",
    )
    steps: int = setting(36, "Optimiser steps, all scales together", group="painting", low=1, high=MAX_STEPS)
    schedule: Counts = setting(
        (), "Steps of each scale from coarse to fine, such as 40,25,15; replaces the steps", group="painting"
    )
    time: Annotated[Seconds | None, BeforeValidator(_empty_is_none)] = setting(
        None,
        "Time limit for the whole run, such as 30s or 2m; does as many of the steps as fit",
        group="painting",
        level="basic",
        unit="s",
    )
    memory: Annotated[Bytes, AfterValidator(_check_memory)] = setting(
        Bytes(2 << 30),
        "Memory for painting, such as 2G; larger pictures are painted in tiles, which takes longer",
        group="machine",
    )
    strength: float = setting(
        0.5,
        "Strength of the style: 0 is a hint, 1 is wild; each further 0.1 halves the weight of the photo's shapes",
        group="painting",
        level="basic",
        low=0.0,
        high=1.0,
    )
    content_weight: float = setting(1.0, "Weight of the photo's shapes", group="painting", low=0.0, high=1e9)
    style_weight: float = setting(1.0, "Weight of the style's look", group="painting", low=0.0, high=1e9)
    tv_weight: float = setting(1.0, "Weight of smoothness", group="painting", low=0.0, high=1e9)
    style_scale: float = setting(
        1.0, "Size of the brush: scale of the style picture", group="painting", level="basic", low=0.1, high=4.0
    )
    init: Init = setting(
        Init("content"), "Picture to start from: content, noise, style or a file", group="painting", level="experiment"
    )
    optimizer: Optimizer = setting("lbfgs", "Optimiser", group="painting", level="experiment")
    encoder: Encoder = setting("vgg19", "Network whose features are compared", group="painting", level="experiment")
    content_layers: Layers = setting(
        ("relu4_2",), "Layers where content is compared", group="painting", level="experiment"
    )
    style_layers: Layers = setting(
        ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"),
        "Layers where style is compared",
        group="painting",
        level="experiment",
    )
    pooling: Pooling = setting("max", "Pooling inside the encoder", group="painting", level="experiment")
    color: Color = setting(
        "style",
        "Colours: style; photo, which paints brightness only and keeps the photo's colours; or match, the style's "
        "strokes in the photo's palette",
        group="painting",
        level="basic",
    )
    seed: int = setting(
        0, "Seed of the random parts; another seed gives other strokes", group="painting", low=0, high=2**32 - 1
    )
    keep: Keep = setting("faces", "Features to keep while painting: faces, or none", group="painting", level="basic")
    protect: PathText | None = setting(
        None, "Picture that is white where more of the photo should be kept, as MASK or MASK:AMOUNT", group="painting"
    )
    protect_amount: float = setting(
        0.5, "Amount of protection: 0 is none, 1 is nearly the photo", group="painting", low=0.0, high=1.0
    )
    calm: float = setting(
        0.0,
        "Reduction of the style in plain areas such as a clear sky; 0 is none",
        group="painting",
        low=0.0,
        high=1.0,
    )
    clean_style: bool = setting(True, "Remove the noise of a grainy style file before painting", group="painting")

    @model_validator(mode="before")
    @classmethod
    def _split_amount(cls, values: Any) -> Any:
        """Split ``protect="mask.png:0.8"`` into mask and amount."""
        protect = values.get("protect") if isinstance(values, dict) else None
        match = re.fullmatch(r"(.+):(\d*\.?\d+)", protect) if isinstance(protect, str) else None
        if match is None:
            return values
        return {**values, "protect": match[1], "protect_amount": float(match[2])}

    @model_validator(mode="after")
    def _check_transfer(self) -> "TransferSettings":
        check_layers(self.encoder, self.content_layers, self.style_layers)
        check_schedule(self.schedule)
        return self

    @property
    def hold(self) -> float:
        """Content weight that is used: ``content_weight``, halved for each tenth of strength above one half."""
        return float(self.content_weight * 2.0 ** (10.0 * (0.5 - self.strength)))

    @property
    def treatment(self) -> Treatment:
        """Treatment of a region that has no settings of its own."""
        return Treatment(self.color, self.hold, self.content_layers)


def check_schedule(counts: tuple[int, ...]) -> None:
    """Raise ``OptionError`` if a scale has too many steps, or a scale without steps comes before one with steps."""
    shown = ",".join(map(str, counts))
    if not all(0 <= count <= MAX_STEPS for count in counts):
        raise OptionError(f"A schedule is whole numbers of steps such as 40,25,15; got {shown}.")
    if counts and (not counts[0] or any(late and not early for early, late in itertools.pairwise(counts))):
        raise OptionError(f"Only the finest scales of a schedule can have no steps; got {shown}.")


def _own(region: str, name: str) -> Any:
    """Declare the field that replaces a field of ``TransferSettings`` for one region."""
    low, high = bounds_of(TransferSettings.model_fields[name])
    label = "Colours" if name == "color" else name.replace("_", " ").capitalize()
    text = f"{label} for the {region} alone"
    level: Level = "experiment" if name in ("content_weight", "content_layers") else "advanced"
    return setting(None, text, group="regions", level=level, low=low, high=high)


class RegionSettings(FrozenModel):
    """Settings of the subject or the background alone; None takes the setting for the whole picture."""

    field_noun = "recipe field"

    subject_color: Color | None = _own("subject", "color")
    background_color: Color | None = _own("background", "color")
    subject_strength: float | None = _own("subject", "strength")
    background_strength: float | None = _own("background", "strength")
    subject_content_weight: float | None = _own("subject", "content_weight")
    background_content_weight: float | None = _own("background", "content_weight")
    subject_content_layers: Layers | None = _own("subject", "content_layers")
    background_content_layers: Layers | None = _own("background", "content_layers")
