"""``pochoir segment``: find the subject of one photo or of many and save it in the form that is wanted."""

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from pochoir._types import Size
from pochoir.cli import batches, placement, running
from pochoir.cli.console import Force, Quiet, Report, Verbose
from pochoir.cli.inputs import check_inputs
from pochoir.cli.options import Given, takes_settings
from pochoir.cli.photos import FORMATS, Out, Photos, find_targets
from pochoir.errors import OptionError
from pochoir.recipe import FORMS, SHADOWS, Form, OutputSettings, SegmentSettings

if TYPE_CHECKING:
    from pochoir.jobs import Saved

OWN_SETTINGS = [name for name in SegmentSettings.model_fields if name != "mask"]
OUTPUT_SETTINGS = [name for name in OutputSettings.model_fields if name != "enlarge"]
SHOWN = ("box", "keep_points", "drop_points", "subject", "refine", "scribble")
"""Advanced settings that most users of this command need."""
CUTOUTS = "Cutouts"
"""Heading of the help page."""


@takes_settings([*OWN_SETTINGS, *OUTPUT_SETTINGS, "device", "threads"], basic=SHOWN)
def segment(
    names: Photos,
    out: Out,
    *,
    given: Given,
    form: Annotated[str, typer.Option("--as", metavar="|".join(FORMS), help="What to save.")] = "matte",
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print JSON on stdout and nothing else there: one line for each photo."),
    ] = False,
    trim: Annotated[
        bool, typer.Option("--trim", help="Cut away the transparent area around the subject.", rich_help_panel=CUTOUTS)
    ] = False,
    pad: Annotated[
        str,
        typer.Option(
            "--pad",
            metavar="N|N%",
            help="Transparent margin, in pixels or as a share of the long side inside it.",
            rich_help_panel=CUTOUTS,
        ),
    ] = "0",
    size: Annotated[
        int | None,
        typer.Option(
            "--size", metavar="N", help="Long side of the picture in pixels, margin included.", rich_help_panel=CUTOUTS
        ),
    ] = None,
    square: Annotated[
        bool,
        typer.Option(
            "--square",
            help="Make the canvas a square, with the cutout in the middle.",
            rich_help_panel=CUTOUTS,
        ),
    ] = False,
    shadow: Annotated[
        str,
        typer.Option(
            "--shadow",
            metavar="|".join(SHADOWS),
            help="Keep or drop the shadow that the subject casts on the ground, where the shadow is detected.",
            rich_help_panel=CUTOUTS,
        ),
    ] = "drop",
    backdrop: Annotated[
        str,
        typer.Option(
            "--backdrop",
            metavar="transparent|COLOR",
            help="Ground of the cutout: transparent, or a plain colour such as white or '#ffffff'.",
            rich_help_panel=CUTOUTS,
        ),
    ] = "transparent",
    jobs: placement.Jobs = 0,
    executor: placement.ExecutorName = None,
    cluster: placement.Cluster = None,
    file_format: placement.FileFormat = "png",
    force: Force = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Find the subject of photos and save mattes, cutouts, or pictures that show what was found.

    A cutout is transparent around the subject and keeps the subject's own colours up to the edge.

    Stages show how the matte was made; parts number the subjects for --subject.

    Doubt is bright where the matte is undecided, or where a second run of the network differs.

    Several photos, a folder or a pattern: -o names a folder, in which a given folder is mirrored.

    Pictures that are up to date are skipped. A file that this request did not make is replaced only with --force.

    A bad photo does not stop the rest: exit code 1 at the end, or 2 if no photo could be used.
    """
    cut = {"trim": trim, "pad": pad, "size": size, "square": square, "shadow": shadow, "backdrop": backdrop}
    wanted = Form.model_validate({"name": form, **cut})
    recipe = given.recipe()
    placement.check_job_count(jobs)
    report = Report(quiet, as_json)
    check_inputs(names, [recipe])
    targets = find_targets(names, out, file_format=file_format, force=force)
    if wanted.has_alpha and file_format == "jpg" and not targets.is_one:
        raise OptionError(
            "A cutout is transparent, which jpg cannot hold; use --format png, webp or tiff, or --backdrop '#ffffff'."
        )

    from pochoir.jobs import Job

    stored = wanted.model_dump(mode="json") | ({"format": file_format} if file_format != FORMATS[0] else {})
    planned = [
        Job(kind="segment", photo=str(place.photo), output=str(place.output), recipe=recipe, form=stored, force=force)
        for place in targets.places
    ]
    place = placement.Place(jobs, executor, cluster, threads=recipe.threads, usual="threads", several="threads")
    if targets.is_one:
        place.tell_unused(report)
        running.run_one(planned[0], report, describe=_describe, verbose=verbose)
        return
    with closing(place.open(len(planned))) as opened:
        code = batches.run_many(planned, opened, out, report, notes=targets.notes, verbose=verbose)
    if code:
        raise typer.Exit(code)


def _describe(saved: "Saved") -> str:
    facts = saved.facts
    return (
        f"Saved {saved.outputs[0]} ({Size(**facts['size'])}): {facts['as']} by {facts['method']}, "
        f"{facts['subject_share']:.0%} of the photo is subject."
    )
