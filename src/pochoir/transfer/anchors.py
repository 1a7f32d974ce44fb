"""Pictures that a pastiche is held to, pixel by pixel."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from pochoir import imaging
from pochoir._types import Size
from pochoir.errors import OptionError, ShapeError
from pochoir.transfer.functional import weighted_squares
from pochoir.transfer.tiling import Margin, Window


class Anchor(NamedTuple):
    """A picture that painting stays near to, as a frame stays near to the frame before it.

    The term is that of Ruder et al. (arXiv:1604.08610, section 4.2), with any weights.
    """

    picture: Tensor
    """Shape (1, 3, H, W), of the photo's size."""
    weight: Tensor
    """Weight of each pixel in [0, 1], shape (1, 1, H, W)."""
    strength: float
    """Factor on the mean of the weighted squared differences."""

    def at(self, size: Size) -> "Anchor":
        """Return the same at another size."""
        if self.picture.shape[-2:] == tuple(size):
            return self
        picture = imaging.resize(self.picture.clamp(0.0, 1.0), size)
        return Anchor(picture, imaging.resize(self.weight, size, mode="bilinear"), self.strength)

    def cut(self, window: Window) -> "Anchor":
        """Return the part inside of a window."""
        return self._replace(picture=window.cut(self.picture), weight=window.cut(self.weight))

    def padded(self, margin: Margin) -> "Anchor":
        """Return the same with a reflected margin."""
        return self._replace(picture=margin.pad(self.picture), weight=margin.pad(self.weight))

    def within(self, matte: Tensor) -> "Anchor":
        """Return the same, counted only where a matte is."""
        return self._replace(weight=self.weight * matte)


class AnchorDistance:
    r"""The anchor term: the sum over anchors of :math:`s \sum w c (x - p)^2 / (3 \sum c)`.

    Here s is the strength, w the weight, p the picture and c the share of a pixel that is painted. Over a picture that
    is painted whole this is the strength times the mean of the weighted squared differences.

    Args:
        anchors: Any number, each of the pastiche's size.
        cover: Share of each pixel that is painted, shape (1, 1, H, W).
    """

    def __init__(self, anchors: Sequence[Anchor], cover: Tensor) -> None:
        # Worked out once: on a GPU no evaluation may wait for a value.
        unit = 1.0 / max(3.0 * float(cover.sum()), 1e-12)
        self._terms = [(a.picture, a.weight * cover * (a.strength * unit)) for a in anchors if a.strength]
        self._nothing = cover.new_zeros(())

    def __bool__(self) -> bool:
        return bool(self._terms)

    def __call__(self, pastiche: Tensor) -> Tensor:
        """Return the term, a scalar; 0 without anchors."""
        parts = [weighted_squares(pastiche, picture, weight) for picture, weight in self._terms]
        return torch.stack(parts).sum() if parts else self._nothing


def check_anchors(anchors: Sequence[Anchor], photo: Tensor) -> None:
    """Check shapes and strengths of anchors against the photo, shape (1, 3, H, W).

    Raises:
        OptionError: A strength is negative.
        ShapeError: A picture or weight has another shape.
    """
    for anchor in anchors:
        if anchor.picture.shape != photo.shape or anchor.weight.shape != photo[:, :1].shape:
            raise ShapeError(
                f"An anchor must have the photo's shape {tuple(photo.shape)} and one weight for each pixel; "
                f"got {tuple(anchor.picture.shape)} and {tuple(anchor.weight.shape)}."
            )
        if not anchor.strength >= 0.0:
            raise OptionError(f"The strength of an anchor must be 0 or more; got {anchor.strength}.")
