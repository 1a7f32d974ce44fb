"""Times and amounts of memory as people write them."""

import re

from pochoir.errors import OptionError

_UNITS_S = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_UNITS_BYTES = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def parse_duration_s(text: str) -> float:
    """Seconds of a text such as ``30``, ``30s``, ``1.5m``, ``1m30s`` or ``2h``.

    Raises:
        OptionError: It is not a duration above 0.
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*(h|min|m|s|)\s*", text)
    seconds = sum(float(number) * _UNITS_S[unit] for number, unit in parts)
    if not seconds > 0.0 or "".join(number + unit for number, unit in parts) != re.sub(r"\s", "", text):
        raise OptionError(f"A time is written like 30s, 2m or 1m30s; got {text!r}.")
    return seconds


def parse_bytes(text: str) -> int:
    """Bytes of a text such as ``500M``, ``2G`` or ``1.5GB``; units are powers of 1024.

    Raises:
        OptionError: It is not an amount above 0.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?\s*", text.lower())
    size = int(float(match[1]) * _UNITS_BYTES[match[2]]) if match else 0
    if size <= 0:
        raise OptionError(f"An amount of memory is written like 500M or 2G; got {text!r}.")
    return size
