"""Choice of the frames that are painted as pictures of their own."""

from typing import Final

import numpy as np

from pochoir.video.flow import Flows

MOST_DISTANCE: Final = 12
"""Largest distance of two keys where they are chosen by what is seen: beyond it the flow is often wrong."""
LEAST_SEEN: Final = 0.9
"""Share of the frame that two keys must both see."""


def choose_next(flows: Flows, key: int, last: int, *, every: int | None = None) -> int:
    """Return the key that follows a key: the furthest frame of which enough is seen in both, and vice versa.

    The share falls with the distance, so the furthest is found by bisection.

    Args:
        flows: Flow between frames of the shot.
        key: Number of the last key.
        last: Number of the last frame that may be chosen, greater than ``key``.
        every: Distance of keys; None chooses it.

    Returns:
        A frame after ``key``, at most ``last``.
    """
    if every is not None:
        return min(key + every, last)
    near, far = key + 1, min(key + MOST_DISTANCE, last)
    if seen_both_ways(flows, key, far) >= LEAST_SEEN:
        return far
    while near < far - 1:
        middle = (near + far) // 2
        near, far = (middle, far) if seen_both_ways(flows, key, middle) >= LEAST_SEEN else (near, middle)
    return near


def seen_both_ways(flows: Flows, one: int, other: int) -> float:
    """Return the share of two frames that each sees of the other, the smaller of the two."""
    return min(float(np.mean(flows.visible(one, other))), float(np.mean(flows.visible(other, one))))
