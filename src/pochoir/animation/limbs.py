"""Finding limbs of any subject as branches of its medial axis that stick out of the trunk."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp  # type: ignore[import-untyped]
from scipy.sparse.csgraph import dijkstra  # type: ignore[import-untyped]
from skimage.morphology import skeletonize

from pochoir.animation.arrays import Mask, Plane, Points
from pochoir.animation.rig import Limb, Rig

_PAD_PX: Final = 12
_SMOOTH: Final = 0.008
"""Radius of details that are smoothed away, in square roots of the subject's area."""
_THICKER: Final = 1.9
"""A branch ends where it is so many times as thick as its median."""
_TRUNK: Final = 0.62
"""A branch ends where it is so thick, relative to the trunk."""
_LEAST_LENGTH: Final = 0.10
_LEG_LENGTH, _LEG_ASPECT, _LEG_LOW = 0.2, 3.0, 0.32
_OTHER_LENGTH, _OTHER_ASPECT = 0.15, 3.2
_MOST_LIMBS: Final = 12


@dataclass(frozen=True, eq=False)
class Branch:
    """A branch of the medial axis.

    Attributes:
        path: Positions from the root to the tip.
        radius: Median of half its thickness, in pixels.
        length: Length in pixels.
    """

    path: Points
    radius: float
    length: float

    @property
    def tip(self) -> Points:
        """The outer end."""
        end: Points = self.path[-1]
        return end

    @property
    def root(self) -> Points:
        """The end at the trunk."""
        start: Points = self.path[0]
        return start

    def joints(self, count: int) -> Points:
        """Return points at equal distances along the path."""
        along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(self.path, axis=0), axis=1))])
        at = np.linspace(0.0, along[-1], count)
        return np.stack([np.interp(at, along, self.path[:, axis]) for axis in range(2)], axis=1)


def find_limbs(alpha: Plane) -> Rig | None:
    """Return a rig of the legs, tail and wings that the outline shows, or None if it shows none.

    Legs are long branches that point down and end in the lowest third. Of two other branches on both sides one half
    each is a wing. Others are heads on the side that reaches higher, and tails on the other.

    Args:
        alpha: The subject's matte, shape (H, W).
    """
    branches = find_branches(alpha)
    if not branches:
        return None
    rows, _ = np.nonzero(alpha > 0.5)
    area, top, foot = len(rows), float(rows.min()), float(rows.max() + 1)
    legs = [each for each in branches if _is_leg(each, area, top, foot)]
    others = [
        each
        for each in branches
        if each not in legs and each.length > _OTHER_LENGTH * area**0.5 and each.length > _OTHER_ASPECT * each.radius
    ]
    limbs = _name_legs(legs) + _name_others(others, alpha, may_fly=len(legs) <= 2)
    if not limbs:
        return None
    height, width = alpha.shape
    return Rig(width=width, height=height, limbs=tuple(limbs[:_MOST_LIMBS]))


def _is_leg(branch: Branch, area: int, top: float, foot: float) -> bool:
    is_low = branch.tip[1] > foot - _LEG_LOW * (foot - top)
    is_down = branch.tip[1] - branch.root[1] > 0.6 * branch.length
    return bool(
        is_low and is_down and branch.length > _LEG_ASPECT * branch.radius and branch.length > _LEG_LENGTH * area**0.5
    )


