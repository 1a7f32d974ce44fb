"""Guides: a region's matte at the size of each encoder layer."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from pochoir.encoders import VGG
from pochoir.errors import EmptyRegionError

EMPTY_BELOW = 0.5
"""A guide whose weights add up to less than this many positions of a layer is left out there."""


def build_guides(matte: Tensor, encoder: VGG, layers: Sequence[str]) -> dict[str, Tensor]:
    """Turn a matte into guides of an encoder's layers.

    Each guide is the area mean of the matte over the pixels that a position of the layer stands for, so mattes
    that add up to one give guides that add up to one.

    Args:
        matte: Weight of each pixel in [0, 1], shape (1, 1, H, W).
        encoder: Network whose strides give the layers' sizes.
        layers: Layer names.

    Returns:
        For each layer a guide, shape (1, 1, h, w). Layers so coarse that less than half a position is left to the
        region are absent.

    Raises:
        EmptyRegionError: No layer at all has a position for the region.
    """
    guides: dict[str, Tensor] = {}
    for layer in layers:
        if min(matte.shape[-2:]) < encoder.stride(layer):
            continue
        guide = pool(matte, encoder, layer)
        if float(guide.sum()) >= EMPTY_BELOW:
            guides[layer] = guide
    if layers and not guides:
        raise EmptyRegionError(
            f"A region of {float(matte.sum()):.1f} pixels is too small to paint; use a larger --size or another mask."
        )
    return guides


def pool(matte: Tensor, encoder: VGG, layer: str) -> Tensor:
    """Return area means of a matte over the pixels that the positions of a layer stand for."""
    # The average pooling drops an odd row or column at the end, as the encoder's pooling does.
    return F.avg_pool2d(matte, encoder.stride(layer))
