"""Comparisons: methods, targets and nulls, failures, and the reuse of results by a resumed run."""

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pochoir import imaging
from pochoir._types import Box, Size
from pochoir.errors import ImageReadError, InputError, OptionError, PochoirError, UnknownNameError
from pochoir.lab.common.execution import Execution
from pochoir.lab.compare.cutouts import PASTICHE, PHOTO, Comparison, compare_subject, failure_kind
from pochoir.lab.compare.inputs import Subject, make_subject, missing_truths, read_subjects
from pochoir.lab.compare.jitter import JitterSettings
from pochoir.lab.compare.methods import METHODS, MethodRunner
from pochoir.lab.compare.overlap import OverlapSettings
from pochoir.lab.compare.page import build_sections, write_results
from pochoir.lab.compare.results import Results, to_csv
from pochoir.lab.compare.run import ComparisonRun, Plan
from pochoir.lab.compare.scores import NULLS, cut_out, iter_scores, targets_of
from pochoir.lab.scenes import draw_figures
from pochoir.recipe import Recipe
from pochoir.segmentation import Segmentation
from pochoir.similarity import Features, Measure, Scorer, View
from support.lab import Copier

SIZE = Size(48, 64)


class Finder:
    """Finds what differs from the picture's border, as a network with side outputs would."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.calls = 0

    def segment(self, photo: torch.Tensor) -> Segmentation:
        self.calls += 1
        border = photo[..., :2, :].mean(dim=(2, 3), keepdim=True)
        matte = ((photo - border).abs().sum(dim=1, keepdim=True) * 2).clamp(0, 1)
        stages = (("fused", matte), *((f"side {number}", matte) for number in range(1, 7)))
        return Segmentation(matte=matte, method=self.name, stages=stages)


@pytest.fixture
def methods() -> MethodRunner:
    return MethodRunner(Finder("u2net"), Finder("u2netp"))


class ColorMoments:
    """Distance of pictures' mean colours and their spread."""

    def __init__(self, name: str = "moments") -> None:
        self.name = name

    closer = "lower"
    pixels = None

    def describe(self, views: Sequence[View]) -> list[Features]:
        return [(torch.cat([view.rgb.mean(dim=(0, 2, 3)), view.rgb.std(dim=(0, 2, 3))]),) for view in views]

    def compare(self, one: Features, other: Features) -> Measure:
        return Measure(float((one[0] - other[0]).norm()))


@pytest.fixture
def scorer() -> Scorer:
    return Scorer((ColorMoments(), ColorMoments("gram")))


def as_array(tensor: torch.Tensor) -> np.ndarray:
    return tensor[0].permute(1, 2, 0).contiguous().numpy()


def drawn(name: str = "scene", seed: int = 0, *, with_truth: bool = True) -> Subject:
    scene = draw_figures(figures=2, distance=60.0, size=SIZE, seed=seed)
    return make_subject(name, as_array(scene.photo), truth=as_array(scene.everyone) if with_truth else None)


def recipe(style: Path, **settings: object) -> Recipe:
    return Recipe.from_dict({"style": [str(style)], "steps": 2, "threads": 1} | settings)


def compared(
    methods: MethodRunner, scorer: Scorer, subject: Subject, *, pastiche: object = None, **others: object
) -> Comparison:
    item = compare_subject(subject, methods, pastiche=pastiche)
    return replace(item, scores=[row for rows in iter_scores(item, scorer, **others) for row in rows])


def test_every_method_runs_on_the_same_picture_and_the_network_only_once(methods: MethodRunner) -> None:
    subject = drawn()
    found = methods.segment(subject.photo.rgb, box=subject.box)
    assert list(found) == list(METHODS)
    assert methods.u2net.calls == 1
    assert all(item.matte.shape == (1, 1, *SIZE) for item in found.values())
    assert found["grabcut-box"].box == subject.box


def test_without_a_box_the_given_box_is_left_out(methods: MethodRunner) -> None:
    assert "grabcut-box" not in methods.segment(drawn(with_truth=False).photo.rgb)


def test_mattes_of_either_picture_cut_both(methods: MethodRunner, scorer: Scorer) -> None:
    subject = drawn()
    pastiche = replace(subject.photo, rgb=1 - subject.photo.rgb, sha256="inverted")
    done = compared(methods, scorer, subject, pastiche=pastiche, style=drawn(seed=5).photo)
    ways = {(row.seen, row.cut) for row in done.scores if row.method == "u2net"}
    assert ways == {(PHOTO, PHOTO), (PHOTO, PASTICHE), (PASTICHE, PHOTO), (PASTICHE, PASTICHE)}
    assert {row.target for row in done.scores} == {"content", "style", "truth cut"}
    assert len(done.truths) == 2 * len(METHODS)
    assert len(done.agreements) == 10 * 9 // 2


