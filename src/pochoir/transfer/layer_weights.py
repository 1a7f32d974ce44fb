"""Weights of layers in a region, and of regions in the content."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from pochoir.encoders import VGG
from pochoir.errors import EmptyRegionError
from pochoir.recipe import Treatment
from pochoir.transfer.guidance import build_guides, pool


def weigh_layers(guides: Mapping[str, Tensor], grams: Mapping[str, Tensor]) -> dict[str, float]:
    """Return the weight of each style layer for a region.

    A layer's Gram matrix of C channels has C (C + 1) / 2 entries to be matched, and the n positions of the region have
    n C values to match them with. Where n is small no picture matches, and a region that is forced to is distorted.
    A layer counts n / (n + (C + 1) / 2): half where there are as many values as entries.

    Args:
        guides: The region's guides by layer, each (1, 1, h, w).
        grams: Gram matrices of at least these layers, each (1, C, C).

    Returns:
        By layer the weight, with n the sum of its guide, scaled so that they add up to 1.
    """
    return _share_trust({layer: float(guide.sum()) for layer, guide in guides.items()}, grams)


def balance_content(
    content_layer: str, weights: Mapping[str, float], grams: Mapping[str, Tensor], encoder: VGG, whole_px: float
) -> float:
    """Return the weight of a region's content: that of the style at its depth, relative to the whole picture's.

    Args:
        content_layer: Where content is compared.
        weights: The region's style layers as ``weigh_layers`` weighs them.
        grams: Gram matrices of at least these layers.
        encoder: Network whose strides give the layers' depths.
        whole_px: Pixels of the whole picture.

    Returns:
        At most 1; 1 if no style is compared at that depth.
    """
    near = [layer for layer in weights if encoder.stride(layer) <= encoder.stride(content_layer)]
    if not near:
        return 1.0
    layer = max(near, key=encoder.stride)
    whole = _share_trust({name: whole_px / encoder.stride(name) ** 2 for name in weights}, grams)
    return min(1.0, weights[layer] / whole[layer])


def guide_content(
    mattes: Sequence[Tensor],
    treatments: Sequence[Treatment],
    balances: Mapping[str, Sequence[float]],
    encoder: VGG,
) -> dict[str, Tensor]:
    """Return the guides of content; a region takes the mean over its own layers.

    Args:
        mattes: Of the regions, each (1, 1, H, W).
        treatments: Of the regions: content weights and layers.
        balances: By layer and region the value of ``balance_content``, 0 where the region does not compare it.
        encoder: Network whose strides give the layers' sizes.

    Returns:
        By layer a guide, shape (1, 1, h, w), in units of the largest content weight and of the mean over all layers
        that are here. Layers that all regions which compare them are too small for are absent.
    """

    def weigh(factors: Sequence[float]) -> Tensor:
        return torch.stack([matte * factor for matte, factor in zip(mattes, factors, strict=True)]).sum(dim=0)

    # A region that is held loosely is no smaller for that: whether it has a position is asked before its weight.
    present = [layer for layer, shares in balances.items() if _has_position(weigh(shares), encoder, layer)]
    most = max(treatment.hold for treatment in treatments)
    counts = [max(1, len(set(present) & set(treatment.content_layers))) for treatment in treatments]
    scales = [
        treatment.hold / most * len(present) / count if present else 0.0
        for treatment, count in zip(treatments, counts, strict=True)
    ]
    guides: dict[str, Tensor] = {}
    for layer in present:
        factors = [share * scale for share, scale in zip(balances[layer], scales, strict=True)]
        # Mattes add up to one but for rounding.
        guides[layer] = pool(weigh(factors).clamp(max=max(scales)), encoder, layer)
    return guides


def _has_position(matte: Tensor, encoder: VGG, layer: str) -> bool:
    try:
        return bool(build_guides(matte, encoder, (layer,)))
    except EmptyRegionError:
        # Content layers are deep ones: a region that is too small for them, as a dot is at a coarse scale, may still
        # be large enough for style layers.
        return False


def _share_trust(positions: Mapping[str, float], grams: Mapping[str, Tensor]) -> dict[str, float]:
    trust = {layer: count / (count + (grams[layer].shape[-1] + 1) / 2) for layer, count in positions.items()}
    total = sum(trust.values())
    return {layer: value / total for layer, value in trust.items()}
