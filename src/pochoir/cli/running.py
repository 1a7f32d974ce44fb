"""One job on the command line, with its live bar."""

from collections.abc import Callable, Container
from contextlib import closing
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pochoir._types import Size
from pochoir.cli.console import EXIT_INTERRUPTED, Report, stderr
from pochoir.cli.interrupts import deferred_interrupt
from pochoir.cli.progress import PaintingBar, describe_count, describe_duration
from pochoir.errors import PochoirError

if TYPE_CHECKING:
    from pochoir.jobs import Event, Failed, Job, Saved

LONG_S = 20.0
"""A painting that takes longer is announced."""
ESTIMATED_AT = (2, 3)
"""Scale and step after which that is judged. At the coarsest scale a busy machine delays steps out of proportion."""
started_s: ContextVar[float | None] = ContextVar("started_s", default=None)
"""Start of the program on the clock of ``time.monotonic()``; None where it is called from Python."""


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
        printed: set[str] = set()
        try:
            for event in events:
                bar.show_event(event)
                printed.update(_announce(event, report))
                if was_interrupted():
                    executor.cancel(job.id, keep=True)
        except KeyboardInterrupt:
            if checkpoints.path_beside(Path(job.output)).is_file():
                report.notes(["the unfinished painting is kept; repeat the command to go on"])
            raise
    _report_one(job, event, report, printed, describe=describe, verbose=verbose)


def _announce(event: "Event", report: Report) -> tuple[str, ...]:
    """Print what is known before the end, and return the notes of the event that were printed."""
    from pochoir.jobs import Progress

    if not isinstance(event, Progress):
        return ()
    report.notes(event.notes)
    facts = event.facts
    at = (min(ESTIMATED_AT[0], facts.get("scales", 1)), ESTIMATED_AT[1])
    is_known = (facts.get("scale"), facts.get("step_of_scale")) == at or event.stage == "plan"
    if is_known and event.left_s is not None and event.left_s > LONG_S and "expected_bytes" in facts:
        memory = facts["expected_bytes"] / 2**30
        report.notes([f"about {describe_duration(event.left_s)} to go, in {memory:.1f} GB"])
    return tuple(event.notes)


def _report_one(
    job: "Job",
    event: "Event",
    report: Report,
    printed: Container[str],
    *,
    describe: Callable[["Saved"], str],
    verbose: bool,
) -> None:
    from pochoir.jobs import Failed, Saved, Skipped

    if isinstance(event, Failed):
        raise error_of(event, verbose=verbose)
    to_stdout = job.output == "-"
    if isinstance(event, Skipped):
        facts = {"outputs": list(event.outputs), "skipped": True, "notes": event.notes}
        report.done(f"{job.output} is up to date.", facts)
        return
    if not isinstance(event, Saved):
        raise KeyboardInterrupt
    report.notes(note for note in event.notes if note not in printed)
    if to_stdout:
        report.notes([describe(event)])
    else:
        report.done(
            describe(event), {"outputs": list(event.outputs), **event.facts, "notes": event.notes, "skipped": False}
        )
    if event.interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)


def error_of(failed: "Failed", *, verbose: bool) -> Exception:
    """Return the exception that reports a failed job; prints its traceback if asked."""
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
