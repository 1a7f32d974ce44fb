"""Results of a sweep: its rows, arranged by the settings that were varied."""

import csv
import io
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pochoir.lab.common.measurements import MeasurementStore
from pochoir.lab.common.statistics import Interval, mean_interval
from pochoir.lab.sweep.plan import Plan, Run
from pochoir.lab.sweep.runs import PICTURES_NAME, measurement_inputs
from pochoir.recipe import format_setting


@dataclass(frozen=True)
class Row:
    """A run whose picture is painted and measured.

    Attributes:
        run: The run.
        measures: Measures of the picture by name.
        picture: Path of the picture.
    """

    run: Run
    measures: Mapping[str, float]
    picture: Path

    @property
    def pair(self) -> tuple[str, str]:
        """Photo and style; distances are comparable within a pair only."""
        return self.run.photo.label, self.run.style.label


@dataclass(frozen=True)
class Factor:
    """Difference between runs: the photo, the style or a setting.

    Attributes:
        label: Name in figures and tables.
        values: Its values, in order.
        value_of: Returns the value of a run.
    """

    label: str
    values: tuple[Any, ...]
    value_of: Callable[[Run], Any]

    @property
    def is_setting(self) -> bool:
        """True for a field of the recipe."""
        return self.label not in ("photo", "style")

    @property
    def is_numeric(self) -> bool:
        """True if the values are numbers, which have an order and distances."""
        return all(isinstance(value, int | float) and not isinstance(value, bool) for value in self.values)

    def caption(self, value: Any) -> str:
        """Return a value as text, with the name before it if it is a setting."""
        return f"{self.label} {format_setting(value)}" if self.is_setting else str(value)


def collect(plan: Plan, folder: Path) -> list[Row]:
    """Return the runs of a plan that are painted and measured, in its order."""
    store, rows = MeasurementStore(folder), []
    for run in plan.runs:
        picture = folder / PICTURES_NAME / run.picture_name
        measures = store.get(**measurement_inputs(run, picture)) if picture.is_file() else None
        if measures is not None:
            rows.append(Row(run, measures, picture))
    return rows


def factors(plan: Plan) -> list[Factor]:
    """Return the factors with several values: settings first, then styles, then photos."""

    def setting(name: str) -> Callable[[Run], Any]:
        return lambda run: run.settings[name]

    found = [Factor(axis.label, axis.values, setting(axis.name)) for axis in plan.axes]
    found.append(Factor("style", tuple(item.label for item in plan.styles), lambda run: run.style.label))
    found.append(Factor("photo", tuple(item.label for item in plan.photos), lambda run: run.photo.label))
    return [factor for factor in found if len(factor.values) > 1]


def pareto_front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the indices of the points that no other beats, by their first coordinate; less is better in both."""
    front: list[int] = []
    lowest = float("inf")
    for index in sorted(range(len(points)), key=lambda at: points[at]):
        if points[index][1] < lowest:
            front.append(index)
            lowest = points[index][1]
    return front


def front_rows(rows: Sequence[Row]) -> Iterator[tuple[tuple[str, str], list[Row], list[Row]]]:
    """Yield for each photo and style the rows, and those on the front of style distance and content distance."""
    for pair in dict.fromkeys(row.pair for row in rows):
        own = [row for row in rows if row.pair == pair]
        front = pareto_front([(row.measures["style"], row.measures["content"]) for row in own])
        yield pair, own, [own[index] for index in front]


def effect(rows: Sequence[Row], factor: Factor, measure: str) -> dict[Any, Interval]:
    """Return a measure's mean at each value of a factor, with an interval over photos and seeds.

    All other settings are averaged first, for each photo and seed. So the interval shows how photos and seeds scatter,
    and not how the other settings spread.
    """
    found: dict[Any, Interval] = {}
    for value in factor.values:
        by_unit: dict[tuple[str, int], list[float]] = {}
        for row in rows:
            if factor.value_of(row.run) == value:
                unit = (row.run.photo.label, row.run.recipe.seed)
                by_unit.setdefault(unit, []).append(row.measures[measure])
        if by_unit:
            found[value] = mean_interval([sum(values) / len(values) for values in by_unit.values()])
    return found


def sheets(plan: Plan, rows: Sequence[Row]) -> Iterator[tuple[str, Factor | None, Factor | None, list[Row | None]]]:
    """Arrange the rows on contact sheets, of the first seed only.

    Yields:
        For each sheet its title, the factor of its rows, the factor of its columns, and its places row by row.
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
    """Return the rows as CSV text, one line each."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["photo", "style", *(axis.name for axis in plan.axes), *_CSV_MEASURES.values(), "picture"])
    for row in rows:
        settings = [format_setting(row.run.settings[axis.name]) for axis in plan.axes]
        measures = [repr(row.measures[name]) if name in row.measures else "" for name in _CSV_MEASURES]
        writer.writerow([*row.pair, *settings, *measures, f"{PICTURES_NAME}/{row.picture.name}"])
    return text.getvalue()
