"""Sweeps: a photo in many settings, measured, and shown so that the settings can be judged."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

import pochoir
from pochoir import imaging
from pochoir.lab.common import page
from pochoir.lab.sweep.figures import TITLES, contact_sheet, effect_chart, front_chart
from pochoir.lab.sweep.plan import Plan
from pochoir.lab.sweep.results import Factor, Row, collect, factors, front_rows, sheets, to_csv
from pochoir.lab.sweep.runs import MEASURES
from pochoir.recipe import format_setting

PAGE_NAME, TABLE_NAME = "index.html", "runs.csv"
_MOST_SHEETS = 24

_METHOD = (
    "Each picture was saved with 8 bits and then measured. Content: relative squared distance of the features of "
    "VGG19's relu4_2 to the photo's. Style: relative squared distance of Gram matrices to the style picture's, the "
    "mean over five layers. Both are 0 for equality and at most 1. Likeness: 100 times the cosine of normalised "
    "features of relu4_4. Roughness: mean squared difference of neighbouring pixels. The network that measures "
    "is the one that paints, so distances tell how the objective was met, not how people would judge."
)


def write_results(plan: Plan, folder: Path) -> Path:
    """Write table, figures and page of the runs that are done.

    Args:
        plan: All runs.
        folder: Where ``iter_sweep`` has put pictures and ledger.

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
    page.write_page(folder / PAGE_NAME, _title(plan), sections)
    return folder / PAGE_NAME


def _title(plan: Plan) -> str:
    swept = ", ".join(axis.label for axis in plan.axes) or "styles"
    return f"Sweep of {swept} on {', '.join(item.label for item in plan.photos)}"


def _overview(plan: Plan, rows: Sequence[Row]) -> page.Section:
    base = plan.runs[0].recipe
    told = [(axis.label, ", ".join(map(format_setting, axis.values))) for axis in plan.axes]
    told += [("photo", ", ".join(f"{item.label} ({item.sha256[:12]})" for item in plan.photos))]
    told += [("style", ", ".join(f"{item.label} ({item.sha256[:12]})" for item in plan.styles))]
    told += [("size, steps", f"{base.size or 'the default'}, {base.steps}")]
    told += [("pochoir, torch", f"{pochoir.__version__}, {torch.__version__}")]
    seconds = sum(row.measures["seconds"] for row in rows)
    done = f"{len(rows)} of {len(plan.runs)} runs are done; they took {seconds:.0f} s together."
    seeds = {run.recipe.seed for run in plan.runs}
    alone = "" if len(seeds) > 1 else " With one seed there are no intervals; sweep seeds with --grid seed=0,1,2."
    return page.Section(
        "What was run",
        [page.Text(done + alone), page.Table(("setting", "values"), told), page.Text(_METHOD)],
    )


def _figures(plan: Plan, rows: Sequence[Row], folder: Path) -> Iterator[page.Section]:
    varied = factors(plan)
    yield page.Section("Pictures", list(_sheets(plan, rows, folder)))
    chart = front_chart(rows, varied)
    imaging.write_file(folder / "front.svg", page.svg(chart))
    caption = (
        "A dot is a picture; the line joins those that no other beats in both distances, and the "
        "numbers at it are its settings. The photo itself lies on the dotted line."
    )
    yield page.Section(
        "Content against style",
        [
            page.chart(chart, alt="Content distance over style distance, with the Pareto front", caption=caption),
            page.Table(("photo", "style", "on the front", "content", "style distance"), _front_table(rows, varied)),
        ],
    )
    for factor in varied:
        if factor.label == "seed":
            continue
        chart = effect_chart(rows, factor)
        imaging.write_file(folder / f"effect-{factor.label}.svg", page.svg(chart))
        caption = (
            f"Means at each value of {factor.label}, over all other settings; bars are 95 % bootstrap intervals over "
            "seeds, too narrow where seeds are few."
        )
        figure = page.chart(chart, alt=f"The measures at each value of {factor.label}", caption=caption)
        yield page.Section(f"Effect of {factor.label}", [figure])


def _sheets(plan: Plan, rows: Sequence[Row], folder: Path) -> Iterator[page.Part]:
    for index, (title, down, across, places) in enumerate(sheets(plan, rows), start=1):
        sheet = contact_sheet(down, across, places)
        imaging.save(folder / f"sheet-{index}.png", sheet)
        if index <= _MOST_SHEETS:
            alt = f"Painted pictures{', ' + title if title else ''}"
            yield page.picture(sheet, alt=alt, caption=title)
    if index > _MOST_SHEETS:
        yield page.Text(f"{index - _MOST_SHEETS} more sheets lie beside this page as sheet-N.png.")


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
    headings = (*(factor.label for factor in varied), *MEASURES, "seconds", "picture")
    table = [
        (
            *(format_setting(factor.value_of(row.run)) for factor in varied),
            *(f"{row.measures[name]:.4g}" for name in MEASURES),
            f"{row.measures['seconds']:.1f}",
            row.picture.name,
        )
        for row in rows
    ]
    names = "; ".join(f"{name}: {TITLES[name]}" for name in MEASURES)
    return page.Section("All runs", [page.Table(headings, table, caption=f"{names}.")])
