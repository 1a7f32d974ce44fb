"""Typed values of settings.

Each type is read once, from the text that a user types or from plain Python values, and is then a number, a string or
a tuple like any other. ``str()`` of a value is its canonical text: reading it again gives an equal value.
"""

import math
import os
import re
from abc import abstractmethod
from collections.abc import Iterable
from typing import Annotated, Any, NamedTuple, Self

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import core_schema

from pochoir._types import Box
from pochoir.errors import OptionError

FULL = "full"
"""Size of a picture that is painted as large as the photo."""
MAX_SIZE_PX = 8192
"""Largest long side that can be painted, in pixels."""
MIN_MEMORY = 256 << 20
"""Smallest memory limit in bytes; the encoder and one small tile need as much."""
BACKDROPS = ("photo", "transparent")
"""Backdrops that are neither a color nor a picture."""
INITS = ("content", "noise", "style")
"""Starting points that are no picture."""

_SECONDS_PER_UNIT = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_UNITS_OF_BYTES = ("", "K", "M", "G", "T")
_HEX_COLOR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_POINT = re.compile(r"\s*(-?\d{1,9})\s*,\s*(-?\d{1,9})\s*")
_SUBJECT = re.compile(r"all|largest|[1-9]\d{0,4}(?:,[1-9]\d{0,4})*")


class _TextValue:
    """Base of types that pydantic reads with ``parse`` and writes to JSON as ``str()``."""

    @classmethod
    @abstractmethod
    def parse(cls, value: Any) -> Self:
        """Read a value; raise ``OptionError`` if it has another form."""

    @classmethod
    def _json_schema(cls) -> dict[str, Any]:
        return {"type": "string"}

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        write = core_schema.plain_serializer_function_ser_schema(str, when_used="json")
        return core_schema.no_info_plain_validator_function(cls.parse, serialization=write)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return cls._json_schema()


class Seconds(_TextValue, float):
    """Length of time in seconds, above 0; milliseconds are the smallest unit."""

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a number of seconds or a text such as ``30``, ``30s``, ``1.5m``, ``1m30s`` or ``2h``.

        Raises:
            OptionError: It is no length of time above 0.
        """
        seconds = math.nan
        if isinstance(value, str):
            parts = re.findall(r"(\d+(?:\.\d+)?)\s*(h|min|m|s|)\s*", value)
            if "".join(number + unit for number, unit in parts) == re.sub(r"\s", "", value):
                seconds = sum(float(number) * _SECONDS_PER_UNIT[unit] for number, unit in parts)
        elif _is_number(value):
            seconds = _to_float(value)
        if not 0.0 < seconds < math.inf:
            raise OptionError(f"A time is written like 30s, 2m or 1m30s; got {value!r}.")
        return cls(max(0.001, round(seconds, 3)))

    def __str__(self) -> str:
        return f"{float(self):.3f}".rstrip("0").rstrip(".") + "s"

    def __repr__(self) -> str:
        return f"Seconds({float(self)!r})"

    @classmethod
    def _json_schema(cls) -> dict[str, Any]:
        return {"type": "string", "examples": ["30s", "1m30s"]}


class Bytes(_TextValue, int):
    """Amount of memory in bytes, above 0."""

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a number of bytes or a text such as ``500M``, ``2G`` or ``1.5GB``; units are powers of 1024.

        Raises:
            OptionError: It is no amount above 0.
        """
        size = 0
        if isinstance(value, str):
            match = re.fullmatch(r"\s*(\d{1,20}(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?\s*", value.lower())
            size = int(float(match[1]) * 1024 ** _UNITS_OF_BYTES.index(match[2].upper())) if match else 0
        elif isinstance(value, int) and not isinstance(value, bool):
            size = value
        if size <= 0:
            raise OptionError(f"An amount of memory is written like 500M or 2G; got {value!r}.")
        return cls(size)

    def __str__(self) -> str:
        size, index = int(self), 0
        while index + 1 < len(_UNITS_OF_BYTES) and size % 1024 == 0:
            size, index = size // 1024, index + 1
        return f"{size}{_UNITS_OF_BYTES[index]}"

    def __repr__(self) -> str:
        return f"Bytes({int(self)})"

    @classmethod
    def _json_schema(cls) -> dict[str, Any]:
        return {"type": "string", "examples": ["500M", "2G"]}


class Point(NamedTuple):
    """Pixel of a photo, counted from its upper left corner."""

    x: int
    y: int

    def __str__(self) -> str:
        return f"{self.x},{self.y}"


class Points(_TextValue, tuple[Point, ...]):
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
        return cls(Point(*_whole_numbers(pair, 2, "Points are X,Y;X,Y in whole photo pixels")) for pair in value)

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


class SubjectChoice(_TextValue, str):
    """Subjects to keep where a photo has several: ``all``, ``largest``, or their numbers as ``1`` or ``1,3``."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a choice; numbers are put in order.

        Raises:
            OptionError: It has another form.
        """
        if not isinstance(value, str) or not _SUBJECT.fullmatch(value):
            raise OptionError(f"A subject is all, largest, or numbers such as 1 or 1,3; got {value!r}.")
        if not value[0].isdigit():
            return cls(value)
        return cls(",".join(map(str, sorted({int(number) for number in value.split(",")}))))

    @property
    def numbers(self) -> tuple[int, ...]:
        """Numbers of the chosen subjects, 1 is the largest; empty where all are wanted."""
        if self == "all":
            return ()
        return (1,) if self == "largest" else tuple(map(int, self.split(",")))

    @classmethod
    def _json_schema(cls) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^(?:{_SUBJECT.pattern})$", "examples": ["all", "largest", "1,3"]}


