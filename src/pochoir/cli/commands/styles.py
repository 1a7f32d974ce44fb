"""``pochoir styles``: list the built-in styles, or draw one into a file."""

from pathlib import Path
from typing import Annotated

import typer

from pochoir._types import Size
from pochoir.cli.console import Quiet, Report, Verbose, print_table
from pochoir.errors import OptionError


def styles(
    name: Annotated[str | None, typer.Argument(help="A built-in style to save; without it, all are listed.")] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Picture to draw the style into.")] = None,
    size: Annotated[int, typer.Option(metavar="N", help="Its side in pixels.")] = 1024,
    seed: Annotated[int, typer.Option(metavar="N", help="Another seed draws another picture of the style.")] = 0,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """List the built-in styles, or save one as a picture."""
    from pochoir import styles as library

    if name is None and out is not None:
        raise OptionError(f"Say which style to save, as in: pochoir styles {library.style_names()[0]} -o {out}")
    if name is None:
        print_table("style", "what it shows", rows=((each, library.describe(each)) for each in library.style_names()))
        return
    library.describe(name)  # an unknown name comes before any complaint about the output
    if out is None:
        raise OptionError(f"Say where to save the style: pochoir styles {name} -o {name}.png")

    from pochoir import imaging

    imaging.check_output(out)
    drawn = library.draw(name, size=Size(size, size), seed=seed)
    imaging.save(out, imaging.load(drawn, role="style").rgb)
    Report(quiet=quiet).done(f"Saved {out} ({size}x{size}).", {})
