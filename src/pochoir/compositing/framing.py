"""How a cutout fills its picture: trimmed to what is seen, with a margin, at a size."""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from pochoir import imaging
from pochoir._types import Size
from pochoir.errors import EmptyRegionError, OptionError, ShapeError

LARGEST_SIDE_PX = 32_768
LARGEST_PAD_SHARE = 10.0

_SEEN_FROM = 5 / 255
"""What is less opaque than this is not seen. Trimming to every trace would keep a speck in a corner in the picture."""


@dataclass(frozen=True, kw_only=True)
class Framing:
    """How a cutout is to fill its picture.

    Attributes:
        trim: Cut away what is transparent around the subject.
        pad_px: Transparent margin on each side, in pixels of the picture that comes out.
        pad_share: The same as a share of the long side of what is inside the margin; adds to ``pad_px``.
        long_side_px: Long side of the picture that comes out, margin and all; None keeps the scale.

    Raises:
        OptionError: A value is out of bounds.
    """

    trim: bool = False
    pad_px: int = 0
    pad_share: float = 0.0
    long_side_px: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.pad_px <= LARGEST_SIDE_PX:
            raise OptionError(f"A margin is 0 to {LARGEST_SIDE_PX} pixels; got {self.pad_px}.")
        if not 0 <= self.pad_share <= LARGEST_PAD_SHARE:
            raise OptionError(f"A margin is 0% to {LARGEST_PAD_SHARE:.0%}; got {self.pad_share:.10g}.")
        if self.long_side_px is not None and not 1 <= self.long_side_px <= LARGEST_SIDE_PX:
            raise OptionError(f"A size is 1 to {LARGEST_SIDE_PX} pixels on the long side; got {self.long_side_px}.")
        if self.long_side_px is not None and self._inner_long_side(self.long_side_px) < 1:
            raise OptionError(f"A size of {self.long_side_px} pixels leaves no room inside such a margin.")

    def _inner_long_side(self, long_side_px: int) -> int:
        rest = long_side_px - 2 * self.pad_px
        return rest - 2 * round(rest * self.pad_share / (1 + 2 * self.pad_share))


def frame(cutout: Tensor, framing: Framing) -> Tensor:
    """Trim, scale and pad a cutout, in this order.

    Args:
        cutout: Colours and alpha in [0, 1], shape (1, 4, H, W), the colours not multiplied by alpha.
        framing: What to do.

    Returns:
        Shape (1, 4, h, w); the same cutout where nothing is to be done.

    Raises:
        EmptyRegionError: It is to be trimmed, and nothing in it can be seen.
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
    return _pad(cutout, pad)


def _seen_area(alpha: Tensor) -> tuple[slice, ...]:
    """Index of the rectangle that holds all that can be seen."""
    seen = alpha[0, 0] >= _SEEN_FROM
    if not bool(seen.any()):
        raise EmptyRegionError("There is no subject to trim to: the cutout is transparent everywhere.")
    rows, columns = (seen.any(dim=axis).nonzero() for axis in (1, 0))
    spans = (slice(int(hits[0]), int(hits[-1]) + 1) for hits in (rows, columns))
    return (slice(None), slice(None), *spans)


def _pad(cutout: Tensor, pad_px: int) -> Tensor:
    if pad_px == 0:
        return cutout
    # The colours are carried on under the transparent margin, like everywhere in a cutout.
    padded = F.pad(cutout, (pad_px,) * 4, mode="replicate")
    padded[:, 3:] = F.pad(cutout[:, 3:], (pad_px,) * 4)
    return padded
