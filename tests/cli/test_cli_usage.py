"""What the parser of the command line rejects is one line, as every other error."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from pochoir.cli import app, usage
from pochoir.cli.examples import example_of
from pochoir.recipe import parse_setting, settings_table
from support.program import pochoir, run_program


def only_line(*arguments: str) -> str:
    """Type a wrong command; return what stderr holds behind the prefix, which has to be one line."""
    result = pochoir(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("Error: ")
    return lines[0].removeprefix("Error: ")


@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        (("stylize", "a.png", "-o", "b.png", "--seed", "1.5"), "--seed", "1.5"),
        (("stylize", "a.png", "-o", "b.png", "--jobs", "two"), "--jobs", "two"),
        (("segment", "a.png", "-o", "b.png", "--jobs", "1e"), "--jobs", "1e"),
        (("animate", "a.png", "-o", "b.mp4", "--boil", "2x"), "--boil", "2x"),
        (("video", "a.mp4", "-o", "b.mp4", "--on=2.5"), "--on", "2.5"),
        (("styles", "-o", "b.png", "--size", "big"), "--size", "big"),
        (("lab", "report", "-o", "b", "--steps", "1e3"), "--steps", "1e3"),
        (("studio", "--port", "http"), "--port", "http"),
    ],
)
def test_what_is_no_whole_number_is_named(arguments: tuple[str, ...], name: str, value: str) -> None:
    assert only_line(*arguments) == f"{name} must be a whole number; got '{value}'."


@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        (("stylize", "a.png", "-o", "b.png", "--strength", "strong"), "--strength", "strong"),
        (("animate", "a.png", "-o", "b.mp4", "--fps", "fast"), "--fps", "fast"),
        (("watch", "a", "-o", "b", "--settle", "2s"), "--settle", "2s"),
    ],
)
def test_what_is_no_number_is_named(arguments: tuple[str, ...], name: str, value: str) -> None:
    assert only_line(*arguments) == f"{name} must be a number; got '{value}'."


def test_a_number_beyond_the_bounds_is_told_the_bounds() -> None:
    assert only_line("studio", "--port", "70000") == "--port must be between 0 and 65535; got 70000."
    assert only_line("studio", "--threads", "-1") == "--threads must be between 0 and 1024; got -1."


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ("stylize", "a.png", "--no-clean-style=5"),
            "--no-clean-style takes no value; got '5'. Type: --no-clean-style.",
        ),
        (("animate", "a.png", "--force=yes"), "--force takes no value; got 'yes'. Type: --force."),
        (("studio", "--no-browser=1"), "--no-browser takes no value; got '1'. Type: --no-browser."),
        (("--version=2",), "--version takes no value; got '2'. Type: --version."),
    ],
)
def test_a_flag_with_a_value_is_told_to_have_none(arguments: tuple[str, ...], line: str) -> None:
    assert only_line(*arguments) == line


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("stylize", "a.png", "-o"), "-o needs a value, such as -o out.png."),
        (("stylize", "a.png", "--style"), "--style needs a value, such as --style mosaic."),
        (("redo", "a.png", "-o"), "-o needs a value, such as -o again.png."),
        (("video", "a.mp4", "-o"), "-o needs a value, such as -o out.mp4."),
        (("video", "a.mp4", "--end"), "--end needs a value, such as --end 8s."),
        (("studio", "--port"), "--port needs a value, such as --port 8420."),
    ],
)
def test_an_option_without_its_value_is_shown_an_example(arguments: tuple[str, ...], line: str) -> None:
    assert only_line(*arguments) == line


def test_the_example_of_each_option_can_be_typed_as_it_stands() -> None:
    settings, wrong = {f"--{setting.label}" for setting in settings_table().values()}, []
    for command, option in iter_options(get_command(app), ""):
        name, text = option.opts[-1], example_of(option, command)
        if not re.fullmatch(r"[a-z0-9.=,:%-]+|2G", text):
            wrong.append((command, name, text))
        # Corrections of a video name a frame, and the box of compare a photo.
        elif name in settings and command not in ("video", "compare"):
            parse_setting(name.removeprefix("--"), text)
    assert not wrong


def iter_options(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    for inner in getattr(command, "commands", {}).values():
        yield from iter_options(inner, inner.name)
    for parameter in command.params:
        if parameter.param_type_name == "option" and not parameter.is_flag:
            yield name, parameter


@pytest.mark.parametrize(
    ("arguments", "start", "end"),
    [
        (("stylize",), "PHOTO... is missing. Type: ", "stylize PHOTO... -o OUT|DIR."),
        (("stylize", "a.png"), "--out is missing. Type: ", "stylize PHOTO... -o OUT|DIR."),
        (("redo",), "OUT is missing. Type: ", "redo OUT -o NEW."),
        (("score", "a.png"), "B is missing. Type: ", "score A B."),
        (("models", "where"), "NAME is missing. Type: ", "models where NAME."),
        (("lab", "report"), "--out is missing. Type: ", "lab report -o DIR."),
        (
            ("models", "where", "a", "b", "-v"),
            "Too many arguments: b. Type: ",
            "where NAME [-v]; put names that hold spaces between quotes.",
        ),
        (("redo", "-q"), "OUT is missing. Type: ", "redo OUT -o NEW [-q]."),
        (
            ("styles", "mosaic", "extra", "-o", "a.png"),
            "Too many arguments: extra. Type: ",
            "styles [NAME] [-o OUT]; put names that hold spaces between quotes.",
        ),
        (
            ("styles", "mosaic", "extra", "--out=a.png"),
            "Too many arguments: extra. Type: ",
            "styles [NAME] [--out OUT]; put names that hold spaces between quotes.",
        ),
        (
            ("score", "a", "b", "c d"),
            "Too many arguments: c d. Type: ",
            "score A B; put names that hold spaces between quotes.",
        ),
        (
            ("studio", "--browser", "now"),
            "Too many arguments: now. Type: ",
            "studio [--browser]; put names that hold spaces between quotes.",
        ),
    ],
)
def test_missing_and_surplus_arguments_show_what_to_type(arguments: tuple[str, ...], start: str, end: str) -> None:
    line = only_line(*arguments)
    assert line.startswith(start)
    assert line.endswith(end)


@pytest.mark.parametrize(
    ("arguments", "start", "page"),
    [
        (("stylize", "--colr", "photo"), "Unknown option '--colr'. Did you mean '--color'", "stylize --help-all"),
        (("segment", "a.png", "--paddd", "3"), "Unknown option '--paddd'. Did you mean '--pad'", "segment --help-all"),
        (("stylize", "a.png", "-style", "mosaic"), "Unknown option '-style'. Did you mean '--style'?", "--help-all"),
        (("stylize", "a.png", "-style=mosaic"), "Unknown option '-style'. Did you mean '--style'?", "--help-all"),
        (("stylize", "a.png", "-qx"), "Unknown option '-x'. See: ", "stylize --help-all"),
        (("models", "pull", "--xyz"), "Unknown option '--xyz'. See: ", "models pull --help"),
        (("models", "--xyz"), "Unknown option '--xyz'. See: ", "models --help"),
        (("--xyz", "stylize"), "Unknown option '--xyz'. See: ", " --help"),
    ],
)
def test_an_unknown_option_is_told_the_nearest(arguments: tuple[str, ...], start: str, page: str) -> None:
    line = only_line(*arguments)
    assert line.startswith(start)
    assert line.endswith(f"{page}.")


def test_a_setting_for_experiments_is_told_how_to_set_it() -> None:
    line = only_line("stylize", "a.png", "-o", "b.png", "--style-layers", "relu1_1")
    assert line == "The setting style-layers has no option of its own. Type: --set style-layers=VALUE."


@pytest.mark.parametrize(
    ("arguments", "start"),
    [
        (("stylise", "a.png"), "Unknown command 'stylise'. Did you mean 'stylize'? Allowed: stylize, "),
        (("photo.jpg",), "Unknown command 'photo.jpg'. Allowed: stylize, "),
        (("models", "pul"), "Unknown command 'pul'. Did you mean 'pull'? Allowed: pull, "),
        (("lab", "xyz"), "Unknown command 'xyz'. Allowed: report."),
        (("",), "Unknown command ''. Allowed: "),
        (("--",), "Missing command. See: "),
    ],
)
def test_an_unknown_command_is_told_the_nearest(arguments: tuple[str, ...], start: str) -> None:
    assert only_line(*arguments).startswith(start)


@pytest.mark.parametrize("arguments", [(), ("models",), ("lab",)])
def test_a_group_without_a_command_still_shows_its_help(arguments: tuple[str, ...]) -> None:
    result = pochoir(*arguments)
    assert result.exit_code == 2
    assert "Commands" in result.stdout
    assert result.stderr == ""


def test_an_error_that_no_rule_knows_is_one_line_too(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unheard(usage.UsageError):
        pass

    def refuse(*_: object) -> None:
        raise Unheard("Not so,\nplease.")

    monkeypatch.setattr("typer.core.TyperCommand.parse_args", refuse)
    result = CliRunner().invoke(app, ["redo", "a.png"])
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: Not so, please. See: ")
    assert len(result.stderr.splitlines()) == 1


def test_the_installed_program_says_it_in_one_line_as_well() -> None:
    done = run_program("stylize", "a.png", "--seed", "1.5", FORCE_COLOR="1")
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "--seed must be a whole number; got '1.5'." in done.stderr
