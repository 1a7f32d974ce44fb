"""Sentences about what a report has found, made from the numbers, so that they stay true when the numbers change."""

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from pochoir.lab.compare.compare import ScoreRow
from pochoir.lab.compare.jitter import JitterRow
from pochoir.lab.compare.methods import BASELINE, METHODS
from pochoir.lab.compare.overlap import OverlapRow
from pochoir.lab.compare.results import Results
from pochoir.lab.compare.summary import Mean, measure_name
from pochoir.lab.compare.tables import digits_of
from pochoir.lab.sweep.results import Row

GOOD_IOU = 0.9
WHITE, BLACK = "#ffffff", "#000000"
_CHALLENGER = "grabcut-box"


def tell_trend(rows: Sequence[Row], *, axis: str, measure: str, wanted: str) -> str:
    """Whether a measure falls or rises with a setting wherever all else stays the same.

    Args:
        rows: Of the sweep.
        axis: The recipe field.
        measure: The measure.
        wanted: ``"falls"`` or ``"rises"``: what is claimed.
    """
    groups: dict[tuple[object, ...], list[tuple[float, float]]] = {}
    for row in rows:
        rest = tuple(value for name, value in row.run.settings.items() if name != axis)
        groups.setdefault((row.pair, rest), []).append((row.run.settings[axis], row.measures[measure]))
    lines = [[value for _, value in sorted(points)] for points in groups.values()]
    sign = -1 if wanted == "falls" else 1
    steady = sum(all(sign * (after - before) > 0 for before, after in itertools.pairwise(line)) for line in lines)
    first, last = (float(np.mean([line[at] for line in lines])) for at in (0, -1))
    low, high = (min(row.run.settings[axis] for row in rows), max(row.run.settings[axis] for row in rows))
    label = axis.replace("_", "-")
    return (
        f"{measure} {wanted} steadily with {label} in {steady} of {len(lines)} rows where all else is the same "
        f"(mean {first:.4g} at {label} {low:g}, {last:.4g} at {high:g})"
    )


def tell_styles(rows: Sequence[Row]) -> str:
    """How much the choice of the style moves the measures, beside how much the weights do."""
    told = []
    for measure in ("content", "style"):
        by_style: dict[str, list[float]] = {}
        for row in rows:
            by_style.setdefault(row.run.style.label, []).append(row.measures[measure])
        means = [float(np.mean(values)) for values in by_style.values()]
        ranges = [max(values) - min(values) for values in by_style.values()]
        told.append(
            f"{measure} distance differs by {max(means) - min(means):.3g} between the styles' means, and by up to "
            f"{max(ranges):.3g} between weights within a style"
        )
    return "; ".join(told)


def tell_scores(results: Results, *, metric: str) -> Iterator[str]:
    """One sentence for each target: which method leads, and whether U2-Net and GrabCut are told apart."""
    seen, cut = results.way
    digits = digits_of(metric)
    best: Callable[..., Mean] = max if results.closer[metric] == "higher" else min
    for target in ("content", "style", "truth cut"):
        cells = [
            mean
            for mean in results.scores
            if (mean.seen, mean.cut, mean.measure) == (seen, cut, measure_name(metric, target))
        ]
        if not cells:
            continue
        leader = best(cells, key=lambda mean: mean.interval.mean)
        test = next((mean.test for mean in cells if mean.method == _CHALLENGER), None)
        line = f"**{target}**: {METHODS[leader.method]} comes first with {leader.interval.format(digits)}."
        if test is not None:
            apart = "are told apart" if test.p_value < 0.05 else "are not told apart"
            line += (
                f" {METHODS[_CHALLENGER]} less {METHODS[BASELINE]}: {test.difference.format(digits)}, "
                f"p = {test.p_value:.3f} over {test.count} pictures, so the two {apart}."
            )
        yield line


def tell_nulls(results: Results, *, metric: str) -> str:
    """Where the trivial pictures stand beside U2-Net's cut-out."""
    seen, cut = results.way
    cells = {
        (mean.method, mean.seen): mean.interval.mean
        for mean in results.scores
        if mean.cut == cut and mean.measure == measure_name(metric, "content")
    }
    own, digits = cells[BASELINE, seen], digits_of(metric)
    nulls = ("whole picture", "another photo in the outline", "backdrop alone")
    told = ", ".join(f"{name} {cells[name, '']:.{digits}f}" for name in nulls if (name, "") in cells)
    return f"Against the content, U2-Net's cut-out has {own:.{digits}f}; the nulls have: {told}."


