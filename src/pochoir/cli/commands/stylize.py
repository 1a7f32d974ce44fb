"""``pochoir stylize``: the main job."""

import time
from pathlib import Path
from typing import Annotated

import typer

from pochoir.cli.console import AsJson, Force, Quiet, Report, Verbose
from pochoir.cli.options import Given, RecipeFile, takes_settings
from pochoir.cli.results import input_paths, paint
from pochoir.cli.watching import check_folder
from pochoir.recipe import Recipe


@takes_settings(Recipe.model_fields)
def stylize(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="The photo to paint.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Picture to write: .png, .jpg, .webp or .tiff.")],
    *,
    given: Given,
    recipe_file: RecipeFile = None,
    save_steps: Annotated[
        Path | None, typer.Option("--save-steps", metavar="DIR", help="Save pictures on the way into this folder.")
    ] = None,
    keep_interrupted: Annotated[
        bool, typer.Option("--keep-interrupted", help="On Ctrl-C save the best picture so far.")
    ] = False,
    as_json: AsJson = False,
    force: Force = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Paint a photo: the subject, its background or the whole picture in the looks of other pictures.

    A style is a picture file or a built-in name (see: pochoir styles). Several blend, and S:2 counts twice.

    A region without a style stays as it is in the photo.
    """
    started_s = time.monotonic()
    recipe = given.recipe(recipe_file)

    from pochoir import imaging, pipeline

    painting = pipeline.iter_stylize(photo, recipe, started_s=started_s)
    must_hold_alpha = recipe.backdrop.is_transparent
    imaging.check_output(out, inputs=input_paths(painting), alpha=must_hold_alpha, force=force)
    if save_steps is not None and not force:
        check_folder(save_steps, inputs=input_paths(painting))
    paint(painting, out, Report(quiet, as_json), save_steps=save_steps, keep_interrupted=keep_interrupted)
