"""The command line: parses what was typed, calls the library, shows what it reports.

No module of this room imports a heavy library (torch, numpy, Pillow, OpenCV), nor a room that does, before a
command runs: ``pochoir --help`` has to be there at once. That is why the commands import inside their bodies.
"""

from pochoir.cli.app import app, main

__all__ = ["app", "main"]
