import itertools

import numpy as np
import pytest

from pochoir.errors import OptionError
from pochoir.lab.common.statistics import bootstrap_mean, paired_test


def test_the_interval_holds_the_mean_and_grows_with_the_level() -> None:
    values = [0.2, 0.5, 0.9, 0.4, 0.6]
    narrow, wide = bootstrap_mean(values, level=0.5), bootstrap_mean(values, level=0.95)
    assert narrow.mean == wide.mean == pytest.approx(0.52)
    assert wide.low < narrow.low < 0.52 < narrow.high < wide.high
    assert min(values) <= wide.low
    assert wide.high <= max(values)
    assert wide.count == 5


def test_the_interval_is_the_one_of_theory_for_many_values() -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, 400)
    found = bootstrap_mean(list(values))
    half = 1.96 * values.std() / 20
    assert found.low == pytest.approx(values.mean() - half, abs=0.03)
    assert found.high == pytest.approx(values.mean() + half, abs=0.03)


def test_the_same_values_give_the_same_interval_and_another_seed_nearly() -> None:
    values = [1.0, 4.0, 2.0, 8.0]
    assert bootstrap_mean(values) == bootstrap_mean(values)
    assert bootstrap_mean(values, seed=1).low == pytest.approx(bootstrap_mean(values).low, abs=0.5)


@pytest.mark.parametrize("values", [[2.5], [2.5, 2.5, 2.5]])
def test_values_that_do_not_spread_have_no_interval(values: list[float]) -> None:
    found = bootstrap_mean(values)
    assert (found.mean, found.low, found.high) == (2.5, 2.5, 2.5)


def test_how_an_interval_is_written() -> None:
    assert bootstrap_mean([2.5]).format() == "2.50"
    assert bootstrap_mean([2.5, 2.5]).format(1) == "2.5 [2.5, 2.5]"


def test_the_paired_test_counts_all_swaps() -> None:
    one, other = [5.0, 6.0, 7.0, 9.0, 4.0, 8.0], [4.0, 6.5, 5.0, 6.0, 3.0, 5.0]
    differences = np.array(one) - np.array(other)
    means = [abs(np.mean(np.array(signs) * differences)) for signs in itertools.product((1, -1), repeat=6)]
    by_hand = np.mean([mean >= abs(differences.mean()) - 1e-12 for mean in means])
    found = paired_test(one, other)
    assert found.p_value == pytest.approx(by_hand)
    assert found.difference.mean == pytest.approx(differences.mean())
    assert found.count == 6


def test_the_paired_test_does_not_care_which_method_is_first() -> None:
    one, other = [5.0, 6.0, 7.0, 9.0], [4.0, 6.5, 5.0, 6.0]
    there, back = paired_test(one, other), paired_test(other, one)
    assert there.p_value == pytest.approx(back.p_value)
    assert there.difference.mean == pytest.approx(-back.difference.mean)


@pytest.mark.parametrize("values", [[1.0], [1.0, 2.0, 3.0]])
def test_equal_methods_do_not_differ(values: list[float]) -> None:
    assert paired_test(values, values).p_value == 1.0


@pytest.mark.parametrize(
    ("values", "text"), [([], "at least one value"), ([1.0, float("nan")], "finite values; got 1, nan")]
)
def test_values_that_have_no_mean_are_refused(values: list[float], text: str) -> None:
    with pytest.raises(OptionError, match=text):
        bootstrap_mean(values)


def test_pairs_are_needed() -> None:
    with pytest.raises(OptionError, match="3 values of one method and 2 of the other"):
        paired_test([1.0, 2.0, 3.0], [1.0, 2.0])
