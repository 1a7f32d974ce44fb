"""Limited-memory BFGS, one evaluation of the objective at a time."""

from collections import deque
from typing import Protocol

import torch
from torch import Tensor


class Preconditioner(Protocol):
    """Applies an approximation of the inverse Hessian up to a factor, symmetric and positive."""

    def __call__(self, gradient: Tensor, /) -> Tensor:
        """Transform a gradient; may return its argument."""

    def square(self, gradient: Tensor, /) -> float:
        """Return the product of a gradient with its transform."""


class LBFGS:
    """Proposes the next point from the gradients seen so far.

    The caller evaluates each proposal and passes the result. So a step is one evaluation, which can be timed, and any
    step can be the last. ``torch.optim.LBFGS`` differs in two ways: it leaves the point that it moved to unevaluated,
    so its last move may be bad; and its first step is one unit of the summed gradient, next to nothing for a picture.

    After a proposal that raises the objective comes a shorter one along the same direction, at the minimum of the
    parabola through the known values. Pairs without positive curvature are not remembered.

    Args:
        first_step: Mean absolute change, in the first step, of the entries whose gradient is not zero.
        history: Number of remembered pairs.
        precondition: None is the identity.

    References:
        Nocedal and Wright, "Numerical Optimization", 2nd edition, algorithms 7.4 and 7.5.
    """

    def __init__(self, *, first_step: float, history: int = 12, precondition: Preconditioner | None = None) -> None:
        self.first_step = first_step
        self.precondition = precondition if precondition is not None else _Identity()
        self.pairs: deque[tuple[Tensor, Tensor, float]] = deque(maxlen=history)
        self.point: Tensor | None = None
        self.value = float("inf")
        self.gradient: Tensor | None = None
        self.direction: Tensor | None = None
        self.slope = 0.0
        self.length = 1.0

    def propose(self, point: Tensor, value: float, gradient: Tensor) -> Tensor:
        """Return the next point to evaluate.

        Args:
            point: The point just evaluated: the start, or the last proposal.
            value: The objective there.
            gradient: Its gradient there, same shape as ``point``.

        Returns:
            A new tensor of the same shape.
        """
        if self.point is not None and not value < self.value:
            return self._shorten(value)
        if self.point is not None and self.gradient is not None:
            step, change = point - self.point, gradient - self.gradient
            curvature = _dot(step, change)
            if curvature > 1e-10 * _dot(change, change):
                self.pairs.append((step, change, curvature))
        self.point, self.value, self.gradient = point, value, gradient
        self._aim(gradient)
        return self._proposal()

    def _aim(self, gradient: Tensor) -> None:
        self.direction = None  # so that there is only one of them in memory
        direction = self._two_loops(gradient)
        slope = _dot(direction, gradient)
        if not slope < 0.0:  # rounding has spoilt the model; restart it
            self.pairs.clear()
            direction = self._two_loops(gradient)
            slope = _dot(direction, gradient)
        self.direction, self.slope, self.length = direction, slope, 1.0

    def _proposal(self) -> Tensor:
        if self.point is None or self.direction is None:
            raise RuntimeError("propose() has not been called yet")
        return self.point + self.length * self.direction

    def _shorten(self, value: float) -> Tensor:
        parabola = value - self.value - self.length * self.slope
        best = -self.slope * self.length**2 / (2.0 * parabola) if parabola > 0.0 else 0.0
        # A value that is not finite leaves no parabola: the lower bound serves it, too.
        self.length = min(max(best, 0.1 * self.length), 0.5 * self.length) if best == best else 0.1 * self.length
        return self._proposal()

    def _two_loops(self, gradient: Tensor) -> Tensor:
        direction = gradient.neg()
        if not self.pairs:
            direction = self.precondition(direction)
            moving = int(torch.count_nonzero(gradient))
            return direction * (self.first_step * moving / float(direction.abs().sum().clamp_min(1e-30)))
        factors: list[float] = []
        for step, change, curvature in reversed(self.pairs):
            factor = _dot(step, direction) / curvature
            direction = direction.sub_(change, alpha=factor)
            factors.append(factor)
        _, change, curvature = self.pairs[-1]
        # The newest pair gives the missing factor.
        factor = curvature / self.precondition.square(change)
        direction = self.precondition(direction).mul_(factor)
        for (step, change, curvature), factor in zip(self.pairs, reversed(factors), strict=True):
            back = _dot(change, direction) / curvature
            direction = direction.add_(step, alpha=factor - back)
        return direction


def _dot(one: Tensor, other: Tensor) -> float:
    return float(torch.dot(one.flatten(), other.flatten()))


class _Identity:
    def __call__(self, gradient: Tensor) -> Tensor:
        return gradient

    def square(self, gradient: Tensor) -> float:
        return _dot(gradient, gradient)
