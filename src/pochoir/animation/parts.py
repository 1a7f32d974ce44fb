"""Cutting of a subject into parts along smooth seams.

Each part has a weight in [0, 1] for every pixel. A limb's weight is 1 on its side of the seam and fades on the body's
side; the body's goes on below the limb for a few pixels. The larger of all weights is 1 everywhere, so the parts drawn
at rest with "conjoint over" are the subject itself.
"""

import itertools
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from skimage.graph import MCP_Geometric

from pochoir.animation.arrays import Layer, Mask, Plane, Points
from pochoir.animation.colors import spread
from pochoir.animation.rig import Limb, Rig
from pochoir.animation.torso import torso_distance

BODY: Final = "body"
_FEATHER_PX: Final = 2.0
_UNDER_PX: Final = 4.0
_SMOOTH_PX: Final = 2.0
_SCRAP_SHARE: Final = 0.2


@dataclass(frozen=True, eq=False)
class Part:
    """A part of the subject.

    Attributes:
        name: Name of the limb, or ``BODY``.
        weight: Share of the matte that the part takes, shape (H, W).
        covered: Pixels where the part lies below another one at rest, so its colours have to be made up.
    """

    name: str
    weight: Plane
    covered: Mask

    def cut(self, cutout: Layer, hidden: Layer) -> Layer:
        """Return the part's layer, with made-up colours where it is covered."""
        return np.where(self.covered[..., None], hidden, cutout) * self.weight[..., None]


@dataclass(frozen=True, eq=False)
class Parts:
    """All parts of a subject in the order in which they are drawn.

    Attributes:
        items: The parts.
        crotch_y: Row below which two legs part; rows above belong to the body as well. None without such legs.
    """

    items: tuple[Part, ...]
    crotch_y: float | None

    def layers(self, cutout: Layer) -> list[Layer]:
        """Cut a cutout into the layers of the parts."""
        alpha = cutout[..., 3:]
        colors = (cutout[..., :3] / np.maximum(alpha, 1e-4)).astype(np.float32)
        solid = alpha[..., 0] > 0.9
        made_up: dict[bytes, Layer] = {}  # legs share what covers them
        layers = []
        for part in self.items:
            key = part.covered.tobytes()
            if key not in made_up:
                filled = spread(colors, ~part.covered & solid) if part.covered.any() else colors
                made_up[key] = np.concatenate([filled * alpha, alpha], axis=2).astype(np.float32)
            layers.append(part.cut(cutout, made_up[key]).astype(np.float32))
        return layers


def split(alpha: Plane, rig: Rig) -> Parts:
    """Cut the subject of a matte along the limbs of a rig of the same size."""
    distances = _measure(alpha, rig)
    free = [limb for limb in rig.limbs if limb.cut and not (rig.is_person and limb.kind == "leg")]
    fields = {limb.name: _seam(limb.name, rig, distances, alpha) for limb in free}
    _return_scraps(fields, alpha)
    front = [fields[limb.name] for limb in free if limb.front]
    rear = [fields[limb.name] for limb in free if not limb.front]
    # Of two parts the rear one goes on below the front one, in made-up colours; the front one only fades.
    body = _below(_largest(front, alpha.shape)) * _beside(-_largest(rear, alpha.shape))
    covered = _largest(front, alpha.shape) > 0
    items: list[Part] = []
    crotch_y = None
    if rig.is_person:
        items, body, crotch_y = _split_legs(alpha, rig, distances, body, covered)
    drawn: list[Plane] = []
    for limb in free:
        if not limb.front:
            field, others = fields[limb.name], _largest(drawn, alpha.shape)
            # A rear part goes on below the body, but not over the rear parts that are drawn before it.
            weight = np.asarray(_below(-field) * _beside(-others), np.float32)
            items.append(Part(limb.name, weight, (field <= 0) & (others <= 0)))
            drawn.append(field)
    items.append(Part(BODY, body.astype(np.float32), covered))
    nothing = np.zeros(alpha.shape, bool)
    items += [Part(limb.name, _beside(fields[limb.name]), nothing) for limb in free if limb.front]
    return Parts(tuple(items), crotch_y)


def _beside(field: Plane) -> Plane:
    """Return the weight of a front part: 1 on its side of the seam, fading on the other."""
    return np.asarray(np.clip((field + _FEATHER_PX) / _FEATHER_PX, 0.0, 1.0), np.float32)


