"""Weighted Gram matrices on compiled kernels against float64 by the book."""

import pytest
import torch
from torch import Tensor

from pochoir import kernels
from pochoir._threads import torch_threads

if not kernels.SUPPORTED:
    pytest.skip("this CPU has no AVX2", allow_module_level=True)

from pochoir.kernels.arena import Arena
from pochoir.kernels.grams import multiply_by_matrices, weighted_gram
from support.close import assert_close

WIDE = 2 * kernels.COLUMNS
SIZES = [(1, 1), (3, 5), (9, 29), (40, 33)]


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def draw_weights(height: int, width: int, seed: int = 1) -> Tensor:
    """Some positions weigh nothing, and long runs of them."""
    weights = draw(height, width, seed=seed).clamp_min(0.0)
    weights[height // 3 : height // 2] = 0.0
    weights[0, 0] = 1.0
    return weights


@pytest.fixture(params=[1, 2, 3], autouse=True)
def _on_some_threads(request):
    with torch_threads(request.param):
        yield


@pytest.mark.parametrize("channels", [WIDE, 512])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_sum_of_outer_products(height, width, channels):
    map_, weights = draw(height, width, channels), draw_weights(height, width)
    rows = map_.double().flatten(0, 1)
    expected = (rows.T * weights.double().flatten()) @ rows
    matrix = weighted_gram(map_, weights, Arena())
    # Among a quarter of a million sums of 1320 rounded terms some are off by more than among four thousand.
    assert_close(matrix, expected.float(), rtol=1e-5, atol=1e-5 if channels == WIDE else 5e-5)
    assert torch.equal(matrix, matrix.T)


@pytest.mark.parametrize("channels", [WIDE, 512])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_positions_times_matrices_and_their_transposes(height, width, channels):
    map_ = draw(height, width, channels)
    pairs = [(draw(channels, channels, seed=seed), draw_weights(height, width, seed=seed)) for seed in (1, 2, 3)]
    rows = map_.double().flatten(0, 1)
    products = [weights.double().reshape(-1, 1) * (rows @ (matrix + matrix.T).double()) for matrix, weights in pairs]
    for count in (1, 3):
        result = multiply_by_matrices(map_, pairs[:count], Arena())
        assert_close(result.flatten(0, 1), sum(products[:count]).float(), rtol=1e-4, atol=1e-4)


def test_the_number_of_threads_does_not_change_the_sum():
    map_, weights, sums = draw(31, 50, WIDE), draw_weights(31, 50), []
    for count in (1, 2, 5):
        with torch_threads(count):
            sums.append(weighted_gram(map_, weights, Arena()))
    assert torch.equal(sums[0], sums[1])
    assert torch.equal(sums[0], sums[2])


def test_a_position_of_no_weight_is_not_looked_at():
    map_, weights = draw(6, 7, WIDE), torch.ones(6, 7)
    weights[2, 3] = 0.0
    map_[2, 3] = float("nan")
    assert torch.isfinite(weighted_gram(map_, weights, Arena())).all()
    result = multiply_by_matrices(map_, [(draw(WIDE, WIDE), weights)] * 2, Arena())
    assert torch.equal(result[2, 3], torch.zeros(WIDE))
    assert torch.isfinite(result).all()


def test_without_any_weight_there_is_nothing():
    map_, none = draw(4, 5, WIDE), torch.zeros(4, 5)
    assert torch.equal(weighted_gram(map_, none, Arena()), torch.zeros(WIDE, WIDE))
    assert torch.equal(multiply_by_matrices(map_, [(draw(WIDE, WIDE), none)], Arena()), torch.zeros_like(map_))
