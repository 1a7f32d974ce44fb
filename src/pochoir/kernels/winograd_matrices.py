"""Minimal filtering: the matrices of Winograd's short convolutions, worked out exactly."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_HALF = Fraction(1, 2)
POINTS = {2: (0, 1, -1), 4: (0, 1, -1, 2, _HALF), 6: (0, 1, -1, 2, -2, _HALF, -_HALF)}
"""Where polynomials are evaluated, besides infinity, by the number of outputs. Small ones keep rounding errors small,
and with each one its inverse is there: so the reversed filter has the same values in another order."""


class Filtering(NamedTuple):
    """``outputs`` results of a filter of three weights from ``outputs + 2`` inputs with as many multiplications.

    ``y = back @ ((weights @ g) * (forth @ d))``; nested, it serves two dimensions.
    """

    forth: tuple[tuple[float, ...], ...]
    weights: NDArray[np.float64]
    back: tuple[tuple[float, ...], ...]
    reversal: tuple[int, ...]
    """``(weights @ g[::-1])[i]`` is ``(weights @ g)[reversal[i]]``."""


def minimal_filtering(outputs: int) -> Filtering:
    """The matrices for a filter of three weights.

    It is the transposed form of multiplying two polynomials by way of their values at ``outputs + 1`` points and
    infinity.

    Args:
        outputs: 2, 4 or 6.

    References:
        Winograd, "Arithmetic Complexity of Computations", 1980; for networks Lavin and Gray, arXiv:1509.09308.
    """
    points = [Fraction(point) for point in POINTS[outputs]]
    forth, weights = [], []
    for point in points:
        others = [other for other in points if other != point]
        # The values of a filter at a point and of its reversal at the inverse point are alike but for point squared.
        scale = abs(point) or Fraction(1)
        weights.append([point**power / scale for power in range(3)])
        for other in others:
            scale /= point - other
        forth.append([coefficient * scale for coefficient in (*_from_roots(others), Fraction(0))])
    forth.append(_from_roots(points))
    weights.append([Fraction(0), Fraction(0), Fraction(1)])
    back = [[point**power for point in points] + [Fraction(int(power == outputs - 1))] for power in range(outputs)]
    last = len(points)  # stands for infinity, the inverse of 0
    reversal = [points.index(1 / point) if point else last for point in points] + [points.index(Fraction(0))]
    return Filtering(_as_floats(forth), np.array(_as_floats(weights)), _as_floats(back), tuple(reversal))


def _from_roots(roots: Sequence[Fraction]) -> list[Fraction]:
    """Coefficients of the polynomial with these roots, the constant first."""
    polynomial = [Fraction(1)]
    for root in roots:
        higher = [Fraction(0), *polynomial]
        lower = [-root * coefficient for coefficient in polynomial] + [Fraction(0)]
        polynomial = [a + b for a, b in zip(higher, lower, strict=True)]
    return polynomial


def _as_floats(rows: Sequence[Sequence[Fraction]]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(entry) for entry in row) for row in rows)
