"""Many photos: several at once, a bar with the time left, and a bad one does not stop the rest."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pochoir.cli.console import EXIT_FAILURE, EXIT_INPUT, Report, stderr
from pochoir.cli.cutting import Cutter, Outcome
from pochoir.cli.photos import Job
from pochoir.cli.watching import make_folder
from pochoir.errors import InputError, OptionError, WeightsError

MOST_WORKERS = 64


def cut_all(cutter: Cutter, jobs: Sequence[Job], *, workers: int, report: Report) -> int:
    """Save the subjects of many photos and tell how each went.

    Returns:
        The exit code: 0 if all are there, 2 if none is because no photo can be used, 1 otherwise.

    Raises:
        OptionError: The number of workers is out of bounds.
        WeightsError: The network's weights are missing; no photo can be worked on.
    """
    if not 0 <= workers <= MOST_WORKERS:
        raise OptionError(f"--jobs takes 1 to {MOST_WORKERS}, or 0 to choose by the processors; got {workers}.")
    counts: Counter[str] = Counter()
    unusable = 0
    with progress_bar(report) as progress:
        bar = progress.add_task("finding subjects", total=len(jobs))
        for outcome in _outcomes(cutter, jobs, workers or min(2, os.cpu_count() or 1)):
            counts[outcome.status] += 1
            unusable += isinstance(outcome.error, InputError)
            report.one(outcome.status, outcome.job.photo, outcome.to_dict(), reason=outcome.reason)
            progress.update(bar, advance=1, description=outcome.job.photo.name)
    report.summary(_summary(counts))
    if not counts["failed"]:
        return 0
    return EXIT_INPUT if unusable == len(jobs) else EXIT_FAILURE


def progress_bar(report: Report) -> Progress:
    """A bar with how many are done and the time left; hidden where nobody would see it."""
    hidden = report.quiet or not stderr.is_terminal
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # The time left is told by the last hour's speed: one item may take minutes.
    return Progress(*columns, console=stderr, transient=True, disable=hidden, speed_estimate_period=3600)


def _outcomes(cutter: Cutter, jobs: Sequence[Job], workers: int) -> Iterator[Outcome]:
    import torch

    from pochoir._threads import torch_threads

    # All workers together use the processors that one run would; torch's threads are per worker.
    each = max(1, torch.get_num_threads() // workers)
    with torch_threads(each), ThreadPoolExecutor(workers) as pool:
        try:
            for done in as_completed([pool.submit(_try, cutter, job) for job in jobs]):
                yield done.result()
        finally:
            # After Ctrl-C, or when weights are missing: the pictures that are begun are ended, no others begun.
            pool.shutdown(wait=True, cancel_futures=True)


def _try(cutter: Cutter, job: Job) -> Outcome:
    try:
        if cutter.is_finished(job):
            return Outcome(job, "finished")
        make_folder(job.out.parent)
        return cutter.cut(job)
    except WeightsError:
        raise
    except Exception as error:  # a photo may be broken in ways that nobody has seen; the others are not
        return Outcome(job, "failed", error=error)


def _summary(counts: Counter[str]) -> str:
    parts = [f"Saved {counts['saved']}"]
    parts += [f"{counts['finished']} were there already"] if counts["finished"] else []
    parts += [f"{counts['failed']} failed"] if counts["failed"] else []
    return ", ".join(parts) + "."
