"""The student report again, as a reviewer would accept it: weight sweeps, U2-Net against GrabCut, and their numbers.

Photos are those of scikit-image's wheel that are in the public domain, styles are built in, truths are those of drawn
scenes, so everything runs offline. Whatever was finished in the working folder is taken over by the next run.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skimage import data
from torch import Tensor

from pochoir import imaging
from pochoir._types import Box, Size
from pochoir.encoders import VGG
from pochoir.errors import OptionError
from pochoir.lab.compare.inputs import Subject, make_subject
from pochoir.lab.compare.jitter import JitterSettings
from pochoir.lab.compare.methods import Finders
from pochoir.lab.compare.overlap import OverlapSettings
from pochoir.lab.compare.page import write_results
from pochoir.lab.compare.results import Results
from pochoir.lab.compare.run import Comparing, Plan, Progress
from pochoir.lab.scenes import draw_figures
from pochoir.lab.sweep.grid import Axis
from pochoir.lab.sweep.page import write_results as write_sweep
from pochoir.lab.sweep.plan import Plan as SweepPlan
from pochoir.lab.sweep.plan import plan_sweep
from pochoir.lab.sweep.results import Row, collect
from pochoir.lab.sweep.runs import Painter, iter_sweep, paint_and_measure
from pochoir.recipe import Recipe
from pochoir.similarity import Scorer

PHOTOS = {
    "astronaut": Box(12, 8, 490, 503),
    "chelsea": Box(2, 2, 390, 296),
    "coffee": Box(70, 12, 415, 386),
    "rocket": Box(307, 120, 32, 288),
}
"""scikit-image's photos, and the box that somebody drew around each one's subject."""
SCENES = {"scene-1": (1, 30.0), "scene-2": (2, 60.0), "scene-3": (3, 40.0), "scene-4": (2, 20.0)}
"""Drawn scenes whose truth is known: number of figures, and colour distance to the ground."""
STYLE, OTHER_STYLE = "mosaic", "woodblock-waves"
SWEPT_PHOTO = "chelsea"
WEIGHTS = (0.1, 1.0, 10.0)
TV_WEIGHTS = (0.0, 1.0, 10.0)
"""Kept apart from the other two weights: a full cube would take most of an hour."""


@dataclass(frozen=True)
class ReportSettings:
    """How large and how long; the defaults take less than half an hour on two cores.

    Attributes:
        size: Long side of the compared pictures in pixels, at least 64.
        steps: Optimiser steps of each painting.
        sweep_size: Long side of the swept pictures in pixels, at least 64.
        scenes: Drawn scenes of each kind where GrabCut's weaknesses are measured.
        draws: Moved boxes for each distance.
        jobs: Paintings of the sweep at once.

    Raises:
        OptionError: A value is out of bounds.
    """

    size: int = 256
    steps: int = 50
    sweep_size: int = 192
    scenes: int = 5
    draws: int = 12
    jobs: int = 1

    def __post_init__(self) -> None:
        if min(self.size, self.sweep_size) < 64:
            raise OptionError(f"The report's pictures are at least 64 pixels long; got {self.size}, {self.sweep_size}.")

    @property
    def overlap(self) -> OverlapSettings:
        """The drawn scenes."""
        return OverlapSettings(scenes=self.scenes)

    @property
    def jitter(self) -> JitterSettings:
        """The moved boxes."""
        return JitterSettings(draws=self.draws)


@dataclass(frozen=True, eq=False)
class Findings:
    """What a report is written from.

    Attributes:
        settings: How it was run.
        weights: Rows of the sweep over content weight, style weight and style.
        tv: Rows of the sweep over the weight of smoothness.
        plan: The plan of the first sweep.
        tv_plan: The plan of the second.
        results: The comparison.
    """

    settings: ReportSettings
    weights: list[Row]
    tv: list[Row]
    plan: SweepPlan
    tv_plan: SweepPlan
    results: Results


class Reporting:
    """A run of the whole report: iterate for ``Progress``, then ask for ``findings()``.

    Args:
        settings: How large and how long.
        work: Folder for everything that is made on the way; it has to exist.
        finders: The methods.
        scorer: Scores cut-outs; its backdrop stands behind all of them.
        encoder: Replaces the encoder that the compared pictures are painted with.
        paint: Paints and measures one run of the sweeps.

    Raises:
        InputError: A setting cannot be used.
        WeightsMissingError: A network is not in the cache.
    """

    def __init__(
        self,
        settings: ReportSettings,
        work: Path,
        *,
        finders: Finders,
        scorer: Scorer,
        encoder: VGG | None = None,
        paint: Painter = paint_and_measure,
    ) -> None:
        self._settings = settings
        self._work = work
        self._paint = paint
        photos = _write_photos(work / "photos")
        base = Recipe(size=settings.sweep_size, steps=settings.steps)
        axes = [Axis("style_weight", WEIGHTS), Axis("content_weight", WEIGHTS)]
        swept, styles = [str(photos[SWEPT_PHOTO])], [STYLE, OTHER_STYLE]
        self._sweeps = {
            "weights": plan_sweep(swept, styles, base, axes),
            "smoothness": plan_sweep(swept, [STYLE], base, [Axis("tv_weight", TV_WEIGHTS)]),
        }
        recipe = Recipe.from_dict({"style": [STYLE], "steps": settings.steps})
        plan = Plan(_subjects(photos, settings.size), recipe, overlap=settings.overlap, jitter=settings.jitter)
        (work / "compare").mkdir(exist_ok=True)
        self._comparing = Comparing(plan, work / "compare", finders=finders, scorer=scorer, encoder=encoder)

    def __iter__(self) -> Iterator[Progress]:
        for name, plan in self._sweeps.items():
            (self._work / name).mkdir(exist_ok=True)
            runs = iter_sweep(plan, self._work / name, jobs=self._settings.jobs, paint=self._paint)
            for done, _ in enumerate(runs, start=1):
                yield Progress(f"sweeping {name}", done, len(plan.runs))
        yield from self._comparing

    def findings(self) -> Findings:
        """What was found; whole only when the run is at its end. The full pages are written beside it."""
        for name, plan in self._sweeps.items():
            write_sweep(plan, self._work / name)
        results = self._comparing.results()
        write_results(self._work / "compare", results)
        plan, tv_plan = self._sweeps.values()
        return Findings(
            settings=self._settings,
            weights=collect(plan, self._work / "weights"),
            tv=collect(tv_plan, self._work / "smoothness"),
            plan=plan,
            tv_plan=tv_plan,
            results=results,
        )


def _write_photos(folder: Path) -> dict[str, Path]:
    """The photos as files, since a sweep keeps its inputs by their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{name}.png" for name in PHOTOS}
    for name, path in paths.items():
        imaging.save(path, imaging.load(getattr(data, name)()).rgb)
    return paths


def _subjects(photos: dict[str, Path], size: int) -> list[Subject]:
    real = [make_subject(name, path, box=PHOTOS[name], long_side_px=size) for name, path in photos.items()]
    return real + [_scene_subject(name, size) for name in SCENES]


def _scene_subject(name: str, size: int) -> Subject:
    figures, distance = SCENES[name]
    seed = list(SCENES).index(name)
    scene = draw_figures(figures=figures, distance=distance, size=Size(round(0.75 * size), size), seed=seed)
    return make_subject(name, _array(scene.photo), truth=_array(scene.everyone), long_side_px=size)


def _array(picture: Tensor) -> Any:
    return picture[0].permute(1, 2, 0).contiguous().numpy()  # (H, W, C)
