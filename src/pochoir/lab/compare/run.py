"""Run of a comparison: pastiches, methods, scores, limits of GrabCut. It can be watched and, if killed, resumed."""

import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

import pochoir
from pochoir import imaging, jobs, sources
from pochoir.errors import OptionError, WriteError
from pochoir.imaging import Picture
from pochoir.jobs import Failed, Job, Saved, Skipped
from pochoir.lab.common.execution import HERE, Execution, error_of
from pochoir.lab.common.measurements import MeasurementStore
from pochoir.lab.compare.cutouts import PHOTO, Comparison, compare_subject
from pochoir.lab.compare.inputs import Subject
from pochoir.lab.compare.jitter import JitterRow, JitterSettings, count_boxes, iter_jitter
from pochoir.lab.compare.methods import BASELINE, MethodRunner
from pochoir.lab.compare.overlap import OverlapRow, OverlapSettings, iter_overlap
from pochoir.lab.compare.results import Results
from pochoir.lab.compare.scores import ScoreRow, count_steps, iter_scores
from pochoir.recipe import Recipe
from pochoir.segmentation.grabcut import box_around
from pochoir.similarity import Scorer

INPUTS_NAME, PAINTED_NAME = "inputs", "painted"
"""Folders, beside the results, of the scaled photos and of their pastiches."""

_Row = TypeVar("_Row", OverlapRow, JitterRow, ScoreRow)


class Progress(NamedTuple):
    """Progress of a run."""

    stage: str
    """Name of the stage, such as ``"painting"``."""
    done: int
    """Number of finished pieces of this stage."""
    total: int
    """Number of pieces of this stage."""


@dataclass(frozen=True, eq=False)
class Plan:
    """Plan of a comparison.

    Attributes:
        subjects: The photos; their names differ.
        recipe: Settings to paint them with, with exactly one style; None compares on the photos alone.
        overlap: Selection of drawn scenes; None leaves them out.
        jitter: Settings of moved boxes; None leaves them out.

    Raises:
        OptionError: Photos share a name, or there is another number of styles.
    """

    subjects: Sequence[Subject]
    recipe: Recipe | None = None
    overlap: OverlapSettings | None = None
    jitter: JitterSettings | None = None

    def __post_init__(self) -> None:
        names = [subject.name for subject in self.subjects]
        if not names or len(set(names)) != len(names):
            raise OptionError(f"A comparison needs photos of different names; got {', '.join(names) or 'none'}.")
        if self.recipe is not None and len(self.recipe.style) != 1:
            raise OptionError(f"A comparison takes exactly one style; got {len(self.recipe.style)}.")


