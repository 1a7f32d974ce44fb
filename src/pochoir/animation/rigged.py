"""Puppets with limbs."""

import itertools
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from pochoir.animation import parts as cutting
from pochoir.animation.arrays import Layer, Plane, Points, Triangles
from pochoir.animation.body import measure
from pochoir.animation.deform import Deformer, Transform, adopt_orphans
from pochoir.animation.mesh import Mesh, cells_touching, mesh_matte
from pochoir.animation.motions import Move, Phases
from pochoir.animation.posing import Pose, Skeleton, apply, pose_bones
from pochoir.animation.puppet import displaced
from pochoir.animation.rig import Limb, Rig

_FIRM, _SOFT = 20.0, 6.0
_WELD: Final = 1.25
"""Radius around a limb's root, in its widths, within which the limb and the body share vertices."""
_UNCUT_REACH: Final = 1.6
"""Reach of the last bone of a limb that only bends the body, in the limb's widths."""
_HIPS, _TRUNK = 0, 1
_STRIDE_SAMPLES: Final = 96


class Rigged:
    """A subject whose limbs move.

    Args:
        alpha: The subject's matte in [0, 1], shape (H, W).
        rig: Limbs, for a picture of the same size.
    """

    def __init__(self, alpha: Plane, rig: Rig) -> None:
        self.body = measure(alpha)
        self.rig = rig
        self._pieces = cutting.split(alpha, rig)
        mesh = mesh_matte(alpha)
        self.rest, self.triangles, self.parts, owner = _assemble(mesh, self._pieces, rig, alpha)
        self.names = tuple(piece.name for piece in self._pieces.items)
        self._bones = [(limb.name, k) for limb in rig.limbs for k in range(len(limb.points) - 1)]
        handles, strength = self._hold(owner)
        self._deformer = Deformer(self.rest, self.triangles, handles, strength)
        self._feet = self._find_feet(handles)

    def layers(self, cutout: Layer) -> list[Layer]:
        """Return the layers of the parts."""
        return self._pieces.layers(cutout)

    def pose(self, moves: Sequence[Move], phase_of: Phases) -> Points:
        """Return the positions of the vertices at the phases of the moves."""
        pose = Pose()
        for move in moves:
            if move.motion.curve is not None:
                pose += move.motion.curve(self.rig, phase_of(move.motion.period_s), move.amount, move.face)
        points = self.solve(pose)
        return displaced(self.body, self.rest, points, moves, phase_of)

    def solve(self, pose: Pose) -> Points:
        """Return the positions of the vertices in a pose; the rest positions if nothing is posed."""
        skeleton = self.skeleton(pose)
        stretches = None
        if pose.scales:
            stretches = np.stack([np.eye(2), np.eye(2), *(skeleton.stretches[name] for name in self._bones)])
        return self._deformer.solve(self._transforms(skeleton), stretches)

    def skeleton(self, pose: Pose) -> Skeleton:
        """Return the transforms of a pose, with the lowest foot on the ground if the pose asks for it."""
        foot = (self.body.support_x, self.body.foot)
        skeleton = pose_bones(self.rig, pose, foot)
        if pose.air is None or not self._feet:
            return skeleton
        ground = max(points[:, 1].max() for _, points in self._feet)
        lowest = max(apply(skeleton.bones[name], points)[:, 1].max() for name, points in self._feet)
        settled = Pose(
            pose.angles,
            pose.scales,
            pose.lean,
            pose.tilt,
            (pose.shift[0], pose.shift[1] + ground - lowest - pose.air),
        )
        return pose_bones(self.rig, settled, foot)

    def stride(self, move: Move, face: int) -> tuple[float, Points]:
        """Return the way that one cycle of a gait covers in pixels, and the share covered at even phases from 0 to 1.

        The subject advances as its standing foot, the lowest one, moves back below it.
        """
        if move.motion.curve is None or not self._feet:
            return 0.0, np.array([0.0, 1.0])
        places = []
        for phase in np.linspace(0.0, 1.0, _STRIDE_SAMPLES + 1):
            pose = move.motion.curve(self.rig, float(phase) % 1.0, move.amount, face)
            bones = pose_bones(self.rig, pose, (self.body.support_x, self.body.foot)).bones
            feet = [apply(bones[name], points) for name, points in self._feet]
            places.append([(float(foot[:, 0].mean()), float(foot[:, 1].max())) for foot in feet])
        places_of = np.array(places)
        back = -face * np.diff(places_of[..., 0], axis=0)
        standing = (places_of[:-1, :, 1] + places_of[1:, :, 1]).argmax(axis=1)
        steps = np.maximum(np.take_along_axis(back, standing[:, None], axis=1)[:, 0], 0.0)
        distance = float(steps.sum())
        if distance < 1.0:
            return 0.0, np.array([0.0, 1.0])
        return distance, np.minimum(np.concatenate([[0.0], np.cumsum(steps)]) / distance, 1.0)

    def _transforms(self, skeleton: Skeleton) -> Transform:
        return np.stack([skeleton.hips, skeleton.trunk, *(skeleton.bones[name] for name in self._bones)])

    def _hold(self, owner: "npt.NDArray[np.str_]") -> tuple["npt.NDArray[np.int64]", "npt.NDArray[np.float64]"]:
        """Return the handle that holds each vertex, and its strength."""
        handles = np.full(len(self.rest), -1)
        strength = np.zeros(len(self.rest))
        closest = np.full(len(self.rest), np.inf)
        self._hold_trunk(owner, handles, strength)
        for number, (name, k) in enumerate(self._bones, start=2):
            limb = self.rig.limb(name)
            distance, share = _along(self.rest, limb.joints[k], limb.joints[k + 1])
            own = owner == (name if name in owner else cutting.BODY)
            is_last = k == len(limb.points) - 2
            chosen = own & _middle_of_bone(limb, distance, share, is_last=is_last, first=k == 0)
            chosen &= (distance < closest) | is_last
            if is_last and not limb.cut and not self.rig.is_person:
                # The head of an animal is no more than what lies around its bones; beyond them is the chest.
                chosen &= _limb_distance(self.rest, limb) < _UNCUT_REACH * limb.width
            handles[chosen] = number
            strength[chosen] = _FIRM if is_last else _SOFT
            closest[chosen] = -1.0 if is_last else distance[chosen]
        orphaned = adopt_orphans(self.triangles, self.rest, handles)
        strength[orphaned != handles] = _SOFT
        return orphaned, strength

    def _hold_trunk(
        self, owner: "npt.NDArray[np.str_]", handles: "npt.NDArray[np.int64]", strength: "npt.NDArray[np.float64]"
    ) -> None:
        on_body = owner == cutting.BODY
        if self.rig.is_person:
            hip, neck = (np.array(joint) for joint in self.rig.spine)
            distance, share = _along(self.rest, hip, neck)
            shoulders = [limb.joints[0] for limb in self.rig.of_kind("arm")]
            broad = float(np.linalg.norm(shoulders[0] - shoulders[1]))
            core = on_body & (share > 0.12) & (share < 0.98) & (distance < 0.4 * broad)
        else:
            core = on_body.copy()
            for limb in self.rig.limbs:
                core &= np.linalg.norm(self.rest - limb.joints[0], axis=1) > 1.7 * limb.width
                if not limb.cut:
                    core &= _limb_distance(self.rest, limb) > 1.3 * limb.width
        handles[core] = _TRUNK
        strength[core] = _SOFT if self.rig.is_person else 4.0

    def _find_feet(self, handles: "npt.NDArray[np.int64]") -> list[tuple[tuple[str, int], Points]]:
        feet = []
        for number, (name, k) in enumerate(self._bones, start=2):
            limb = self.rig.limb(name)
            if limb.kind == "leg" and k == len(limb.points) - 2 and (handles == number).any():
                feet.append(((name, k), self.rest[handles == number]))
        return feet


