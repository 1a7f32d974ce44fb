"""Triangle meshes that cover a matte."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from pochoir.animation.arrays import Mask, Plane, Points, Triangles

VERTICES: Final = 1400
"""Number of vertices that a mesh aims for."""
RIM_PX: Final = 4
"""Margin of the mesh around the matte: a quintic B-spline reaches three pixels beyond the last opaque one."""
_LEAST_SPACING_PX: Final = 3.0
_ROW: Final = 3.0**0.5 / 2.0


@dataclass(frozen=True, eq=False)
class Mesh:
    """Vertices and triangles of equal orientation.

    Attributes:
        points: Positions of the vertices.
        triangles: Corners of the triangles, clockwise on the screen, where y points down.
    """

    points: Points
    triangles: Triangles

    def areas(self, points: Points) -> Points:
        """Return the signed area of each triangle, in square pixels, with the vertices at ``points``."""
        first, second, third = (points[self.triangles[:, k]] for k in range(3))
        one, other = second - first, third - first
        area: Points = (one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]) / 2
        return area


def mesh_matte(alpha: Plane, *, vertices: int = VERTICES) -> Mesh:
    """Cover a matte with equilateral triangles.

    The triangles are cells of a hexagonal lattice, so none is a sliver and cotangent weights are all positive. The
    silhouette need not follow the mesh, because edges are drawn from the texture's alpha.

    Args:
        alpha: Matte in [0, 1], shape (H, W), nowhere above zero only if it is to give an empty mesh.
        vertices: Number of vertices to aim for.

    Returns:
        A mesh that contains every pixel with alpha above zero and a rim of ``RIM_PX`` around it, also beyond edges of
        the frame that the matte touches.
    """
    inside = grow(alpha > 0, RIM_PX)
    area = max(1, int(inside.sum()))
    spacing = max(_LEAST_SPACING_PX, float(np.sqrt(area / max(1, vertices) / _ROW)))
    rows, columns = np.nonzero(inside)
    return _lattice_cells(columns - RIM_PX, rows - RIM_PX, spacing)


def grow(inside: Mask, radius_px: int) -> Mask:
    """Return a mask padded by ``radius_px`` on all sides and grown by as much."""
    padded = np.pad(inside.astype(np.uint8), radius_px)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1, 2 * radius_px + 1))
    grown: Mask = cv2.dilate(padded, disc) > 0
    return grown


def cells_touching(mesh: Mesh, inside: Mask) -> Mask:
    """Tell for each triangle of a lattice mesh whether a true pixel, or one within a pixel of it, lies inside it."""
    wanted = cv2.dilate(inside.astype(np.uint8), np.ones((3, 3), np.uint8))
    height, width = wanted.shape
    corners = mesh.points[mesh.triangles]
    hit = np.zeros(len(mesh.triangles), bool)
    steps = 6  # samples a side; the lattice is a few pixels wide, so no two samples are further apart than three
    for a in range(steps + 1):
        for b in range(steps + 1 - a):
            at = (corners[:, 0] * a + corners[:, 1] * b + corners[:, 2] * (steps - a - b)) / steps
            x, y = np.rint(at[:, 0]).astype(int), np.rint(at[:, 1]).astype(int)
            on = (x >= 0) & (y >= 0) & (x < width) & (y < height)
            hit[on] |= wanted[y[on], x[on]] > 0
    return hit


def _lattice_cells(x: npt.NDArray[np.int64], y: npt.NDArray[np.int64], spacing: float) -> Mesh:
    """Return the cells of the lattice that contain the pixels at ``x``, ``y``."""
    # In the lattice's own axes each cell is half of a unit square, split along the diagonal.
    v = y / (spacing * _ROW)
    u = x / spacing - v / 2
    column, row = np.floor(u).astype(np.int64), np.floor(v).astype(np.int64)
    upper = (u - column) + (v - row) > 1
    cells = np.unique(np.stack([column, row, upper.astype(np.int64)], axis=1), axis=0)
    c, r, far = cells[:, 0], cells[:, 1], cells[:, 2]
    first = np.where(far[:, None] == 1, np.stack([c + 1, r + 1], 1), np.stack([c, r], 1))
    second = np.where(far[:, None] == 1, np.stack([c, r + 1], 1), np.stack([c + 1, r], 1))
    third = np.where(far[:, None] == 1, np.stack([c + 1, r], 1), np.stack([c, r + 1], 1))
    corners = np.concatenate([first, second, third])
    nodes, index = np.unique(corners, axis=0, return_inverse=True)
    points = np.stack([(nodes[:, 0] + nodes[:, 1] / 2) * spacing, nodes[:, 1] * spacing * _ROW], axis=1)
    triangles = index.reshape(3, -1).T.astype(np.int32)
    return Mesh(points, np.ascontiguousarray(triangles))
