"""What the user sees: lines on the terminal, one JSON line for programs, one clear line for an error."""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.logging import RichHandler
from rich.table import Table
from rich.text import Text
from typer.core import TyperCommand

from pochoir.errors import InputError, PochoirError, WeightsError

# Without a stream of their own the consoles look up sys.stdout and sys.stderr when they write.
stdout = Console(highlight=False)
piped_stdout = Console(highlight=False, width=1000)
stderr = Console(stderr=True, highlight=False)

EXIT_FAILURE, EXIT_INPUT, EXIT_WEIGHTS, EXIT_INTERRUPTED = 1, 2, 3, 130

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say what happens inside; full tracebacks.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one line of JSON on stdout and nothing else there.")]
Force = Annotated[bool, typer.Option("--force", help="Allow the output to overwrite an input.")]


@dataclass(frozen=True)
class Report:
    """How a command tells its result: as a line to read, as a line of JSON, or not at all."""

    quiet: bool = False
    as_json: bool = False

    def notes(self, notes: Iterable[str]) -> None:
        """Show what the library did on its own account, dimmed, on stderr."""
        if not self.quiet:
            for note in notes:
                stderr.print(f"note: {note}", style="dim", markup=False, soft_wrap=True)

    def done(self, line: str, facts: Mapping[str, Any]) -> None:
        """Tell the result: ``line`` for people, or ``facts`` as one line of JSON."""
        if self.as_json:
            typer.echo(json.dumps(facts, allow_nan=False))
        elif not self.quiet:
            typer.echo(line)

    def one(self, status: str, name: object, facts: Mapping[str, Any], *, reason: str) -> None:
        """Tell how one of many went: a line of JSON; or, for people, only what went wrong and what to know of it."""
        if self.as_json:
            typer.echo(json.dumps(facts, allow_nan=False))
        if status == "failed":
            told = reason if str(name) in reason else f"{name}: {reason}"
            stderr.print(f"failed: {told}", style="red", markup=False, soft_wrap=True)
        self.notes(f"{name}: {note}" for note in facts.get("notes", ()))

    def summary(self, line: str) -> None:
        """Tell at the end how many went, where no program reads along."""
        if not (self.as_json or self.quiet):
            typer.echo(line)


def print_table(*headings: str, rows: Iterable[Iterable[str]]) -> None:
    """Print a table on stdout; in a pipe no cell is folded, so that lines can be searched."""
    table = Table(*headings, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    (stdout if stdout.is_terminal else piped_stdout).print(table)


class Command(TyperCommand):
    """A command whose errors become one line and an exit code; see ``pochoir.errors`` for the codes."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command's function."""
        verbose = bool(ctx.params.get("verbose"))
        try:
            with _logging(verbose):
                return super().invoke(ctx)
        except (typer.Exit, typer.Abort, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            _fail("Interrupted.", EXIT_INTERRUPTED)
        except PochoirError as error:
            _show_traceback(verbose)
            _fail(str(error), _exit_code(error))
        except Exception as error:
            _show_traceback(verbose)
            hint = "" if verbose else " Run with -v for the traceback."
            _fail(f"{type(error).__name__}: {error}".rstrip(".") + f".{hint}", EXIT_FAILURE)


def _exit_code(error: PochoirError) -> int:
    if isinstance(error, InputError):
        return EXIT_INPUT
    return EXIT_WEIGHTS if isinstance(error, WeightsError) else EXIT_FAILURE


def _fail(text: str, code: int) -> NoReturn:
    stderr.print("[bold red]Error:[/]", end=" ")
    # A message may quote file names with brackets, and has to stay one line for those who search logs.
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
