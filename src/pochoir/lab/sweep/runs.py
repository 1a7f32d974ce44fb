"""Runs of a sweep: paint the pictures that are not up to date, and measure all."""

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from pochoir import imaging
from pochoir._devices import resolve_device
from pochoir._hashing import hash_file
from pochoir.errors import PochoirError, WriteError
from pochoir.jobs import Event, Failed, Saved, Skipped, Started
from pochoir.lab.common.execution import HERE, Execution
from pochoir.lab.common.measurements import MeasurementStore
from pochoir.lab.sweep.plan import Plan, Run
from pochoir.similarity import Exhibit, Scorer, read_exhibit
from pochoir.sources import load_style
from pochoir.transfer.functional import total_variation

PICTURES_NAME = "pictures"
MEASURES = ("content", "style", "likeness", "roughness")
"""Distance to the photo's content and to the style, likeness to the photo, total variation."""

Measure: TypeAlias = Callable[[Run, Path], Mapping[str, float]]
"""Measures a painted picture."""


@dataclass(frozen=True)
class Outcome:
    """Result of one run.

    Attributes:
        run: The run.
        status: ``"saved"``, ``"skipped"`` (its picture was up to date) or ``"failed"``.
        measures: Measures of the picture by name, and ``"seconds"`` that painting took where that is known.
        error: Reason of a failure.
    """

    run: Run
    status: str
    measures: Mapping[str, float] = field(default_factory=dict)
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as plain values."""
        values = {**self.run.to_dict(), "status": self.status, "measures": dict(self.measures)}
        return values | ({"error": self.error} if self.error else {})


def measure(run: Run, picture: Path) -> dict[str, float]:
    """Measure a painted picture against its photo and its style, as it was saved."""
    painted, photo, style = read_exhibit(picture), _read(run.photo.source), _read_style(run.style.source)
    # The style is scored at the picture's size, since that is the scale at which its strokes were painted.
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


def iter_sweep(
    plan: Plan, folder: Path, *, execution: Execution = HERE, measure: Measure = measure
) -> Iterator[Outcome]:
    """Paint the runs whose picture is not up to date. Stop iterating to cancel; saved pictures stay.

    Args:
        plan: The runs.
        folder: Folder for pictures and measurements; it has to exist.
        execution: Where pictures are painted.
        measure: Measures a painted picture.

    Yields:
        The outcome of each run, as they end.

    Raises:
        WeightsError: Trained weights are missing.
        WriteError: Pictures or measurements cannot be written.
    """
    try:
        (folder / PICTURES_NAME).mkdir(exist_ok=True)
    except OSError as error:
        raise WriteError(f"The folder {folder} cannot be written to: {error.strerror or error}.") from error
    store = MeasurementStore(folder)
    jobs = [run.job(folder / PICTURES_NAME) for run in plan.runs]
    runs = {job.id: run for job, run in zip(jobs, plan.runs, strict=True)}
    began: dict[str, float] = {}
    for event in execution.paint(jobs, folder):
        if isinstance(event, Started):
            began[event.job] = event.at
        elif isinstance(event, Failed):
            yield Outcome(runs[event.job], "failed", error=event.error)
        elif isinstance(event, Saved | Skipped):
            yield _measured(runs[event.job], event, folder, store, measure, began.get(event.job))


def _measured(
    run: Run, event: Event, folder: Path, store: MeasurementStore, measure: Measure, began: float | None
) -> Outcome:
    picture = folder / PICTURES_NAME / run.picture_name
    inputs = measurement_inputs(run, picture)
    measures = store.get(**inputs)
    if measures is None:
        try:
            measures = dict(measure(run, picture))
        except PochoirError as error:  # one picture that cannot be scored does not stop the rest
            return Outcome(run, "failed", error=str(error))
        if isinstance(event, Saved) and began is not None:
            measures["seconds"] = round(event.at - began, 3)
        store.put(measures, **inputs)
    return Outcome(run, event.kind, measures)


def measurement_inputs(run: Run, picture: Path) -> dict[str, str]:
    """Return everything that a picture's measures depend on."""
    return {"picture": hash_file(picture), "photo": run.photo.sha256, "style": run.style.sha256}


@functools.lru_cache(maxsize=4)
def _scorer(device: str, most_pixels: int) -> Scorer:
    return Scorer(["content", "gram", "vgg"], device=device, most_pixels=most_pixels)


@functools.lru_cache(maxsize=4)
def _read(photo: str) -> Exhibit:
    return read_exhibit(imaging.load(photo))


@functools.lru_cache(maxsize=4)
def _read_style(style: str) -> Exhibit:
    return read_exhibit(load_style(style))
