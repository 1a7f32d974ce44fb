"""``pochoir compare``: compare U2-Net and GrabCut on photos and on their pastiches."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from pochoir._types import Box
from pochoir.cli.commands.sweep import make_execution
from pochoir.cli.console import AsJson, Quiet, Report, Verbose, stderr
from pochoir.cli.options import Given, takes_settings
from pochoir.cli.placement import Cluster, Jobs
from pochoir.errors import OptionError, OutputPathError
from pochoir.recipe import DEFAULT_LONG_SIDE_PX, MAX_SIZE_PX, TransferSettings, parse_box

if TYPE_CHECKING:
    from pochoir.lab.compare.run import Plan, Progress

PAINTING = list(TransferSettings.model_fields)


@takes_settings(["style", *PAINTING, "device", "threads"])
def compare(
    names: Annotated[
        list[str], typer.Argument(metavar="PHOTO...", help="Photos, folders, or patterns such as 'photos/*.jpg'.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Folder for the page, tables and pictures.")],
    *,
    given: Given,
    truth: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of true mattes, white is subject, with the names of the photos."),
    ] = None,
    boxes: Annotated[
        list[str] | None,
        typer.Option(
            "--box",
            metavar="[NAME=]X,Y,W,H",
            help="Box that GrabCut is given, in photo pixels; NAME is the photo's. Without one, the box of the true "
            "matte, if known.",
        ),
    ] = None,
    metrics: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            metavar="M",
            help="Metric of cutouts; several are possible (default: vgg, gram). See pochoir score.",
        ),
    ] = None,
    backdrop: Annotated[
        str, typer.Option(metavar="COLOR", help="Colour behind every cutout when it is scored.")
    ] = "#808080",
    weaknesses: Annotated[
        bool,
        typer.Option(help="Measure the limits of GrabCut: near colours, overlapping figures, moved boxes."),
    ] = True,
    jobs: Jobs = 1,
    cluster: Cluster = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Compare U2-Net, U2-Net-p and GrabCut on photos, with tests and null scores.

    GrabCut runs from a box that U2-Net finds, from a given box, and from U2-Net's matte. With --style each photo is
    painted, subjects are looked for in photo and painting, and the mattes of either cut both.

    Cutouts are scored against the photo and, with --truth, the true cutout by metrics of content, and against the
    style by gram, all on the same backdrop. Empty and full mattes are reported as failures and not ranked.

    Repeat the command to resume an interrupted run: pictures and measurements are kept in DIR.
    """
    import torch

    from pochoir import imaging, similarity
    from pochoir._devices import resolve_device
    from pochoir._threads import torch_threads
    from pochoir.lab.compare.methods import MethodRunner
    from pochoir.lab.compare.page import write_results
    from pochoir.lab.compare.run import ComparisonRun

    recipe = given.recipe()
    plan = _plan(names, out, given, truth, boxes or [], weaknesses=weaknesses)
    device = resolve_device(recipe.device)
    scorer = similarity.Scorer(metrics or ("vgg", "gram"), backdrop=backdrop, device=device)
    methods = MethodRunner.load(device=device)
    execution = make_execution(jobs, cluster)
    imaging.make_folder(out)
    run = ComparisonRun(plan, out, methods=methods, scorer=scorer, execution=execution)
    with torch_threads(recipe.threads or torch.get_num_threads()):
        watch(run, quiet=quiet)
        results = run.results()
    files = write_results(out, results)
    report = Report(quiet, as_json)
    if results.failures:
        failed = ", ".join(f"{row.method} on the {row.seen} of {row.photo} ({row.kind})" for row in results.failures)
        report.notes([f"failed mattes, which are not ranked: {failed}"])
    report.notes(note for item in results.comparisons for note in item.notes)
    report.done(f"Wrote {files[0]} and {len(files) - 1} files beside it.", {"outputs": [str(path) for path in files]})


def watch(steps: "Iterable[Progress]", *, quiet: bool) -> None:
    """Run to the end, with a progress bar on a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=stderr, transient=True, disable=quiet or not stderr.is_terminal) as bar:
        task = bar.add_task("reading the pictures", total=None)
        for step in steps:
            if bar.tasks[task].description != step.stage:
                bar.reset(task, description=step.stage, total=step.total)
            bar.update(task, completed=step.done)


def _plan(
    names: Sequence[str], out: Path, given: Given, truth: Path | None, boxes: Sequence[str], *, weaknesses: bool
) -> "Plan":
    from pochoir import imaging
    from pochoir.jobs.photos import find_photos, place_outputs
    from pochoir.lab.compare.inputs import missing_truths, read_subjects
    from pochoir.lab.compare.jitter import JitterSettings
    from pochoir.lab.compare.overlap import OverlapSettings
    from pochoir.lab.compare.run import Plan

    recipe = given.recipe()
    found = find_photos(names, suffixes=imaging.picture_suffixes(), out=out)
    places = place_outputs(found.photos, out, suffix=".png", force=True)
    paths = {"-".join(place.output.relative_to(out).with_suffix("").parts): place.photo for place in places}
    if len(paths) < len(places):
        raise OptionError("Two photos would have the same name in the results; rename one of them.")
    _check_separate(out, paths.values())
    subjects = read_subjects(
        paths,
        truth_dir=truth,
        boxes=dict(_read_box(text, list(paths)) for text in boxes),
        long_side_px=MAX_SIZE_PX if isinstance(recipe.size, str) else recipe.size or DEFAULT_LONG_SIDE_PX,
    )
    Report().notes(missing_truths(subjects))
    return Plan(
        subjects,
        recipe if recipe.style else None,
        overlap=OverlapSettings() if weaknesses else None,
        jitter=JitterSettings() if weaknesses else None,
    )


def _check_separate(out: Path, inputs: Iterable[Path]) -> None:
    for path in inputs:
        if path.parent.resolve() == out.resolve():
            raise OutputPathError(f"'{path}' lies in {out}, where files are written; choose another folder with -o.")


def _read_box(text: str, names: Sequence[str]) -> tuple[str, Box]:
    name, _, numbers = text.rpartition("=")
    if not name and len(names) > 1:
        raise OptionError(f"With several photos a box names its own, such as {names[0]}={numbers}; got {text!r}.")
    return name or names[0], parse_box(numbers)
