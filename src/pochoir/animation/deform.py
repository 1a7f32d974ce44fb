"""Deform a mesh by handles, as rigidly as possible."""

from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp  # type: ignore[import-untyped]
from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]
from scipy.sparse.linalg import splu  # type: ignore[import-untyped]

from pochoir.animation.arrays import Points, Triangles

ITERATIONS: Final = 2
"""Rounds of local and global steps; more change positions by less than a tenth of a pixel."""

Complex = npt.NDArray[np.complex128]
Transform = npt.NDArray[np.float64]
"""Affine transform of the plane, shape (2, 3): linear part, then shift."""


def adopt_orphans(triangles: Triangles, points: Points, handles: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Give every connected piece of a mesh a handle.

    Args:
        triangles: Corners of the triangles.
        points: Vertices.
        handles: Number of the handle that holds each vertex, or -1.

    Returns:
        The numbers, with all vertices of a piece that had no handle held by that of the nearest held vertex.
    """
    count = len(points)
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]]])
    graph = sp.coo_matrix((np.ones(len(edges)), edges.T), (count, count))
    pieces, piece_of = connected_components(graph, directed=False)
    result = handles.copy()
    held = np.flatnonzero(handles >= 0)
    if not len(held):
        return result
    for piece in range(pieces):
        own = piece_of == piece
        if (handles[own] >= 0).any():
            continue
        nearest = np.linalg.norm(points[held] - points[own].mean(axis=0), axis=1).argmin()
        result[own] = handles[held[nearest]]
    return result


class Deformer:
    """Finds the shape of a mesh whose handles are moved, keeping each neighbourhood as rigid as it can.

    The result depends on the handles' transforms alone, not on earlier ones, so frames can be computed in any order.
    The start is a blend of the handles' transforms by harmonic weights, which two iterations polish.

    Args:
        points: Vertices at rest.
        triangles: Corners of the triangles.
        handles: Number of the handle that holds each vertex, or -1 where it is free.
        strength: Weight of the handle on each vertex.

    References:
        Sorkine and Alexa, "As-rigid-as-possible surface modeling", SGP 2007. We hold handles softly, so that a handle
        that would tear the mesh gives way.
    """

    def __init__(
        self,
        points: Points,
        triangles: Triangles,
        handles: npt.NDArray[np.int64],
        strength: npt.NDArray[np.float64],
    ) -> None:
        self.points = points
        self._handles = handles
        self._pull = np.where(handles >= 0, strength, 0.0)
        count = len(points)
        rest = points[:, 0] + 1j * points[:, 1]
        weights = _cotangents(rest, triangles, count)
        self._from, self._to, self._weight = weights.row, weights.col, weights.data
        self._edge = rest[self._from] - rest[self._to]
        ones = np.ones(len(self._from))
        self._gather = sp.csr_matrix((ones, (self._from, np.arange(len(self._from)))), (count, len(self._from)))
        degree = np.asarray(weights.sum(axis=1)).ravel()
        self._solver = splu((sp.diags(degree + self._pull) - weights).tocsc())
        member = np.zeros((count, int(handles.max()) + 1))
        held = handles >= 0
        member[held, handles[held]] = self._pull[held]
        self._blend = self._solver.solve(member)

    def solve(self, transforms: Transform, stretches: Transform | None = None) -> Points:
        """Return the positions of the vertices.

        Args:
            transforms: Transform of each handle, shape (handles, 2, 3).
            stretches: Change of form that each handle asks for before it turns, shape (handles, 2, 2). The mesh around
                it takes the new form as its own instead of resisting it. None asks for none.
        """
        homogeneous = np.column_stack([self.points, np.ones(len(self.points))])
        moved = np.einsum("hij,nj->hni", transforms, homogeneous)
        held = self._handles >= 0
        target = np.zeros(len(self.points), np.complex128)
        chosen = moved[self._handles[held], np.flatnonzero(held)]
        target[held] = chosen[:, 0] + 1j * chosen[:, 1]
        start = np.einsum("nh,hni->ni", self._blend, moved)
        positions = start[:, 0] + 1j * start[:, 1]
        edge = self._edge if stretches is None else self._stretched(stretches)
        for _ in range(ITERATIONS):
            positions = self._step(positions, target, edge)
        return np.stack([positions.real, positions.imag], axis=1)

    def _stretched(self, stretches: Transform) -> Complex:
        """Return the edges at rest in the form that the handles ask for."""
        form = np.einsum("nh,hij->nij", self._blend, stretches)
        form = (form[self._from] + form[self._to]) / 2
        flat = np.einsum("eij,ej->ei", form, np.stack([self._edge.real, self._edge.imag], axis=1))
        edge: Complex = flat[:, 0] + 1j * flat[:, 1]
        return edge

    def _step(self, positions: Complex, target: Complex, edge: Complex) -> Complex:
        now = positions[self._from] - positions[self._to]
        turned = self._gather @ (self._weight * edge.conj() * now)
        rotation = turned / np.maximum(np.abs(turned), 1e-12)
        wanted = self._weight * 0.5 * (rotation[self._from] + rotation[self._to]) * edge
        right = self._gather @ wanted + self._pull * target
        solved = self._solver.solve(np.column_stack([right.real, right.imag]))
        result: Complex = solved[:, 0] + 1j * solved[:, 1]
        return result


def _cotangents(rest: Complex, triangles: Triangles, count: int) -> "sp.coo_matrix":
    """Return the symmetric matrix of half cotangents of the angles opposite each edge."""
    rows, columns, values = [], [], []
    for k in range(3):
        i, j, apex = triangles[:, k], triangles[:, (k + 1) % 3], triangles[:, (k + 2) % 3]
        one, other = rest[i] - rest[apex], rest[j] - rest[apex]
        cotangent = (one * other.conj()).real / np.maximum(np.abs((one.conj() * other).imag), 1e-9)
        rows += [i, j]
        columns += [j, i]
        values += [np.maximum(cotangent, 0.02) / 2] * 2
    matrix = sp.coo_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), (count, count))
    return matrix.tocsr().tocoo()
