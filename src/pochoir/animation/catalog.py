"""Names of the motions, with a line on each: light to import, for settings and for forms."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from pochoir.errors import OptionError, UnknownNameError

MOST_AMOUNT: Final = 3.0
"""Largest factor on a motion's usual strength."""

Needs = Literal["nothing", "person", "legs", "wings"]


@dataclass(frozen=True)
class MotionInfo:
    """Description of a motion.

    Attributes:
        name: Name on the command line.
        summary: One line for people.
        needs: Parts of the subject that the motion moves; ``"nothing"`` serves any subject.
        period_s: Seconds that one cycle takes when it looks natural.
        travels: True if the subject can cross the picture with it.
    """

    name: str
    summary: str
    needs: Needs = "nothing"
    period_s: float = 3.0
    travels: bool = False


_ROWS = (
    MotionInfo("breathe", "The chest widens and sinks."),
    MotionInfo("sway", "The whole subject bends to both sides, like a reed."),
    MotionInfo("nod", "The upper part bends, like a head on its neck."),
    MotionInfo("bounce", "Stretches and squashes on its foot.", period_s=1.5),
    MotionInfo("hop", "Jumps up, three times.", travels=True),
    MotionInfo("waddle", "Rocks from one end of its foot line to the other.", travels=True),
    MotionInfo("jelly", "Waves run up the subject.", period_s=1.5),
    MotionInfo("turn", "Turns to both sides, as if it had depth."),
    MotionInfo("peek", "Ducks below the frame and comes up again."),
    MotionInfo("jitter", "Four poses in turn, like a paper puppet."),
    MotionInfo("wave", "Raises an arm and waves.", "person"),
    MotionInfo("march", "Lifts the knees in turn, seen from the front.", "person", 2.0),
    MotionInfo("walk", "Walks like a shadow puppet.", "person", 2.0, travels=True),
    MotionInfo("jump", "Crouches and jumps with the arms up.", "person", 2.0),
    MotionInfo("dance", "Sways the hips and throws up the arms.", "person"),
    MotionInfo("trot", "Four legs swing in diagonal pairs.", "legs", 1.5, travels=True),
    MotionInfo("run", "Trots while the background passes by.", "legs", 1.5),
    MotionInfo("flap", "Lifts the wings and lowers them.", "wings"),
)

CATALOG: Final[Mapping[str, MotionInfo]] = MappingProxyType({row.name: row for row in _ROWS})
"""All motions by name, those for any subject first."""


def parse_motion(text: str) -> tuple[MotionInfo, float]:
    """Read ``NAME`` or ``NAME:AMOUNT`` and return the motion and its strength.

    Raises:
        UnknownNameError: No motion has this name.
        OptionError: The amount is not a number above 0 and up to ``MOST_AMOUNT``.
    """
    name, colon, amount = text.partition(":")
    if name not in CATALOG:
        raise UnknownNameError("motion", name, CATALOG, "See: pochoir animate --list")
    try:
        factor = float(amount) if colon else 1.0
    except ValueError:
        factor = float("nan")
    if not 0 < factor <= MOST_AMOUNT:
        raise OptionError(
            f"The amount of a motion is a number above 0 and up to {MOST_AMOUNT:g}, as in {name}:0.5; got {text!r}."
        )
    return CATALOG[name], factor
