"""Page of details: design, figures, tables and every test of the report."""

import os
import platform
from collections.abc import Iterator, Sequence
from importlib import metadata

import torch

import pochoir
from pochoir.lab.common import page
from pochoir.lab.common.statistics import MOST_EXACT
from pochoir.lab.compare.methods import GIVEN_BOX
from pochoir.lab.compare.page import (
    FAILURE_CAPTION,
    JITTER_CAPTION,
    OVERLAP_CAPTION,
    SCORES_CAPTION,
    SHIFT_CAPTION,
    TRUTH_CAPTION,
)
from pochoir.lab.compare.results import Results, chart_name
from pochoir.lab.compare.tables import failure_table, score_table, shift_table, truth_table, ways_table
from pochoir.lab.report.analysis import method_label
from pochoir.lab.report.claims import Claim, format_p
from pochoir.lab.report.digest import tell_power
from pochoir.lab.report.photos import missing_photos, sample_photos
from pochoir.lab.report.run import GROUPS, Measurements
from pochoir.lab.report.settings import FIGURE_SCENES, OTHER_STYLE, SHOWN_PHOTO, STYLE, ReportSettings
from pochoir.lab.scenes import FAMILIES
from pochoir.lab.sweep.charts import contact_sheet
from pochoir.lab.sweep.results import sheets

TESTS_NAME = "tests.csv"
_SHOWN = {"photos": ("astronaut", "coffee"), "scenes": ("cat", "figures-3")}
"""Pictures whose contact sheets are in the details; those of all are in the working folder."""
_LIBRARIES = ("numpy", "opencv-python-headless", "scikit-image", "scipy", "matplotlib")
_STUDENT_ROWS = (("U2-Net", "75.58", "89.52", "93.21"), ("GrabCut", "57.31", "64.66", "79.06"))
_STUDENT_CAPTION = (
    "The student report (github.com/ivangvozdanovic/Deep-Learning), by CLIP, on one stylised parrot. Its cut-outs "
    "stood on white in one case and on black in the other, and red and blue were swapped in the scored pictures."
)
_CLIP = (
    "CLIP, the student's metric, is not among the scores: its weights come from a model hub only. With a network, "
    "install pochoir[clip], fetch them with the command that `pochoir score A B --metric clip` prints, and run "
    "`pochoir lab report --metric clip`."
)


def build_details(found: Measurements, claims: Sequence[Claim]) -> list[page.Section]:
    """Return the page of details."""
    return [
        page.Section("Design", [*map(page.Text, _design(found)), page.Items(list(tell_power(claims)))]),
        page.Section("Photos and scenes", [_photo_table(found), page.Text(_scenes())]),
        *_failure_sections(found),
        page.Section("Figure 5: loss weights", [*_sweep_parts(found), _claims_items(claims, "loss weights")]),
        *(section for group in GROUPS for section in _group_sections(found, claims, group)),
        page.Section("Limits of GrabCut", list(_limit_parts(found, claims))),
        page.Section("The student's numbers", [_student_table(), page.Text(_CLIP)]),
        page.Section("All tests", [_test_table(claims)]),
        page.Section("What this cannot show", [page.Items(list(_caveats(found)))]),
        page.Section("Versions", [page.Text(_versions(found))]),
    ]


def describe_scale(found: Measurements) -> str:
    """Return the sizes and numbers of the run as sentences."""
    settings = found.settings
    full = ReportSettings()
    quick = (
        f" This is a quick run; the full one has {full.size} px, {full.steps} steps and {full.seeds} seeds."
        if settings.is_quick
        else ""
    )
    return f"Pictures are {settings.size} px long, painted in {settings.steps} steps in the style {STYLE}.{quick}"


def count_seeds(count: int) -> str:
    """Return a number of seeds in words for a sentence."""
    return "1 seed" if count == 1 else f"{count} seeds"


