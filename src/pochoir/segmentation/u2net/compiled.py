"""U2-Net's convolutions on compiled kernels, which pay off for many photos."""

from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from pochoir.kernels import COLUMNS
from pochoir.kernels.arena import Arena
from pochoir.kernels.convolution import Convolution
from pochoir.segmentation.u2net.network import ConvBlock, U2Net


def use_kernels(network: U2Net) -> None:
    """Run a network's blocks on the compiled kernels, where these support them and save time.

    These are the blocks without dilation and with enough channels. Their weights are packed at once, to about 580 MB
    for the full network. The maps agree with plain torch's within 1e-4.

    Args:
        network: A folded network on the CPU, in float32; changed.
    """
    arena = Arena()
    for module in network.modules():
        if isinstance(module, ConvBlock) and _is_supported(module.conv_s1):
            module.compiled = CompiledBlock(module.conv_s1, arena)


def _is_supported(convolution: nn.Conv2d) -> bool:
    return convolution.dilation == (1, 1) and convolution.in_channels % COLUMNS == 0


class CompiledBlock:
    """3x3 convolution and its ReLU on the compiled kernels.

    Args:
        convolution: Without dilation, its input channels a multiple of ``COLUMNS``.
        arena: Memory for results.
    """

    def __init__(self, convolution: nn.Conv2d, arena: Arena) -> None:
        self._channels = convolution.out_channels
        spare = -self._channels % COLUMNS
        weight, bias = convolution.weight.detach(), cast(Tensor, convolution.bias).detach()
        if spare:  # the kernels give whole panels of channels
            weight, bias = F.pad(weight, (0, 0, 0, 0, 0, 0, 0, spare)), F.pad(bias, (0, spare))
        self._convolution = Convolution(weight, bias, arena, has_backward=False)

    def __call__(self, x: Tensor) -> Tensor:
        """Convolve a map (1, C_in, H, W), channels last, to (1, C_out, H, W)."""
        (result,) = self._convolution.forward([x.permute(0, 2, 3, 1)[0].contiguous()], rectified=True)
        # With the batch dimension added first, torch recognises the result as channels last.
        return result[None, :, :, : self._channels].permute(0, 3, 1, 2)
