"""Choice of the frames that are painted as pictures of their own."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from pochoir.sequence.painter import LEAST_REGION_PX
from pochoir.video.flow import Flows

Map = npt.NDArray[np.float32]

MOST_DISTANCE: Final = 12
"""Largest distance of two keys where they are chosen by what is seen: beyond it the flow is often wrong."""
LEAST_SEEN: Final = 0.9
"""Share of the frame that two keys must both see."""
NEAR_DISTANCE: Final = 4
LEAST_SEEN_NEAR: Final = 0.6
"""Distance up to which two keys need not see as much, and the share that they must still see. What passes close to the
camera is new in every frame: a key for each would flicker and cost a still's time, while most of the frame stays."""
SUBJECT_DISTANCE: Final = 5
"""Smallest distance of two keys that a changing subject can ask for. Nearer ones would take most of the time."""
LEAST_SUBJECT_SEEN: Final = 0.75
"""Share of a painted subject that two keys must both see, at this distance and beyond."""


def choose_next(
    flows: Flows, key: int, last: int, *, subjects: Sequence[Map] | None = None, every: int | None = None
) -> int:
    """Return the key that follows a key: the furthest frame of which enough is seen in both, and vice versa.

    The share falls with the distance, so the furthest is found by bisection. Less has to be seen of near frames.

    Args:
        flows: Flow between frames of the shot.
        key: Number of the last key.
        last: Number of the last frame that may be chosen, greater than ``key``.
        subjects: Mattes of a subject that is painted, by number, in [0, 1], shape (H, W). A small one can turn away
            while nearly all of the frame stays in view.
        every: Distance of keys; None chooses it.

    Returns:
        A frame after ``key``, at most ``last``.
    """
    if every is not None:
        return min(key + every, last)
    most = min(key + MOST_DISTANCE, last)
    far = _furthest(key + 1, most, lambda at: seen_both_ways(flows, key, at) >= LEAST_SEEN)
    near = min(key + NEAR_DISTANCE, last)
    if far < near:
        far = _furthest(far, near, lambda at: seen_both_ways(flows, key, at) >= LEAST_SEEN_NEAR)
    if subjects is None or far <= key + SUBJECT_DISTANCE:
        return far
    return _furthest(
        key + SUBJECT_DISTANCE,
        far,
        lambda at: seen_both_ways(flows, key, at, (subjects[key], subjects[at])) >= LEAST_SUBJECT_SEEN,
    )


def _furthest(near: int, far: int, is_seen: Callable[[int], bool]) -> int:
    """Return the furthest of some frames that is seen, at least the nearest."""
    if is_seen(far):
        return far
    while near < far - 1:
        middle = (near + far) // 2
        near, far = (middle, far) if is_seen(middle) else (near, middle)
    return near


def seen_both_ways(flows: Flows, one: int, other: int, parts: tuple[Map, Map] | None = None) -> float:
    """Return the share of two frames that each sees of the other, the smaller of the two.

    Args:
        flows: Flow between the frames.
        one: Number of a frame.
        other: Number of the other.
        parts: Weight of each pixel of both, shape (H, W), by which they count; None counts all. A part that is too
            small to be painted counts as seen.
    """
    ways = ((one, other), (other, one))
    if parts is None:
        return min(float(np.mean(flows.visible(*way))) for way in ways)
    return min(_seen_share(flows.visible(*way), part) for way, part in zip(ways, parts, strict=True))


def _seen_share(visible: Map, part: Map) -> float:
    total = float(part.sum())
    return float((visible * part).sum()) / total if total >= LEAST_REGION_PX else 1.0
