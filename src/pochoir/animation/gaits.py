"""Motions of limbs: curves of bone angles over a phase in [0, 1).

Sine curves and eases only. Phase 0 is the rest position unless said otherwise. ``face`` is 1 for a subject that goes to
the right, -1 to the left, and 0 where the subject itself says it.
"""

from math import cos, pi, sin

import numpy as np

from pochoir.animation.posing import BoneName, Pose
from pochoir.animation.rig import Limb, Rig


def ease(start: float, end: float, x: float) -> float:
    """Return 0 before ``start``, 1 after ``end`` and a cubic without kinks in between."""
    t = min(max((x - start) / (end - start), 0.0), 1.0)
    return t * t * (3 - 2 * t)


def _outward(rig: Rig, limb: Limb) -> int:
    """Return the sign of the turn that lifts a hanging limb away from the trunk."""
    middle = rig.spine[0][0] if rig.spine else float(np.mean([each.points[0][0] for each in rig.limbs]))
    return 1 if limb.points[0][0] < middle else -1


def _torso(rig: Rig) -> float:
    hip, neck = rig.spine
    return float(np.hypot(hip[0] - neck[0], hip[1] - neck[1]))


def _bend(limb: Limb, *angles: float) -> dict[BoneName, float]:
    """Return angles for the bones of a limb from the root; bones that it lacks are left out."""
    return {(limb.name, k): angle for k, angle in enumerate(angles) if k < len(limb.points) - 1}


def _head(rig: Rig, angle: float) -> dict[BoneName, float]:
    return {(limb.name, 0): angle for limb in rig.of_kind("head")}


def wave(rig: Rig, phase: float, amount: float, face: int) -> Pose:
    """Raise the arm with more room and wave three times."""
    arms = rig.of_kind("arm")
    room = [arms[0].points[0][0], rig.width - arms[1].points[0][0]]
    arm, other = arms if room[0] > room[1] else arms[::-1]
    side = _outward(rig, arm)
    up = ease(0.0, 0.2, phase) * (1 - ease(0.8, 1.0, phase)) * min(amount, 1.4)
    swing = sin(2 * pi * 3 * phase) * up
    angles = _bend(arm, side * 105 * up, side * (38 * up + 24 * swing), side * 10 * swing)
    angles |= _bend(other, side * 4 * up)
    angles |= _head(rig, side * 5 * up + 1.5 * swing * side)
    return Pose(angles, lean=-side * 2.5 * up)


def march(rig: Rig, phase: float, amount: float, face: int) -> Pose:
    """Lift the knees in turn towards the viewer, twice each."""
    beat = 2 * pi * phase * 2
    s = sin(beat)
    angles: dict[BoneName, float] = {}
    scales: dict[BoneName, float] = {}
    for leg, sign in zip(rig.of_kind("leg"), (1, -1), strict=True):
        lift = max(0.0, sign * s) ** 0.85 * min(amount, 1.5)
        side = _outward(rig, leg)
        angles |= _bend(leg, side * 9 * lift, -side * 24 * lift, side * 10 * lift)
        scales |= {(leg.name, 0): 1 - 0.34 * lift, (leg.name, 1): 1 - 0.30 * lift, (leg.name, 2): 1 + 0.10 * lift}
    for arm, sign in zip(rig.of_kind("arm"), (-1, 1), strict=True):
        swing = max(0.0, sign * s) * amount
        side = _outward(rig, arm)
        angles |= _bend(arm, side * 12 * swing, -side * 20 * swing)
        scales |= {(arm.name, 0): 1 - 0.06 * swing, (arm.name, 1): 1 - 0.22 * swing}
    angles |= _head(rig, -2 * s * amount)
    shift = 0.05 * _torso(rig) * s * amount
    return Pose(angles, scales, lean=3.0 * s * amount, tilt=-1.8 * s * amount, shift=(shift, 0.0), air=0.0)


def _step(u: float) -> tuple[float, float]:
    """Return the swing of a leg in [-1, 1] and its lift in [0, 1] at phase ``u`` of its step."""
    standing = 0.56
    if u < standing:
        return 1 - 2 * u / standing, 0.0
    q = (u - standing) / (1 - standing)
    return -1 + 2 * (q * q * (3 - 2 * q)), sin(pi * q)


def walk(rig: Rig, phase: float, amount: float, face: int) -> Pose:
    """Walk in the picture plane, like a shadow puppet; the phases start in mid-stride, not at rest."""
    face = face or 1
    angles: dict[BoneName, float] = {}
    limbs = zip(rig.of_kind("leg"), rig.of_kind("arm"), (0.25, 0.75), strict=True)
    for leg, arm, offset in limbs:
        swing, lift = _step((phase * 2 + offset) % 1)
        angles |= _bend(
            leg,
            -face * (19 * swing + 10 * lift) * amount,
            face * (5 + 34 * lift) * amount,
            face * (14 * swing - 0.6 * (5 + 34 * lift)) * amount,
        )
        angles |= _bend(arm, face * 17 * swing * amount, -face * (10 + 4.5 * (1 - swing)) * amount)
    angles |= _head(rig, (-1.5 * face + 1.5 * sin(8 * pi * phase)) * amount)
    return Pose(angles, lean=face * 3.5 * amount, air=0.0)


