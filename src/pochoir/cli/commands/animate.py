"""``pochoir animate``: a clip in which the subject moves."""

import functools
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pochoir.cli import batches, placement, running
from pochoir.cli.console import AsJson, Force, Quiet, Report, Verbose, print_table, stderr
from pochoir.cli.inputs import check_inputs
from pochoir.cli.options import Given, RecipeFile, takes_settings
from pochoir.cli.photos import plan_films
from pochoir.cli.progress import watch
from pochoir.errors import OptionError, UnknownNameError
from pochoir.recipe import OutputSettings, Recipe

if TYPE_CHECKING:
    from pochoir.animation.settings import ClipSettings
    from pochoir.clips import Production
    from pochoir.jobs.photos import Found

KEPT_OUTPUT = ("quality", "no_recipe")
SETTINGS = [name for name in Recipe.model_fields if name not in OutputSettings.model_fields or name in KEPT_OUTPUT]
"""Settings that a clip has: all but those of files that hold one picture."""
OUTPUTS = ("clip", "rig", "layers")
"""Names of what can be saved."""
MOTION, CLIP = "Motion", "Clip"
"""Headings of the help page."""


@takes_settings(SETTINGS)
def animate(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PHOTO...",
            help="A photo, a cutout, or a picture that pochoir painted; or several, a folder or a pattern.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            metavar="OUT|DIR",
            help="Clip to write: .webp, .gif, .png, .avif, .mp4, .webm, .mov, .mkv, .json (sprite sheet), or a folder "
            "of frames; for many photos a folder of clips.",
        ),
    ] = None,
    *,
    given: Given,
    motion: Annotated[
        list[str] | None,
        typer.Option(
            "--motion",
            metavar="NAME[:AMOUNT]",
            help="Motion and its strength; several add up. See --list (default: breathe).",
            rich_help_panel=MOTION,
        ),
    ] = None,
    list_all: Annotated[
        bool, typer.Option("--list", help="List the motions; with a photo and -o, draw them.", rich_help_panel=MOTION)
    ] = False,
    rig: Annotated[
        Path | None,
        typer.Option(
            "--rig",
            metavar="FILE",
            help="Limbs of the subject, in the form that --as rig writes.",
            rich_help_panel=MOTION,
        ),
    ] = None,
    towards: Annotated[
        str | None,
        typer.Option(
            "--towards",
            metavar="left|right",
            help="Direction in which travelling motions cross the picture.",
            rich_help_panel=MOTION,
        ),
    ] = None,
    duration: Annotated[
        str, typer.Option("--duration", metavar="3s|1m|...", help="Length of the clip.", rich_help_panel=CLIP)
    ] = "3s",
    fps: Annotated[
        float, typer.Option("--fps", metavar="1..120", help="Frames a second.", rich_help_panel=CLIP)
    ] = 24.0,
    loop: Annotated[
        bool,
        typer.Option("--loop/--once", help="Loop without a seam, or play once and end at rest.", rich_help_panel=CLIP),
    ] = True,
    on: Annotated[
        int,
        typer.Option(
            "--on",
            metavar="1..12",
            help="Frames to show each pose for; 2 and 3 look drawn by hand.",
            rich_help_panel=CLIP,
        ),
    ] = 1,
    boil: Annotated[
        int,
        typer.Option(
            "--boil", metavar="0..6", help="Extra paintings with other strokes, shown in turn.", rich_help_panel=CLIP
        ),
    ] = 0,
    parallax: Annotated[
        bool, typer.Option("--parallax", help="Let the background drift.", rich_help_panel=CLIP)
    ] = False,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="Draw a soft shadow on the ground.", rich_help_panel=CLIP)
    ] = False,
    margin: Annotated[
        str,
        typer.Option(
            "--margin",
            metavar="auto|N%",
            help="Room around the picture, as a share of its long side; auto adds what the motion needs.",
            rich_help_panel=CLIP,
        ),
    ] = "auto",
    form: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="|".join(OUTPUTS),
            help="Save the clip, the limbs that are found, or an .ora file with all layers.",
        ),
    ] = "clip",
    recipe_file: RecipeFile = None,
    jobs: placement.Jobs = 0,
    executor: placement.ExecutorName = None,
    cluster: placement.Cluster = None,
    file_format: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="webp|gif|mp4|...",
            help="Format of the clips in the output folder.",
            rich_help_panel=placement.MANY,
        ),
    ] = "webp",
    as_json: AsJson = False,
    force: Force = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Bring the subject of a photo to life, in the style that it is painted in.

    Without a style nothing is painted. For an opaque picture that pochoir painted, its photo and recipe are
    used; a transparent one moves as it is, at --size.

    People wave, march, walk, jump and dance; animals trot and run; wings flap; everything breathes, sways and nods.

    Limbs that are not found can be given: save them with --as rig, edit the file, and give it with --rig.

    Several photos, a folder or a pattern: -o names a folder, and clips that are up to date are skipped.
    """
    placement.check_job_count(jobs)
    report = Report(quiet, as_json)
    if list_all and not names:
        _print_motions()
        return
    if not names or out is None:
        raise OptionError("Give a photo and -o OUT, as in: pochoir animate parrot.jpg -o parrot.webp --motion nod")
    if form not in OUTPUTS:
        raise UnknownNameError("form", form, OUTPUTS)

    from pochoir.animation.settings import ClipSettings

    values = {"motion": tuple(motion or ("breathe",)), "duration": duration, "fps": fps, "loop": loop, "on": on}
    values |= {"boil": boil, "parallax": parallax, "shadow": shadow, "towards": towards, "margin": margin}
    settings = ClipSettings.model_validate(values)
    recipe = given.recipe(recipe_file)
    check_inputs(names, [recipe])
    if form != "clip" or list_all:
        _save_still(names, out, recipe, settings, rig, report, form=form, force=force)
        return
    stored = settings.model_dump(mode="json") | ({} if rig is None else {"rig": str(rig)})
    from pochoir.jobs import Job

    make = functools.partial(Job, kind="animate", recipe=recipe, form=stored, force=force)
    planned, notes = plan_films(
        make, names, out, _find_photos, file_format=file_format, nouns=("photo", "clip"), force=force
    )
    place = placement.Place(jobs, executor, cluster, threads=recipe.threads, usual="serial", several="processes")
    if notes is None:
        place.tell_unused(report)
        running.run_one(planned[0], report, describe=running.describe_clip, verbose=verbose)
        return
    with closing(place.open(len(planned))) as opened:
        code = batches.run_many(planned, opened, out, report, notes=notes, verbose=verbose)
    if code:
        raise typer.Exit(code)


def _find_photos(names: Sequence[str], out: Path) -> "Found":
    from pochoir import imaging
    from pochoir.jobs import photos

    return photos.find_photos(names, suffixes=imaging.picture_suffixes(), out=out)


def _save_still(
    names: list[str],
    out: Path,
    recipe: Recipe,
    settings: "ClipSettings",
    rig: Path | None,
    report: Report,
    *,
    form: str,
    force: bool,
) -> None:
    """Save limbs, layers or strips of one photo."""
    from pochoir import clips

    if len(names) > 1 or Path(names[0]).is_dir():
        raise OptionError("--list and --as rig or layers are for one photo; name a single one.")
    production = clips.prepare(names[0], recipe, settings, rig=rig)
    if form == "rig":
        _save_rig(production, out, report, force=force)
    elif form == "layers":
        _save_layers(production, out, report, force=force)
    else:
        _save_sheet(production, out, report, force=force)


def _print_motions() -> None:
    from pochoir.animation.catalog import CATALOG

    whom = {"nothing": "anything", "person": "people", "legs": "animals", "wings": "wings"}
    rows = (
        (motion.name, whom[motion.needs], motion.summary + (" Takes --towards." if motion.travels else ""))
        for motion in CATALOG.values()
    )
    print_table("motion", "moves", "", rows=rows)


def _save_rig(production: "Production", out: Path, report: Report, *, force: bool) -> None:
    from pochoir import imaging

    if out.suffix.lower() != ".json":
        raise OptionError(f"A rig is saved as .json; got {out.name!r}.")
    imaging.check_place(out)
    if out.exists() and str(out) in production.input_paths and not force:
        raise OptionError(f"{str(out)!r} is an input and would be overwritten; choose another output.")
    rig = production.find_rig()
    imaging.write_file(out, rig.to_json().encode())
    names = ", ".join(limb.name for limb in rig.limbs)
    report.done(f"Saved {out}: {names}.", {"outputs": [str(out)], "limbs": [limb.name for limb in rig.limbs]})


def _save_layers(production: "Production", out: Path, report: Report, *, force: bool) -> None:
    from pochoir import imaging

    imaging.check_output(out, inputs=production.input_paths, force=force, has_layers=True)
    if not imaging.holds_layers(out):
        raise OptionError(f"Layers are saved as .ora; got {out.name!r}.")
    _paint_all(production, report)
    layers = production.layers()
    record = None if production.recipe.no_recipe else production.record
    imaging.save_layers(out, layers, size=production.clip().size, record=record, origin="painted")
    names = [layer.name for layer in layers]
    report.notes(production.notes)
    report.done(f"Saved {out}: {', '.join(names)}.", {"outputs": [str(out)], "layers": names})


def _paint_all(production: "Production", report: Report) -> None:
    for title, painting in production.paintings():
        report.notes([f"painting: {title}"] if stderr.is_terminal else [])
        for _ in watch(painting, quiet=report.quiet):
            pass


def _save_sheet(production: "Production", out: Path, report: Report, *, force: bool) -> None:
    from pochoir import imaging

    imaging.check_output(out, inputs=production.input_paths, force=force)
    drawn = production.strips()
    imaging.save(out, drawn.sheet)
    report.notes(f"{name}: {reason}" for name, reason in drawn.left_out.items())
    report.done(f"Saved {out}: {', '.join(drawn.names)}.", {"outputs": [str(out)], "motions": list(drawn.names)})
