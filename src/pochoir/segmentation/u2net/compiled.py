"""U2-Net's convolutions on compiled kernels, which pay off for many photos."""

from collections.abc import Callable
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pochoir._types import Size
from pochoir.kernels import COLUMNS
from pochoir.kernels.arena import Arena
from pochoir.kernels.convolution import Convolution
from pochoir.kernels.pooling import Pooling
from pochoir.kernels.rgb_convolution import RgbConvolution
from pochoir.segmentation.u2net.blocks import ConvBlock, ResidualUBlock, Steps
from pochoir.segmentation.u2net.network import U2Net
from pochoir.weights.mapped import release_pages

RESERVED = 2 * 2 * 320 * 320 * 480
"""Numbers of memory to reserve: two runs at once of two square pictures. Only what is used is taken from the system."""


def use_kernels(network: U2Net) -> None:
    """Run a network's blocks on the compiled kernels, where these support them and save time.

    These are the blocks without dilation and with enough channels. Their weights are packed at once, to about 580 MB
    for the full network. The maps agree with plain torch's within 1e-4.

    Args:
        network: A folded network on the CPU, in float32; changed.
    """
    arena = Arena()
    arena.reserve(RESERVED)
    steps = CompiledSteps(arena)
    for module in network.modules():
        if isinstance(module, ConvBlock) and _is_supported(module.conv_s1):
            module.compiled = CompiledBlock(module.conv_s1, arena)
        elif isinstance(module, ConvBlock) and _sees_photo(module.conv_s1):
            module.compiled = CompiledFirstBlock(module.conv_s1, arena)
        elif isinstance(module, ResidualUBlock | U2Net):
            module.steps = steps
    release_pages(parameter for parameter in network.parameters())


def _is_supported(convolution: nn.Conv2d) -> bool:
    return convolution.dilation == (1, 1) and convolution.in_channels % COLUMNS == 0


def _sees_photo(convolution: nn.Conv2d) -> bool:
    return convolution.in_channels == 3 and convolution.out_channels % COLUMNS == 0


class CompiledFirstBlock:
    """3x3 convolution of pictures and its ReLU on the compiled kernels.

    Args:
        convolution: From three channels to a multiple of ``COLUMNS``.
        arena: Memory for results.
    """

    def __init__(self, convolution: nn.Conv2d, arena: Arena) -> None:
        self._channels, self._arena = convolution.out_channels, arena
        bias = cast(Tensor, convolution.bias).detach()
        self._convolution = RgbConvolution(convolution.weight.detach(), bias, arena)

    def __call__(self, x: Tensor) -> Tensor:
        """Convolve pictures (B, 3, H, W) to maps (B, C_out, H, W)."""
        results = self._arena.allocate(len(x), *x.shape[2:], self._channels)
        for picture, target in zip(x, results, strict=True):
            self._convolution.forward(picture, rectified=True, target=target)
        return results.permute(0, 3, 1, 2)


class CompiledBlock:
    """3x3 convolution and its ReLU on the compiled kernels.

    Args:
        convolution: Without dilation, its input channels a multiple of ``COLUMNS``.
        arena: Memory for results.
    """

    def __init__(self, convolution: nn.Conv2d, arena: Arena) -> None:
        self._channels, self._arena = convolution.out_channels, arena
        spare = -self._channels % COLUMNS
        weight, bias = convolution.weight.detach(), cast(Tensor, convolution.bias).detach()
        if spare:  # the kernels give whole panels of channels
            weight, bias = F.pad(weight, (0, 0, 0, 0, 0, 0, 0, spare)), F.pad(bias, (0, spare))
        self._width = self._channels + spare
        self._convolution = Convolution(weight, bias, arena, has_backward=False)

    def __call__(self, x: Tensor) -> Tensor:
        """Convolve maps (B, C_in, H, W), channels last, to (B, C_out, H, W)."""
        sources = x.permute(0, 2, 3, 1).contiguous()
        results = self._arena.allocate(*sources.shape[:3], self._width)
        # Together, so that the weights are read once for all maps.
        self._convolution.forward(list(sources), rectified=True, targets=list(results))
        return results[..., : self._channels].permute(0, 3, 1, 2)


class CompiledSteps(Steps):
    """Steps in reused memory. Fresh memory for each map took a fifth of the time, because the system clears it.

    Args:
        arena: Memory for results.
    """

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._pooling = Pooling("max", arena)

    def pool(self, x: Tensor) -> Tensor:
        """Halve maps (B, C, H, W), channels last, whose values are 0 or more."""
        maps = x.permute(0, 2, 3, 1)
        if not maps.is_contiguous() or x.shape[1] % COLUMNS or x.shape[2] % 2 or x.shape[3] % 2:
            return super().pool(x)
        results = self._allocate(len(x), x.shape[1], Size(x.shape[2] // 2, x.shape[3] // 2))
        for source, target in zip(maps, results.permute(0, 2, 3, 1), strict=True):
            self._pooling.forward(source, target=target)
        return results

    def join(self, x: Tensor, skip: Tensor) -> Tensor:
        """Resize maps to the size of others, and put these behind them."""
        channels, size = x.shape[1], Size(*skip.shape[2:])
        if x.shape[2:] != skip.shape[2:]:
            resized = self._allocate(len(x), channels, size)
            x = torch.ops.aten.upsample_bilinear2d.out(x, size, False, None, None, out=resized)
        joined = self._allocate(len(x), channels + skip.shape[1], size)
        joined[:, :channels], joined[:, channels:] = x, skip
        return joined

    def add(self, x: Tensor, skip: Tensor) -> Tensor:
        """Add a map to another in place."""
        return x.add_(skip)

    def each(self, function: Callable[..., Tensor], *maps: Tensor) -> Tensor:
        """Apply a function to one picture at a time: large maps of one stay in the cache, and take half the memory."""
        if len(maps[0]) == 1:
            return function(*maps)
        results: Tensor | None = None
        for number, items in enumerate(zip(*(item.chunk(len(item)) for item in maps), strict=True)):
            result = function(*items)
            if results is None:
                results = self._allocate(len(maps[0]), result.shape[1], Size(*result.shape[2:]))
            results[number] = result[0]
        return cast(Tensor, results)

    def _allocate(self, count: int, channels: int, size: Size) -> Tensor:
        return self._arena.allocate(count, *size, channels).permute(0, 3, 1, 2)
