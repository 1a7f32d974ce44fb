"""``pochoir stylize``: paint one photo or many."""

import itertools
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pochoir.cli import batches, placement, running
from pochoir.cli.console import AsJson, Force, Quiet, Report, Verbose
from pochoir.cli.inputs import check_inputs
from pochoir.cli.options import Given, takes_settings
from pochoir.cli.photos import FORMATS, Out, Photos, find_targets, label_styles
from pochoir.errors import OptionError
from pochoir.recipe import Recipe

if TYPE_CHECKING:
    from pochoir.jobs import Job

RecipeFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--recipe",
        metavar="FILE",
        help="Start from a recipe file (.toml or .json); other options win. Several make a picture each.",
    ),
]
EachStyle = Annotated[
    list[str] | None,
    typer.Option(
        "--each-style",
        metavar="S",
        help="Style of the whole picture; several make a picture each, named by style, where --style blends them.",
        rich_help_panel=placement.MANY,
    ),
]


@takes_settings(Recipe.model_fields)
def stylize(
    names: Photos,
    out: Out,
    *,
    given: Given,
    recipe_files: RecipeFiles = None,
    each_style: EachStyle = None,
    jobs: placement.Jobs = 0,
    executor: placement.ExecutorName = None,
    cluster: placement.Cluster = None,
    file_format: placement.FileFormat = "png",
    variations: Annotated[
        int,
        typer.Option(
            "--variations",
            metavar="N",
            min=0,
            max=64,
            help="Paint N small pictures with different strokes on one sheet.",
        ),
    ] = 0,
    save_steps: Annotated[
        Path | None,
        typer.Option("--save-steps", metavar="DIR", help="Folder for intermediate pictures; for one photo only."),
    ] = None,
    keep_interrupted: Annotated[
        bool, typer.Option("--keep-interrupted", help="On Ctrl-C, save the best picture so far.")
    ] = False,
    as_json: AsJson = False,
    force: Force = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Paint photos: the subject, its background or the whole picture in the looks of other pictures.

    A style is a picture file or a built-in name (see: pochoir styles). Several blend, and S:2 counts twice.

    A region without a style stays as it is in the photo.

    Several photos, a folder or a pattern: -o names a folder, in which a given folder is mirrored.

    Pictures that are up to date are skipped, and interrupted ones resumed. A file that this request did not make is
    replaced only with --force.

    A bad photo does not stop the rest: exit code 1 at the end, or 2 if no photo could be used.
    """
    recipes = read_recipes(given, recipe_files, each_style)
    placement.check_job_count(jobs)
    report = Report(quiet, as_json)
    check_inputs(names, recipes.values())
    if variations:
        paint_variations(names, out, recipes, variations, report, force=force)
        return
    targets = find_targets(names, out, file_format=file_format, labels=list(recipes), force=force)
    planned = [make_job(place.photo, place.output, recipes[place.label], force=force) for place in targets.places]
    place = placement.Place(jobs, executor, cluster, threads=threads_of(given), usual="serial", several="processes")
    if targets.is_one:
        place.tell_unused(report)
        job = with_streams(planned[0], file_format, save_steps)
        running.run_one(
            job,
            report,
            describe=running.describe_painting,
            keep_interrupted=keep_interrupted,
            verbose=verbose,
        )
        return
    if save_steps is not None:
        raise OptionError("--save-steps is for one photo; give a single one and -o PICTURE.")
    with closing(place.open(len(planned))) as opened:
        code = batches.run_many(
            planned, opened, out, report, notes=targets.notes, keep_interrupted=keep_interrupted, verbose=verbose
        )
    if code:
        raise typer.Exit(code)


def paint_variations(
    names: Sequence[str], out: Path, recipes: Mapping[str, Recipe], count: int, report: Report, *, force: bool
) -> None:
    """Save a sheet of small variations of one painting, and say how to paint one of them large."""
    if len(names) != 1 or len(recipes) != 1 or Path(names[0]).is_dir():
        raise OptionError("--variations is for one photo and one recipe.")
    from pochoir import imaging, pipeline

    (recipe,) = recipes.values()
    imaging.check_output(out, inputs=[names[0]], force=force)
    tiles = []
    for number, result in enumerate(pipeline.iter_variations(names[0], recipe, count=count), start=1):
        tiles.append((f"{number}: --seed {result.recipe.seed}", result.composite))
        report.notes(result.notes if number == 1 else ())
    imaging.save(out, imaging.contact_sheet(tiles, columns=min(count, 2), tile_px=pipeline.VARIATION_PX))
    report.done(
        f"Saved {out} with {count} variations. Repeat the command with the --seed below a picture instead of "
        "--variations to paint it at full size.",
        {"outputs": [str(out)], "seeds": [(recipe.seed + number) % 2**32 for number in range(count)]},
    )


def read_recipes(given: Given, files: Sequence[Path] | None, each_style: Sequence[str] | None) -> dict[str, Recipe]:
    """Return the recipes to paint each photo by, with their labels; one alone has the label ``""``.

    Raises:
        InputError: A file or a setting cannot be used, or ``--style`` is given as well.
    """
    if each_style and given.values.get("style"):
        raise OptionError(
            "--style blends styles into one picture and --each-style makes one of each; give one of them."
        )
    by_file = label_styles([str(file) for file in files or ()]) or {"": ""}
    by_style = label_styles(each_style or ()) or {"": ""}
    recipes: dict[str, Recipe] = {}
    for (file_label, file), (style_label, style) in itertools.product(by_file.items(), by_style.items()):
        recipe = given.recipe(Path(file) if file else None)
        label = "-".join(
            part for part, several in ((file_label, len(by_file) > 1), (style_label, bool(each_style))) if several
        )
        recipes[label] = recipe.replace(style=[style]) if style else recipe
    return recipes


def threads_of(given: Given) -> int:
    """Return the threads that were asked for, 0 if none were."""
    return int(given.values.get("threads") or 0)


def make_job(photo: Path, output: Path, recipe: Recipe, *, force: bool) -> "Job":
    """Return the job that paints a photo."""
    from pochoir.jobs import Job

    return Job(kind="stylize", photo=str(photo), output=str(output), recipe=recipe, force=force)


def with_streams(job: "Job", file_format: str, save_steps: Path | None) -> "Job":
    """Return a job with the options that only one photo can have."""
    form = {"format": file_format} if file_format != FORMATS[0] else {}
    form |= {} if save_steps is None else {"save_steps": str(save_steps)}
    return job.model_copy(update={"form": form})
