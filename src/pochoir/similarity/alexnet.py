"""AlexNet's convolutions, which LPIPS compares pictures by."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch.nn.functional as F
from torch import Tensor

from pochoir.encoders.array_pickle import to_convolution


class _Layer(NamedTuple):
    """Shape of one convolution, and whether the maps before it are pooled."""

    stride: int
    padding: int
    pools_first: bool


_LAYERS = (_Layer(4, 2, False), _Layer(1, 2, True), _Layer(1, 1, True), _Layer(1, 1, False), _Layer(1, 1, False))


class AlexNet:
    """The five convolutions of AlexNet, as torchvision builds it.

    Args:
        stored: Arrays by layer, ``"Conv_0"`` to ``"Conv_4"``, channels last.
        device: Where the network runs.

    References:
        Krizhevsky, "One weird trick for parallelizing convolutional neural networks", arXiv:1404.5997.
    """

    def __init__(self, stored: Mapping[str, Any], device: str) -> None:
        convolutions = [to_convolution(stored[f"Conv_{number}"]) for number in range(len(_LAYERS))]
        self._convolutions = [(weight.to(device), bias.to(device)) for weight, bias in convolutions]

    def __call__(self, normalized: Tensor) -> list[Tensor]:
        """Return the maps after each ReLU.

        Args:
            normalized: Picture less ImageNet's mean in units of its deviation, shape (B, 3, H, W).
        """
        maps, x = [], normalized
        for layer, (weight, bias) in zip(_LAYERS, self._convolutions, strict=True):
            if layer.pools_first:
                x = F.max_pool2d(x, 3, 2)
            x = F.relu(F.conv2d(x, weight, bias, stride=layer.stride, padding=layer.padding))
            maps.append(x)
        return maps
