"""Pictures and charts of the comparison: the student report's Figures 6 and 7, and what its Table 1 shows."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from pochoir import imaging
from pochoir.imaging import Picture
from pochoir.lab.compare.compare import PASTICHE, PHOTO, TRUTH, AgreementRow, Comparison
from pochoir.lab.compare.methods import BASELINE, METHODS
from pochoir.lab.compare.summary import Mean, measure_name
from pochoir.similarity import Exhibit, Framing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, DIM, LINE = "#3a3834", "#6d6a64", "#d6d3cd"
METHOD_COLORS = {
    "u2net": "#0f6b7a",
    "u2netp": "#5aa9b5",
    "grabcut-auto": "#e0a33a",
    "grabcut-box": "#c4622d",
    "grabcut-u2net": "#8c3b6b",
}
_TILE_PX = 176
_NULLS_SHOWN = {"whole picture": ":", "backdrop alone": "--", "another photo in the outline": "-."}


def methods_sheet(comparison: Comparison, *, backdrop: str, tile_px: int = _TILE_PX) -> Tensor:
    """Every method's matte and what it cuts out, side by side: the report's Figure 7.

    Args:
        comparison: One photo.
        backdrop: Colour behind every cut-out.
        tile_px: Long side of each picture.

    Returns:
        One picture, shape (1, 3, H, W).
    """
    tiles = []
    ways = [(seen, cut) for seen in comparison.pictures for cut in comparison.pictures]
    for method in comparison.found[PHOTO]:
        for seen, cut in ways:
            if cut == PHOTO:
                tiles.append((f"{method}, seen in {seen}", _as_rgb(comparison.found[seen][method].matte)))
            tiles.append((f"cut from the {cut}", _on_backdrop(comparison.cuts[method, seen, cut], backdrop)))
    return imaging.contact_sheet(tiles, columns=len(ways) + len(comparison.pictures), tile_px=tile_px)


def stages_sheet(
    comparison: Comparison, *, backdrop: str, style: Picture | None = None, tile_px: int = _TILE_PX
) -> Tensor:
    """The pictures that went in, and U2-Net's fused map with its six side outputs: the report's Figure 6.

    Args:
        comparison: One photo.
        backdrop: Colour behind the true cut-outs.
        style: The style picture.
        tile_px: Long side of each picture.

    Returns:
        One picture, shape (1, 3, H, W).
    """
    tiles = []
    for seen, picture in comparison.pictures.items():
        stages = comparison.found[seen][BASELINE].stages
        tiles += [(seen, picture.rgb), *((caption, _as_rgb(stage)) for caption, stage in stages)]
    columns = len(tiles) // len(comparison.pictures)
    tiles += [] if style is None else [("style", style.rgb)]
    truth = comparison.subject.truth
    if truth is not None:
        tiles.append(("truth", _as_rgb(truth)))
        for cut in comparison.pictures:
            tiles.append((f"truth cut, {cut}", _on_backdrop(comparison.cuts[TRUTH, "", cut], backdrop)))
    return imaging.contact_sheet(tiles, columns=columns, tile_px=tile_px)


def _on_backdrop(cut: Picture, backdrop: str) -> Tensor:
    """A cut-out as it is scored, shape (1, 3, H, W)."""
    return Exhibit(cut).view(Framing(backdrop=backdrop)).rgb


def new_figure(rows: int, columns: int, *, width: float, height: float) -> tuple[Figure, list[list["Axes"]]]:
    """A figure of quiet axes, without matplotlib's global state.

    Args:
        rows: Rows of axes.
        columns: Columns of axes.
        width: In inches.
        height: In inches.
    """
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
        axis.spines[["left", "bottom"]].set_color(LINE)
        axis.tick_params(colors=DIM, labelsize=8)
        axis.grid(color=LINE, linewidth=0.6, alpha=0.7)
        axis.set_axisbelow(True)
    return figure, [list(row) for row in axes]


def scores_chart(means: Sequence[Mean], *, metric: str, seen: str, cut: str, targets: Sequence[str]) -> Figure:
    """Each method's mean score with its interval, one panel for each target; null scores as upright lines.

    Args:
        means: Of ``summarize_scores``.
        metric: The metric.
        seen: Where the mattes were found.
        cut: What was cut.
        targets: What is compared with.
    """
    figure, axes = new_figure(1, len(targets), width=3.1 * len(targets) + 1.2, height=2.6)
    cells = {(mean.method, mean.measure): mean for mean in means if mean.cut == cut and mean.seen in (seen, "")}
    methods = [name for name in METHODS if any((name, measure_name(metric, target)) in cells for target in targets)]
    for axis, target in zip(axes[0], targets, strict=True):
        for at, method in enumerate(methods):
            mean = cells.get((method, measure_name(metric, target)))
            if mean is not None:
                _dot(axis, at, mean, METHOD_COLORS[method])
        for null, style in _NULLS_SHOWN.items():
            mean = cells.get((null, measure_name(metric, target)))
            if mean is not None:
                axis.axvline(mean.interval.mean, color=DIM, linestyle=style, linewidth=1, label=f"null: {null}")
        axis.set_title(target, color=INK, fontsize=10)
        axis.set_xlabel(metric, color=DIM, fontsize=8)
        axis.set_yticks(range(len(methods)), [METHODS[name] for name in methods] if axis is axes[0][0] else [])
        axis.set_ylim(len(methods) - 0.5, -0.5)
    figure.legend(
        *axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=8
    )
    return figure


def agreement_chart(rows: Sequence[AgreementRow]) -> Figure:
    """Mean IoU of every pair of methods: on the photos and, where there are any, on the pastiches.

    Args:
        rows: Of all photos.
    """
    places = [seen for seen in (PHOTO, PASTICHE) if any(row.one_seen == seen for row in rows)]
    figure, axes = new_figure(1, len(places), width=4.2 * len(places) + 0.6, height=4.0)
    for axis, seen in zip(axes[0], places, strict=True):
        pairs: dict[tuple[str, str], list[float]] = {}
        for row in rows:
            if row.one_seen == row.other_seen == seen:
                pairs.setdefault((row.one, row.other), []).append(row.iou)
        _heat(axis, {pair: float(np.mean(values)) for pair, values in pairs.items()})
        axis.set_title(f"on the {seen}s" if seen == PASTICHE else "on the photos", color=INK, fontsize=10)
    return figure


def _dot(axis: "Axes", at: int, mean: Mean, color: str) -> None:
    interval = mean.interval
    axis.plot([interval.low, interval.high], [at, at], color=color, linewidth=2.2, solid_capstyle="round")
    axis.plot(interval.mean, at, "o", color=color, markersize=6.5, markeredgecolor="white", markeredgewidth=1)


def _heat(axis: "Axes", pairs: Mapping[tuple[str, str], float]) -> None:
    methods = [name for name in METHODS if any(name in pair for pair in pairs)]
    grid = np.eye(len(methods))
    for (one, other), value in pairs.items():
        at, to = methods.index(one), methods.index(other)
        grid[at, to] = grid[to, at] = value
    axis.imshow(grid, cmap="YlGnBu", vmin=0, vmax=1.1)
    for (row, column), value in np.ndenumerate(grid):
        color = "white" if value > 0.55 else INK
        axis.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=8, color=color)
    axis.grid(visible=False)
    labels = [METHODS[name] for name in methods]
    axis.set_xticks(range(len(methods)), labels, rotation=35, ha="right")
    axis.set_yticks(range(len(methods)), labels)


def _as_rgb(matte: Tensor) -> Tensor:
    return matte.expand(-1, 3, -1, -1)
