"""What a sweep has found: its rows, arranged by what was varied."""

import csv
import io
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pochoir.lab.common.statistics import Interval, bootstrap_mean
from pochoir.lab.sweep.plan import Plan, Run
from pochoir.lab.sweep.runs import PICTURES_NAME, finished_runs
from pochoir.recipe import format_setting


@dataclass(frozen=True)
class Row:
    """A run that is done.

    Attributes:
        run: The run.
        measures: What was measured, by name.
        picture: Where its picture is.
    """

    run: Run
    measures: Mapping[str, float]
    picture: Path

    @property
    def pair(self) -> tuple[str, str]:
        """Photo and style, within which distances can be compared."""
        return self.run.photo.label, self.run.style.label


@dataclass(frozen=True)
class Factor:
    """Something that differs between runs: the photo, the style or a setting.

    Attributes:
        label: What it is called.
        values: What it can be, in order.
        value_of: Which of them a run has.
    """

    label: str
    values: tuple[Any, ...]
    value_of: Callable[[Run], Any]

    @property
    def is_setting(self) -> bool:
        """Whether it is a field of the recipe."""
        return self.label not in ("photo", "style")

    @property
    def is_numeric(self) -> bool:
        """Whether its values are numbers, which have an order and distances."""
        return all(isinstance(value, int | float) and not isinstance(value, bool) for value in self.values)

    def caption(self, value: Any) -> str:
        """A value, with the name before it where it would not speak for itself."""
        return f"{self.label} {format_setting(value)}" if self.is_setting else str(value)


def collect(plan: Plan, folder: Path) -> list[Row]:
    """The runs of a plan that are done, in its order."""
    done = finished_runs(plan, folder)
    return [Row(run, done[run.key], folder / PICTURES_NAME / run.picture_name) for run in plan.runs if run.key in done]


def factors(plan: Plan) -> list[Factor]:
    """What takes several values: settings first, then styles, then photos."""

    def setting(name: str) -> Callable[[Run], Any]:
        return lambda run: run.settings[name]

    found = [Factor(axis.label, axis.values, setting(axis.name)) for axis in plan.axes]
    found.append(Factor("style", tuple(item.label for item in plan.styles), lambda run: run.style.label))
    found.append(Factor("photo", tuple(item.label for item in plan.photos), lambda run: run.photo.label))
    return [factor for factor in found if len(factor.values) > 1]


def pareto_front(points: Sequence[tuple[float, float]]) -> list[int]:
    """The points that no other one beats, where less is better in both coordinates.

    Returns:
        Their indices, by the first coordinate.
    """
    front: list[int] = []
    lowest = float("inf")
    for index in sorted(range(len(points)), key=lambda at: points[at]):
        if points[index][1] < lowest:
            front.append(index)
            lowest = points[index][1]
    return front


def front_rows(rows: Sequence[Row]) -> Iterator[tuple[tuple[str, str], list[Row], list[Row]]]:
    """For each photo and style: the rows, and those on the front of style distance and content distance."""
    for pair in dict.fromkeys(row.pair for row in rows):
        own = [row for row in rows if row.pair == pair]
        front = pareto_front([(row.measures["style"], row.measures["content"]) for row in own])
        yield pair, own, [own[index] for index in front]


def effect(rows: Sequence[Row], factor: Factor, measure: str) -> dict[Any, Interval]:
    """What a measure is at each value of a factor, with an interval over seeds.

    All other settings are averaged first, for each seed apart, so that the interval tells the scatter of seeds and
    not the spread of the other settings.
    """
    found: dict[Any, Interval] = {}
    for value in factor.values:
        by_seed: dict[int, list[float]] = {}
        for row in rows:
            if factor.value_of(row.run) == value:
                by_seed.setdefault(row.run.recipe.seed, []).append(row.measures[measure])
        if by_seed:
            found[value] = bootstrap_mean([sum(values) / len(values) for values in by_seed.values()])
    return found


def sheets(plan: Plan, rows: Sequence[Row]) -> Iterator[tuple[str, Factor | None, Factor | None, list[Row | None]]]:
    """The rows as they are to lie on contact sheets, of the first seed only.

    Yields:
        For each sheet its title, what its rows are, what its columns are, and its places row by row.
    """
    varied = factors(plan)
    shown = [factor for factor in varied if factor.label != "seed"] or varied
    across = shown[1] if len(shown) > 1 else shown[0]
    down = shown[0] if len(shown) > 1 else None
    rest = [factor for factor in varied if factor not in (across, down) and factor.label != "seed"]
    kept = [row for row in rows if across.label == "seed" or row.run.recipe.seed == plan.runs[0].recipe.seed]
    for values in itertools.product(*(factor.values for factor in rest)):
        own = [
            row
            for row in kept
            if all(factor.value_of(row.run) == value for factor, value in zip(rest, values, strict=True))
        ]
        places = {(down.value_of(row.run) if down else None, across.value_of(row.run)): row for row in own}
        title = ", ".join(factor.caption(value) for factor, value in zip(rest, values, strict=True))
        laid = [places.get((left, top)) for left in (down.values if down else (None,)) for top in across.values]
        yield title, down, across, laid


_CSV_MEASURES = {
    "content": "content_distance",
    "style": "style_distance",
    "likeness": "likeness",
    "roughness": "roughness",
    "style_of_photo": "style_distance_of_photo",
    "seconds": "seconds",
}


def to_csv(plan: Plan, rows: Sequence[Row]) -> str:
    """The rows as a table for other programs, one line each."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["photo", "style", *(axis.name for axis in plan.axes), *_CSV_MEASURES.values(), "picture"])
    for row in rows:
        settings = [format_setting(row.run.settings[axis.name]) for axis in plan.axes]
        measures = [repr(row.measures[name]) for name in _CSV_MEASURES]
        writer.writerow([*row.pair, *settings, *measures, f"{PICTURES_NAME}/{row.picture.name}"])
    return text.getvalue()
