"""Photo, regions and styles at one scale."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import torch
from torch import Tensor

from pochoir import imaging
from pochoir._types import Size
from pochoir.recipe import Treatment
from pochoir.transfer.anchors import Anchor
from pochoir.transfer.emphasis import Emphasis
from pochoir.transfer.grain import remove_grain
from pochoir.transfer.tiling import NO_MARGIN, Margin, Window

SMALLEST_STYLE_SIDE_PX = 32
MOST_STYLE_ENLARGEMENT = 4.0
GRAIN_SHOWS_FROM = 0.4
"""Share of its own size from which a style's noise shows; below, shrinking has averaged it out."""
LARGEST_ENLARGED_PX = 512**2
"""Pixels up to which a smaller style picture is enlarged to the frame's number of pixels."""


class Sample(NamedTuple):
    """A picture whose look is taken, and the part of it that counts."""

    picture: Tensor
    """Shape (1, 3, h, w)."""
    share: float
    """Above 0; shares of one region are divided by their sum."""
    mask: Tensor | None = None
    """Weight of each pixel in [0, 1], shape (1, 1, h, w); None weighs all alike."""
    key: str = ""
    """Name of the contents, by which ``StyleTargets`` keeps what it measured; empty keeps nothing. Code that changes
    the picture or the mask has to change or clear it."""
    noise: float = 0.0
    """Noise to remove at the sizes where it shows, in levels of 255; see ``grain``. 0 leaves the picture as it is."""
    is_recolored: bool = False
    """True if the picture is already in the colours that its region is painted in; see ``Palette``."""


@dataclass(frozen=True, eq=False)
class Region:
    """A part of the picture and its styles.

    Attributes:
        matte: Weight of each pixel in [0, 1], shape (1, 1, H, W).
        styles: Pictures of shape (1, 3, h, w) at any size, with their shares above 0, and masks of the pictures' sizes
            where the look is to be taken from a part; at least one. As ``Sample`` or its bare values.
        treatment: How much of the photo is kept in it; None takes the settings for all.
    """

    matte: Tensor = field(repr=False)
    styles: Sequence[Sample | tuple[Tensor, float]] = field(repr=False)
    treatment: Treatment | None = None

    @property
    def samples(self) -> list[Sample]:
        """The styles, each with its mask if it has one."""
        return [Sample(*style) for style in self.styles]


@dataclass(frozen=True, eq=False)
class Level:
    """Everything the objective is built from, at one scale.

    Attributes:
        photo: Content, shape (1, 3, H, W).
        regions: Painted parts; mattes have the photo's size.
        style_scale: Size of the brush; at 1 a style picture is given as many pixels as the whole picture has.
        frame_px: Pixels of the whole picture, of which ``photo`` may be a part.
        margin: Reflected pixels of ``photo`` and mattes that are painted and then cut off.
        emphasis: Where content and style count more or less, at the photo's size.
        anchors: Pictures to stay near to, of the photo's size.
    """

    photo: Tensor = field(repr=False)
    regions: Sequence[Region]
    style_scale: float
    frame_px: float
    margin: Margin = NO_MARGIN
    emphasis: Emphasis | None = None
    anchors: tuple[Anchor, ...] = ()

    @property
    def cover(self) -> Tensor:
        """Share of each pixel that is painted, shape (1, 1, H, W)."""
        return torch.stack([region.matte for region in self.regions]).sum(dim=0)

    def at(self, size: Size) -> "Level":
        """Return the same at another size."""
        factor = size.long_side / max(self.photo.shape[-2:])
        return Level(
            photo=imaging.resize(self.photo, size),
            regions=[
                replace(region, matte=imaging.resize(region.matte, size, mode="bilinear")) for region in self.regions
            ],
            style_scale=self.style_scale,
            frame_px=self.frame_px * factor**2,
            emphasis=None if self.emphasis is None else self.emphasis.at(size),
            anchors=tuple(anchor.at(size) for anchor in self.anchors),
        )

    def within(self, window: Window) -> "Level":
        """Return the same in a part of the frame."""
        regions = [replace(region, matte=window.cut(region.matte)) for region in self.regions]
        margin = self.margin.within(window, Size(*self.photo.shape[-2:]))
        emphasis = None if self.emphasis is None else self.emphasis.cut(window)
        return replace(
            self,
            photo=window.cut(self.photo),
            regions=regions,
            margin=margin,
            emphasis=emphasis,
            anchors=tuple(anchor.cut(window) for anchor in self.anchors),
        )

    def padded(self, margin: Margin) -> "Level":
        """Return the same with a reflected margin around it."""
        regions = [replace(region, matte=margin.pad(region.matte)) for region in self.regions]
        emphasis = None if self.emphasis is None else self.emphasis.padded(margin)
        return replace(
            self,
            photo=margin.pad(self.photo),
            regions=regions,
            margin=margin,
            emphasis=emphasis,
            anchors=tuple(anchor.padded(margin) for anchor in self.anchors),
        )

    def scale_style(self, style: Sample) -> Sample:
        """Return a style picture in its own shape, with as many pixels as the frame at this scale, brush size aside.

        In a large frame it is not enlarged: a style that is not sharp would be painted blurred.
        """
        size = Size(*style.picture.shape[-2:])
        sharpest_px = max(LARGEST_ENLARGED_PX, size.pixels)
        factor = math.sqrt(min(self.frame_px, sharpest_px) / size.pixels) * self.style_scale
        # A sliver must not fall below what the deepest layer can see, nor take up more memory than it is worth.
        widened = min(SMALLEST_STYLE_SIDE_PX / size.short_side, MOST_STYLE_ENLARGEMENT * factor)
        scaled = size.scaled(max(factor, widened))
        mask = None if style.mask is None else imaging.resize(style.mask, scaled, mode="bilinear")
        is_grainy = style.noise > 0 and scaled.long_side > GRAIN_SHOWS_FROM * size.long_side
        picture = imaging.resize(remove_grain(style.picture, style.noise) if is_grainy else style.picture, scaled)
        key = f"{style.key} at {scaled}{' cleaned' if is_grainy else ''}" if style.key else ""
        return Sample(picture, style.share, mask, key, is_recolored=style.is_recolored)


def carry_over(coarse: Sequence[Level], layers: Tensor, fine: Sequence[Level]) -> Tensor:
    """Enlarge the coarser scale's results, and add the detail of the photo that enlarging cannot give.

    Args:
        coarse: A level for each region, at the coarser scale.
        layers: Their results, shape (regions, 3, h, w).
        fine: The same levels at the next scale.

    Returns:
        Shape (regions, 3, H, W), in [0, 1].
    """
    size = Size(*fine[0].photo.shape[-2:])
    before, now = (torch.cat([level.photo for level in levels]) for levels in (coarse, fine))
    detail = now - imaging.resize(before, size)
    return (imaging.resize(layers.clamp(0.0, 1.0), size) + detail).clamp(0.0, 1.0)
