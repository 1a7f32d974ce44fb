"""Figures of a sweep: contact sheets, content against style, and the effect of each setting."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from torch import Tensor

from pochoir import imaging
from pochoir.lab.common.charts import ACCENT, COLORS, DIM, INK, TEXT_PT, add_legend, new_figure, set_labels
from pochoir.lab.common.statistics import Interval
from pochoir.lab.sweep.results import Factor, Row, effect, front_rows
from pochoir.recipe import format_setting

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLES = {
    "content": "content distance",
    "style": "style distance",
    "likeness": "likeness to photo",
    "roughness": "roughness",
}
"""Names of the measures in figures."""
_TILE_PX = 200
_MOST_LABELS = 8
_LABEL_SPACE = 0.12
_LOG_FROM = 20.0
_ROW_IN = 2.7


def contact_sheet(down: Factor | None, across: Factor | None, places: Sequence[Row | None]) -> Tensor:
    """Lay pictures in rows and columns with headings, each with its distances below it.

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
    """Draw content distance over style distance, a panel for each photo and style, with the Pareto front.

    Args:
        rows: The finished runs.
        varied: Differences between them; the first setting gives the colours.
    """
    pairs = list(front_rows(rows))
    columns = min(2, len(pairs))
    figure, axes = new_figure(math.ceil(len(pairs) / columns), columns, row_height=_ROW_IN)
    panels = [axis for line in axes for axis in line]
    settings = [factor for factor in varied if factor.is_setting]
    for axis, (pair, own, front) in zip(panels, pairs, strict=False):
        _draw_front(axis, own, front, settings)
        set_labels(axis, x=TITLES["style"], y=TITLES["content"], title=f"{pair[0]} as {pair[1]}")
    for axis in panels[len(pairs) :]:
        axis.set_visible(False)
    if not settings or len(settings[0].values) <= _MOST_LABELS:
        add_legend(figure, panels[0], columns=3)
    return figure


def _draw_front(axis: "Axes", own: Sequence[Row], front: Sequence[Row], settings: Sequence[Factor]) -> None:
    axis.plot(*_points(front), color=ACCENT, linewidth=1.2, zorder=1)
    colored = settings[0] if settings else None
    values: Sequence[Any] = colored.values if colored else (None,)
    for index, value in enumerate(values):
        group = [row for row in own if colored is None or colored.value_of(row.run) == value]
        label = colored.caption(value) if colored else None
        axis.plot(*_points(group), "o", color=COLORS[index % len(COLORS)], markersize=5, label=label, zorder=2)
    axis.axvline(own[0].measures["style_of_photo"], color=DIM, linewidth=1, linestyle=":", label="unpainted photo")
    for row in _spaced(front):
        text = ", ".join(format_setting(factor.value_of(row.run)) for factor in settings if factor.label != "seed")
        place = (row.measures["style"], row.measures["content"])
        axis.annotate(text, place, xytext=(5, 4), textcoords="offset points", fontsize=TEXT_PT, color=INK)


def _spaced(front: Sequence[Row]) -> list[Row]:
    """Return rows of the front whose labels do not overlap."""
    span = max(row.measures["style"] for row in front) - min(row.measures["style"] for row in front)
    labelled: list[Row] = []
    for row in front:
        if not labelled or row.measures["style"] - labelled[-1].measures["style"] > _LABEL_SPACE * span:
            labelled.append(row)
    return labelled


def _points(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    return [row.measures["style"] for row in rows], [row.measures["content"] for row in rows]


def effect_chart(rows: Sequence[Row], factor: Factor) -> Figure:
    """Draw each measure over the values of a setting, a line for each photo and style.

    Bars are exact intervals over seeds. With fewer than six seeds there is no interval, and dots show each seed.
    """
    figure, axes = new_figure(2, 2, row_height=_ROW_IN)
    pairs = list(dict.fromkeys(row.pair for row in rows))
    grouped = [(f"{pair[0]} as {pair[1]}", [row for row in rows if row.pair == pair]) for pair in pairs]
    if not factor.is_setting:
        grouped = [("all", list(rows))]
    panels = [axis for line in axes for axis in line]
    for axis, measure in zip(panels, TITLES, strict=True):
        for index, (label, own) in enumerate(grouped):
            color = COLORS[index % len(COLORS)]
            _draw_effect(axis, effect(own, factor, measure), factor, label, color)
            if len({row.run.recipe.seed for row in own}) > 1:
                _draw_seeds(axis, own, factor, measure, color)
        _set_scale(axis, factor)
        set_labels(axis, x=factor.label, y=TITLES[measure])
    if 1 < len(grouped) <= _MOST_LABELS:
        add_legend(figure, panels[0], columns=2)
    return figure


def _draw_effect(axis: "Axes", found: Mapping[Any, Interval], factor: Factor, label: str, color: str) -> None:
    places = [_place(factor, value) for value in found]
    style = "o-" if factor.is_numeric else "o"
    axis.plot(places, [interval.mean for interval in found.values()], style, color=color, label=label, markersize=4)
    for place, interval in zip(places, found.values(), strict=True):
        if interval.low is not None and interval.high is not None:
            axis.vlines(place, interval.low, interval.high, color=color, linewidth=1.6)


def _draw_seeds(axis: "Axes", rows: Sequence[Row], factor: Factor, measure: str, color: str) -> None:
    for seed in sorted({row.run.recipe.seed for row in rows}):
        found = effect([row for row in rows if row.run.recipe.seed == seed], factor, measure)
        places = [_place(factor, value) for value in found]
        axis.plot(places, [interval.mean for interval in found.values()], ".", color=color, alpha=0.45, markersize=4)


def _place(factor: Factor, value: Any) -> float:
    return float(value) if factor.is_numeric else factor.values.index(value)


def _set_scale(axis: "Axes", factor: Factor) -> None:
    if not factor.is_numeric:
        names = [format_setting(value) for value in factor.values]
        axis.set_xticks(range(len(names)), names, rotation=20, ha="right")
        return
    positive = sorted(value for value in factor.values if value > 0)
    if len(positive) > 1 and positive[-1] / positive[0] >= _LOG_FROM:
        # Linear up to the least value, so that a zero has a place.
        axis.set_xscale("symlog", linthresh=positive[0])
    axis.set_xticks(list(factor.values), [f"{value:g}" for value in factor.values])
    axis.minorticks_off()
