"""Whose colours each region takes: what is shown to the encoder, and what becomes of the result."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from pochoir.recipe import Treatment
from pochoir.transfer.color import luma, match_color, match_luma, with_luma_of
from pochoir.transfer.levels import Region, Sample


class Palette:
    """The photo and the styles in the colours that are painted.

    In a region in the style's colours both are as they are. Where a region is to match the photo, its styles are given
    the mean and covariance of the colours that the photo has in the region (Gatys et al., arXiv:1606.05897, section
    4). In the photo's own colours only brightness is painted (section 5): photo and styles are grey there, and the
    photo's chroma is laid under what was painted.

    Args:
        photo: Shape (1, 3, H, W), in [0, 1].
        regions: What is painted; mattes of the photo's size.
        treatment: For regions that have none of their own.

    Attributes:
        content: The photo as it is painted from, shape (1, 3, H, W).
        regions: The regions with recoloured styles; each has its treatment.
    """

    def __init__(self, photo: Tensor, regions: Sequence[Region], treatment: Treatment) -> None:
        self.photo = photo
        colors = [(region.treatment or treatment).color for region in regions]
        self._grey = self._share_of_grey(regions, colors)
        self._is_all_grey = self._grey is not None and bool((self._grey == 1).all())
        self.content = photo if self._grey is None else photo * (1.0 - self._grey) + luma(photo) * self._grey
        self.regions = [
            replace(
                region,
                styles=[self._recolor(style, color, region.matte) for style in region.samples],
                treatment=region.treatment or treatment,
            )
            for region, color in zip(regions, colors, strict=True)
        ]

    def _share_of_grey(self, regions: Sequence[Region], colors: Sequence[str]) -> Tensor | None:
        """How much of each pixel is painted in brightness only, shape (1, 1, H, W); None where nothing is."""
        if "photo" not in colors:
            return None
        share = torch.ones_like(self.photo[:, :1])  # what is not painted is the grey part's surroundings, so grey, too
        for region, color in zip(regions, colors, strict=True):
            if color != "photo":
                share = share - region.matte
        return share.clamp(0.0, 1.0)

    def _recolor(self, style: Sample, color: str, matte: Tensor) -> Sample:
        if color == "photo":
            return style._replace(picture=match_luma(style.picture, self.photo, style.mask))
        if color == "match":
            return style._replace(picture=match_color(style.picture, self.photo, style.mask, matte))
        return style

    def restore(self, painted: Tensor) -> Tensor:
        """What was painted, with the photo's chroma where that was left out. Shape (1, 3, H, W), in [0, 1]."""
        if self._grey is None:
            return painted
        return with_luma_of(self.photo, painted, None if self._is_all_grey else self._grey)
