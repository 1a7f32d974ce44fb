"""The comparison's tables, ready for a page."""

from collections.abc import Iterable, Sequence

from pochoir.lab.common.page import Table
from pochoir.lab.common.statistics import PairedTest
from pochoir.lab.compare.compare import NULLS, TARGETS
from pochoir.lab.compare.methods import BASELINE, METHODS
from pochoir.lab.compare.summary import Mean, Shift, measure_name
from pochoir.lab.truth import MEASURES

MEASURE_LABELS = {"iou": "IoU", "mae": "MAE", "max_f": "maxF", "s_measure": "S-measure"}
_DIGITS = {"vgg": 1, "clip": 1}


def score_table(means: Sequence[Mean], *, metric: str, seen: str, cut: str, caption: str = "") -> Table:
    """Table 1: how like the cut-outs are to content, style and truth cut, the nulls below.

    Args:
        means: Of ``summarize_scores``.
        metric: The metric.
        seen: Where the mattes were found.
        cut: What was cut.
        caption: Below the table.
    """
    cells = {(mean.method, mean.measure): mean for mean in means if mean.cut == cut and mean.seen in (seen, "")}
    targets = [target for target in TARGETS if any((name, measure_name(metric, target)) in cells for name in METHODS)]
    count = max((mean.interval.count for mean in cells.values()), default=0)
    rows = []
    for method in (*METHODS, *NULLS):
        found = [cells.get((method, measure_name(metric, target))) for target in targets]
        if any(found):
            rows.append([_label(method), *(_cell(mean, count, digits_of(metric)) for mean in found)])
    return Table(["cut-out", *targets], rows, caption)


def ways_table(means: Sequence[Mean], *, metric: str, caption: str = "") -> Table:
    """The same means for every way of cutting: where the matte was found, and what was cut with it."""
    measures = [measure_name(metric, target) for target in TARGETS]
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


def difference_table(means: Iterable[Mean], *, seen: str, cut: str, caption: str = "") -> Table:
    """Each method less U2-Net on the same photos, with its interval and p-value."""
    rows = [
        [
            METHODS[mean.method],
            mean.measure,
            mean.test.difference.format(3),
            _p_value(mean.test),
            str(mean.test.count),
        ]
        for mean in means
        if mean.test is not None and (mean.seen, mean.cut) == (seen, cut)
    ]
    return Table(["method", "measure", f"difference from {METHODS[BASELINE]}", "p", "photos"], rows, caption)


def shift_table(shifts: Sequence[Shift], *, caption: str = "") -> Table:
    """How much another backdrop moves each column, and whether it changes which method comes first."""
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
    headings = ["measure", "mean move", "largest move", "methods differ by", *(f"first on {name}" for name in grounds)]
    return Table(headings, rows, caption)


def truth_table(means: Sequence[Mean], *, caption: str = "") -> Table:
    """Mattes against the truth."""
    cells = {(mean.seen, mean.method, mean.measure): mean for mean in means}
    rows = []
    for seen in dict.fromkeys(mean.seen for mean in means):
        for method in METHODS:
            found = [cells[seen, method, measure] for measure in MEASURES if (seen, method, measure) in cells]
            if found:
                p_values = [_p_value(mean.test) for mean in found[:1] if mean.test is not None] or [""]
                values = [_cell(mean, 0, 3) for mean in found]
                rows.append([METHODS[method], seen, str(found[0].interval.count), *values, *p_values])
    labels = [MEASURE_LABELS[measure] for measure in MEASURES]
    return Table(["method", "matte found in", "photos", *labels, "p (IoU)"], rows, caption)


def _p_value(test: PairedTest) -> str:
    return f"{test.p_value:.3f}" if test.count > 1 else ""  # one pair tells nothing of chance


def digits_of(metric: str) -> int:
    """Decimals that a metric's values are shown with: those in hundredths need fewer."""
    return _DIGITS.get(metric.partition(":")[0], 3)


def _label(method: str) -> str:
    return METHODS.get(method, f"null: {method}")


def _cell(mean: Mean | None, count: int, digits: int) -> str:
    if mean is None:
        return ""
    fewer = f" (n={mean.interval.count})" if count and mean.interval.count != count else ""
    return mean.interval.format(digits) + fewer


def _middle(mean: Mean | None, metric: str) -> str:
    return "" if mean is None else f"{mean.interval.mean:.{digits_of(metric)}f}"
