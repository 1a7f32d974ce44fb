"""Output of a comparison: a page that opens offline, all rows as CSV, a summary as JSON, and pictures."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from pochoir import imaging
from pochoir.lab.common import page
from pochoir.lab.compare.methods import METHODS
from pochoir.lab.compare.results import Results, chart_name, summarize, tables, to_csv
from pochoir.lab.compare.tables import (
    difference_table,
    failure_table,
    score_table,
    shift_table,
    truth_table,
    ways_table,
)

SUMMARY_NAME = "summary.json"
SCORES_CAPTION = (
    "Mean over photos with its exact 95 % interval; an interval needs at least six photos. Mattes found in the {seen}, "
    "which they cut; every cut-out stands on {backdrop}. Nulls are pictures scored in a cut-out's place: a score is "
    "worth as much as it stands out from them. The outline is the truth's or, where none is known, U2-Net's in the "
    "photo."
)
SHIFT_CAPTION = (
    "Changes of single cut-outs' scores on another backdrop, beside the largest difference between two methods' means "
    "on the run's own; and the method that comes first on each backdrop, among those without failures."
)
DIFFERENCE_CAPTION = (
    "The same photos in pairs: mean difference with its exact 95 % interval, the p-value of the sign-flip test, and "
    "the p-value corrected for all tests of the metric by Holm's method. With fewer than six photos no p-value can "
    "be below 0.05."
)
TRUTH_CAPTION = (
    "IoU of the pixels above one half. For MAE lower is better, for the others higher. A failed matte counts with its "
    "measures. p-values are against U2-Net, corrected by Holm's method for all methods in both pictures."
)
FAILURE_CAPTION = "Failed mattes have no cut-out and no similarity score, and their methods are not ranked."
OVERLAP_CAPTION = (
    "Drawn scenes: figures that overlap, at a colour distance from the patchy ground. Bands are exact 95 % intervals "
    "over scenes. The box is the truth's, 5 % wider on each side, so GrabCut is told where the subject is."
)
JITTER_CAPTION = (
    "Each edge of the box moved independently. U2-Net needs no box; its matte is limited to it as --box does, so it "
    "loses only the part outside of the box. Thin lines are photos (medians); the band holds 80 % of all cuts."
)


def write_results(folder: Path, results: Results) -> list[Path]:
    """Write everything into a folder that exists.

    Returns:
        The files, the page first.

    Raises:
        WriteError: A file cannot be written.
    """
    index, summary = folder / page.PAGE_NAME, folder / SUMMARY_NAME
    page.write_page(index, "Cut-outs compared", build_sections(results))
    imaging.write_file(summary, (json.dumps(summarize(results), indent=1) + "\n").encode())
    return [index, summary, *_write_rest(folder, results)]


def _write_rest(folder: Path, results: Results) -> Iterator[Path]:
    for name, rows in tables(results).items():
        if rows:
            imaging.write_file(folder / f"{name}.csv", to_csv(rows))
            yield folder / f"{name}.csv"
    for name, chart in results.charts.items():
        imaging.write_file(folder / f"{name}.svg", chart)
        yield folder / f"{name}.svg"
    for photo, sheets in results.sheets.items():
        for name, sheet in sheets.items():
            path = folder / sheet_name(photo, name)
            imaging.save(path, sheet, options=imaging.SaveOptions(quality=88))
            yield path


def sheet_name(photo: str, sheet: str) -> str:
    """Return the file name of a photo's contact sheet."""
    return f"{photo}-{sheet}.jpg"


