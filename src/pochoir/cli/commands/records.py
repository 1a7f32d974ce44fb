"""``pochoir recipe`` and ``pochoir redo``: what made a picture, and making it again."""

from pathlib import Path
from typing import Annotated

import typer

from pochoir.cli import running
from pochoir.cli.console import AsJson, Force, Quiet, Report, Verbose
from pochoir.recipe import Record

Made = Annotated[Path, typer.Argument(metavar="OUT", help="A picture, clip or video that pochoir made.")]


def recipe(
    picture: Made,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole record: inputs, weights, versions.")] = False,
    verbose: Verbose = False,
) -> None:
    """Print the recipe that made a picture, in the form that stylize --recipe takes."""
    record = _read(picture)
    typer.echo(record.to_json() if as_json else record.recipe.to_toml(), nl=as_json)


def redo(
    picture: Made,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="NEW", help="Picture, clip or video to write.")],
    inputs: Annotated[
        Path | None, typer.Option("--inputs", metavar="DIR", help="Folder in which to look for the inputs, by name.")
    ] = None,
    as_json: AsJson = False,
    force: Force = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Make a picture, clip or painted video again from its recipe and inputs.

    The same machine and number of threads give the same bytes.
    """
    from pochoir import clips, imaging
    from pochoir.jobs import Job
    from pochoir.sequence.records import holds_video

    text = clips.read_record(picture)
    if clips.holds_clip(text) or holds_video(text):
        imaging.check_place(out)
    else:
        imaging.check_output(out, inputs=[picture], force=force)
    form = {} if inputs is None else {"inputs": str(inputs)}
    job = Job(kind="redo", photo=str(picture), output=str(out), form=form, force=force)
    running.run_one(job, Report(quiet, as_json), describe=running.describe_result, verbose=verbose)


def _read(picture: Path) -> Record:
    from pochoir import clips

    return Record.from_json(clips.read_record(picture))
