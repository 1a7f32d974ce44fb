"""The figures of a sweep: contact sheets, content against style, and the effect of each setting."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from torch import Tensor

from pochoir import imaging
from pochoir.lab.common.statistics import Interval
from pochoir.lab.sweep.results import Factor, Row, effect, front_rows
from pochoir.recipe import format_setting

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLES = {
    "content": "distance to the photo's content",
    "style": "distance to the style",
    "likeness": "likeness to the photo",
    "roughness": "roughness (total variation)",
}
"""What each measure is called in figures."""
_INK, _DIM, _FRONT = "#3a3834", "#a8a49c", "#b5482e"
_COLORS = ("#2f6690", "#b5482e", "#5b8c5a", "#8a5a9e", "#c2912e", "#4a9c9c", "#96616b", "#6d6a64")
_TILE_PX = 200
_MOST_LABELS = 8
_LABEL_SPACE = 0.12
_LOG_FROM = 20.0
_PANEL_IN = 3.4


def contact_sheet(down: Factor | None, across: Factor | None, places: Sequence[Row | None]) -> Tensor:
    """Pictures in rows and columns with heads, each with its distances below it.

    Returns:
        One picture, shape (1, 3, H, W).
    """
    tiles: list[tuple[str, Tensor | None]] = []
    for row in places:
        if row is None:
            tiles.append(("not done", None))
        else:
            caption = f"content {row.measures['content']:.3f}, style {row.measures['style']:.3f}"
            tiles.append((caption, imaging.load(row.picture).rgb))
    columns = len(places) if across is None else len(across.values)
    return imaging.contact_sheet(
        tiles,
        columns=columns,
        tile_px=_TILE_PX,
        column_heads=[] if across is None else [across.caption(value) for value in across.values],
        row_heads=[] if down is None else [down.caption(value) for value in down.values],
    )


def front_chart(rows: Sequence[Row], varied: Sequence[Factor]) -> Figure:
    """Content distance over style distance, a panel for each photo and style, with the Pareto front.

    Args:
        rows: The runs that are done.
        varied: What differs between them; the first gives the colours.
    """
    pairs = list(front_rows(rows))
    columns = min(3, len(pairs))
    lines = math.ceil(len(pairs) / columns)
    figure = Figure(figsize=(max(5.0, _PANEL_IN * 1.25 * columns), _PANEL_IN * lines), layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False)
    settings = [factor for factor in varied if factor.is_setting]
    for axes, (pair, own, front) in zip(grid.flat, pairs, strict=False):
        _draw_front(axes, own, front, settings)
        axes.set_title(f"{pair[0]} as {pair[1]}", fontsize=9, color=_INK)
    for axes in list(grid.flat)[len(pairs) :]:
        axes.set_visible(False)
    return figure


def _draw_front(axes: "Axes", own: Sequence[Row], front: Sequence[Row], settings: Sequence[Factor]) -> None:
    axes.plot(*_points(front), color=_FRONT, linewidth=1.2, zorder=1)
    colored = settings[0] if settings else None
    values: Sequence[Any] = colored.values if colored else (None,)
    for index, value in enumerate(values):
        group = [row for row in own if colored is None or colored.value_of(row.run) == value]
        label = colored.caption(value) if colored else None
        axes.plot(
            *_points(group), "o", color=_COLORS[index % len(_COLORS)], markersize=5, label=label, zorder=2, alpha=0.9
        )
    axes.axvline(own[0].measures["style_of_photo"], color=_DIM, linewidth=1, linestyle=":", label="unpainted photo")
    for row in _apart(front):
        text = ", ".join(format_setting(factor.value_of(row.run)) for factor in settings if factor.label != "seed")
        place = (row.measures["style"], row.measures["content"])
        axes.annotate(text, place, xytext=(5, 4), textcoords="offset points", fontsize=6, color=_INK)
    _tidy(axes, TITLES["style"], TITLES["content"])
    if len(values) <= _MOST_LABELS:
        axes.legend(fontsize=7, frameon=False)


def _apart(front: Sequence[Row]) -> list[Row]:
    """Rows of the front so far from each other that their labels do not lie on one another."""
    across = max(row.measures["style"] for row in front) - min(row.measures["style"] for row in front)
    labelled: list[Row] = []
    for row in front:
        if not labelled or row.measures["style"] - labelled[-1].measures["style"] > _LABEL_SPACE * across:
            labelled.append(row)
    return labelled


def _points(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    return [row.measures["style"] for row in rows], [row.measures["content"] for row in rows]


def effect_chart(rows: Sequence[Row], factor: Factor) -> Figure:
    """What each measure is at each value of a setting, with intervals over seeds; a line for each photo and style."""
    figure = Figure(figsize=(_PANEL_IN * 2.4, _PANEL_IN * 1.7), layout="constrained")
    pairs = list(dict.fromkeys(row.pair for row in rows))
    grouped = [(f"{pair[0]} as {pair[1]}", [row for row in rows if row.pair == pair]) for pair in pairs]
    if not factor.is_setting:
        grouped = [("all", list(rows))]
    for axes, measure in zip(figure.subplots(2, 2).flat, TITLES, strict=True):
        for index, (label, own) in enumerate(grouped):
            _draw_effect(axes, effect(own, factor, measure), factor, label, _COLORS[index % len(_COLORS)])
        _set_scale(axes, factor)
        _tidy(axes, factor.label, TITLES[measure])
    if 1 < len(grouped) <= _MOST_LABELS:
        figure.axes[0].legend(fontsize=7, frameon=False)
    return figure


def _draw_effect(axes: "Axes", found: Mapping[Any, Interval], factor: Factor, label: str, color: str) -> None:
    places = [value if factor.is_numeric else factor.values.index(value) for value in found]
    means = [interval.mean for interval in found.values()]
    below = [interval.mean - interval.low for interval in found.values()]
    above = [interval.high - interval.mean for interval in found.values()]
    style = "o-" if factor.is_numeric else "o"
    axes.errorbar(
        places, means, yerr=[below, above], fmt=style, color=color, label=label, capsize=3, markersize=4, linewidth=1.2
    )


def _set_scale(axes: "Axes", factor: Factor) -> None:
    if not factor.is_numeric:
        names = [format_setting(value) for value in factor.values]
        axes.set_xticks(range(len(names)), names, rotation=20, ha="right")
        return
    positive = sorted(value for value in factor.values if value > 0)
    if len(positive) > 1 and positive[-1] / positive[0] >= _LOG_FROM:
        # Linear up to the least value, so that a zero has a place.
        axes.set_xscale("symlog", linthresh=positive[0])
    axes.set_xticks(list(factor.values), [f"{value:g}" for value in factor.values])
    axes.minorticks_off()


def _tidy(axes: "Axes", x_label: str, y_label: str) -> None:
    axes.set_xlabel(x_label, fontsize=8, color=_INK)
    axes.set_ylabel(y_label, fontsize=8, color=_INK)
    axes.tick_params(labelsize=7, colors=_INK)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(_DIM)
