"""Run of the report: sweeps of loss weights, and U2-Net against GrabCut on photos and on drawn scenes.

Everything runs offline. Pictures and measurements in the working folder are reused by the next run.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from pochoir._types import Size
from pochoir.errors import PochoirError
from pochoir.lab.common.execution import HERE, Execution
from pochoir.lab.compare.inputs import Subject, make_subject
from pochoir.lab.compare.methods import MethodRunner
from pochoir.lab.compare.page import write_results
from pochoir.lab.compare.results import Results
from pochoir.lab.compare.run import ComparisonRun, Progress
from pochoir.lab.compare.run import Plan as ComparisonPlan
from pochoir.lab.report.photos import sample_photos, write_photos
from pochoir.lab.report.settings import (
    FIGURE_SCENES,
    OTHER_STYLE,
    SCENES,
    STYLE,
    ReportSettings,
)
from pochoir.lab.scenes import draw_figures, draw_matte_scene
from pochoir.lab.sweep.grid import Axis
from pochoir.lab.sweep.page import write_results as write_sweep
from pochoir.lab.sweep.plan import Plan as SweepPlan
from pochoir.lab.sweep.plan import plan_sweep
from pochoir.lab.sweep.results import Row, collect
from pochoir.lab.sweep.runs import Measure, iter_sweep, measure
from pochoir.recipe import Recipe
from pochoir.similarity import Scorer

GROUPS = ("photos", "scenes")
"""Groups of pictures, which are analysed separately."""


@dataclass(frozen=True, eq=False)
class Measurements:
    """Measurements of a report.

    Attributes:
        settings: Settings of the run.
        weights: Rows of the sweep over content weight and style weight.
        smoothness: Rows of the sweep over the weight of smoothness.
        weights_plan: Plan of the first sweep.
        smoothness_plan: Plan of the second.
        groups: Results of the comparison by group.
    """

    settings: ReportSettings
    weights: list[Row]
    smoothness: list[Row]
    weights_plan: SweepPlan
    smoothness_plan: SweepPlan
    groups: dict[str, Results]


class ReportRun:
    """Run of the whole report: iterate for ``Progress``, then ask for ``measurements()``.

    Args:
        settings: Sizes and numbers.
        work: Folder for pictures and measurements; it has to exist.
        methods: The methods of finding subjects.
        scorer: Scores cut-outs; its backdrop stands behind all of them.
        recipe: Device and threads of the paintings; the plan sets everything else.
        execution: Where pictures are painted.
        measure: Measures a painted picture of the sweeps.

    Raises:
        InputError: A setting cannot be used.
        WeightsMissingError: A network is not in the cache.
    """

    def __init__(
        self,
        settings: ReportSettings,
        work: Path,
        *,
        methods: MethodRunner,
        scorer: Scorer,
        recipe: Recipe | None = None,
        execution: Execution = HERE,
        measure: Measure = measure,
    ) -> None:
        self._settings = settings
        self._work = work
        self._execution = execution
        self._measure = measure
        self._recipe = (recipe or Recipe()).replace(steps=settings.steps)
        photos = write_photos(work / "photos", more=settings.photos)
        self._sweeps = self._plan_sweeps([str(path) for path in photos.values()])
        subjects = {"photos": _photo_subjects(photos, settings.size), "scenes": _scene_subjects(settings.size)}
        painted = self._recipe.replace(style=STYLE)
        self._comparisons = {}
        for group in GROUPS:
            folder = work / group
            folder.mkdir(exist_ok=True)
            plan = ComparisonPlan(
                subjects[group],
                painted,
                overlap=settings.overlap if group == "scenes" else None,
                jitter=settings.jitter,
            )
            self._comparisons[group] = ComparisonRun(plan, folder, methods=methods, scorer=scorer, execution=execution)

    def __iter__(self) -> Iterator[Progress]:
        for name, plan in self._sweeps.items():
            (self._work / name).mkdir(exist_ok=True)
            outcomes = iter_sweep(plan, self._work / name, execution=self._execution, measure=self._measure)
            for done, outcome in enumerate(outcomes, start=1):
                if outcome.error:
                    raise PochoirError(f"{outcome.run.title} cannot be painted or measured: {outcome.error}")
                yield Progress(f"sweeping {name}", done, len(plan.runs))
        for group, run in self._comparisons.items():
            for step in run:
                yield step._replace(stage=f"{group}: {step.stage}")

    def measurements(self) -> Measurements:
        """Return the measurements, complete only when the run has ended; write the full pages into the work folder."""
        for name, plan in self._sweeps.items():
            write_sweep(plan, self._work / name)
        groups = {group: run.results() for group, run in self._comparisons.items()}
        for group, results in groups.items():
            write_results(self._work / group, results)
        return Measurements(
            settings=self._settings,
            weights=collect(self._sweeps["weights"], self._work / "weights"),
            smoothness=collect(self._sweeps["smoothness"], self._work / "smoothness"),
            weights_plan=self._sweeps["weights"],
            smoothness_plan=self._sweeps["smoothness"],
            groups=groups,
        )

    def _plan_sweeps(self, photos: list[str]) -> dict[str, SweepPlan]:
        settings = self._settings
        base = self._recipe.replace(size=settings.sweep_size)
        seeds = Axis("seed", tuple(range(settings.seeds)))
        weights = [Axis("style_weight", settings.weights), Axis("content_weight", settings.weights), seeds]
        styles = [STYLE] if settings.is_quick else [STYLE, OTHER_STYLE]
        return {
            "weights": plan_sweep(photos, styles, base, weights),
            "smoothness": plan_sweep(photos, [STYLE], base, [Axis("tv_weight", settings.tv_weights), seeds]),
        }


def _photo_subjects(photos: dict[str, Path], size: int) -> list[Subject]:
    boxes = {name: sample.box for name, sample in sample_photos().items() if name in photos}
    return [make_subject(name, path, box=boxes.get(name), long_side_px=size) for name, path in photos.items()]


def _scene_subjects(size: int) -> list[Subject]:
    subjects = []
    for name in SCENES:
        if name in FIGURE_SCENES:
            figures, distance = FIGURE_SCENES[name]
            frame, seed = Size(round(0.75 * size), size), list(FIGURE_SCENES).index(name)
            drawn = draw_figures(figures=figures, distance=distance, size=frame, seed=seed)
            photo, truth = drawn.photo, drawn.everyone
        else:
            scene = draw_matte_scene(name, long_side_px=size)
            photo, truth = scene.photo, scene.alpha
        subjects.append(make_subject(name, _array(photo), truth=_array(truth), long_side_px=size))
    return subjects


def _array(picture: Tensor) -> Any:
    return picture[0].permute(1, 2, 0).contiguous().numpy()  # (H, W, C)
