import csv
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pochoir.lab.common.execution import Execution
from pochoir.lab.sweep.grid import Axis
from pochoir.lab.sweep.page import write_results
from pochoir.lab.sweep.plan import Plan, Run, plan_sweep
from pochoir.lab.sweep.results import collect, effect, factors, pareto_front, sheets, to_csv
from pochoir.lab.sweep.runs import iter_sweep
from pochoir.recipe import Recipe
from support.lab import Copier

pytestmark = pytest.mark.weights  # plans look whether they are there


def measure(run: Run, picture: Path) -> dict[str, float]:
    """Measures with known effects: content grows with the style weight, style falls, and seeds scatter."""
    weight, scatter = run.recipe.style_weight, 0.01 * run.recipe.seed
    return {
        "content": 0.1 * weight + scatter + 0.001 * run.recipe.tv_weight,
        "style": 0.5 / (1 + weight) + scatter,
        "likeness": 80 - weight,
        "roughness": 0.1 / (1 + run.recipe.tv_weight),
        "style_of_photo": 0.9,
    }


def run_all(plan: Plan, folder: Path) -> None:
    list(iter_sweep(plan, folder, execution=Execution(run=Copier()), measure=measure))


@pytest.fixture
def plan(photo_file: Path) -> Plan:
    axes = [Axis("style_weight", (0.0, 1.0, 4.0)), Axis("tv_weight", (0.0, 1.0)), Axis("seed", (0, 1))]
    return plan_sweep([str(photo_file)], ["mosaic", "ink-wash"], Recipe(), axes)


@pytest.fixture
def folder(plan: Plan, tmp_path: Path) -> Path:
    made = tmp_path / "sweep"
    made.mkdir()
    run_all(plan, made)
    return made


def test_what_differs_between_runs(plan: Plan) -> None:
    assert [factor.label for factor in factors(plan)] == ["style-weight", "tv-weight", "seed", "style"]


def test_the_interval_is_over_seeds_only(photo_file: Path, tmp_path: Path) -> None:
    axes = [Axis("style_weight", (0.0, 4.0)), Axis("tv_weight", (0.0, 1.0)), Axis("seed", tuple(range(6)))]
    plan = plan_sweep([str(photo_file)], ["mosaic"], Recipe(), axes)
    run_all(plan, tmp_path)
    found = effect(collect(plan, tmp_path), factors(plan)[0], "content")
    assert list(found) == [0.0, 4.0]
    for weight, interval in found.items():
        assert interval.mean == pytest.approx(0.1 * weight + 0.025 + 0.0005)
        assert interval.count == 6  # seeds, not runs
        assert (interval.low, interval.high) == pytest.approx((interval.mean - 0.025, interval.mean + 0.025))
    write_results(plan, tmp_path)
    assert "exact ones at 95 % over 6 seeds" in (tmp_path / "index.html").read_text()


def test_a_few_seeds_are_shown_one_by_one_and_have_no_interval(plan: Plan, folder: Path) -> None:
    found = effect(collect(plan, folder), factors(plan)[0], "content")
    assert all(interval.low is None and interval.count == 2 for interval in found.values())
    write_results(plan, folder)
    assert "an interval at 95 % needs at least 6" in (folder / "index.html").read_text()


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=12))
def test_the_front_is_what_nothing_beats(points: list[tuple[int, int]]) -> None:
    front = pareto_front(points)

    def is_beaten(point: tuple[int, int]) -> bool:
        return any(other != point and other[0] <= point[0] and other[1] <= point[1] for other in points)

    assert {points[index] for index in front} == {point for point in points if not is_beaten(point)}
    assert [points[index][0] for index in front] == sorted({points[index][0] for index in front})