def _assemble(
    mesh: Mesh, pieces: cutting.Parts, rig: Rig, alpha: Plane
) -> tuple[Points, Triangles, "npt.NDArray[np.int32]", "npt.NDArray[np.str_]"]:
    """Give each part the cells that it covers, and vertices of its own where it may part from the body."""
    limbs = {limb.name: limb for limb in rig.limbs}
    corners, parts, keys = [], [], []
    for number, part in enumerate(pieces.items):
        cells = mesh.triangles[cells_touching(mesh, (part.weight > 0) & (alpha > 0))]
        own = part.name != cutting.BODY
        welded = np.ones(len(mesh.points), bool)
        if own:
            welded = _welded(mesh.points, limbs[part.name], pieces.crotch_y if rig.is_person else None)
        keys.append(np.where(welded, 0, number + 1)[cells])
        corners.append(cells)
        parts.append(np.full(len(cells), number, np.int32))
    node, copy = np.concatenate(corners).ravel(), np.concatenate(keys).ravel()
    unique, index = np.unique(np.stack([node, copy], axis=1), axis=0, return_inverse=True)
    names = np.array([cutting.BODY, *(part.name for part in pieces.items)])
    triangles = np.ascontiguousarray(index.reshape(-1, 3).astype(np.int32))
    return mesh.points[unique[:, 0]].copy(), triangles, np.concatenate(parts), names[unique[:, 1]]


def _welded(points: Points, limb: Limb, crotch_y: float | None) -> "npt.NDArray[np.bool_]":
    if limb.kind == "leg" and crotch_y is not None:
        above: npt.NDArray[np.bool_] = points[:, 1] < crotch_y
        return above
    near: npt.NDArray[np.bool_] = np.linalg.norm(points - limb.joints[0], axis=1) < _WELD * limb.width
    return near


def _along(points: Points, start: Points, end: Points) -> tuple[Points, Points]:
    """Return the distance of points from the line of a bone, and their place along it from 0 to 1."""
    bone = end - start
    length = float(np.linalg.norm(bone))
    across = np.abs(bone[0] * (points - start)[:, 1] - bone[1] * (points - start)[:, 0]) / length
    return across, (points - start) @ bone / length**2


def _middle_of_bone(
    limb: Limb, distance: Points, share: Points, *, is_last: bool, first: bool
) -> "npt.NDArray[np.bool_]":
    """Tell which vertices a bone holds: not those near its joints, but all of a hand, a foot or a head."""
    chosen: npt.NDArray[np.bool_]
    if is_last:
        # Limbs of one bone keep their root free to bend.
        chosen = (share > (0.3 if first else -0.15)) & (distance < 3 * limb.width + 8)
    else:
        chosen = (share > 0.22) & (share < 0.80) & (distance < limb.width)
    return chosen


def _limb_distance(points: Points, limb: Limb) -> Points:
    joints = limb.joints
    bones = [cutting.segment_distance(points, a, b) for a, b in itertools.pairwise(joints)]
    distance: Points = np.min(bones, axis=0)
    return distance
