"""``pochoir watch``: paint the photos of a folder as they arrive."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pochoir.cli import batches, placement
from pochoir.cli.commands.stylize import EachStyle, RecipeFiles, make_job, read_recipes, threads_of
from pochoir.cli.console import EXIT_FAILURE, Force, Quiet, Report, Verbose
from pochoir.cli.inputs import check_inputs
from pochoir.cli.options import Given, takes_settings
from pochoir.cli.photos import check_format
from pochoir.errors import OptionError, OutputPathError
from pochoir.recipe import Recipe

if TYPE_CHECKING:
    from pochoir.jobs import Executor
    from pochoir.jobs.watch import FolderWatch, Places

POLL_S = 0.5
"""Seconds between two looks at the folder."""
MOST_SETTLE_S = 3600.0


@takes_settings(Recipe.model_fields)
def watch(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to watch, including its subfolders.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Folder to write into.")],
    *,
    given: Given,
    recipe_files: RecipeFiles = None,
    each_style: EachStyle = None,
    settle: Annotated[
        float,
        typer.Option("--settle", metavar="S", help="Seconds that a file has to stay unchanged before it is painted."),
    ] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="End when all photos in the folder are painted.")] = False,
    jobs: placement.Jobs = 0,
    executor: placement.ExecutorName = None,
    cluster: placement.Cluster = None,
    file_format: placement.FileFormat = "png",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON on stdout and nothing else there: one line for each picture.")
    ] = False,
    force: Force = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Paint the photos of a folder as they arrive; takes the settings of stylize. Stop it with Ctrl-C.

    Pictures that are up to date are skipped, so the command can be stopped and started again.

    A bad photo does not stop the rest; it is tried again when its file changes.
    """
    recipes = read_recipes(given, recipe_files, each_style)
    check_format(file_format)
    if not 0 <= settle <= MOST_SETTLE_S:
        raise OptionError(f"--settle takes 0 to {MOST_SETTLE_S:.0f} seconds; got {settle:g}.")
    if out.exists() and not out.is_dir():
        raise OutputPathError(f"-o takes a folder; '{out}' is a file.")

    check_inputs((), recipes.values())

    from pochoir import imaging
    from pochoir.jobs.watch import FolderWatch, Places

    watched = FolderWatch(folder, suffixes=imaging.picture_suffixes(), out=out, settle_s=settle)
    places = Places(out, suffix=f".{file_format}", labels=list(recipes), force=force)
    place = placement.Place(jobs, executor, cluster, threads=threads_of(given), usual="serial", several="processes")
    report = Report(quiet, as_json)
    opened = place.open(placement.MOST_JOBS)
    code = 0
    try:
        report.notes([f"watching {folder}; stop with Ctrl-C"] if not once else [])
        while True:
            code = _paint_new(watched, places, recipes, opened, out, report, force=force, verbose=verbose) or code
            if once and not watched.unsettled:
                break
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        report.notes(["stopped"])
    finally:
        opened.close()
    if code:
        raise typer.Exit(EXIT_FAILURE)


def _paint_new(
    watched: "FolderWatch",
    places: "Places",
    recipes: dict[str, Recipe],
    executor: "Executor",
    out: Path,
    report: Report,
    *,
    force: bool,
    verbose: bool,
) -> int:
    """Paint the photos that have arrived; return the exit code."""
    planned = [
        make_job(photo.path, output, recipes[label], force=force)
        for photo in watched.poll()
        for label, output in places.place(photo)
    ]
    return batches.run_many(planned, executor, out, report, verbose=verbose) if planned else 0