def _below(field: Plane) -> Plane:
    """Return the weight of a rear part: 1 on its side of the seam, where ``field`` is negative, and a little beyond."""
    return np.asarray(np.where(field <= 0, 1.0, np.clip((_UNDER_PX - field) / _UNDER_PX, 0.0, 1.0)), np.float32)


def segment_distance(points: Points, start: Points, end: Points) -> Points:
    """Return the distance of points to a line segment; the last axis holds x and y."""
    along = end - start
    share = np.clip(((points - start) @ along) / max(float(along @ along), 1e-9), 0.0, 1.0)
    distance: Points = np.linalg.norm(points - (start + share[..., None] * along), axis=-1)
    return distance


@dataclass(frozen=True, eq=False)
class _Distances:
    """Distances in pixels, each of shape (H, W).

    Attributes:
        outline: Distance to the outline of each limb's capsule, negative inside.
        axis: Length of the way inside of the matte to each cut limb's axis.
        trunk: Length of the way to the trunk, for each cut limb.
    """

    outline: dict[str, Plane]
    axis: dict[str, Plane]
    trunk: dict[str, Plane]


def _measure(alpha: Plane, rig: Rig) -> _Distances:
    """Measure distances to all limbs.

    Where the way to a limb inside of the matte is long, and longer than that to the trunk, it counts instead of the
    straight line. So what lies across the gap between an arm and the trunk is not arm.
    """
    y, x = np.mgrid[0 : alpha.shape[0], 0 : alpha.shape[1]]
    points = np.stack([x, y], axis=-1).astype(np.float64)
    straight = {limb.name: _axis_distance(points, limb) for limb in rig.limbs}
    trunk = torso_distance(alpha, rig) < 0 if rig.is_person else _core(alpha, rig)
    outline, to_axis, to_trunk = {}, {}, {}
    shared = None if rig.is_person else _inside_distance(alpha, trunk)
    for limb in rig.limbs:
        distance = straight[limb.name]
        if limb.cut:
            others = [straight[each.name] < 2 for each in rig.limbs if each is not limb and rig.is_person]
            way = to_axis[limb.name] = _inside_distance(alpha, distance < 2)
            starts = np.any([trunk, *others], axis=0)
            to_trunk[limb.name] = _inside_distance(alpha, starts) if shared is None else shared
            is_far = (way > 1.12 * distance + 2) & (way > to_trunk[limb.name])
            distance = np.where(is_far, way, distance)
        outline[limb.name] = np.asarray(distance - limb.width, np.float32)
    return _Distances(outline, to_axis, to_trunk)


