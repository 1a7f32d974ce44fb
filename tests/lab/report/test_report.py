"""The report: sentences that follow the numbers, and a page whose figures are all there."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest
import torch

from pochoir import imaging, weights
from pochoir._types import Box, Size
from pochoir.encoders import tiny_encoder
from pochoir.errors import OptionError
from pochoir.lab.common.page import Table
from pochoir.lab.compare.jitter import JitterRow
from pochoir.lab.compare.methods import Finders
from pochoir.lab.compare.overlap import OverlapRow, OverlapSettings
from pochoir.lab.report import findings as report_findings
from pochoir.lab.report import page as report_page
from pochoir.lab.report import run as report
from pochoir.lab.report.page import to_markdown, write_report
from pochoir.lab.report.run import Findings, Reporting, ReportSettings
from pochoir.lab.sweep.plan import Item, Run
from pochoir.lab.sweep.results import Row
from pochoir.recipe import Recipe
from pochoir.segmentation import Segmentation
from pochoir.similarity import Features, Measure, Scorer, View


class Finder:
    """Finds what differs from the picture's border."""

    def __init__(self, name: str) -> None:
        self.name = name

    def segment(self, photo: torch.Tensor) -> Segmentation:
        border = photo[..., :2, :].mean(dim=(2, 3), keepdim=True)
        matte = ((photo - border).abs().sum(dim=1, keepdim=True) * 2).clamp(0, 1)
        return Segmentation(matte=matte, method=self.name, stages=(("fused", matte),))


class MeanColor:
    """100 less the distance of mean colours."""

    name = "mean"
    closer = "higher"
    pixels = None

    def describe(self, views: Sequence[View]) -> list[Features]:
        return [(view.rgb.mean(dim=(0, 2, 3)),) for view in views]

    def compare(self, one: Features, other: Features) -> Measure:
        return Measure(100 - 100 * float((one[0] - other[0]).norm()))


def paint_nothing(run: Run, picture: Path) -> Mapping[str, float]:
    """Measures that follow the weights as the report claims, but for the roughness."""
    imaging.save(picture, torch.full((1, 3, 24, 32), 0.5))
    recipe = run.recipe
    measures = {"content": 1 / (1 + recipe.content_weight), "style": 1 / (1 + recipe.style_weight), "seconds": 1.0}
    return measures | {"likeness": 50.0, "roughness": 0.1, "style_of_photo": 0.9}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Findings, Path]:
    """A whole report, as small as it can be, by stand-ins for everything that is slow."""
    work, out = tmp_path_factory.mktemp("work"), tmp_path_factory.mktemp("report")
    settings = ReportSettings(size=64, sweep_size=64, steps=1, scenes=1, draws=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights, "where", lambda name: work / name)
        for module in (report, report_page):
            patch.setattr(module, "PHOTOS", {"chelsea": Box(2, 2, 390, 296)})
            patch.setattr(module, "SCENES", {"scene-3": (3, 40.0)})
        patch.setattr(report, "WEIGHTS", (0.1, 10.0))
        patch.setattr(
            report, "OverlapSettings", partial(OverlapSettings, figures=(1,), distances=(60.0,), size=Size(48, 64))
        )
        reporting = Reporting(
            settings,
            work,
            finders=Finders(Finder("u2net"), Finder("u2netp")),
            scorer=Scorer((MeanColor(),)),
            encoder=tiny_encoder(),
            paint=paint_nothing,
        )
        stages = [step.stage for step in reporting]
        findings = reporting.findings()
        write_report(out, findings)
    assert stages[0] == "sweeping weights"
    assert stages[-1] == "moving boxes on scene-3"
    return findings, out


def test_the_page_shows_every_figure_and_no_other(made: tuple[Findings, Path]) -> None:
    _, out = made
    text = (out / "README.md").read_text()
    shown = set(re.findall(r"\]\(([^)/]+\.(?:svg|jpg))\)", text))
    assert shown == {path.name for path in out.iterdir()} - {"README.md"}
    assert not re.search(r"\$\w", text)


def test_the_page_says_what_it_was_made_with(made: tuple[Findings, Path]) -> None:
    text = (made[1] / "README.md").read_text()
    assert f"torch {torch.__version__}" in text
    assert "Photos: chelsea; drawn scenes: 1" in text
    assert "Scores are by `mean`, not by CLIP" in text
    assert "| U2-Net | 75.58 | 89.52 | 93.21 |" in text


def test_sentences_follow_the_sweep(made: tuple[Findings, Path]) -> None:
    text = (made[1] / "README.md").read_text()
    assert "content falls steadily with content-weight in 4 of 4 rows" in text
    assert "style falls steadily with style-weight in 4 of 4 rows" in text
    assert "roughness falls steadily with tv-weight in 0 of 1 rows" in text


def test_only_drawn_scenes_have_a_truth(made: tuple[Findings, Path]) -> None:
    findings, _ = made
    named = {row.photo for item in findings.results.comparisons for row in item.truths}
    assert named == {"scene-3"}
    assert {item.subject.name for item in findings.results.comparisons} == {"chelsea", "scene-3"}
    assert all(item.subject.box is not None for item in findings.results.comparisons)


def test_trends_by_hand() -> None:
    item = Item("cat", "cat.png", "0")

    def row(weight: float, seed: int, value: float) -> Row:
        settings = {"style_weight": weight, "seed": seed}
        return Row(Run(item, item, settings, Recipe(), "k"), {"style": value}, Path("x.png"))

    rows = [row(10, 0, 0.1), row(1, 0, 0.3), row(1, 1, 0.2), row(10, 1, 0.2)]
    told = report_findings.tell_trend(rows, axis="style_weight", measure="style", wanted="falls")
    assert told.startswith("style falls steadily with style-weight in 1 of 2 rows")
    assert "(mean 0.25 at style-weight 1, 0.15 at 10)" in told


def test_where_grabcut_is_good_is_read_off_the_rows() -> None:
    rows = [
        OverlapRow(1, distance, 0, task, method, iou)
        for distance, iou in ((5.0, 0.95), (20.0, 0.4), (40.0, 0.92), (80.0, 0.99))
        for task in ("everyone", "front")
        for method in ("grabcut", "u2net")
    ]
    told = list(report_findings.tell_overlap(rows))
    assert "from colour distance 40 on (0.95 at 5, 0.40 at 20, 0.92 at 40, 0.99 at 80)" in told[0]
    never = [OverlapRow(1, 5.0, 0, task, m, 0.1) for task in ("everyone", "front") for m in ("grabcut", "u2net")]
    assert "at no distance that was drawn" in next(report_findings.tell_overlap(never))


def test_spread_is_read_off_the_rows() -> None:
    rows = [
        JitterRow("cat", method, 0.1, draw, 0.8, same, None)
        for method in ("grabcut", "u2net")
        for draw, same in enumerate((0.5, 0.95, 1.0, 1.0))
    ]
    told = next(report_findings.tell_jitter(rows))
    assert "10 %: median 0.97, 25 % of cuts below 0.9" in told


def test_tables_in_markdown_keep_their_bars() -> None:
    table = Table(["a", "b"], [["1", "x|y"]], caption="what it is")
    assert to_markdown(table) == "| a | b |\n| --- | --- |\n| 1 | x\\|y |\n\n*what it is*"


def test_pictures_too_small_to_show_anything_are_refused() -> None:
    with pytest.raises(OptionError, match="at least 64 pixels long; got 256, 32"):
        ReportSettings(sweep_size=32)