def _name_legs(legs: list[Branch]) -> list[Limb]:
    """Return legs from left to right. Those that end lowest are nearer to the viewer, before the body."""
    ordered = sorted(legs, key=lambda leg: float(leg.root[0]))
    lowest = sorted(ordered, key=lambda leg: -float(leg.tip[1]))[: (len(legs) + 1) // 2]
    return [_limb(f"leg_{number}", "leg", leg, 3, front=leg in lowest) for number, leg in enumerate(ordered, start=1)]


def _name_others(others: list[Branch], alpha: Plane, *, may_fly: bool) -> list[Limb]:
    rows, columns = np.nonzero(alpha > 0.5)
    middle = float(np.median(columns))
    left = [each for each in others if each.root[0] < middle]
    right = [each for each in others if each.root[0] >= middle]
    if may_fly and len(left) == 1 and len(right) == 1 and 0.5 < left[0].length / right[0].length < 2:
        return [_limb("wing_left", "wing", left[0], 4), _limb("wing_right", "wing", right[0], 4)]
    # The side that reaches higher is taken for that of the head.
    low, high = np.percentile(columns, [20, 80])
    head_side = left if rows[columns < low].min(initial=10**6) < rows[columns > high].min(initial=10**6) else right
    limbs: list[Limb] = []
    for each in others:
        kind = "head" if each in head_side else "tail"
        limbs.append(_limb(f"{kind}_{len(limbs) + 1}", kind, each, 3, cut=False))
    return limbs


def _limb(name: str, kind: str, branch: Branch, joints: int, *, cut: bool = True, front: bool = True) -> Limb:
    points = tuple((float(x), float(y)) for x, y in branch.joints(joints))
    values = {"name": name, "kind": kind, "points": points, "width": max(2.0, 1.35 * branch.radius)}
    return Limb.model_validate(values | {"cut": cut, "front": front})


def find_branches(alpha: Plane) -> list[Branch]:
    """Return the branches of a matte's medial axis that stick out of its thickest part, longest first."""
    solid = (alpha > 0.5).astype(np.uint8)
    if solid.sum() < 64:
        return []
    inside, scale = _smoothed(solid)
    distance = cv2.distanceTransform(np.pad(inside, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    rows, columns = np.nonzero(skeletonize(inside > 0))  # type: ignore[no-untyped-call]
    if len(rows) < 4:
        return []
    graph = _neighbours(rows, columns, inside.shape)
    radius = distance[rows, columns].astype(np.float64)
    trunk = int(radius.argmax())
    reach, before = dijkstra(graph, indices=trunk, return_predecessors=True)
    ends = np.flatnonzero(np.diff(graph.indptr) == 1)
    used = np.zeros(len(rows), bool)
    found = []
    for end in sorted(ends, key=lambda end: -reach[end]):
        branch = _follow(int(end), before, reach, radius, used, trunk)
        if branch is None:
            continue
        path: Points = np.stack([columns[branch], rows[branch]], axis=1).astype(np.float64) - _PAD_PX
        tip = _extend(path, float(radius[branch[0]]))
        length = float(reach[branch[0]] - reach[branch[-1]] + radius[branch[0]])
        on = (0 <= tip[0] < alpha.shape[1]) and (0 <= tip[1] < alpha.shape[0])
        if length < _LEAST_LENGTH * scale or not on:
            continue
        whole = np.concatenate([[tip], path])[::-1]
        found.append(Branch(whole, float(np.median(radius[branch])), length))
    return sorted(found, key=lambda each: -each.length)


def _smoothed(solid: "npt.NDArray[np.uint8]") -> tuple["npt.NDArray[np.uint8]", float]:
    """Return the largest piece of a mask without small details, padded, and the square root of its area."""
    padded = np.pad(solid, _PAD_PX, mode="edge")  # an edge of the frame that cuts the subject is no tip
    scale = float(padded.sum()) ** 0.5
    side = 2 * max(1, int(_SMOOTH * scale)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    smooth = cv2.morphologyEx(cv2.morphologyEx(padded, cv2.MORPH_OPEN, disc), cv2.MORPH_CLOSE, disc)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(np.asarray(smooth, np.uint8))
    if count < 2:
        return padded, scale
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    return (labels == largest).astype(np.uint8), scale


def _neighbours(
    rows: "npt.NDArray[np.int64]", columns: "npt.NDArray[np.int64]", shape: tuple[int, ...]
) -> "sp.csr_matrix":
    """Return the graph of skeleton pixels that touch each other."""
    index = np.full((shape[0] + 2, shape[1] + 2), -1)
    index[rows + 1, columns + 1] = np.arange(len(rows))
    starts, ends, lengths = [], [], []
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        other = index[rows + 1 + dy, columns + 1 + dx]
        near = np.flatnonzero(other >= 0)
        starts += [near, other[near]]
        ends += [other[near], near]
        lengths += [np.full(2 * len(near), np.hypot(dy, dx))]
    values = (np.concatenate(lengths), (np.concatenate(starts), np.concatenate(ends)))
    return sp.coo_matrix(values, (len(rows), len(rows))).tocsr()


def _follow(
    end: int, before: "npt.NDArray[np.int32]", reach: Points, radius: Points, used: Mask, trunk: int
) -> "npt.NDArray[np.int64] | None":
    """Return the pixels of a branch from its end to where it becomes trunk, and mark them as used."""
    path = [end]
    while path[-1] != trunk and before[path[-1]] >= 0:
        path.append(int(before[path[-1]]))
    way = np.array(path)
    thickness = radius[way]
    usual = np.array([np.median(thickness[: k + 1]) for k in range(len(way))])
    passed = reach[end] - reach[way]
    is_trunk = ((thickness > _THICKER * usual) & (passed > 1.5 * usual)) | (thickness > _TRUNK * radius[trunk])
    stop = int(is_trunk.argmax()) if is_trunk.any() else len(way) - 1
    taken = used[way[: stop + 1]]
    stop = min(stop, int(taken.argmax())) if taken.any() else stop
    if stop < 3:
        return None
    used[way[: stop + 1]] = True
    return way[: stop + 1]


def _extend(path: Points, radius: float) -> Points:
    """Return the tip of the subject beyond the end of its medial axis."""
    direction = path[0] - path[min(len(path) - 1, 6)]
    tip: Points = path[0] + direction / max(float(np.linalg.norm(direction)), 1e-6) * radius
    return tip
