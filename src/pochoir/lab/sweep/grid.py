"""The settings that a sweep goes through: axes, and every combination of their values."""

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pochoir.errors import OptionError, UnknownNameError
from pochoir.recipe.recipe import FULL, Recipe, option

MOST_RUNS = 100_000
_TRUTH = {"true": True, "yes": True, "false": False, "no": False}
_FIELDS = {item.name: item for item in dataclasses.fields(Recipe) if item.name != "style"}


@dataclass(frozen=True)
class Axis:
    """A field of the recipe and the values it is to take.

    Attributes:
        name: The field's name.
        values: Plain values, as ``Recipe.from_dict`` takes them.

    Raises:
        UnknownNameError: The recipe has no such field.
        OptionError: There are no values, one is named twice, or one is out of bounds.
    """

    name: str
    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        if self.name not in _FIELDS:
            hint = "Give each style with --style S." if self.name == "style" else ""
            raise UnknownNameError("field to sweep", self.label, map(_with_dashes, _FIELDS), hint)
        if not self.values:
            raise OptionError(f"The grid of {self.label} is empty; write it as {self.label}=VALUE,VALUE.")
        for index, value in enumerate(self.values):
            if value in self.values[:index]:
                raise OptionError(f"The grid of {self.label} names the value {show_value(value)} twice.")

    @classmethod
    def parse(cls, text: str) -> "Axis":
        """Read ``field=value,value``; values that hold commas themselves are parted by ``|`` instead."""
        name, equals, values = text.partition("=")
        field = name.strip().replace("-", "_")
        if not equals:
            raise OptionError(f"A grid is written as field=value,value; got {text!r}.")
        parts = [part.strip() for part in values.split("|" if "|" in values else ",")]
        wanted = [part for part in parts if part]
        if field not in _FIELDS:
            return cls(field, tuple(wanted))  # says what is wrong
        return cls(field, tuple(_read(field, part) for part in wanted))

    @property
    def label(self) -> str:
        """The name as it is typed."""
        return _with_dashes(self.name)


def iter_settings(axes: Sequence[Axis]) -> Iterator[Mapping[str, Any]]:
    """Every combination of the axes' values, the last axis fastest.

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


def _with_dashes(name: str) -> str:
    return name.replace("_", "-")


def show_value(value: Any) -> str:
    """A value as it would be typed."""
    if isinstance(value, list | tuple):
        return ",".join(map(show_value, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _read(name: str, text: str) -> Any:
    item = option(name)
    if item.metadata["kind"] in ("styles", "files"):
        return [text]
    if item.metadata["kind"] == "layers":
        return tuple(part.strip() for part in text.split(","))
    if name == "box" or item.metadata["kind"] == "counts":
        return [_number(int, name, part) for part in text.split(",")]
    if item.metadata["of"] is bool:
        if text.lower() not in _TRUTH:
            raise UnknownNameError(f"value of {_with_dashes(name)}", text, _TRUTH)
        return _TRUTH[text.lower()]
    if item.metadata["kind"] == "size" and text == FULL:
        return text
    if item.metadata["of"] is int:
        return _number(int, name, text)
    return _number(float, name, text) if item.metadata["of"] is float else text


def _number(kind: type[int] | type[float], name: str, text: str) -> int | float:
    try:
        return kind(text)
    except ValueError:
        wanted = "whole numbers" if kind is int else "numbers"
        raise OptionError(f"The grid of {_with_dashes(name)} takes {wanted}; got {text!r}.") from None
