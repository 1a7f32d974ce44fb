"""Declaration of settings: each field with its help text, bounds, group, level and unit."""

from typing import Any, Literal

from pydantic import Field

Level = Literal["basic", "advanced", "experiment"]
"""Readers of a setting: everyone, users who want more control, or experiments alone."""
GROUPS = ("styles", "painting", "subject", "regions", "output", "machine")
"""Groups of settings, in the order in which help pages and forms show them."""


def setting(
    default: Any,
    text: str,
    *,
    group: str,
    level: Level = "advanced",
    low: float | None = None,
    high: float | None = None,
    unit: str | None = None,
) -> Any:
    """Declare a field.

    Args:
        default: Value where none is given.
        text: Help text, without a full stop at its end.
        group: One of ``GROUPS``.
        level: Who needs it.
        low: Smallest allowed value.
        high: Largest allowed value.
        unit: Unit of a number, such as ``"px"``.
    """
    extra: dict[str, Any] = {"group": group, "level": level} | ({} if unit is None else {"unit": unit})
    # Numbers and truth values are not read from text here: a recipe file that quotes a number is mistaken.
    is_strict = True if low is not None or isinstance(default, bool) else None
    return Field(default, description=text, ge=low, le=high, strict=is_strict, json_schema_extra=extra)
