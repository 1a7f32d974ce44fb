"""Many jobs on the command line, with their bar and their notes."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from pochoir.cli.console import EXIT_FAILURE, EXIT_INPUT, EXIT_INTERRUPTED, Report, stderr
from pochoir.cli.interrupts import deferred_interrupt
from pochoir.cli.progress import BatchBar
from pochoir.cli.running import error_of

if TYPE_CHECKING:
    from pochoir.jobs import Event, Executor, Job


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
        self._notes: defaultdict[str, dict[str, None]] = defaultdict(dict)  # photos by note, each once
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
        for note, photos in self._notes.items():
            names = list(photos)
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
            self._notes[note.removeprefix(f"{Path(photo).name}: ")][photo] = None
        if not event.is_final:
            return
        if isinstance(event, Failed):
            if event.concerns_all:
                raise error_of(event, verbose=self._verbose)
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
