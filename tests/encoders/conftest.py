from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor, nn

from pochoir.encoders import VGG

# Output channels of each convolution, "M" for a pooling: configurations D and E of the paper, blocks from 1 to 5.
CONFIGURATIONS = {
    "vgg16": [1, 1, "M", 2, 2, "M", 3, 3, 3, "M", 4, 4, 4, "M", 5, 5, 5, "M"],
    "vgg19": [1, 1, "M", 2, 2, "M", 3, 3, 3, 3, "M", 4, 4, 4, 4, "M", 5, 5, 5, 5, "M"],
}
NARROW = (4, 5, 6, 7, 8)
FULL = (64, 128, 256, 512, 512)

SequentialVgg = Callable[..., nn.Sequential]


@pytest.fixture
def sequential_vgg() -> SequentialVgg:
    """Build VGG as torchvision numbers it: one nn.Sequential of Conv2d, ReLU and pooling, random weights."""

    def build(
        architecture: str, *, channels: tuple[int, ...] = NARROW, pooling: str = "max", padding: str = "zeros"
    ) -> nn.Sequential:
        modules: list[nn.Module] = []
        width = 3
        for entry in CONFIGURATIONS[architecture]:
            if entry == "M":
                modules.append(nn.MaxPool2d(2, 2) if pooling == "max" else nn.AvgPool2d(2, 2))
                continue
            conv = nn.Conv2d(width, channels[entry - 1], 3, padding=1, padding_mode=padding)
            modules += [conv, nn.ReLU(inplace=False)]
            width = channels[entry - 1]
        network = nn.Sequential(*modules)
        randomize(network.state_dict())
        return network.requires_grad_(False)

    return build


def randomize(state: Mapping[str, Tensor]) -> None:
    generator = torch.Generator().manual_seed(0)
    for value in state.values():
        spread = (2.0 / value[0].numel()) ** 0.5 if value.ndim == 4 else 0.1
        value.copy_(torch.randn(value.shape, generator=generator) * spread)


@pytest.fixture
def give_weights() -> Callable[[VGG, nn.Sequential], VGG]:
    """Copy the convolutions of a sequential network, in order."""

    def give(encoder: VGG, network: nn.Sequential) -> VGG:
        convolutions = [module for module in network if isinstance(module, nn.Conv2d)]
        for ours, theirs in zip(encoder.convolutions.values(), convolutions, strict=True):
            ours.weight.copy_(theirs.weight)
            ours.bias.copy_(theirs.bias)
        return encoder

    return give


@pytest.fixture
def picture() -> Tensor:
    """Noise of 37 rows and 34 columns in [0, 1]."""
    return torch.rand(1, 3, 37, 34, generator=torch.Generator().manual_seed(1))
