"""The program ``pochoir``: its commands, put together."""

import atexit
import gc
import io
import os
import sys
import time
from typing import Annotated

import typer

from pochoir import __version__
from pochoir.cli import running
from pochoir.cli.commands import (
    animate,
    compare,
    demo,
    lab,
    models,
    records,
    score,
    segment,
    studio,
    styles,
    stylize,
    sweep,
    video,
    watch,
)
from pochoir.cli.console import Command, Group

app = typer.Typer(
    name="pochoir",
    cls=Group,
    help="Paint photos through masks: find the subject, repaint subject and background each in its own style.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pochoir {__version__}")
        raise typer.Exit


@app.callback()
def pochoir(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Hold the options of the program itself."""


app.command("stylize", cls=Command)(stylize.stylize)
app.command("watch", cls=Command)(watch.watch)
app.command("segment", cls=Command)(segment.segment)
app.command("animate", cls=Command)(animate.animate)
app.command("video", cls=Command)(video.video)
app.command("styles", cls=Command)(styles.styles)
app.add_typer(models.app, name="models")
app.command("recipe", cls=Command)(records.recipe)
app.command("redo", cls=Command)(records.redo)
app.command("score", cls=Command)(score.score)
app.command("compare", cls=Command)(compare.compare)
app.command("sweep", cls=Command)(sweep.sweep)
app.add_typer(lab.app, name="lab")
app.command("studio", cls=Command)(studio.studio)
app.command("demo", cls=Command)(demo.demo)


def _let_names_through() -> None:
    """Print file names that are not UTF-8 as they are, instead of failing at them."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            is_utf8 = stream.encoding.lower().replace("-", "") == "utf8"
            stream.reconfigure(errors="surrogateescape" if is_utf8 else "backslashreplace")


def _collect_more_often(_phase: str, _info: dict[str, int]) -> None:
    """Let the garbage collector run at its usual pace from its first run on, which comes after all imports."""
    gc.set_threshold(100_000, 20, 20)
    gc.callbacks.remove(_collect_more_often)


def main() -> None:
    """Run the program; ends with ``SystemExit``."""
    running.started_s.set(time.monotonic())  # limited time counts from here: importing torch takes part of it
    _let_names_through()
    # Before its first model, pydantic looks for its plug-ins in every installed package, which takes 50 ms.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # Importing torch makes half a million objects that stay; looking for garbage among them, while they are made and
    # once more when the program ends, took 0.5 s of each run.
    gc.set_threshold(1_000_000, 20, 20)
    gc.callbacks.append(_collect_more_often)
    atexit.register(gc.freeze)
    app()
