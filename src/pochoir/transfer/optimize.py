"""Optimisers in the pixels, as generators: one item an evaluation of the objective."""

from collections.abc import Callable, Generator
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from pochoir._types import Size
from pochoir.transfer.criterion import Losses, Terms
from pochoir.transfer.lbfgs import LBFGS
from pochoir.transfer.memory import history_pairs
from pochoir.transfer.preconditioner import FrequencyFilter

Objective = Callable[[Tensor], Terms]

FIRST_STEP = 4 / 255
ADAM_RATE = 0.03


class Iterate(NamedTuple):
    """A picture and the objective at it."""

    picture: Tensor
    losses: Losses


Iterates: TypeAlias = Generator[Iterate, None, None]
"""Between two items the objective's gradient at the first of them is taken. Close it when no more are needed."""


def iter_lbfgs(objective: Objective, start: Tensor, free: Tensor) -> Iterates:
    """Minimise with L-BFGS; see ``lbfgs.LBFGS``.

    Args:
        objective: Maps a picture to the terms of its loss.
        start: First pictures, shape (B, 3, H, W), one unless regions are painted apart.
        free: 1 where a picture may change and 0 where it must not, shape (B, 1, H, W).

    Yields:
        The start, then every further picture that was evaluated, without end. Losses need not fall at each.
    """
    history = history_pairs(Size(*start.shape[-2:]))
    solver = LBFGS(first_step=FIRST_STEP, history=history, precondition=FrequencyFilter(free))
    point = start
    del start  # a large picture less in memory
    while True:
        evaluation = _Evaluation(objective, point, free)
        yield Iterate(point, evaluation.losses)
        point = solver.propose(point, evaluation.losses.total, evaluation.differentiate())


def iter_adam(objective: Objective, start: Tensor, free: Tensor) -> Iterates:
    """Minimise with Adam (Kingma and Ba, arXiv:1412.6980); arguments and items as for ``iter_lbfgs``.

    Steps are clamped to [0, 1]: unlike L-BFGS, Adam builds no model that the clamping would falsify.
    """
    point = start.clone()
    solver = torch.optim.Adam([point], lr=ADAM_RATE)
    while True:
        evaluation = _Evaluation(objective, point, free)
        yield Iterate(point.clone(), evaluation.losses)
        point.grad = evaluation.differentiate()
        solver.step()
        point.clamp_(0.0, 1.0)


OPTIMIZERS: dict[str, Callable[[Objective, Tensor, Tensor], Iterates]] = {
    "lbfgs": iter_lbfgs,
    "adam": iter_adam,
}


class _Evaluation:
    """The objective at a picture. Its gradient waits until it is known to be needed.

    It is there at once where the objective itself works it out: for a picture in tiles.
    """

    def __init__(self, objective: Objective, point: Tensor, free: Tensor) -> None:
        with torch.enable_grad():
            self._picture = point.detach().requires_grad_()
            terms = objective(self._picture)
        self._total, self.losses = terms.total, terms.numbers()
        self._free = free

    def differentiate(self) -> Tensor:
        """The gradient, zero where the picture must not change. It can be asked for once."""
        (gradient,) = torch.autograd.grad(self._total, self._picture)
        return gradient * self._free
