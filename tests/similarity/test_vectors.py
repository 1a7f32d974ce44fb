import math

import pytest
import torch

from pochoir.similarity.vectors import cosine, euclidean, relative_distance


def test_values_by_hand() -> None:
    a, b = torch.tensor([3.0, 4.0]), torch.tensor([4.0, 3.0])
    assert cosine(a, b) == pytest.approx(24 / 25)
    assert euclidean(a, b) == pytest.approx(math.sqrt(2))
    assert relative_distance(a, b) == pytest.approx(2 / 50)


@pytest.mark.parametrize("seed", range(20))
def test_identity_is_exactly_the_bound(seed: int) -> None:
    a = torch.randn(1, 7, 5, generator=torch.Generator().manual_seed(seed))
    assert (cosine(a, a), euclidean(a, a), relative_distance(a, a)) == (1.0, 0.0, 0.0)


def test_opposite_and_upright() -> None:
    a, b = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 5.0])
    assert (cosine(a, -a), relative_distance(a, -a)) == (-1.0, 2.0)
    assert (cosine(a, b), relative_distance(a, b)) == (0.0, 1.0)


def test_zeros_are_like_zeros_only() -> None:
    zeros, a = torch.zeros(3), torch.ones(3)
    assert (cosine(zeros, zeros), relative_distance(zeros, zeros)) == (1.0, 0.0)
    assert (cosine(zeros, a), relative_distance(zeros, a)) == (0.0, 1.0)
