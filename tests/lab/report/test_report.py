"""The report: sentences follow their tests, pages show their figures, and every number has its row."""

import bz2
import csv
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from pochoir import weights
from pochoir._types import Size
from pochoir.errors import ImageReadError, OptionError, PochoirError
from pochoir.lab.common.execution import Execution
from pochoir.lab.common.statistics import paired_test
from pochoir.lab.compare.methods import MethodRunner
from pochoir.lab.compare.overlap import OverlapSettings
from pochoir.lab.report import photos as report_photos
from pochoir.lab.report import run as report_run
from pochoir.lab.report.analysis import MEANING, SIMILARITY, analyse
from pochoir.lab.report.claims import Claim, correct
from pochoir.lab.report.digest import digest, tell_power
from pochoir.lab.report.page import write_report
from pochoir.lab.report.photos import PHOTOS, missing_photos, sample_photos, write_photos
from pochoir.lab.report.run import Measurements, ReportRun
from pochoir.lab.report.settings import ReportSettings
from pochoir.lab.sweep.plan import Run
from pochoir.segmentation import Segmentation
from pochoir.similarity import Features, Measure, Scorer, View
from support.lab import Copier

SWEPT = ("astronaut", "camera", "cell", "chelsea", "clock", "coffee", "grace-hopper", "rocket")
COMPARED = 3
"""Photos that are compared; finding subjects is slow."""


class Finder:
    """Finds what differs from the picture's border."""

    def __init__(self, name: str) -> None:
        self.name = name

    def segment(self, photo: torch.Tensor) -> Segmentation:
        border = photo[..., :2, :].mean(dim=(2, 3), keepdim=True)
        matte = ((photo - border).abs().sum(dim=1, keepdim=True) * 2).clamp(0, 1)
        return Segmentation(matte=matte, method=self.name, stages=(("fused", matte),))


class MeanColor:
    """Distance of mean colours."""

    closer = "lower"
    pixels = None

    def __init__(self, name: str) -> None:
        self.name = name

    def describe(self, views: list[View]) -> list[Features]:
        return [(view.rgb.mean(dim=(0, 2, 3)),) for view in views]

    def compare(self, one: Features, other: Features) -> Measure:
        return Measure(float((one[0] - other[0]).norm()))


def measure(run: Run, picture: Path) -> dict[str, float]:
    """Measures that follow the weights as the report claims, but for the roughness, which follows the photo."""
    recipe, photo = run.recipe, len(run.photo.label)
    content = 1 / (1 + recipe.content_weight) + 0.01 * recipe.style_weight + 0.001 * recipe.seed + 0.001 * photo
    return {
        "content": content,
        "style": 1 / (1 + recipe.style_weight) + 0.01 * photo * recipe.style_weight,
        "likeness": 50.0,
        "roughness": 0.1 * photo + 0.01 * (photo % 2 * 2 - 1) * recipe.tv_weight,
        "style_of_photo": 0.9,
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Measurements, Path]:
    """A whole report, as small as it can be, by stand-ins for everything that is slow."""
    work, out = tmp_path_factory.mktemp("work"), tmp_path_factory.mktemp("report")
    settings = ReportSettings(size=64, sweep_size=64, steps=1, seeds=2, scenes=2, draws=1, overlap_size=Size(48, 64))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights, "where", lambda name: work / name)
        few_photos = {name: PHOTOS[name] for name in SWEPT}
        patch.setattr(report_photos, "PHOTOS", few_photos)
        patch.setattr(report_photos, "_FETCHED_BOXES", {})
        subjects = report_run._photo_subjects
        patch.setattr(
            report_run, "_photo_subjects", lambda paths, size: subjects(dict(list(paths.items())[:COMPARED]), size)
        )
        patch.setattr(report_run, "SCENES", ("bottle", "figures-3"))
        few = partial(OverlapSettings, figures=(1,), distances=(60.0,), scenes=2, size=Size(48, 64))
        patch.setattr(ReportSettings, "overlap", property(lambda self: few()))
        run = ReportRun(
            settings,
            work,
            methods=MethodRunner(Finder("u2net"), Finder("u2netp")),
            scorer=Scorer((MeanColor("gram"), MeanColor("lpips"))),
            execution=Execution(run=Copier()),
            measure=measure,
        )
        stages = [step.stage for step in run]
        found = run.measurements()
        write_report(out, found)
    assert stages[0] == "sweeping weights"
    assert stages[-1].startswith("scenes: moving boxes on")
    return found, out


def test_the_pages_show_every_figure_and_no_other(made: tuple[Measurements, Path]) -> None:
    _, out = made
    details = (out / "details.html").read_text()
    shown = set(re.findall(r'<img src="([^"]+)"', details))
    figures = {path.name for path in out.iterdir() if path.suffix in (".svg", ".jpg")}
    assert shown <= figures
    assert figures - shown == set()
    for page in ("index.html", "details.html"):
        text = (out / page).read_text()
        assert not re.search(r"\bNone\b|\bnan\b|[{}$]\w", re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL))
        for link in re.findall(r'href="([^"]+)"', text):
            assert (out / link).is_file(), link


