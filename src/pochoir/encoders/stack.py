"""VGG on compiled kernels: all of its layers forward, and by hand all the way back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pochoir.kernels.convolution import ColourConvolution, Convolution, best_outputs
from pochoir.kernels.pooling import Pooling
from pochoir.kernels.sharing import Lender
from pochoir.weights.mapped import let_go

Maps = dict[str, Tensor]
"""By layer a map of shape (H, W, channels)."""
NUMBERS_PER_PIXEL = 600
"""That the lender is told to expect. VGG19 to relu5_1 keeps 290 for the way back, and some are in the making."""


@dataclass(frozen=True)
class _Unit:
    """A convolution, its ReLU and, at the end of a block, the pooling: their layers' names."""

    convolution: str
    relu: str
    pooling: str | None
    stride: int
    """Pixels of the picture per position, in each direction."""


class Stack:
    """The layers of a VGG.

    Args:
        layers: All names, from the picture on.
        convolutions: Weights, (C_out, C_in, 3, 3), and biases by name.
        pooling: ``"max"`` or ``"avg"``.
        lets_go: Whether the weights' memory may be given back where they are mapped from a file: not if they have been
            changed since.
    """

    def __init__(
        self,
        layers: Sequence[str],
        convolutions: Mapping[str, tuple[Tensor, Tensor]],
        pooling: str,
        *,
        lets_go: bool = False,
    ) -> None:
        self._lets_go = lets_go
        self._lender = Lender()
        self._pooling = Pooling(pooling, self._lender)
        first, *_ = convolutions
        self._first = ColourConvolution(*convolutions[first], self._lender)
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

    def give_back(self) -> None:
        """Give back what memory the pictures so far took."""
        self._lender.begin_anew()

    def run(self, picture: Tensor, wanted: Sequence[str], *, keep: bool, largest_px: float) -> Maps:
        """Run as far as the deepest wanted layer.

        Args:
            picture: Normalised, shape (3, H, W).
            wanted: Names of layers, at least one.
            keep: Whether to keep what ``run_back`` needs: the outputs of all ReLUs.
            largest_px: See ``VGG.forward``.

        Returns:
            The wanted maps, and what is kept.
        """
        self._lender.reserve(NUMBERS_PER_PIXEL * picture.shape[1] * picture.shape[2])
        maps: Maps = {}
        missing = set(wanted)
        value = picture
        for unit in self._units:
            value = self._convolve(unit, value, largest_px, rectified=unit.convolution not in missing)
            if unit.convolution in missing:
                maps[unit.convolution] = value
                value = value.clamp_min(0.0)
            if keep or unit.relu in missing:
                maps[unit.relu] = value
            missing -= {unit.convolution, unit.relu}
            if not missing:
                break
            if unit.pooling:
                value = self._pooling.forward(value)
                if unit.pooling in missing:
                    maps[unit.pooling] = value
                    missing.remove(unit.pooling)
                if not missing:
                    break
        return maps

    def _convolve(self, unit: _Unit, value: Tensor, largest_px: float, *, rectified: bool) -> Tensor:
        if unit is self._units[0]:
            return self._first.forward(value, rectified=rectified)
        return self._convolution(unit, largest_px).forward(value, rectified=rectified)

    def _convolution(self, unit: _Unit, largest_px: float) -> Convolution:
        """The convolution in the form that serves; of two forms only the last one asked for is kept."""
        weight, bias = self._tensors[unit.convolution]
        outputs = best_outputs(weight, largest_px / unit.stride**2)
        made = self._convolutions.get(unit.convolution)
        if made is None or made.outputs != outputs:
            self._convolutions.pop(unit.convolution, None)  # before the other one takes its memory
            made = self._convolutions[unit.convolution] = Convolution(weight, bias, self._lender, outputs=outputs)
            if self._lets_go:
                let_go([weight])  # the kernels have it in another form
        return made

    def run_back(self, rectified: Maps, gradients: Maps, *, largest_px: float) -> Tensor | None:
        """The gradient of the picture.

        Args:
            rectified: Outputs of the ReLUs. They are taken out as soon as they have served, so that their memory can.
            gradients: Of the maps of some layers.
            largest_px: As on the way forward.

        Returns:
            Shape (3, H, W); None if there are no gradients.
        """
        coming: Tensor | None = None  # of what the unit's convolution gives, or of its pooling if it has one
        for index in range(len(self._units) - 1, -1, -1):
            unit = self._units[index]
            coming = self._back_to_convolution(unit, coming, rectified, gradients)
            rectified.pop(unit.relu, None)
            if coming is None:
                continue
            if index == 0:
                return self._first.backward(coming)
            before = self._units[index - 1]
            convolution = self._convolution(unit, largest_px)
            if before.pooling:
                coming = convolution.backward(coming, extra=gradients.get(before.pooling))
            else:
                coming = convolution.backward(coming, gate=rectified[before.relu], extra=gradients.get(before.relu))
        return None

    def _back_to_convolution(
        self, unit: _Unit, coming: Tensor | None, rectified: Maps, gradients: Maps
    ) -> Tensor | None:
        """From the gradient of a unit's output to that of its convolution's."""
        if unit.pooling and coming is None:
            coming = gradients.get(unit.pooling)
        of_relu = gradients.get(unit.relu)
        if coming is None:
            if of_relu is not None:
                coming = of_relu * (rectified[unit.relu] > 0.0)
        elif unit.pooling:
            coming = self._pooling.backward(rectified[unit.relu], coming, extra=of_relu)
        direct = gradients.get(unit.convolution)
        if direct is None or coming is None:
            return coming if direct is None else direct
        return coming + direct


class Features(torch.autograd.Function):
    """A stack's maps, with its own way back. There is no second derivative."""

    @staticmethod
    def forward(
        ctx: Any, picture: Tensor, stack: Stack, wanted: tuple[str, ...], largest_px: float
    ) -> tuple[Tensor, ...]:
        """From (1, 3, H, W) to a tensor (1, C, h, w) for each wanted layer."""
        keep = bool(ctx.needs_input_grad[0])
        maps = stack.run(picture[0], wanted, keep=keep, largest_px=largest_px)
        ctx.set_materialize_grads(False)
        ctx.stack, ctx.wanted, ctx.largest_px = stack, wanted, largest_px
        if keep:
            relus = [name for name in maps if name.startswith("relu")]
            # What the caller sees is in autograd's care, which notices changes; the rest is freed on the way back.
            ctx.seen = [name for name in relus if name in wanted]
            ctx.save_for_backward(*(maps[name] for name in ctx.seen))
            ctx.unseen = {name: maps[name] for name in relus if name not in wanted}
        return tuple(maps[name].permute(2, 0, 1)[None] for name in wanted)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, None, None, None]:
        """From the gradients of the maps to the picture's."""
        if ctx.unseen is None:
            raise RuntimeError("The way back through an encoder on kernels can be taken once; run it forward again.")
        rectified = {**ctx.unseen, **dict(zip(ctx.seen, ctx.saved_tensors, strict=True))}
        ctx.unseen = None
        given = {
            name: gradient[0].permute(1, 2, 0).contiguous()
            for name, gradient in zip(ctx.wanted, gradients, strict=True)
            if gradient is not None
        }
        result = ctx.stack.run_back(rectified, given, largest_px=ctx.largest_px)
        return (None if result is None else result[None]), None, None, None