def _design(found: Measurements) -> Iterator[str]:
    photos, scenes = (len(found.groups[group].comparisons) for group in GROUPS)
    yield (
        "Question: how well do U2-Net and GrabCut find a subject in a photo and in its pastiche, what do similarity "
        "scores of their cut-outs mean, and what do loss weights do? All claims were planned before the run; each is a "
        "test whose outcome writes its sentence, and any outcome can be printed."
    )
    missing = missing_photos()
    yield (
        f"Unit: the picture. {photos} photos and {scenes} drawn scenes are analysed separately, since drawings are no "
        "sample of photos. The photos are all those with a subject that were found in Python packages whose licences "
        "allow this use. The option --photos DIR adds others."
        + (f" {missing} of them were not fetched: run pochoir models pull photos." if missing else "")
    )
    yield (
        f"Tests: paired sign-flip tests, exact up to {MOST_EXACT} pairs. Intervals are inversions of the same tests, "
        "so they exclude 0 just where p is below 0.05. They need at least six pictures. p-values are corrected by "
        "Holm's method within each family of claims and group of pictures. Style is scored by gram, content by LPIPS, "
        "DISTS and vgg: vgg removes style by design. Before methods are compared by a score, the score has to beat a "
        "null."
    )
    yield (
        "Failures: a matte with less than 0.1 % or more than 99.5 % of the picture is no cut-out. It has no score, and "
        "a method with failures is not ranked. Against the truth a failure counts with its IoU."
    )


def _photo_table(found: Measurements) -> page.Table:
    rows = []
    samples = sample_photos()
    for item in found.groups["photos"].comparisons:
        sample = samples.get(item.subject.name)
        licence, package = (sample.licence, sample.package) if sample else ("the user's", "--photos")
        rows.append([item.subject.name, licence, package, str(item.subject.photo.size)])
    return page.Table(["photo", "licence", "from", "size"], rows, "Photos, at the size that all methods see.")


def _scenes() -> str:
    families = ", ".join(f"{name} ({family})" for name, family in FAMILIES.items())
    return (
        f"Drawn scenes: {families}; and {len(FIGURE_SCENES)} scenes of overlapping figures on a patchy ground. The "
        "former are drawn subjects over photos and textures, with their exact mattes."
    )


def _failure_sections(found: Measurements) -> Iterator[page.Section]:
    rows = [row for results in found.groups.values() for row in results.failures]
    if rows:
        yield page.Section("Failures", [failure_table(rows, caption=FAILURE_CAPTION)])
    else:
        yield page.Section("Failures", [page.Text("No matte is empty or full.")])


def _sweep_parts(found: Measurements) -> Iterator[page.Part]:
    plan = found.weights_plan
    values = ", ".join(f"{value:g}" for value in found.settings.weights)
    styles = " and ".join(item.label for item in plan.styles)
    yield page.Text(
        f"{len(plan.photos)} photos in the style {styles}, style and content weights of {values} in all combinations, "
        f"{count_seeds(found.settings.seeds)}: {len(found.weights)} pictures. Distances are 0 for equality. The same "
        "network paints and measures, so this shows how the objective is met."
    )
    for name, title, _ in sweep_sheets(found):
        yield page.Figure(
            name, f"{SHOWN_PHOTO}, {title or STYLE}", f"{SHOWN_PHOTO}, {title or STYLE}, first seed.", name
        )
    yield page.Figure(
        "front.svg",
        "Content distance over style distance",
        f"{SHOWN_PHOTO}: a dot is a picture, the line joins those that no other beats in both distances.",
        "front.svg",
    )
    yield page.Figure(
        "tv-weight.svg",
        "The measures over the weight of smoothness",
        "Means over seeds at each weight of smoothness, a line for each photo; dots are seeds.",
        "tv-weight.svg",
    )


def sweep_sheets(found: Measurements) -> Iterator[tuple[str, str, torch.Tensor]]:
    """Yield file name, title and picture of each sheet of Figure 5."""
    shown = [row for row in found.weights if row.run.photo.label == SHOWN_PHOTO]
    index = 0
    for title, down, across, places in sheets(found.weights_plan, shown):
        if any(places):
            index += 1
            yield f"figure-5-{index}.jpg", title, contact_sheet(down, across, places)


def _claims_items(claims: Sequence[Claim], *families: str) -> page.Items:
    return page.Items([claim.sentence() for claim in claims if claim.family.startswith(families)])


