"""The published report: every test, table and sentence follows from the rows that lie beside the page."""

import csv
import html
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pochoir.lab.common.statistics import MOST_EXACT
from pochoir.lab.compare.cutouts import PASTICHE, FailureRow, TruthRow
from pochoir.lab.compare.jitter import JitterRow
from pochoir.lab.compare.overlap import OverlapRow
from pochoir.lab.compare.scores import ScoreRow
from pochoir.lab.compare.summary import summarize_scores, summarize_truths
from pochoir.lab.compare.tables import failure_table, score_table, truth_table, ways_table
from pochoir.lab.report.analysis import analyse
from pochoir.lab.report.digest import claim_rows, digest, tell_power
from pochoir.lab.report.page import overview_table
from pochoir.lab.report.run import GROUPS
from pochoir.lab.truth import TruthScores

REPORT = Path(__file__).parents[3] / "docs" / "report"
WAY = (PASTICHE, PASTICHE)
CLOSER = {"gram": "lower", "lpips": "lower", "dists": "lower", "vgg": "higher"}
CELL = re.compile(r"<t[hd][^>]*>(.*?)</t[hd]>")


def rows_of(name: str) -> list[dict[str, Any]]:
    path = REPORT / f"{name}.csv"
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return [{key: number(value) for key, value in row.items()} for row in csv.DictReader(file)]


def number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def swept(name: str) -> list[Any]:
    rows = []
    for row in rows_of(name):
        measures = {"content": "content_distance", "style": "style_distance", "roughness": "roughness"}
        run = SimpleNamespace(photo=SimpleNamespace(label=row["photo"]), settings=row)
        rows.append(SimpleNamespace(run=run, measures={key: row[column] for key, column in measures.items()}))
    return rows


def group_of(group: str) -> Any:
    """What a page needs to know of a group of pictures, from its rows alone."""
    scores = [
        ScoreRow(**{key: value for key, value in row.items() if not key.startswith("on ")})
        for row in rows_of(f"{group}-scores")
    ]
    failures = [FailureRow(**row) for row in rows_of(f"{group}-failures")]
    truths = []
    for row in rows_of(f"{group}-truth"):
        key = {name: row.pop(name) for name in ("photo", "method", "seen")}
        truths.append(TruthRow(**key, scores=TruthScores(**row)))
    agreements = rows_of(f"{group}-agreement")
    photos = list(dict.fromkeys(row["photo"] for row in agreements))
    found = {(row["one_seen"], row["one"]) for row in agreements} | {
        (row["other_seen"], row["other"]) for row in agreements
    }
    by_seen = {seen: {method: None for place, method in found if place == seen} for seen, _ in found}
    comparisons = [
        SimpleNamespace(found=by_seen, truths=[row for row in truths if row.photo == photo]) for photo in photos
    ]
    metrics = {row.metric for row in scores}
    return SimpleNamespace(
        comparisons=comparisons,
        score_rows=scores,
        scores=summarize_scores(scores, failures),
        truths=summarize_truths(truths, failures),
        failures=failures,
        way=WAY,
        closer={metric: closer for metric, closer in CLOSER.items() if metric in metrics},
        overlap=[OverlapRow(**row) for row in rows_of(f"{group}-overlap")],
        jitter=[JitterRow(**row) for row in rows_of(f"{group}-jitter")],
    )


@pytest.fixture(scope="module")
def found() -> Any:
    groups = {group: group_of(group) for group in GROUPS}
    return SimpleNamespace(weights=swept("weights"), smoothness=swept("smoothness"), groups=groups)


@pytest.fixture(scope="module")
def claims(found: Any) -> Any:
    return analyse(found)


def text_of(fragment: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", fragment))).strip()


def items_of(page: str) -> list[str]:
    return [text_of(item) for item in re.findall(r"<li>(.*?)</li>", (REPORT / page).read_text(), re.DOTALL)]


def tables_of(page: str) -> list[list[list[str]]]:
    """The rows of each table."""
    tables = re.findall(r"<tbody>(.*?)</tbody>", (REPORT / page).read_text(), re.DOTALL)
    split = [re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL) for table in tables]
    return [
        [[text_of(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows] for rows in split
    ]


def test_there_are_as_many_pictures_as_were_planned(found: Any) -> None:
    assert len(found.groups["photos"].comparisons) >= 20
    assert len(found.groups["scenes"].comparisons) >= 20
    assert len({row.run.photo.label for row in found.weights}) >= 20
    text = (REPORT / "index.html").read_text()
    counts = {group: len(results.comparisons) for group, results in found.groups.items()}
    assert f"{counts['photos']} photos and {counts['scenes']} drawn scenes" in text
    assert max(counts.values()) <= MOST_EXACT  # the page says that the tests are exact


def test_the_file_of_tests_follows_from_the_measurements(claims: Any) -> None:
    published = rows_of("tests")
    for made, row in zip(claim_rows(claims), published, strict=True):
        for name, value in made.items():
            if isinstance(value, bool | str):
                assert str(row[name]) == str(value), made["question"]
            elif value is not None:
                assert row[name] == pytest.approx(value, rel=1e-9, abs=1e-12), made["question"]


def test_every_finding_follows_from_its_tests(found: Any, claims: Any) -> None:
    assert items_of("index.html") == list(digest(claims, found))
    shown = sum(claim.is_shown for claim in claims)
    assert f"{shown} of {len(claims)} planned differences" in (REPORT / "index.html").read_text()


def test_every_sentence_of_the_details_is_a_test_or_has_no_numbers_of_its_own(claims: Any) -> None:
    sentences = {claim.sentence() for claim in claims}
    items = items_of("details.html")
    assert sentences <= set(items)
    others = [item for item in items if item not in sentences and item not in set(tell_power(claims))]
    settings = r"\b\d+ (px|steps|seeds)\b"
    assert [item for item in others if re.search(r"\d", re.sub(settings, "", item))] == []


def test_every_table_follows_from_its_rows(found: Any) -> None:
    assert tables_of("index.html") == [overview_table(found).rows]
    shown = tables_of("details.html")
    for results in found.groups.values():
        for metric in results.closer:
            assert score_table(results.scores, metric=metric, way=WAY).rows in shown, metric
            assert ways_table(results.scores, metric=metric).rows in shown, metric
        if results.truths:
            assert truth_table(results.truths).rows in shown
    failures = [row for results in found.groups.values() for row in results.failures]
    assert not failures or failure_table(failures).rows in shown
