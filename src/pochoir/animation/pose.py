"""Finding the joints of a person in a photo, and refusing to guess."""

import itertools
from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
import torch

from pochoir import weights
from pochoir.animation.arrays import Mask, Picture, Plane, Points
from pochoir.animation.rig import Limb, Rig
from pochoir.animation.tflite import Network

WEIGHTS: Final = "pose"
_INPUT_PX: Final = 256
_CROP: Final = 1.25
_LANDMARKS: Final = 39
_BODY: Final = 33
_NOSE = 0
_LEFT = {
    "shoulder": 11,
    "elbow": 13,
    "wrist": 15,
    "pinky": 17,
    "index": 19,
    "hip": 23,
    "knee": 25,
    "ankle": 27,
    "toe": 31,
}
_RIGHT = {name: index + 1 for name, index in _LEFT.items()}
_LIMB_JOINTS = [
    side[name] for side in (_LEFT, _RIGHT) for name in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
]
_MIRRORED = [side[name] for side in (_RIGHT, _LEFT) for name in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")]
_BONES = [
    (side[a], side[b])
    for side in (_LEFT, _RIGHT)
    for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"), ("shoulder", "hip"))
]
LEAST_CONFIDENCE: Final = 0.9
LEAST_VISIBLE: Final = 11
LEAST_INSIDE: Final = 0.9
MOST_MIRROR_MEDIAN: Final = 0.025
MOST_MIRROR: Final = 0.05
_MOST_TILT: Final = 45.0


@dataclass(frozen=True, eq=False)
class Landmarks:
    """Joints that the network finds in one crop.

    Attributes:
        points: Positions of 33 points in pixels of the photo.
        visible: Probability that each point is in the picture and not hidden.
        confidence: Probability that there is a person.
    """

    points: Points
    visible: "npt.NDArray[np.float64]"
    confidence: float


@dataclass(frozen=True)
class Doubt:
    """The reason why a skeleton is not used."""

    reason: str


@cache
def _network() -> Network:
    return Network(weights.where(WEIGHTS))


def find_person(photo: Picture, alpha: Plane) -> Rig | Doubt:
    """Find the limbs of a person who stands free in a photo.

    A skeleton is used only if the network is sure, sees all limbs, places their bones on the subject, and finds the
    same skeleton in the mirrored photo. The last test refuses animals, which the first ones let pass.

    Args:
        photo: Colours in [0, 1], shape (H, W, 3).
        alpha: The subject's matte, shape (H, W).

    Returns:
        The rig, or the reason for having none.

    Raises:
        WeightsMissingError: The network's weights are not in the cache.

    References:
        Bazarevsky et al., "BlazePose: on-device real-time body pose tracking", 2020. Its detector is not needed: the
        matte says where to look.
    """
    rows, columns = np.nonzero(alpha > 0.5)
    if len(rows) < 100:
        return Doubt("the subject is too small")
    box = (float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1))
    seen = look(photo, box)
    doubt = judge(seen, photo, alpha, box)
    if doubt is not None:
        return doubt
    rig = to_rig(seen.points, alpha)
    hip, neck = rig.spine
    # The angle against the upright, beyond 90 degrees for a handstand.
    if np.degrees(np.arctan2(abs(hip[0] - neck[0]), hip[1] - neck[1])) > _MOST_TILT:
        return Doubt("the person does not stand upright")
    return rig


