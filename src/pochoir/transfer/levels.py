"""A photo, its regions and their styles at one scale, and the pictures that painting can start from."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pochoir import imaging
from pochoir._types import Size
from pochoir.transfer.color import match_color
from pochoir.transfer.windows import Window

SMALLEST_STYLE_SIDE_PX = 32
MOST_STYLE_ENLARGEMENT = 4.0


@dataclass(frozen=True, eq=False)
class Region:
    """A part of the picture and the styles it is to take on.

    Attributes:
        matte: Weight of each pixel in [0, 1], shape (1, 1, H, W).
        styles: Pictures of shape (1, 3, h, w) at any size, with their shares above 0; at least one.
    """

    matte: Tensor
    styles: Sequence[tuple[Tensor, float]]


@dataclass(frozen=True, eq=False)
class Level:
    """Everything the objective is built from, at one scale.

    Attributes:
        photo: Content, shape (1, 3, H, W).
        regions: What is painted; mattes have the photo's size.
        brush_px: Square root of the number of pixels that each style picture is given.
        frame_px: Pixels of the whole picture, of which ``photo`` may be a part.
    """

    photo: Tensor
    regions: Sequence[Region]
    brush_px: float
    frame_px: float

    @property
    def cover(self) -> Tensor:
        """How much of each pixel is painted, shape (1, 1, H, W)."""
        return torch.stack([region.matte for region in self.regions]).sum(dim=0)

    def at(self, size: Size) -> "Level":
        """The same at another size."""
        factor = size.long_side / max(self.photo.shape[-2:])
        return Level(
            photo=imaging.resize(self.photo, size),
            regions=[
                Region(imaging.resize(region.matte, size, mode="bilinear"), region.styles) for region in self.regions
            ],
            brush_px=self.brush_px * factor,
            frame_px=self.frame_px * factor**2,
        )

    def within(self, window: Window) -> "Level":
        """The same in a part of the frame."""
        regions = [replace(region, matte=window.cut(region.matte)) for region in self.regions]
        return replace(self, photo=window.cut(self.photo), regions=regions)

    def style_at_scale(self, style: Tensor) -> Tensor:
        """A style picture in its own shape, with as many pixels as the frame at this scale, brush size aside."""
        size = Size(*style.shape[-2:])
        factor = self.brush_px / math.sqrt(size.pixels)
        # A sliver must not fall below what the deepest layer can see, nor take up more memory than it is worth.
        widened = min(SMALLEST_STYLE_SIDE_PX / size.short_side, MOST_STYLE_ENLARGEMENT * factor)
        return imaging.resize(style, size.scaled(max(factor, widened)))


def carry_over(coarse: Sequence[Level], layers: Tensor, fine: Sequence[Level]) -> Tensor:
    """The coarser scale's results enlarged, with the detail of the photo that enlarging cannot give.

    Args:
        coarse: A level for each region, at the coarser scale.
        layers: What they came to, shape (regions, 3, h, w).
        fine: The same levels at the next scale.

    Returns:
        Shape (regions, 3, H, W), in [0, 1].
    """
    size = Size(*fine[0].photo.shape[-2:])
    before, now = (torch.cat([level.photo for level in levels]) for levels in (coarse, fine))
    detail = now - imaging.resize(before, size)
    return (imaging.resize(layers.clamp(0.0, 1.0), size) + detail).clamp(0.0, 1.0)


def _start_from_content(level: Level, seed: int) -> Tensor:
    """The photo, each region in the palette of its style: half of what style changes is colour."""
    picture = level.photo * (1.0 - level.cover).clamp_min(0.0)
    for region in level.regions:
        shares = sum(share for _, share in region.styles)
        for style, share in region.styles:
            painted = match_color(level.photo, level.style_at_scale(style), region.matte)
            picture = picture + region.matte * painted * (share / shares)
    return picture.clamp(0.0, 1.0)


def _start_from_noise(level: Level, seed: int) -> Tensor:
    """Uniform noise, drawn on the CPU so that every device starts alike."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(level.photo.shape, generator=generator).to(level.photo)


def _start_from_style(level: Level, seed: int) -> Tensor:
    """Each region's first style picture, stretched over the frame."""
    size = Size(*level.photo.shape[-2:])
    picture = level.photo * (1.0 - level.cover).clamp_min(0.0)
    for region in level.regions:
        picture = picture + region.matte * imaging.resize(region.styles[0][0], size)
    return picture.clamp(0.0, 1.0)


STARTS: dict[str, Callable[[Level, int], Tensor]] = {
    "content": _start_from_content,
    "noise": _start_from_noise,
    "style": _start_from_style,
}
