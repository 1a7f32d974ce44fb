"""How sure a mean is, and whether two methods differ: through SciPy, by resampling, with no bell curve assumed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats  # type: ignore[import-untyped]

from pochoir.errors import OptionError

RESAMPLES = 9999


@dataclass(frozen=True)
class Interval:
    """A mean and the interval in which it is expected to lie.

    Attributes:
        mean: Of the values.
        low: Lower end of the interval; the mean itself where nothing can be said.
        high: Upper end.
        count: How many values there were; one value has no interval.
        level: The interval's confidence.
    """

    mean: float
    low: float
    high: float
    count: int
    level: float

    def format(self, digits: int = 2) -> str:
        """For tables, such as ``0.81 [0.74, 0.86]``."""
        middle = f"{self.mean:.{digits}f}"
        return middle if self.count < 2 else f"{middle} [{self.low:.{digits}f}, {self.high:.{digits}f}]"


@dataclass(frozen=True)
class PairedTest:
    """Whether two methods differ on the same items.

    Attributes:
        difference: Mean of the first method's value less the second's, with its interval.
        p_value: How often chance alone would set the means at least so far apart.
        count: Number of pairs; below six no p-value can reach 0.05.
    """

    difference: Interval
    p_value: float
    count: int


def bootstrap_mean(values: Sequence[float], *, level: float = 0.95, seed: int = 0) -> Interval:
    """The mean with its percentile bootstrap interval.

    From a handful of values the interval comes out too narrow (three values know little of how they spread); it
    shows the scatter, and is no proof.

    Args:
        values: At least one finite number.
        level: Confidence of the interval, between 0 and 1.
        seed: Of the resampling; the same values give the same interval.

    Raises:
        OptionError: There are no values, or one is not finite.

    References:
        Efron and Tibshirani, "An Introduction to the Bootstrap", 1993.
    """
    data = _checked(values)
    mean = float(data.mean())
    if np.ptp(data) == 0:  # nothing to resample
        return Interval(mean, mean, mean, len(data), level)
    found = stats.bootstrap(
        (data,),
        np.mean,
        confidence_level=level,
        n_resamples=RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(mean, float(found.low), float(found.high), len(data), level)


def paired_test(one: Sequence[float], other: Sequence[float], *, level: float = 0.95, seed: int = 0) -> PairedTest:
    """Test whether two methods differ, by swapping the two values of pairs at random.

    Exact, that is over all swaps, where there are fewer of them than resamples: up to 13 pairs.

    Args:
        one: The first method's value for each item.
        other: The second's, in the same order.
        level: Confidence of the difference's interval.
        seed: Of the resampling.

    Raises:
        OptionError: The numbers of values differ, there are none, or one is not finite.
    """
    first, second = _checked(one), _checked(other)
    if len(first) != len(second):
        raise OptionError(
            f"Pairs are needed: there are {len(first)} values of one method and {len(second)} of the other."
        )
    difference = bootstrap_mean(list(first - second), level=level, seed=seed)
    if len(first) == 1 or bool((first == second).all()):
        return PairedTest(difference, 1.0, len(first))
    found = stats.permutation_test(
        (first, second),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(seed),
    )
    return PairedTest(difference, float(found.pvalue), len(first))


def _checked(values: Sequence[float]) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    data = np.array(values, dtype=np.float64)
    if data.ndim != 1 or not len(data):
        raise OptionError("A mean needs at least one value.")
    if not np.isfinite(data).all():
        raise OptionError(f"A mean needs finite values; got {', '.join(f'{value:g}' for value in data)}.")
    return data