class ComparisonRun:
    """Run of a plan: iterate for ``Progress``, then ask for ``results()``.

    Args:
        plan: The plan.
        folder: Folder for pastiches and measurements, which a later run of the same plan reuses.
        methods: The methods.
        scorer: Scores cut-outs; its backdrop stands behind all of them.
        execution: Where pictures are painted.

    Raises:
        InputError: The style cannot be read.
    """

    def __init__(
        self, plan: Plan, folder: Path, *, methods: MethodRunner, scorer: Scorer, execution: Execution = HERE
    ) -> None:
        self._plan = plan
        self._folder = folder
        self._methods = methods
        self._scorer = scorer
        self._execution = execution
        self._store = MeasurementStore(folder)
        self._style = None if plan.recipe is None else sources.load_style(plan.recipe.style[0].source)
        self._comparisons: list[Comparison] = []
        self._overlap: list[OverlapRow] = []
        self._jitter: list[JitterRow] = []

    def __iter__(self) -> Iterator[Progress]:
        pastiches: dict[str, Picture] = {}
        if self._plan.recipe is not None:
            yield from self._paint(self._plan.recipe, pastiches)
        yield from self._compare(pastiches)
        yield from self._draw_scenes()
        yield from self._move_boxes()

    def results(self) -> Results:
        """Return the results; complete only when the run has ended."""
        recipe = self._plan.recipe
        return Results(
            comparisons=self._comparisons,
            backdrop=self._scorer.framing.backdrop,
            closer={metric.name: metric.closer for metric in self._scorer.metrics},
            style=self._style,
            overlap=self._overlap,
            jitter=self._jitter,
            settings={
                "pochoir": pochoir.__version__,
                "torch": str(torch.__version__),
                "recipe": None if recipe is None else recipe.to_dict(),
                "overlap": None if self._plan.overlap is None else dataclasses.asdict(self._plan.overlap),
                "jitter": None if self._plan.jitter is None else dataclasses.asdict(self._plan.jitter),
            },
        )

    def _paint(self, recipe: Recipe, pastiches: dict[str, Picture]) -> Iterator[Progress]:
        work = {subject.name: self._painting_job(subject, recipe) for subject in self._plan.subjects}
        done = 0
        for event in self._execution.paint(work.values(), self._folder):
            if isinstance(event, jobs.Progress):
                yield Progress(f"painting, picture {done + 1} of {len(work)}", event.done, event.total)
            elif isinstance(event, Failed):
                raise error_of(event)
            elif isinstance(event, Saved | Skipped):
                done += 1
                yield Progress("painting", done, len(work))
        pastiches |= {name: imaging.load(job.output, role="pastiche") for name, job in work.items()}

    def _painting_job(self, subject: Subject, recipe: Recipe) -> Job:
        photo, output = (self._folder / name / f"{subject.name}.png" for name in (INPUTS_NAME, PAINTED_NAME))
        try:
            for path in (photo, output):
                path.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise WriteError(f"The folder {self._folder} cannot be written to: {error.strerror or error}.") from error
        imaging.save(photo, subject.photo.rgb)
        sized = recipe.replace(size=subject.photo.size.long_side)
        return Job(kind="stylize", photo=str(photo), output=str(output), recipe=sized, force=True)

    def _compare(self, pastiches: dict[str, Picture]) -> Iterator[Progress]:
        subjects = self._plan.subjects
        for index, subject in enumerate(subjects):
            yield Progress("finding subjects", index, len(subjects))
            item = compare_subject(subject, self._methods, pastiche=pastiches.get(subject.name))
            stranger = subjects[index - 1].photo if len(subjects) > 1 else None
            steps = iter_scores(item, self._scorer, style=self._style, stranger=stranger)
            rows: list[ScoreRow] = []
            for done in self._measure(steps, rows, ScoreRow, self._score_inputs(item, stranger)):
                yield Progress(f"scoring {subject.name}", done, count_steps(item, self._style))
            self._comparisons.append(dataclasses.replace(item, scores=rows))

    def _score_inputs(self, item: Comparison, stranger: Picture | None) -> dict[str, Any]:
        shown = [*item.pictures.values(), *item.cuts.values(), self._style, stranger]
        return {
            "name": item.subject.name,
            "pictures": [None if picture is None else picture.sha256 for picture in shown],
            "ways": [list(way) for way in item.cuts],
            "truth": _digest(item.subject.truth),
            "metrics": [metric.name for metric in self._scorer.metrics],
            "backdrops": self._scorer.backdrops,
        }

    def _draw_scenes(self) -> Iterator[Progress]:
        settings = self._plan.overlap
        if settings is None:
            return
        steps = iter_overlap(settings, network=self._methods.u2net)
        inputs = {"network": self._methods.u2net.name, **dataclasses.asdict(settings)}
        for done in self._measure(steps, self._overlap, OverlapRow, inputs):
            yield Progress("drawing scenes", done, settings.count)

    def _move_boxes(self) -> Iterator[Progress]:
        settings = self._plan.jitter
        if settings is None:
            return
        for item in self._comparisons:
            saliency = item.found[PHOTO][BASELINE].matte
            box = item.subject.box or box_around(saliency)
            if box is None:
                continue
            subject = item.subject
            photo, truth = subject.photo, subject.truth
            steps = iter_jitter(photo.rgb, box, name=subject.name, saliency=saliency, settings=settings, truth=truth)
            inputs = {"photo": photo.sha256, "name": subject.name, "box": list(box), "truth": _digest(truth)}
            for done in self._measure(steps, self._jitter, JitterRow, inputs | dataclasses.asdict(settings)):
                yield Progress(f"moving boxes on {subject.name}", done, count_boxes(settings))

    def _measure(
        self, steps: Iterator[list[_Row]], rows: list[_Row], build: Callable[..., _Row], inputs: dict[str, Any]
    ) -> Iterator[int]:
        """Append the rows that are kept, or else those that the steps measure; yield the number of finished steps."""
        inputs = {"rows": build.__name__, **inputs}
        kept = self._store.get(**inputs)
        if kept is not None:
            rows += [build(**row) for row in kept]
            return
        measured: list[_Row] = []
        for done, found in enumerate(steps, start=1):
            measured += found
            yield done
        rows += measured
        self._store.put([dataclasses.asdict(row) for row in measured], **inputs)


def _digest(truth: Tensor | None) -> str | None:
    return None if truth is None else hashlib.sha256(truth.contiguous().numpy().tobytes()).hexdigest()
