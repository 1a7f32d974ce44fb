"""Jobs on the command line: one with its live bar, or many with theirs."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pochoir._types import Size
from pochoir.cli.console import EXIT_FAILURE, EXIT_INPUT, EXIT_INTERRUPTED, Report, stderr
from pochoir.cli.interrupts import deferred_interrupt
from pochoir.cli.progress import BatchBar, PaintingBar, describe_count, describe_duration
from pochoir.errors import OptionError, PochoirError

if TYPE_CHECKING:
    from pochoir.jobs import Event, Executor, Failed, Job, Saved

LONG_S = 20.0
"""A painting that takes longer is announced."""
ESTIMATED_AT = (2, 3)
"""Scale and step after which that is judged. At the coarsest scale a busy machine delays steps out of proportion."""
MOST_JOBS = 256
MANY = "Many photos"
"""Heading of the help page."""

started_s: ContextVar[float | None] = ContextVar("started_s", default=None)
"""Start of the program on the clock of ``time.monotonic()``; None where it is called from Python."""


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
        help="Photos to work on at once; chosen automatically by default.",
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


def run_one(
    job: "Job",
    report: Report,
    *,
    describe: Callable[["Saved"], str],
    keep_interrupted: bool = False,
    verbose: bool = False,
) -> None:
    """Run one job in this process with a live bar, and report its result.

    Raises:
        PochoirError: The job failed.
        Exit: Ctrl-C ended it, and the best picture so far was kept.
    """
    from pochoir import checkpoints
    from pochoir.jobs import Worker, create_executor, run

    maker = Worker.maker(started_s=started_s.get())
    executor = create_executor("serial", maker, threads=job.recipe.threads or None)
    with (
        deferred_interrupt(enabled=keep_interrupted) as was_interrupted,
        PaintingBar(quiet=report.quiet) as bar,
        closing(run([job], executor=executor)) as events,
    ):
        try:
            for event in events:
                bar.show_event(event)
                _announce(event, report)
                if was_interrupted():
                    executor.cancel(job.id, keep=True)
        except KeyboardInterrupt:
            if checkpoints.path_beside(Path(job.output)).is_file():
                report.notes(["the unfinished painting is kept; repeat the command to go on"])
            raise
    _report_one(job, event, report, describe=describe, verbose=verbose)


def _announce(event: "Event", report: Report) -> None:
    from pochoir.jobs import Progress

    if not isinstance(event, Progress):
        return
    report.notes(event.notes)
    facts = event.facts
    at = (min(ESTIMATED_AT[0], facts.get("scales", 1)), ESTIMATED_AT[1])
    is_known = (facts.get("scale"), facts.get("step_of_scale")) == at or event.stage == "plan"
    if is_known and event.left_s is not None and event.left_s > LONG_S and "expected_bytes" in facts:
        memory = facts["expected_bytes"] / 2**30
        report.notes([f"about {describe_duration(event.left_s)} to go, in {memory:.1f} GB"])


def _report_one(
    job: "Job", event: "Event", report: Report, *, describe: Callable[["Saved"], str], verbose: bool
) -> None:
    from pochoir.jobs import Failed, Saved, Skipped

    if isinstance(event, Failed):
        raise _error_of(event, verbose=verbose)
    to_stdout = job.output == "-"
    if isinstance(event, Skipped):
        facts = {"outputs": list(event.outputs), "skipped": True, "notes": event.notes}
        report.done(f"{job.output} is up to date.", facts)
        return
    if not isinstance(event, Saved):
        raise KeyboardInterrupt
    report.notes(event.notes)
    if to_stdout:
        report.notes([describe(event)])
    else:
        report.done(
            describe(event), {"outputs": list(event.outputs), **event.facts, "notes": event.notes, "skipped": False}
        )
    if event.interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)


def _error_of(failed: "Failed", *, verbose: bool) -> Exception:
    if verbose:
        stderr.print(failed.traceback, markup=False, highlight=False)
    if failed.category == "unexpected" and not verbose:
        return PochoirError(f"{failed.error.rstrip('.')}. Run with -v for the traceback.")
    return failed.to_exception()


def describe_painting(saved: "Saved") -> str:
    """Return the line that reports a painted picture."""
    size, seconds = Size(**saved.facts["size"]), sum(saved.facts["timings"].values())
    return f"Saved {saved.outputs[0]} ({size}) after {seconds:.0f} s."


def describe_clip(saved: "Saved") -> str:
    """Return the line that reports a clip."""
    facts = saved.facts
    size, seconds = Size(**facts["size"]), sum(facts["timings"].values())
    shape = f"{size}, {describe_count(facts['frames'], 'frame')}, {facts['duration_s']:g} s"
    return f"Saved {saved.outputs[0]} ({shape}) after {seconds:.0f} s."


def describe_result(saved: "Saved") -> str:
    """Return the line that reports a picture or a clip."""
    return (describe_clip if "frames" in saved.facts else describe_painting)(saved)


def run_many(
    jobs: "Sequence[Job]",
    executor: "Executor",
    folder: Path,
    report: Report,
    *,
    notes: Sequence[str] = (),
    keep_interrupted: bool = False,
    verbose: bool = False,
) -> int:
    """Run jobs that write into one folder, and report how each went. The executor is left open.

    Returns:
        The exit code: 0 if all outputs are there, 2 if no photo can be used, 1 otherwise, 130 after Ctrl-C.

    Raises:
        PochoirError: All jobs would fail for the same reason: missing weights, a full disk.
    """
    from pochoir import imaging
    from pochoir.jobs import run
    from pochoir.jobs.store import path_in

    batch = _Batch(jobs, report, verbose=verbose)
    with closing(run(jobs, executor=executor, store=path_in(folder))) as events:
        imaging.make_folder(folder)
        try:
            with deferred_interrupt(enabled=keep_interrupted) as was_interrupted:
                code = batch.follow(events, executor, was_interrupted)
        except KeyboardInterrupt:
            report.notes(["what is finished is kept; repeat the command to go on"])
            raise
        finally:
            report.notes(notes)
            batch.report_notes()
    report.summary(batch.summary())
    return code


class _Batch:
    """Many jobs, their bar and their notes."""

    def __init__(self, jobs: "Sequence[Job]", report: Report, *, verbose: bool) -> None:
        from pochoir.jobs.progress import BatchProgress

        self._jobs = {job.id: job for job in jobs}
        self._report = report
        self._verbose = verbose
        self._progress: BatchProgress = BatchProgress(len(jobs))
        self._notes: defaultdict[str, list[str]] = defaultdict(list)
        self._unusable = 0

    def follow(self, events: "Iterable[Event]", executor: "Executor", was_interrupted: Callable[[], bool]) -> int:
        """Report all events; return the exit code."""
        running: set[str] = set()
        with BatchBar(len(self._jobs), quiet=self._report.quiet) as bar:
            for event in events:
                self._progress.add(event)
                self._take(event)
                bar.show(self._progress, Path(self._jobs[event.job].photo).name)
                if event.kind == "started":
                    running.add(event.job)
                elif event.is_final:
                    running.discard(event.job)
                if was_interrupted():
                    for job in running:
                        executor.cancel(job, keep=True)
                    if not running:
                        return EXIT_INTERRUPTED
        failed = self._progress.counts["failed"]
        if not failed:
            return 0
        return EXIT_INPUT if self._unusable == len(self._jobs) else EXIT_FAILURE

    def report_notes(self) -> None:
        """Report the notes of all photos; one that several photos share is reported once."""
        for note, names in self._notes.items():
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            self._report.notes([f"{names[0]}{more}: {note}"])

    def summary(self) -> str:
        """Return the line at the end."""
        counts = self._progress.counts
        parts = [f"Saved {counts['saved']}"]
        parts += [f"{counts['skipped']} were there already"] if counts["skipped"] else []
        parts += [f"{counts['failed']} failed"] if counts["failed"] else []
        parts += [f"{counts['canceled']} canceled"] if counts["canceled"] else []
        return ", ".join(parts) + "."

    def _take(self, event: "Event") -> None:
        from pochoir.jobs import Failed

        photo = self._jobs[event.job].photo
        for note in getattr(event, "notes", ()):
            # A note on the photo itself begins with its name, which stands before all notes here.
            self._notes[note.removeprefix(f"{Path(photo).name}: ")].append(photo)
        if not event.is_final:
            return
        if isinstance(event, Failed):
            if event.concerns_all:
                raise _error_of(event, verbose=self._verbose)
            self._unusable += event.category == "input"
            if self._verbose:
                stderr.print(event.traceback, markup=False, highlight=False)
        job = self._jobs[event.job]
        if self._report.as_json:
            typer.echo(json.dumps(describe_event(job, event), allow_nan=False))
        if isinstance(event, Failed):
            text = event.error if job.photo in event.error else f"{job.photo}: {event.error}"
            stderr.print(f"failed: {text}", style="red", markup=False, soft_wrap=True)


def describe_event(job: "Job", event: "Event") -> dict[str, Any]:
    """Return the JSON of a job's final event."""
    facts: dict[str, Any] = {"photo": job.photo, "status": event.kind}
    if event.kind == "failed":
        return facts | {"outputs": [], "error": getattr(event, "error", "")}
    outputs = list(getattr(event, "outputs", ()))
    return facts | {"outputs": outputs, **getattr(event, "facts", {}), "notes": getattr(event, "notes", ())}
