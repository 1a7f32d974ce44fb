"""Objective of the optimiser: content, style, total variation, and values outside the gamut."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from pochoir._types import Size
from pochoir.encoders import VGG
from pochoir.recipe import TransferSettings, Treatment
from pochoir.transfer.anchors import Anchor, AnchorDistance
from pochoir.transfer.content import ContentDistance
from pochoir.transfer.emphasis import Emphasis
from pochoir.transfer.features import WHOLE_PX, Features, FeatureTiles
from pochoir.transfer.functional import (
    differentiated,
    gamut_excess,
    own_square,
    squares,
    total_variation,
)
from pochoir.transfer.grams import GuidedGrams
from pochoir.transfer.guidance import build_guides, pool
from pochoir.transfer.layer_weights import balance_content, guide_content, weigh_layers
from pochoir.transfer.tiling import NO_MARGIN, Margin, Tile

STYLE_UNIT = 18.0
TV_UNIT = 5.0
"""Factors that let all three weights be 1 by default. In a picture that looks balanced, relative distances to the
style are a tenth of those to the photo, and tv is smaller still. With 18, the style that the default strength reaches
varies by less than .1 over five styles (``benchmarks/strength.py``)."""
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
    anchor: float = 0.0
    """Already with its strength."""


class Terms(NamedTuple):
    """The terms of ``Losses`` as scalars on their device, which may still be computing them."""

    total: Tensor
    """To differentiate; the others do not record gradients."""
    content: Tensor
    style: Tensor
    tv: Tensor
    gamut: Tensor
    anchor: Tensor

    def stacked(self) -> Tensor:
        """Return all in one tensor, shape (6,), without gradients."""
        return torch.stack([term.detach() for term in self])

    def numbers(self) -> Losses:
        """Wait for them: one transfer from the device instead of six."""
        return Losses(*self.stacked().tolist())


@dataclass(frozen=True, eq=False)
class StyledRegion:
    """A part of the picture and the Gram matrices it is to take on.

    Attributes:
        matte: Weight of each pixel in [0, 1], shape (1, 1, H, W).
        grams: For each style layer the target, shape (1, C, C). Layers without one are not compared.
        treatment: How its content is held; None is as the settings say for all.
    """

    matte: Tensor
    grams: Mapping[str, Tensor]
    treatment: Treatment | None = None


class Criterion:
    """The objective of one scale.

    ``total = content_weight * content + style_weight * style + tv_weight * tv + penalty * gamut + anchor``, where

    - content is the relative distance of the features to the photo's, the mean over the content layers. Each position
      is weighted by the share of it that is painted. ``weigh_layers`` gives a layer less weight where a region is too
      small to fill its Gram matrix; the region's content is then weighted down alike, since both pull at the same
      features. Regions may have layers and weights of their own: ``content_weight`` is the largest of the weights,
      and positions in other regions count less in proportion;
    - style is the relative distance of the guided Gram matrices to each region's targets, the mean over the style
      layers and then over the regions, with the weights of ``weigh_layers``. **Each region is weighted by its share
      of the painted area.** A guided Gram matrix is a mean over its region, so its gradient at one pixel is
      proportional to 1 / area. The share cancels this: at a pixel, the balance of style against content is the same
      in a small region as in a large one;
    - tv is ``total_variation`` of the painted pixels, gamut is their ``gamut_excess``;
    - anchor is the ``AnchorDistance``, 0 without anchors.

    Args:
        photo: What the content is taken from, shape (1, 3, H, W).
        regions: The styled regions; their mattes add up to at most one.
        encoder: The network.
        settings: Layers and weights; of content, those of regions that have none of their own.
        content_gain: Factor on the content weight at this scale.
        frame_px: Pixels of the whole picture at this scale, of which ``photo`` may be a part.
        margin: Pixels of ``photo`` and mattes beyond the frame. Their content is compared like that of all others. For
            the style they count the less the farther out they are: what they are given is missing inside. No region or
            layer counts more for them.
        emphasis: Where content counts more and style less, at the photo's size. It changes no layer weight.
        anchors: Pictures to stay near to, of the photo's size.
        most_px: Pixels that the encoder is shown at once. A larger picture is looked at in tiles, twice: once to
            measure its Gram matrices, once to send the gradient of the objective at these matrices back. That is the
            same objective and the same gradient.
        largest_px: See ``VGG.forward``.

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
        frame_px: float = 0.0,
        margin: Margin = NO_MARGIN,
        emphasis: Emphasis | None = None,
        anchors: Sequence[Anchor] = (),
        most_px: float = WHOLE_PX,
        largest_px: float = 0.0,
    ) -> None:
        treatments = [region.treatment or settings.treatment for region in regions]
        self.content_weight = max(treatment.hold for treatment in treatments) * content_gain
        self.style_weight = settings.style_weight * STYLE_UNIT
        self.tv_weight = settings.tv_weight * TV_UNIT
        held = [name for treatment in treatments if treatment.hold for name in treatment.content_layers]
        self.content_layers = tuple(dict.fromkeys(held)) if self.content_weight else ()
        self.style_layers = settings.style_layers if self.style_weight else ()
        layers = tuple(dict.fromkeys((*self.content_layers, *self.style_layers)))
        size = Size(*photo.shape[-2:])
        self.tiles = FeatureTiles(encoder, layers, size, most_px=most_px, largest_px=largest_px)
        self.cover = torch.stack([region.matte for region in regions]).sum(dim=0).clamp(max=1.0)
        self.painted_share = int(torch.count_nonzero(self.cover)) / self.cover.numel()
        areas = [float(region.matte.sum()) for region in regions]
        self.shares = [area / sum(areas) for area in areas]
        self.grams = [region.grams for region in regions]
        self.units = [{layer: own_square(target) for layer, target in region.grams.items()} for region in regions]
        counted = [
            build_guides(
                margin.crop(region.matte), encoder, [layer for layer in self.style_layers if layer in region.grams]
            )
            for region in regions
        ]
        self.layer_weights = [
            weigh_layers(guides, region.grams) for guides, region in zip(counted, regions, strict=True)
        ]
        self.guides = [
            {layer: pool(region.matte, encoder, layer) for layer in guides}
            for guides, region in zip(counted, regions, strict=True)
        ]
        whole_px = max(frame_px, float(margin.crop(self.cover).numel()))
        balances = {
            layer: [
                balance_content(layer, weights, region.grams, encoder, whole_px)
                if treatment.hold and layer in treatment.content_layers
                else 0.0
                for weights, region, treatment in zip(self.layer_weights, regions, treatments, strict=True)
            ]
            for layer in self.content_layers
        }
        self.content_guides = guide_content([region.matte for region in regions], treatments, balances, encoder)
        if any(margin):
            self._weigh_style(margin.falloff(size).to(photo), encoder)
        if emphasis is not None:
            self._emphasize(emphasis, encoder)
        self.notes = tuple(self._describe_dropped_layers())
        self.guided_grams = GuidedGrams(self.guides)
        targets = self.tiles.gather(photo, tuple(self.content_guides))
        covers = build_guides(self.cover, encoder, tuple(self.content_guides))
        self.anchor = AnchorDistance(anchors, self.cover)
        self.content = ContentDistance(targets, self.content_guides, covers, nothing=photo.new_zeros(()))

    def _emphasize(self, emphasis: Emphasis, encoder: VGG) -> None:
        self.content_guides = {
            layer: guide * pool(emphasis.content, encoder, layer) for layer, guide in self.content_guides.items()
        }
        self._weigh_style(emphasis.style, encoder)

    def _weigh_style(self, factors: Tensor, encoder: VGG) -> None:
        self.guides = [
            {layer: guide * pool(factors, encoder, layer) for layer, guide in guides.items()} for guides in self.guides
        ]

    def _describe_dropped_layers(self) -> list[str]:
        notes = []
        for guides, grams in zip(self.guides, self.grams, strict=True):
            dropped = [layer for layer in self.style_layers if layer not in guides and layer in grams]
            if dropped:
                notes.append(
                    f"a region is too small for {', '.join(dropped)}; its style is taken from the other layers"
                )
            masked = [layer for layer in self.style_layers if layer not in grams]
            if masked:
                notes.append(f"a style mask is too small for {', '.join(masked)}; the style is taken from other layers")
        dropped = [layer for layer in self.content_layers if layer not in self.content_guides]
        if dropped:
            notes.append(f"what is painted is too small for {', '.join(dropped)}; content is not compared there")
        return notes

    def __call__(self, pastiche: Tensor, features: Features | None = None) -> Terms:
        """Return the objective at a picture.

        Args:
            pastiche: Shape (1, 3, H, W), values about [0, 1].
            features: Its features, if the encoder has computed them already (``encode_batch``).
        """
        content, style, of_features = self._compare_features(pastiche, features)
        tv = total_variation(pastiche, self.cover)
        gamut = gamut_excess(pastiche) / self.painted_share  # the other pixels are the photo's and add nothing
        total = of_features + self.tv_weight * tv + GAMUT_WEIGHT * gamut
        anchor = self.anchor(pastiche)
        if self.anchor:
            total = total + anchor
        return Terms(total, *(term.detach() for term in (content, style, tv, gamut, anchor)))

    def _compare_features(self, pastiche: Tensor, features: Features | None) -> tuple[Tensor, Tensor, Tensor]:
        """Return content and style, and their weighted sum to differentiate."""
        if not self.tiles.layers:
            nothing = self.cover.new_zeros(())
            return nothing, nothing, nothing
        if len(self.tiles) == 1:
            (tile,) = self.tiles.tiles
            shown = self.tiles.show(tile, pastiche) if features is None else features
            content, style = self.content(tile, shown), self._style(self.guided_grams(tile, shown))
            return content, style, self.content_weight * content + self.style_weight * style
        grams = [
            {layer: matrix.requires_grad_() for layer, matrix in region.items()}
            for region in self.tiles.measure(pastiche, self.guided_grams)
        ]
        with torch.enable_grad():
            style = self._style(grams)
            leaves = [matrix for region in grams for matrix in region.values()]
            slopes = torch.autograd.grad(self.style_weight * style, leaves) if leaves else ()
        content = torch.zeros_like(style)

        def linearised(tile: Tile, features: Mapping[str, Tensor]) -> Tensor:
            nonlocal content
            part = self.content(tile, features)
            content = content + part.detach()
            matrices = [matrix for region in self.guided_grams(tile, features) for matrix in region.values()]
            pairs = zip(slopes, matrices, strict=True)
            return sum((torch.sum(slope * matrix) for slope, matrix in pairs), self.content_weight * part)

        gradient = self.tiles.differentiate(pastiche, linearised)
        value = self.content_weight * content + self.style_weight * style.detach()
        return content, style.detach(), differentiated(pastiche, value, gradient)

    def _style(self, grams: Sequence[Mapping[str, Tensor]]) -> Tensor:
        loss = self.cover.new_zeros(())
        of_regions = zip(self.shares, self.grams, self.units, self.layer_weights, grams, strict=True)
        for share, targets, units, weights, region in of_regions:
            for layer, matrix in region.items():
                loss = loss + squares(matrix, targets[layer]) * (share * weights[layer] / units[layer])
        return loss
