"""``pochoir lab``: experiments that make a report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pochoir.cli.commands.compare import watch
from pochoir.cli.commands.sweep import make_execution
from pochoir.cli.console import AsJson, Command, Group, Quiet, Report, Verbose
from pochoir.cli.options import Given, takes_settings
from pochoir.cli.placement import Cluster, Jobs
from pochoir.errors import OptionError

if TYPE_CHECKING:
    from pochoir.lab.report.settings import ReportSettings

app = typer.Typer(cls=Group, help="Experiments that make a report.", no_args_is_help=True)


@app.command("report", cls=Command)
@takes_settings(["device", "threads"])
def report(
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Folder for the pages and their figures.")],
    *,
    given: Given,
    work: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for pictures and measurements, which a rerun reuses.")
    ] = Path("pochoir-report"),
    quick: Annotated[bool, typer.Option("--quick", help="Small pictures and few repeats: about ten minutes.")] = False,
    size: Annotated[
        int | None, typer.Option(metavar="N", help="Long side of the compared pictures in pixels (default: 256).")
    ] = None,
    sweep_size: Annotated[
        int | None, typer.Option(metavar="N", help="Long side of the swept pictures in pixels (default: 160).")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(metavar="N", help="Optimiser steps of each painting (default: 36).")
    ] = None,
    seeds: Annotated[int | None, typer.Option(metavar="N", help="Seeds of each swept setting (default: 2).")] = None,
    scenes: Annotated[int | None, typer.Option(metavar="N", help="Drawn scenes of each kind (default: 10).")] = None,
    draws: Annotated[int | None, typer.Option(metavar="N", help="Moved boxes of each kind (default: 12).")] = None,
    photos: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of further photos, beside the sample photos.")
    ] = None,
    metrics: Annotated[
        list[str] | None,
        typer.Option("--metric", metavar="M", help="Metrics of cutouts (default: gram, lpips, dists, vgg)."),
    ] = None,
    jobs: Jobs = 1,
    cluster: Cluster = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Repeat the student report: loss weights, and U2-Net against GrabCut, with exact tests.

    Writes two pages, the findings as index.html and every number as details.html. First fetch the weights of its
    metrics: pochoir models pull alexnet vgg16 dists. Then everything runs offline, on photos that come with pochoir's
    dependencies, drawn scenes and built-in styles: about two hours of one core.

    Repeat the command to resume an interrupted run.
    """
    import torch

    from pochoir import similarity
    from pochoir._devices import resolve_device
    from pochoir._threads import torch_threads
    from pochoir.lab.compare.methods import MethodRunner
    from pochoir.lab.report.page import write_report
    from pochoir.lab.report.photos import find_photos
    from pochoir.lab.report.run import ReportRun

    sizes = {"size": size, "sweep_size": sweep_size, "steps": steps, "seeds": seeds, "scenes": scenes, "draws": draws}
    chosen = {**sizes, "metrics": tuple(metrics) if metrics else None}
    settings = _make_settings(quick, photos, {name: value for name, value in chosen.items() if value is not None})
    recipe = given.recipe()
    device = resolve_device(recipe.device)
    scorer = similarity.Scorer(settings.metrics, other_backdrops=settings.other_backdrops, device=device)
    methods = MethodRunner.load(device=device)
    execution = make_execution(jobs, cluster)
    if photos is not None:
        find_photos(photos)  # nothing is written before they are known to be there
    _check_folders(out, work)
    run = ReportRun(settings, work, methods=methods, scorer=scorer, recipe=recipe, execution=execution)
    with torch_threads(recipe.threads or torch.get_num_threads()):
        watch(run, quiet=quiet)
        found = run.measurements()
    files = write_report(out, found)
    Report(quiet, as_json).done(
        f"Wrote {files[0]}, {files[1].name} and {len(files) - 2} files beside them; all pictures are in {work}.",
        {"outputs": [str(path) for path in files], "work": str(work)},
    )


def _make_settings(quick: bool, photos: Path | None, given: dict[str, Any]) -> "ReportSettings":
    from dataclasses import replace

    from pochoir.lab.report.settings import ReportSettings

    return replace(ReportSettings.quick(photos=photos) if quick else ReportSettings(photos=photos), **given)


def _check_folders(out: Path, work: Path) -> None:
    from pochoir import imaging

    if out.resolve() == work.resolve():
        raise OptionError(f"--out and --work must be different folders; both are '{out}'.")
    imaging.make_folder(out)
    imaging.make_folder(work)
