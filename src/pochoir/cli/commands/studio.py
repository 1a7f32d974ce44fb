"""``pochoir studio``: the page in the browser."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from pochoir.cli.console import Quiet, Verbose


def studio(
    folder: Annotated[
        Path | None,
        typer.Option(
            "--folder", metavar="DIR", help="Folder of finished pictures (default: pochoir in your pictures folder)."
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen on; any but this machine's needs a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="Port; 0 takes a free one.")] = 8420,
    threads: Annotated[int, typer.Option(metavar="N", min=0, max=1024, help="CPU threads; 0 is all cores.")] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")] = True,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Open the studio: a page in the browser for painting photos, on this machine and without a network.

    Finished pictures are ordinary files in a folder. Ctrl-C ends the studio; unfinished paintings resume next time.
    """
    from pochoir.studio.app import serve
    from pochoir.studio.folder import default_folder

    root = folder or default_folder()

    def on_ready(address: str) -> None:
        if not quiet:
            typer.echo(f"Studio: {address}\nPictures: {root}\nCtrl-C ends it.")
        if browser:
            webbrowser.open(address)

    serve(root, host=host, port=port, threads=threads, on_ready=on_ready)
