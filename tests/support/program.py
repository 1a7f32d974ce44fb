"""Type a pochoir command, in this process or as a program of its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner, Result

from pochoir.cli import app

PROGRAM = Path(sys.executable).with_name("pochoir")


def _listen_to_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


LISTEN = _listen_to_interrupts if os.name == "posix" else None
"""For ``Popen(preexec_fn=...)``: a shell that starts the tests in the background has them ignore Ctrl-C, and what they
start as well."""


def pochoir(*arguments: str | Path) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def start_program(*arguments: str | Path, **environment: str) -> subprocess.Popen[str]:
    """Start the installed program as a shell does; sockets are not blocked there, so it is told to be offline."""
    return subprocess.Popen(
        [PROGRAM, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="surrogateescape",  # names of files that are not UTF-8
        env=os.environ | {"POCHOIR_OFFLINE": "1", "COLUMNS": "120"} | environment,
        preexec_fn=LISTEN,
    )


def run_program(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the installed program to its end."""
    with start_program(*arguments, **environment) as process:
        stdout, stderr = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def error_line(result: Result) -> str:
    """The one line on stderr that starts with ``Error:``; fails if a traceback or a second such line is there."""
    lines = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(lines) == 1, result.output
    assert "Traceback" not in result.output
    return lines[0].removeprefix("Error: ")
