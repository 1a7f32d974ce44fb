"""``pochoir segment``: find the subject of one photo or of many and save it in the form that is wanted."""

from pathlib import Path
from typing import Annotated

import typer

from pochoir._types import Size
from pochoir.cli import photos
from pochoir.cli.batch import cut_all
from pochoir.cli.console import Force, Quiet, Report, Verbose
from pochoir.cli.cutting import Cutter
from pochoir.cli.options import Given, takes_settings
from pochoir.errors import OptionError, OutputPathError, UnknownNameError
from pochoir.recipe import FORMS, SHADOWS, Form, SegmentSettings

OWN_SETTINGS = [name for name in SegmentSettings.model_fields if name != "mask"]
SHOWN = ("box", "keep_points", "drop_points", "subject", "refine", "scribble")
"""Advanced settings that most users of this command need."""
CUTOUTS, MANY = "Cutouts", "Many photos"
"""Headings of the help page."""
MANY_FROM = 4
"""Photos from which it pays to load the compiled kernels."""
FORMATS = ("png", "jpg", "webp", "tiff")


@takes_settings([*OWN_SETTINGS, "device", "threads"], basic=SHOWN)
def segment(
    names: Annotated[
        list[str], typer.Argument(metavar="PHOTO...", help="Photos; or folders, or patterns such as 'photos/*.jpg'.")
    ],
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="OUT|DIR", help="Picture to write: .png, .jpg, .webp or .tiff.")
    ],
    *,
    given: Given,
    form: Annotated[str, typer.Option("--as", metavar="|".join(FORMS), help="What to save.")] = "matte",
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print JSON on stdout and nothing else there: one line for each photo."),
    ] = False,
    trim: Annotated[
        bool, typer.Option("--trim", help="Cut away what is transparent around the subject.", rich_help_panel=CUTOUTS)
    ] = False,
    pad: Annotated[
        str,
        typer.Option(
            "--pad",
            metavar="N|N%",
            help="Transparent margin: pixels, or a share of the long side inside it.",
            rich_help_panel=CUTOUTS,
        ),
    ] = "0",
    size: Annotated[
        int | None,
        typer.Option(
            "--size", metavar="N", help="Long side of the picture in pixels, margin and all.", rich_help_panel=CUTOUTS
        ),
    ] = None,
    shadow: Annotated[
        str,
        typer.Option(
            "--shadow",
            metavar="|".join(SHADOWS),
            help="What becomes of the shadow that the subject casts on the ground beside it, as far as it is found.",
            rich_help_panel=CUTOUTS,
        ),
    ] = "drop",
    jobs: Annotated[
        int,
        typer.Option(
            "--jobs", metavar="N", help="Photos worked on at once; 0 is 2, or 1 on one core.", rich_help_panel=MANY
        ),
    ] = 0,
    file_format: Annotated[
        str,
        typer.Option(
            "--format", metavar="|".join(FORMATS), help="What is written into the folder.", rich_help_panel=MANY
        ),
    ] = "png",
    force: Force = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Find the subject of photos and save mattes, cutouts, or pictures that show what was found.

    A cutout is transparent around the subject and keeps the subject's own colours up to the edge.

    Stages show how the matte came about; parts number the subjects for --subject.

    Doubt is bright where the matte is undecided or a second look differs.

    Several photos, a folder or a pattern: -o names a folder, in which a given folder is mirrored.

    A picture that holds the same record (settings, contents of photo and weights) is not made again.

    A bad photo does not stop the rest: exit code 1 at the end, or 2 if no photo could be used.
    """
    wanted = Form.model_validate({"name": form, "trim": trim, "pad": pad, "size": size, "shadow": shadow})
    if file_format not in FORMATS:
        raise UnknownNameError("format", file_format, FORMATS)
    report = Report(quiet, as_json)
    if not photos.are_many(names) and not out.is_dir():
        _cut_one(Cutter(dict(given.values), wanted, force=force), photos.Job(Path(names[0]), out), report)
        return
    _check_folder(names, out, wanted, file_format)

    from pochoir import imaging

    planned = photos.plan(names, out, suffix=f".{file_format}", suffixes=imaging.picture_suffixes(), force=force)
    cutter = Cutter(dict(given.values), wanted, force=force, many=len(planned) >= MANY_FROM)
    code = cut_all(cutter, planned, workers=jobs, report=report)
    if code:
        raise typer.Exit(code)


def _cut_one(cutter: Cutter, job: photos.Job, report: Report) -> None:
    outcome = cutter.cut(job)
    facts = outcome.facts
    report.notes(outcome.notes)
    report.done(
        f"Saved {job.out} ({Size(**facts['size'])}): {facts['as']} by {facts['method']}, "
        f"{facts['subject_share']:.0%} of the photo is subject.",
        outcome.to_dict(),
    )


def _check_folder(names: list[str], out: Path, form: Form, file_format: str) -> None:
    if form.has_alpha and file_format == "jpg":
        raise OptionError("A cutout is transparent, which jpg cannot hold; use --format png, webp or tiff.")
    if out.is_dir() or (not out.exists() and out.suffix.lower().lstrip(".") not in (*FORMATS, "jpeg", "tif")):
        return
    what = f"{names[0]!r} means many photos" if len(names) == 1 else f"{len(names)} photos are given"
    raise OutputPathError(f"{what}, so -o takes a folder; '{out}' is the name of a picture.")