def _group_sections(found: Measurements, claims: Sequence[Claim], group: str) -> Iterator[page.Section]:
    results = found.groups[group]
    yield page.Section(f"Figures 6 and 7: subjects found, {group}", list(_sheet_figures(results, group)))
    parts: list[page.Part] = []
    for metric, closer in results.closer.items():
        parts.append(page.Text(f"By {metric}; {closer} is closer."))
        caption = SCORES_CAPTION.format(seen=results.way[0], backdrop=results.backdrop)
        parts.append(score_table(results.scores, metric=metric, way=results.way, caption=caption))
        if chart_name(metric) in results.charts:
            name = f"{group}-{chart_name(metric)}.svg"
            parts.append(page.Figure(name, f"Scores by {metric}", f"Scores by {metric}, {group}.", name))
        parts.append(ways_table(results.scores, metric=metric, caption="Means for every way of cutting."))
    parts.append(_claims_items(claims, f"meaning of the scores, {group}"))
    parts += [_claims_items(claims, f"similarity of cut-outs by {metric}, {group}") for metric in results.closer]
    if results.shifts:
        parts.append(shift_table(results.shifts, caption=SHIFT_CAPTION))
    yield page.Section(f"Table 1: similarity of cut-outs, {group}", parts)
    if results.truths:
        items = _claims_items(claims, f"finding the subject, {group}", f"finding it after painting, {group}")
        yield page.Section(f"Against the truth, {group}", [truth_table(results.truths, caption=TRUTH_CAPTION), items])
    name = f"{group}-agreement.svg"
    caption = f"IoU of every pair of mattes, mean over {group}."
    yield page.Section(
        f"Agreement of the methods, {group}", [page.Figure(name, "Agreement of the methods", caption, name)]
    )


def _sheet_figures(results: Results, group: str) -> Iterator[page.Part]:
    for photo in shown_names(results, group):
        for sheet, caption in (
            ("methods", "mattes and cut-outs by every method, in photo and pastiche"),
            ("stages", "input pictures and U2-Net's side outputs, fine to coarse"),
        ):
            name = f"{photo}-{sheet}.jpg"
            yield page.Figure(name, f"{photo}: {caption}", f"{photo}: {caption}.", name)


def shown_names(results: Results, group: str) -> list[str]:
    """Return the names of the pictures whose contact sheets are shown."""
    names = [item.subject.name for item in results.comparisons]
    return [name for name in _SHOWN[group] if name in names] or names[:1]


def _limit_parts(found: Measurements, claims: Sequence[Claim]) -> Iterator[page.Part]:
    yield page.Figure("scenes-overlap.svg", "IoU over colour distance", OVERLAP_CAPTION, "scenes-overlap.svg")
    yield _claims_items(claims, "limits of GrabCut, near colours")
    for group in GROUPS:
        if found.groups[group].jitter:
            name = f"{group}-jitter.svg"
            yield page.Figure(name, "IoU over the movement of the box", f"{group.capitalize()}. {JITTER_CAPTION}", name)
            yield _claims_items(claims, f"limits of GrabCut, moved boxes, {group}")


def _student_table() -> page.Table:
    return page.Table(["cut-out", "content", "style", "truth cut"], _STUDENT_ROWS, _STUDENT_CAPTION)


def _test_table(claims: Sequence[Claim]) -> page.Table:
    rows = [
        [
            claim.question,
            claim.family,
            claim.test.difference.format(claim.digits),
            format_p(claim.test.p_value),
            format_p(claim.p_corrected),
            str(claim.test.count),
        ]
        for claim in claims
    ]
    headings = ["difference", "family", "mean and interval", "p", "p, corrected", "n"]
    return page.Table(headings, rows, f"The same rows in full are in {TESTS_NAME}.")


def _caveats(found: Measurements) -> Iterator[str]:
    yield f"{describe_scale(found)} Larger pictures may come out differently."
    yield "Photos were chosen by their licence, not at random, and scenes are drawings: neither is a random sample."
    yield "Photos have no true matte. Their boxes were drawn by one person."
    yield "Methods ran without refinement of edges, which `pochoir segment` does by default."
    yield "A difference that is not shown may still exist; the smallest differences that could be shown are listed."
    yield f"{method_label(GIVEN_BOX, 'photos')} is told where the subject is; in scenes its box is the truth's."


def _versions(found: Measurements) -> str:
    libraries = ", ".join(f"{name} {metadata.version(name)}" for name in _LIBRARIES)
    settings = found.settings
    return (
        f"pochoir {pochoir.__version__}, torch {torch.__version__}, {libraries}, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores. Compared at {settings.size} px, swept at {settings.sweep_size} px, {settings.steps} "
        f"steps; {count_seeds(settings.seeds)} in sweeps, from 0; 0 elsewhere. Other style of the sweep: "
        f"{OTHER_STYLE if len(found.weights_plan.styles) > 1 else 'none'}."
    )
