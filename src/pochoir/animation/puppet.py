"""Subjects that can be drawn in another shape."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pochoir.animation.arrays import Layer, Plane, Points, Triangles
from pochoir.animation.body import Body, measure
from pochoir.animation.mesh import Mesh, mesh_matte
from pochoir.animation.motions import Move, Phases


class Puppet(Protocol):
    """A subject with a mesh that motions move.

    Attributes:
        body: Measures of the subject.
        rest: Positions of the vertices at rest.
        triangles: Corners of the triangles, in the order in which they are drawn.
        parts: Index of the layer that each triangle takes its colours from.
        names: Name of each layer.
    """

    body: Body
    rest: Points
    triangles: Triangles
    parts: npt.NDArray[np.int32]
    names: tuple[str, ...]

    def layers(self, cutout: Layer) -> list[Layer]:
        """Return the layers to draw from, cut from a cutout with the matte that the puppet was made from."""
        ...

    def pose(self, moves: Sequence[Move], phase_of: Phases) -> Points:
        """Return the positions of the vertices at the phases of the moves."""
        ...


class Sheet:
    """A subject in one piece, moved by displacement fields.

    Args:
        alpha: The subject's matte in [0, 1], shape (H, W).
        mesh: Mesh of the matte; None makes one.
    """

    def __init__(self, alpha: Plane, mesh: Mesh | None = None) -> None:
        mesh = mesh_matte(alpha) if mesh is None else mesh
        self.body = measure(alpha)
        self.mesh = mesh
        self.rest = mesh.points
        self.triangles = mesh.triangles
        self.parts = np.zeros(len(mesh.triangles), np.int32)
        self.names: tuple[str, ...] = ("subject",)

    def layers(self, cutout: Layer) -> list[Layer]:
        """Return the cutout itself."""
        return [cutout]

    def pose(self, moves: Sequence[Move], phase_of: Phases) -> Points:
        """Return the rest positions plus the displacements of all moves."""
        return displaced(self.body, self.rest, self.rest, moves, phase_of)


def displaced(body: Body, rest: Points, points: Points, moves: Sequence[Move], phase_of: Phases) -> Points:
    """Add the displacement fields of moves, evaluated at rest, to points."""
    for move in moves:
        if move.motion.field is not None:
            phase = phase_of(move.motion.period_s)
            points = points + (move.motion.field(body, rest, phase, move.amount) - rest)
    return points
