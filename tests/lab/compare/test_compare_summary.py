"""Means, tests and tables of comparisons, from rows made by hand."""

from collections.abc import Mapping

import pytest

from pochoir.lab.compare.cutouts import FailureRow, TruthRow
from pochoir.lab.compare.scores import STRANGER, ScoreRow
from pochoir.lab.compare.summary import (
    Mean,
    compare_with_null,
    summarize_scores,
    summarize_shifts,
    summarize_truths,
)
from pochoir.lab.compare.tables import difference_table, score_table, shift_table, truth_table, ways_table
from pochoir.lab.truth import TruthScores

SEEN, CUT = "pastiche", "pastiche"


def score(
    photo: str, method: str, value: float, *, target: str = "content", elsewhere: Mapping[str, float] | None = None
) -> ScoreRow:
    seen = "" if method in ("whole picture", "noise in the outline") else SEEN
    return ScoreRow(photo, method, seen, CUT, target, "vgg", value, elsewhere or {})


def one(means: list[Mean], method: str) -> Mean:
    (found,) = [mean for mean in means if mean.method == method]
    return found


@pytest.fixture
def rows() -> list[ScoreRow]:
    """Three photos; the given box is known for two of them only."""
    u2net = [score(photo, "u2net", value) for photo, value in (("a", 60.0), ("b", 70.0), ("c", 95.0))]
    grabcut = [score(photo, "grabcut-box", value) for photo, value in (("a", 50.0), ("b", 66.0))]
    return [*u2net, *grabcut, *(score(photo, "whole picture", 80.0) for photo in "abc")]


def test_methods_are_tested_on_the_photos_that_both_have(rows: list[ScoreRow]) -> None:
    means = summarize_scores(rows)
    assert one(means, "u2net").interval.mean == pytest.approx(75.0)
    assert one(means, "u2net").test is None
    test = one(means, "grabcut-box").test
    assert test is not None
    assert (test.count, test.difference.mean) == (2, pytest.approx(-7.0))  # not 58 - 75
    assert one(means, "whole picture").test is None


def test_the_score_table_says_where_fewer_photos_count_and_puts_nulls_below(rows: list[ScoreRow]) -> None:
    table = score_table(summarize_scores(rows), metric="vgg", way=(SEEN, CUT))
    assert table.headings == ["cut-out", "content"]
    assert [row[0] for row in table.rows] == ["U2-Net", "GrabCut, given box", "null: whole picture"]
    assert table.rows[0][1] == "75.0"  # three photos have no interval
    assert table.rows[1][1].endswith(" (n=2)")
    assert "n=" not in table.rows[2][1]


def test_differences_show_the_p_value_and_the_corrected_one(rows: list[ScoreRow]) -> None:
    table = difference_table(summarize_scores(rows), way=(SEEN, CUT))
    assert table.rows == [["GrabCut, given box", "vgg: content", "-7.000", "0.500", "0.500", "2"]]


def test_p_values_are_corrected_within_the_tests_of_one_metric() -> None:
    photos = "abcdefg"
    rows = [score(photo, "u2net", 50.0 + index) for index, photo in enumerate(photos)]
    rows += [score(photo, "u2netp", 40.0 + 2 * index) for index, photo in enumerate(photos)]
    rows += [score(photo, "grabcut-auto", 50.5 + index + index % 2) for index, photo in enumerate(photos)]
    means = summarize_scores(rows)
    smaller, auto = one(means, "u2netp"), one(means, "grabcut-auto")
    assert (smaller.test.p_value, auto.test.p_value) == (2 / 128, 2 / 128)
    assert (smaller.p_corrected, auto.p_corrected) == (4 / 128, 4 / 128)
    assert auto.test.difference.low > 0


def test_a_method_with_failures_is_not_ranked_and_says_how_many_failed(rows: list[ScoreRow]) -> None:
    means = summarize_scores(rows, [FailureRow("c", "grabcut-box", SEEN, "empty")])
    assert not one(means, "grabcut-box").is_ranked
    assert one(means, "u2net").is_ranked
    assert score_table(means, metric="vgg", way=(SEEN, CUT)).rows[1][1] == "58.0 (n=2, 1 failed)"


def test_cutouts_are_tested_against_a_null_on_the_same_photos() -> None:
    rows = [score(photo, "u2net", 60.0 + index) for index, photo in enumerate("abcdef")]
    rows += [ScoreRow(photo, STRANGER, "", CUT, "content", "vgg", 50.0) for photo in "abcdef"]
    arguments = {"metric": "vgg", "target": "content", "way": (SEEN, CUT)}
    test = compare_with_null(rows, **arguments, null=STRANGER)
    assert (test.p_value, test.difference.mean) == (1 / 32, 12.5)
    assert compare_with_null(rows, **arguments, null="whole picture") is None


def test_every_way_of_cutting_has_its_own_row(rows: list[ScoreRow]) -> None:
    other = [ScoreRow("a", "u2net", "photo", "pastiche", "content", "vgg", 33.0)]
    table = ways_table(summarize_scores([*rows, *other]), metric="vgg")
    assert ["U2-Net", "photo", "pastiche", "33.0"] in table.rows
    assert ["U2-Net", "pastiche", "pastiche", "75.0"] in table.rows


@pytest.mark.parametrize(("closer", "leaders"), [("higher", ("U2-Net", "U2-Net-p")), ("lower", ("U2-Net-p", "U2-Net"))])
def test_another_backdrop_may_change_who_comes_first(closer: str, leaders: tuple[str, str]) -> None:
    rows = [
        score("a", "u2net", 60.0, elsewhere={"#000000": 50.0}),
        score("a", "u2netp", 58.0, elsewhere={"#000000": 57.0}),
        score("b", "u2net", 70.0, elsewhere={"#000000": 66.0}),
        score("b", "u2netp", 70.0, elsewhere={"#000000": 71.0}),
    ]
    (shift,) = summarize_shifts(rows, way=(SEEN, CUT), backdrop="#808080", closer={"vgg": closer})
    assert (shift.mean, shift.most, shift.spread) == (pytest.approx(4.0), 10.0, pytest.approx(1.0))
    table = shift_table([shift])
    assert table.headings[-2:] == ["first on #808080", "first on #000000"]
    assert tuple(table.rows[0][-2:]) == leaders


def test_a_method_with_fewer_photos_is_not_judged_on_easier_ones() -> None:
    rows = [
        score("a", "u2net", 10.0, elsewhere={"#000000": 10.0}),
        score("b", "u2net", 90.0, elsewhere={"#000000": 90.0}),
        score("b", "grabcut-box", 80.0, elsewhere={"#000000": 80.0}),
    ]
    (shift,) = summarize_shifts(rows, way=(SEEN, CUT), backdrop="#808080", closer={"vgg": "higher"})
    assert set(shift.leaders.values()) == {"u2net"}


def test_truth_tables_hold_all_measures() -> None:
    rows = [
        TruthRow("a", method, "photo", TruthScores(iou=iou, mae=0.1, max_f=0.8, s_measure=0.7))
        for method, iou in (("u2net", 0.9), ("u2netp", 0.6))
    ]
    table = truth_table(summarize_truths(rows))
    assert table.headings[2:5] == ["photos", "failures", "IoU"]
    assert table.rows[0] == ["U2-Net", "photo", "1", "0", "0.900", "0.100", "0.800", "0.700", ""]