class Backdrop(_TextValue, str):
    """Ground behind the subject: ``photo``, ``transparent``, ``#rgb``, ``#rrggbb`` or a picture's path."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a backdrop.

        Raises:
            OptionError: It is no text, is empty, or is a malformed color.
        """
        value = _path_text(value, "The backdrop")
        if value.startswith("#") and not _HEX_COLOR.fullmatch(value):
            raise OptionError(f"A backdrop colour is #rgb or #rrggbb; got {value!r}.")
        return cls(value)

    @property
    def is_photo(self) -> bool:
        """True if the photo's own background stays."""
        return self == "photo"

    @property
    def is_transparent(self) -> bool:
        """True if the background is cut away."""
        return self == "transparent"

    @property
    def color(self) -> tuple[int, int, int] | None:
        """Red, green and blue from 0 to 255; None where the backdrop is no plain color."""
        if not self.startswith("#"):
            return None
        digits = self[1:] if len(self) == 7 else "".join(2 * digit for digit in self[1:])
        red, green, blue = bytes.fromhex(digits)
        return red, green, blue

    @property
    def picture(self) -> str | None:
        """Path of the backdrop picture; None where the backdrop is no picture."""
        return None if self in BACKDROPS or self.startswith("#") else str(self)

    @classmethod
    def _json_schema(cls) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "examples": [*BACKDROPS, "#ffffff"]}


class Init(_TextValue, str):
    """Picture to start painting from: ``content``, ``noise``, ``style`` or a picture's path."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a starting point.

        Raises:
            OptionError: It is no text, or is empty.
        """
        return cls(_path_text(value, "The picture to start from"))

    @property
    def picture(self) -> str | None:
        """Path of the picture to start from; None for a starting point that has a name."""
        return None if self in INITS else str(self)

    @classmethod
    def _json_schema(cls) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "examples": list(INITS)}


class StyleRef(NamedTuple):
    """Name of a style picture, and its share where several are blended."""

    source: str
    """A file's path or a built-in style's name."""
    weight: float = 1.0
    """Relative share, above 0; shares of one region are divided by their sum."""

    @classmethod
    def parse(cls, value: Any) -> "StyleRef":
        """Read ``S``, ``S:weight`` or a pair; a colon that no number follows belongs to the name.

        Raises:
            OptionError: The name is empty, or the weight is no number above 0.
        """
        if isinstance(value, str):
            return cls(*(cls._split(value) or (value,))).checked()
        if isinstance(value, os.PathLike):
            return cls(os.fspath(value)).checked()
        if isinstance(value, list | tuple) and len(value) == 2:
            return cls(*value).checked()
        raise OptionError(f"A style is a name, a path or a pair such as ('mosaic', 2.0); got {value!r}.")

    @staticmethod
    def _split(text: str) -> tuple[str, float] | None:
        source, _, tail = text.rpartition(":")
        try:
            return (source, float(tail)) if source else None
        except ValueError:
            return None

    def checked(self) -> "StyleRef":
        """Return this reference if it can be used.

        Raises:
            OptionError: The name is empty, or the weight is no number above 0.
        """
        if not isinstance(self.source, str) or not self.source:
            raise OptionError(f"A style needs a name or a path; got {self.source!r}.")
        if not _is_number(self.weight):
            raise OptionError(f"The weight of style {self.source!r} must be a number; got {self.weight!r}.")
        weight = _to_float(self.weight)
        if not (math.isfinite(weight) and weight > 0):
            raise OptionError(f"The weight of style {self.source!r} must be above 0; got {weight:g}.")
        return StyleRef(self.source, weight)

    def __str__(self) -> str:
        # Reading this text gives an equal value: every digit of the weight, and no name taken for a weight.
        if self.weight == 1.0 and StyleRef._split(self.source) is None:
            return self.source
        return f"{self.source}:{repr(float(self.weight)).removesuffix('.0')}"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        write = core_schema.plain_serializer_function_ser_schema(str, when_used="json")
        return core_schema.no_info_plain_validator_function(cls.parse, serialization=write)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "examples": ["mosaic", "photos/wave.jpg:2"]}


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
    box = Box(*_whole_numbers(parts, 4, "A box is four whole numbers X,Y,WIDTH,HEIGHT", shown=repr(value)))
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


def parse_path(value: Any) -> str:
    """Read the path of a file, as text or as ``Path``.

    Raises:
        OptionError: It is something else, or empty.
    """
    return _path_text(value, "A picture's path")


def _path_text(value: Any, what: str) -> str:
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(text, str) or not text:
        raise OptionError(f"{what} must be a text; got {value!r}.")
    return str(text)


def _whole_numbers(value: Any, count: int, rule: str, shown: str = "") -> tuple[int, ...]:
    are_whole = isinstance(value, list | tuple) and all(
        isinstance(number, int) and not isinstance(number, bool) for number in value
    )
    if not are_whole or len(value) != count:
        raise OptionError(f"{rule}; got {shown or repr(value)}.")
    return tuple(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _to_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


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
PathText = Annotated[str, PlainValidator(parse_path), WithJsonSchema({"type": "string", "minLength": 1})]
"""A file's path as text. Plain validation keeps names that are not UTF-8."""
