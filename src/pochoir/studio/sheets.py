"""Sheets: one order painted small several times, with one or two settings swept over a grid."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pochoir.errors import OptionError
from pochoir.lab.sweep.grid import Axis, iter_settings
from pochoir.recipe import Recipe
from pochoir.studio.models import Order, Place
from pochoir.studio.orders import settings_schema
from pochoir.studio.problems import FieldError

VARIATION_PX = 256
"""Largest long side of a picture on a sheet."""
MOST_PICTURES = 16
_SEEDS = 2**32
_SMALL: Mapping[str, Any] = {"enlarge": 1, "full_size": False}
"""Settings that pictures on a sheet have."""
_SUGGESTIONS: Mapping[str, Sequence[Any]] = {
    "strength": (0.2, 0.4, 0.6, 0.8),
    "style_scale": (0.5, 1, 2),
    "color": ("style", "photo", "match"),
    "seed": (0, 1, 2, 3),
    "calm": (0, 0.5, 1),
    "content_weight": (0.25, 1, 4),
    "style_weight": (0.25, 1, 4),
    "tv_weight": (0.25, 1, 4),
    "steps": (12, 36, 108),
    "subject_strength": (0.2, 0.5, 0.8),
    "background_strength": (0.2, 0.5, 0.8),
    "subject_color": ("style", "photo", "match"),
    "background_color": ("style", "photo", "match"),
    "keep": ("faces", "none"),
    "protect_amount": (0, 0.5, 1),
    "refine": ("none", "fast", "best"),
}
"""Settings that can be swept, with values to begin with."""


def suggestions() -> dict[str, list[Any]]:
    """Return the settings that a sheet can sweep, with values to begin with."""
    offered = settings_schema()
    return {name: list(values) for name, values in _SUGGESTIONS.items() if name in offered}


def read_grid(grid: Sequence[str]) -> dict[str, list[Any]]:
    """Read the axes of a sheet, written as ``pochoir sweep --grid`` takes them.

    Args:
        grid: One or two texts such as ``"strength=0.2,0.5,0.8"``.

    Returns:
        The plain values of each setting.

    Raises:
        InputError: A setting or a value cannot be used, or there are too many pictures.
    """
    axes = [Axis.parse(text) for text in grid]
    for axis in axes:
        if axis.name not in _SUGGESTIONS:
            names = ", ".join(name.replace("_", "-") for name in _SUGGESTIONS)
            raise OptionError(f"A sheet cannot sweep {axis.label}; it can sweep {names}.")
    count = len(list(iter_settings(axes)))
    if not 1 < count <= MOST_PICTURES:
        raise FieldError("grid", f"A sheet has 2 to {MOST_PICTURES} pictures; these values make {count}.")
    return {axis.name: list(axis.values) for axis in axes}


def seeds(order: Order, count: int) -> dict[str, list[Any]]:
    """Return the axis of a sheet of variations: the order's seed and those that follow."""
    first = Recipe.from_dict({"seed": order.settings.get("seed") or 0}).seed
    return {"seed": [(first + number) % _SEEDS for number in range(count)]}


def iter_orders(order: Order, axes: Mapping[str, Sequence[Any]], sheet: str) -> Iterator[tuple[Order, Place]]:
    """Yield the order of each picture on a sheet and its place, the last axis fastest.

    Args:
        order: Looks and settings that all pictures share.
        axes: Values of the settings that are swept.
        sheet: Id of the sheet.
    """
    wanted = order.settings.get("size")
    size = min(wanted, VARIATION_PX) if type(wanted) is int else VARIATION_PX
    plain = {name: list(values) for name, values in axes.items()}
    for values in iter_settings([Axis(name, tuple(given)) for name, given in axes.items()]):
        settings = {**order.settings, **_SMALL, "size": size, **values}
        place = Place(sheet=sheet, axes=plain, values=dict(values))
        yield order.model_copy(update={"settings": settings}), place
