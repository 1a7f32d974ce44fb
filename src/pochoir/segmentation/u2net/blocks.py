"""Blocks of U2-Net: a convolution, and the small U that is each of its stages.

Module names are the official ones, so that the authors' ``.pth`` files load by name.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

COMPILED_FROM = 150
"""Positions of a map from which ``ConvBlock.compiled`` is used; on smaller maps plain torch is as fast.

The deep stages count: for an input of 320x224 pixels, a limit of 1500 would leave two thirds of the time to torch."""


class StageWidth(NamedTuple):
    """Channels inside a stage and at its end."""

    inside: int
    out: int


class ConvBlock(nn.Module):
    """3x3 convolution, batch-norm unless it is folded into the convolution, and ReLU.

    Attributes:
        compiled: Compiled version for large maps of one picture, or None; see ``compiled.use_kernels``.
    """

    compiled: Callable[[Tensor], Tensor] | None = None

    def __init__(self, channels_in: int, channels_out: int, *, dilation: int, folded: bool) -> None:
        super().__init__()
        self.conv_s1 = nn.Conv2d(channels_in, channels_out, 3, padding=dilation, dilation=dilation)
        self.bn_s1 = nn.Identity() if folded else nn.BatchNorm2d(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """Transform maps (B, C_in, H, W) to (B, C_out, H, W)."""
        if self.compiled is not None and x.shape[2] * x.shape[3] >= COMPILED_FROM:
            return self.compiled(x)
        return F.relu(self.bn_s1(self.conv_s1(x)), inplace=True)


class Steps:
    """Steps between convolutions, in plain torch; see ``compiled.CompiledSteps``."""

    def pool(self, x: Tensor) -> Tensor:
        """Halve maps (B, C, H, W), sides rounded up."""
        return F.max_pool2d(x, 2, stride=2, ceil_mode=True)

    def join(self, x: Tensor, skip: Tensor) -> Tensor:
        """Resize maps to the size of others, and put these behind them."""
        return torch.cat((resize_like(x, skip), skip), dim=1)

    def add(self, x: Tensor, skip: Tensor) -> Tensor:
        """Return the sum of maps; ``x`` may be overwritten."""
        return x + skip

    def each(self, function: Callable[..., Tensor], *maps: Tensor) -> Tensor:
        """Apply a function whose maps are large, to one picture of a batch at a time if that is better."""
        return function(*maps)


PLAIN_STEPS = Steps()


class ResidualUBlock(nn.Module):
    """Small U added to its own input: RSU-7 to RSU-4 with pooling, RSU-4F with dilation instead.

    Args:
        depth: Convolutions on the way down.
        channels_in: Channels of the input.
        width: Channels inside and at the end.
        dilated: Keep the resolution and double the dilation from level to level (RSU-4F).
        folded: Leave batch-norm out because the convolutions hold it.

    Attributes:
        steps: Steps between the convolutions.
    """

    steps: Steps = PLAIN_STEPS

    def __init__(self, depth: int, channels_in: int, width: StageWidth, *, dilated: bool, folded: bool) -> None:
        super().__init__()
        self.depth = depth
        self.pools = not dilated
        # The bottom of a pooling U does not pool again; it dilates once, for a larger receptive field.
        down = [2**level for level in range(depth)] if dilated else [1] * (depth - 1) + [2]
        up = down[:-1]

        def add(name: str, channels_from: int, channels_to: int, dilation: int) -> None:
            self.add_module(name, ConvBlock(channels_from, channels_to, dilation=dilation, folded=folded))

        # The order of creation is the order of execution: weights without names are matched by it.
        add("rebnconvin", channels_in, width.out, 1)
        for level, dilation in enumerate(down, start=1):
            add(f"rebnconv{level}", width.out if level == 1 else width.inside, width.inside, dilation)
        for level in range(depth - 1, 0, -1):
            add(f"rebnconv{level}d", 2 * width.inside, width.out if level == 1 else width.inside, up[level - 1])

    def forward(self, x: Tensor) -> Tensor:
        """Transform maps (B, C_in, H, W) to (B, C_out, H, W)."""
        skip: Tensor = self.get_submodule("rebnconvin")(x)
        x = skip
        levels: list[Tensor] = []
        for level in range(1, self.depth + 1):
            if self.pools and 1 < level < self.depth:
                x = self.steps.pool(x)
            x = self.get_submodule(f"rebnconv{level}")(x)
            levels.append(x)
        x = levels.pop()
        for level in range(self.depth - 1, 0, -1):
            side = levels.pop()
            x = self.get_submodule(f"rebnconv{level}d")(self.steps.join(x, side))
        return self.steps.add(x, skip)


def resize_like(x: Tensor, target: Tensor) -> Tensor:
    """Resize maps (B, C, H, W) to the height and width of others."""
    if x.shape[-2:] == target.shape[-2:]:
        return x
    return F.interpolate(x, size=target.shape[-2:], mode="bilinear", align_corners=False)
