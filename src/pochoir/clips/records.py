"""The record of a clip: a picture's record with the settings of the clip, its given limbs and its steps."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pochoir.animation.rig import Rig
from pochoir.animation.settings import ClipSettings
from pochoir.errors import InputError
from pochoir.recipe import Record, holds_table, to_line

CLIP_KEY: Final = "clip"
RIG_KEY: Final = "rig"
DONE_KEY: Final = "clip_done"


@dataclass(frozen=True)
class ClipRecord:
    """Record of a clip.

    Attributes:
        record: Request and environment.
        settings: Settings of the clip.
        rig: Limbs that were given; None where they are found.
        done: Steps that each painting was given, by its name, where a time limit decided.
    """

    record: Record
    settings: ClipSettings
    rig: Rig | None = None
    done: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return one line of JSON, as it is kept in the clip."""
        values = json.loads(self.record.to_json()) | {CLIP_KEY: self.settings.model_dump(mode="json")}
        if self.done:
            values[DONE_KEY] = {name: list(steps) for name, steps in self.done.items()}
        if self.rig is not None:
            values[RIG_KEY] = self.rig.model_dump(mode="json")
        return to_line(values)

    @classmethod
    def from_json(cls, text: str) -> "ClipRecord":
        """Read the record of a clip.

        Raises:
            InputError: It is not the record of a clip, or a part is missing or of another kind.
        """
        if not holds_clip(text):
            raise InputError("This record is not that of a clip.")
        values = json.loads(text)
        return cls(
            Record.from_json(text),
            ClipSettings.model_validate(values[CLIP_KEY]),
            _read_rig(values[RIG_KEY]) if RIG_KEY in values else None,
            _read_done(values.get(DONE_KEY, {})),
        )


def _read_rig(value: Any) -> Rig:
    if not isinstance(value, dict):
        raise InputError(f"This record of a clip is damaged: its {RIG_KEY!r} is not a table.")
    return Rig.from_dict(value)


def _read_done(value: Any) -> dict[str, tuple[int, ...]]:
    is_whole = isinstance(value, dict) and all(
        isinstance(steps, list) and all(type(count) is int for count in steps) for steps in value.values()
    )
    if not is_whole:
        raise InputError(f"This record of a clip is damaged: its {DONE_KEY!r} is not a table of steps.")
    return {name: tuple(steps) for name, steps in value.items()}


def holds_clip(text: str) -> bool:
    """Return whether a record is that of a clip."""
    return holds_table(text, CLIP_KEY)


def is_same_clip(text: str, other: str) -> bool:
    """Return whether two records are of the same clip, however many steps a time limit allowed."""
    if not (holds_clip(text) and holds_clip(other)):
        return False
    one, two = json.loads(text), json.loads(other)
    for values in (one, two):
        values.pop(DONE_KEY, None)
    return bool(one == two)
