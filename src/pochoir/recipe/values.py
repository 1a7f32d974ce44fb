"""Typed values of settings.

Each type is read once, from the text that a user types or from plain Python values. After that it is an ordinary
number, string or tuple. ``str()`` of a value is its canonical text: reading it again gives an equal value.
"""

import math
import re
from typing import Any, Self

from pochoir.errors import OptionError
from pochoir.recipe.text_value import TextValue, is_number, path_text, to_float

MIN_MEMORY = 256 << 20
"""Smallest memory limit in bytes; the encoder and one small tile need as much."""
BACKDROPS = ("photo", "transparent")
"""Backdrops that are neither a color nor a picture."""
INITS = ("content", "noise", "style")
"""Starting points that are no picture."""

_SECONDS_PER_UNIT = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_UNITS_OF_BYTES = ("", "K", "M", "G", "T")
_HEX_COLOR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_SUBJECT = re.compile(r"all|largest|[1-9]\d{0,4}(?:,[1-9]\d{0,4})*")


class Seconds(TextValue, float):
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
        elif is_number(value):
            seconds = to_float(value)
        if not 0.0 < seconds < math.inf:
            raise OptionError(f"A time is above 0 and written like 30s, 2m or 1m30s; got {value!r}.")
        return cls(max(0.001, round(seconds, 3)))

    def __str__(self) -> str:
        return f"{float(self):.3f}".rstrip("0").rstrip(".") + "s"

    def __repr__(self) -> str:
        return f"Seconds({float(self)!r})"

    @classmethod
    def _json_schema(cls) -> dict[str, Any]:
        return {"type": "string", "examples": ["30s", "1m30s"]}


class Bytes(TextValue, int):
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


class SubjectChoice(TextValue, str):
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


class Backdrop(TextValue, str):
    """Ground behind the subject: ``photo``, ``transparent``, a colour or a picture's path.

    Colours are ``#rgb``, ``#rrggbb`` or a name of CSS such as ``white``, which is kept as ``#ffffff``. The picture in a
    file called ``white`` is ``./white``.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a backdrop.

        Raises:
            OptionError: It is no text, is empty, or is a malformed color.
        """
        value = path_text(value, "The backdrop")
        if value.startswith("#") and not _HEX_COLOR.fullmatch(value):
            raise OptionError(f"A backdrop colour is #rgb, #rrggbb or a name such as white; got {value!r}.")
        return cls(_read_color_name(value) or value)

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
        return {"type": "string", "minLength": 1, "examples": [*BACKDROPS, "white", "#ffffff"]}


class Init(TextValue, str):
    """Picture to start painting from: ``content``, ``noise``, ``style`` or a picture's path."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a starting point.

        Raises:
            OptionError: It is no text, or is empty.
        """
        return cls(path_text(value, "The picture to start from"))

    @property
    def picture(self) -> str | None:
        """Path of the picture to start from; None for a starting point that has a name."""
        return None if self in INITS else str(self)

    @classmethod
    def _json_schema(cls) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "examples": list(INITS)}


def _read_color_name(text: str) -> str | None:
    """Return a colour of CSS as ``#rrggbb``; None if the text is none of its names."""
    if text in BACKDROPS or not text.isalpha():
        return None
    from PIL import ImageColor  # not needed by most recipes

    name = text.lower()
    return "#{:02x}{:02x}{:02x}".format(*ImageColor.getrgb(name)) if name in ImageColor.colormap else None
