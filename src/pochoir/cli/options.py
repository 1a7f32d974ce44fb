"""Command-line options made from the recipe's fields, so that no default, bound or help text is written twice.

Options that are not given arrive as ``None`` and leave the value to the recipe file or to the recipe's default.
Values are checked by the recipe itself: the command line and the library refuse the same things in the same words.
"""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from pochoir.errors import OptionError
from pochoir.recipe.recipe import FULL, Recipe, RegionSettings, SegmentSettings, TransferSettings, option

RecipeFile = Annotated[
    Path | None,
    typer.Option("--recipe", metavar="FILE", help="Start from a recipe file (.toml or .json); other options win."),
]


PANELS = ("Styles, backdrop and machine", "Finding the subject", "Painting", "Painting one region")
"""Headings of the help page, in its order."""


_METAVARS = {
    "box": "X,Y,W,H",
    "keep_points": "X,Y;...",
    "drop_points": "X,Y;...",
    "scribble": "FILE",
    "subject": "all|largest|N,...",
    "mask": "FILE",
    "size": "N|full",
    "schedule": "N,N,...",
    "time": "30s|2m|...",
    "memory": "2G|500M|...",
    # The long names beside them have to fit into 80 columns; the choices stand at --color.
    "subject_color": "COLOR",
    "background_color": "COLOR",
}
_METAVARS_OF_KIND = {"styles": "S[:WEIGHT]", "files": "FILE", "layers": "NAME,..."}


@dataclass(frozen=True)
class Given:
    """The settings given on the command line, by the recipe's field names."""

    values: dict[str, Any]

    def recipe(self, start: Path | None = None) -> Recipe:
        """The recipe they make, on top of the recipe in the file ``start``."""
        base = Recipe.from_file(start).to_dict() if start is not None else {}
        return Recipe.from_dict(base | self.values)


def takes_settings(names: Iterable[str]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the recipe's fields of these names to a command as options; the command gets them as ``given``."""
    wanted = sorted(names, key=lambda name: PANELS.index(_panel(name)))

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def with_options(**arguments: Any) -> None:
            typed = {name: arguments.pop(name) for name in wanted}
            values = {name: _read(name, value) for name, value in typed.items() if value not in (None, [])}
            command(**arguments, given=Given(values))

        own = inspect.signature(command)
        parameters = [parameter for name, parameter in own.parameters.items() if name != "given"]
        parameters += [_parameter(name) for name in wanted]
        with_options.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
        with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return with_options

    return decorate


def _parameter(name: str) -> inspect.Parameter:
    """The option of one field, in the form in which typer reads it from a function's signature."""
    item = option(name)
    info = typer.Option(
        f"--{name.replace('_', '-')}",
        help=item.metadata["help"] + _describe_default(item.default) + ".",
        metavar=_metavar(item),
        rich_help_panel=_panel(name),
    )
    annotation = Annotated[_type(item) | None, info]  # type: ignore[valid-type]  # made at run time, for typer
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _type(item: "dataclasses.Field[Any]") -> Any:
    if item.metadata["kind"] in ("styles", "files"):
        return list[str]
    is_text = item.metadata["of"] not in (bool, int, float) or item.metadata["kind"] == "size"
    return str if is_text else item.metadata["of"]


def _metavar(item: "dataclasses.Field[Any]") -> str | None:
    low, high, choices = item.metadata["low"], item.metadata["high"], item.metadata["choices"]
    if item.name in _METAVARS:
        return _METAVARS[item.name]
    if choices is not None:
        return "|".join(choices)
    if low is not None:
        return f"{low}..{high}" if isinstance(high, int) else f"{low:g}..{high:g}"
    return _METAVARS_OF_KIND.get(item.metadata["kind"])


def _describe_default(default: Any) -> str:
    if default is None or default is False or default in ((), ""):
        return ""
    return f" (default: {','.join(default) if isinstance(default, tuple) else default})"


def _panel(name: str) -> str:
    if name in SegmentSettings.__dataclass_fields__:
        return PANELS[1]
    if name in RegionSettings.__dataclass_fields__:
        return PANELS[3]
    return PANELS[2] if name in TransferSettings.__dataclass_fields__ else PANELS[0]


def _read(name: str, value: Any) -> Any:
    """Turn the text of an option into a plain value that ``Recipe.from_dict`` takes."""
    if option(name).metadata["kind"] == "layers":
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if option(name).metadata["kind"] == "counts":
        try:
            return tuple(int(part) for part in value.split(","))
        except ValueError:
            raise OptionError(f"--{name} takes whole numbers N,N,...; got {value!r}.") from None
    if option(name).metadata["kind"] == "size" and value != FULL:
        try:
            return int(value)
        except ValueError:
            raise OptionError(f"--{name} takes a number of pixels or {FULL}; got {value!r}.") from None
    if name == "box":
        try:
            x, y, width, height = (int(part) for part in value.split(","))
        except ValueError:
            raise OptionError(f"--box takes four whole numbers X,Y,W,H; got {value!r}.") from None
        return [x, y, width, height]
    return value
