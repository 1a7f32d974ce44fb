"""Matrices of Winograd's minimal filtering, computed exactly."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_HALF = Fraction(1, 2)
POINTS = {2: (0, 1, -1), 4: (0, 1, -1, 2, _HALF), 6: (0, 1, -1, 2, -2, _HALF, -_HALF)}
"""Interpolation points besides infinity, by the number of outputs. Small points keep rounding errors small. The set is
closed under inversion, so the reversed filter has the same transformed values in another order."""


class WinogradMatrices(NamedTuple):
    """Matrices that compute a filter of three weights with as few multiplications as inputs.

    For weights ``g`` and inputs ``d`` the outputs are ``output_transform @ ((weight_transform @ g) * (input_transform
    @ d))``. Applied to rows and columns it computes a 3x3 filter.
    """

    input_transform: tuple[tuple[float, ...], ...]
    weight_transform: NDArray[np.float64]
    output_transform: tuple[tuple[float, ...], ...]
    reversal: tuple[int, ...]
    """``(weight_transform @ g[::-1])[i]`` equals ``(weight_transform @ g)[reversal[i]]``."""


def winograd_matrices(outputs: int) -> WinogradMatrices:
    """Return the matrices for a filter of three weights.

    They are the transposed form of a polynomial product computed from values at ``outputs + 1`` points and infinity.

    Args:
        outputs: Number of outputs: 2, 4 or 6.

    References:
        Winograd, "Arithmetic Complexity of Computations", 1980; for networks Lavin and Gray, arXiv:1509.09308.
    """
    points = [Fraction(point) for point in POINTS[outputs]]
    input_rows, weight_rows = [], []
    for point in points:
        others = [other for other in points if other != point]
        # A filter at a point and its reversal at the inverse point have equal values up to the point squared.
        scale = abs(point) or Fraction(1)
        weight_rows.append([point**power / scale for power in range(3)])
        for other in others:
            scale /= point - other
        input_rows.append([coefficient * scale for coefficient in (*_from_roots(others), Fraction(0))])
    input_rows.append(_from_roots(points))
    weight_rows.append([Fraction(0), Fraction(0), Fraction(1)])
    output_rows = [
        [point**power for point in points] + [Fraction(int(power == outputs - 1))] for power in range(outputs)
    ]
    last = len(points)  # index of infinity, the inverse of 0
    reversal = [points.index(1 / point) if point else last for point in points] + [points.index(Fraction(0))]
    return WinogradMatrices(
        _as_floats(input_rows), np.array(_as_floats(weight_rows)), _as_floats(output_rows), tuple(reversal)
    )


def _from_roots(roots: Sequence[Fraction]) -> list[Fraction]:
    """Return the coefficients of the monic polynomial with these roots, the constant first."""
    polynomial = [Fraction(1)]
    for root in roots:
        higher = [Fraction(0), *polynomial]
        lower = [-root * coefficient for coefficient in polynomial] + [Fraction(0)]
        polynomial = [a + b for a, b in zip(higher, lower, strict=True)]
    return polynomial


def _as_floats(rows: Sequence[Sequence[Fraction]]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(entry) for entry in row) for row in rows)
