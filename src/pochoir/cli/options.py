"""Command-line options made from the recipe's fields, so that no default, bound or help text is written twice.

An option that is not given arrives as ``None`` and leaves the value to the recipe file or to the recipe's default.
The recipe checks the values: the command line and the library refuse the same things in the same words.

``--help`` shows the basic settings. ``--help-all`` shows the advanced ones, too, and every option that a command hides.
Settings for experiments are no options of their own: ``--set FIELD=VALUE`` and recipe files reach them.
"""

import copy
import functools
import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from pochoir.errors import OptionError, UnknownNameError
from pochoir.recipe import (
    MASK_FIELDS,
    STYLE_FIELDS,
    Recipe,
    Setting,
    find_setting,
    format_setting,
    parse_setting,
    settings_table,
)

RecipeFile = Annotated[
    Path | None,
    typer.Option("--recipe", metavar="FILE", help="Start from a recipe file (.toml or .json); other options win."),
]


RARE = ("as_json", "verbose", "executor", "cluster", "file_format", "save_steps", "keep_interrupted")
"""Parameters of commands whose options few users need."""
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
    "backdrop": "photo|COLOR|FILE|...",
    "device": "auto|cpu|cuda|...",
    "seed": "N",
    **dict.fromkeys(("content_weight", "style_weight", "tv_weight"), "WEIGHT"),
    "box": "X,Y,W,H",
    "keep_points": "X,Y;...",
    "drop_points": "X,Y;...",
    "scribble": "FILE",
    "protect": "MASK[:AMOUNT]",
    "bits": "8|16",
    "subject": "all|largest|N,...",
    "mask": "FILE",
    "size": "N|full",
    "schedule": "N,N,...",
    "time": "30s|2m|...",
    "memory": "2G|500M|...",
    # The long names beside them have to fit into 80 columns; the choices stand at --color.
    "subject_color": "COLOR",
    "background_color": "COLOR",
    **dict.fromkeys(STYLE_FIELDS, "S[:WEIGHT]"),
    **dict.fromkeys(MASK_FIELDS, "FILE"),
}


@dataclass(frozen=True)
class Given:
    """Settings from the command line, by the recipe's field names."""

    values: Mapping[str, Any]

    def recipe(self, start: Path | None = None) -> Recipe:
        """Return the recipe in the file ``start``, or the default one, with these settings instead of its own."""
        base = Recipe() if start is None else Recipe.from_file(start)
        return base.replace(**self.values)


def takes_settings(
    names: Iterable[str], *, basic: Collection[str] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the recipe's fields of these names to a command as options; the command gets them as ``given``.

    Args:
        names: Fields. Those for experiments alone are taken by ``--set``.
        basic: Advanced fields that ``--help`` shows for this command.
    """
    order, table = list(PANELS), settings_table()
    allowed = sorted(names, key=lambda name: order.index(table[name].group))
    wanted = [name for name in allowed if table[name].level != "experiment"]
    has_experiments = len(wanted) < len(allowed)

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def with_options(**arguments: Any) -> None:
            arguments.pop("help_all", None)
            assignments = arguments.pop("assignments", None) or ()
            typed = {name: arguments.pop(name) for name in wanted}
            values = {name: value for name, value in typed.items() if value not in (None, [])}
            command(**arguments, given=Given(values | _read_assignments(assignments, allowed, values)))

        own = inspect.signature(command)
        parameters = [parameter for name, parameter in own.parameters.items() if name != "given"]
        if has_experiments:  # a long page: the short one leaves out options of the command itself, too
            parameters = [_hidden(parameter) if parameter.name in RARE else parameter for parameter in parameters]
        parameters += [_parameter(name, is_hidden=not _is_shown(name, basic)) for name in wanted]
        parameters += [_SET] if has_experiments else []
        parameters += [_HELP_ALL] if has_experiments or not all(_is_shown(name, basic) for name in wanted) else []
        with_options.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
        with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return with_options

    return decorate


def _hidden(parameter: inspect.Parameter) -> inspect.Parameter:
    """Return a parameter of a command whose option only ``--help-all`` shows."""
    options = [copy.copy(item) for item in parameter.annotation.__metadata__]
    for option in options:
        option.hidden = True
    annotate: Any = Annotated  # at run time, for typer
    return parameter.replace(annotation=annotate[parameter.annotation.__origin__, *options])


def _is_shown(name: str, basic: Collection[str]) -> bool:
    return name in basic or settings_table()[name].level == "basic"


def _show_all(ctx: typer.Context, wanted: bool) -> None:
    """Print the help page with all options, and end the program."""
    if not wanted:
        return
    hidden = [parameter for parameter in ctx.command.params if getattr(parameter, "hidden", False)]
    try:
        for parameter in hidden:
            parameter.hidden = False  # type: ignore[attr-defined]  # options have it, arguments may not
        typer.echo(ctx.get_help())
    finally:
        for parameter in hidden:
            parameter.hidden = True  # type: ignore[attr-defined]  # options have it, arguments may not
    raise typer.Exit


_HELP_ALL = inspect.Parameter(
    "help_all",
    inspect.Parameter.KEYWORD_ONLY,
    default=False,
    annotation=Annotated[
        bool, typer.Option("--help-all", is_eager=True, callback=_show_all, help="Show all options and exit.")
    ],
)
_SET = inspect.Parameter(
    "assignments",
    inspect.Parameter.KEYWORD_ONLY,
    default=None,
    annotation=Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            hidden=True,
            help="Set any setting, including those for experiments, which have no option.",
        ),
    ],
)


def _read_assignments(texts: Iterable[str], allowed: Collection[str], typed: Collection[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise OptionError(f"--set takes FIELD=VALUE; got {text!r}.")
        item = find_setting(name)
        if item.name not in allowed:
            raise UnknownNameError("setting of this command", item.label, (name.replace("_", "-") for name in allowed))
        if item.name in typed or item.name in values:
            raise OptionError(f"{item.label} is given twice; give one value.")
        values[item.name] = parse_setting(item.name, value)
    return values


def _parameter(name: str, *, is_hidden: bool) -> inspect.Parameter:
    """Return the option of one field, in the form in which typer reads it from a function's signature."""
    item = settings_table()[name]
    # A setting that is on by default needs an option that turns it off.
    names = f"--{item.label}/--no-{item.label}" if item.default is True else f"--{item.label}"
    info = typer.Option(
        names,
        help=item.help + _describe_default(item) + ".",
        metavar=_metavar(item),
        rich_help_panel=PANELS[item.group],
        hidden=is_hidden,
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
