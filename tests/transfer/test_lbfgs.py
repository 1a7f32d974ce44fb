import math

import pytest
import torch

from pochoir.transfer.lbfgs import LBFGS
from support.close import assert_close


def quadratic(size: int, condition: float, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """A symmetric matrix with eigenvalues from 1 to ``condition``, and a right-hand side."""
    generator = torch.Generator().manual_seed(seed)
    basis, _ = torch.linalg.qr(torch.randn(size, size, generator=generator, dtype=torch.float64))
    values = torch.logspace(0, math.log10(condition), size, dtype=torch.float64)
    return basis @ torch.diag(values) @ basis.T, torch.randn(size, generator=generator, dtype=torch.float64)


def minimise(function, start: torch.Tensor, evaluations: int, **arguments) -> list[tuple[torch.Tensor, float]]:
    solver = LBFGS(**arguments)
    point, seen = start, []
    for _ in range(evaluations):
        leaf = point.clone().requires_grad_()
        value = function(leaf)
        (gradient,) = torch.autograd.grad(value, leaf)
        seen.append((point, value.item()))
        point = solver.propose(point, value.item(), gradient)
    return seen


def test_iterates_are_those_of_torch():
    """On a convex quadratic where each full step descends, so that neither searches along its direction."""
    matrix, right = quadratic(8, 6.0)

    def function(x: torch.Tensor) -> torch.Tensor:
        return 0.5 * x @ matrix @ x - right @ x

    theirs = torch.zeros(8, dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS([theirs], lr=1.0, max_iter=1, history_size=5, tolerance_grad=0, tolerance_change=0)

    def closure() -> torch.Tensor:
        solver.zero_grad()
        value = function(theirs)
        value.backward()
        return value

    # Torch's first step is as long as one over the sum of the gradient; ours is set by its mean change.
    ours = minimise(function, torch.zeros(8, dtype=torch.float64), 15, first_step=1 / 8, history=5)
    values = [value for _, value in ours]
    assert values == sorted(values, reverse=True)
    for point, _ in ours:
        assert_close(point, theirs.detach(), rtol=1e-7, atol=1e-9)  # rounding grows from step to step
        solver.step(closure)


def test_solves_an_ill_conditioned_quadratic_far_faster_than_gradient_descent():
    matrix, right = quadratic(20, 1000.0)
    solution = torch.linalg.solve(matrix, right)

    def excess(x: torch.Tensor) -> torch.Tensor:
        return 0.5 * (x - solution) @ matrix @ (x - solution)

    found = min(value for _, value in minimise(excess, torch.zeros(20, dtype=torch.float64), 80, first_step=0.01))
    x = torch.zeros(20, dtype=torch.float64)
    for _ in range(80):
        x = x - 2.0 / 1001.0 * (matrix @ (x - solution))  # the best constant step
    assert found < 1e-4 * float(excess(x))


def test_finds_the_end_of_rosenbrocks_valley():
    def rosenbrock(x: torch.Tensor) -> torch.Tensor:
        return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2

    seen = minimise(rosenbrock, torch.tensor([-1.2, 1.0], dtype=torch.float64), 120, first_step=0.05)
    point, value = min(seen, key=lambda pair: pair[1])
    assert value < 1e-10
    assert_close(point, torch.ones(2, dtype=torch.float64), atol=1e-4)


def test_first_step_changes_by_the_mean_that_was_asked_for():
    gradient = torch.tensor([3.0, -1.0, 0.0, 4.0])
    moved = LBFGS(first_step=0.02).propose(torch.zeros(4), 1.0, gradient)
    assert float(moved[gradient != 0].abs().mean()) == pytest.approx(0.02)
    assert_close(moved, -gradient * 0.02 * 3 / 8)


@pytest.mark.parametrize(
    ("value", "length"),
    [
        (1.5, 0.4),  # minimum of the parabola with value 1 and slope -2 at 0 and value 1.5 at 1
        (1.0, 0.5),  # no better is as bad as worse
        (100.0, 0.1),  # not shorter than a tenth at once
        (math.inf, 0.1),
        (math.nan, 0.1),
    ],
)
def test_shortens_after_a_rise(value, length):
    solver = LBFGS(first_step=1.0)
    assert float(solver.propose(torch.zeros(1), 1.0, torch.tensor([-2.0]))) == 1.0
    spoilt = torch.tensor([value if not math.isfinite(value) else 3.0])
    assert float(solver.propose(torch.ones(1), value, spoilt)) == pytest.approx(length)


def test_shortens_a_shortened_step_by_its_own_parabola():
    solver = LBFGS(first_step=1.0)
    solver.propose(torch.zeros(1), 1.0, torch.tensor([-2.0]))
    solver.propose(torch.ones(1), 1.5, torch.tensor([3.0]))  # to 0.4
    # Value 1 and slope -2 at 0 and value 1.2 at 0.4: 1 - 2 x + 6.25 x^2.
    assert float(solver.propose(torch.tensor([0.4]), 1.2, torch.tensor([3.0]))) == pytest.approx(0.16)


def test_goes_on_shortening_until_it_descends_and_then_uses_the_gradient():
    solver = LBFGS(first_step=1.0)
    proposals = [float(solver.propose(torch.zeros(1), 1.0, torch.tensor([-2.0])))]
    for value in (math.nan, 50.0, 1.2):
        proposals.append(float(solver.propose(torch.tensor(proposals[-1:]), value, torch.tensor([9.0]))))
        assert 0.1 * proposals[-2] <= proposals[-1] * 1.0001
        assert proposals[-1] <= 0.5001 * proposals[-2]
    # Descends at last: f' went from -2 to -1 within the step, so Newton's step is as long again.
    step = proposals[-1]
    assert float(solver.propose(torch.tensor([step]), 0.9, torch.tensor([-1.0]))) == pytest.approx(2 * step)


def test_recovers_when_the_objective_is_not_a_number_somewhere():
    def function(x: torch.Tensor) -> torch.Tensor:
        return (x**2).sum() + torch.where(x.max() > 2.0, torch.nan, 0.0) + torch.where(x.min() < -2.0, torch.inf, 0.0)

    seen = minimise(function, torch.tensor([1.9, -1.9, 1.0]), 40, first_step=3.0)
    assert all(torch.isfinite(point).all() for point, _ in seen)
    assert min(value for _, value in seen if not math.isnan(value)) < 1e-6


def test_does_not_remember_negative_curvature():
    solver = LBFGS(first_step=1.0)
    solver.propose(torch.zeros(1), 1.0, torch.tensor([-1.0]))
    # The slope grew along the step: a model of it would point uphill.
    assert float(solver.propose(torch.ones(1), 0.0, torch.tensor([-3.0]))) == 2.0
    assert not solver.pairs
    solver = LBFGS(first_step=1.0)
    for value, point, slope in ((1.0, 0.0, -3.0), (0.0, 1.0, -2.0), (-1.0, 3.0, -2.5)):
        proposal = solver.propose(torch.tensor([point]), value, torch.tensor([slope]))
    assert len(solver.pairs) == 1  # the first, whose slope fell by 1 within 1
    assert float(proposal) == 5.5


def test_entries_without_gradient_stay_bit_exact():
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(6, 7, generator=generator) / 3.0
    masked = torch.rand(6, 7, generator=generator) < 0.4
    solver, point = LBFGS(first_step=0.05), start
    for _ in range(30):
        gradient = torch.where(masked, 0.0, 4 * point**3 - point + 0.1)
        point = solver.propose(point, float((point**4 - point**2 / 2 + 0.1 * point)[~masked].sum()), gradient)
    assert torch.equal(point[masked], start[masked])
    assert not torch.isclose(point[~masked], start[~masked]).any()


def test_nothing_to_do_is_nothing_done():
    solver, point = LBFGS(first_step=0.1), torch.rand(5, generator=torch.Generator().manual_seed(0))
    for _ in range(4):
        assert torch.equal(solver.propose(point, 1.0, torch.zeros(5)), point)


def test_arguments_are_left_alone_and_memory_is_bounded():
    solver = LBFGS(first_step=0.1, history=3)
    point = torch.tensor([1.0, -2.0])
    for _ in range(10):
        gradient = torch.tensor([2.0, 20.0]) * point
        kept = point.clone(), gradient.clone()
        proposal = solver.propose(point, float((torch.tensor([1.0, 10.0]) * point**2).sum()), gradient)
        assert torch.equal(point, kept[0])
        assert torch.equal(gradient, kept[1])
        assert proposal is not point
        point = proposal
        assert len(solver.pairs) <= 3
