"""The motions by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from pochoir.animation import fields, gaits
from pochoir.animation.fields import Field
from pochoir.animation.posing import Curve
from pochoir.errors import OptionError, UnknownNameError

MOST_AMOUNT: Final = 3.0
"""Largest factor on a motion's usual strength."""

Needs = Literal["nothing", "person", "legs", "wings"]


@dataclass(frozen=True)
class Motion:
    """One motion.

    Attributes:
        name: Name on the command line.
        summary: One line for people.
        needs: Parts of the subject that the motion moves; ``"nothing"`` serves any subject.
        period_s: Seconds that one cycle takes when it looks natural.
        field: Displacement field of a motion that needs no parts.
        curve: Bone angles of a motion that needs parts.
        travels: True if the subject can cross the picture with it.
    """

    name: str
    summary: str
    needs: Needs = "nothing"
    period_s: float = 3.0
    field: Field | None = None
    curve: Curve | None = None
    travels: bool = False


_ROWS = (
    Motion("breathe", "The chest widens and sinks.", field=fields.breathe),
    Motion("sway", "The whole subject bends to both sides, like a reed.", field=fields.sway),
    Motion("nod", "The upper part bends, like a head on its neck.", field=fields.nod),
    Motion("bounce", "Stretches and squashes on its foot.", period_s=1.5, field=fields.bounce),
    Motion("hop", "Jumps up, three times.", field=fields.hop, travels=True),
    Motion("waddle", "Rocks from one end of its foot line to the other.", field=fields.waddle, travels=True),
    Motion("jelly", "Waves run up the subject.", period_s=1.5, field=fields.jelly),
    Motion("turn", "Turns to both sides, as if it had depth.", field=fields.turn),
    Motion("peek", "Ducks below the frame and comes up again.", field=fields.peek),
    Motion("jitter", "Four poses in turn, like a paper puppet.", field=fields.jitter),
    Motion("wave", "Raises an arm and waves.", "person", curve=gaits.wave),
    Motion("march", "Lifts the knees in turn, seen from the front.", "person", 2.0, curve=gaits.march),
    Motion("walk", "Walks like a shadow puppet.", "person", 2.0, curve=gaits.walk, travels=True),
    Motion("jump", "Crouches and jumps with the arms up.", "person", 2.0, curve=gaits.jump),
    Motion("dance", "Sways the hips and throws up the arms.", "person", curve=gaits.dance),
    Motion("trot", "Four legs swing in diagonal pairs.", "legs", 1.5, curve=gaits.trot, travels=True),
    Motion("run", "Trots while the background passes by.", "legs", 1.5, curve=gaits.trot),
    Motion("flap", "Lifts the wings and lowers them.", "wings", curve=gaits.flap),
)

MOTIONS: Final[Mapping[str, Motion]] = MappingProxyType({row.name: row for row in _ROWS})
"""All motions by name, those for any subject first."""


@dataclass(frozen=True)
class Move:
    """A motion and its strength.

    Attributes:
        motion: The motion.
        amount: Factor on its usual strength.
        face: Direction of a gait: 1 is right, -1 is left, 0 is wherever the subject looks.
    """

    motion: Motion
    amount: float = 1.0
    face: int = 0

    @classmethod
    def parse(cls, text: str) -> "Move":
        """Read ``NAME`` or ``NAME:AMOUNT``.

        Raises:
            UnknownNameError: No motion has this name.
            OptionError: The amount is not a number above 0 and up to ``MOST_AMOUNT``.
        """
        name, colon, amount = text.partition(":")
        if name not in MOTIONS:
            raise UnknownNameError("motion", name, MOTIONS, "See: pochoir animate --list")
        try:
            factor = float(amount) if colon else 1.0
        except ValueError:
            factor = float("nan")
        if not 0 < factor <= MOST_AMOUNT:
            raise OptionError(
                f"The amount of a motion is a number above 0 and up to {MOST_AMOUNT:g}, as in {name}:0.5; got {text!r}."
            )
        return cls(MOTIONS[name], factor)

    def __str__(self) -> str:
        return self.motion.name if self.amount == 1 else f"{self.motion.name}:{self.amount:g}"


Phases = Callable[[float], float]
"""Period in seconds to phase in [0, 1)."""
