"""Charts of the limits of GrabCut: near colours, overlapping figures, and boxes drawn a little differently."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from pochoir.lab.common.charts import DIM, TEXT_PT, add_legend, new_figure, set_labels
from pochoir.lab.common.statistics import mean_interval
from pochoir.lab.compare.charts import METHOD_COLORS
from pochoir.lab.compare.jitter import JitterRow
from pochoir.lab.compare.overlap import TASKS, OverlapRow

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OVERLAP_METHODS = {"grabcut": "GrabCut, true box (oracle)", "u2net": "U2-Net", "grabcut-u2net": "GrabCut from U2-Net"}
_TASK_LABELS = {"everyone": "all figures", "front": "the one in front"}
_NOT_ASKED = "U2-Net's matte holds\nall figures: GrabCut cannot\nstart on one from it"
_JITTER_METHODS = {"grabcut": "GrabCut", "u2net": "U2-Net, limited to the box"}
_JITTER_COLORS = {"grabcut": METHOD_COLORS["grabcut-box"], "u2net": METHOD_COLORS["u2net"]}


def overlap_chart(rows: Sequence[OverlapRow]) -> Figure:
    """Draw IoU over colour distance, a line for each number of figures, with intervals over scenes.

    Args:
        rows: Of ``iter_overlap``.
    """
    figure, axes = new_figure(len(_OVERLAP_METHODS), len(TASKS), row_height=2.5)
    figures = sorted({row.figures for row in rows})
    shades = colormaps["viridis"](np.linspace(0.05, 0.85, len(figures)))
    for line, (method, label) in zip(axes, _OVERLAP_METHODS.items(), strict=True):
        for axis, task in zip(line, TASKS, strict=True):
            chosen = [row for row in rows if (row.task, row.method) == (task, method)]
            if not chosen:
                axis.set_axis_off()
                axis.text(0.5, 0.5, _NOT_ASKED, ha="center", va="center", fontsize=TEXT_PT, color=DIM)
                continue
            for count, shade in zip(figures, shades, strict=True):
                _draw_line(axis, [row for row in chosen if row.figures == count], tuple(shade), _figures(count))
            null = float(np.mean([row.iou for row in rows if (row.task, row.method) == (task, "box")]))
            axis.axhline(null, color=DIM, linestyle="--", linewidth=1, label="null: the box itself")
            axis.set_ylim(-0.03, 1.03)
            axis.set_xscale("log")
            distances = sorted({row.distance for row in chosen})
            axis.set_xticks(distances, [f"{distance:g}" for distance in distances])
            axis.minorticks_off()
            set_labels(axis, x="colour distance (CIELAB)", title=f"{label}:\n{_TASK_LABELS[task]}")
        set_labels(line[0], y="IoU")
    add_legend(figure, axes[0][0], columns=3)
    return figure


def jitter_chart(rows: Sequence[JitterRow]) -> Figure:
    """Draw the change of results with the box: thin lines are photos (medians), the band holds 80 % of all cuts.

    Args:
        rows: Of ``iter_jitter``, of all photos.
    """
    has_truth = any(row.truth is not None for row in rows)
    figure, axes = new_figure(1 + has_truth, len(_JITTER_METHODS), row_height=2.5)
    for axis, (method, label) in zip(axes[0], _JITTER_METHODS.items(), strict=True):
        chosen = [row for row in rows if row.method == method]
        _draw_spread(axis, [(row.photo, row.share, row.same) for row in chosen], _JITTER_COLORS[method])
        set_labels(axis, title=label)
    set_labels(axes[0][0], y="IoU with unmoved box")
    if has_truth:
        for axis, method in zip(axes[1], _JITTER_METHODS, strict=True):
            known = [row for row in rows if row.method == method and row.truth is not None]
            _draw_spread(axis, [(row.photo, row.share, row.truth or 0.0) for row in known], _JITTER_COLORS[method])
        set_labels(axes[1][0], y="IoU with the truth")
    for axis in axes[-1]:
        set_labels(axis, x="edges moved by up to (%)")
    return figure


def _figures(count: int) -> str:
    return "1 figure" if count == 1 else f"{count} figures"


def _draw_line(axis: "Axes", rows: Sequence[OverlapRow], color: tuple[float, ...], label: str) -> None:
    distances = sorted({row.distance for row in rows})
    means = [mean_interval([row.iou for row in rows if row.distance == distance]) for distance in distances]
    low, high = ([mean.mean if end is None else end for mean, end in zip(means, ends, strict=True)]
                 for ends in ([mean.low for mean in means], [mean.high for mean in means]))  # fmt: skip
    axis.fill_between(distances, low, high, color=color, alpha=0.15, linewidth=0)
    axis.plot(distances, [mean.mean for mean in means], "o-", color=color, markersize=3.5, linewidth=1.6, label=label)


def _draw_spread(axis: "Axes", values: Sequence[tuple[str, float, float]], color: str) -> None:
    shares = sorted({share for _, share, _ in values})
    percent = [100 * share for share in shares]
    for photo in dict.fromkeys(name for name, _, _ in values):
        medians = [np.median([v for name, at, v in values if (name, at) == (photo, share)]) for share in shares]
        axis.plot(percent, medians, color=color, linewidth=0.8, alpha=0.45)
    pooled = [[v for _, at, v in values if at == share] for share in shares]
    low, middle, high = (np.array([np.quantile(group, q) for group in pooled]) for q in (0.1, 0.5, 0.9))
    axis.fill_between(percent, low, high, color=color, alpha=0.18, linewidth=0)
    axis.plot(percent, middle, "o-", color=color, markersize=4, linewidth=2)
    axis.set_ylim(-0.03, 1.03)
    axis.set_xticks(percent, [f"{value:g}" for value in percent])
