"""Grid of a sweep: axes, and every combination of their values."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pochoir.errors import OptionError, UnknownNameError
from pochoir.recipe import find_setting, format_setting, parse_setting, settings_table

MOST_RUNS = 100_000
MACHINE_FIELDS = ("device", "threads")
"""Settings that do not shape a picture: all runs of a sweep have them in common."""


@dataclass(frozen=True)
class Axis:
    """Field of the recipe and the values that a sweep gives it.

    Attributes:
        name: The field's name.
        values: Values of that field.

    Raises:
        UnknownNameError: The recipe has no such field.
        OptionError: The field belongs to the machine, there are no values, one is named twice, or one is out of
            bounds.
    """

    name: str
    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        _check_field(self.name)
        if not self.values:
            raise OptionError(f"The grid of {self.label} is empty; write it as {self.label}=VALUE,VALUE.")
        for index, value in enumerate(self.values):
            if value in self.values[:index]:
                raise OptionError(f"The grid of {self.label} names the value {format_setting(value)} twice.")

    @classmethod
    def parse(cls, text: str) -> "Axis":
        """Read ``field=value,value``; values that contain commas are separated by ``|`` instead."""
        name, equals, values = text.partition("=")
        field = name.strip().replace("-", "_")
        if not equals:
            raise OptionError(f"A grid is written as field=value,value; got {text!r}.")
        parts = [part.strip() for part in values.split("|" if "|" in values else ",")]
        wanted = [part for part in parts if part]
        _check_field(field)
        return cls(field, tuple(parse_setting(field, part) for part in wanted))

    @property
    def label(self) -> str:
        """Name as it is typed."""
        return find_setting(self.name).label


def iter_settings(axes: Sequence[Axis]) -> Iterator[Mapping[str, Any]]:
    """Yield every combination of the axes' values, the last axis fastest.

    Raises:
        OptionError: An axis is given twice, or there are too many combinations.
    """
    names = [axis.name for axis in axes]
    for index, axis in enumerate(axes):
        if axis.name in names[:index]:
            raise OptionError(f"The grid of {axis.label} is given twice; put all its values into one.")
    count = 1
    for axis in axes:
        count *= len(axis.values)
    if count > MOST_RUNS:
        raise OptionError(f"The grid has {count} combinations; at most {MOST_RUNS} are run in one sweep.")
    for values in itertools.product(*(axis.values for axis in axes)):
        yield dict(zip(names, values, strict=True))


def _check_field(name: str) -> None:
    left_out = ("style", *MACHINE_FIELDS)
    labels = {field: item.label for field, item in settings_table().items() if field not in left_out}
    if name in MACHINE_FIELDS:
        raise OptionError(
            f"{name.replace('_', '-')} cannot be swept: it belongs to the machine, and every picture would be the same."
        )
    if name not in labels:
        hint = "Give each style with --style S." if name == "style" else ""
        raise UnknownNameError("field to sweep", name.replace("_", "-"), labels.values(), hint)
