"""Page of a sweep: pictures, charts and tables that show the effect of the settings."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

import pochoir
from pochoir import imaging
from pochoir.lab.common import page
from pochoir.lab.common.statistics import FEWEST_FOR_INTERVAL
from pochoir.lab.sweep.charts import TITLES, contact_sheet, effect_chart, front_chart
from pochoir.lab.sweep.plan import Plan
from pochoir.lab.sweep.results import Factor, Row, collect, factors, front_rows, sheets, to_csv
from pochoir.lab.sweep.runs import MEASURES, PICTURES_NAME
from pochoir.recipe import format_setting

TABLE_NAME = "runs.csv"
_MOST_SHEETS = 24

_METHOD = (
    "Each picture was saved with 8 bits and then measured. Content: relative squared distance of the features of "
    "VGG19's relu4_2 to the photo's. Style: relative squared distance of Gram matrices to the style picture's, the "
    "mean over five layers. Both are 0 for equality and at most 1. Likeness: 100 times the cosine of normalised "
    "features of relu4_4. Roughness: mean squared difference of neighbouring pixels. The network that measures "
    "is the one that paints, so distances show how the objective was met, not how people would judge."
)


def write_results(plan: Plan, folder: Path) -> Path:
    """Write table, figures and page of the runs that are finished.

    Args:
        plan: All runs.
        folder: Folder of ``iter_sweep``.

    Returns:
        The page, which holds everything in itself.

    Raises:
        WriteError: A file cannot be written.
    """
    rows = collect(plan, folder)
    imaging.write_file(folder / TABLE_NAME, to_csv(plan, rows).encode(errors="replace"))
    sections = [_overview(plan, rows)]
    if rows:
        sections += [*_figures(plan, rows, folder), _all_runs(plan, rows)]
    page.write_page(folder / page.PAGE_NAME, _title(plan), sections)
    return folder / page.PAGE_NAME


def _title(plan: Plan) -> str:
    swept = ", ".join(axis.label for axis in plan.axes) or "styles"
    return f"Sweep of {swept} on {', '.join(item.label for item in plan.photos)}"


def _overview(plan: Plan, rows: Sequence[Row]) -> page.Section:
    base = plan.runs[0].recipe
    settings = [(axis.label, ", ".join(map(format_setting, axis.values))) for axis in plan.axes]
    settings += [("photo", ", ".join(f"{item.label} ({item.sha256[:12]})" for item in plan.photos))]
    settings += [("style", ", ".join(f"{item.label} ({item.sha256[:12]})" for item in plan.styles))]
    settings += [("size, steps", f"{base.size or 'the default'}, {base.steps}")]
    settings += [("pochoir, torch", f"{pochoir.__version__}, {torch.__version__}")]
    seconds = sum(row.measures.get("seconds", 0.0) for row in rows)
    done = f"{len(rows)} of {len(plan.runs)} runs are done; painting took {seconds:.0f} s altogether."
    table = page.Table(("setting", "values"), settings)
    return page.Section("Plan", [page.Text(f"{done} {_intervals(plan)}"), table, page.Text(_METHOD)])


def _intervals(plan: Plan) -> str:
    seeds = len({run.recipe.seed for run in plan.runs})
    if seeds >= FEWEST_FOR_INTERVAL:
        return f"Intervals are exact ones at 95 % over {seeds} seeds."
    if seeds > 1:
        return f"Dots show each of the {seeds} seeds; an interval at 95 % needs at least {FEWEST_FOR_INTERVAL}."
    return "There is one seed, so nothing shows how far chance moves the measures; sweep seeds with --grid seed=0,1,2."


def _figures(plan: Plan, rows: Sequence[Row], folder: Path) -> Iterator[page.Section]:
    varied = factors(plan)
    yield page.Section("Pictures", list(_sheets(plan, rows, folder)))
    drawing = page.svg(front_chart(rows, varied))
    imaging.write_file(folder / "front.svg", drawing)
    caption = (
        "A dot is a picture. The line joins pictures that no other beats in both distances, labelled by their "
        "settings. The dotted line is the unpainted photo."
    )
    alt = "Content distance over style distance, with the Pareto front"
    yield page.Section(
        "Content against style",
        [
            page.chart(drawing, alt=alt, caption=caption, link="front.svg"),
            page.Table(
                ("photo", "style", "on the front", "content", "style distance"),
                _front_table(rows, varied),
                caption="Pictures on the front. Distances are 0 for equality.",
            ),
        ],
    )
    for factor in varied:
        if factor.label != "seed":
            yield _effect(plan, rows, factor, folder)


def _effect(plan: Plan, rows: Sequence[Row], factor: Factor, folder: Path) -> page.Section:
    name = f"effect-{factor.label}.svg"
    drawing = page.svg(effect_chart(rows, factor))
    imaging.write_file(folder / name, drawing)
    caption = f"Means at each value of {factor.label}, over all other settings. {_intervals(plan)}"
    figure = page.chart(drawing, alt=f"The measures at each value of {factor.label}", caption=caption, link=name)
    return page.Section(f"Effect of {factor.label}", [figure])


def _sheets(plan: Plan, rows: Sequence[Row], folder: Path) -> Iterator[page.Part]:
    for index, (title, down, across, places) in enumerate(sheets(plan, rows), start=1):
        sheet = contact_sheet(down, across, places)
        name = f"sheet-{index}.png"
        imaging.save(folder / name, sheet)
        if index <= _MOST_SHEETS:
            alt = f"Painted pictures{', ' + title if title else ''}"
            yield page.picture(sheet, alt=alt, caption=title or "All pictures of the first seed.", link=name)
    if index > _MOST_SHEETS:
        yield page.Text(f"{index - _MOST_SHEETS} more sheets are beside this page as sheet-N.png.")


def _front_table(rows: Sequence[Row], varied: Sequence[Factor]) -> list[tuple[str, ...]]:
    settings = [factor for factor in varied if factor.is_setting]
    return [
        (
            *pair,
            ", ".join(factor.caption(factor.value_of(row.run)) for factor in settings),
            f"{row.measures['content']:.4f}",
            f"{row.measures['style']:.4f}",
        )
        for pair, _, front in front_rows(rows)
        for row in front
    ]


def _all_runs(plan: Plan, rows: Sequence[Row]) -> page.Section:
    varied = factors(plan)
    headings = ("picture", *(factor.label for factor in varied), *(TITLES[name] for name in MEASURES), "seconds")
    table = [
        (
            row.picture.name,
            *(format_setting(factor.value_of(row.run)) for factor in varied),
            *(f"{row.measures[name]:.4g}" for name in MEASURES),
            f"{row.measures['seconds']:.1f}" if "seconds" in row.measures else "",
        )
        for row in rows
    ]
    caption = f"Pictures are in the folder {PICTURES_NAME}; {TABLE_NAME} holds the same numbers in full."
    return page.Section("All runs", [page.Table(headings, table, caption=caption)])
