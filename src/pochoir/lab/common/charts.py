"""Charts of the lab: one width and one style, legible when a page shows them 500 pixels wide."""

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, DIM, LINE = "#33312d", "#66635d", "#d6d3cd"
ACCENT = "#b5482e"
COLORS = ("#2f6690", "#b5482e", "#5b8c5a", "#8a5a9e", "#c2912e", "#4a9c9c", "#96616b", "#6d6a64")
"""Colours of lines and dots, in the order in which they are used."""
WIDTH_IN = 5.6
"""Width of every chart in inches, so that its text shows at 10 pixels and more in a page 500 pixels wide."""
TITLE_PT, TEXT_PT = 10, 9


def new_figure(rows: int, columns: int, *, row_height: float) -> tuple[Figure, list[list["Axes"]]]:
    """Return a figure with axes in the lab's style, without matplotlib's global state.

    Args:
        rows: Rows of axes.
        columns: Columns of axes.
        row_height: Height of each row in inches.
    """
    figure = Figure(figsize=(WIDTH_IN, row_height * rows), layout="constrained", facecolor="white")
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
        axis.spines[["left", "bottom"]].set_color(LINE)
        axis.tick_params(colors=DIM, labelsize=TEXT_PT)
        axis.grid(color=LINE, linewidth=0.6, alpha=0.7)
        axis.set_axisbelow(True)
    return figure, [list(row) for row in axes]


def set_labels(axis: "Axes", *, x: str = "", y: str = "", title: str = "") -> None:
    """Label the axes and the panel; empty texts leave a label out."""
    if x:
        axis.set_xlabel(x, color=DIM, fontsize=TEXT_PT)
    if y:
        axis.set_ylabel(y, color=DIM, fontsize=TEXT_PT)
    if title:
        axis.set_title(title, color=INK, fontsize=TITLE_PT)


def add_legend(figure: Figure, axis: "Axes", *, columns: int) -> None:
    """Draw the legend of one panel below the whole figure."""
    figure.legend(
        *axis.get_legend_handles_labels(), loc="outside lower center", ncols=columns, frameon=False, fontsize=TEXT_PT
    )