def test_the_truth_scores_perfectly_against_the_truth_cut(methods: MethodRunner, scorer: Scorer) -> None:
    subject = drawn()
    done = compared(methods, scorer, subject)
    null = {row.method: row.value for row in done.scores if row.target == "truth cut" and row.method in NULLS}
    assert null["the target itself"] == pytest.approx(0.0, abs=1e-6)  # a distance
    assert null["backdrop alone"] > 0
    assert next(row.scores.iou for row in done.truths if row.method == "grabcut-box") > 0.9


def test_nulls_need_what_they_are_made_of(methods: MethodRunner, scorer: Scorer) -> None:
    bare = compared(methods, scorer, drawn())
    assert "style in the outline" not in {row.method for row in bare.scores}
    assert "another photo in the outline" not in {row.method for row in bare.scores}
    whole = compared(methods, scorer, drawn(), style=drawn(seed=3).photo, stranger=drawn(seed=4).photo)
    assert set(NULLS) <= {row.method for row in whole.scores}


def test_a_cutout_is_the_picture_inside_and_nothing_outside() -> None:
    subject = drawn()
    cut = cut_out(subject.photo, (subject.truth > 0.5).float())
    inside = (subject.truth > 0.5).expand(-1, 3, -1, -1)
    assert torch.equal(cut.rgb[inside], subject.photo.rgb[inside])
    assert torch.equal(cut.alpha, (subject.truth > 0.5).float())


def test_a_subject_is_scaled_with_its_truth_and_its_box() -> None:
    photo = np.zeros((100, 200, 3), np.uint8)
    truth = np.zeros((100, 200), np.uint8)
    truth[20:60, 40:120] = 255
    subject = make_subject("x", photo, truth=truth, long_side_px=100)
    assert (subject.photo.size, tuple(subject.truth.shape)) == (Size(50, 100), (1, 1, 50, 100))
    assert subject.box == Box(18, 9, 44, 22)  # 20,10 40x20 and 5 % more on each side
    given = make_subject("x", photo, truth=truth, box=Box(190, -5, 50, 25), long_side_px=100)
    assert given.box == Box(95, 0, 5, 10)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    folder = tmp_path / "photos"
    folder.mkdir()
    for seed, name in enumerate(("dog", "cat")):
        imaging.save(folder / f"{name}.png", draw_figures(figures=1, distance=60.0, size=SIZE, seed=seed).photo)
    return {name: folder / f"{name}.png" for name in ("dog", "cat")}


@pytest.fixture
def truths(tmp_path: Path, files: dict[str, Path]) -> Path:
    folder = tmp_path / "truths"
    folder.mkdir()
    matte = draw_figures(figures=1, distance=60.0, size=SIZE, seed=0).everyone
    imaging.save(folder / "dog.png", matte.expand(-1, 3, -1, -1))
    return folder


def test_truths_belong_to_photos_by_their_names(files: dict[str, Path], truths: Path) -> None:
    dog, cat = read_subjects(files, truth_dir=truths)
    assert dog.truth is not None
    assert dog.box is not None
    assert cat.truth is None
    assert missing_truths([dog, cat]) == ("no truth for cat: left out where a truth is needed",)
    assert missing_truths([cat]) == missing_truths([dog]) == ()


def test_a_truth_of_another_size_is_resized_with_a_note(files: dict[str, Path], truths: Path) -> None:
    Image.open(truths / "dog.png").resize((32, 24)).save(truths / "dog.png")
    (dog,) = read_subjects({"dog": files["dog"]}, truth_dir=truths)
    assert "dog: truth resized from 32x24 to 64x48" in dog.notes


