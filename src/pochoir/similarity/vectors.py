"""Comparison of vectors."""

import math

import torch
from torch import Tensor


def cosine(one: Tensor, other: Tensor) -> float:
    """Return the cosine of the angle between two tensors taken as vectors, in [-1, 1].

    A vector of zeros has no direction: its cosine is 1 with another one of zeros and 0 with all others.
    """
    # Double precision, so that equal pictures have a cosine of 1 to more digits than are shown.
    a, b = one.double().flatten(), other.double().flatten()
    squares = float(a @ a) * float(b @ b)
    if squares == 0.0:
        return float(torch.equal(a, b))
    # One root of the product is exact for equal vectors.
    return max(-1.0, min(1.0, float(a @ b) / math.sqrt(squares)))


def euclidean(one: Tensor, other: Tensor) -> float:
    """Return the Euclidean distance of two tensors taken as vectors."""
    return float((one.double() - other.double()).norm())


def relative_distance(one: Tensor, other: Tensor) -> float:
    r"""Return the squared distance in units of both squares.

    .. math:: d(a, b) = \frac{|a - b|^2}{|a|^2 + |b|^2}

    Equal vectors have 0, orthogonal ones 1 and opposite ones 2. Neither vector is the reference, unlike in
    ``transfer.functional.relative_distance``.
    """
    a, b = one.double(), other.double()
    squares = float(a.square().sum() + b.square().sum())
    return float((a - b).square().sum()) / squares if squares > 0 else 0.0
