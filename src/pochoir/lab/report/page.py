"""Pages of the report: findings on one screen, and details with every number."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pochoir import imaging
from pochoir.lab.common import page
from pochoir.lab.common.statistics import MOST_EXACT
from pochoir.lab.compare.methods import METHODS
from pochoir.lab.compare.results import tables, to_csv
from pochoir.lab.report.analysis import analyse
from pochoir.lab.report.claims import Claim
from pochoir.lab.report.details import TESTS_NAME, build_details, describe_scale, shown_names, sweep_sheets
from pochoir.lab.report.digest import claim_rows, digest
from pochoir.lab.report.run import GROUPS, Measurements
from pochoir.lab.report.settings import SHOWN_PHOTO
from pochoir.lab.sweep.charts import effect_chart, front_chart
from pochoir.lab.sweep.results import factors
from pochoir.lab.sweep.results import to_csv as sweep_csv

DETAILS_NAME = "details.html"
_TITLE = "U2-Net against GrabCut, before and after painting"
_QUALITY = 80


def write_report(folder: Path, found: Measurements) -> list[Path]:
    """Write both pages, their figures and all rows into a folder that exists.

    Returns:
        The files, the page of findings first.

    Raises:
        WriteError: A file cannot be written.
    """
    claims = analyse(found)
    files = [*_write_sweeps(folder, found), *_write_groups(folder, found)]
    imaging.write_file(folder / TESTS_NAME, to_csv(claim_rows(claims)))
    index, details = folder / page.PAGE_NAME, folder / DETAILS_NAME
    page.write_page(index, _TITLE, build_findings(found, claims), links=[("Details", DETAILS_NAME)])
    page.write_page(details, f"{_TITLE}: details", build_details(found, claims), links=[("Findings", page.PAGE_NAME)])
    return [index, details, folder / TESTS_NAME, *files]


def build_findings(found: Measurements, claims: Sequence[Claim]) -> list[page.Section]:
    """Return the page of findings, short enough for one screen."""
    photos, scenes = (len(found.groups[group].comparisons) for group in GROUPS)
    shown = sum(claim.is_shown for claim in claims)
    kind = "exact sign-flip tests" if max(photos, scenes) <= MOST_EXACT else "sign-flip tests"
    introduction = (
        f"{photos} photos and {scenes} drawn scenes with known truth, analysed separately; the unit is the picture. "
        f"{shown} of {len(claims)} planned differences are shown at 5 %, by {kind} with Holm's "
        f"correction. {describe_scale(found)}"
    )
    return [
        page.Section("", [page.Text(introduction), page.Items(list(digest(claims, found)))]),
        page.Section("", [overview_table(found)]),
    ]


def overview_table(found: Measurements) -> page.Table:
    """Return the table of findings: IoU with the truth, and failures, by method."""
    rows = []
    for method in METHODS:
        row = [METHODS[method]]
        for seen in ("photo", "pastiche"):
            means = [mean for mean in found.groups["scenes"].truths
                     if (mean.method, mean.seen, mean.measure) == (method, seen, "iou")]  # fmt: skip
            row.append(means[0].interval.format(2) if means else "")
        for group in GROUPS:
            failures = [item for item in found.groups[group].failures if item.method == method]
            row.append(str(len(failures)))
        rows.append(row)
    headings = ["method", "IoU in drawn scenes", "IoU after painting", "failures, photos", "failures, scenes"]
    caption = (
        "Mean IoU with the truth and its exact 95 % interval over scenes. GrabCut with a given box is told where the "
        "subject is: in scenes by the truth's box, which makes it an oracle, in photos by a box drawn by hand."
    )
    return page.Table(headings, rows, caption)


def _write_sweeps(folder: Path, found: Measurements) -> Iterator[Path]:
    for name, _, sheet in sweep_sheets(found):
        imaging.save(folder / name, sheet, options=imaging.SaveOptions(quality=_QUALITY))
        yield folder / name
    shown = [row for row in found.weights if row.run.photo.label == SHOWN_PHOTO]
    weights = [factor for factor in factors(found.weights_plan) if factor.label != "photo"]
    smoothness = next(factor for factor in factors(found.smoothness_plan) if factor.label == "tv-weight")
    files = {
        "front.svg": page.svg(front_chart(shown, weights)),
        "tv-weight.svg": page.svg(effect_chart(found.smoothness, smoothness)),
        "weights.csv": sweep_csv(found.weights_plan, found.weights).encode(errors="replace"),
        "smoothness.csv": sweep_csv(found.smoothness_plan, found.smoothness).encode(errors="replace"),
    }
    for name, data in files.items():
        imaging.write_file(folder / name, data)
        yield folder / name


def _write_groups(folder: Path, found: Measurements) -> Iterator[Path]:
    for group, results in found.groups.items():
        files = {f"{group}-{name}.svg": chart for name, chart in results.charts.items()}
        files |= {f"{group}-{name}.csv": to_csv(rows) for name, rows in tables(results).items() if rows}
        for name, data in files.items():
            imaging.write_file(folder / name, data)
            yield folder / name
        for photo in shown_names(results, group):
            for sheet, drawn in results.sheets[photo].items():
                path = folder / f"{photo}-{sheet}.jpg"
                imaging.save(path, drawn, options=imaging.SaveOptions(quality=_QUALITY))
                yield path
