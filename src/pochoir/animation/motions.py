"""Motions with the functions that move meshes and bones."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from pochoir.animation import fields, gaits
from pochoir.animation.catalog import CATALOG, MotionInfo, Needs, parse_motion
from pochoir.animation.fields import Field
from pochoir.animation.posing import Curve

_CURVES: Final[Mapping[str, Curve]] = {
    "wave": gaits.wave,
    "march": gaits.march,
    "walk": gaits.walk,
    "jump": gaits.jump,
    "dance": gaits.dance,
    "trot": gaits.trot,
    "run": gaits.trot,
    "flap": gaits.flap,
}
_FIELDS: Final[Mapping[str, Field]] = {
    "breathe": fields.breathe,
    "sway": fields.sway,
    "nod": fields.nod,
    "bounce": fields.bounce,
    "hop": fields.hop,
    "waddle": fields.waddle,
    "jelly": fields.jelly,
    "turn": fields.turn,
    "peek": fields.peek,
    "jitter": fields.jitter,
}


@dataclass(frozen=True)
class Motion:
    """One motion.

    Attributes:
        info: Its description.
        field: Displacement field of a motion that needs no parts.
        curve: Bone angles of a motion that needs parts.
    """

    info: MotionInfo
    field: Field | None = None
    curve: Curve | None = None

    @property
    def name(self) -> str:
        """Name on the command line."""
        return self.info.name

    @property
    def needs(self) -> Needs:
        """Parts of the subject that the motion moves."""
        return self.info.needs

    @property
    def period_s(self) -> float:
        """Seconds that one cycle takes when it looks natural."""
        return self.info.period_s

    @property
    def travels(self) -> bool:
        """True if the subject can cross the picture with it."""
        return self.info.travels


MOTIONS: Final[Mapping[str, Motion]] = MappingProxyType(
    {name: Motion(info, _FIELDS.get(name), _CURVES.get(name)) for name, info in CATALOG.items()}
)
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
        """Read ``NAME`` or ``NAME:AMOUNT``; see ``catalog.parse_motion``."""
        info, amount = parse_motion(text)
        return cls(MOTIONS[info.name], amount)

    def __str__(self) -> str:
        return self.motion.name if self.amount == 1 else f"{self.motion.name}:{self.amount:g}"


Phases = Callable[[float], float]
"""Period in seconds to phase in [0, 1)."""
