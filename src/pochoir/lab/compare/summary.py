"""Means over photos with intervals, and corrected tests of each method against U2-Net."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pochoir.lab.common.statistics import Interval, PairedTest, holm, mean_interval, paired_test
from pochoir.lab.compare.cutouts import FailureRow, TruthRow
from pochoir.lab.compare.methods import BASELINE, METHODS
from pochoir.lab.compare.scores import ScoreRow
from pochoir.lab.truth import MEASURES

_Cells: TypeAlias = dict[tuple[str, str, str, str], dict[str, float]]
"""Values by photo, for each method, seen, cut and measure."""


@dataclass(frozen=True)
class Mean:
    """Cell of a table: a mean over photos, and the method's difference from U2-Net on the same photos.

    Attributes:
        method: One of ``METHODS`` or ``NULLS``.
        seen: Picture in which mattes were found; empty for a null.
        cut: Picture that was cut; empty for a measure of mattes.
        measure: ``"METRIC: TARGET"``, or one of ``MEASURES``.
        interval: Mean and interval.
        failures: Photos that count for no method's rank because this one's matte was empty or full there.
        test: Test against U2-Net, over the photos that both have; None for U2-Net itself and for nulls.
        p_corrected: The test's p-value, corrected by Holm's method for all tests of its family.
    """

    method: str
    seen: str
    cut: str
    measure: str
    interval: Interval
    failures: int = 0
    test: PairedTest | None = None
    p_corrected: float | None = None

    @property
    def is_ranked(self) -> bool:
        """True if the mean may be ranked; a method with failures has a mean over the easier photos only."""
        return self.method in METHODS and not self.failures

    def to_dict(self) -> dict[str, Any]:
        """Return the cell as plain values."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class Shift:
    """Effect of the backdrop on one column of the similarity table.

    Attributes:
        measure: ``"METRIC: TARGET"``.
        mean: Mean over cut-outs of the largest change that another backdrop makes.
        most: Largest such change.
        spread: Largest difference between two methods' means, to compare the changes with.
        leaders: Method with the best mean on each backdrop, the run's own first; only methods without failures.
    """

    measure: str
    mean: float
    most: float
    spread: float
    leaders: dict[str, str]


def measure_name(metric: str, target: str) -> str:
    """Return the name of a column of the similarity table."""
    return f"{metric}: {target}"


def summarize_scores(rows: Sequence[ScoreRow], failures: Iterable[FailureRow] = (), *, seed: int = 0) -> list[Mean]:
    """Return means of the similarity scores over photos.

    The tests of one metric at one way of cutting are a family for Holm's correction.

    Args:
        rows: Rows of all photos.
        failures: Failed mattes of all photos.
        seed: Seed of intervals and tests where subsets are sampled.
    """
    cells: _Cells = {}
    for row in rows:
        key = (row.method, row.seen, row.cut, measure_name(row.metric, row.target))
        cells.setdefault(key, {})[row.photo] = row.value
    means = _summarize(cells, _count_failures(failures), seed)
    return _correct(means, lambda mean: (mean.seen, mean.cut, mean.measure.rpartition(": ")[0]))


def summarize_truths(rows: Sequence[TruthRow], failures: Iterable[FailureRow] = (), *, seed: int = 0) -> list[Mean]:
    """Return means of the measures against the truth over photos.

    A failed matte counts with its measures, since an IoU of 0 is what it deserves. The tests of one measure are a
    family for Holm's correction.

    Args:
        rows: Rows of all photos.
        failures: Failed mattes of all photos.
        seed: Seed of intervals and tests where subsets are sampled.
    """
    cells: _Cells = {}
    for measure in MEASURES:
        for row in rows:
            cells.setdefault((row.method, row.seen, "", measure), {})[row.photo] = getattr(row.scores, measure)
    return _correct(_summarize(cells, _count_failures(failures), seed), lambda mean: mean.measure)


