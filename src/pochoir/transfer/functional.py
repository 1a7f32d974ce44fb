"""The losses of neural style transfer as pure functions."""

from typing import Any

import torch
from torch import Tensor

from pochoir.errors import ShapeError

_POSITIONS_AT_ONCE = 16384


def gram(features: Tensor, guide: Tensor | None = None) -> Tensor:
    r"""Return the Gram matrix of features, averaged over a region.

    .. math:: G_{ij} = \frac{\sum_p g_p \, F_{ip} F_{jp}}{\sum_p g_p}

    A mean, where Gatys et al. take a sum, so that pictures of different sizes compare. The guide weighs each
    position's outer product, which is multiplying the features by its square root; Gatys et al. 2017 multiply
    by the guide itself. Ours is linear in the guide: guides that add up to one share out the Gram matrix of the
    whole picture exactly, and a position half in and half out counts half to either side, not a quarter.

    Args:
        features: Activations, shape (B, C, H, W).
        guide: Weight of each position, at least 0, shape (B or 1, 1, H, W), not zero everywhere: regions that
            are empty at a layer are left out by ``guidance.build_guides``. None weighs all positions alike.

    Returns:
        Symmetric matrices, shape (B, C, C).

    Raises:
        ShapeError: The guide's height and width are not the features'.

    References:
        Gatys et al., arXiv:1508.06576; "Controlling Perceptual Factors in Neural Style Transfer",
        arXiv:1611.07865, section 4.
    """
    if guide is None:
        positions = features.shape[-2] * features.shape[-1]
        return sum_outer_products(features, features.new_full((1, 1, 1, 1), 1.0 / positions))
    if guide.shape[-2:] != features.shape[-2:]:
        raise ShapeError(
            f"A guide must have its features' size {tuple(features.shape[-2:])}; got {tuple(guide.shape[-2:])}."
        )
    return sum_outer_products(features, guide / guide.sum(dim=(2, 3), keepdim=True))


