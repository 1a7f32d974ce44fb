"""Many photos' rows become means with intervals, and tests of each method against U2-Net."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pochoir.lab.common.statistics import Interval, PairedTest, bootstrap_mean, paired_test
from pochoir.lab.compare.compare import ScoreRow, TruthRow
from pochoir.lab.compare.methods import BASELINE, METHODS
from pochoir.lab.truth import MEASURES

_Cells: TypeAlias = dict[tuple[str, str, str, str], dict[str, float]]
"""Values by photo, for each method, seen, cut and measure."""


@dataclass(frozen=True)
class Mean:
    """One cell of a table: a mean over photos, and how the method differs from U2-Net on the same photos.

    Attributes:
        method: One of ``METHODS``, or of ``NULLS``.
        seen: Where mattes were found; empty for a null.
        cut: What was cut; empty for a measure of mattes.
        measure: ``"METRIC: TARGET"``, or one of ``MEASURES``.
        interval: Mean and bootstrap interval.
        test: Against U2-Net, over the photos that both have; None for U2-Net itself and for nulls.
    """

    method: str
    seen: str
    cut: str
    measure: str
    interval: Interval
    test: PairedTest | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class Shift:
    """How much the choice of the backdrop moves one column of the similarity table.

    Attributes:
        measure: ``"METRIC: TARGET"``.
        mean: Mean over cut-outs of how far another backdrop moves the score at most.
        most: The largest such move.
        spread: Largest difference between two methods' means, to compare the moves with.
        leaders: The method with the best mean on each backdrop, the run's own first.
    """

    measure: str
    mean: float
    most: float
    spread: float
    leaders: dict[str, str]


def measure_name(metric: str, target: str) -> str:
    """What a column of the similarity table is called."""
    return f"{metric}: {target}"


def summarize_scores(rows: Sequence[ScoreRow], *, seed: int = 0) -> list[Mean]:
    """Means of the similarity scores over photos.

    Args:
        rows: Of all photos.
        seed: Of the resampling.
    """
    values: _Cells = {}
    for row in rows:
        key = (row.method, row.seen, row.cut, measure_name(row.metric, row.target))
        values.setdefault(key, {})[row.photo] = row.value
    return _summarize(values, seed)


def summarize_truths(rows: Sequence[TruthRow], *, seed: int = 0) -> list[Mean]:
    """Means of the measures against the truth over photos.

    Args:
        rows: Of all photos.
        seed: Of the resampling.
    """
    values: _Cells = {}
    for measure in MEASURES:
        for row in rows:
            values.setdefault((row.method, row.seen, "", measure), {})[row.photo] = getattr(row.scores, measure)
    return _summarize(values, seed)


def _summarize(cells: _Cells, seed: int) -> list[Mean]:
    means = []
    for (method, seen, cut, measure), by_photo in cells.items():
        baseline = cells.get((BASELINE, seen, cut, measure), {})
        shared = [name for name in by_photo if name in baseline]
        test = None
        if method in METHODS and method != BASELINE and shared:
            test = paired_test([by_photo[name] for name in shared], [baseline[name] for name in shared], seed=seed)
        interval = bootstrap_mean(list(by_photo.values()), seed=seed)
        means.append(Mean(method, seen, cut, measure, interval, test))
    return means


def summarize_shifts(
    rows: Sequence[ScoreRow], *, seen: str, cut: str, backdrop: str, closer: dict[str, str]
) -> list[Shift]:
    """How far another backdrop would move the table of one way of cutting.

    Args:
        rows: Of all photos.
        seen: Where the mattes were found.
        cut: What was cut.
        backdrop: The run's own.
        closer: For each metric whether a ``"higher"`` or a ``"lower"`` value means more alike.
    """
    columns: dict[tuple[str, str], list[ScoreRow]] = {}
    for row in rows:
        if row.method in METHODS and (row.seen, row.cut) == (seen, cut) and row.elsewhere:
            columns.setdefault((row.metric, row.target), []).append(row)
    return [
        _shift(measure_name(metric, target), column, backdrop, closer[metric])
        for (metric, target), column in columns.items()
    ]


def _shift(measure: str, column: Sequence[ScoreRow], backdrop: str, closer: str) -> Shift:
    moves = [max(abs(value - row.value) for value in row.elsewhere.values()) for row in column]
    grounds = [backdrop, *column[0].elsewhere]
    best = max if closer == "higher" else min
    means = {ground: _method_means(column, ground) for ground in grounds}
    own = means[backdrop].values()
    leaders = {ground: best(by_method, key=by_method.__getitem__) for ground, by_method in means.items()}
    return Shift(measure, sum(moves) / len(moves), max(moves), max(own) - min(own), leaders)


def _method_means(column: Sequence[ScoreRow], ground: str) -> dict[str, float]:
    """Means by method over the photos that every method has, so that no method is judged on easier ones."""
    by_method: dict[str, dict[str, float]] = {}
    for row in column:
        by_method.setdefault(row.method, {})[row.photo] = row.elsewhere.get(ground, row.value)
    most = max(len(values) for values in by_method.values())
    complete = {method: values for method, values in by_method.items() if len(values) == most}
    return {method: sum(values.values()) / most for method, values in complete.items()}
