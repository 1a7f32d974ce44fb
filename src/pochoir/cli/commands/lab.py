"""``pochoir lab``: experiments that make a report."""

from pathlib import Path
from typing import Annotated

import typer

from pochoir.cli.commands.compare import watch
from pochoir.cli.console import AsJson, Command, Quiet, Report, Verbose
from pochoir.cli.watching import make_folder

app = typer.Typer(help="Experiments that make a report.", no_args_is_help=True)


@app.command("report", cls=Command)
def report(
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Folder for the page and its figures.")],
    work: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for all that is made on the way; a rerun takes it over.")
    ] = Path("pochoir-report"),
    size: Annotated[int, typer.Option(metavar="N", help="Long side of the compared pictures in pixels.")] = 256,
    sweep_size: Annotated[int, typer.Option(metavar="N", help="Long side of the swept pictures in pixels.")] = 192,
    steps: Annotated[int, typer.Option(metavar="N", help="Optimiser steps of each painting.")] = 50,
    scenes: Annotated[int, typer.Option(metavar="N", help="Drawn scenes of each kind.")] = 5,
    draws: Annotated[int, typer.Option(metavar="N", help="Moved boxes of each kind.")] = 12,
    metrics: Annotated[
        list[str] | None,
        typer.Option("--metric", metavar="M", help="How cut-outs are scored (default: vgg); see pochoir score."),
    ] = None,
    jobs: Annotated[int, typer.Option(metavar="N", help="Paintings of the sweep at once.")] = 1,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Run the student report again: weight sweeps, U2-Net against GrabCut, and their numbers, as one page.

    Everything runs offline on public-domain photos, drawn scenes and built-in styles: less than half an hour on two
    cores. A run that was broken off goes on where it stopped.
    """
    from pochoir import similarity
    from pochoir.lab.compare.methods import Finders
    from pochoir.lab.report.page import write_report
    from pochoir.lab.report.run import Reporting, ReportSettings

    settings = ReportSettings(size=size, sweep_size=sweep_size, steps=steps, scenes=scenes, draws=draws, jobs=jobs)
    scorer = similarity.Scorer(metrics or similarity.DEFAULT_METRICS)
    make_folder(out)
    make_folder(work)
    reporting = Reporting(settings, work, finders=Finders.load(), scorer=scorer)
    watch(reporting, quiet=quiet)
    files = write_report(out, reporting.findings())
    Report(quiet, as_json).done(
        f"Wrote {files[0]} and {len(files) - 1} figures; full pages lie in {work}.",
        {"outputs": [str(path) for path in files], "work": str(work)},
    )
