"""The rig: named limbs of a subject as polylines, for people, animals and anything that a user describes."""

import itertools
import json
import math
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pochoir._types import Size
from pochoir.animation.arrays import Plane, Points
from pochoir.errors import InputError

RIG_VERSION: Final = 1
MOST_LIMBS: Final = 32
MOST_POINTS: Final = 8
_NEAR_SHARE: Final = 0.02

Coordinate = Annotated[float, Field(ge=-100_000, le=100_000, allow_inf_nan=False, strict=True)]
Joint = tuple[Coordinate, Coordinate]
LimbKind = Literal["arm", "leg", "wing", "head", "tail"]


class Limb(BaseModel):
    """One limb.

    Attributes:
        name: Name that motions and people use, such as ``arm_left``; left and right are those of the picture.
        kind: The way the limb moves.
        points: Joints from the root at the body to the tip, in pixels.
        width: Half of the limb's thickness in pixels.
        cut: True if the limb is cut from the body along a seam, so that it can swing away; False if it only bends.
        front: True if the limb lies before the body where they overlap.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z][a-z0-9_]*$")]
    kind: LimbKind
    points: Annotated[tuple[Joint, ...], Field(min_length=2, max_length=MOST_POINTS)]
    width: Annotated[float, Field(gt=0, le=10_000, strict=True)]
    cut: bool = True
    front: bool = True

    @property
    def joints(self) -> Points:
        """The points as an array, shape (n, 2)."""
        return np.array(self.points, np.float64)

    @property
    def length(self) -> float:
        """Length along the bones, in pixels."""
        return float(np.linalg.norm(np.diff(self.joints, axis=0), axis=1).sum())


class Rig(BaseModel):
    """The limbs of one subject.

    Attributes:
        width: Width of the picture that the points refer to.
        height: Height of that picture.
        limbs: The limbs.
        spine: Hip and neck of a person: the trunk turns about the first, arms and head hang on the second. Empty for
            other subjects, whose trunk moves as a whole.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: Annotated[int, Field(gt=0, strict=True)]
    height: Annotated[int, Field(gt=0, strict=True)]
    limbs: Annotated[tuple[Limb, ...], Field(min_length=1, max_length=MOST_LIMBS)]
    spine: Annotated[tuple[Joint, ...], Field(max_length=2)] = ()

    @property
    def is_person(self) -> bool:
        """True if there is a spine, two arms and two legs."""
        return len(self.spine) == 2 and self.count("arm") == 2 and self.count("leg") == 2

    def count(self, kind: str) -> int:
        """Return the number of limbs of a kind."""
        return sum(limb.kind == kind for limb in self.limbs)

    def of_kind(self, kind: str) -> list[Limb]:
        """Return the limbs of a kind, from left to right by their roots."""
        return sorted((limb for limb in self.limbs if limb.kind == kind), key=lambda limb: limb.points[0])

    def limb(self, name: str) -> Limb:
        """Return the limb of a name, which has to be there."""
        return next(limb for limb in self.limbs if limb.name == name)

    def resized(self, size: Size) -> "Rig":
        """Return the rig for the same picture at another size."""
        fx, fy = size.width / self.width, size.height / self.height

        def scaled(points: tuple[Joint, ...]) -> tuple[Joint, ...]:
            return tuple(((x + 0.5) * fx - 0.5, (y + 0.5) * fy - 0.5) for x, y in points)

        limbs = tuple(
            limb.model_copy(update={"points": scaled(limb.points), "width": limb.width * math.sqrt(fx * fy)})
            for limb in self.limbs
        )
        update = {"width": size.width, "height": size.height, "limbs": limbs, "spine": scaled(self.spine)}
        return self.model_copy(update=update)

    def moved(self, right: float, down: float, size: Size) -> "Rig":
        """Return the rig for the same picture on a larger canvas."""

        def shifted(points: tuple[Joint, ...]) -> tuple[Joint, ...]:
            return tuple((x + right, y + down) for x, y in points)

        limbs = tuple(limb.model_copy(update={"points": shifted(limb.points)}) for limb in self.limbs)
        update = {"width": size.width, "height": size.height, "limbs": limbs, "spine": shifted(self.spine)}
        return self.model_copy(update=update)

    def check(self, alpha: Plane) -> "Rig":
        """Check that the limbs fit each other and a matte of the rig's size.

        Raises:
            InputError: Two limbs share a name, a limb crosses itself or has a bone without length, or a joint lies
                outside of the matte.
        """
        names = [limb.name for limb in self.limbs]
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"The rig names the limb {name!r} twice; each limb needs a name of its own.")
        for limb in self.limbs:
            _check_shape(limb)
            _check_place(limb, alpha)
        return self

    def to_json(self) -> str:
        """Return the rig as JSON that people can edit."""
        values = {"pochoir_rig": RIG_VERSION, **self.model_dump(mode="json")}
        rounded = _rounded(values)
        return json.dumps(rounded, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a rig.

        Raises:
            InputError: The text is not a rig; the message names the first field that is wrong.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(f"A rig is a JSON file; this one cannot be read ({error}).") from error
        if not isinstance(values, dict) or values.get("pochoir_rig") != RIG_VERSION:
            raise InputError(
                f'This is not a rig; it should be an object with "pochoir_rig": {RIG_VERSION}. '
                "Get one to edit with: pochoir animate PHOTO --as rig -o FILE.json"
            )
        return cls.from_dict(values)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return a rig with these values; the version of the file format may be among them.

        Raises:
            InputError: A value is missing, unknown or out of range, or the version is another.
        """
        if values.get("pochoir_rig", RIG_VERSION) != RIG_VERSION:
            raise InputError(f'The rig has "pochoir_rig": {values["pochoir_rig"]!r}; this pochoir reads {RIG_VERSION}.')
        try:
            return cls.model_validate({name: value for name, value in values.items() if name != "pochoir_rig"})
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the rig"
            raise InputError(f"The rig has a wrong value at {where}: {first['msg']}.") from error


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 2)
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return {key: _rounded(item) for key, item in value.items()} if isinstance(value, dict) else value


def _check_shape(limb: Limb) -> None:
    joints = limb.joints
    if (np.linalg.norm(np.diff(joints, axis=0), axis=1) < 1e-6).any():
        raise InputError(f"The limb {limb.name!r} has two joints in one place; each bone needs a length.")
    bones = list(itertools.pairwise(joints))
    for first in range(len(bones)):
        for second in range(first + 2, len(bones)):
            if _cross(*bones[first], *bones[second]):
                raise InputError(f"The limb {limb.name!r} crosses itself; move its joints so that bones do not meet.")


def _cross(a: Points, b: Points, c: Points, d: Points) -> bool:
    def side(p: Points, q: Points, r: Points) -> float:
        return float((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


def _check_place(limb: Limb, alpha: Plane) -> None:
    height, width = alpha.shape
    slack = max(2.0, _NEAR_SHARE * math.hypot(width, height), limb.width)
    rows, columns = np.nonzero(alpha > 0.1)
    for number, (x, y) in enumerate(limb.points[:-1], start=1):
        if not (0 <= x < width and 0 <= y < height):
            continue  # a limb that the frame cuts off may go on outside
        if not len(rows) or np.hypot(columns - x, rows - y).min() > slack:
            raise InputError(
                f"Joint {number} of the limb {limb.name!r} at {x:.0f},{y:.0f} lies outside of the subject; "
                "move it onto the subject, or correct the matte."
            )
