"""Drawn birds and feathers."""

import numpy as np

from pochoir.lab.scenes.animals import draw_hairy
from pochoir.lab.scenes.board import Board, Color, bend, ring


def draw_bird(board: Board) -> None:
    """Draw a perching bird."""
    for i in range(9):  # tail
        _vane(board, (0.60, 0.44), 0.25 + 0.09 * (i - 4), 0.32, 0.028, (0.20, 0.28, 0.45), barbs=70)
    draw_hairy(board, ring(0.47, 0.38, 0.17, 0.13, turn=0.3), (0.30, 0.48, 0.70), count=1400, length=0.035, lean=-0.8)
    draw_hairy(board, ring(0.45, 0.43, 0.12, 0.075, turn=0.3), (0.90, 0.62, 0.34), count=700, length=0.03, lean=-0.8)
    for i in range(8):  # wing
        _vane(
            board,
            (0.46 + 0.012 * i, 0.34 + 0.004 * i),
            0.40 + 0.05 * i,
            0.26 - 0.012 * i,
            0.03,
            (0.16, 0.30, 0.52),
            barbs=60,
        )
    draw_hairy(board, ring(0.335, 0.25, 0.09, 0.085), (0.30, 0.48, 0.70), count=800, length=0.022, lean=0.2)
    board.solid(board.polygon(np.array([(0.262, 0.235), (0.175, 0.268), (0.262, 0.282)])), (0.30, 0.26, 0.20))
    board.lay(board.ellipse(0.315, 0.235, 0.019, 0.019), (0.04, 0.03, 0.03))
    board.lay(board.ellipse(0.310, 0.229, 0.006, 0.006), (1.0, 1.0, 1.0))
    legs = [
        np.array([(x, 0.49), (x - 0.01, 0.60), (x + toe, 0.625)]) for x in (0.44, 0.51) for toe in (-0.06, -0.03, 0.03)
    ]
    board.strands(legs, [(0.30, 0.22, 0.16)] * 6, width=0.008, taper=False)


def draw_plumes(board: Board) -> None:
    """Draw a bunch of plumes."""
    for i, color in enumerate(
        [(0.95, 0.92, 0.88), (0.86, 0.30, 0.42), (0.96, 0.75, 0.40), (0.92, 0.88, 0.84), (0.75, 0.22, 0.38)]
    ):
        _vane(
            board,
            (0.375, 0.80),
            -np.pi / 2 + 0.24 * (i - 2),
            0.62 - 0.03 * abs(i - 2),
            0.095,
            color,
            barbs=190,
            loose=0.35,
            curl=0.16 * (i - 2),
        )
    band = np.array([(0.335, 0.70), (0.415, 0.70), (0.425, 0.84), (0.325, 0.84)])
    board.solid(board.polygon(band), (0.70, 0.24, 0.36), light=0.9, grain=0.1)


def _vane(
    board: Board,
    root: tuple[float, float],
    heading: float,
    length: float,
    width: float,
    color: Color,
    *,
    barbs: int,
    loose: float = 0.1,
    curl: float = 0.25,
) -> None:
    """Draw one feather: a shaft, and barbs that lie close or loose on both sides."""
    shaft = bend(root, heading, length, curl=curl)
    way = np.gradient(shaft, axis=0)
    along = np.linspace(0.08, 0.98, barbs)
    curves = []
    for t in along:
        index = int(t * 13)
        angle = np.arctan2(way[index, 1], way[index, 0])
        point = shaft[0] + np.array([np.interp(t * 13, np.arange(14), shaft[:, k] - shaft[0, k]) for k in (0, 1)])
        reach = width * min(1.0, 4 * t, 4.2 * (1 - t) + 0.25)
        for side in (-1, 1):
            lean = angle + side * (0.75 + board.rng.normal(0, loose))
            curves.append(bend(point, lean, reach * board.rng.uniform(0.85, 1.1) * 1.4, curl=-side * 0.6))
    board.strands(curves, board.tints(color, len(curves), spread=0.25), width=length * 0.95 / barbs)
    board.strands([shaft], [tuple(min(1.0, 1.5 * c + 0.1) for c in color)], width=0.004)
