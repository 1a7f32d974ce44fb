"""Measures of a subject: its box, where it stands, which edges of the frame cut it off, and how it bulges."""

from dataclasses import dataclass
from math import pi

import cv2
import numpy as np
import numpy.typing as npt

from pochoir.animation.arrays import Plane, Points

TOUCHED_SHARE = 0.05
"""Share of an edge's pixels in the matte from which the subject counts as cut off there."""
_INFLATED = 0.22

Heights = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Body:
    """The measures of a subject that fields need.

    Attributes:
        width_px: Width of the frame.
        height_px: Height of the frame.
        left: Left edge of the subject's box.
        right: Right edge.
        top: Upper edge.
        foot: Lower edge, the ground line.
        support_x: Middle of the lowest part, on which the subject stands.
        support_px: Width of the lowest part.
        touched: Edges of the frame that cut the subject off.
        depth: Height of the inflated matte above the picture plane in pixels, shape (H, W).
    """

    width_px: int
    height_px: int
    left: float
    right: float
    top: float
    foot: float
    support_x: float
    support_px: float
    touched: frozenset[str]
    depth: Plane

    @property
    def w(self) -> float:
        """Width of the subject in pixels."""
        return self.right - self.left

    @property
    def h(self) -> float:
        """Height of the subject in pixels."""
        return self.foot - self.top

    @property
    def center_x(self) -> float:
        """Middle of the box."""
        return (self.left + self.right) / 2

    def u(self, points: Points) -> Heights:
        """Return horizontal positions relative to the middle, in widths of the subject."""
        across: Heights = (points[:, 0] - self.center_x) / self.w
        return across

    def v(self, points: Points) -> Heights:
        """Return heights above the foot line, in heights of the subject."""
        up: Heights = (self.foot - points[:, 1]) / self.h
        return up

    def depth_at(self, points: Points) -> Heights:
        """Return the inflated height at points, in pixels."""
        x = np.clip(np.rint(points[:, 0]).astype(int), 0, self.width_px - 1)
        y = np.clip(np.rint(points[:, 1]).astype(int), 0, self.height_px - 1)
        depth: Heights = self.depth[y, x].astype(np.float64)
        return depth


def measure(alpha: Plane) -> Body:
    """Return the measures of the subject whose matte is ``alpha``, shape (H, W), somewhere above zero."""
    inside = alpha > 0.5
    if not inside.any():
        inside = alpha > 0  # a faint subject is still a subject
    height, width = alpha.shape
    rows, columns = np.nonzero(inside)
    left, right, top, foot = columns.min(), columns.max() + 1, rows.min(), rows.max() + 1
    low = columns[rows >= foot - max(1.0, 0.06 * (foot - top))]
    edges = {"top": inside[0], "bottom": inside[-1], "left": inside[:, 0], "right": inside[:, -1]}
    touched = frozenset(name for name, edge in edges.items() if edge.mean() > TOUCHED_SHARE)
    depth = _inflate(inside.astype(np.uint8), float(right - left)) * (_INFLATED * min(right - left, foot - top))
    return Body(
        width_px=width,
        height_px=height,
        left=float(left),
        right=float(right),
        top=float(top),
        foot=float(foot),
        support_x=float(low.mean()),
        support_px=float(low.max() - low.min() + 1),
        touched=touched,
        depth=depth.astype(np.float32),
    )


def _inflate(inside: "npt.NDArray[np.uint8]", width_px: float) -> Plane:
    """Return a smooth height over a mask, 0 at its rim and 1 at its innermost point."""
    distance = cv2.distanceTransform(np.pad(inside, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    # A sine meets the top without a kink. A square root, steeper at the rim, folds triangles there.
    height = np.sin(pi / 2 * np.minimum(distance / max(0.9 * float(distance.max()), 1.0), 1.0))
    return np.asarray(cv2.GaussianBlur(height, (0, 0), max(2.0, 0.04 * width_px)), np.float32)
