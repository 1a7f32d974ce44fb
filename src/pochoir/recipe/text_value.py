"""Base of typed values, and readers that several of them share."""

import math
import os
from abc import abstractmethod
from typing import Annotated, Any, Self

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import core_schema

from pochoir.errors import OptionError


class TextValue:
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


def path_text(value: Any, what: str) -> str:
    """Return a non-empty text or path as text; raise ``OptionError`` otherwise."""
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(text, str) or not text:
        raise OptionError(f"{what} must be a text that is not empty; got {value!r}.")
    return str(text)


def whole_numbers(value: Any, count: int, rule: str, shown: str = "") -> tuple[int, ...]:
    """Return ``count`` whole numbers as a tuple; raise ``OptionError`` with the rule otherwise."""
    are_whole = isinstance(value, list | tuple) and all(
        isinstance(number, int) and not isinstance(number, bool) for number in value
    )
    if not are_whole or len(value) != count:
        raise OptionError(f"{rule}; got {shown or repr(value)}.")
    return tuple(value)


def is_number(value: Any) -> bool:
    """Return whether a value is a number; truth values are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def to_float(value: float) -> float:
    """Convert a number; whole numbers that are too large become infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def parse_path(value: Any) -> str:
    """Read the path of a file, as text or as ``Path``.

    Raises:
        OptionError: It is something else, or empty.
    """
    return path_text(value, "A picture's path")


PathText = Annotated[str, PlainValidator(parse_path), WithJsonSchema({"type": "string", "minLength": 1})]
"""A file's path as text. Plain validation keeps names that are not UTF-8."""
