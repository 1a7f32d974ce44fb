"""Comparing vectors."""

import math

import torch
from torch import Tensor


def cosine(one: Tensor, other: Tensor) -> float:
    """Cosine of the angle between two tensors taken as vectors, in [-1, 1].

    A vector of zeros has no direction: it is like another of zeros (1) and unlike all else (0).
    """
    # Summed in double precision: the identity is to be 1 to more digits than are shown.
    a, b = one.double().flatten(), other.double().flatten()
    squares = float(a @ a) * float(b @ b)
    if squares == 0.0:
        return float(torch.equal(a, b))
    # One root of the product: for equal vectors it is exact, and so is their 1.
    return max(-1.0, min(1.0, float(a @ b) / math.sqrt(squares)))


def euclidean(one: Tensor, other: Tensor) -> float:
    """Euclidean distance of two tensors taken as vectors."""
    return float((one.double() - other.double()).norm())


def relative_distance(one: Tensor, other: Tensor) -> float:
    r"""Squared distance in units of both squares.

    .. math:: d(a, b) = \frac{|a - b|^2}{|a|^2 + |b|^2}

    0 is equality; 1 is what vectors at right angles have, and 2 opposite ones. Unlike
    ``transfer.functional.relative_distance``, neither vector is the reference.
    """
    a, b = one.double(), other.double()
    squares = float(a.square().sum() + b.square().sum())
    return float((a - b).square().sum()) / squares if squares > 0 else 0.0
