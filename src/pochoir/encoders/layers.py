"""Layers of VGG as plain data: names, channels, strides and receptive fields, without torch."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from pochoir.recipe import CONVOLUTIONS_PER_BLOCK

CHANNELS = (64, 128, 256, 512, 512)
"""Output channels of the five blocks of VGG16 and VGG19."""


class LayerInfo(NamedTuple):
    """Description of one layer."""

    name: str
    """Name such as ``"relu4_2"``."""
    channels: int
    """Number of output channels."""
    stride: int
    """Pixels of the picture per position, in each direction; a power of two."""
    reach_px: int
    """Pixels beyond its own square that a position depends on, in each direction."""


def layer_table(architecture: str, channels: Sequence[int] = CHANNELS) -> Mapping[str, LayerInfo]:
    """Return the layers of a VGG by name, from shallow to deep.

    Args:
        architecture: ``"vgg16"`` or ``"vgg19"``.
        channels: Output channels of the five blocks.
    """
    return _layer_table(architecture, tuple(channels))


@cache
def _layer_table(architecture: str, channels: tuple[int, ...]) -> Mapping[str, LayerInfo]:
    layers: list[LayerInfo] = []
    stride, reach = 1, 0
    for block, (count, width) in enumerate(zip(CONVOLUTIONS_PER_BLOCK[architecture], channels, strict=True), 1):
        for index in range(1, count + 1):
            reach += stride  # a 3x3 filter looks one position to each side
            layers += [LayerInfo(f"{kind}{block}_{index}", width, stride, reach) for kind in ("conv", "relu")]
        stride *= 2
        layers.append(LayerInfo(f"pool{block}", width, stride, reach))
    return {layer.name: layer for layer in layers}
