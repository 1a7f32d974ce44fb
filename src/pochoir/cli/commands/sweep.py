"""``pochoir sweep``: paint photos in many settings, measure them and show them together."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pochoir.cli.console import EXIT_FAILURE, Quiet, Report, Verbose
from pochoir.cli.inputs import check_inputs
from pochoir.cli.options import Given, RecipeFile, takes_settings
from pochoir.cli.placement import Cluster, Jobs
from pochoir.cli.progress import describe_count, progress_bar
from pochoir.recipe import Recipe

if TYPE_CHECKING:
    from pochoir.lab.common.execution import Execution
    from pochoir.lab.sweep.plan import Plan


@takes_settings(name for name in Recipe.model_fields if name != "style")
def sweep(
    photos: Annotated[list[str], typer.Argument(metavar="PHOTO...", help="The photos to paint.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Folder for pictures, figures and page.")],
    *,
    given: Given,
    styles: Annotated[
        list[str] | None,
        typer.Option("--style", metavar="S", help="A style, file or built-in name; several are swept, not blended."),
    ] = None,
    grids: Annotated[
        list[str] | None,
        typer.Option("--grid", metavar="FIELD=V,V", help="A setting and its values; lists are separated by | instead."),
    ] = None,
    recipe_file: RecipeFile = None,
    jobs: Jobs = 1,
    cluster: Cluster = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON on stdout and nothing else there: one line for each run.")
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Paint photos in many settings and show the effect of the settings.

    Every photo is painted in every style with every combination of the grids' values. Any setting can be a grid. With
    --grid seed=0,1,2 the figures also show how far chance alone moves the measures.

    The folder receives the pictures, contact sheets, a table, charts, and index.html, which contains all of them.

    Pictures that are up to date are skipped; repeat the command to resume an interrupted sweep.
    """
    from pochoir import imaging
    from pochoir.lab.sweep.grid import Axis
    from pochoir.lab.sweep.plan import plan_sweep

    axes = [Axis.parse(text) for text in grids or ()]
    plan = plan_sweep(photos, styles or (), given.recipe(recipe_file), axes)
    check_inputs((), (run.recipe for run in plan.runs))
    imaging.make_folder(out)
    report = Report(quiet, as_json)
    execution = make_execution(jobs, cluster)
    try:
        counts = _run(plan, out, execution, report)
    except KeyboardInterrupt:
        _write(plan, out)
        raise
    page = _write(plan, out)
    failed = f", {counts['failed']} failed" if counts["failed"] else ""
    before = f", {counts['skipped']} were up to date" if counts["skipped"] else ""
    report.summary(f"Painted {describe_count(counts['saved'], 'picture')}{before}{failed}. See {page}")
    if counts["failed"]:
        raise typer.Exit(EXIT_FAILURE)


def _run(plan: "Plan", out: Path, execution: "Execution", report: Report) -> Counter[str]:
    from pochoir.lab.sweep.runs import PICTURES_NAME, iter_sweep

    counts: Counter[str] = Counter()
    with progress_bar(report) as progress:
        bar = progress.add_task("painting", total=len(plan.runs))
        for outcome in iter_sweep(plan, out, execution=execution):
            counts[outcome.status] += 1
            picture = str(out / PICTURES_NAME / outcome.run.picture_name)
            facts = {"picture": picture, **outcome.to_dict()}
            report.one(outcome.status, outcome.run.title, facts, reason=outcome.error)
            progress.update(bar, advance=1, description=outcome.run.photo.label)
    return counts


def _write(plan: "Plan", out: Path) -> Path:
    from pochoir.lab.sweep.page import write_results

    return write_results(plan, out)


def make_execution(jobs: int, cluster: str | None) -> "Execution":
    """Return where an experiment's pictures are painted.

    Raises:
        OptionError: The number of jobs is out of bounds.
    """
    from pochoir.lab.common.execution import Execution

    return Execution(jobs, cluster)
