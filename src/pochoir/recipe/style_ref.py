"""Names of styles with their shares."""

import math
import os
from typing import Any, NamedTuple

from pydantic_core import core_schema

from pochoir.errors import OptionError
from pochoir.recipe.text_value import is_number, to_float


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
        if not is_number(self.weight):
            raise OptionError(f"The weight of style {self.source!r} must be a number; got {self.weight!r}.")
        weight = to_float(self.weight)
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
