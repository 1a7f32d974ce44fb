"""U2-Net: a U-shaped network whose every stage is itself a small U.

Module names are the official ones, so that the authors' ``.pth`` files load by name.

References:
    Qin et al., "U2-Net: Going Deeper with Nested U-Structure for Salient Object Detection",
    Pattern Recognition 106 (2020), arXiv:2005.09007.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from pochoir.errors import ShapeError

# Levels of the U inside encoder stages 1 to 6. The deepest two are so small that they dilate instead of pooling.
_DEPTHS = (7, 6, 5, 4, 4, 4)
_DILATED_FROM = 5

COMPILED_FROM = 150
"""Positions of a map from which ``ConvBlock.compiled`` is used; on smaller maps plain torch is as fast.

The deep stages count: for an input of 320x224 pixels, a limit of 1500 would leave two thirds of the time to torch."""


class StageWidth(NamedTuple):
    """Channels inside a stage and at its end."""

    inside: int
    out: int


@dataclass(frozen=True)
class U2NetConfig:
    """Sizes of a U2-Net.

    Attributes:
        encoder: Widths of stages 1 to 6, from fine to coarse.
        decoder: Widths of stages 1d to 5d, in the same order.
    """

    encoder: tuple[StageWidth, StageWidth, StageWidth, StageWidth, StageWidth, StageWidth]
    decoder: tuple[StageWidth, StageWidth, StageWidth, StageWidth, StageWidth]


U2NET = U2NetConfig(
    encoder=(
        StageWidth(32, 64),
        StageWidth(32, 128),
        StageWidth(64, 256),
        StageWidth(128, 512),
        StageWidth(256, 512),
        StageWidth(256, 512),
    ),
    decoder=(
        StageWidth(16, 64),
        StageWidth(32, 64),
        StageWidth(64, 128),
        StageWidth(128, 256),
        StageWidth(256, 512),
    ),
)
"""The full network: 44 million parameters."""

U2NETP = U2NetConfig(encoder=(StageWidth(16, 64),) * 6, decoder=(StageWidth(16, 64),) * 5)
"""The small network ("p"): 1.1 million parameters."""

U2NET_TINY = U2NetConfig(encoder=(StageWidth(2, 4),) * 6, decoder=(StageWidth(2, 4),) * 5)
"""The same stages and names with hardly any channels: for tests, there are no trained weights."""


class SaliencyMaps(NamedTuple):
    """Maps that the network predicts, each of shape (B, 1, H, W), values in [0, 1]."""

    fused: Tensor
    """The fusion of the six side outputs: the authors' d0, the network's answer."""
    sides: tuple[Tensor, ...]
    """The side outputs d1 to d6, from the finest stage to the coarsest."""


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
        return torch.cat((_resize_like(x, skip), skip), dim=1)

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


class U2Net(nn.Module):
    """U2-Net: six stages down, five up, a side output from each level and their fusion.

    Args:
        config: Widths of the stages.
        folded: Leave batch-norm out because the convolutions hold it, as in the ONNX export and after
            ``fold_batch_norm``.

    Attributes:
        steps: Steps between the stages.
    """

    steps: Steps = PLAIN_STEPS

    def __init__(self, config: U2NetConfig, *, folded: bool = False) -> None:
        super().__init__()
        self.config = config
        self.is_folded = folded

        def add(name: str, number: int, channels_in: int, width: StageWidth) -> None:
            block = ResidualUBlock(
                _DEPTHS[number - 1], channels_in, width, dilated=number >= _DILATED_FROM, folded=folded
            )
            self.add_module(name, block)

        channels = 3
        for number, width in enumerate(config.encoder, start=1):
            add(f"stage{number}", number, channels, width)
            channels = width.out
        for number in range(5, 0, -1):
            add(f"stage{number}d", number, channels + config.encoder[number - 1].out, config.decoder[number - 1])
            channels = config.decoder[number - 1].out
        for number, width in enumerate((*config.decoder, config.encoder[-1]), start=1):
            self.add_module(f"side{number}", nn.Conv2d(width.out, 1, 3, padding=1))
        self.outconv = nn.Conv2d(6, 1, 1)

    def forward(self, x: Tensor) -> SaliencyMaps:
        """Predict saliency maps of a batch of normalised pictures.

        Args:
            x: Shape (B, 3, H, W), divided by its maximum and normalised with ImageNet's mean and standard deviation.

        Returns:
            The fused map and the six side outputs, each (B, 1, H, W) in [0, 1].

        Raises:
            ShapeError: The batch does not have three channels.
        """
        if x.ndim != 4 or x.shape[1] != 3:
            raise ShapeError(f"U2-Net takes pictures of shape (B, 3, H, W); got {tuple(x.shape)}.")
        steps = self.steps
        levels = [steps.each(self.get_submodule("stage1"), x)]
        for number in range(2, 7):
            levels.append(self.get_submodule(f"stage{number}")(steps.pool(levels[-1])))
        x = levels.pop()
        features = [x]
        for number in range(5, 1, -1):
            x = self.get_submodule(f"stage{number}d")(steps.join(x, levels.pop()))
            features.insert(0, x)
        finest = self.get_submodule("stage1d")
        features.insert(0, steps.each(lambda x, skip: finest(steps.join(x, skip)), x, levels.pop()))
        logits = [
            _side(cast(nn.Conv2d, self.get_submodule(f"side{number}")), x) for number, x in enumerate(features, start=1)
        ]
        sides = [_resize_like(side, logits[0]) for side in logits]
        fused = self.outconv(torch.cat(sides, dim=1))
        return SaliencyMaps(torch.sigmoid(fused), tuple(torch.sigmoid(side) for side in sides))


def fold_batch_norm(network: U2Net) -> U2Net:
    """Fold batch-norm into the convolutions: the maps of evaluation mode, one pass over every map fewer.

    The convolutions of the result hold the batch-norm's scale and shift, which saves a pass over every map.

    Args:
        network: A network with batch-norm; it is left as it is. A folded one is returned as it is.

    Returns:
        A folded network in evaluation mode.
    """
    if network.is_folded:
        return network
    state: dict[str, Tensor] = {}
    for name, module in network.named_modules():
        if isinstance(module, ConvBlock) and isinstance(module.bn_s1, nn.BatchNorm2d):
            bn = module.bn_s1
            weight, bias = fuse_conv_bn_weights(
                module.conv_s1.weight,
                module.conv_s1.bias,
                bn.running_mean,  # type: ignore[arg-type]  # never None: the blocks track statistics
                bn.running_var,  # type: ignore[arg-type]
                bn.eps,
                bn.weight,
                bn.bias,
            )
            state[f"{name}.conv_s1.weight"], state[f"{name}.conv_s1.bias"] = weight.detach(), bias.detach()
    names_of_heads = ("side", "outconv")
    state |= {key: value.clone() for key, value in network.state_dict().items() if key.startswith(names_of_heads)}
    return assemble(network.config, state, folded=True)


def assemble(config: U2NetConfig, state: Mapping[str, Tensor], *, folded: bool) -> U2Net:
    """Build a network in evaluation mode that holds exactly the given tensors.

    It is built without memory of its own and takes the tensors over: drawing 44 million random numbers only
    to overwrite them would take longer than reading the file.

    Args:
        config: Widths of the stages.
        state: Tensors by their official names; every one must be there and fit.
        folded: Whether batch-norm is folded into the convolutions.

    Raises:
        RuntimeError: A tensor is missing, left over or of another shape (torch's message names them).
    """
    with torch.device("meta"):
        network = U2Net(config, folded=folded)
    network.load_state_dict(state, strict=True, assign=True)
    return network.requires_grad_(False).eval()


def _side(convolution: nn.Conv2d, x: Tensor) -> Tensor:
    # A 3x3 convolution to one channel as a product with its nine taps, which are then put where they belong and
    # summed: a third of the time on a CPU, which is slow at convolutions to so few channels.
    taps = convolution.weight.flip(2, 3).permute(2, 3, 1, 0).reshape(9, -1, 1, 1)  # (9, C_in, 1, 1)
    columns = F.conv2d(x, taps).flatten(2)  # (B, 9, H * W)
    summed = F.fold(columns, (x.shape[2], x.shape[3]), kernel_size=3, padding=1)
    return summed + cast(Tensor, convolution.bias)


def _resize_like(x: Tensor, target: Tensor) -> Tensor:
    if x.shape[-2:] == target.shape[-2:]:
        return x
    return F.interpolate(x, size=target.shape[-2:], mode="bilinear", align_corners=False)
