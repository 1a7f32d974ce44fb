"""``pochoir video``: a video in which subject and background are painted, steady from frame to frame."""

import functools
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pochoir._types import Size
from pochoir.cli import batches, placement, running
from pochoir.cli.console import AsJson, Force, Quiet, Report, Verbose
from pochoir.cli.inputs import check_inputs
from pochoir.cli.options import Given, RecipeFile, takes_settings
from pochoir.cli.photos import plan_films
from pochoir.cli.progress import describe_count, describe_duration
from pochoir.errors import OptionError
from pochoir.recipe import OutputSettings, Recipe

if TYPE_CHECKING:
    from pochoir.jobs import Job, Saved
    from pochoir.jobs.photos import Found
    from pochoir.sequence.plan import Estimate
    from pochoir.sequence.settings import VideoSettings

NOT_OF_VIDEOS = ("mask", "scribble", "box", "keep_points", "drop_points", "init", "full_size")
KEPT_OUTPUT = ("quality", "no_recipe")
SETTINGS = [
    name
    for name in Recipe.model_fields
    if name not in NOT_OF_VIDEOS and (name not in OutputSettings.model_fields or name in KEPT_OUTPUT)
]
"""Settings that a video has: all but those of single pictures."""
FORMS = ("painting", "cutout", "matte")
FILM, WORD = "Film", "Corrections of single frames"
"""Headings of the help page."""


