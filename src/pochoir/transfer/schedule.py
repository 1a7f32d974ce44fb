"""From coarse to fine: which sizes are painted, and for how many steps."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from pochoir._types import Size

COARSEST_LONG_SIDE_PX = 112
"""Below this even the deepest style layer sees most of the picture at once, and coarse structure is settled."""
SMALLEST_REGION_PX = 64
SHARE_OF_NEXT = 0.6
"""Steps of a scale as a share of those of the next coarser one: fine scales cost four times as much a step and
only add detail to what the coarse ones have arranged."""
ENOUGH_STEPS = 6
"""That each scale is given if there are twice as many for all: with fewer the finest of many scales stays blurred."""


class Scale(NamedTuple):
    """One size of the schedule and its number of steps."""

    size: Size
    steps: int


def plan_scales(
    size: Size,
    steps: int,
    *,
    schedule: Sequence[int] = (),
    smallest_region_px: float = math.inf,
    stride: int = 1,
) -> tuple[Scale, ...]:
    """Halve a picture while it stays large enough, and share out the steps.

    Args:
        size: Size of the finished picture.
        steps: Steps of all scales together, at least 1.
        schedule: Steps of each scale from coarse to fine, instead; the finest may have none.
        smallest_region_px: Pixels of the smallest region that is painted, at ``size``.
        stride: Pixels per position of the shallowest layer; no coarse scale is so small that it has none there.

    Returns:
        Scales from coarse to fine. The last has ``size``; each has at least one step. Coarse scales for which no
        step is left, or at which next to nothing would be left of a region or of the picture, are dropped.

    References:
        Gatys et al., arXiv:1611.07865, section 6, go coarse to fine in two sizes to save time and to get larger
        strokes; we take as many as fit.
    """
    if schedule:
        count = len(schedule)
        return tuple(Scale(_halve(size, count - 1 - index), share) for index, share in enumerate(schedule))
    count = 1
    while (
        count < steps
        and size.long_side >> count >= COARSEST_LONG_SIDE_PX
        and size.scaled(0.5**count).short_side >= stride
        and smallest_region_px / 4**count >= max(SMALLEST_REGION_PX, stride**2)
    ):
        count += 1
    least = max(1, min(ENOUGH_STEPS, steps // (2 * count)))
    weights = [SHARE_OF_NEXT**index for index in range(count)]
    shares = [0] * count
    for index in range(count - 1, 0, -1):
        left_for_coarser = steps - sum(shares) - index  # one step each is theirs
        shares[index] = min(max(least, round(steps * weights[index] / sum(weights))), left_for_coarser)
    # Rounding is settled on the coarsest scale, where a step costs least.
    shares[0] = steps - sum(shares)
    return tuple(Scale(_halve(size, count - 1 - index), share) for index, share in enumerate(shares))


def _halve(size: Size, times: int) -> Size:
    return size.scaled(0.5**times) if times else size
