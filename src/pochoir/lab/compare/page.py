"""What a comparison leaves behind: a page that opens offline, all rows as CSV, a summary as JSON, and pictures."""

import json
from collections.abc import Iterator
from pathlib import Path

from pochoir import imaging
from pochoir.lab.common import page
from pochoir.lab.compare.methods import METHODS
from pochoir.lab.compare.results import Results, chart_name, summarize, tables, to_csv
from pochoir.lab.compare.tables import difference_table, score_table, shift_table, truth_table, ways_table

SCORES_CAPTION = (
    "Mean over photos with its 95 % bootstrap interval; n where fewer photos count. Mattes found in the {seen}, which "
    "they cut; every cut-out stands on {backdrop}. Nulls are pictures scored in a cut-out's place: a score is worth as "
    "much as it stands out from them. The outline is the truth's or, where none is known, U2-Net's in the photo."
)
SHIFT_CAPTION = (
    "How far the scores of single cut-outs move on another backdrop, beside the largest difference between two "
    "methods' means on the run's own; and which method comes first on each backdrop."
)
DIFFERENCE_CAPTION = (
    "The same photos in pairs: mean difference, its bootstrap interval, and the p-value of a permutation test, not "
    "corrected for the number of rows. Below six photos no p-value can reach 0.05."
)
TRUTH_CAPTION = "IoU of what is above one half; MAE is better the lower, the others the higher."
OVERLAP_CAPTION = (
    "Drawn scenes: figures that overlap, at a colour distance from the patchy ground. Bands are 95 % bootstrap "
    "intervals over scenes. The box is the truth's, 5 % wider on each side."
)
JITTER_CAPTION = (
    "Each edge of the box moved by itself. U2-Net needs no box; its matte is trimmed to it as --box does, so it loses "
    "only what the box cuts off. Thin lines are photos (medians); the band holds 80 % of all cuts."
)


def write_results(folder: Path, results: Results) -> list[Path]:
    """Write everything into a folder that exists.

    Returns:
        The files, the page first.

    Raises:
        WriteError: A file cannot be written.
    """
    page.write_page(folder / "compare.html", "Cut-outs compared", build_sections(results))
    imaging.write_file(folder / "compare.json", (json.dumps(summarize(results), indent=1) + "\n").encode())
    return [folder / "compare.html", folder / "compare.json", *_write_rest(folder, results)]


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
            path = folder / f"{photo}-{name}.jpg"
            imaging.save(path, sheet, options=imaging.SaveOptions(quality=88))
            yield path


def build_sections(results: Results) -> list[page.Section]:
    """The page's sections."""
    drawn = {
        name: page.Figure(chart, "image/svg+xml", alt=name, caption=_caption(name))
        for name, chart in results.charts.items()
    }
    sections = [page.Section("What was compared", [page.Text(text) for text in _introduce(results)])]
    if results.scores:
        sections += [_scores(metric, results, drawn) for metric in results.closer]
        sections.append(page.Section("The backdrop", [shift_table(results.shifts, caption=SHIFT_CAPTION)]))
    if results.truths:
        parts = [truth_table(results.truths, caption=TRUTH_CAPTION)]
        parts += [
            difference_table(results.truths, seen=seen, cut="", caption=f"Found in the {seen}. {DIFFERENCE_CAPTION}")
            for seen in dict.fromkeys(mean.seen for mean in results.truths)
        ]
        sections.append(page.Section("Against the truth", parts))
    sections.append(page.Section("How far the methods agree", [drawn["agreement"]]))
    weak = [drawn[name] for name in ("overlap", "jitter") if name in drawn]
    sections += [page.Section("Where GrabCut fails", weak)] if weak else []
    return sections + [_photo(results, index) for index in range(len(results.comparisons))]


def _introduce(results: Results) -> Iterator[str]:
    photos = len(results.comparisons)
    known = sum(item.subject.truth is not None for item in results.comparisons)
    yield (
        f"{photos} {'photo' if photos == 1 else 'photos'}, {known} with a known true matte. "
        f"Methods: {', '.join(METHODS.values())}. "
        "No edges are refined, so that methods are compared and not refinements."
    )
    if results.style is not None:
        yield (
            f"Each photo was repainted in the style of {results.style.name}; subjects were looked for in the photo and "
            "in this pastiche, and the mattes of either cut both."
        )
    yield f"Every cut-out is scored on the same backdrop, {results.backdrop}."


def _scores(metric: str, results: Results, drawn: dict[str, page.Figure]) -> page.Section:
    seen, cut = results.way
    caption = SCORES_CAPTION.format(seen=seen, backdrop=results.backdrop)
    prefix = f"{metric}: "
    means = [mean for mean in results.scores if mean.measure.startswith(prefix)]
    return page.Section(
        f"Similarity by {metric} ({results.closer[metric]} is closer)",
        [
            score_table(means, metric=metric, seen=seen, cut=cut, caption=caption),
            drawn[chart_name(metric)],
            difference_table(means, seen=seen, cut=cut, caption=DIFFERENCE_CAPTION),
            ways_table(means, metric=metric, caption="Means for every way of cutting."),
        ],
    )


def _photo(results: Results, index: int) -> page.Section:
    item = results.comparisons[index]
    captions = {
        "methods": f"Mattes and what they cut out, on {results.backdrop}.",
        "stages": "What went in, and U2-Net's fused map with its side outputs from fine to coarse.",
    }
    shown = results.sheets[item.subject.name]
    parts: list[page.Part] = [
        page.picture(sheet, alt=f"{item.subject.name}: {name}", caption=captions[name]) for name, sheet in shown.items()
    ]
    return page.Section(item.subject.name, parts + [page.Text(note) for note in item.notes])


def _caption(chart: str) -> str:
    return {
        "overlap": OVERLAP_CAPTION,
        "jitter": JITTER_CAPTION,
        "agreement": "IoU of every pair of mattes, mean over photos.",
    }.get(chart, "Mean and 95 % bootstrap interval of each method; null scores as upright lines.")
