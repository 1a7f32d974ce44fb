"""VGG on compiled kernels, with a hand-written backward pass."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pochoir._interrupts import check_interrupt
from pochoir.kernels.arena import Arena
from pochoir.kernels.convolution import Convolution, best_tile_outputs
from pochoir.kernels.pooling import Pooling
from pochoir.kernels.rgb_convolution import RgbConvolution
from pochoir.weights.mapped import release_pages

Maps = dict[str, Tensor]
"""Maps of shape (H, W, channels) by layer."""
NUMBERS_PER_PIXEL = 600
"""Memory to reserve, in float32 numbers. VGG19 up to relu5_1 keeps 290 per pixel for the backward pass."""


@dataclass(frozen=True)
class _Unit:
    """Layer names of a convolution, its ReLU and, at the end of a block, the pooling."""

    convolution: str
    relu: str
    pooling: str | None
    stride: int
    """Pixels of the picture per position, in each direction."""


class Stack:
    """Sequence of the layers of a VGG.

    Args:
        layers: All layer names, from shallow to deep.
        convolutions: Weights, (C_out, C_in, 3, 3), and biases by name.
        pooling: ``"max"`` or ``"avg"``.
        may_release: Release the pages of weights that are mapped from a file; requires unmodified weights.
    """

    def __init__(
        self,
        layers: Sequence[str],
        convolutions: Mapping[str, tuple[Tensor, Tensor]],
        pooling: str,
        *,
        may_release: bool = False,
    ) -> None:
        self._may_release = may_release
        self._arena = Arena()
        self._pooling = Pooling(pooling, self._arena)
        first, *_ = convolutions
        self._first = RgbConvolution(*convolutions[first], self._arena)
        self._tensors = dict(convolutions)
        self._convolutions: dict[str, Convolution] = {}
        self._units: list[_Unit] = []
        stride = 1
        for name in convolutions:
            relu = layers[layers.index(name) + 1]
            following = layers[layers.index(relu) + 1 : layers.index(relu) + 2]
            pool = following[0] if following and following[0].startswith("pool") else None
            self._units.append(_Unit(name, relu, pool, stride))
            stride *= 2 if pool else 1

    def release_memory(self) -> None:
        """Free the memory of earlier pictures."""
        self._arena.release()

    def run(self, pictures: Sequence[Tensor], wanted: Sequence[str], *, keep: bool, largest_px: float) -> list[Maps]:
        """Compute all layers up to the deepest wanted one.

        Args:
            pictures: Normalised pictures, shapes (3, H, W); sizes may differ.
            wanted: At least one layer name.
            keep: Keep the outputs of all ReLUs, which ``run_backward`` needs.
            largest_px: See ``VGG.forward``.

        Returns:
            The wanted and kept maps of each picture.
        """
        self._arena.reserve(NUMBERS_PER_PIXEL * sum(picture[0].numel() for picture in pictures))
        found: list[Maps] = [{} for _ in pictures]
        missing = set(wanted)
        values = list(pictures)

        def collect(name: str) -> None:
            for maps, value in zip(found, values, strict=True):
                maps[name] = value
            missing.discard(name)

        for unit in self._units:
            check_interrupt()
            values = self._convolve(unit, values, largest_px, rectified=unit.convolution not in missing)
            if unit.convolution in missing:
                collect(unit.convolution)
                values = [value.clamp_min(0.0) for value in values]
            if keep or unit.relu in missing:
                collect(unit.relu)
            if not missing:
                break
            if unit.pooling:
                values = [self._pooling.forward(value) for value in values]
                if unit.pooling in missing:
                    collect(unit.pooling)
                if not missing:
                    break
        return found

    def _convolve(self, unit: _Unit, values: Sequence[Tensor], largest_px: float, *, rectified: bool) -> list[Tensor]:
        if unit is self._units[0]:
            return [self._first.forward(value, rectified=rectified) for value in values]
        return self._convolution(unit, largest_px).forward(values, rectified=rectified)

    def _convolution(self, unit: _Unit, largest_px: float) -> Convolution:
        """Return the convolution with the fastest tile size; only the last tile size used is kept."""
        weight, bias = self._tensors[unit.convolution]
        outputs = best_tile_outputs(weight, largest_px / unit.stride**2)
        made = self._convolutions.get(unit.convolution)
        if made is None or made.outputs != outputs:
            self._convolutions.pop(unit.convolution, None)  # frees its memory before the new one is made
            made = self._convolutions[unit.convolution] = Convolution(weight, bias, self._arena, outputs=outputs)
            if self._may_release:
                release_pages([weight])  # the kernels hold a packed copy
        return made

    def run_backward(
        self, rectified: Sequence[Maps], gradients: Sequence[Maps], *, largest_px: float
    ) -> list[Tensor | None]:
        """Compute the gradients of the pictures.

        Args:
            rectified: Outputs of the ReLUs, for each picture. They are removed after use, so that their memory is
                reused.
            gradients: Gradients of some layers' maps, for each picture.
            largest_px: Same value as in the forward pass.

        Returns:
            Gradients of shape (3, H, W); None for a picture without gradients.
        """
        states = [_Backward(*each) for each in zip(rectified, gradients, strict=True)]
        for index in range(len(self._units) - 1, -1, -1):
            check_interrupt()
            unit = self._units[index]
            for state in states:
                state.gradient = self._backward_to_convolution(unit, state)
                state.rectified.pop(unit.relu, None)
            self._backward_through(index, [state for state in states if state.gradient is not None], largest_px)
        return [state.gradient for state in states]

    def _backward_to_convolution(self, unit: _Unit, state: "_Backward") -> Tensor | None:
        """Return the gradient of the convolution's output, given that of the unit's output."""
        gradient, gradients = state.gradient, state.gradients
        if unit.pooling and gradient is None:
            gradient = gradients.get(unit.pooling)
        of_relu = gradients.get(unit.relu)
        if gradient is None:
            if of_relu is not None:
                gradient = of_relu * (state.rectified[unit.relu] > 0.0)
        elif unit.pooling:
            gradient = self._pooling.backward(state.rectified[unit.relu], gradient, extra=of_relu)
        direct = gradients.get(unit.convolution)
        if direct is None or gradient is None:
            return gradient if direct is None else direct
        return gradient + direct

    def _backward_through(self, index: int, states: Sequence["_Backward"], largest_px: float) -> None:
        """Propagate gradients through a convolution and the ReLU before it."""
        incoming = [state.gradient for state in states if state.gradient is not None]
        if not incoming:
            return
        if index == 0:
            results = [self._first.backward(each) for each in incoming]
        else:
            before = self._units[index - 1]
            results = self._convolution(self._units[index], largest_px).backward(
                incoming,
                gates=None if before.pooling else [state.rectified[before.relu] for state in states],
                extras=[state.gradients.get(before.pooling or before.relu) for state in states],
            )
        for state, result in zip(states, results, strict=True):
            state.gradient = result


@dataclass
class _Backward:
    """State of the backward pass of one picture."""

    rectified: Maps
    gradients: Maps
    gradient: Tensor | None = None
    """Gradient of the current unit's output."""


