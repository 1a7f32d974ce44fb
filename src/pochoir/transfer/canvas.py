"""The part of a photo that is painted, and how each scale of it is painted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from pochoir import imaging
from pochoir._types import Size
from pochoir.encoders import VGG
from pochoir.recipe import TransferSettings
from pochoir.transfer.anchors import Anchor
from pochoir.transfer.color_modes import Palette
from pochoir.transfer.emphasis import Emphasis
from pochoir.transfer.features import step_work_px
from pochoir.transfer.memory import shown_px, tile_limit_px
from pochoir.transfer.pyramid import Level, Region
from pochoir.transfer.region_images import merge_regions
from pochoir.transfer.schedule import Scale
from pochoir.transfer.tiling import Margin, find_window, plan_margin

CONTEXT_PX = 48
"""Surroundings of the painted part that the encoder is shown: the radius of relu4_1's receptive field."""
CONTENT_GAIN_PER_HALVING = 2.0
"""Coarse scales weigh content more: forms that they lose, no finer scale finds again."""


class ScalePlan(NamedTuple):
    """Plan of one scale."""

    is_joint: bool
    """True if all regions share one picture, as at the finest scale; otherwise each has its own."""
    gain: float
    margin: Margin
    shown: Mapping[str, float]
    """Pixels that the encoder is shown at once: ``most_px`` and ``largest_px`` of ``Criterion``."""
    work_px: float
    """Pixels that one step has to process, about."""


class Canvas:
    """The part of the photo that is painted, at the finest scale, and the way back to the whole picture.

    Args:
        photo: Shape (1, 3, H, W).
        regions: What is painted.
        settings: Colours and brush size.
        emphasis: Where content counts more and style less, at the photo's size.
        anchors: Pictures to stay near to, of the photo's size.
    """

    def __init__(
        self,
        photo: Tensor,
        regions: Sequence[Region],
        settings: TransferSettings,
        emphasis: Emphasis | None = None,
        anchors: Sequence[Anchor] = (),
    ) -> None:
        self.photo = photo
        self.cover = torch.stack([region.matte for region in regions]).sum(dim=0)
        self.window = find_window(self.cover, margin_px=CONTEXT_PX)
        self.is_partial = bool((self.cover <= 0).any())
        self.palette = Palette(photo, regions, settings.treatment)
        self.level = Level(
            photo=self.window.cut(self.palette.content),
            regions=[replace(region, matte=self.window.cut(region.matte)) for region in self.palette.regions],
            style_scale=settings.style_scale,
            frame_px=float(photo.shape[-2] * photo.shape[-1]),
            emphasis=None if emphasis is None else emphasis.cut(self.window),
            anchors=tuple(
                anchor._replace(picture=self.palette.prepare(anchor.picture)).cut(self.window) for anchor in anchors
            ),
        )

    def plan_scale(self, index: int, scales: Sequence[Scale], encoder: VGG, settings: TransferSettings) -> ScalePlan:
        """Plan one of the scales."""
        size, is_joint = scales[index].size, index == len(scales) - 1
        margin = plan_margin(size, self.window, Size(*self.photo.shape[-2:]), is_partial=self.is_partial)
        padded, count = margin.padded_size(size), len(self.level.regions)
        most_px = tile_limit_px(settings.memory, padded, pictures=1 if is_joint else count)
        layers = (*settings.style_layers, *settings.content_layers)
        work_px = step_work_px(padded, encoder, layers, most_px=most_px)
        if not is_joint and count > 1:
            work_px *= sum(find_window(region.matte, margin_px=0).size.pixels for region in self.level.regions)
            work_px /= self.window.size.pixels
        return ScalePlan(
            is_joint=is_joint,
            gain=CONTENT_GAIN_PER_HALVING ** (len(scales) - 1 - index),
            margin=margin,
            shown={"most_px": most_px, "largest_px": shown_px(most_px, padded)},
            work_px=work_px,
        )

    def render(self, pictures: Tensor, *, is_joint: bool) -> Tensor:
        """Return the whole picture at full size, from the regions' pictures or the joint one of any scale."""
        enlarged = imaging.resize(pictures.clamp(0.0, 1.0), self.window.size)
        part = enlarged if is_joint else merge_regions(enlarged, self.level).clamp(0.0, 1.0)
        whole = self.palette.restore(self.window.paste(self.palette.content, part))
        return torch.where(self.cover > 0, whole, self.photo)
