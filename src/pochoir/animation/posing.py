"""Poses: bone angles, and the transforms of bones that they stand for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from pochoir.animation.arrays import Points
from pochoir.animation.deform import Transform
from pochoir.animation.rig import Rig

BoneName = tuple[str, int]
"""Name of a limb, and number of the bone in it from the root."""


@dataclass(frozen=True)
class Pose:
    """A change against the rest position. Angles are in degrees, clockwise on the screen.

    Attributes:
        angles: Turn of bones against the bone before.
        scales: Length of bones relative to that at rest, for limbs that point towards the viewer.
        lean: Turn of the trunk about the hip, or about the foot for subjects without a spine.
        tilt: Turn of the hips, which the trunk follows.
        shift: Movement of the whole subject in pixels, right and down.
        air: Height above the ground in pixels; None if the feet need not touch it.
    """

    angles: Mapping[BoneName, float] = field(default_factory=dict)
    scales: Mapping[BoneName, float] = field(default_factory=dict)
    lean: float = 0.0
    tilt: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    air: float | None = None

    def __add__(self, other: "Pose") -> "Pose":
        angles = dict(self.angles)
        for name, angle in other.angles.items():
            angles[name] = angles.get(name, 0.0) + angle
        scales = dict(self.scales)
        for name, scale in other.scales.items():
            scales[name] = scales.get(name, 1.0) * scale
        airs = [air for air in (self.air, other.air) if air is not None]
        return Pose(
            angles,
            scales,
            self.lean + other.lean,
            self.tilt + other.tilt,
            (self.shift[0] + other.shift[0], self.shift[1] + other.shift[1]),
            sum(airs) if airs else None,
        )


Curve = Callable[[Rig, float, float, int], Pose]
"""A motion of limbs: rig, phase in [0, 1), amount, direction (1 right, -1 left, 0 any) to a pose."""


@dataclass(frozen=True)
class Skeleton:
    """Transforms of the trunk and of each bone.

    Attributes:
        hips: Transform of the lower trunk.
        trunk: Transform of the upper trunk.
        bones: Transform of each bone.
        stretches: Change of length of each bone, a part of its transform, shape (2, 2).
    """

    hips: Transform
    trunk: Transform
    bones: Mapping[BoneName, Transform]
    stretches: Mapping[BoneName, Transform]


def pose_bones(rig: Rig, pose: Pose, foot: tuple[float, float]) -> Skeleton:
    """Return the transforms that a pose gives the bones of a rig.

    Args:
        rig: The limbs.
        pose: Angles and lengths.
        foot: Point about which a subject without a spine leans.
    """
    pivot = np.array(rig.spine[0] if rig.spine else foot)
    shift = np.array(pose.shift)
    hips = _about(pivot, pivot + shift, _turn(pose.tilt))
    trunk = _about(pivot, pivot + shift, _turn(pose.tilt + pose.lean))
    bones: dict[BoneName, Transform] = {}
    stretches: dict[BoneName, Transform] = {}
    for limb in rig.limbs:
        base = hips if limb.kind == "leg" and rig.spine else trunk
        angle = pose.tilt + (0.0 if base is hips else pose.lean)
        previous = base
        for number, (start, end) in enumerate(zip(limb.joints[:-1], limb.joints[1:], strict=True)):
            name = (limb.name, number)
            angle += pose.angles.get(name, 0.0)
            along = (end - start) / np.linalg.norm(end - start)
            stretch = stretches[name] = np.eye(2) + (pose.scales.get(name, 1.0) - 1.0) * np.outer(along, along)
            previous = bones[name] = _about(start, apply(previous, start[None])[0], _turn(angle) @ stretch)
    return Skeleton(hips, trunk, bones, stretches)


def apply(transform: Transform, points: Points) -> Points:
    """Return points moved by a transform."""
    moved: Points = points @ transform[:, :2].T + transform[:, 2]
    return moved


def _turn(degrees: float) -> Transform:
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _about(origin: Points, goal: Points, linear: Transform) -> Transform:
    """Return the transform with a linear part that moves ``origin`` to ``goal``."""
    return np.column_stack([linear, goal - linear @ origin])
