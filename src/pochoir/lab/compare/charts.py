"""Charts of the comparison: scores beside nulls, and agreement of the methods."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from pochoir.lab.common.charts import DIM, INK, TEXT_PT, add_legend, new_figure, set_labels
from pochoir.lab.compare.cutouts import PASTICHE, PHOTO, AgreementRow
from pochoir.lab.compare.methods import METHODS
from pochoir.lab.compare.scores import BACKDROP, STRANGER, WHOLE, targets_of
from pochoir.lab.compare.summary import Mean, measure_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

METHOD_COLORS = {
    "u2net": "#0f6b7a",
    "u2netp": "#5aa9b5",
    "grabcut-auto": "#e0a33a",
    "grabcut-box": "#c4622d",
    "grabcut-u2net": "#8c3b6b",
}
_NULLS_SHOWN = {WHOLE: ":", BACKDROP: "--", STRANGER: "-."}


def scores_chart(means: Sequence[Mean], *, metric: str, way: tuple[str, str]) -> Figure:
    """Draw each method's mean score with its interval, a panel for each target; null scores are upright lines.

    Methods with failures are drawn hollow: their mean is over the easier photos only.

    Args:
        means: Of ``summarize_scores``.
        metric: Name of the metric.
        way: Picture in which mattes were found, and picture that was cut.
    """
    seen, cut = way
    cells = {(mean.method, mean.measure): mean for mean in means if mean.cut == cut and mean.seen in (seen, "")}
    targets = [
        name for name in targets_of(metric) if any((key, measure_name(metric, name)) in cells for key in METHODS)
    ]
    figure, axes = new_figure(len(targets), 1, row_height=2.2)
    methods = [name for name in METHODS if any((name, measure_name(metric, target)) in cells for target in targets)]
    for (axis,), target in zip(axes, targets, strict=True):
        for at, method in enumerate(methods):
            mean = cells.get((method, measure_name(metric, target)))
            if mean is not None:
                _draw_mean(axis, at, mean, METHOD_COLORS[method])
        for null, style in _NULLS_SHOWN.items():
            mean = cells.get((null, measure_name(metric, target)))
            if mean is not None:
                axis.axvline(mean.interval.mean, color=DIM, linestyle=style, linewidth=1, label=f"null: {null}")
        set_labels(axis, x=metric, title=f"against the {target}")
        axis.set_yticks(range(len(methods)), [METHODS[name] for name in methods])
        axis.set_ylim(len(methods) - 0.5, -0.5)
    add_legend(figure, axes[0][0], columns=2)
    return figure


def agreement_chart(rows: Sequence[AgreementRow]) -> Figure:
    """Draw the mean IoU of every pair of methods: on the photos and, where there are any, on the pastiches.

    Args:
        rows: Rows of all photos.
    """
    places = [seen for seen in (PHOTO, PASTICHE) if any(row.one_seen == seen for row in rows)]
    figure, axes = new_figure(len(places), 1, row_height=3.6)
    for (axis,), seen in zip(axes, places, strict=True):
        pairs: dict[tuple[str, str], list[float]] = {}
        for row in rows:
            if row.one_seen == row.other_seen == seen:
                pairs.setdefault((row.one, row.other), []).append(row.iou)
        _draw_matrix(axis, {pair: float(np.mean(values)) for pair, values in pairs.items()})
        set_labels(axis, title=f"mattes found in the {seen}s")
    return figure


def _draw_mean(axis: "Axes", at: int, mean: Mean, color: str) -> None:
    interval = mean.interval
    if interval.low is not None and interval.high is not None:
        axis.plot([interval.low, interval.high], [at, at], color=color, linewidth=2.2, solid_capstyle="round")
    filling = color if mean.is_ranked else "white"
    axis.plot(interval.mean, at, "o", color=filling, markersize=6.5, markeredgecolor=color, markeredgewidth=1.4)


def _draw_matrix(axis: "Axes", pairs: Mapping[tuple[str, str], float]) -> None:
    methods = [name for name in METHODS if any(name in pair for pair in pairs)]
    grid = np.eye(len(methods))
    for (one, other), value in pairs.items():
        at, to = methods.index(one), methods.index(other)
        grid[at, to] = grid[to, at] = value
    axis.imshow(grid, cmap="YlGnBu", vmin=0, vmax=1.1, aspect="auto")
    for (row, column), value in np.ndenumerate(grid):
        color = "white" if value > 0.55 else INK
        axis.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=TEXT_PT, color=color)
    axis.grid(visible=False)
    labels = [METHODS[name] for name in methods]
    axis.set_xticks(range(len(methods)), labels, rotation=25, ha="right")
    axis.set_yticks(range(len(methods)), labels)
