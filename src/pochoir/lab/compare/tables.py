"""Tables of the comparison, ready for a page."""

from collections.abc import Iterable, Sequence

from pochoir.lab.common.page import Table
from pochoir.lab.compare.cutouts import FailureRow
from pochoir.lab.compare.methods import BASELINE, METHODS
from pochoir.lab.compare.scores import NULLS, targets_of
from pochoir.lab.compare.summary import Mean, Shift, measure_name
from pochoir.lab.truth import MEASURES

MEASURE_LABELS = {"iou": "IoU", "mae": "MAE", "max_f": "maxF", "s_measure": "S-measure"}
_DIGITS = {"vgg": 1, "clip": 1}


def score_table(means: Sequence[Mean], *, metric: str, way: tuple[str, str], caption: str = "") -> Table:
    """Return Table 1: the similarity of cut-outs to content, style and truth cut, the nulls below.

    Args:
        means: Of ``summarize_scores``.
        metric: Name of the metric.
        way: Picture in which mattes were found, and picture that was cut.
        caption: Text below the table.
    """
    seen, cut = way
    cells = {(mean.method, mean.measure): mean for mean in means if mean.cut == cut and mean.seen in (seen, "")}
    targets = [
        name for name in targets_of(metric) if any((key, measure_name(metric, name)) in cells for key in METHODS)
    ]
    count = max((mean.interval.count for mean in cells.values()), default=0)
    rows = []
    for method in (*METHODS, *NULLS):
        found = [cells.get((method, measure_name(metric, target))) for target in targets]
        if any(found):
            rows.append([_label(method), *(_cell(mean, count, digits_of(metric)) for mean in found)])
    return Table(["cut-out", *targets], rows, caption)


def ways_table(means: Sequence[Mean], *, metric: str, caption: str = "") -> Table:
    """Return the means of every way of cutting: the picture in which mattes were found, and the one that was cut."""
    measures = [measure_name(metric, target) for target in targets_of(metric)]
    present = [name for name in measures if any(mean.measure == name for mean in means)]
    cells = {(mean.method, mean.seen, mean.cut, mean.measure): mean for mean in means}
    ways = list(dict.fromkeys((mean.seen, mean.cut) for mean in means if mean.method == BASELINE))
    rows = [
        [METHODS[method], seen, cut, *(_middle(cells.get((method, seen, cut, name)), metric) for name in present)]
        for seen, cut in ways
        for method in METHODS
        if any((method, seen, cut, name) in cells for name in present)
    ]
    targets = [name.removeprefix(measure_name(metric, "")) for name in present]
    return Table(["method", "matte found in", "cut from", *targets], rows, caption)


def difference_table(means: Iterable[Mean], *, way: tuple[str, str], caption: str = "") -> Table:
    """Return each method less U2-Net on the same photos, with interval, p-value and corrected p-value."""
    rows = [
        [
            METHODS[mean.method],
            mean.measure,
            mean.test.difference.format(3),
            f"{mean.test.p_value:.3f}",
            "" if mean.p_corrected is None else f"{mean.p_corrected:.3f}",
            str(mean.test.count),
        ]
        for mean in means
        if mean.test is not None and (mean.seen, mean.cut) == way
    ]
    headings = ["method", "measure", f"difference from {METHODS[BASELINE]}", "p", "p, corrected", "photos"]
    return Table(headings, rows, caption)


def shift_table(shifts: Sequence[Shift], *, caption: str = "") -> Table:
    """Return the effect of another backdrop on each column, and on which method comes first."""
    grounds = list(dict.fromkeys(ground for shift in shifts for ground in shift.leaders))
    rows = [
        [
            shift.measure,
            f"{shift.mean:.3g}",
            f"{shift.most:.3g}",
            f"{shift.spread:.3g}",
            *(METHODS[shift.leaders[ground]] for ground in grounds),
        ]
        for shift in shifts
    ]
    headings = ["measure", "mean change", "largest change", "methods differ by"]
    return Table([*headings, *(f"first on {name}" for name in grounds)], rows, caption)


def truth_table(means: Sequence[Mean], *, caption: str = "") -> Table:
    """Return the measures of mattes against the truth."""
    cells = {(mean.seen, mean.method, mean.measure): mean for mean in means}
    rows = []
    for seen in dict.fromkeys(mean.seen for mean in means):
        for method in METHODS:
            found = [cells[seen, method, measure] for measure in MEASURES if (seen, method, measure) in cells]
            if found:
                p_values = [f"{mean.p_corrected:.3f}" for mean in found[:1] if mean.p_corrected is not None] or [""]
                values = [mean.interval.format(3) for mean in found]
                failed = str(found[0].failures)
                rows.append([METHODS[method], seen, str(found[0].interval.count), failed, *values, *p_values])
    labels = [MEASURE_LABELS[measure] for measure in MEASURES]
    return Table(["method", "matte found in", "photos", "failures", *labels, "p of IoU, corrected"], rows, caption)


def failure_table(failures: Sequence[FailureRow], *, caption: str = "") -> Table:
    """Return the mattes that are empty or full."""
    rows = [[row.photo, METHODS[row.method], row.seen, row.kind] for row in failures]
    return Table(["photo", "method", "matte found in", "matte is"], rows, caption)


def digits_of(metric: str) -> int:
    """Return the number of decimals that a metric's values are shown with."""
    return _DIGITS.get(metric.partition(":")[0], 3)


def _label(method: str) -> str:
    return METHODS.get(method, f"null: {method}")


def _cell(mean: Mean | None, count: int, digits: int) -> str:
    if mean is None:
        return ""
    failed = f", {mean.failures} failed" if mean.failures else ""
    fewer = f" (n={mean.interval.count}{failed})" if count and mean.interval.count != count else ""
    return mean.interval.format(digits) + fewer


def _middle(mean: Mean | None, metric: str) -> str:
    return "" if mean is None else f"{mean.interval.mean:.{digits_of(metric)}f}"
