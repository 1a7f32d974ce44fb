"""What the optimiser minimises: content, style, total variation and what lies outside the gamut."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from pochoir.encoders import VGG
from pochoir.errors import EmptyRegionError
from pochoir.recipe import TransferSettings
from pochoir.transfer.functional import gamut_excess, gram, relative_distance, total_variation
from pochoir.transfer.guidance import build_guides

STYLE_UNIT = 15.0
TV_UNIT = 5.0
"""What a weight of 1 stands for, so that all three weights are 1 by default: relative distances to a style are a
tenth of those to a photo in a picture that looks well balanced, and tv is smaller still."""
GAMUT_WEIGHT = 1000.0
"""Large enough that what is clipped on saving does not show, small enough not to slow the optimiser: at 10 the style
distance of a 112-pixel pastiche rose by two thirds when it was saved, at 1000 not measurably, in as many steps."""


class Losses(NamedTuple):
    """Terms of the objective before their weights, and their weighted sum."""

    total: float
    content: float
    style: float
    tv: float
    gamut: float


@dataclass(frozen=True, eq=False)
class StyledRegion:
    """A part of the picture and the Gram matrices it is to take on.

    Attributes:
        matte: Weight of each pixel in [0, 1], shape (1, 1, H, W).
        grams: For each style layer the target, shape (1, C, C).
    """

    matte: Tensor
    grams: Mapping[str, Tensor]


def style_grams(styles: Sequence[tuple[Tensor, float]], encoder: VGG, layers: Sequence[str]) -> dict[str, Tensor]:
    """Gram matrices of one style, or the weighted mean of several.

    Blending the targets is the same as adding up the losses to each of them, but for a constant.

    Args:
        styles: Pictures of shape (1, 3, H, W) with shares above 0; sizes may differ.
        encoder: The network.
        layers: Style layers.

    Returns:
        For each layer a matrix, shape (1, C, C).
    """
    total = sum(share for _, share in styles)
    blend: dict[str, Tensor] = {}
    with torch.no_grad():
        for picture, share in styles:
            for layer, features in encoder(picture, layers).items():
                blend[layer] = blend.get(layer, 0.0) + gram(features) * (share / total)
    return blend


class Criterion:
    """The objective of one scale.

    ``total = content_weight * content + style_weight * style + tv_weight * tv + penalty * gamut``, where

    - content is the relative distance of the features to the photo's, the mean over the content layers, each
      position weighted by how much of it is painted;
    - style is the relative distance of the guided Gram matrices to each region's targets, the mean over the style
      layers and then over the regions. Layers are weighted as ``weigh_layers`` says, less where a region is too small
      to fill their matrices. **Each region is weighted by its share of the painted
      area**: a guided Gram matrix is a mean over its region, so its gradient at one pixel goes with 1 / area; the
      share cancels that, and at each layer the balance of style against content at a pixel is the same in a small
      region as in a large one;
    - tv is ``total_variation`` of the painted pixels, gamut is their ``gamut_excess``.

    Args:
        photo: What the content is taken from, shape (1, 3, H, W).
        regions: The styled regions; their mattes add up to at most one.
        encoder: The network.
        settings: Layers and weights.
        content_gain: Factor on the content weight at this scale.

    Attributes:
        notes: What had to be left out, in words.

    Raises:
        EmptyRegionError: A region is too small for every style layer.
    """

    def __init__(
        self,
        photo: Tensor,
        regions: Sequence[StyledRegion],
        encoder: VGG,
        settings: TransferSettings,
        *,
        content_gain: float = 1.0,
    ) -> None:
        self.encoder = encoder
        self.settings = settings
        self.content_weight = settings.content_weight * content_gain
        self.style_weight = settings.style_weight * STYLE_UNIT
        self.tv_weight = settings.tv_weight * TV_UNIT
        self.content_layers = settings.content_layers if self.content_weight else ()
        self.style_layers = settings.style_layers if self.style_weight else ()
        self.layers = tuple(dict.fromkeys((*self.content_layers, *self.style_layers)))
        self.cover = torch.stack([region.matte for region in regions]).sum(dim=0).clamp(max=1.0)
        self.painted_share = float((self.cover > 0).double().mean())
        areas = [float(region.matte.sum()) for region in regions]
        self.shares = [area / sum(areas) for area in areas]
        self.grams = [region.grams for region in regions]
        self.guides = [build_guides(region.matte, encoder, self.style_layers) for region in regions]
        self.layer_weights = [
            weigh_layers(guides, region.grams) for guides, region in zip(self.guides, regions, strict=True)
        ]
        try:
            self.content_guides = build_guides(self.cover, encoder, self.content_layers)
        except EmptyRegionError:
            # Content layers are deep ones: a region that is too small for them, as a dot is at a coarse scale, may
            # still be large enough for style layers, and those have been asked above.
            self.content_guides = {}
        self.notes = tuple(self._describe_dropped_layers())
        with torch.no_grad():
            self.content_targets = encoder(photo, self.content_layers)

    def _describe_dropped_layers(self) -> list[str]:
        notes = []
        for guides in self.guides:
            dropped = [layer for layer in self.style_layers if layer not in guides]
            if dropped:
                notes.append(
                    f"a region is too small for {', '.join(dropped)}; its style is taken from the other layers"
                )
        dropped = [layer for layer in self.content_layers if layer not in self.content_guides]
        if dropped:
            notes.append(f"what is painted is too small for {', '.join(dropped)}; content is not compared there")
        return notes

    def __call__(self, pastiche: Tensor) -> tuple[Tensor, Losses]:
        """The objective at a picture.

        Args:
            pastiche: Shape (1, 3, H, W), values about [0, 1].

        Returns:
            The weighted sum as a scalar tensor to differentiate, and all terms as numbers.
        """
        features = self.encoder(pastiche, self.layers)
        content = self._content(features, pastiche)
        style = self._style(features, pastiche)
        tv = total_variation(pastiche, self.cover)
        gamut = gamut_excess(pastiche) / self.painted_share  # the other pixels are the photo's and add nothing
        total = self.content_weight * content + self.style_weight * style + self.tv_weight * tv + GAMUT_WEIGHT * gamut
        # One transfer from the device instead of five.
        values = torch.stack([total, content, style, tv, gamut]).detach().tolist()
        return total, Losses(*values)

    def _content(self, features: Mapping[str, Tensor], pastiche: Tensor) -> Tensor:
        loss = pastiche.new_zeros(())
        for layer, guide in self.content_guides.items():
            distance = relative_distance(features[layer], self.content_targets[layer], guide)
            loss = loss + distance / len(self.content_guides)
        return loss

    def _style(self, features: Mapping[str, Tensor], pastiche: Tensor) -> Tensor:
        loss = pastiche.new_zeros(())
        for share, grams, guides, weights in zip(self.shares, self.grams, self.guides, self.layer_weights, strict=True):
            for layer, guide in guides.items():
                distance = relative_distance(gram(features[layer], guide), grams[layer])
                loss = loss + distance * (share * weights[layer])
        return loss


def weigh_layers(guides: Mapping[str, Tensor], grams: Mapping[str, Tensor]) -> dict[str, float]:
    """How much each style layer counts for a region.

    A layer's Gram matrix of C channels has C (C + 1) / 2 entries to be matched, and the n positions of the region have
    n C values to match them with. Where n is small no picture matches, and a region that is forced to is distorted.
    A layer counts n / (n + (C + 1) / 2): half where there are as many values as entries.

    Args:
        guides: The region's guides by layer, each (1, 1, h, w).
        grams: Gram matrices of at least these layers, each (1, C, C).

    Returns:
        By layer the weight, with n the sum of its guide, scaled so that they add up to 1.
    """
    trust: dict[str, float] = {}
    for layer, guide in guides.items():
        positions, entries_each = float(guide.sum()), (grams[layer].shape[-1] + 1) / 2
        trust[layer] = positions / (positions + entries_each)
    total = sum(trust.values())
    return {layer: value / total for layer, value in trust.items()}
