"""One line for what the parser of the command line rejects, in the words of the library's own errors."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import typer

from pochoir.cli.examples import example_of
from pochoir.errors import UnknownNameError
from pochoir.recipe import settings_table

UsageError: type[Exception] = typer.BadParameter.mro()[1]
"""Base of the parser's errors. Typer exports only a subclass: the base lies in click, or in Typer's private copy of it.

Versions of Typer that are not tried yet are excluded in pyproject.toml.
"""

_EXTRA = re.compile(r"unexpected extra arguments?(?:\(s\))? \((?P<names>.*)\)", re.DOTALL)
_NUMBERS = {"int": "a whole number", "float": "a number"}
"""Words for kinds of numbers, by the first word of pydantic's types of errors."""


def describe_usage_error(error: Any, ctx: Any, args: Sequence[str]) -> str:
    """Return one readable line: what is wrong, and what to type instead.

    Args:
        error: Error of the parser.
        ctx: Context of the command.
        args: Arguments of the command as they were typed.
    """
    # Compare classes by name: they come from click or from Typer's copy of it.
    match type(error).__name__:
        case "NoSuchOption":
            return _describe_unknown_option(error, ctx, args)
        case "BadOptionUsage":
            return _describe_bad_usage(error, ctx, args)
        case "MissingParameter" if error.param is not None:
            return f"{_name(error.param)} is missing. Type: {_usage(ctx, args)}."
        case "BadParameter" if error.param is not None:
            return _describe_bad_value(error)
    extra = _EXTRA.search(error.message)
    if extra:
        line = f"Too many arguments: {extra['names']}. Type: {_usage(ctx, args)}"
        return f"{line}; put names that hold spaces between quotes."
    return f"{error.format_message().rstrip('.')}. {_hint(ctx)}"


def describe_unknown_command(name: str, allowed: Sequence[str]) -> str:
    """Return the line for a command that does not exist; it names the nearest one."""
    return str(UnknownNameError("command", name, allowed))


def _describe_unknown_option(error: Any, ctx: Any, args: Sequence[str]) -> str:
    typed = error.option_name
    options = set(_option_names(ctx))
    if not typed.startswith("--"):  # of -style, the parser names -s alone
        for argument in args:
            name = argument.partition("=")[0]
            if argument.startswith(typed) and not argument.startswith("--") and f"-{name}" in options:
                return f"Unknown option {name!r}. Did you mean '-{name}'? {_hint(ctx)}"
    field = typed.removeprefix("--").replace("-", "_")
    if "--set" in options and field in settings_table() and settings_table()[field].level == "experiment":
        label = settings_table()[field].label
        return f"The setting {label} has no option of its own. Type: --set {label}=VALUE."
    near = [repr(name) for name in error.possibilities or ()]
    question = f" Did you mean {_join(near)}?" if near else ""
    return f"Unknown option {typed!r}.{question} {_hint(ctx)}"


def _describe_bad_usage(error: Any, ctx: Any, args: Sequence[str]) -> str:
    name = error.option_name
    option = next((parameter for parameter in ctx.command.params if name in _names_of(parameter)), None)
    if option is None:
        return f"{error.format_message().rstrip('.')}. {_hint(ctx)}"
    if option.is_flag:
        values = [argument.partition("=")[2] for argument in args if argument.startswith(f"{name}=")]
        given = f"; got {values[-1]!r}" if values else ""
        return f"{name} takes no value{given}. Type: {name}."
    return f"{name} needs a value, such as {name} {example_of(option, ctx.command.name)}."


def _describe_bad_value(error: Any) -> str:
    name = _name(error.param)
    found = _reason(error)
    if found is None:
        return f"{error.format_message().rstrip('.')}."
    kind, value = found["type"], found["input"]
    low, high = (getattr(error.param, bound, None) for bound in ("min", "max"))
    if kind.startswith(("greater", "less")) and None not in (low, high):
        return f"{name} must be between {low} and {high}; got {value}."
    number = _NUMBERS.get(kind.partition("_")[0])
    expected = number or found["msg"].removeprefix("Input should be ")
    return f"{name} must be {expected}; got {value!r}."


def _reason(error: Any) -> dict[str, Any] | None:
    """Return what pydantic says of the value; None where another library has judged it."""
    list_errors = getattr(error.__cause__, "errors", None)
    return list_errors()[0] if callable(list_errors) else None


def _name(parameter: Any) -> str:
    """Return the name by which a person knows a parameter: the long name of an option, or an argument's metavar."""
    return max(parameter.opts, key=len) if parameter.param_type_name == "option" else _value(parameter)


def _value(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _names_of(parameter: Any) -> list[str]:
    return [*parameter.opts, *parameter.secondary_opts] if parameter.param_type_name == "option" else []


def _option_names(ctx: Any) -> Iterator[str]:
    for parameter in ctx.command.params:
        yield from _names_of(parameter)


def _usage(ctx: Any, args: Sequence[str]) -> str:
    """Return the command line, with optional arguments, and optional options that ``args`` has, in brackets."""
    words = [ctx.command_path]
    for parameter in ctx.command.params:
        name = parameter.opts[0]
        if parameter.param_type_name == "argument":
            word = _value(parameter)
        elif parameter.required:
            word = f"{name} {_value(parameter)}"
        else:
            typed = [each for each in _names_of(parameter) if any(each == arg.partition("=")[0] for arg in args)]
            if not typed:
                continue
            word = typed[0] if parameter.is_flag else f"{typed[0]} {_value(parameter)}"
        words.append(word if parameter.required or word.startswith("[") else f"[{word}]")
    return " ".join(words)


def _hint(ctx: Any) -> str:
    page = "--help-all" if "--help-all" in set(_option_names(ctx)) else "--help"
    return f"See: {ctx.command_path} {page}."


def _join(words: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))
