"""Output on the terminal: lines for people, lines of JSON for programs, one line for an error."""

import errno
import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.logging import RichHandler
from rich.table import Table
from rich.text import Text
from typer.core import TyperCommand, TyperGroup

from pochoir._interrupts import bare_keyboard_interrupts
from pochoir.cli.usage import UsageError, describe_unknown_command, describe_usage_error
from pochoir.errors import InputError, PochoirError, WeightsError

# Consoles without a stream look up sys.stdout and sys.stderr each time they write, so tests can replace these.
stdout = Console(highlight=False)
piped_stdout = Console(highlight=False, width=1000)
stderr = Console(stderr=True, highlight=False)

EXIT_FAILURE, EXIT_INPUT, EXIT_WEIGHTS, EXIT_INTERRUPTED = 1, 2, 3, 130

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print internal steps, and full tracebacks.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one line of JSON on stdout, and nothing else there.")]
Force = Annotated[bool, typer.Option("--force", help="Replace an input, or a file that this request did not make.")]


@dataclass(frozen=True)
class Report:
    """Writer of a command's results: lines to read, lines of JSON, or nothing.

    Attributes:
        quiet: Print errors only.
        as_json: Print JSON on stdout, and nothing else there.
    """

    quiet: bool = False
    as_json: bool = False

    def notes(self, notes: Iterable[str]) -> None:
        """Print notes of the library, dimmed, on stderr."""
        if not self.quiet:
            for note in notes:
                stderr.print(f"note: {note}", style="dim", markup=False, soft_wrap=True)

    def done(self, line: str, facts: Mapping[str, Any]) -> None:
        """Print the result: ``line`` for people, or ``facts`` as one line of JSON."""
        if self.as_json:
            typer.echo(json.dumps(facts, allow_nan=False))
        elif not self.quiet:
            typer.echo(line)

    def one(self, status: str, name: object, facts: Mapping[str, Any], *, reason: str) -> None:
        """Print the result of one piece of work out of many: a line of JSON; for people, only failures and notes.

        Args:
            status: ``"failed"`` or another word.
            name: Name of the piece of work.
            facts: Facts for programs, with ``"notes"`` for people.
            reason: Text of the error where it failed.
        """
        if self.as_json:
            typer.echo(json.dumps(facts, allow_nan=False))
        if status == "failed":
            line = reason if str(name) in reason else f"{name}: {reason}"
            stderr.print(f"failed: {line}", style="red", markup=False, soft_wrap=True)
        self.notes(f"{name}: {note}" for note in facts.get("notes", ()))

    def summary(self, line: str) -> None:
        """Print a line for people at the end of many pieces of work."""
        if not (self.as_json or self.quiet):
            typer.echo(line)


def print_table(*headings: str, rows: Iterable[Iterable[str]]) -> None:
    """Print a table on stdout; in a pipe, where lines are searched, no cell is folded."""
    table = Table(*headings, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    (stdout if stdout.is_terminal else piped_stdout).print(table)


class Command(TyperCommand):
    """Command whose errors become one line and an exit code; see ``pochoir.errors`` for the codes."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments, none of which may be empty: that is what an unset variable of the shell leaves."""
        for before, argument in zip(["", *args], args, strict=False):
            name, is_joined, value = argument.partition("=")
            if not argument and before.startswith("-") and before not in ("-", "--"):
                _fail(f"The value of {before} is empty.", EXIT_INPUT)
            if not argument:
                _fail("An argument is empty; a name or a number belongs there.", EXIT_INPUT)
            if name.startswith("--") and is_joined and not value:
                _fail(f"The value of {name} is empty.", EXIT_INPUT)
        with _usage_errors(ctx, args):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command's function."""
        verbose = bool(ctx.params.get("verbose"))
        try:
            with _logging(verbose), bare_keyboard_interrupts():
                return super().invoke(ctx)
        except (typer.Exit, typer.Abort, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            _fail("Interrupted.", EXIT_INTERRUPTED)
        except PochoirError as error:
            _show_traceback(verbose)
            _fail(str(error), _exit_code(error))
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:  # any question about such a path fails
                _fail(f"A name is too long for a file here: {str(error.filename)!r}.", EXIT_INPUT)
            _show_traceback(verbose)
            hint = "" if verbose else " Run with -v for the traceback."
            _fail(f"{type(error).__name__}: {error}".rstrip(".") + f".{hint}", EXIT_FAILURE)


class Group(TyperGroup):
    """Group of commands whose errors become one line, too."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the options of the group; without an argument it shows its help page."""
        with _usage_errors(ctx, args):
            return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command of that name."""
        if args[0] not in self.commands:
            _fail(describe_unknown_command(args[0], list(self.commands)), EXIT_INPUT)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that is named."""
        with _usage_errors(ctx, ()):
            return super().invoke(ctx)


@contextmanager
def _usage_errors(ctx: Any, args: Sequence[str]) -> Iterator[None]:
    """Context manager that ends the program with one line and exit code 2 where the parser rejects what was typed."""
    typed = tuple(args)  # the parser uses its list up
    try:
        yield
    except UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # by name, as in describe_usage_error
            raise
        _fail(describe_usage_error(error, ctx, typed), EXIT_INPUT)


def _exit_code(error: PochoirError) -> int:
    if isinstance(error, InputError):
        return EXIT_INPUT
    return EXIT_WEIGHTS if isinstance(error, WeightsError) else EXIT_FAILURE


def _fail(text: str, code: int) -> NoReturn:
    stderr.print("[bold red]Error:[/]", end=" ")
    # A message may quote file names with brackets, and stays on one line so that logs can be searched.
    stderr.print(" ".join(text.split()), markup=False, soft_wrap=True)
    raise typer.Exit(code)


def _show_traceback(verbose: bool) -> None:
    if verbose:
        stderr.print_exception()


@contextmanager
def _logging(verbose: bool) -> Iterator[None]:
    if not verbose:
        yield
        return
    logger = logging.getLogger("pochoir")
    handler = RichHandler(console=stderr, show_path=False)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
