"""Judgement of a picture's transparency: cutout, decoration or mistake."""

from dataclasses import dataclass
from enum import StrEnum

import torch
import torch.nn.functional as F
from torch import Tensor

FEW_PIXELS = 0.01
"""Share of the picture below which transparent pixels do not make a cutout."""
LARGEST_CORNER = 0.25
"""Largest radius of a rounded corner, as a share of the short side."""

_FEW_NOTE = "only a few pixels are transparent, so they do not mark a subject"
_NEXT_TO_NOTHING = 0.001  # share of visible pixels below which the alpha channel was probably never meant
_EVEN = 0.1  # range of an alpha that is the same everywhere
_CORNER_MISFIT = 0.005  # share of pixels that may differ from a rectangle with rounded corners
_HIDDEN_CONTRAST = 8 / 255  # standard deviation from which hidden colours are a picture, not a fill
_INVISIBLE = 0.5 / 255  # opacity that 8 bits round to nothing
_CORNER_LOSS = 1 - torch.pi / 4  # area that rounding takes from a corner, in squares of its radius


class AlphaKind(StrEnum):
    """Meaning of an alpha channel."""

    OPAQUE = "opaque"
    """Every pixel is opaque, or there is no alpha."""
    DEAD = "dead"
    """All, or nearly all, of a picture with content is transparent: the channel was never meant."""
    DECORATIVE = "decorative"
    """A few pixels, rounded corners or an even veil: part of the look, silent about the subject."""
    CUTOUT = "cutout"
    """A subject cut out of its background."""


@dataclass(frozen=True)
class AlphaJudgement:
    """Kind of an alpha channel, and the reason."""

    kind: AlphaKind
    note: str | None = None
    """Reason, for the notes of a picture; ``None`` where nothing needs saying."""


def judge_alpha(rgb: Tensor, alpha: Tensor | None) -> AlphaJudgement:
    """Decide whether an alpha channel says what the subject is.

    Args:
        rgb: Colours in [0, 1] as stored, hidden ones included, shape (1, 3, H, W).
        alpha: Opacity in [0, 1], shape (1, 1, H, W).

    Returns:
        The kind. Only ``AlphaKind.CUTOUT`` should decide what the subject is.
    """
    if alpha is None or bool((alpha >= 1).all()):
        return AlphaJudgement(AlphaKind.OPAQUE)
    opaque = alpha >= 0.5
    seen = float(opaque.float().mean())
    if float(alpha.max()) == 0:
        return AlphaJudgement(AlphaKind.DEAD, "transparency ignored, since every pixel is transparent")
    if float((alpha < 1).float().mean()) < FEW_PIXELS:
        return AlphaJudgement(AlphaKind.DECORATIVE, _FEW_NOTE)
    if float(alpha.max() - alpha.min()) <= _EVEN:
        return AlphaJudgement(AlphaKind.DECORATIVE, "transparency is even, so it does not mark a subject")
    if seen < _NEXT_TO_NOTHING and _hides_a_picture(rgb, alpha):
        return AlphaJudgement(AlphaKind.DEAD, "transparency ignored, since nearly every pixel of a picture is hidden")
    if 1 - seen < FEW_PIXELS:
        return AlphaJudgement(AlphaKind.DECORATIVE, _FEW_NOTE)
    if _has_round_corners(opaque[0, 0]):
        return AlphaJudgement(AlphaKind.DECORATIVE, "only the corners are transparent, so they do not mark a subject")
    return AlphaJudgement(AlphaKind.CUTOUT)


def fill_hidden(rgb: Tensor, alpha: Tensor) -> Tensor:
    """Replace the colours of fully transparent pixels by a smooth continuation of the visible ones.

    Programs leave anything there: black, the erased background, noise. Filters and networks look beyond the edge.

    Args:
        rgb: Colours in [0, 1], shape (1, 3, H, W).
        alpha: Opacity in [0, 1], shape (1, 1, H, W).

    Returns:
        Colours in [0, 1]; the argument itself if no pixel, or every pixel, is fully transparent.
    """
    visible = alpha >= _INVISIBLE
    if bool(visible.all()) or not bool(visible.any()):
        return rgb
    known = visible.float()
    return torch.where(visible, rgb, _spread(rgb * known, known)).clamp_(0, 1)


def _spread(colors: Tensor, known: Tensor) -> Tensor:
    """Fill the gaps of ``colors``, which are 0 where ``known`` is 0, from halved copies of the picture."""
    if min(known.shape[-2:]) == 1 and max(known.shape[-2:]) == 1:
        return colors / known.clamp_min(1e-6)
    height, width = known.shape[-2:]
    # Averages keep their weights, so that a gap next to one visible pixel takes that pixel's colour in full.
    fewer = F.avg_pool2d(torch.cat([colors, known], dim=1), 2, ceil_mode=True, count_include_pad=False)
    weight = fewer[:, 3:]
    present = (weight > 0).float()
    coarse = _spread(fewer[:, :3] / weight.clamp_min(1e-12) * present, present)
    filling = F.interpolate(coarse, size=(height, width), mode="bilinear", align_corners=False)
    return torch.where(known > 0, colors, filling)


def _hides_a_picture(rgb: Tensor, alpha: Tensor) -> bool:
    hidden = rgb[:, :, (alpha < 0.5)[0, 0]]
    return bool(hidden.std(dim=-1).max() > _HIDDEN_CONTRAST)


def _has_round_corners(opaque: Tensor) -> bool:
    """Compare the opaque pixels with a rectangle that fills the frame, its corners rounded to take the same area."""
    height, width = opaque.shape
    if not all(bool(side.any()) for side in (opaque[0], opaque[-1], opaque[:, 0], opaque[:, -1])):
        return False
    # Any of the four corners may be a rounded one, so each is fitted by its own quarter of the picture.
    corners = (opaque, opaque.flip(1), opaque.flip(0), opaque.flip(0, 1))
    quarters = [corner[: (height + 1) // 2, : (width + 1) // 2] for corner in corners]
    if max(_corner_radius(quarter) for quarter in quarters) > LARGEST_CORNER * min(height, width):
        return False
    return sum(_corner_misfit(quarter) for quarter in quarters) <= _CORNER_MISFIT * height * width


def _corner_misfit(quarter: Tensor) -> float:
    """Count the pixels of a quarter that differ from one rounded corner at its top left."""
    radius = _corner_radius(quarter)
    y = (radius - torch.arange(quarter.shape[0]) - 0.5).clamp_min(0)[:, None]
    x = (radius - torch.arange(quarter.shape[1]) - 0.5).clamp_min(0)[None, :]
    return float(((y.square() + x.square() <= radius * radius) != quarter).sum())


def _corner_radius(quarter: Tensor) -> float:
    return float((float((~quarter).sum()) / _CORNER_LOSS) ** 0.5)
