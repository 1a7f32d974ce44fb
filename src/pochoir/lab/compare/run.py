"""A whole comparison: pastiches, methods, scores, where GrabCut fails. It can be watched and, if killed, resumed."""

import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import torch

import pochoir
from pochoir import imaging, sources
from pochoir.encoders import VGG
from pochoir.errors import OptionError
from pochoir.imaging import Picture
from pochoir.lab.compare.compare import PHOTO, Comparison, ScoreRow, compare_subject, iter_pastiche, iter_scores
from pochoir.lab.compare.inputs import Subject
from pochoir.lab.compare.jitter import JitterRow, JitterSettings, count_boxes, iter_jitter
from pochoir.lab.compare.methods import BASELINE, Finders
from pochoir.lab.compare.overlap import OverlapRow, OverlapSettings, iter_overlap
from pochoir.lab.compare.results import Results, closer_of
from pochoir.recipe import Recipe
from pochoir.segmentation.grabcut import box_around
from pochoir.similarity import Scorer

KEPT = "kept"
"""The folder, beside the results, of what a resumed run takes over."""

_Row = TypeVar("_Row", OverlapRow, JitterRow, ScoreRow)


class Progress(NamedTuple):
    """How far a run has come."""

    stage: str
    """What is being done, such as ``"painting chelsea"``."""
    done: int
    """Pieces of this stage that are finished."""
    total: int
    """Pieces of this stage."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What is to be compared.

    Attributes:
        subjects: The photos; their names differ.
        recipe: How to repaint them, with exactly one style; None compares on the photos alone.
        overlap: Which scenes to draw; None leaves them out.
        jitter: How to move boxes; None leaves it out.
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


class Comparing:
    """A run of a plan: iterate for ``Progress``, then ask for ``results()``.

    Args:
        plan: What is to be compared.
        folder: Where pastiches and finished parts are kept; a later run of the same plan takes them over.
        finders: The methods.
        scorer: Scores cut-outs; its backdrop stands behind all of them.
        encoder: Replaces the encoder that pastiches are painted with.

    Raises:
        InputError: The style cannot be read.
    """

    def __init__(
        self, plan: Plan, folder: Path, *, finders: Finders, scorer: Scorer, encoder: VGG | None = None
    ) -> None:
        self._plan = plan
        self._folder = folder
        self._finders = finders
        self._scorer = scorer
        self._encoder = encoder
        self._style = None if plan.recipe is None else sources.load_style(plan.recipe.style[0].source)
        self._comparisons: list[Comparison] = []
        self._overlap: list[OverlapRow] = []
        self._jitter: list[JitterRow] = []

    def __iter__(self) -> Iterator[Progress]:
        pastiches: list[Picture | None] = []
        for subject in self._plan.subjects:
            yield from self._paint(subject, pastiches)
        yield from self._compare(pastiches)
        yield from self._draw_scenes()
        yield from self._move_boxes()

    def results(self) -> Results:
        """What was found; whole only when the run is at its end."""
        recipe = self._plan.recipe
        return Results(
            comparisons=self._comparisons,
            backdrop=self._scorer.framing.backdrop,
            closer=closer_of(self._scorer),
            style=self._style,
            overlap=self._overlap,
            jitter=self._jitter,
            settings={
                "pochoir": pochoir.__version__,
                "torch": torch.__version__,
                "recipe": None if recipe is None else recipe.to_dict(),
                "overlap": None if self._plan.overlap is None else dataclasses.asdict(self._plan.overlap),
                "jitter": None if self._plan.jitter is None else dataclasses.asdict(self._plan.jitter),
            },
        )

    def _paint(self, subject: Subject, pastiches: list[Picture | None]) -> Iterator[Progress]:
        if self._plan.recipe is None:
            pastiches.append(None)
            return
        path = self._folder / KEPT / f"{subject.name}.png"
        path.parent.mkdir(exist_ok=True)
        for step in iter_pastiche(subject, self._plan.recipe, path, encoder=self._encoder):
            yield Progress(f"painting {subject.name}", step.done, step.total)
        pastiches.append(imaging.load(path, role="pastiche"))

    def _compare(self, pastiches: Sequence[Picture | None]) -> Iterator[Progress]:
        subjects = self._plan.subjects
        for index, (subject, pastiche) in enumerate(zip(subjects, pastiches, strict=True)):
            yield Progress(f"finding {subject.name}", 0, 1)
            item = compare_subject(subject, self._finders, pastiche=pastiche)
            stranger = subjects[index - 1].photo if len(subjects) > 1 else None
            rows: list[ScoreRow] = []
            steps = iter_scores(item, self._scorer, style=self._style, stranger=stranger)
            keeper = _Keeper(self._folder, f"scores-{subject.name}", self._score_key(item, stranger))
            for done in keeper.collect(steps, rows, lambda row: ScoreRow(**row)):
                yield Progress(f"scoring {subject.name}", done, _count_targets(item, self._style))
            self._comparisons.append(dataclasses.replace(item, scores=rows))

    def _score_key(self, item: Comparison, stranger: Picture | None) -> dict[str, Any]:
        shown = [*item.pictures.values(), *item.cuts.values(), self._style, stranger]
        return {
            "name": item.subject.name,
            "pictures": [None if picture is None else picture.sha256 for picture in shown],
            "ways": [list(way) for way in item.cuts],
            "metrics": [metric.name for metric in self._scorer.metrics],
            "backdrop": self._scorer.framing.backdrop,
        }

    def _draw_scenes(self) -> Iterator[Progress]:
        settings = self._plan.overlap
        if settings is None:
            return
        steps = iter_overlap(settings, network=self._finders.u2net)
        keeper = _Keeper(self._folder, "overlap", dataclasses.asdict(settings))
        for done in keeper.collect(steps, self._overlap, lambda row: OverlapRow(**row)):
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
            key = dataclasses.asdict(settings) | {"photo": photo.sha256, "box": list(box), "truth": truth is not None}
            keeper = _Keeper(self._folder, f"jitter-{subject.name}", key)
            for done in keeper.collect(steps, self._jitter, lambda row: JitterRow(**row)):
                yield Progress(f"moving boxes on {subject.name}", done, count_boxes(settings))


def _count_targets(item: Comparison, style: Picture | None) -> int:
    return len(item.pictures) * (1 + (style is not None) + (item.subject.truth is not None))


class _Keeper:
    """Rows that took long to measure, kept under the settings they were measured with."""

    def __init__(self, folder: Path, name: str, settings: dict[str, Any]) -> None:
        self._path = folder / KEPT / f"{name}.json"
        self._key = json.dumps({"pochoir": pochoir.__version__, **settings}, sort_keys=True)

    def collect(
        self, steps: Iterator[list[_Row]], rows: list[_Row], build: Callable[[dict[str, Any]], _Row]
    ) -> Iterator[int]:
        """Add what is kept to ``rows``, or else what the steps measure, and tell after how many steps."""
        kept = self._read()
        if kept is not None:
            rows += [build(row) for row in kept]
            return
        measured: list[_Row] = []
        for done, found in enumerate(steps, start=1):
            measured += found
            yield done
        rows += measured
        self._path.parent.mkdir(exist_ok=True)
        values = {"key": self._key, "rows": [dataclasses.asdict(row) for row in measured]}
        imaging.write_file(self._path, json.dumps(values).encode())

    def _read(self) -> list[dict[str, Any]] | None:
        try:
            values = json.loads(self._path.read_bytes())
            return list(values["rows"]) if values["key"] == self._key else None
        except (OSError, ValueError, KeyError, TypeError):  # not there, or not ours: measured again
            return None