def test_bad_inputs_are_refused_before_anything_runs(files: dict[str, Path], truths: Path, tmp_path: Path) -> None:
    with pytest.raises(ImageReadError, match="takes a folder of true mattes"):
        read_subjects(files, truth_dir=tmp_path / "nowhere")
    with pytest.raises(ImageReadError, match="has the name of one of the photos: cat"):
        read_subjects({"cat": files["cat"]}, truth_dir=truths)
    with pytest.raises(UnknownNameError, match=r"photo of a box 'dgo'. Did you mean 'dog'"):
        read_subjects(files, boxes={"dgo": Box(0, 0, 5, 5)})
    with pytest.raises(OptionError, match=r"box 90,0,5,5 lies outside of dog, which is 64x48"):
        read_subjects(files, boxes={"dog": Box(90, 0, 5, 5)})
    Image.new("L", (64, 48)).save(truths / "dog.png")
    with pytest.raises(InputError, match="truth of dog is empty"):
        read_subjects(files, truth_dir=truths)
    Image.new("L", (64, 48)).save(truths / "dog.bmp")
    with pytest.raises(OptionError, match=r"several truths of dog.png"):
        read_subjects(files, truth_dir=truths)


@pytest.mark.parametrize(
    ("names", "styles", "message"),
    [
        ([], 1, "photos of different names; got none"),
        (["a", "a"], 1, "different names; got a, a"),
        (["a"], 2, "exactly one style; got 2"),
        (["a"], 0, "exactly one style; got 0"),
    ],
)
def test_a_plan_that_cannot_be_run_is_refused(names: list[str], styles: int, message: str) -> None:
    made = Recipe.from_dict({"style": ["mosaic", "marbling"][:styles]})
    with pytest.raises(OptionError, match=message):
        Plan([drawn(name) for name in names], made)


def test_a_whole_run_writes_a_page_tables_charts_and_sheets(
    tmp_path: Path, style_file: Path, methods: MethodRunner, scorer: Scorer
) -> None:
    plan = Plan(
        [drawn("one", 1), drawn("two", 2, with_truth=False)],
        recipe(style_file),
        overlap=OverlapSettings(figures=(1, 2), distances=(10.0, 60.0), scenes=1, size=SIZE),
        jitter=JitterSettings(shares=(0.1, 0.3), draws=1),
    )
    copier = Copier()
    run = ComparisonRun(plan, tmp_path, methods=methods, scorer=scorer, execution=Execution(run=copier))
    stages = list(dict.fromkeys(step.stage for step in run))
    assert copier.painted == ["one.png", "two.png"]
    assert stages[0] == "painting"
    assert stages[-1] == "moving boxes on two"
    written = write_results(tmp_path, run.results())
    names = {path.name for path in written}
    assert {"index.html", "summary.json", "scores.csv", "truth.csv", "agreement.csv"} <= names
    assert {"overlap.svg", "jitter.svg", "agreement.svg", "scores-moments.svg", "one-methods.jpg"} <= names
    assert all(path.stat().st_size for path in written)
    page = written[0].read_text()
    assert "on the same backdrop, #808080" in page
    assert 'src="http' not in page
    summary = json.loads(written[1].read_text())
    assert summary["photos"] == ["one", "two"]
    cell = next(item for item in summary["scores"] if item["measure"] == "moments: truth cut")
    assert cell["interval"]["count"] == 1


@pytest.fixture
def run(tmp_path: Path, methods: MethodRunner, scorer: Scorer) -> Callable[[], tuple[set[str], Results]]:
    """Run a small plan: the stages that it went through, and its results."""
    plan = Plan(
        [drawn("one")],
        overlap=OverlapSettings(figures=(1,), distances=(10.0, 60.0), scenes=1, size=SIZE),
        jitter=JitterSettings(shares=(0.1,), draws=2),
    )

    def once() -> tuple[set[str], Results]:
        run = ComparisonRun(plan, tmp_path, methods=methods, scorer=scorer)
        return {step.stage for step in run}, run.results()

    return once


def test_a_second_run_takes_over_what_was_kept(run: Callable[[], tuple[set[str], Results]]) -> None:
    stages, first = run()
    assert stages == {"finding subjects", "scoring one", "drawing scenes", "moving boxes on one"}
    stages, second = run()
    assert stages == {"finding subjects"}
    assert second.overlap == first.overlap
    assert second.jitter == first.jitter
    assert second.scores == first.scores


def test_kept_rows_of_other_settings_are_measured_again(
    run: Callable[[], tuple[set[str], Results]], tmp_path: Path
) -> None:
    run()
    for text in ("[]", "{", '{"inputs": {}}'):
        for path in (tmp_path / "measured").iterdir():
            path.write_text(text)
        assert run()[0] == {"finding subjects", "scoring one", "drawing scenes", "moving boxes on one"}