def test_a_sheet_has_settings_down_and_across_and_one_seed(plan: Plan, folder: Path) -> None:
    made = list(sheets(plan, collect(plan, folder)))
    assert [title for title, *_ in made] == ["mosaic", "ink-wash"]
    for title, down, across, places in made:
        assert down is not None
        assert across is not None
        assert (down.label, across.label) == ("style-weight", "tv-weight")
        laid = [(row.run.recipe.style_weight, row.run.recipe.tv_weight) for row in places if row is not None]
        assert laid == [(weight, tv) for weight in (0.0, 1.0, 4.0) for tv in (0.0, 1.0)]
        assert {(row.run.recipe.seed, row.run.style.label) for row in places if row is not None} == {(0, title)}


def test_a_run_that_is_missing_leaves_its_place_empty(plan: Plan, folder: Path) -> None:
    (folder / "pictures" / plan.runs[2].picture_name).unlink()
    first = next(sheets(plan, collect(plan, folder)))
    assert [place is None for place in first[3]] == [False, True, False, False, False, False]
    write_results(plan, folder)
    assert "23 of 24 runs are done" in (folder / "index.html").read_text()


def test_seeds_alone_make_a_sheet_too(photo_file: Path, tmp_path: Path) -> None:
    plan = plan_sweep([str(photo_file)], ["mosaic"], Recipe(), [Axis("seed", (0, 1, 2))])
    run_all(plan, tmp_path)
    ((_, down, across, places),) = sheets(plan, collect(plan, tmp_path))
    assert (down, across.label if across else None) == (None, "seed")
    assert all(places)
    write_results(plan, tmp_path)


def test_the_table_holds_every_run(plan: Plan, folder: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(plan, collect(plan, folder)))))
    assert len(rows) == 24
    assert float(rows[5]["content_distance"]) == measure(plan.runs[5], folder)["content"]
    assert (rows[5]["photo"], rows[5]["style"], rows[5]["seed"]) == ("photo", "mosaic", "1")
    assert (folder / rows[5]["picture"]).is_file()


def test_the_page_holds_everything_and_needs_nothing(plan: Plan, folder: Path) -> None:
    assert write_results(plan, folder) == folder / "index.html"
    text = (folder / "index.html").read_text()
    sources: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag not in ("script", "link")
            sources.extend(value or "" for name, value in attrs if name in ("src", "href"))

    Reader().feed(text)
    embedded = [source for source in sources if source.startswith("data:image/")]
    assert len(embedded) == 2 + 1 + 3  # sheets, front, effects of two weights and of the style
    assert all((folder / link).is_file() for link in set(sources) - set(embedded))
    assert not re.search(r"https?://(?!www\.w3\.org)", text)
    names = {path.name for path in folder.iterdir()}
    assert {
        "runs.csv",
        "front.svg",
        "effect-style-weight.svg",
        "effect-style.svg",
        "sheet-1.png",
        "sheet-2.png",
    } <= names


def test_the_same_runs_give_the_same_page(plan: Plan, folder: Path) -> None:
    first = write_results(plan, folder).read_bytes()
    assert write_results(plan, folder).read_bytes() == first


def test_nothing_done_is_a_page_too(photo_file: Path, tmp_path: Path) -> None:
    plan = plan_sweep([str(photo_file)], ["mosaic"], Recipe(), [Axis("seed", (0, 1))])
    write_results(plan, tmp_path)
    assert "0 of 2 runs are done" in (tmp_path / "index.html").read_text()


def test_lists_words_and_huge_ranges_are_drawn(photo_file: Path, tmp_path: Path) -> None:
    axes = [
        Axis("content_layers", (("relu3_1",), ("relu4_2", "relu5_1"))),
        Axis("init", ("content", "noise")),
        Axis("style_weight", (0.0, 1e-3, 1e4)),
    ]
    plan = plan_sweep([str(photo_file)], ["mosaic"], Recipe(), axes)
    run_all(plan, tmp_path)
    write_results(plan, tmp_path)
    assert (tmp_path / "effect-content-layers.svg").stat().st_size > 1000