@takes_settings(SETTINGS)
def video(
    names: Annotated[
        list[str], typer.Argument(metavar="VIDEO...", help="Videos or animated pictures; or folders, or patterns.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            "-o",
            "--out",
            metavar="OUT|DIR",
            help="Film to write: .mp4, .webm, .mov, .mkv, .gif, .webp, .png, .avif, or a folder of frames; for many "
            "videos a folder.",
        ),
    ],
    *,
    given: Given,
    form: Annotated[
        str, typer.Option("--as", metavar="|".join(FORMS), help="The painted film, the subject alone, or its matte.")
    ] = "painting",
    start: Annotated[
        str, typer.Option("--start", metavar="3s|1m30s|...", help="Time of the first frame.", rich_help_panel=FILM)
    ] = "0s",
    end: Annotated[
        str | None, typer.Option("--end", metavar="8s|2m|...", help="Time of the end.", rich_help_panel=FILM)
    ] = None,
    keys: Annotated[
        str,
        typer.Option(
            "--keys",
            metavar="auto|N",
            help="Frames from one painted key to the next; auto adds a key where the picture has changed.",
            rich_help_panel=FILM,
        ),
    ] = "auto",
    on: Annotated[
        int,
        typer.Option(
            "--on",
            metavar="1..12",
            help="Frames to show each picture for; 2 looks drawn by hand.",
            rich_help_panel=FILM,
        ),
    ] = 1,
    codec: Annotated[
        str,
        typer.Option(
            "--codec",
            metavar="auto|av1|vp9|x264|prores|qtrle|ffv1",
            help="Codec; auto picks one for the file type.",
            rich_help_panel=FILM,
        ),
    ] = "auto",
    sound: Annotated[bool, typer.Option("--sound/--no-sound", help="Keep the sound.", rich_help_panel=FILM)] = True,
    mask_frame: Annotated[
        list[str] | None,
        typer.Option(
            "--mask-frame",
            metavar="N=FILE",
            help="Matte of frame N, counted from 0; it is tracked through the shot.",
            rich_help_panel=WORD,
        ),
    ] = None,
    keep_points: Annotated[
        list[str] | None,
        typer.Option("--keep-points", metavar="N=X,Y;...", help="Points that are subject.", rich_help_panel=WORD),
    ] = None,
    drop_points: Annotated[
        list[str] | None,
        typer.Option("--drop-points", metavar="N=X,Y;...", help="Points that are background.", rich_help_panel=WORD),
    ] = None,
    box: Annotated[
        list[str] | None,
        typer.Option("--box", metavar="N=X,Y,W,H", help="Box around the subject.", rich_help_panel=WORD),
    ] = None,
    preview: Annotated[
        bool,
        typer.Option("--preview", help="Paint five small frames on a sheet (-o SHEET.png), and estimate the work."),
    ] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Paint nothing; write the part that an interrupted run has finished.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Start even if the work takes longer than six hours.")] = False,
    recipe_file: RecipeFile = None,
    workers: Annotated[
        int,
        typer.Option(
            "--workers",
            metavar="N",
            help="Shots of one video to paint at once; --executor and --cluster say where.",
            rich_help_panel=placement.MANY,
        ),
    ] = 1,
    jobs: placement.Jobs = 0,
    executor: placement.ExecutorName = None,
    cluster: placement.Cluster = None,
    file_format: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="mp4|webm|mov|mkv|...",
            help="Format of the films in the output folder.",
            rich_help_panel=placement.MANY,
        ),
    ] = "mp4",
    as_json: AsJson = False,
    force: Force = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Paint a video: subject and background each in its style, steady from frame to frame.

    Key frames are painted, and optical flow carries them to the frames in between.

    To resume an interrupted run, run the command again: keys and mattes are kept in a hidden folder beside OUT.

    --as cutout or matte needs no style. A cutout is transparent: .webm, .mov, .mkv, an animated picture or a folder of
    frames.

    Several videos, a folder or a pattern: -o names a folder, and films that are up to date are skipped.
    """
    from pochoir.sequence.settings import VideoSettings, read_corrections

    placement.check_job_count(jobs)
    report = Report(quiet, as_json)
    corrections = read_corrections(
        mask_frame=mask_frame or (), keep_points=keep_points or (), drop_points=drop_points or (), box=box or ()
    )
    values = {"keys": keys, "on": on, "start": start, "end": end, "form": form, "codec": codec, "sound": sound}
    settings = VideoSettings.model_validate(values | {"corrections": corrections})
    recipe = given.recipe(recipe_file)
    check_inputs(names, [recipe], role="video")
    if preview and partial:
        raise OptionError("--preview paints a sheet and --partial paints nothing; give one of them.")
    if preview:
        _show_preview(names, out, recipe, settings, report, force=force)
        return
    asked = {"agreed": yes, "partial": partial}
    stored = settings.model_dump(mode="json") | {name: True for name, is_asked in asked.items() if is_asked}
    if workers != 1:
        where = "ray" if cluster else executor or "processes"
        stored |= {"workers": workers, "executor": where, "address": cluster or "auto"}
    from pochoir.jobs import Job

    make = functools.partial(Job, kind="video", recipe=recipe, form=stored, force=force)
    planned, notes = plan_films(
        make, names, out, _find_videos, file_format=file_format, nouns=("video", "film"), force=force
    )
    if notes is not None and workers != 1:
        raise OptionError("--workers is for the shots of one video; several videos take --jobs.")
    place = placement.Place(jobs, executor, cluster, threads=recipe.threads, usual="serial", several="processes")
    if notes is None:
        if workers == 1:
            place.tell_unused(report)
        _run_one(planned[0], report, verbose=verbose)
        return
    with closing(place.open(len(planned))) as opened:
        code = batches.run_many(planned, opened, out, report, notes=notes, verbose=verbose)
    if code:
        raise typer.Exit(code)


def _run_one(job: "Job", report: Report, *, verbose: bool) -> None:
    from pochoir.sequence.parts import folder_beside

    try:
        running.run_one(job, report, describe=describe_film, verbose=verbose)
    except KeyboardInterrupt:
        if folder_beside(Path(job.output)).is_dir():
            report.notes(["what is done is kept; repeat the command to go on, or add --partial for the film so far"])
        raise


def describe_film(saved: "Saved") -> str:
    """Return the line that reports a film."""
    facts = saved.facts
    size, seconds = Size(**facts["size"]), sum(facts["timings"].values())
    part = "of the frames that are done " if facts["partial"] else ""
    shape = f"{size}, {describe_count(facts['frames'], 'frame')}, {facts['duration_s']:.4g} s"
    return f"Saved {saved.outputs[0]} {part}({shape}) after {describe_duration(seconds)}."


def _find_videos(names: Sequence[str], out: Path) -> "Found":
    from pochoir.jobs import photos
    from pochoir.jobs.films import SUFFIXES, is_moving, read_film

    return photos.find_photos(
        names,
        suffixes=SUFFIXES,
        out=out,
        is_made=lambda path: read_film(path) is not None,
        is_wanted=is_moving,
        noun="video",
    )


def _show_preview(
    names: list[str], out: Path, recipe: Recipe, settings: "VideoSettings", report: Report, *, force: bool
) -> None:
    """Save a sheet of small frames, and report what the whole film will cost."""
    from pochoir import imaging
    from pochoir.sequence.making import prepare
    from pochoir.sequence.plan import PREVIEW_PX

    if len(names) != 1 or Path(names[0]).is_dir():
        raise OptionError("--preview is for one video; name a single one.")
    imaging.check_output(out, inputs=names, force=force)
    painted = prepare(names[0], recipe, settings, {})
    tiles = list(painted.preview())
    imaging.save(out, imaging.contact_sheet(tiles, columns=3, tile_px=PREVIEW_PX))
    expected = painted.estimate()
    report.notes(painted.notes)
    report.done(f"Saved {out}. {_describe_costs(expected)}", {"outputs": [str(out)], **vars(expected)})


def _describe_costs(expected: "Estimate") -> str:
    painted = f", about {expected.keys} of them painted" if expected.keys else ""
    return (
        f"The film has {describe_count(expected.frames, 'frame')}{painted}: "
        f"about {describe_duration(expected.seconds)}, {expected.memory_bytes / 2**30:.1f} GB of memory, "
        f"{max(1, expected.work_bytes >> 20)} MB of disk meanwhile, "
        f"and a file of about {max(1, expected.film_bytes >> 20)} MB."
    )
