"""VGG on compiled kernels: all of its layers forward, and by hand all the way back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pochoir.kernels.arena import Lender
from pochoir.kernels.convolution import ColourConvolution, Convolution, best_outputs
from pochoir.kernels.pooling import Pooling
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

    def run(self, pictures: Sequence[Tensor], wanted: Sequence[str], *, keep: bool, largest_px: float) -> list[Maps]:
        """Run as far as the deepest wanted layer.

        Args:
            pictures: Normalised, shapes (3, H, W); sizes may differ.
            wanted: Names of layers, at least one.
            keep: Whether to keep what ``run_back`` needs: the outputs of all ReLUs.
            largest_px: See ``VGG.forward``.

        Returns:
            For each picture the wanted maps, and what is kept.
        """
        self._lender.reserve(NUMBERS_PER_PIXEL * sum(picture[0].numel() for picture in pictures))
        found: list[Maps] = [{} for _ in pictures]
        missing = set(wanted)
        values = list(pictures)

        def collect(name: str) -> None:
            for maps, value in zip(found, values, strict=True):
                maps[name] = value
            missing.discard(name)

        for unit in self._units:
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

    def run_back(
        self, rectified: Sequence[Maps], gradients: Sequence[Maps], *, largest_px: float
    ) -> list[Tensor | None]:
        """The gradients of the pictures.

        Args:
            rectified: For each picture the outputs of the ReLUs. They are taken out as soon as they have served, so
                that their memory can.
            gradients: For each picture those of the maps of some layers.
            largest_px: As on the way forward.

        Returns:
            Shapes (3, H, W); None for a picture without gradients.
        """
        ways = [_WayBack(*each) for each in zip(rectified, gradients, strict=True)]
        for index in range(len(self._units) - 1, -1, -1):
            unit = self._units[index]
            for way in ways:
                way.coming = self._back_to_convolution(unit, way)
                way.rectified.pop(unit.relu, None)
            self._back_through(index, [way for way in ways if way.coming is not None], largest_px)
        return [way.coming for way in ways]

    def _back_to_convolution(self, unit: _Unit, way: "_WayBack") -> Tensor | None:
        """From the gradient of a unit's output to that of its convolution's."""
        coming, gradients = way.coming, way.gradients
        if unit.pooling and coming is None:
            coming = gradients.get(unit.pooling)
        of_relu = gradients.get(unit.relu)
        if coming is None:
            if of_relu is not None:
                coming = of_relu * (way.rectified[unit.relu] > 0.0)
        elif unit.pooling:
            coming = self._pooling.backward(way.rectified[unit.relu], coming, extra=of_relu)
        direct = gradients.get(unit.convolution)
        if direct is None or coming is None:
            return coming if direct is None else direct
        return coming + direct

    def _back_through(self, index: int, ways: Sequence["_WayBack"], largest_px: float) -> None:
        """From the gradients of a convolution's outputs to those of what it was given, through the ReLU before it."""
        coming = [way.coming for way in ways if way.coming is not None]
        if not coming:
            return
        if index == 0:
            results = [self._first.backward(each) for each in coming]
        else:
            before = self._units[index - 1]
            results = self._convolution(self._units[index], largest_px).backward(
                coming,
                gates=None if before.pooling else [way.rectified[before.relu] for way in ways],
                extras=[way.gradients.get(before.pooling or before.relu) for way in ways],
            )
        for way, result in zip(ways, results, strict=True):
            way.coming = result


@dataclass
class _WayBack:
    """How far the way back of one picture has come."""

    rectified: Maps
    gradients: Maps
    coming: Tensor | None = None
    """The gradient of what the unit in hand gives."""


class Features(torch.autograd.Function):
    """A stack's maps, with its own way back. There is no second derivative."""

    @staticmethod
    def forward(
        ctx: Any, stack: Stack, wanted: tuple[str, ...], largest_px: float, *pictures: Tensor
    ) -> tuple[Tensor, ...]:
        """From pictures (1, 3, H, W) to a tensor (1, C, h, w) for each wanted layer of the first, of the second..."""
        keep = any(ctx.needs_input_grad)
        found = stack.run([picture[0] for picture in pictures], wanted, keep=keep, largest_px=largest_px)
        ctx.set_materialize_grads(False)
        ctx.stack, ctx.wanted, ctx.largest_px = stack, wanted, largest_px
        if keep:
            relus = [name for name in found[0] if name.startswith("relu")]
            # What the caller sees is in autograd's care, which notices changes; the rest is freed on the way back.
            ctx.seen = [name for name in relus if name in wanted]
            ctx.save_for_backward(*(maps[name] for maps in found for name in ctx.seen))
            ctx.unseen = [{name: maps[name] for name in relus if name not in wanted} for maps in found]
        return tuple(maps[name].permute(2, 0, 1)[None] for maps in found for name in wanted)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        """From the gradients of the maps to the pictures'."""
        if ctx.unseen is None:
            raise RuntimeError("The way back through an encoder on kernels can be taken once; run it forward again.")
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
        results = ctx.stack.run_back(rectified, maps_given, largest_px=ctx.largest_px)
        return (None, None, None, *(None if result is None else result[None] for result in results))