class Features(torch.autograd.Function):
    """Autograd function for the maps of a stack; there is no second derivative."""

    @staticmethod
    def forward(
        ctx: Any, stack: Stack, wanted: tuple[str, ...], largest_px: float, *pictures: Tensor
    ) -> tuple[Tensor, ...]:
        """Return a tensor (1, C, h, w) for each picture, (1, 3, H, W), and wanted layer, in this order."""
        keep = any(ctx.needs_input_grad)
        found = stack.run([picture[0] for picture in pictures], wanted, keep=keep, largest_px=largest_px)
        ctx.set_materialize_grads(False)
        ctx.stack, ctx.wanted, ctx.largest_px = stack, wanted, largest_px
        if keep:
            relus = [name for name in found[0] if name.startswith("relu")]
            # Autograd guards the maps that the caller sees against changes; the others are freed in the backward pass.
            ctx.seen = [name for name in relus if name in wanted]
            ctx.save_for_backward(*(maps[name] for maps in found for name in ctx.seen))
            ctx.unseen = [{name: maps[name] for name in relus if name not in wanted} for maps in found]
        return tuple(maps[name].permute(2, 0, 1)[None] for maps in found for name in wanted)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        """Return the gradients of the pictures."""
        if ctx.unseen is None:
            raise RuntimeError("An encoder on compiled kernels supports one backward pass; run it forward again.")
        seen, given = iter(ctx.saved_tensors), iter(gradients)
        rectified = [{**unseen, **{name: next(seen) for name in ctx.seen}} for unseen in ctx.unseen]
        maps_given = [
            {
                name: gradient[0].permute(1, 2, 0).contiguous()
                for name in ctx.wanted
                if (gradient := next(given)) is not None
            }
            for _ in ctx.unseen
        ]
        ctx.unseen = None
        results = ctx.stack.run_backward(rectified, maps_given, largest_px=ctx.largest_px)
        return (None, None, None, *(None if result is None else result[None] for result in results))