def _core(alpha: Plane, rig: Rig) -> Mask:
    """Return the part of a matte that is thicker than all of its cut limbs."""
    radius = max(3, int(1.3 * max((limb.width for limb in rig.limbs if limb.cut), default=3.0)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    solid = np.pad((alpha > 0.5).astype(np.uint8), radius, mode="edge")
    core: Mask = cv2.morphologyEx(solid, cv2.MORPH_OPEN, disc)[radius:-radius, radius:-radius] > 0
    return core


def _axis_distance(points: Points, limb: Limb) -> Points:
    joints = limb.joints
    bones = [segment_distance(points, a, b) for a, b in itertools.pairwise(joints)]
    distance: Points = np.min(bones, axis=0)
    return distance


def _inside_distance(alpha: Plane, start: Mask) -> Plane:
    """Return the length of the shortest way inside of the matte from some pixels, at half resolution."""
    height, width = alpha.shape
    half = (max(1, width // 2), max(1, height // 2))
    cost = np.where(cv2.resize(alpha, half, interpolation=cv2.INTER_AREA) > 0.1, 2.0, 40.0)
    starts = np.argwhere((cv2.resize(start.astype(np.float32), half, interpolation=cv2.INTER_AREA) > 0) & (cost < 40))
    if not len(starts):
        return np.full(alpha.shape, np.float32(1e6), np.float32)
    costs, _ = MCP_Geometric(cost).find_costs(starts)
    return np.asarray(cv2.resize(costs.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _seam(name: str, rig: Rig, distances: _Distances, alpha: Plane) -> Plane:
    """Return a field that is positive on a limb's side of its seam, in pixels."""
    own = distances.outline[name]
    field = np.min(
        [each for other, each in distances.outline.items() if other != name] or [np.full_like(own, 1e6)], axis=0
    )
    if rig.is_person:
        field = np.minimum(field, torso_distance(alpha, rig)) - own
    else:
        # Beyond its capsule, a limb has all that is nearer to it than to the trunk, such as a broad hoof.
        reached = np.maximum(-own, np.minimum(distances.trunk[name] - distances.axis[name], 1e3))
        field = np.minimum(field - own, reached)
    return np.asarray(cv2.GaussianBlur(field.astype(np.float32), (0, 0), _SMOOTH_PX), np.float32)


def _return_scraps(fields: dict[str, Plane], alpha: Plane) -> None:
    """Give pieces that a seam separates from their limb back to the body, and scraps of body to the limb around."""
    for field in fields.values():
        count, labels, stats, _ = cv2.connectedComponentsWithStats(
            ((field > 0) & (alpha > 0.02)).astype(np.uint8), connectivity=4
        )
        if count <= 2:
            continue
        areas = stats[:, cv2.CC_STAT_AREA].astype(np.int64)
        areas[0] = 0
        largest = int(areas.argmax())
        field[(labels > 0) & (labels != largest) & (areas[labels] < _SCRAP_SHARE * areas[largest])] = -3.0
    if not fields:
        return
    names = list(fields)
    most = np.max([fields[name] for name in names], axis=0)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        ((most <= 0) & (alpha > 0.02)).astype(np.uint8), connectivity=4
    )
    areas = stats[:, cv2.CC_STAT_AREA].astype(np.int64)
    areas[0] = 0
    for label in range(1, count):
        if areas[label] >= 0.05 * areas.max():
            continue
        scrap = labels == label
        around = (cv2.dilate(scrap.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0) & ~scrap & (alpha > 0.02)
        owners = [name for name in names if (fields[name][around] > 0).any()]
        touches_body = (most[around] <= 0).any()
        if owners and not touches_body:
            fields[owners[0]][scrap] = 3 * _UNDER_PX


def _split_legs(
    alpha: Plane, rig: Rig, distances: _Distances, body: Plane, covered: Mask
) -> tuple[list[Part], Plane, float]:
    """Part the legs of a person: below the hips each pixel belongs to the nearer leg."""
    left, right = rig.of_kind("leg")
    between = np.asarray(
        cv2.GaussianBlur(distances.outline[right.name] - distances.outline[left.name], (0, 0), _SMOOTH_PX), np.float32
    )
    hip = (left.joints[0] + right.joints[0]) / 2
    apart = max(float(np.linalg.norm(left.joints[0] - right.joints[0])), 4.0)
    below = np.arange(alpha.shape[0], dtype=np.float32)[:, None] - hip[1]
    legs = []
    for limb, side in ((left, between), (right, -between)):
        weight = body * np.clip((side + _FEATHER_PX) / _FEATHER_PX, 0.0, 1.0) * (below > 0)
        legs.append(Part(limb.name, weight.astype(np.float32), covered))
    trunk = body * (1 - np.clip((below - apart) / 6, 0.0, 1.0))
    return legs, trunk.astype(np.float32), _crotch(alpha, left, right, between, hip, apart)


def _crotch(alpha: Plane, left: Limb, right: Limb, between: Plane, hip: Points, apart: float) -> float:
    """Return the row where the line between the legs leaves the matte."""
    height, width = alpha.shape
    first, last = sorted((left.joints[0, 0], right.joints[0, 0]))
    columns = np.arange(max(0, int(first)), min(width, int(last) + 1))
    if not len(columns):
        return float(hip[1] + 0.75 * apart)
    for y in range(max(0, int(hip[1] + 0.1 * apart)), min(height - 1, int(hip[1] + 3 * apart))):
        x = int(columns[np.abs(between[y, columns]).argmin()])
        if alpha[y, max(0, x - 1) : x + 2].min() < 0.5:
            return float(y + 3)
    return float(hip[1] + 0.75 * apart)


def _largest(fields: list[Plane], shape: tuple[int, ...]) -> Plane:
    if not fields:
        return np.full(shape[:2], -np.float32(np.inf), np.float32)
    return np.asarray(np.max(fields, axis=0), np.float32)
