"""Exact tests and intervals, against enumeration, SciPy and simulation."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pochoir.errors import OptionError
from pochoir.lab.common.statistics import (
    detectable_effect,
    holm,
    mean_interval,
    needed_count,
    paired_test,
    power,
    sign_test,
    smallest_p_value,
)

VALUES = st.lists(st.integers(-50, 50).map(float), min_size=6, max_size=9)


def p_by_enumeration(values: list[float]) -> float:
    """Share of all sign patterns whose sum is at least as far out as the observed one, both sides."""
    observed = sum(values)
    sums = [
        sum(s * v for s, v in zip(signs, values, strict=True))
        for signs in itertools.product((1, -1), repeat=len(values))
    ]
    above = sum(total >= observed for total in sums)
    below = sum(total <= observed for total in sums)
    return min(1.0, 2 * min(above, below) / len(sums))


@given(VALUES)
def test_the_p_value_is_that_of_all_sign_flips(values: list[float]) -> None:
    assert paired_test(values, [0.0] * len(values)).p_value == pytest.approx(p_by_enumeration(values))


@given(VALUES)
def test_the_interval_excludes_0_just_where_the_test_finds_a_difference(values: list[float]) -> None:
    test = paired_test(values, [0.0] * len(values))
    assert (test.difference.low > 0 or test.difference.high < 0) == (test.p_value < 0.05)


def test_the_test_agrees_with_scipys() -> None:
    one, other = [3.1, 2.7, 4.0, 3.3, 2.9, 3.8, 3.5], [2.9, 2.8, 3.1, 3.0, 2.5, 3.9, 3.0]
    found = stats.permutation_test(
        (one, other), lambda a, b, axis: np.mean(a - b, axis=axis), permutation_type="samples", vectorized=True
    )
    assert paired_test(one, other).p_value == pytest.approx(found.pvalue)


@pytest.mark.parametrize("count", [6, 10, 20])
def test_intervals_cover_the_centre_as_often_as_they_say(count: int) -> None:
    rng = np.random.default_rng(1)
    trials = 300 if count < 20 else 60
    covered = 0
    for _ in range(trials):
        found = mean_interval(list(rng.laplace(3.0, 1.0, count)))
        covered += found.low <= 3.0 <= found.high
    low, high = stats.binom.interval(0.999, trials, 0.95 if count > 6 else 31 / 32)
    assert low <= covered <= high


@pytest.mark.parametrize("count", [1, 2, 5])
def test_too_few_values_have_a_mean_and_no_interval(count: int) -> None:
    found = mean_interval([float(value) for value in range(count)])
    assert (found.low, found.high, found.count) == (None, None, count)
    assert found.format(1) == f"{(count - 1) / 2:.1f}"
    assert paired_test([1.0] * count, [0.0] * count).p_value == smallest_p_value(count) >= 0.05


def test_six_values_have_the_widest_interval_and_the_least_p_value() -> None:
    values = [1.0, 2.0, 3.0, 4.0, 5.0, 9.0]
    found = paired_test(values, [0.0] * 6)
    assert (found.difference.low, found.difference.high) == (1.0, 9.0)
    assert found.p_value == smallest_p_value(6) == 1 / 32
    assert found.difference.format() == "4.00 [1.00, 9.00]"
    assert found.spread == pytest.approx(np.std(values, ddof=1))


def test_equal_methods_do_not_differ() -> None:
    found = paired_test([0.3] * 8, [0.3] * 8)
    assert (found.p_value, found.difference.mean, found.difference.low) == (1.0, 0.0, 0.0)


def test_many_values_are_sampled_the_same_way_each_time() -> None:
    values = list(np.random.default_rng(3).normal(0.5, 1.0, 40))
    first, again = (paired_test(values, [0.0] * 40) for _ in range(2))
    assert first == again
    assert first.p_value == pytest.approx(stats.ttest_1samp(values, 0.0).pvalue, abs=0.01)


def test_a_sign_test_counts() -> None:
    found = sign_test(9, 10)
    assert found.p_value == pytest.approx(2 * 11 / 1024)
    assert (found.low, found.high) == pytest.approx((0.555, 0.9975), abs=1e-3)
    assert sign_test(5, 10).p_value == 1.0


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.5]) == [1.0, 1.0]
    assert holm([]) == []


def test_power_is_that_of_simulated_experiments() -> None:
    rng = np.random.default_rng(2)
    trials = 400
    found = sum(paired_test(list(rng.normal(1.0, 1.0, 10)), [0.0] * 10).p_value < 0.05 for _ in range(trials))
    assert found / trials == pytest.approx(power(1.0, 10), abs=4 * math.sqrt(0.2 / trials))


def test_planning_goes_both_ways() -> None:
    effect = detectable_effect(20)
    assert effect == pytest.approx(0.66, abs=0.01)
    assert needed_count(effect) == 20
    assert needed_count(0.5) == 34
    assert detectable_effect(5) is None
    assert detectable_effect(20, alpha=0.05 / 8) == pytest.approx(0.89, abs=0.01)
    assert detectable_effect(10, alpha=0.05 / 100) is None
    assert power(0.0, 30) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mean_interval([]), "at least one value"),
        (lambda: mean_interval([1.0, math.nan]), "finite values; got 1, nan"),
        (lambda: paired_test([1.0], [1.0, 2.0]), "equally many values; got 1 and 2"),
        (lambda: sign_test(3, 2), "got 3 of 2"),
        (lambda: sign_test(0, 0), "got 0 of 0"),
        (lambda: needed_count(0.0), "above 0"),
        (lambda: needed_count(1e-6), "not tiny"),
    ],
)
def test_bad_input_is_refused(call, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        call()