def sum_outer_products(features: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted sum over all positions of the outer product of their features.

    Args:
        features: Shape (B, C, H, W).
        weights: At least 0, shape (B or 1, 1, H, W), or (B or 1, 1, 1, 1) for all positions alike.

    Returns:
        Symmetric matrices, shape (B, C, C).
    """
    result: Tensor = _WeightedGram.apply(features.flatten(2), weights.flatten(2))  # type: ignore[no-untyped-call]
    return result


class _WeightedGram(torch.autograd.Function):
    """``(flat * weights) @ flat.T``; the backward pass uses its symmetry and needs one product instead of two.

    Weights have shape (B or 1, 1, N or 1).
    """

    @staticmethod
    def forward(ctx: Any, flat: Tensor, weights: Tensor) -> Tensor:
        ctx.save_for_backward(flat, weights)
        if weights.shape[2] == 1:
            return flat @ flat.transpose(1, 2) * weights
        # Some positions at a time: a second copy of all features would be the largest thing in memory.
        total = flat.new_zeros(flat.shape[0], flat.shape[1], flat.shape[1])
        parts = (torch.split(flat, _POSITIONS_AT_ONCE, dim=2), torch.split(weights, _POSITIONS_AT_ONCE, dim=2))
        for part, weight in zip(*parts, strict=True):
            total = torch.baddbmm(total, part * weight, part.transpose(1, 2))
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor | None]:
        flat, weights = ctx.saved_tensors
        of_weights = None
        if ctx.needs_input_grad[1]:
            of_weights = (flat * (gradient @ flat)).sum(dim=1, keepdim=True).sum_to_size(weights.shape)
        both = gradient + gradient.transpose(1, 2)
        if weights.shape[2] == 1:
            both = both * weights
        # The result lies in memory as the features do: channels last saves the next layer a copy.
        last = flat.stride(1) == 1
        result = (flat.transpose(1, 2) @ both).transpose(1, 2) if last else both @ flat
        return (result if weights.shape[2] == 1 else result.mul_(weights)), of_weights


def relative_distance(value: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    r"""Return the squared distance to a target in units of the target's own square.

    .. math:: d = \frac{\sum_i w_i (v_i - t_i)^2}{\sum_i w_i t_i^2}

    0 is equality and 1 is as far as an all-zero value. Gatys et al. divide by counts alone; dividing by the
    target's square makes the value independent of the network's scale, the layer and the picture, so that one
    set of loss weights serves them all.

    Args:
        value: Any shape.
        target: Same shape as ``value``.
        weight: At least 0, broadcastable to ``value``; None weighs all entries alike.

    Returns:
        A scalar.
    """
    difference = (value - target).square()
    return (difference if weight is None else difference * weight).sum() / own_square(target, weight)


def own_square(target: Tensor, weight: Tensor | None = None) -> Tensor:
    r"""Return the unit of ``relative_distance``: :math:`\sum_i w_i t_i^2`, a scalar above 0."""
    square = target.square()
    # The lower bound only matters for targets that are zero throughout, such as dead channels of a flat picture.
    return (square if weight is None else square * weight).sum().clamp_min(1e-12)


def squares(value: Tensor, target: Tensor) -> Tensor:
    r"""Return the sum of squared differences, :math:`\sum_i (v_i - t_i)^2`.

    Only ``value`` gets a gradient, in one pass where autograd would take four.

    Args:
        value: Any shape.
        target: Same shape as ``value``.

    Returns:
        A scalar.
    """
    result: Tensor = _Squares.apply(value, target)  # type: ignore[no-untyped-call]
    return result


class _Squares(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, target: Tensor) -> Tensor:
        difference = value - target
        ctx.save_for_backward(difference)
        flat = difference.flatten()
        return torch.dot(flat, flat)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (difference,) = ctx.saved_tensors
        return difference * (2.0 * gradient), None


def weighted_squares(value: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    r"""Return the weighted sum of squared differences, :math:`\sum_i w_i (v_i - t_i)^2`.

    Only ``value`` gets a gradient. One product is kept for it, where autograd would keep and compute several.

    Args:
        value: Any shape.
        target: Same shape as ``value``.
        weight: Broadcastable to ``value``.

    Returns:
        A scalar.
    """
    result: Tensor = _WeightedSquares.apply(value, target, weight)  # type: ignore[no-untyped-call]
    return result


class _WeightedSquares(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        difference = value - target
        weighted = difference * weight
        ctx.save_for_backward(weighted)
        return difference.mul_(weighted).sum()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (weighted,) = ctx.saved_tensors
        return weighted * (2.0 * gradient), None, None


def total_variation(picture: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return the mean squared difference of neighbouring pixels, over both directions.

    The squared form of Johnson et al. (arXiv:1603.08155), smooth everywhere and so kind to L-BFGS, unlike the sum
    of absolute differences.

    Args:
        picture: Shape (B, C, H, W).
        weight: Weight of each pixel, shape (B or 1, 1, H, W); a pair weighs what its lesser pixel does. None
            weighs all pixels alike. It gets no gradient.

    Returns:
        A scalar; 0 for a constant picture or one of a single pixel.
    """
    result: Tensor = _TotalVariation.apply(picture, weight)  # type: ignore[no-untyped-call]
    return result


class _TotalVariation(torch.autograd.Function):
    """Value and gradient at once, one channel after the other: of a large picture few copies are in memory."""

    @staticmethod
    def forward(ctx: Any, picture: Tensor, weight: Tensor | None) -> Tensor:
        total, gradient = picture.new_zeros(()), torch.zeros_like(picture)
        for dim in (-1, -2):
            count = picture.shape[dim] - 1
            if count < 1:
                continue
            pairs = picture.new_ones(1, 1, 1, 1)
            pairs_in_all = picture.narrow(dim, 1, count).numel() * pairs.sum()
            if weight is not None:
                pairs = torch.minimum(weight.narrow(dim, 0, count), weight.narrow(dim, 1, count))
                pairs_in_all = pairs.sum() * (picture.shape[0] // pairs.shape[0] * picture.shape[1])
            weights = pairs / pairs_in_all.clamp_min(1e-12)
            for channel in range(picture.shape[1]):
                difference = picture[:, channel : channel + 1].diff(dim=dim)
                weighted = difference * weights
                total += difference.mul_(weighted).sum()
                slope = gradient[:, channel : channel + 1]
                slope.narrow(dim, 1, count).add_(weighted, alpha=2.0)
                slope.narrow(dim, 0, count).sub_(weighted, alpha=2.0)
        ctx.save_for_backward(gradient)
        return total

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * slope, None


def gamut_excess(picture: Tensor) -> Tensor:
    """Return the mean squared distance of the values from [0, 1].

    Values outside are clipped when a picture is saved, and part of the optimisation is lost with them. As a
    penalty it keeps the values inside without the corners that clamping would put into the objective.

    Args:
        picture: Any shape.

    Returns:
        A scalar; 0 if all values are in [0, 1].
    """
    result: Tensor = _GamutExcess.apply(picture)  # type: ignore[no-untyped-call]
    return result


class _GamutExcess(torch.autograd.Function):
    """Keeps the excess for the backward pass, and nothing else."""

    @staticmethod
    def forward(ctx: Any, picture: Tensor) -> Tensor:
        excess = picture - picture.clamp(0.0, 1.0)
        ctx.save_for_backward(excess)
        return excess.square().mean()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, slope: Tensor) -> Tensor:
        (excess,) = ctx.saved_tensors
        gradient: Tensor = excess * (slope * (2.0 / excess.numel()))
        return gradient


def differentiated(picture: Tensor, value: Tensor, gradient: Tensor) -> Tensor:
    """Return a value whose gradient in a picture is already known.

    Args:
        picture: Any shape.
        value: A scalar, not in the picture's graph.
        gradient: Of the value in the picture, the picture's shape.

    Returns:
        The value, as a function of the picture.
    """
    result: Tensor = _Differentiated.apply(picture, value, gradient)  # type: ignore[no-untyped-call]
    return result


class _Differentiated(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, picture: Tensor, value: Tensor, gradient: Tensor) -> Tensor:
        ctx.save_for_backward(gradient)
        return value.clone()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * slope, None, None
