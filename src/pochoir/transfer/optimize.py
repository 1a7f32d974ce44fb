"""Optimisers in the pixels, as generators: one item an evaluation of the objective."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from pochoir._types import Size
from pochoir.transfer.criterion import Losses
from pochoir.transfer.lbfgs import LBFGS
from pochoir.transfer.memory import history_pairs
from pochoir.transfer.preconditioner import FrequencyFilter

Objective = Callable[[Tensor], tuple[Tensor, Losses]]

FIRST_STEP = 4 / 255
ADAM_RATE = 0.03


class Iterate(NamedTuple):
    """A picture and the objective at it."""

    picture: Tensor
    losses: Losses


def iter_lbfgs(objective: Objective, start: Tensor, free: Tensor) -> Iterator[Iterate]:
    """Minimise with L-BFGS; see ``lbfgs.LBFGS``.

    Args:
        objective: Maps a picture to its loss and the loss's terms.
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
        losses, gradient = _evaluate(objective, point, free)
        yield Iterate(point, losses)
        point = solver.propose(point, losses.total, gradient)


def iter_adam(objective: Objective, start: Tensor, free: Tensor) -> Iterator[Iterate]:
    """Minimise with Adam (Kingma and Ba, arXiv:1412.6980); arguments and items as for ``iter_lbfgs``.

    Steps are clamped to [0, 1]: unlike L-BFGS, Adam builds no model that the clamping would falsify.
    """
    point = start.clone()
    solver = torch.optim.Adam([point], lr=ADAM_RATE)
    while True:
        losses, point.grad = _evaluate(objective, point, free)
        yield Iterate(point.clone(), losses)
        solver.step()
        point.clamp_(0.0, 1.0)


OPTIMIZERS: dict[str, Callable[[Objective, Tensor, Tensor], Iterator[Iterate]]] = {
    "lbfgs": iter_lbfgs,
    "adam": iter_adam,
}


def _evaluate(objective: Objective, point: Tensor, free: Tensor) -> tuple[Losses, Tensor]:
    with torch.enable_grad():
        picture = point.detach().requires_grad_()
        total, losses = objective(picture)
        (gradient,) = torch.autograd.grad(total, picture)
    return losses, gradient * free
