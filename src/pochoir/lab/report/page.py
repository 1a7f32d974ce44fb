"""The report as a Markdown page with its figures beside it: a template, filled in from what was found."""

import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from importlib import metadata, resources
from pathlib import Path
from string import Template

import torch

import pochoir
from pochoir import imaging
from pochoir.lab.common import page
from pochoir.lab.common.page import Table
from pochoir.lab.compare.results import Results, chart_name
from pochoir.lab.compare.tables import score_table, shift_table, truth_table, ways_table
from pochoir.lab.report import findings as report_findings
from pochoir.lab.report.run import OTHER_STYLE, PHOTOS, SCENES, STYLE, SWEPT_PHOTO, Findings
from pochoir.lab.sweep.figures import contact_sheet, effect_chart, front_chart
from pochoir.lab.sweep.results import factors, sheets

PAGE_NAME = "README.md"
_SHOWN = ("astronaut", "coffee", "scene-3")
"""Pictures whose sheets go into the page; those of all lie in the working folder."""
_QUALITY = 80
_LIBRARIES = ("numpy", "opencv-python-headless", "scikit-image", "scipy", "matplotlib")
_CLAIMS = (
    ("content_weight", "content", "falls"),
    ("style_weight", "style", "falls"),
)


def write_report(folder: Path, findings: Findings) -> list[Path]:
    """Write the page and its figures into a folder that exists.

    Returns:
        The files, the page first.

    Raises:
        WriteError: A file cannot be written.
    """
    figures = [*_write_sweep(folder, findings), *_write_comparison(folder, findings.results)]
    imaging.write_file(folder / PAGE_NAME, build_page(findings).encode())
    return [folder / PAGE_NAME, *figures]


def build_page(findings: Findings) -> str:
    """The page in Markdown."""
    results, settings = findings.results, findings.settings
    metrics = list(results.closer)
    template = resources.files("pochoir.lab").joinpath("report_template.md").read_text(encoding="utf-8")
    return Template(template).substitute(
        versions=_versions(findings),
        pictures=f"Photos: {', '.join(PHOTOS)}; drawn scenes: {len(SCENES)}",
        backdrop=f"`{results.backdrop}`",
        metrics=" and ".join(f"`{metric}`" for metric in metrics),
        measure_note=_note_measure(metrics),
        sweep_intro=_introduce_sweep(findings),
        sweep_figures="\n\n".join(_sweep_figures(findings)),
        sweep_findings=_bullets(_sweep_findings(findings)),
        photo_figures="\n\n".join(_photo_figures(results)),
        table_1="\n\n".join(_score_tables(results)),
        scores_findings=_bullets(_score_findings(results)),
        backdrop_table=to_markdown(shift_table(results.shifts)),
        backdrop_findings=_bullets(report_findings.tell_backdrops(results)),
        ways_table="\n\n".join(to_markdown(ways_table(results.scores, metric=metric)) for metric in metrics),
        truth_table=to_markdown(truth_table(results.truths)),
        truth_findings=report_findings.tell_pastiche(results),
        overlap_findings=_bullets(report_findings.tell_overlap(results.overlap)),
        jitter_findings=_bullets(report_findings.tell_jitter(results.jitter)),
        size=settings.size,
        steps=settings.steps,
        style=f"`{STYLE}`",
    )


def to_markdown(table: Table) -> str:
    """A table in Markdown."""
    lines = [table.headings, ["---"] * len(table.headings), *table.rows]
    rows = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
    return rows + (f"\n\n*{table.caption}*" if table.caption else "")


def _versions(findings: Findings) -> str:
    libraries = ", ".join(f"{name} {metadata.version(name)}" for name in _LIBRARIES)
    settings = findings.settings
    return (
        f"pochoir {pochoir.__version__}, torch {torch.__version__}, {libraries}, Python {platform.python_version()}, "
        f"{torch.get_num_threads()} threads on {os.cpu_count()} cores. Seeds: 0 for paintings, for movements of boxes "
        f"and for resampling; drawn scenes 0 to {max(len(SCENES), settings.scenes) - 1}. "
        f"Compared at {settings.size} px, swept at {settings.sweep_size} px, {settings.steps} steps each."
    )