def test_the_findings_fit_on_a_screen_and_link_to_the_details(made: tuple[Measurements, Path]) -> None:
    _, out = made
    text = re.sub(r"<style>.*?</style>", "", (out / "index.html").read_text(), flags=re.DOTALL)
    words = re.sub(r"<[^>]+>", " ", text).split()
    assert 100 < len(words) < 600
    assert 'href="details.html"' in text
    assert "3 photos and 2 drawn scenes" in text


def test_every_number_of_a_test_is_a_row_of_its_file(made: tuple[Measurements, Path]) -> None:
    found, out = made
    with (out / "tests.csv").open() as file:
        rows = {(row["family"], row["question"]): row for row in csv.DictReader(file)}
    details = (out / "details.html").read_text()
    claims = analyse(found)
    assert len(rows) == len(claims)
    for claim in claims:
        row = rows[claim.family, claim.question]
        assert float(row["difference"]) == pytest.approx(claim.test.difference.mean)
        assert float(row["p_corrected"]) == pytest.approx(claim.p_corrected)
        assert row["verdict"] == claim.verdict
        assert f"{claim.test.difference.mean:.{claim.digits}f}" in details


def test_the_sweeps_claims_follow_their_measures(made: tuple[Measurements, Path]) -> None:
    found, _ = made
    verdicts = {claim.question: claim for claim in analyse(found) if claim.family == "loss weights"}
    content = verdicts["content: at the highest less at the lowest content-weight"]
    assert content.is_shown
    assert content.verdict == "A higher content weight lowers the distance to the photo's content"
    assert content.test.count == 8  # photos, whatever the number of seeds
    cost = verdicts["content: at the highest less at the lowest style-weight"]
    assert cost.verdict == "A higher style weight raises the distance to the photo's content"
    rough = verdicts["roughness: at the highest less at the lowest tv-weight"]
    assert not rough.is_shown
    assert rough.verdict == "A higher weight of smoothness: no effect on the roughness of the picture is shown"


def test_groups_are_analysed_separately_and_the_true_box_is_an_oracle(made: tuple[Measurements, Path]) -> None:
    found, out = made
    claims = analyse(found)
    assert {claim.test.count for claim in claims if claim.family == "finding the subject, scenes"} == {2}
    assert {claim.test.count for claim in claims if claim.family.endswith(", photos")} <= {1, 2, 3}
    assert all(claim.unit == "scenes" for claim in claims if "oracle" in claim.question)
    assert any("GrabCut with the true box (oracle)" in claim.question for claim in claims)
    assert not any("true box" in claim.question for claim in claims if claim.family.endswith(", photos"))
    assert "GrabCut with a box drawn by hand" in (out / "details.html").read_text()


def test_scores_that_mean_no_more_than_a_null_rank_nothing(made: tuple[Measurements, Path]) -> None:
    found, _ = made
    claims = analyse(found)
    meaning = {claim.question.partition(",")[0]: claim for claim in claims if claim.family == f"{MEANING}, photos"}
    assert set(meaning) == {"gram", "lpips"}
    for outcome in (True, False):
        forced = [
            replace(claim, p_corrected=0.001 if outcome else 0.5, test=paired_test([1.0] * 7, [0.0] * 7))
            if claim.family.startswith(MEANING)
            else claim
            for claim in claims
        ]
        text = " ".join(digest(forced, found))
        assert ("Similarity of cut-outs" in text) == outcome


def claim(differences: list[float], **changes: object) -> Claim:
    test = paired_test(differences, [0.0] * len(differences))
    made = Claim("f", "q", "It rises", "It falls", "Nothing is shown", test, "photos")
    return replace(made, **changes)


def test_a_sentence_can_say_all_three_things() -> None:
    up, down, mixed = (
        correct([claim(values)])[0]
        for values in ([1.0, 2, 3, 4, 5, 6, 7], [-1.0, -2, -3, -4, -5, -6, -7], [1.0, -2, 3, -4, 5, -6, 7])
    )
    assert up.sentence() == "It rises: difference 4.00 [2.00, 6.00], p = 0.016 (Holm, 1 test), n = 7."
    assert down.sentence().startswith("It falls: difference -4.00 [-6.00, -2.00], p = 0.016")
    assert mixed.sentence().startswith("Nothing is shown: difference 0.57 [")
    assert "may have been missed" in mixed.sentence()


def test_too_few_items_say_that_nothing_could_be_shown() -> None:
    found = correct([claim([1.0, 2.0, 3.0])])[0]
    assert not found.is_shown
    assert found.sentence().endswith("With 3 photos and 1 test no difference could be shown.")