def tell_backdrops(results: Results) -> Iterator[str]:
    """How far another backdrop moves each column, and what two different ones would have made of the table."""
    seen, cut = results.way
    for shift in results.shifts:
        leaders = set(shift.leaders.values())
        order = "the first place stays" if len(leaders) == 1 else "the first place changes with the backdrop"
        yield (
            f"**{shift.measure}**: another backdrop moves a cut-out's score by {shift.mean:.2g} on average and up to "
            f"{shift.most:.2g}, while the methods' means differ by {shift.spread:.2g}; {order}."
        )
    rows = [row for item in results.comparisons for row in item.scores if (row.seen, row.cut) == (seen, cut)]
    for metric, target in dict.fromkeys((row.metric, row.target) for row in rows):
        own = [row for row in rows if (row.metric, row.target) == (metric, target)]
        gaps = [_gap(own, *grounds) for grounds in _GROUNDS]
        known = [f"{gap:+.{digits_of(metric)}f}" for gap in gaps if gap is not None]
        if len(known) == len(gaps):
            yield (
                f"**{measure_name(metric, target)}**, U2-Net less GrabCut with a given box: "
                f"{known[0]} on one backdrop; {known[1]} with U2-Net on white and GrabCut on black, "
                f"{known[2]} the other way round."
            )


_GROUNDS = ((None, None), (WHITE, BLACK), (BLACK, WHITE))


def _gap(rows: Sequence[ScoreRow], ground: str | None, other_ground: str | None) -> float | None:
    """Mean difference of the two methods, each on a backdrop; None is the run's own."""
    values: dict[str, dict[str, float]] = {}
    for row in rows:
        if row.method in (BASELINE, _CHALLENGER):
            wanted = ground if row.method == BASELINE else other_ground
            value = row.value if wanted is None else row.elsewhere.get(wanted, row.value)
            values.setdefault(row.photo, {})[row.method] = value
    gaps = [pair[BASELINE] - pair[_CHALLENGER] for pair in values.values() if len(pair) == 2]
    return float(np.mean(gaps)) if gaps else None


def tell_pastiche(results: Results) -> str:
    """How much harder subjects are to find once they were repainted."""
    told = []
    for method in METHODS:
        places = {
            mean.seen: mean.interval.mean for mean in results.truths if (mean.method, mean.measure) == (method, "iou")
        }
        if len(places) == 2:
            told.append(
                f"{METHODS[method]} {places['photo']:.2f} on the photo and {places['pastiche']:.2f} on the pastiche"
            )
    return f"IoU with the truth: {'; '.join(told)}." if told else ""


def tell_overlap(rows: Sequence[OverlapRow]) -> Iterator[str]:
    """From which colour distance on each method is good, and what more figures do to it."""
    for method, label in (("grabcut", "GrabCut from the true box"), ("u2net", "U2-Net")):
        own = [row for row in rows if (row.method, row.task) == (method, "everyone")]
        means = {
            d: np.mean([row.iou for row in own if row.distance == d]) for d in sorted({row.distance for row in own})
        }
        good = [distance for distance in means if all(means[at] >= GOOD_IOU for at in means if at >= distance)]
        reach = f"from colour distance {good[0]:g} on" if good else "at no distance that was drawn"
        told = ", ".join(f"{value:.2f} at {distance:g}" for distance, value in means.items())
        yield f"{label} reaches a mean IoU of {GOOD_IOU:g} {reach} ({told})."
        front = [row for row in rows if (row.method, row.task) == (method, "front")]
        by_count = {
            n: np.mean([row.iou for row in front if row.figures == n]) for n in sorted({row.figures for row in front})
        }
        told = ", ".join(f"{value:.2f} among {count}" for count, value in by_count.items())
        yield f"Asked for the one in front, its box given, {label} has a mean IoU over all distances of: {told}."


def tell_jitter(rows: Sequence[JitterRow]) -> Iterator[str]:
    """How far each method's result moves with the box."""
    for method, label in (("grabcut", "GrabCut"), ("u2net", "U2-Net, trimmed to the box,")):
        told = []
        for share in sorted({row.share for row in rows}):
            values = [row.same for row in rows if (row.method, row.share) == (method, share)]
            low = sum(value < GOOD_IOU for value in values) / len(values)
            told.append(
                f"{100 * share:g} %: median {np.median(values):.2f}, {100 * low:.0f} % of cuts below {GOOD_IOU:g}"
            )
        yield f"{label} against its own result for the unmoved box, edges moved by up to {'; '.join(told)}."
