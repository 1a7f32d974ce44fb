"""Framing of cutouts: trimmed to the visible part, with a margin, square if wanted, at a size."""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from pochoir import imaging
from pochoir._types import Size
from pochoir.errors import EmptyRegionError, OptionError, ShapeError
from pochoir.recipe.form import MAX_PAD_SHARE, MAX_SIDE_PX

_SEEN_FROM = 5 / 255
"""Smallest opacity that counts as visible. Trimming to every trace would keep a speck in a corner."""


@dataclass(frozen=True, kw_only=True)
class Framing:
    """Margins and size of a cutout in its picture.

    Attributes:
        trim: Whether the transparent surroundings of the subject are cut away.
        pad_px: Transparent margin on each side, in pixels of the finished picture.
        pad_share: Further margin, as a share of the long side inside the margin.
        long_side_px: Long side of the finished picture, margin included; None keeps the scale.
        square: Whether the short side is widened to the long one, with the cutout in the middle.

    Raises:
        OptionError: A value is out of bounds.
    """

    trim: bool = False
    pad_px: int = 0
    pad_share: float = 0.0
    long_side_px: int | None = None
    square: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.pad_px <= MAX_SIDE_PX:
            raise OptionError(f"A margin is 0 to {MAX_SIDE_PX} pixels; got {self.pad_px}.")
        if not 0 <= self.pad_share <= MAX_PAD_SHARE:
            raise OptionError(f"A margin is 0% to {MAX_PAD_SHARE:.0%}; got {self.pad_share:.10g}.")
        if self.long_side_px is not None and not 1 <= self.long_side_px <= MAX_SIDE_PX:
            raise OptionError(f"A size is 1 to {MAX_SIDE_PX} pixels on the long side; got {self.long_side_px}.")
        if self.long_side_px is not None and self._inner_long_side(self.long_side_px) < 1:
            raise OptionError(f"A size of {self.long_side_px} pixels leaves no room inside such a margin.")

    def _inner_long_side(self, long_side_px: int) -> int:
        rest = long_side_px - 2 * self.pad_px
        return rest - 2 * round(rest * self.pad_share / (1 + 2 * self.pad_share))


def frame(cutout: Tensor, framing: Framing) -> Tensor:
    """Trim, scale and pad a cutout, in this order.

    Args:
        cutout: Colours and alpha in [0, 1], shape (1, 4, H, W), the colours not multiplied by alpha.
        framing: Margins and size.

    Returns:
        Shape (1, 4, h, w); the cutout itself if nothing changes.

    Raises:
        EmptyRegionError: It should be trimmed, and nothing in it is visible.
        ShapeError: It is not one cutout.
    """
    if cutout.ndim != 4 or cutout.shape[:2] != (1, 4) or cutout.numel() == 0:
        raise ShapeError(f"A cutout has the shape (1, 4, H, W); got {tuple(cutout.shape)}.")
    if framing.trim:
        cutout = cutout[_seen_area(cutout[:, 3:])]
    size = Size(*cutout.shape[-2:])
    inner, outer = size.long_side, framing.long_side_px
    if outer is None:
        pad = framing.pad_px + round(inner * framing.pad_share)
    else:
        inner = framing._inner_long_side(outer)
        pad = (outer - inner) // 2
    if inner != size.long_side:
        cutout = imaging.resize_with_alpha(cutout, size.fit_long_side(inner))
    height, width = cutout.shape[-2:]
    side = max(height, width)
    above, left = ((side - height) // 2, (side - width) // 2) if framing.square else (0, 0)
    below, right = (side - height - above, side - width - left) if framing.square else (0, 0)
    return _pad(cutout, (pad + left, pad + right, pad + above, pad + below))


def _seen_area(alpha: Tensor) -> tuple[slice, ...]:
    """Return the index of the smallest rectangle with all visible pixels."""
    seen = alpha[0, 0] >= _SEEN_FROM
    if not bool(seen.any()):
        raise EmptyRegionError("There is no subject to trim to: the cutout is transparent everywhere.")
    rows, columns = (seen.any(dim=axis).nonzero() for axis in (1, 0))
    spans = (slice(int(hits[0]), int(hits[-1]) + 1) for hits in (rows, columns))
    return (slice(None), slice(None), *spans)


def _pad(cutout: Tensor, sides_px: tuple[int, int, int, int]) -> Tensor:
    """Add transparent pixels to the left, right, top and bottom."""
    if not any(sides_px):
        return cutout
    # The colours continue under the transparent margin, like everywhere in a cutout.
    padded = F.pad(cutout, sides_px, mode="replicate")
    padded[:, 3:] = F.pad(cutout[:, 3:], sides_px)
    return padded