def _note_measure(metrics: Sequence[str]) -> str:
    named = " and ".join(f"`{metric}`" for metric in metrics)
    if any(metric.partition(":")[0] == "clip" for metric in metrics):
        return f"Scores are by {named}; `clip` is the student's model unless it names another."
    return (
        f"Scores are by {named}, not by CLIP, whose weights come from a model hub: they cannot be compared with the "
        "student's number by number. `pochoir lab report --metric clip` scores by the student's model, if the extra "
        "`[clip]` and its weights are there."
    )


def _bullets(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _introduce_sweep(findings: Findings) -> str:
    axes = " by ".join(
        f"{axis.label} {', '.join(f'{value:g}' for value in axis.values)}" for axis in findings.plan.axes
    )
    return (
        f"*{SWEPT_PHOTO}* in the styles `{STYLE}` and `{OTHER_STYLE}`, {axes}: {len(findings.weights)} pictures. "
        "Content and style are distances, 0 for equality; see the captions. Weights are relative to pochoir's own "
        "units, in which all of them are 1 by default; the student report's were in other units."
    )


def _sweep_sheets(findings: Findings) -> Iterator[tuple[str, str, torch.Tensor]]:
    for index, (title, down, across, places) in enumerate(sheets(findings.plan, findings.weights), start=1):
        yield f"figure-5-{index}.jpg", title, contact_sheet(down, across, places)


def _sweep_figures(findings: Findings) -> Iterator[str]:
    for name, title, _ in _sweep_sheets(findings):
        yield f"![{SWEPT_PHOTO}, {title}]({name})"
    yield "![content distance over style distance](front.svg)"
    yield "![smoothness and the other measures over tv-weight](tv-weight.svg)"


def _sweep_findings(findings: Findings) -> Iterator[str]:
    for axis, measure, wanted in _CLAIMS:
        yield report_findings.tell_trend(findings.weights, axis=axis, measure=measure, wanted=wanted) + "."
    yield report_findings.tell_trend(findings.tv, axis="tv_weight", measure="roughness", wanted="falls") + "."
    yield report_findings.tell_styles(findings.weights) + "."


def _write_sweep(folder: Path, findings: Findings) -> Iterator[Path]:
    for name, _, sheet in _sweep_sheets(findings):
        imaging.save(folder / name, sheet, options=imaging.SaveOptions(quality=_QUALITY))
        yield folder / name
    imaging.write_file(folder / "front.svg", page.svg(front_chart(findings.weights, factors(findings.plan))))
    yield folder / "front.svg"
    (smoothness,) = factors(findings.tv_plan)
    imaging.write_file(folder / "tv-weight.svg", page.svg(effect_chart(findings.tv, smoothness)))
    yield folder / "tv-weight.svg"


def _write_comparison(folder: Path, results: Results) -> Iterator[Path]:
    for name, chart in results.charts.items():
        imaging.write_file(folder / f"{name}.svg", chart)
        yield folder / f"{name}.svg"
    for photo in _shown(results):
        for name, sheet in results.sheets[photo].items():
            imaging.save(folder / f"{photo}-{name}.jpg", sheet, options=imaging.SaveOptions(quality=_QUALITY))
            yield folder / f"{photo}-{name}.jpg"


def _shown(results: Results) -> Sequence[str]:
    return [name for name in _SHOWN if name in results.sheets]


def _photo_figures(results: Results) -> Iterator[str]:
    for photo in _shown(results):
        yield f"![{photo}: mattes and cut-outs by every method]({photo}-methods.jpg)"
        yield f"![{photo}: what went in, and U2-Net's side outputs]({photo}-stages.jpg)"


def _score_tables(results: Results) -> Iterator[str]:
    seen, cut = results.way
    for metric, closer in results.closer.items():
        yield f"By `{metric}`, {closer} is closer. Mattes found in the {seen}, cutting the {cut}; n where fewer count."
        yield to_markdown(score_table(results.scores, metric=metric, seen=seen, cut=cut))
        yield f"![scores by {metric}]({chart_name(metric)}.svg)"


def _score_findings(results: Results) -> Iterator[str]:
    for metric in results.closer:
        yield from report_findings.tell_scores(results, metric=metric)
        yield report_findings.tell_nulls(results, metric=metric)
