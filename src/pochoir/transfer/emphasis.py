"""Places where the photo counts more than elsewhere, and the style less."""

from typing import NamedTuple

import torch
from torch import Tensor

from pochoir import imaging
from pochoir._types import Size
from pochoir.transfer.filters import calmness
from pochoir.transfer.tiling import Margin, Window

MOST_CONTENT = 3.0
MOST_STYLE_LOSS = 0.6
"""At full protection content counts 1 + ``MOST_CONTENT`` times, and a pixel counts that much less for the style. With
these a face of 30 pixels keeps its features; half of the amount keeps those of large ones and still looks painted."""
LEAST_STYLE = 0.05
"""Factor that no pixel falls below, so that no region is left without a style."""


class Emphasis(NamedTuple):
    """Factors on the guides of content and style, each of shape (1, 1, H, W).

    They are applied to finished guides: how much the layers and regions count stays as it is.
    """

    content: Tensor
    """At least 1."""
    style: Tensor
    """Above 0, at most 1."""

    def at(self, size: Size) -> "Emphasis":
        """Return the same at another size."""
        return Emphasis(
            *(imaging.resize(factor / self.largest, size, mode="bilinear") * self.largest for factor in self)
        )

    @property
    def largest(self) -> float:
        """Upper bound of all factors; maps in [0, 1] can be resized."""
        return 1.0 + MOST_CONTENT

    def cut(self, window: Window) -> "Emphasis":
        """Return the part inside of a window."""
        return Emphasis(*map(window.cut, self))

    def padded(self, margin: Margin) -> "Emphasis":
        """Return the same with a reflected margin."""
        return Emphasis(*map(margin.pad, self))


def build_emphasis(photo: Tensor, *, amounts: Tensor | None = None, calm: float = 0.0) -> Emphasis | None:
    """Build the factors for protected and calm places.

    Args:
        photo: Shape (1, 3, H, W), in [0, 1].
        amounts: Protection of each pixel in [0, 1], shape (1, 1, H, W); None is 0.
        calm: How much less a calm pixel counts for the style, in [0, 1]: strokes are then taken from busy places, and a
            calm sky is not filled with them.

    Returns:
        Factors at the photo's size; None if all are 1.
    """
    is_protected = amounts is not None and bool((amounts > 0).any())
    if not is_protected and not calm:
        return None
    content = torch.ones_like(photo[:, :1])
    style = content.clone()
    if amounts is not None:
        content = content + MOST_CONTENT * amounts
        style = style - MOST_STYLE_LOSS * amounts.square()
    if calm:
        style = style * (1.0 - calm * calmness(photo))
    return Emphasis(content, style.clamp_min(LEAST_STYLE))
