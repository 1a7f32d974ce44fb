"""Optimisers in the pixels, as generators: one item an evaluation of the objective."""

from collections.abc import Callable, Generator
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from pochoir._types import Size
from pochoir.transfer.criterion import Losses
from pochoir.transfer.cuda_graphs import Objective, evaluator
from pochoir.transfer.lbfgs import LBFGS
from pochoir.transfer.memory import history_pairs
from pochoir.transfer.preconditioner import FrequencyFilter

FIRST_STEP = 4 / 255
ADAM_RATE = 0.03


class Iterate(NamedTuple):
    """A picture and the objective at it."""

    picture: Tensor
    losses: Losses


Iterates: TypeAlias = Generator[Iterate, None, None]
"""The gradient at an item may be computed only when the next one is asked for. Close it when no more are needed."""


def iter_lbfgs(objective: Objective, start: Tensor, free: Tensor) -> Iterates:
    """Minimise with L-BFGS; see ``lbfgs.LBFGS``.

    Args:
        objective: Maps a picture to the terms of its loss.
        start: First pictures, shape (B, 3, H, W), one unless each region has its own.
        free: 1 where a picture may change and 0 where it must not, shape (B, 1, H, W).

    Yields:
        The start, then every further picture that was evaluated, without end. Losses need not fall at each.
    """
    history = history_pairs(Size(*start.shape[-2:]))
    solver = LBFGS(first_step=FIRST_STEP, history=history, precondition=FrequencyFilter(free))
    point = start
    del start  # a large picture less in memory
    evaluate = evaluator(objective, point)
    while True:
        evaluation = evaluate(point)
        yield Iterate(point, evaluation.losses)
        point = solver.propose(point, evaluation.losses.total, evaluation.differentiate() * free)


def iter_adam(objective: Objective, start: Tensor, free: Tensor) -> Iterates:
    """Minimise with Adam (Kingma and Ba, arXiv:1412.6980); arguments and items as for ``iter_lbfgs``.

    Steps are clamped to [0, 1]: unlike L-BFGS, Adam builds no model that the clamping would falsify.
    """
    point = start.clone()
    solver = torch.optim.Adam([point], lr=ADAM_RATE)
    evaluate = evaluator(objective, point)
    while True:
        evaluation = evaluate(point)
        yield Iterate(point.clone(), evaluation.losses)
        point.grad = evaluation.differentiate() * free
        solver.step()
        point.clamp_(0.0, 1.0)


OPTIMIZERS: dict[str, Callable[[Objective, Tensor, Tensor], Iterates]] = {
    "lbfgs": iter_lbfgs,
    "adam": iter_adam,
}