def jump(rig: Rig, phase: float, amount: float, face: int) -> Pose:
    """Crouch, jump with the arms up, and land in a crouch."""
    crouch = ease(0, 0.22, phase) * (1 - ease(0.24, 0.34, phase))
    crouch += 0.8 * ease(0.66, 0.74, phase) * (1 - ease(0.76, 0.97, phase))
    crouch *= min(amount, 1.3)
    flight = min(max((phase - 0.32) / 0.36, 0.0), 1.0)
    up = 4 * flight * (1 - flight) * min(amount, 1.5)
    angles: dict[BoneName, float] = {}
    scales: dict[BoneName, float] = {}
    for leg in rig.of_kind("leg"):
        side = _outward(rig, leg)
        angles |= _bend(leg, side * (20 * crouch + 8 * up), -side * (38 * crouch + 6 * up), side * 18 * crouch)
        scales |= {(leg.name, 0): 1 - 0.12 * crouch, (leg.name, 1): 1 - 0.06 * crouch}
    for arm in rig.of_kind("arm"):
        side = _outward(rig, arm)
        angles |= _bend(arm, side * (85 * up + 12 * crouch), side * (18 * up - 6 * crouch))
    return Pose(angles, scales, air=0.5 * up * _torso(rig))


def dance(rig: Rig, phase: float, amount: float, face: int) -> Pose:
    """Sway the hips from side to side and throw up one arm after the other, in four beats."""
    beat = 4 * pi * phase
    s, bounce = sin(beat), (1 - cos(2 * beat)) / 2
    come = ease(0, 0.08, phase) * (1 - ease(0.92, 1, phase))
    angles: dict[BoneName, float] = {}
    scales: dict[BoneName, float] = {}
    for arm, sign in zip(rig.of_kind("arm"), (1, -1), strict=True):
        side = _outward(rig, arm)
        up = (1 + sign * s) / 2 * come * amount
        angles |= _bend(arm, side * 80 * up, side * (36 * up + 10 * sin(2 * beat) * up))
    for leg in rig.of_kind("leg"):
        side = _outward(rig, leg)
        angles |= _bend(leg, side * 9 * bounce * amount, -side * 15 * bounce * amount, side * 6 * bounce * amount)
        scales |= {(leg.name, 0): 1 - 0.05 * bounce, (leg.name, 1): 1 - 0.05 * bounce}
    angles |= _head(rig, 7 * s * amount)
    shift = 0.10 * _torso(rig) * s * amount
    return Pose(angles, scales, lean=-9 * s * amount, tilt=5 * s * amount, shift=(shift, 0.0), air=0.0)


def trot(rig: Rig, phase: float, amount: float, face: int) -> Pose:
    """Swing four legs in diagonal pairs, with the trunk rocking and the tail following."""
    beat = 2 * pi * phase * 2
    face = face or facing(rig)
    angles: dict[BoneName, float] = {}
    legs = rig.of_kind("leg")
    pairs = (0.0, pi, pi, 0.0) if len(legs) == 4 else tuple(pi * (k % 2) for k in range(len(legs)))
    for leg, offset in zip(legs, pairs, strict=True):
        swing = sin(beat + offset) - sin(offset)
        lift = max(0.0, cos(beat + offset)) - max(0.0, cos(offset))
        angles |= _bend(leg, face * 13 * swing * amount, -face * 22 * lift * amount)
    for tail in rig.of_kind("tail"):
        angles |= _bend(tail, 7 * (sin(beat + 1) - sin(1)) * amount, 9 * sin(beat) * amount)
    for head in rig.of_kind("head"):
        angles |= _bend(head, 3 * face * sin(beat) * amount)
    tall = max(limb.length for limb in legs)
    rise = 0.05 * tall * (1 - cos(2 * beat)) / 2 * amount
    return Pose(angles, lean=1.1 * sin(beat) * amount, shift=(0.0, -rise))


def flap(rig: Rig, phase: float, amount: float, face: int) -> Pose:
    """Lift both wings and lower them, twice, while the body rises with each stroke."""
    beat = 2 * pi * phase * 2
    up = (1 - cos(beat)) / 2
    late = (1 - cos(beat - 0.7)) / 2 - (1 - cos(0.7)) / 2
    angles: dict[BoneName, float] = {}
    for wing in rig.of_kind("wing"):
        side = _outward(rig, wing)
        angles |= _bend(wing, side * 22 * up * amount, side * 14 * late * amount, side * 8 * late * amount)
    angles |= _head(rig, 4 * sin(beat / 2) * amount)
    for tail in rig.of_kind("tail"):
        angles |= _bend(tail, 3 * sin(beat) * amount)
    return Pose(angles)


def facing(rig: Rig) -> int:
    """Return 1 if the animal looks to the right and -1 if to the left: away from its tail, or towards its head."""
    legs = rig.of_kind("leg")
    middle = float(np.mean([leg.points[0][0] for leg in legs])) if legs else rig.width / 2
    for kind, sign in (("head", 1), ("tail", -1)):
        for limb in rig.of_kind(kind):
            return sign if limb.points[-1][0] > middle else -sign
    return -1
