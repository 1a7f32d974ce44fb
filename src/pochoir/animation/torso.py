"""Trunk of a person: as broad as the gaps between arms and trunk say."""

from typing import Final

import cv2
import numpy as np

from pochoir.animation.arrays import Plane, Points
from pochoir.animation.rig import Limb, Rig

_ROWS: Final = 24
_LEAST_GAP_PX: Final = 2


def torso_distance(alpha: Plane, rig: Rig) -> Plane:
    """Return the distance to the trunk of a person in pixels, negative inside, shape (H, W).

    Joints of shoulders and hips lie well inside of a clothed trunk. Where background shows between an arm and the
    trunk, the trunk ends at that gap. Elsewhere its side runs from the shoulder to the nearest gap, or to the outside
    of the thigh, but not into the arm.

    Args:
        alpha: The subject's matte, shape (H, W).
        rig: The rig of a person.
    """
    arms, legs = (sorted(rig.of_kind(kind), key=lambda limb: limb.points[0][0]) for kind in ("arm", "leg"))
    left = _side(alpha, rig, arms[0], legs[0], -1.0)
    right = _side(alpha, rig, arms[1], legs[1], 1.0)
    inside = np.zeros(alpha.shape, np.uint8)
    cv2.fillPoly(inside, [np.rint(np.concatenate([left, right[::-1]])).astype(np.int32)], 1)
    signed = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5) - cv2.distanceTransform(inside, cv2.DIST_L2, 5)
    broad = float(np.linalg.norm(arms[0].joints[0] - arms[1].joints[0]))
    return np.asarray(signed - 0.02 * broad, np.float32)


def _side(alpha: Plane, rig: Rig, arm: Limb, leg: Limb, outward: float) -> Points:
    """Return points along one side of the trunk, from the shoulder to the hip."""
    shoulder, hip = arm.joints[0], leg.joints[0]
    rows = np.linspace(shoulder[1], hip[1], _ROWS)
    share = np.linspace(0.0, 1.0, _ROWS)
    hip_joint, neck = (np.array(joint) for joint in rig.spine)
    spine = neck[0] + (hip_joint[0] - neck[0]) * share
    axis = _axis_at(arm, rows)
    gaps = np.array([_gap_edge(alpha, y, start, end) for y, start, end in zip(rows, spine, axis, strict=True)])
    thigh = hip[0] + outward * leg.width
    known = np.flatnonzero(~np.isnan(gaps))
    at_rows, at_edges = [0.0, *share[known]], [float(shoulder[0]), *gaps[known]]
    if not len(known):
        at_rows, at_edges = [0.0, 1.0], [float(shoulder[0]), float(thigh)]
    edge = np.interp(share, at_rows, at_edges)
    most = axis - outward * arm.width  # the arm is in front of what lies further out
    bounded = np.where(np.isnan(gaps) & ~np.isnan(most), outward * np.minimum(outward * edge, outward * most), edge)
    joints = shoulder[0] + (hip[0] - shoulder[0]) * share
    sides = outward * np.maximum(outward * bounded, outward * joints)  # never narrower than the joints
    return np.stack([sides, rows], axis=1)


def _axis_at(arm: Limb, rows: Points) -> Points:
    """Return where the axis of an arm crosses rows; NaN where it does not."""
    joints = arm.joints
    order = np.argsort(joints[:, 1], kind="stable")
    crossing: Points = np.interp(rows, joints[order, 1], joints[order, 0], left=np.nan, right=np.nan)
    return crossing


def _gap_edge(alpha: Plane, y: float, start: float, end: float) -> float:
    """Return the last column of the trunk in a row before the gap to the arm; NaN if there is no gap."""
    row = round(y)
    if not 0 <= row < alpha.shape[0] or np.isnan(end):
        return float("nan")
    step = 1 if end > start else -1
    columns = np.arange(round(start), round(end) + step, step)
    columns = columns[(columns >= 0) & (columns < alpha.shape[1])]
    empty = alpha[row, columns] < 0.5
    if empty.sum() < _LEAST_GAP_PX or empty[:3].any():
        return float("nan")
    return float(columns[int(empty.argmax())] - step)
