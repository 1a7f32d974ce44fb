"""``pochoir animate``: a clip in which the subject moves."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pochoir.cli.console import AsJson, Force, Quiet, Report, Verbose, print_table, stderr
from pochoir.cli.options import Given, RecipeFile, takes_settings
from pochoir.cli.progress import progress_bar, watch
from pochoir.errors import InputError, OptionError, OutputPathError, UnknownNameError
from pochoir.recipe import OutputSettings, Recipe

if TYPE_CHECKING:
    from pochoir.animation.clip import Clip
    from pochoir.clips import Production

KEPT_OUTPUT = ("quality", "no_recipe")
SETTINGS = [name for name in Recipe.model_fields if name not in OutputSettings.model_fields or name in KEPT_OUTPUT]
"""Settings that a clip has: all but those of files that hold one picture."""
OUTPUTS = ("clip", "rig", "layers")
"""Names of what can be saved."""
MOTION, CLIP = "Motion", "Clip"
"""Headings of the help page."""


@takes_settings(SETTINGS)
def animate(
    photo: Annotated[
        Path | None, typer.Argument(metavar="PHOTO", help="A photo, a cutout, or a picture that pochoir painted.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            metavar="OUT",
            help="Clip to write: .webp, .gif, .png, .avif, .mp4, .webm, .mov, .json (sprite sheet), or a folder.",
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
        typer.Option("--rig", metavar="FILE", help="Limbs of the subject, as --as rig writes.", rich_help_panel=MOTION),
    ] = None,
    towards: Annotated[
        str | None,
        typer.Option(
            "--towards",
            metavar="left|right",
            help="Cross the picture with motions that travel.",
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
        typer.Option(
            "--loop/--once", help="Repeat without a seam, or play once and end at rest.", rich_help_panel=CLIP
        ),
    ] = True,
    on: Annotated[
        int,
        typer.Option(
            "--on", metavar="1..12", help="Frames for each pose; 2 and 3 look drawn by hand.", rich_help_panel=CLIP
        ),
    ] = 1,
    boil: Annotated[
        int,
        typer.Option(
            "--boil", metavar="0..6", help="Further paintings with other strokes, shown in turn.", rich_help_panel=CLIP
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
            "--margin", metavar="auto|N%", help="Room around the picture, of its long side.", rich_help_panel=CLIP
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
    as_json: AsJson = False,
    force: Force = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Bring the subject of a photo to life, in the style that it is painted in.

    Without a style nothing is painted. Of one of pochoir's own pictures the photo and the recipe are used.

    People wave, march, walk, jump and dance; animals trot and run; wings flap; everything breathes, sways and nods.

    Limbs that are not found can be given: save them with --as rig, edit the file, and give it with --rig.
    """
    report = Report(quiet, as_json)
    if list_all and photo is None:
        _print_motions()
        return
    if photo is None or out is None:
        raise OptionError("Give a photo and -o OUT, as in: pochoir animate parrot.jpg -o parrot.webp --motion nod")
    if form not in OUTPUTS:
        raise UnknownNameError("form", form, OUTPUTS)

    from pochoir import clips
    from pochoir.animation.settings import ClipSettings

    values = {"motion": tuple(motion or ("breathe",)), "duration": duration, "fps": fps, "loop": loop, "on": on}
    values |= {"boil": boil, "parallax": parallax, "shadow": shadow, "towards": towards, "margin": margin}
    settings = ClipSettings.model_validate(values)
    production = clips.prepare(photo, given.recipe(recipe_file), settings, rig=rig)
    if form == "rig":
        _save_rig(production, out, report, force=force)
    elif form == "layers":
        _save_layers(production, out, report, force=force)
    elif list_all:
        _save_sheet(production, out, report, force=force)
    else:
        produce(production, out, report, force=force)


def produce(
    production: "Production",
    out: Path,
    report: Report,
    *,
    inputs: tuple[Path, ...] = (),
    force: bool = False,
) -> None:
    """Paint what a clip needs, render and save it, and report what came out.

    Args:
        production: The clip in the making.
        out: File or folder to write.
        report: Way to report.
        inputs: Files besides those of the production that must not be replaced.
        force: Allow an input to be replaced.
    """
    from pochoir import video

    fps = production.settings.fps
    read: list[str | Path] = [*production.input_paths, *inputs]
    video.check_film_output(out, alpha=production.is_transparent, fps=fps, inputs=read, force=force)
    if not force and _is_up_to_date(out, production):
        report.done(f"{out} is up to date.", {"outputs": [str(out)], "skipped": True})
        return
    started_s = time.monotonic()
    _paint_all(production, report)
    clip = production.clip()
    painted_s = time.monotonic() - started_s
    with progress_bar(report) as bar:
        task = bar.add_task("rendering", total=len(clip))
        clip.save(out, quality=production.quality, progress=lambda done: bar.update(task, completed=done))
    timings = {"paint": painted_s, "render": time.monotonic() - started_s - painted_s}
    report.notes(clip.notes)
    report.done(_describe(clip, out, timings), _facts(clip, out, timings))


def _is_up_to_date(out: Path, production: "Production") -> bool:
    """Tell whether the output is this very clip.

    Raises:
        OutputPathError: It is another file.
    """
    from pochoir import clips, video

    if not out.exists() or (out.is_file() and out.stat().st_size == 0) or (out.is_dir() and not any(out.iterdir())):
        return False
    try:
        record = video.read_film_record(out)
    except InputError:
        record = ""
    if clips.is_same_clip(record, production.record):
        return True
    whose = "is another clip" if clips.holds_clip(record) else "was not made by pochoir animate"
    raise OutputPathError(f"'{out}' exists and {whose}; choose another output or replace it (--force).")


def _describe(clip: "Clip", out: Path, timings: dict[str, float]) -> str:
    length = clip.timing.duration_s
    return f"Saved {out} ({clip.size}, {len(clip)} frames, {length:g} s) after {sum(timings.values()):.0f} s."


def _facts(clip: "Clip", out: Path, timings: dict[str, float]) -> dict[str, Any]:
    return {
        "outputs": [str(out)],
        "size": clip.size._asdict(),
        "frames": len(clip),
        "fps": clip.fps,
        "transparent": clip.is_transparent,
        "timings": timings,
        "notes": list(clip.notes),
    }


def _print_motions() -> None:
    from pochoir.animation.motions import MOTIONS

    whom = {"nothing": "anything", "person": "people", "legs": "animals", "wings": "wings"}
    rows = (
        (motion.name, whom[motion.needs], motion.summary + (" Takes --towards." if motion.travels else ""))
        for motion in MOTIONS.values()
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
