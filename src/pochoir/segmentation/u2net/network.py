"""U2-Net: a U-shaped network whose every stage is itself a small U.

Module names are the official ones, so that the authors' ``.pth`` files load by name.

References:
    Qin et al., "U2-Net: Going Deeper with Nested U-Structure for Salient Object Detection",
    Pattern Recognition 106 (2020), arXiv:2005.09007.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from pochoir.errors import ShapeError
from pochoir.segmentation.u2net.blocks import PLAIN_STEPS, ConvBlock, ResidualUBlock, StageWidth, Steps, resize_like

# Levels of the U inside encoder stages 1 to 6. The deepest two are so small that they dilate instead of pooling.
_DEPTHS = (7, 6, 5, 4, 4, 4)
_DILATED_FROM = 5


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
        sides = [resize_like(side, logits[0]) for side in logits]
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
