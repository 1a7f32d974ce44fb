"""Command-line options made from the recipe's fields, so that no default, bound or help text is written twice.

Options that are not given arrive as ``None`` and leave the value to the recipe file or to the recipe's default.
Values are checked by the recipe itself: the command line and the library refuse the same things in the same words.
"""

import functools
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from pochoir.recipe import MASK_FIELDS, STYLE_FIELDS, Recipe, Setting, format_setting, settings_table

RecipeFile = Annotated[
    Path | None,
    typer.Option("--recipe", metavar="FILE", help="Start from a recipe file (.toml or .json); other options win."),
]


PANELS = {
    "styles": "Styles and backdrop",
    "painting": "Painting",
    "subject": "Finding the subject",
    "regions": "Painting one region",
    "output": "Output",
    "machine": "Machine",
}
"""Headings of the help page by group, in its order."""

_METAVARS = {
    "segmenter": "NAME",
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
    "content_layers": "NAME,...",
    "style_layers": "NAME,...",
    "subject_content_layers": "NAME,...",
    "background_content_layers": "NAME,...",
    # The long names beside them have to fit into 80 columns; the choices stand at --color.
    "subject_color": "COLOR",
    "background_color": "COLOR",
    **dict.fromkeys(STYLE_FIELDS, "S[:WEIGHT]"),
    **dict.fromkeys(MASK_FIELDS, "FILE"),
}


@dataclass(frozen=True)
class Given:
    """The settings given on the command line, by the recipe's field names."""

    values: dict[str, Any]

    def recipe(self, start: Path | None = None) -> Recipe:
        """The recipe they make, on top of the recipe in the file ``start``."""
        base = Recipe() if start is None else Recipe.from_file(start)
        return base.replace(**self.values)


def takes_settings(names: Iterable[str]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the recipe's fields of these names to a command as options; the command gets them as ``given``."""
    order = list(PANELS)
    wanted = sorted(names, key=lambda name: order.index(settings_table()[name].group))

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def with_options(**arguments: Any) -> None:
            typed = {name: arguments.pop(name) for name in wanted}
            values = {name: value for name, value in typed.items() if value not in (None, [])}
            command(**arguments, given=Given(values))

        own = inspect.signature(command)
        parameters = [parameter for name, parameter in own.parameters.items() if name != "given"]
        parameters += [_parameter(name) for name in wanted]
        with_options.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
        with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return with_options

    return decorate


def _parameter(name: str) -> inspect.Parameter:
    """Return the option of one field, in the form in which typer reads it from a function's signature."""
    item = settings_table()[name]
    info = typer.Option(
        f"--{item.label}",
        help=item.help + _describe_default(item) + ".",
        metavar=_metavar(item),
        rich_help_panel=PANELS[item.group],
    )
    annotation = Annotated[_type(item) | None, info]  # type: ignore[valid-type]  # made at run time, for typer
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _type(item: Setting) -> Any:
    if item.name in (*STYLE_FIELDS, *MASK_FIELDS):
        return list[str]
    is_plain = item.type is bool or item.low is not None
    return item.type if is_plain else str


def _metavar(item: Setting) -> str | None:
    if item.name in _METAVARS:
        return _METAVARS[item.name]
    if item.choices is not None:
        return "|".join(item.choices)
    if item.low is not None and item.high is not None:
        return f"{item.low}..{item.high}" if isinstance(item.high, int) else f"{item.low:g}..{item.high:g}"
    return None


def _describe_default(item: Setting) -> str:
    if item.default is None or item.default is False or not len(str(item.default)) or item.default == ():
        return ""
    return f" (default: {format_setting(item.default)})"
