import itertools

import pytest
import torch

from pochoir.transfer.lbfgs import LBFGS
from pochoir.transfer.preconditioner import CURVATURES, KNOTS, FrequencyFilter, next_fast_length


def random_picture(seed: int, free: torch.Tensor) -> torch.Tensor:
    return torch.randn(1, 3, *free.shape[-2:], generator=torch.Generator().manual_seed(seed)) * free


@pytest.fixture(params=["all free", "a box"])
def free(request) -> torch.Tensor:
    if request.param == "all free":
        return torch.ones(1, 1, 23, 30)
    box = torch.zeros(1, 1, 23, 30)
    box[..., 4:15, 7:22] = 1.0
    return box


def test_symmetric_positive_and_within_the_free_pixels(free):
    apply, (a, b) = FrequencyFilter(free), (random_picture(seed, free) for seed in (1, 2))
    assert float((apply(a) * b).sum()) == pytest.approx(float((a * apply(b)).sum()), rel=1e-4)
    assert float((apply(a) * a).sum()) > 0.0
    assert torch.all(apply(a)[(free == 0).expand(1, 3, -1, -1)] == 0.0)


def test_a_size_of_large_prime_factors_is_continued_by_zeros():
    assert [next_fast_length(length) for length in (1, 12, 13, 303, 527)] == [1, 12, 14, 308, 528]
    gradient = random_picture(5, torch.ones(1, 1, 23, 31))
    continued = torch.nn.functional.pad(gradient, (0, 1, 0, 1))
    own, larger = FrequencyFilter(torch.ones(1, 1, 23, 31)), FrequencyFilter(torch.ones(1, 1, 24, 32))
    assert torch.allclose(own(gradient), larger(continued)[..., :23, :31], atol=1e-6)
    assert own.square(gradient) == pytest.approx(float((own(gradient) * gradient).sum()), rel=1e-4)


@pytest.mark.parametrize("channel", [0, 1, 2])
@pytest.mark.parametrize("cycles", [4, 8, 20])
def test_a_wave_is_divided_by_its_curvature(channel, cycles):
    color = torch.tensor([(1.0, 1.0, 1.0), (1.0, 0.0, -1.0), (1.0, -2.0, 1.0)][channel]).view(1, 3, 1, 1)
    wave = torch.cos(2 * torch.pi * cycles * torch.arange(100) / 100).expand(1, 1, 10, 100) * color
    expected = dict(zip(KNOTS, CURVATURES[channel], strict=True))[cycles / 100]
    filtered = FrequencyFilter(torch.ones(1, 1, 10, 100))(wave)
    assert float((filtered - wave / expected).abs().max()) < 1e-5


def test_lbfgs_reaches_the_minimum_of_what_the_filter_undoes():
    """Where the objective's curvature is what the filter divides by, the second step lands in the minimum."""
    free = torch.ones(1, 1, 16, 16)
    apply, target = FrequencyFilter(free), random_picture(3, free)
    inverse = FrequencyFilter(free)
    inverse.gain = 1.0 / inverse.gain
    reached = {}
    for name, precondition in (("with", apply), ("without", None)):
        solver, point = LBFGS(first_step=0.01, precondition=precondition), torch.zeros_like(target)
        for _ in range(3):
            gradient = inverse(point - target)
            value = float(0.5 * (gradient * (point - target)).sum())
            point = solver.propose(point, value, gradient)
        reached[name] = float((point - target).abs().max())
    assert reached["with"] < 1e-3 < 0.1 < reached["without"]


def test_curves_are_given_at_each_knot():
    assert all(len(curve) == len(KNOTS) for curve in CURVATURES)
    assert all(low < high for low, high in itertools.pairwise(KNOTS))


@pytest.mark.parametrize("width", [1, 2, 29, 30])
def test_square_is_the_product_with_what_is_filtered(width):
    free = torch.ones(1, 1, 23, width)
    free[..., :5, : width // 3] = 0.0
    apply, both = FrequencyFilter(free), torch.cat([random_picture(seed, free) for seed in (4, 5)])
    assert apply.square(both) == pytest.approx(float((both * apply(both)).sum()), rel=1e-5)