def build_sections(results: Results) -> list[page.Section]:
    """Return the page's sections."""
    drawn = {
        name: page.chart(chart, alt=_ALTS.get(name, f"Scores: {name}"), caption=_caption(name), link=f"{name}.svg")
        for name, chart in results.charts.items()
    }
    sections = [page.Section("Inputs", [page.Text(text) for text in _introduce(results)])]
    if results.failures:
        sections.append(page.Section("Failures", _failures(results)))
    if results.scores:
        sections += [_scores(metric, results, drawn) for metric in results.closer if chart_name(metric) in drawn]
        if results.shifts:
            sections.append(page.Section("The backdrop", [shift_table(results.shifts, caption=SHIFT_CAPTION)]))
    if results.truths:
        parts = [truth_table(results.truths, caption=TRUTH_CAPTION)]
        parts += [
            difference_table(results.truths, way=(seen, ""), caption=f"Found in the {seen}. {DIFFERENCE_CAPTION}")
            for seen in dict.fromkeys(mean.seen for mean in results.truths)
        ]
        sections.append(page.Section("Against the truth", parts))
    sections.append(page.Section("Agreement of the methods", [drawn["agreement"]]))
    weak = [drawn[name] for name in ("overlap", "jitter") if name in drawn]
    sections += [page.Section("Limits of GrabCut", weak)] if weak else []
    return sections + [_photo(results, index) for index in range(len(results.comparisons))]


def _failures(results: Results) -> list[page.Part]:
    methods = dict.fromkeys(METHODS[row.method] for row in results.failures)
    mattes = len(results.failures)
    text = (
        f"{mattes} {'matte is' if mattes == 1 else 'mattes are'} empty or full. "
        f"Not ranked because of that: {', '.join(methods)}."
    )
    return [page.Warning(text), failure_table(results.failures, caption=FAILURE_CAPTION)]


def _introduce(results: Results) -> Iterator[str]:
    photos = len(results.comparisons)
    known = sum(item.subject.truth is not None for item in results.comparisons)
    yield (
        f"{photos} {'photo' if photos == 1 else 'photos'}, {known} with a known true matte. "
        f"Methods: {', '.join(METHODS.values())}. "
        "Edges are not refined, so that methods are compared and not refinements."
    )
    if results.style is not None:
        yield (
            f"Each photo was painted in the style of {results.style.name}. Subjects were looked for in the photo and "
            "in this pastiche, and the mattes of either cut both."
        )
    yield (
        f"Every cut-out is scored on the same backdrop, {results.backdrop}. A box that was given tells GrabCut where "
        "the subject is; if it is the truth's, GrabCut with it is an oracle and no competitor."
    )


def _scores(metric: str, results: Results, drawn: Mapping[str, page.Figure]) -> page.Section:
    caption = SCORES_CAPTION.format(seen=results.way[0], backdrop=results.backdrop)
    means = [mean for mean in results.scores if mean.measure.startswith(f"{metric}: ")]
    return page.Section(
        f"Similarity by {metric} ({results.closer[metric]} is closer)",
        [
            score_table(means, metric=metric, way=results.way, caption=caption),
            drawn[chart_name(metric)],
            difference_table(means, way=results.way, caption=DIFFERENCE_CAPTION),
            ways_table(means, metric=metric, caption="Means for every way of cutting."),
        ],
    )


def _photo(results: Results, index: int) -> page.Section:
    item = results.comparisons[index]
    name = item.subject.name
    captions = {
        "methods": f"Mattes and their cut-outs, on {results.backdrop}.",
        "stages": "Input pictures, and U2-Net's fused map with its side outputs from fine to coarse.",
    }
    parts: list[page.Part] = [
        page.picture(drawn, alt=f"{name}: {sheet}", caption=captions[sheet], link=sheet_name(name, sheet))
        for sheet, drawn in results.sheets[name].items()
    ]
    return page.Section(name, parts + [page.Text(note) for note in item.notes])


_ALTS = {
    "overlap": "IoU over colour distance for one to five overlapping figures",
    "jitter": "IoU over the movement of the box",
    "agreement": "IoU of every pair of methods",
}


def _caption(chart: str) -> str:
    return {
        "overlap": OVERLAP_CAPTION,
        "jitter": JITTER_CAPTION,
        "agreement": "IoU of every pair of mattes, mean over photos.",
    }.get(
        chart,
        "Mean and exact 95 % interval of each method; null scores as upright lines. A hollow dot marks a method with "
        "failures, which is not ranked.",
    )
