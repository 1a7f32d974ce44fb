"""Runs a sweep: paints and measures what is not done yet, one after the other or several at once."""

import functools
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from filelock import FileLock, Timeout

from pochoir import imaging, pipeline
from pochoir._devices import resolve_device
from pochoir.errors import OptionError, OutputPathError, PochoirError, WeightsError, WriteError
from pochoir.lab.sweep.ledger import Ledger
from pochoir.lab.sweep.plan import Plan, Run
from pochoir.similarity import Exhibit, Scorer, read_exhibit
from pochoir.sources import load_style
from pochoir.transfer.functional import total_variation

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

LEDGER_NAME, PICTURES_NAME = "runs.jsonl", "pictures"
MOST_WORKERS = 64
MEASURES = ("content", "style", "likeness", "roughness")
"""What is measured: distance to the photo's content and to the style, likeness to the photo, total variation."""

Painter: TypeAlias = Callable[[Run, Path], Mapping[str, float] | None]
"""Paints a run into a file and measures it; None if it was broken off."""

_cancelled: "Event | None" = None  # set in worker processes only


@dataclass(frozen=True)
class Outcome:
    """What became of one run.

    Attributes:
        run: The run.
        status: ``"saved"``, ``"finished"`` (it was done before) or ``"failed"``.
        measures: What was measured.
        error: Why it failed.
    """

    run: Run
    status: str
    measures: Mapping[str, float] = field(default_factory=dict)
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for the ledger and for programs."""
        told = {**self.run.to_dict(), "status": self.status, "measures": dict(self.measures)}
        return told | ({"error": self.error} if self.error else {})


def paint_and_measure(run: Run, picture: Path) -> Mapping[str, float] | None:
    """Paint a run into a file, and measure the file: what is measured is what everybody can look at."""
    began = time.monotonic()
    painting = pipeline.iter_stylize(run.photo.source, run.recipe)
    for _ in painting:
        if _cancelled is not None and _cancelled.is_set():
            return None
    painting.result().save(picture)
    seconds = time.monotonic() - began
    return {**measure(run, picture), "seconds": round(seconds, 3)}


def measure(run: Run, picture: Path) -> dict[str, float]:
    """Measure a painted picture against its photo and its style."""
    painted, photo, style = read_exhibit(picture), _read(run.photo.source), _read_style(run.style.source)
    # The style is painted as large as the picture is; in a small picture enlarged, it would not be found again.
    scorer = _scorer(resolve_device(run.recipe.device), painted.picture.size.pixels)
    (to_photo, to_style, unpainted) = scorer.score_pairs([(painted, photo), (painted, style), (photo, style)])
    by_name = [{score.metric: score.value for score in scores} for scores in (to_photo, to_style, unpainted)]
    return {
        "content": by_name[0]["content"],
        "style": by_name[1]["gram"],
        "likeness": by_name[0]["vgg"],
        "roughness": float(total_variation(painted.picture.rgb)),
        "style_of_photo": by_name[2]["gram"],
    }


def iter_sweep(plan: Plan, folder: Path, *, jobs: int = 1, paint: Painter = paint_and_measure) -> Iterator[Outcome]:
    """Run what is not done yet. To stop is to break off: what is done stays done, and is not done again.

    Args:
        plan: The runs.
        folder: Where pictures and ledger go; it has to exist.
        jobs: Runs at once, each in a process of its own; 1 runs them in this one.
        paint: Paints and measures one run.

    Yields:
        What became of each run: first of those that were done before, then of the others as they end.

    Raises:
        OptionError: ``jobs`` is out of bounds.
        OutputPathError: Another sweep is at work in the folder.
        WeightsError: Trained weights are missing.
        WriteError: Pictures or ledger cannot be written.
    """
    if not 1 <= jobs <= MOST_WORKERS:
        raise OptionError(f"A sweep runs 1 to {MOST_WORKERS} jobs at once; got {jobs}.")
    lock = FileLock(folder / ".lock")
    try:
        (folder / PICTURES_NAME).mkdir(exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise OutputPathError(f"Another sweep is at work in {folder}; wait for it or choose another folder.") from error
    except OSError as error:
        raise WriteError(f"The folder {folder} cannot be written to: {error.strerror or error}.") from error
    try:
        yield from _run_all(plan, folder, jobs, paint)
    finally:
        lock.release()


def _run_all(plan: Plan, folder: Path, jobs: int, paint: Painter) -> Iterator[Outcome]:
    ledger = Ledger(folder / LEDGER_NAME)
    done = finished_runs(plan, folder)
    for run in plan.runs:
        if run.key in done:
            yield Outcome(run, "finished", done[run.key])
    waiting = [run for run in plan.runs if run.key not in done]
    attempt = functools.partial(_attempt, paint=paint, pictures=folder / PICTURES_NAME)
    outcomes = map(attempt, waiting) if jobs == 1 else _in_processes(attempt, waiting, jobs)
    for outcome in outcomes:
        ledger.add(outcome.to_dict())
        yield outcome


def finished_runs(plan: Plan, folder: Path) -> dict[str, dict[str, float]]:
    """What was measured of the plan's runs that are done and whose pictures are there, by their keys."""
    entries = Ledger(folder / LEDGER_NAME).read()
    return {
        run.key: dict(entries[run.key]["measures"])
        for run in plan.runs
        if entries.get(run.key, {}).get("status") == "saved" and (folder / PICTURES_NAME / run.picture_name).is_file()
    }


def _attempt(run: Run, *, paint: Painter, pictures: Path) -> Outcome:
    try:
        measures = paint(run, pictures / run.picture_name)
    except (WeightsError, WriteError):  # the next run would fail likewise
        raise
    except Exception as error:  # one photo without a subject or one setting that diverges is no reason to stop
        kind = "" if isinstance(error, PochoirError) else f"{type(error).__name__}: "
        return Outcome(run, "failed", error=f"{kind}{error}")
    if measures is None:
        raise KeyboardInterrupt
    return Outcome(run, "saved", measures)


def _in_processes(attempt: Callable[[Run], Outcome], runs: Sequence[Run], jobs: int) -> Iterator[Outcome]:
    context = multiprocessing.get_context("spawn")  # a fork would inherit threads in the middle of their work
    cancelled = context.Event()
    threads = max(1, (os.cpu_count() or 1) // jobs)
    with ProcessPoolExecutor(jobs, context, initializer=_start_worker, initargs=(cancelled, threads)) as pool:
        try:
            for done in as_completed([pool.submit(attempt, run) for run in runs]):
                yield done.result()
        finally:
            cancelled.set()
            pool.shutdown(wait=True, cancel_futures=True)


def _start_worker(cancelled: "Event", threads: int) -> None:
    global _cancelled
    _cancelled = cancelled
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the first one tells the others
    torch.set_num_threads(threads)


@functools.lru_cache(maxsize=4)
def _scorer(device: str, most_pixels: int) -> Scorer:
    return Scorer(["content", "gram", "vgg"], device=device, most_pixels=most_pixels)


@functools.lru_cache(maxsize=4)
def _read(photo: str) -> Exhibit:
    return read_exhibit(imaging.load(photo))


@functools.lru_cache(maxsize=4)
def _read_style(style: str) -> Exhibit:
    return read_exhibit(load_style(style))
