"""Means, tests and tables of comparisons, from rows made by hand."""

from collections.abc import Mapping

import pytest

from pochoir.lab.compare.compare import ScoreRow, TruthRow
from pochoir.lab.compare.summary import Mean, summarize_scores, summarize_shifts, summarize_truths
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
    table = score_table(summarize_scores(rows), metric="vgg", seen=SEEN, cut=CUT)
    assert table.headings == ["cut-out", "content"]
    assert [row[0] for row in table.rows] == ["U2-Net", "GrabCut, given box", "null: whole picture"]
    assert table.rows[0][1].startswith("75.0 [")
    assert table.rows[1][1].endswith(" (n=2)")
    assert "n=" not in table.rows[2][1]


def test_one_pair_has_no_p_value(rows: list[ScoreRow]) -> None:
    alone = [row for row in rows if row.photo == "a"]
    table = difference_table(summarize_scores(alone), seen=SEEN, cut=CUT)
    assert table.rows == [["GrabCut, given box", "vgg: content", "-10.000", "", "1"]]
    both = difference_table(summarize_scores(rows), seen=SEEN, cut=CUT)
    assert 0.0 <= float(both.rows[0][3]) <= 1.0


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
    (shift,) = summarize_shifts(rows, seen=SEEN, cut=CUT, backdrop="#808080", closer={"vgg": closer})
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
    (shift,) = summarize_shifts(rows, seen=SEEN, cut=CUT, backdrop="#808080", closer={"vgg": "higher"})
    assert set(shift.leaders.values()) == {"u2net"}


def test_truth_tables_hold_all_measures() -> None:
    rows = [
        TruthRow("a", method, "photo", TruthScores(iou=iou, mae=0.1, max_f=0.8, s_measure=0.7))
        for method, iou in (("u2net", 0.9), ("u2netp", 0.6))
    ]
    table = truth_table(summarize_truths(rows))
    assert table.headings == ["method", "matte found in", "photos", "IoU", "MAE", "maxF", "S-measure", "p (IoU)"]
    assert table.rows[0] == ["U2-Net", "photo", "1", "0.900", "0.100", "0.800", "0.700", ""]