def test_rows_measured_with_other_settings_or_by_another_version_are_not_reused(
    tmp_path: Path, methods: MethodRunner, scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stages(scenes: int, backdrop: str = "#808080") -> set[str]:
        overlap = OverlapSettings(figures=(1,), distances=(60.0,), scenes=scenes, size=SIZE)
        used = Scorer((ColorMoments(),), backdrop=backdrop)
        run = ComparisonRun(Plan([drawn("one")], overlap=overlap), tmp_path, methods=methods, scorer=used)
        return {step.stage for step in run} - {"finding subjects"}

    everything = {"scoring one", "drawing scenes"}
    assert stages(1) == everything
    assert stages(1) == set()
    assert stages(2) == {"drawing scenes"}
    assert stages(1, backdrop="#ffffff") == {"scoring one"}
    monkeypatch.setattr("pochoir.__version__", "99")
    assert stages(1) == everything


class Empty(Finder):
    """Finds nothing."""

    def segment(self, photo: torch.Tensor) -> Segmentation:
        return Segmentation(matte=photo[:, :1] * 0, method=self.name, stages=())


def test_an_empty_matte_is_a_failure_without_a_score_and_its_method_is_not_ranked(
    tmp_path: Path, scorer: Scorer
) -> None:
    run = ComparisonRun(
        Plan([drawn("one"), drawn("two", 1)]),
        tmp_path,
        methods=MethodRunner(Finder("u2net"), Empty("u2netp")),
        scorer=scorer,
    )
    list(run)
    results = run.results()
    failed = [(row.photo, row.method, row.seen, row.kind) for row in results.failures if row.method == "u2netp"]
    assert failed == [("one", "u2netp", "photo", "empty"), ("two", "u2netp", "photo", "empty")]
    assert "u2netp" not in {row.method for row in results.score_rows}
    truths = {mean.method: mean for mean in results.truths if mean.measure == "iou"}
    assert truths["u2netp"].interval.mean == 0.0  # against the truth it counts as it is
    assert not truths["u2netp"].is_ranked
    assert truths["u2net"].is_ranked
    page = write_results(tmp_path, results)[0].read_text()
    assert re.search(r"mattes are empty or full\. Not ranked because of that: [^.]*U2-Net-p", page)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "failures.csv").read_text())))
    assert [row["kind"] for row in rows if row["method"] == "u2netp"] == ["empty", "empty"]


@pytest.mark.parametrize(("filled", "kind"), [(0, "empty"), (1, "empty"), (5, ""), (1980, ""), (1999, "full")])
def test_a_matte_is_a_cutout_between_a_thousandth_and_nearly_all(filled: int, kind: str) -> None:
    matte = torch.zeros(1, 1, 40, 50)
    matte.view(-1)[:filled] = 0.8
    assert failure_kind(matte) == kind


def test_style_is_judged_by_metrics_of_style_and_content_by_those_of_content() -> None:
    assert targets_of("gram") == targets_of("color") == ("style",)
    assert targets_of("lpips:vgg") == targets_of("vgg") == targets_of("dists") == ("content", "truth cut")
    assert targets_of("clip:ViT-B-32/laion2b") == ("content", "style", "truth cut")


@pytest.mark.parametrize(
    ("failure", "raised"), [(InputError("no subject"), InputError), (ValueError("x"), PochoirError)]
)
def test_a_photo_that_cannot_be_painted_ends_the_run(
    tmp_path: Path, style_file: Path, methods: MethodRunner, scorer: Scorer, failure: Exception, raised: type[Exception]
) -> None:
    execution = Execution(run=Copier(failure))
    run = ComparisonRun(
        Plan([drawn()], recipe(style_file)), tmp_path, methods=methods, scorer=scorer, execution=execution
    )
    with pytest.raises(raised, match=str(failure)):
        list(run)


def test_without_a_style_only_the_photos_are_compared(tmp_path: Path, methods: MethodRunner, scorer: Scorer) -> None:
    run = ComparisonRun(Plan([drawn()]), tmp_path, methods=methods, scorer=scorer)
    list(run)
    results = run.results()
    assert results.way == (PHOTO, PHOTO)
    titles = [section.title for section in build_sections(results)]
    assert "Limits of GrabCut" not in titles
    assert titles[-1] == "scene"


def test_csv_keeps_every_column_and_quotes_what_needs_it() -> None:
    text = to_csv([{"a": 1, "b": "x, y"}, {"a": 2, "c": 0.5}]).decode()
    assert list(csv.reader(io.StringIO(text))) == [["a", "b", "c"], ["1", "x, y", ""], ["2", "", "0.5"]]