def compare_with_null(
    rows: Sequence[ScoreRow], *, metric: str, target: str, way: tuple[str, str], null: str, seed: int = 0
) -> PairedTest | None:
    """Test U2-Net's cut-outs against a null on the same photos; None if no photo has both.

    Args:
        rows: Rows of all photos.
        metric: Name of the metric.
        target: One of ``TARGETS``.
        way: Picture in which mattes were found, and picture that was cut.
        null: One of ``NULLS``.
        seed: Seed where subsets are sampled.
    """
    seen, cut = way
    column = [row for row in rows if (row.metric, row.target, row.cut) == (metric, target, cut)]
    own = {row.photo: row.value for row in column if (row.method, row.seen) == (BASELINE, seen)}
    others = {row.photo: row.value for row in column if row.method == null}
    shared = [name for name in own if name in others]
    return paired_test([own[name] for name in shared], [others[name] for name in shared], seed=seed) if shared else None


def _count_failures(failures: Iterable[FailureRow]) -> dict[tuple[str, str], int]:
    counts: dict[tuple[str, str], int] = {}
    for row in failures:
        counts[row.method, row.seen] = counts.get((row.method, row.seen), 0) + 1
    return counts


def _summarize(cells: _Cells, failures: Mapping[tuple[str, str], int], seed: int) -> list[Mean]:
    means = []
    for (method, seen, cut, measure), by_photo in cells.items():
        baseline = cells.get((BASELINE, seen, cut, measure), {})
        shared = [name for name in by_photo if name in baseline]
        test = None
        if method in METHODS and method != BASELINE and shared:
            test = paired_test([by_photo[name] for name in shared], [baseline[name] for name in shared], seed=seed)
        interval = mean_interval(list(by_photo.values()), seed=seed)
        means.append(Mean(method, seen, cut, measure, interval, failures.get((method, seen), 0), test))
    return means


def _correct(means: Sequence[Mean], family_of: Any) -> list[Mean]:
    families: dict[Any, list[int]] = {}
    for index, mean in enumerate(means):
        if mean.test is not None:
            families.setdefault(family_of(mean), []).append(index)
    corrected = list(means)
    for indices in families.values():
        p_values = [test.p_value for index in indices if (test := means[index].test) is not None]
        for index, p_value in zip(indices, holm(p_values), strict=True):
            corrected[index] = dataclasses.replace(means[index], p_corrected=p_value)
    return corrected


def summarize_shifts(
    rows: Sequence[ScoreRow], *, way: tuple[str, str], backdrop: str, closer: Mapping[str, str]
) -> list[Shift]:
    """Return the effect of another backdrop on each column of one way of cutting.

    Args:
        rows: Rows of all photos.
        way: Picture in which mattes were found, and picture that was cut.
        backdrop: The run's own.
        closer: For each metric whether a ``"higher"`` or a ``"lower"`` value means more alike.
    """
    columns: dict[tuple[str, str], list[ScoreRow]] = {}
    for row in rows:
        if row.method in METHODS and (row.seen, row.cut) == way and row.elsewhere:
            columns.setdefault((row.metric, row.target), []).append(row)
    return [
        _shift(measure_name(metric, target), column, backdrop, closer[metric])
        for (metric, target), column in columns.items()
    ]


def _shift(measure: str, column: Sequence[ScoreRow], backdrop: str, closer: str) -> Shift:
    changes = [max(abs(value - row.value) for value in row.elsewhere.values()) for row in column]
    grounds = [backdrop, *column[0].elsewhere]
    best = max if closer == "higher" else min
    means = {ground: _method_means(column, ground) for ground in grounds}
    own = means[backdrop].values()
    leaders = {ground: best(by_method, key=by_method.__getitem__) for ground, by_method in means.items()}
    return Shift(measure, sum(changes) / len(changes), max(changes), max(own) - min(own), leaders)


def _method_means(column: Sequence[ScoreRow], ground: str) -> dict[str, float]:
    """Return means by method over all photos; a method that lacks some photos is left out."""
    by_method: dict[str, dict[str, float]] = {}
    for row in column:
        by_method.setdefault(row.method, {})[row.photo] = row.elsewhere.get(ground, row.value)
    most = max(len(values) for values in by_method.values())
    complete = {method: values for method, values in by_method.items() if len(values) == most}
    return {method: sum(values.values()) / most for method, values in complete.items()}
