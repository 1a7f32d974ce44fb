"""Settings of a clip."""

import math
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema, field_validator

from pochoir.animation.catalog import parse_motion
from pochoir.errors import OptionError
from pochoir.recipe.model import FrozenModel
from pochoir.recipe.text_value import is_number, to_float
from pochoir.recipe.values import Seconds

if TYPE_CHECKING:
    from pochoir.animation.motions import Move

AUTO: Final = "auto"
"""Margin that is as wide as the motion needs."""
MOST_MOTIONS: Final = 8
"""Largest number of motions that add up."""
LONGEST_S: Final = 600.0
SHORTEST_S: Final = 0.1
MOST_MARGIN: Final = 1.0


def parse_margin(value: Any) -> float | None:
    """Read a margin: a share such as ``"20%"`` or ``0.2`` of the picture's long side, or ``"auto"``, which is None.

    Raises:
        OptionError: It is neither, or out of bounds.
    """
    if value is None or value == AUTO:
        return None
    share = math.nan
    if isinstance(value, str):
        with suppress(ValueError):
            is_percent = value.strip().endswith("%")
            share = float(value.strip()[:-1]) / 100 if is_percent else float(value)
    elif is_number(value):
        share = to_float(value)
    if not 0 <= share <= MOST_MARGIN:
        raise OptionError(f"The margin of a clip is {AUTO}, or a share from 0% to {MOST_MARGIN:.0%}; got {value!r}.")
    return round(share, 4)


def _write_margin(share: float | None) -> str:
    return AUTO if share is None else f"{100 * share:g}%"


Margin = Annotated[
    float | None,
    PlainValidator(parse_margin),
    PlainSerializer(_write_margin, when_used="json"),
    WithJsonSchema({"type": "string", "examples": [AUTO, "20%"]}),
]


class ClipSettings(FrozenModel):
    """Settings of a clip.

    Attributes:
        motion: Motions that add up, each ``NAME`` or ``NAME:AMOUNT``.
        duration: Length in seconds.
        fps: Frames a second.
        loop: True if the last frame leads back to the first; False if the clip plays once and ends at rest.
        on: Number of frames that show one pose; 2 and 3 look drawn by hand.
        boil: Number of further paintings with other strokes, which are shown in turn.
        parallax: True lets the background drift behind the subject.
        shadow: True draws a soft shadow on the ground below the subject.
        towards: Side to which motions that travel cross the picture; None keeps them in place.
        margin: Room around the picture, as a share of its long side; None takes what the motion needs.
    """

    field_noun = "setting of a clip"

    motion: Annotated[tuple[str, ...], Field(min_length=1, max_length=MOST_MOTIONS)] = Field(
        default=("breathe",), description="Motions that add up, each NAME or NAME:AMOUNT."
    )
    duration: Seconds = Field(default=Seconds(3.0), description="Length of the clip.")
    fps: float = Field(default=24.0, ge=1.0, le=120.0, strict=True, description="Frames a second.")
    loop: bool = Field(default=True, strict=True, description="Repeat without a seam, or play once and end at rest.")
    on: int = Field(
        default=1, ge=1, le=12, strict=True, description="Frames for each pose; 2 and 3 look drawn by hand."
    )
    boil: int = Field(
        default=0, ge=0, le=6, strict=True, description="Further paintings with other strokes, shown in turn."
    )
    parallax: bool = Field(default=False, strict=True, description="Let the background drift.")
    shadow: bool = Field(default=False, strict=True, description="Draw a soft shadow on the ground.")
    towards: Literal["left", "right"] | None = Field(
        default=None, description="Cross the picture with motions that travel."
    )
    margin: Margin = Field(default=None, description="Room around the picture, as a share of its long side.")

    @field_validator("motion", mode="before")
    @classmethod
    def _check_motion(cls, value: Any) -> Any:
        names = (value,) if isinstance(value, str) else value
        if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
            raise OptionError(f"Motions are given by name, such as 'nod' or 'nod:0.5'; got {value!r}.")
        if not 1 <= len(names) <= MOST_MOTIONS:
            raise OptionError(f"A clip has 1 to {MOST_MOTIONS} motions; got {len(names)}.")
        for name in names:
            parse_motion(name)
        return tuple(names)

    @field_validator("duration", mode="after")
    @classmethod
    def _check_duration(cls, value: Seconds) -> Seconds:
        if not SHORTEST_S <= value <= LONGEST_S:
            raise OptionError(f"A clip lasts from {SHORTEST_S:g} s to {LONGEST_S / 60:g} minutes; got {value}.")
        return value

    @property
    def moves(self) -> "tuple[Move, ...]":
        """The motions, with the direction of gaits."""
        from pochoir.animation.motions import Move  # with NumPy, which forms for these settings do not need

        face = {"left": -1, "right": 1, None: 0}[self.towards]
        parsed = (Move.parse(text) for text in self.motion)
        return tuple(Move(move.motion, move.amount, face) for move in parsed)
