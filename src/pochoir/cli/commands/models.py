"""``pochoir models``: list, fetch, find and check trained weights."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from pochoir.cli.console import EXIT_WEIGHTS, Command, Group, Quiet, Report, Verbose, print_table, stderr
from pochoir.recipe import REMBG_PREFIX

OF_THE_MAIN_JOB = ("vgg19", "u2net", "u2netp", "faces")
PHOTOS = "photos"
"""Name for all sample photos of the report."""

_USE = {True: "any", False: "non-commercial only"}

app = typer.Typer(cls=Group, help="List, fetch, find and check trained weights.", no_args_is_help=True)


@app.command("list", cls=Command)
def list_models(
    rembg: Annotated[bool, typer.Option("--rembg", help="List rembg's networks, for --segmenter rembg:NAME.")] = False,
    verbose: Verbose = False,
) -> None:
    """List all weight files: what they are, their terms, and whether they are in the cache."""
    if rembg:
        _list_rembg()
        return

    from pochoir import weights

    rows = (
        (
            state.file.name,
            state.file.size_text,
            state.status,
            state.file.licence,
            _USE[state.file.allows_commercial_use],
            state.file.about,
        )
        for state in weights.states()
    )
    print_table("name", "size", "state", "licence", "use", "what it is", rows=rows)


def _list_rembg() -> None:
    from pochoir.segmentation.rembg_sessions import MODELS

    rows = (
        (f"{REMBG_PREFIX}{name}", model.licence, _USE[model.is_for_everyone], model.about)
        for name, model in MODELS.items()
    )
    print_table("segmenter", "licence", "use", "what it is", rows=rows)


@app.command(cls=Command)
def pull(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...",
            help=f"Names from: pochoir models list; or '{PHOTOS}', for the sample photos of the report. "
            f"Default: what painting needs, {', '.join(OF_THE_MAIN_JOB)}.",
        ),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Fetch nothing; fail if something is missing.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Fetch weights that are not in the cache yet, and check them."""
    from pochoir import weights

    report = Report(quiet=quiet)
    wanted = [name for given in names or OF_THE_MAIN_JOB for name in (weights.SAMPLES if given == PHOTOS else (given,))]
    weights.check_names(wanted, groups=(PHOTOS,))
    for name in wanted:
        report.done(f"{name}: {_pull_one(name, offline=offline, quiet=quiet)}", {})


def _pull_one(name: str, *, offline: bool, quiet: bool) -> Path:
    from pochoir import weights

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    hidden = quiet or not stderr.is_terminal
    with Progress(
        TextColumn("{task.description}"), *columns, console=stderr, transient=True, disable=hidden
    ) as progress:
        bar = progress.add_task(name, total=None)

        def show(done_bytes: int, total_bytes: int) -> None:
            progress.update(bar, completed=done_bytes, total=total_bytes)

        return weights.pull(name, progress=show, offline=offline or None)


@app.command(cls=Command)
def where(
    name: Annotated[str, typer.Argument(help="A name from: pochoir models list")], verbose: Verbose = False
) -> None:
    """Print the path of a weight file."""
    from pochoir import weights

    typer.echo(weights.where(name))


@app.command(cls=Command)
def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...", help="Names; by default the files that painting needs, and all others in the cache."
        ),
    ] = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Check the size and sha256 of weight files; ends with exit code 3 if one is missing or damaged."""
    from pochoir import weights
    from pochoir.weights import WeightStatus

    here = [state.file.name for state in weights.states() if state.status is not WeightStatus.MISSING]
    states = [weights.verify(name) for name in names or dict.fromkeys((*OF_THE_MAIN_JOB, *here))]
    if not quiet:
        print_table(
            "name",
            "state",
            "reason",
            "path",
            rows=((state.file.name, state.status, state.reason, str(state.path)) for state in states),
        )
    if any(state.status is not WeightStatus.OK for state in states):
        raise typer.Exit(EXIT_WEIGHTS)
