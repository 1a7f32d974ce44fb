"""Exact tests and intervals for few values: by sign flips, which assume symmetry and nothing else.

Test and interval of a mean come from the same subset means, so they cannot contradict each other: the interval at level
95 % excludes 0 just where p is below 0.05.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped]

from pochoir.errors import OptionError

LEVEL = 0.95
MOST_EXACT = 20
"""Largest number of values whose subsets are all enumerated; of more, ``SAMPLED_SUBSETS`` are drawn."""
SAMPLED_SUBSETS = 2**16 - 1
FEWEST_FOR_INTERVAL = 6
"""Fewer values have no interval at 95 %, and no p-value below 0.05."""
_MOST_NEEDED = 100_000


@dataclass(frozen=True)
class Interval:
    """Mean of a few values with its confidence interval.

    Attributes:
        mean: Of the values.
        low: Lower end; None where there are too few values for this level.
        high: Upper end, likewise.
        count: Number of values.
    """

    mean: float
    low: float | None
    high: float | None
    count: int

    def format(self, digits: int = 2) -> str:
        """Return the text for tables, such as ``0.81 [0.74, 0.86]``."""
        middle = f"{self.mean:.{digits}f}"
        if self.low is None or self.high is None:
            return middle
        return f"{middle} [{self.low:.{digits}f}, {self.high:.{digits}f}]"


@dataclass(frozen=True)
class PairedTest:
    """Test of whether two methods differ on the same items.

    Attributes:
        difference: Mean of the first method's value less the second's, with its interval.
        p_value: Two-sided; the probability of a mean at least as far from 0 if either sign were equally likely.
        spread: Standard deviation of the differences; 0 of a single one.
    """

    difference: Interval
    p_value: float
    spread: float

    @property
    def count(self) -> int:
        """Number of pairs."""
        return self.difference.count


@dataclass(frozen=True)
class SignTest:
    """Exact binomial test of how often something holds.

    Attributes:
        successes: Number of items where it holds.
        count: Number of items.
        p_value: Two-sided, against one half.
        low: Lower end of the Clopper-Pearson interval of the share at 95 %.
        high: Upper end.
    """

    successes: int
    count: int
    p_value: float
    low: float
    high: float


def mean_interval(values: Sequence[float], *, seed: int = 0) -> Interval:
    """Return the mean with its interval at 95 %, exact for values that scatter symmetrically.

    The interval lies between order statistics of the means of all subsets (Hartigan's typical values).

    Args:
        values: At least one finite number.
        seed: Of the subsets that are drawn where there are too many; the same values give the same interval.

    Raises:
        OptionError: There are no values, or one is not finite.

    References:
        Hartigan, "Using Subsample Values as Typical Values", JASA 1969.
    """
    data = _checked(values)
    return _interval(data, _subset_means(data, seed))


def paired_test(one: Sequence[float], other: Sequence[float], *, seed: int = 0) -> PairedTest:
    """Test whether two methods differ on the same items, by flipping the signs of their differences.

    Args:
        one: Values of the first method, one for each item.
        other: Values of the second, in the same order.
        seed: Of the subsets that are drawn where there are too many.

    Raises:
        OptionError: The numbers of values differ, there are none, or one is not finite.
    """
    first, second = _checked(one), _checked(other)
    if len(first) != len(second):
        raise OptionError(f"Paired methods need equally many values; got {len(first)} and {len(second)}.")
    differences = first - second
    subset_means = _subset_means(differences, seed)
    # The empty subset, whose sum is 0, counts on both sides. Rounding must not decide on which side a sum of 0 lies.
    margin = 1e-12 * float(np.abs(differences).max())
    below, above = (1 + int((sign * subset_means <= margin).sum()) for sign in (1, -1))
    p_value = min(1.0, 2 * min(below, above) / (len(subset_means) + 1))
    spread = float(differences.std(ddof=1)) if len(differences) > 1 else 0.0
    return PairedTest(_interval(differences, subset_means), p_value, spread)


def sign_test(successes: int, count: int) -> SignTest:
    """Test whether something holds for more or fewer than half of the items.

    Args:
        successes: Number of items where it holds.
        count: Number of items, at least 1.

    Raises:
        OptionError: The numbers contradict each other.
    """
    if not 0 <= successes <= count or count < 1:
        raise OptionError(f"A sign test needs 0 to n successes of n items; got {successes} of {count}.")
    found = stats.binomtest(successes, count, 0.5)
    interval = found.proportion_ci(LEVEL, method="exact")
    return SignTest(successes, count, float(found.pvalue), float(interval.low), float(interval.high))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number by Holm's method, in the same order.

    References:
        Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 1979.
    """
    corrected, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = largest
    return corrected


def smallest_p_value(count: int) -> float:
    """Return the least two-sided p-value that ``count`` pairs can give."""
    return min(1.0, 2.0 ** (1 - count))


def power(effect: float, count: int, *, alpha: float = 0.05) -> float:
    """Return the probability of finding an effect with ``count`` pairs, by the paired t-test's power.

    The sign-flip test is about as powerful for normal differences. Where ``count`` is too small for any p-value below
    ``alpha``, the power is 0.

    Args:
        effect: Mean difference in standard deviations of the differences.
        count: Number of pairs.
        alpha: Level of the two-sided test.
    """
    if smallest_p_value(count) >= alpha:
        return 0.0
    shift, critical = effect * math.sqrt(count), stats.t.ppf(1 - alpha / 2, count - 1)
    found = float(stats.nct.sf(critical, count - 1, shift) + stats.nct.cdf(-critical, count - 1, shift))
    return 1.0 if math.isnan(found) else found  # SciPy gives nan where the shift is huge


def detectable_effect(count: int, *, alpha: float = 0.05, wanted: float = 0.8) -> float | None:
    """Return the smallest effect that ``count`` pairs find with the wanted power; None if they find none.

    Args:
        count: Number of pairs.
        alpha: Level of the two-sided test; divide it by the number of tests for the strictest step of Holm's method.
        wanted: Power.
    """
    low, high = 0.0, 20.0
    if power(high, count, alpha=alpha) < wanted:
        return None
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (low, middle) if power(middle, count, alpha=alpha) >= wanted else (middle, high)
    return high


def needed_count(effect: float, *, alpha: float = 0.05, wanted: float = 0.8) -> int:
    """Return the number of pairs that find an effect with the wanted power.

    Raises:
        OptionError: The effect is not above 0, or so small that more than 100,000 pairs are needed.
    """
    low, high = 1, 2
    while effect > 0 and high <= _MOST_NEEDED and power(effect, high, alpha=alpha) < wanted:
        low, high = high, 2 * high
    if effect <= 0 or high > _MOST_NEEDED:
        raise OptionError(f"An effect to plan for is above 0 and not tiny; got {effect:g}.")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(effect, middle, alpha=alpha) >= wanted else (middle, high)
    return high


def _interval(data: NDArray[np.float64], subset_means: NDArray[np.float64]) -> Interval:
    mean = float(data.mean())
    if len(data) < FEWEST_FOR_INTERVAL:
        return Interval(mean, None, None, len(data))
    rank = int((1 - LEVEL) / 2 * (len(subset_means) + 1))
    low, high = rank - 1, len(subset_means) - rank
    ordered = np.partition(subset_means, [low, high])
    return Interval(mean, float(ordered[low]), float(ordered[high]), len(data))


def _subset_means(data: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Return the means of all subsets but the empty one; of a sample of subsets where there are too many."""
    if len(data) > MOST_EXACT:
        picks = np.random.default_rng(seed).random((SAMPLED_SUBSETS, len(data))) < 0.5
        picks[~picks.any(axis=1)] = True  # the empty subset is counted apart
        return np.asarray(picks @ data / picks.sum(axis=1))
    sums, counts = np.zeros(1), np.zeros(1)
    for value in data:
        sums, counts = np.concatenate([sums, sums + value]), np.concatenate([counts, counts + 1])
    return np.asarray(sums[1:] / counts[1:])


def _checked(values: Sequence[float]) -> NDArray[np.float64]:
    data = np.array(values, dtype=np.float64)
    if data.ndim != 1 or not len(data):
        raise OptionError("A mean needs at least one value.")
    if not np.isfinite(data).all():
        raise OptionError(f"A mean needs finite values; got {', '.join(f'{value:g}' for value in data)}.")
    return data
