"""Colours of each region: recolouring before painting, and restoring the photo's chroma after it."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import torch
from torch import Tensor

from pochoir.recipe import Treatment
from pochoir.transfer.color import luma, match_color, match_luma, with_luma_of
from pochoir.transfer.grain import measure_noise
from pochoir.transfer.pyramid import Region, Sample


class Palette:
    """The photo and the styles in the colours in which they are compared.

    - ``"style"``: photo and styles stay as they are.
    - ``"match"``: the styles get the mean and covariance of the photo's colours in the region (Gatys et al.,
      arXiv:1606.05897, section 4).
    - ``"photo"``: brightness is painted, and the photo's chroma is laid under it (section 5). If all regions keep the
      photo's colours, photo and styles are grey, as in the paper. Beside a region in colour, the styles are matched
      instead and only the brightness of the result is used, since a grey region takes chroma from its surroundings:
      beside a grey subject, a rim of 5 pixels had 16 levels of chroma, beside a matched one 56, and without a subject
      64.

    Args:
        photo: Shape (1, 3, H, W), in [0, 1].
        regions: What is painted; mattes of the photo's size.
        treatment: For regions that have none of their own.

    Attributes:
        content: The photo as it is painted from, shape (1, 3, H, W).
    """

    def __init__(self, photo: Tensor, regions: Sequence[Region], treatment: Treatment) -> None:
        self.photo = photo
        colors = [(region.treatment or treatment).color for region in regions]
        self._is_grey = set(colors) == {"photo"}
        self.content = luma(photo).expand(-1, 3, -1, -1) if self._is_grey else photo
        self._given = [replace(region, treatment=region.treatment or treatment) for region in regions]
        self._colors = colors
        keeping = [region.matte for region, color in zip(regions, colors, strict=True) if color == "photo"]
        self._kept = torch.stack(keeping).sum(dim=0).clamp(max=1.0) if keeping else None

    @cached_property
    def regions(self) -> list[Region]:
        """The regions with recoloured styles; each has its treatment."""
        return [
            replace(region, styles=[self._recolor(style, color, region.matte) for style in region.samples])
            for region, color in zip(self._given, self._colors, strict=True)
        ]

    def _recolor(self, style: Sample, color: str, matte: Tensor) -> Sample:
        if color == "style" or style.is_recolored:
            return style
        if self._is_grey:
            picture = match_luma(style.picture, self.photo, style.mask)
        else:
            picture = match_color(style.picture, self.photo, style.mask, matte)
        # Recolouring changes the noise.
        return style._replace(picture=picture, key="", noise=measure_noise(picture) if style.noise else 0.0)

    def prepare(self, picture: Tensor) -> Tensor:
        """Return a restored painting, shape (1, 3, H, W), in the colours in which it was painted."""
        return luma(picture).expand(-1, 3, -1, -1) if self._is_grey else picture

    def restore(self, painted: Tensor) -> Tensor:
        """Lay the photo's chroma under a painting where it is kept. Shape (1, 3, H, W), in [0, 1]."""
        if self._kept is None:
            return painted
        return with_luma_of(self.photo, painted, None if self._is_grey else self._kept)
