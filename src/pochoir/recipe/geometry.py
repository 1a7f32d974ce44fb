"""Places and sizes in pixels: points, boxes, long sides."""

import re
from collections.abc import Iterable
from typing import Annotated, Any, NamedTuple, Self

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from pochoir._types import Box
from pochoir.errors import OptionError
from pochoir.recipe.text_value import TextValue, whole_numbers

FULL = "full"
"""Size of a picture that is painted as large as the photo."""
MAX_SIZE_PX = 8192
"""Largest long side that can be painted, in pixels."""

_POINT = re.compile(r"\s*(-?\d{1,9})\s*,\s*(-?\d{1,9})\s*")


class Point(NamedTuple):
    """Pixel of a photo, counted from its upper left corner."""

    x: int
    y: int

    def __str__(self) -> str:
        return f"{self.x},{self.y}"


class Points(TextValue, tuple[Point, ...]):
    """Pixels of a photo, written ``x,y;x,y``."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a text such as ``10,20;30,40`` or a sequence of pairs; empty is no point.

        Raises:
            OptionError: It holds something else.
        """
        if isinstance(value, str):
            # A semicolon at the end is no mistake worth an error.
            return cls(_parse_point(part) for part in value.split(";") if part.strip())
        if not isinstance(value, Iterable) or isinstance(value, bytes):
            raise OptionError(f"Points are X,Y;X,Y in whole photo pixels; got {value!r}.")
        return cls(Point(*whole_numbers(pair, 2, "Points are X,Y;X,Y in whole photo pixels")) for pair in value)

    def __str__(self) -> str:
        return ";".join(map(str, self))

    @classmethod
    def _json_schema(cls) -> dict[str, Any]:
        return {"type": "string", "pattern": r"^(\s*-?\d+\s*,\s*-?\d+\s*(;|$))*$", "examples": ["120,80;200,90"]}


def _parse_point(text: str) -> Point:
    match = _POINT.fullmatch(text)
    if match is None:
        raise OptionError(f"Points are X,Y;X,Y in whole photo pixels; got {text.strip()!r}.")
    return Point(int(match[1]), int(match[2]))


def parse_box(value: Any) -> Box:
    """Read a box: ``x,y,width,height`` as text, or four whole numbers.

    Raises:
        OptionError: It is something else, or the box has no pixels.
    """
    parts: Any = value.split(",") if isinstance(value, str) else value
    if isinstance(value, str):
        try:
            parts = [int(part) for part in parts]
        except ValueError:
            parts = None
    box = Box(*whole_numbers(parts, 4, "A box is four whole numbers X,Y,WIDTH,HEIGHT", shown=repr(value)))
    if box.width < 1 or box.height < 1:
        raise OptionError(f"A box needs a width and a height of at least 1 pixel; got {box}.")
    return box


def parse_long_side(value: Any) -> int | str:
    """Read the long side of a picture: a number of pixels, or ``full``.

    Raises:
        OptionError: It is something else, or out of bounds.
    """
    if value == FULL and isinstance(value, str):
        return FULL
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,18}", value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise OptionError(f"size must be a whole number of pixels or {FULL}; got {value!r}.")
    if not 1 <= value <= MAX_SIZE_PX:
        raise OptionError(f"size must be between 1 and {MAX_SIZE_PX}; got {value!r}.")
    return value


BoxField = Annotated[
    Box,
    PlainValidator(parse_box),
    PlainSerializer(list, when_used="json"),
    WithJsonSchema({"type": "array", "items": {"type": "integer"}, "minItems": 4, "maxItems": 4}),
]
"""A box in photo pixels; JSON has it as a list of four numbers."""
LongSide = Annotated[
    int | str,
    PlainValidator(parse_long_side),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1, "maximum": MAX_SIZE_PX}, {"const": FULL}]}),
]
"""A number of pixels, or ``full``."""