@pytest.mark.parametrize(
    ("sign", "text"),
    [
        (1, "every method finds it better in the pastiche than in the photo (by 4.000 to 5.000, largest p = 0.031)."),
        (-1, "every method finds it worse in the pastiche than in the photo (by 4.000 to 5.000, largest p = 0.031)."),
    ],
)
def test_a_family_of_one_direction_is_one_sentence(made: tuple[Measurements, Path], sign: int, text: str) -> None:
    found, _ = made
    family = "finding it after painting, scenes"
    alike = [[sign * (value + more) for value in range(1, 8)] for more in (0, 1)]
    claims = correct([claim(values, family=family, digits=3) for values in alike])
    assert next(digest(claims, found)).endswith(text)
    mixed = correct([claim(alike[0], family=family), claim([-value for value in alike[1]], family=family)])
    assert "every method" not in next(digest(mixed, found))


def test_the_correction_is_within_families() -> None:
    clear = [1.0, 2, 3, 4, 5, 6, 7]
    one, two, alone = correct([claim(clear), claim(clear), claim(clear, family="g")])
    assert (one.p_corrected, two.p_corrected, alone.p_corrected) == (2 / 64, 2 / 64, 1 / 64)
    assert (one.tests, alone.tests) == (2, 1)


def test_the_power_estimate_says_how_many_items_an_effect_needs() -> None:
    (few,) = tell_power(correct([claim([1.0, 2, 3, 4, 5])]))
    assert "cannot show anything" in few
    many = correct([claim(list(np.linspace(0, 2, 20))) for _ in range(8)])
    (text,) = tell_power(many)
    assert (
        "20 photos: with a power of 80 % the strictest of 8 tests corrected together finds differences from 0.89"
        in text
    )


def test_photos_of_ones_own_are_added(tmp_path: Path, photo_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_photos, "_FETCHED_BOXES", {})
    own = tmp_path / "own"
    own.mkdir()
    photo_file.rename(own / "coffee.png")
    found = write_photos(tmp_path / "photos", more=own)
    assert len(found) == len(PHOTOS) + 1
    assert found["own-coffee"] == own / "coffee.png"
    with pytest.raises(ImageReadError, match="--photos takes a folder of photos"):
        write_photos(tmp_path / "photos", more=tmp_path / "nowhere")


def test_every_sample_photo_can_be_read_and_its_box_lies_inside(tmp_path: Path) -> None:
    from pochoir import imaging

    samples = sample_photos()
    for name, path in write_photos(tmp_path).items():
        size, box = imaging.load(path).size, samples[name].box
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= size.width, name
        assert box.y + box.height <= size.height, name


def test_fetched_photos_join_those_of_the_dependencies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "home", lambda: tmp_path)
    assert (sample_photos(), missing_photos()) == (PHOTOS, 9)
    (tmp_path / "photo-quokka.jpg").write_bytes(b"")
    pixels = np.arange(768 * 1024 * 3, dtype=np.uint32).astype(np.uint8)
    (tmp_path / "photo-raccoon.dat").write_bytes(bz2.compress(pixels.tobytes()))
    found = sample_photos()
    assert (len(found), missing_photos()) == (len(PHOTOS) + 2, 7)
    assert found["quokka"].read() == tmp_path / "photo-quokka.jpg"
    assert (found["quokka"].package, found["raccoon"].package) == ("imgaug", "scipy")
    assert np.array_equal(found["raccoon"].read().ravel(), pixels)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 63}, "at least 64 pixels long; got 63, 160"),
        ({"sweep_size": 32}, "at least 64 pixels long; got 256, 32"),
        ({"seeds": 0}, "1 to 20 seeds; got 0"),
        ({"scenes": 0}, "At least 1 scene of each kind is needed; got 0"),
        ({"draws": 0}, "At least 1 moved box is needed for each distance; got 0"),
    ],
)
def test_settings_have_bounds(changes: dict[str, int], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        ReportSettings(**changes)


def test_a_picture_that_cannot_be_painted_ends_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "where", lambda name: tmp_path / name)
    monkeypatch.setattr(report_run, "_scene_subjects", lambda size: report_run._photo_subjects({}, size))
    monkeypatch.setattr(report_run, "GROUPS", ("photos",))
    run = ReportRun(
        ReportSettings.quick(),
        tmp_path,
        methods=MethodRunner(Finder("u2net"), Finder("u2netp")),
        scorer=Scorer((MeanColor("gram"),)),
        execution=Execution(run=Copier(OptionError("no subject"))),
        measure=measure,
    )
    with pytest.raises(PochoirError, match=r"astronaut as mosaic.* cannot be painted or measured: no subject"):
        list(run)


def test_the_test_of_similarity_is_about_pictures_where_neither_failed(made: tuple[Measurements, Path]) -> None:
    found, _ = made
    results = found.groups["photos"]
    failed = {row.photo for row in results.failures if row.seen == "pastiche" and row.method in ("u2net", "u2netp")}
    for item in analyse(found):
        if item.family == f"{SIMILARITY} by lpips, photos" and "U2-Net-p" in item.question:
            assert item.test.count == COMPARED - len(failed)
