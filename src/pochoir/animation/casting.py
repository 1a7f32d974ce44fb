"""Casting: which subjects of a picture move by themselves, and which motions each of them can do."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from pochoir.animation.arrays import Layer, Picture, Plane
from pochoir.animation.limbs import find_limbs
from pochoir.animation.motions import Motion, Move
from pochoir.animation.pose import Doubt, find_person
from pochoir.animation.puppet import Puppet, Sheet
from pochoir.animation.rig import Rig
from pochoir.animation.rigged import Rigged
from pochoir.errors import EmptyRegionError, OptionError

LEAST_SHARE: Final = 0.02
"""Smallest share of the subject's pixels that a piece needs to move by itself."""
MOST_SUBJECTS: Final = 8
LEAST_LEGS: Final = 3
"""Legs that the outline has to show of a four-legged animal; one may hide behind another."""
_ANY: Final = "breathe, sway, nod or bounce"


@dataclass(frozen=True, eq=False)
class Role:
    """A subject that moves by itself.

    Attributes:
        puppet: Its mesh and parts.
        moves: Motions that it does.
        share: Share of the whole matte that belongs to it, shape (H, W).
    """

    puppet: Puppet
    moves: tuple[Move, ...]
    share: Plane

    def take(self, cutout: Layer) -> Layer:
        """Return the part of a cutout that belongs to this subject."""
        return np.ascontiguousarray(cutout * self.share[..., None], dtype=np.float32)


@dataclass(frozen=True)
class Cast:
    """All roles of a picture.

    Attributes:
        roles: Subjects, drawn in this order: those that stand lower are nearer.
        rigs: Rig of each subject that has one.
        notes: Facts that the user should know.
    """

    roles: tuple[Role, ...]
    rigs: tuple[Rig, ...]
    notes: tuple[str, ...]


def cast(photo: Picture, alpha: Plane, moves: Sequence[Move], rig: Rig | None = None) -> Cast:
    """Give each subject of a picture a puppet and the motions that it can do.

    Args:
        photo: Colours before painting, in which people are looked for, shape (H, W, 3).
        alpha: The subjects' matte, shape (H, W).
        moves: Motions that are wanted.
        rig: Limbs of the subject as the user gave them, for a picture of this size; None finds them.

    Raises:
        EmptyRegionError: The matte is empty.
        OptionError: A motion needs limbs that no subject has.
        WeightsMissingError: People have to be found, and the weights for that are not in the cache.
        InputError: The given rig does not fit the matte.
    """
    if not (alpha > 0).any():
        raise EmptyRegionError("The matte is empty, so there is no subject to move.")
    if rig is not None:
        rig.check(alpha)
        _check_moves(rig, moves)
        role = Role(Rigged(alpha, rig), tuple(moves), np.ones_like(alpha))
        return Cast((role,), (rig,), ())
    shares = separate(alpha)
    needs = {move.motion.needs for move in moves} - {"nothing"}
    rigs = [_find(photo, np.asarray(alpha * share, np.float32), needs) for share in shares]
    reasons = [found.reason for found in rigs if isinstance(found, Doubt)]
    roles = []
    for share, found in zip(shares, rigs, strict=True):
        own = None if isinstance(found, Doubt) else found
        able = tuple(move for move in moves if _can(own, move.motion))
        part = np.asarray(alpha * share, np.float32)
        uses_rig = own is not None and any(move.motion.curve for move in able)
        puppet: Puppet = Rigged(part, own) if uses_rig and own is not None else Sheet(part)
        roles.append(Role(puppet, able, share))
    for move in moves:
        if not any(move in role.moves for role in roles):
            raise OptionError(_explain(move.motion, reasons))
    still = sum(not role.moves for role in roles)
    notes = (f"{still} of {len(roles)} subjects stay still: they lack the limbs for this motion",) if still else ()
    return Cast(tuple(roles), tuple(each for each in rigs if isinstance(each, Rig)), notes)


def find_rig(photo: Picture, alpha: Plane) -> Rig | Doubt:
    """Find the limbs of a subject: those of a person if one stands there, else those that the outline shows.

    Raises:
        WeightsMissingError: The weights for people are not in the cache.
    """
    found = find_person(photo, alpha)
    if isinstance(found, Rig):
        return found
    limbs = find_limbs(alpha)
    return limbs or Doubt(f"{found.reason}, and the outline shows no limbs")


def separate(alpha: Plane) -> list[Plane]:
    """Split a matte into the shares of its separate pieces, from the highest foot to the lowest.

    Small pieces, and pixels between pieces, belong to the nearest large one. The shares add up to 1.
    """
    solid = (alpha > 0.5).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if count <= 2 or not len(areas):
        return [np.ones_like(alpha)]
    pieces = [label for label in range(1, count) if areas[label - 1] >= max(64, LEAST_SHARE * areas.sum())]
    if len(pieces) < 2:
        return [np.ones_like(alpha)]
    large = sorted(pieces, key=lambda label: -int(areas[label - 1]))[:MOST_SUBJECTS]
    kept = np.isin(labels, large)
    gaps = (~kept).astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(gaps, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    owner_of = np.zeros(int(nearest.max()) + 1, np.int64)
    owner_of[nearest[kept]] = labels[kept]
    owner = owner_of[nearest]
    foot = {label: stats[label, cv2.CC_STAT_TOP] + stats[label, cv2.CC_STAT_HEIGHT] for label in large}
    return [(owner == label).astype(np.float32) for label in sorted(large, key=lambda label: foot[label])]


def _find(photo: Picture, alpha: Plane, needs: Collection[str]) -> Rig | Doubt | None:
    """Return the rig that the wanted motions need, the reason for having none, or None if none is needed."""
    if not needs:
        return None
    if "person" in needs:
        found = find_person(photo, alpha)
        if isinstance(found, Rig) or set(needs) == {"person"}:
            return found
    return find_limbs(alpha) or Doubt("the outline shows no limbs")


def _can(rig: Rig | None, motion: Motion) -> bool:
    if motion.needs == "nothing":
        return True
    if rig is None:
        return False
    if motion.needs == "person":
        return rig.is_person
    if motion.needs == "legs":
        return rig.count("leg") >= LEAST_LEGS and not rig.is_person
    return rig.count("wing") >= 1


def _check_moves(rig: Rig, moves: Sequence[Move]) -> None:
    for move in moves:
        if not _can(rig, move.motion):
            wanted = {
                "person": "a spine, two arms (kind arm) and two legs (kind leg)",
                "legs": f"at least {LEAST_LEGS} legs (kind leg) and no spine",
                "wings": "a wing (kind wing)",
            }[move.motion.needs]
            raise OptionError(f"The motion {move.motion.name} needs {wanted} in the rig.")


def _explain(motion: Motion, reasons: Sequence[str]) -> str:
    wanted = {"person": "a person who stands free", "legs": "an animal whose legs the outline shows"}
    what = wanted.get(motion.needs, "wings that the outline shows on both sides")
    why = f" ({reasons[0]})" if reasons else ""
    return (
        f"The motion {motion.name} needs {what}{why}. Give limbs with --rig FILE, "
        f"or use {_ANY}, which any subject can do."
    )
