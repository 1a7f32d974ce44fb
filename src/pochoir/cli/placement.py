"""Options that say where jobs run and how many at once, alike for all commands that take many photos."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from pochoir.cli.console import Report
from pochoir.errors import OptionError

if TYPE_CHECKING:
    from pochoir.jobs import Executor

MOST_JOBS = 256
MANY = "Many photos"
"""Heading of the help page."""


def check_job_count(count: int) -> int:
    """Return a number of jobs at once if it is in bounds.

    Raises:
        OptionError: It is not.
    """
    if not 0 <= count <= MOST_JOBS:
        raise OptionError(f"--jobs takes 1 to {MOST_JOBS}, or 0 to choose by the processors; got {count}.")
    return count


Jobs = Annotated[
    int,
    typer.Option(
        "--jobs",
        metavar="N",
        help="Photos or videos to work on at once; chosen automatically by default.",
        rich_help_panel=MANY,
    ),
]
ExecutorName = Annotated[
    str | None,
    typer.Option(
        "--executor",
        metavar="serial|threads|processes|ray",
        help="Where jobs run; chosen automatically by default.",
        rich_help_panel=MANY,
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="auto|local|ADDRESS",
        help="Work on a Ray cluster: the running one, one started on this machine, or the one at an address (needs the "
        "extra 'cluster').",
        rich_help_panel=MANY,
    ),
]
FileFormat = Annotated[
    str,
    typer.Option(
        "--format", metavar="png|jpg|webp|...", help="Format of the files in the output folder.", rich_help_panel=MANY
    ),
]


@dataclass(frozen=True)
class Place:
    """Place where jobs run, as it was typed.

    Attributes:
        jobs: Photos at once; 0 chooses.
        executor: Name of the executor; None chooses.
        cluster: Address of a cluster; None for this machine.
        threads: Threads of each job; 0 shares out the processors.
        usual: Executor where nothing else is asked for.
        several: Executor for several photos at once on this machine.
    """

    jobs: int
    executor: str | None
    cluster: str | None
    threads: int
    usual: str
    several: str

    def tell_unused(self, report: Report) -> None:
        """Report options that do nothing for a single photo, which is worked on in this process."""
        unused = [name for name, value in (("--executor", self.executor), ("--cluster", self.cluster)) if value]
        if unused:
            report.notes(
                [f"one photo is worked on here, in this process: {' and '.join(unused)} would share out several"]
            )

    def open(self, count: int) -> "Executor":
        """Make the executor for so many jobs; use it as a context manager by ``contextlib.closing``.

        Raises:
            InputError: An option is out of bounds, or contradicts another.
            MissingExtraError: The cluster needs Ray, which is not installed.
        """
        from pochoir.jobs import Worker, create_executor
        from pochoir.jobs.runner import MANY_FROM

        check_job_count(self.jobs)
        if self.cluster is not None and self.executor not in (None, "ray"):
            raise OptionError(f"--cluster needs the executor ray; --executor {self.executor} works on this machine.")
        if self.cluster is not None:
            chosen = "ray"
        elif self.jobs == 1:
            chosen = "serial"
        else:
            chosen = self.several if self.jobs else self.usual
        return create_executor(
            self.executor or chosen,
            Worker.maker(many=count >= MANY_FROM),
            workers=self.jobs or None,
            threads=self.threads or None,
            address=self.cluster or "auto",
        )