def judge(seen: Landmarks, photo: Picture, alpha: Plane, box: tuple[float, float, float, float]) -> Doubt | None:
    """Return the reason for not using landmarks, or None if they pass all tests."""
    if seen.confidence < LEAST_CONFIDENCE:
        return Doubt(f"no person is recognised (confidence {seen.confidence:.2f})")
    visible = int((seen.visible[_LIMB_JOINTS] > 0.5).sum())
    if visible < LEAST_VISIBLE:
        return Doubt(f"only {visible} of {len(_LIMB_JOINTS)} joints of arms and legs can be seen")
    diagonal = float(np.hypot(box[2] - box[0], box[3] - box[1]))
    reach = int(0.02 * diagonal)
    near = cv2.dilate((alpha > 0.5).astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
    inside = min(_share_inside(near, seen.points[a], seen.points[b]) for a, b in _BONES)
    if inside < LEAST_INSIDE:
        return Doubt(f"a limb of the skeleton lies outside of the subject ({inside:.0%} inside)")
    width = photo.shape[1]
    other = look(np.ascontiguousarray(photo[:, ::-1]), (width - box[2], box[1], width - box[0], box[3]))
    mirrored = other.points[_MIRRORED].copy()
    mirrored[:, 0] = width - 1 - mirrored[:, 0]
    apart = np.linalg.norm(seen.points[_LIMB_JOINTS] - mirrored, axis=1) / diagonal
    if np.median(apart) > MOST_MIRROR_MEDIAN or apart.max() > MOST_MIRROR:
        return Doubt("the mirrored photo gives another skeleton")
    return None


def look(photo: Picture, box: tuple[float, float, float, float]) -> Landmarks:
    """Return the landmarks in a square around a box (left, top, right, bottom)."""
    left, top, right, bottom = box
    side = _CROP * max(right - left, bottom - top)
    center_x, center_y = (left + right) / 2, (top + bottom) / 2
    scale = _INPUT_PX / side
    half = _INPUT_PX / 2
    view = np.array([[scale, 0.0, half - center_x * scale], [0.0, scale, half - center_y * scale]])
    if scale < 1:  # average before sampling
        photo = cv2.GaussianBlur(photo, (0, 0), max(0.3, 0.4 / scale)).astype(np.float32)
    crop = cv2.warpAffine(photo, view, (_INPUT_PX, _INPUT_PX), flags=cv2.INTER_LINEAR)
    outputs = _network().run(torch.from_numpy(np.ascontiguousarray(crop, np.float32))[None])
    values = outputs[0].reshape(_LANDMARKS, 5).double().numpy()[:_BODY]
    points = values[:, :2] / scale + np.array([center_x - side / 2, center_y - side / 2])
    return Landmarks(points, 1 / (1 + np.exp(-values[:, 3])), float(outputs[1].reshape(-1)[0]))


def _share_inside(mask: Mask, start: Points, end: Points) -> float:
    share = np.linspace(0, 1, 30)[:, None]
    x, y = np.rint(start * (1 - share) + end * share).astype(int).T
    on = (x >= 0) & (y >= 0) & (x < mask.shape[1]) & (y < mask.shape[0])
    return float(np.where(on, mask[np.clip(y, 0, mask.shape[0] - 1), np.clip(x, 0, mask.shape[1] - 1)], False).mean())


def to_rig(points: Points, alpha: Plane) -> Rig:
    """Return the rig of a person from 33 landmarks; left and right become those of the picture."""
    inside = np.pad((alpha > 0.5).astype(np.uint8), 1)
    distance = np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, 5)[1:-1, 1:-1], np.float32)
    sides = sorted((_LEFT, _RIGHT), key=lambda side: points[side["shoulder"], 0] + points[side["hip"], 0])
    shoulders = [points[side["shoulder"]] for side in sides]
    hips = [points[side["hip"]] for side in sides]
    neck, hip = (shoulders[0] + shoulders[1]) / 2, (hips[0] + hips[1]) / 2
    broad = float(np.linalg.norm(shoulders[0] - shoulders[1]))
    broad = max(broad, 0.35 * float(np.linalg.norm(neck - hip)))  # seen from the side
    limbs = []
    for side, name in zip(sides, ("left", "right"), strict=True):
        arm = _center_joints(_arm(points, side), alpha)
        arm_width = min(_thickness(distance, arm[:-1]), 0.28 * broad)
        limbs.append(_limb(f"arm_{name}", "arm", arm, 0.9 * max(arm_width, 0.08 * broad)))
        leg = _center_joints(np.stack([points[side[j]] for j in ("hip", "knee", "ankle", "toe")]), alpha)
        leg_width = _thickness(distance, leg[:-1])
        limbs.append(_limb(f"leg_{name}", "leg", leg, 0.9 * max(leg_width, 0.1 * broad), front=False))
    crown = neck + 2.1 * (points[_NOSE] - neck) * np.array([0.6, 1.0])
    head = Limb(
        name="head", kind="head", points=_pairs(np.stack([neck, crown])), width=max(4.0, 0.4 * broad), cut=False
    )
    height, width = alpha.shape
    return Rig(width=width, height=height, limbs=(*limbs, head), spine=_pairs(np.stack([hip, neck])))


def _arm(points: Points, side: dict[str, int]) -> Points:
    wrist = points[side["wrist"]]
    hand = wrist + 1.5 * ((points[side["pinky"]] + points[side["index"]]) / 2 - wrist)
    return np.stack([points[side["shoulder"]], points[side["elbow"]], wrist, hand])


def _center_joints(joints: Points, alpha: Plane) -> Points:
    """Move inner joints to the middle of the limb, along the line at right angles to the bone before."""
    centered = joints.copy()
    for k in range(1, len(joints) - 1):
        bone = joints[k] - joints[k - 1]
        length = float(np.linalg.norm(bone))
        if length < 1:
            continue
        across = np.array([-bone[1], bone[0]]) / length
        reach = min(40, int(0.5 * length))
        steps = np.arange(-reach, reach + 1)
        x, y = np.rint(joints[k] + steps[:, None] * across).astype(int).T
        on = (x >= 0) & (y >= 0) & (x < alpha.shape[1]) & (y < alpha.shape[0])
        inside = np.zeros(len(steps), bool)
        inside[on] = alpha[y[on], x[on]] > 0.5
        if not inside[reach]:
            continue
        low = reach - int(np.argmin(np.append(inside[reach::-1], False))) + 1
        high = reach + int(np.argmin(np.append(inside[reach:], False))) - 1
        if low > 0 and high < len(steps) - 1:  # both sides of the limb are in sight
            centered[k] = joints[k] + (steps[low] + steps[high]) / 2 * across
    return centered


def _thickness(distance: Plane, joints: Points) -> float:
    """Return half of a limb's thickness: the median distance to the outline along the middle of its bones."""
    shares = np.linspace(0.2, 0.8, 9)[:, None]
    along = np.concatenate([a * (1 - shares) + b * shares for a, b in itertools.pairwise(joints)])
    x = np.clip(np.rint(along[:, 0]).astype(int), 0, distance.shape[1] - 1)
    y = np.clip(np.rint(along[:, 1]).astype(int), 0, distance.shape[0] - 1)
    return max(2.0, float(np.median(distance[y, x])))


def _limb(name: str, kind: str, joints: Points, width: float, *, front: bool = True) -> Limb:
    return Limb.model_validate({"name": name, "kind": kind, "points": _pairs(joints), "width": width, "front": front})


def _pairs(points: Points) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in points)
