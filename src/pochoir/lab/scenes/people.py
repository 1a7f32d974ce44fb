"""Drawn people, whose hair makes the edge."""

import numpy as np

from pochoir.lab.scenes.board import Board, Color, bend, ring, smooth


def draw_long_hair(board: Board) -> None:
    """Draw a person with long hair and loose strands."""
    _person(board, coat=(0.20, 0.32, 0.55), skin=(0.88, 0.66, 0.54), hair=(0.22, 0.13, 0.08))
    rng, color = board.rng, (0.30, 0.17, 0.10)
    locks = []
    for _ in range(1400):  # from the parting over the temple down to the shoulder
        side, depth = rng.choice((-1, 1)), rng.random()
        wide = 0.105 + 0.085 * depth + rng.normal(0, 0.008)
        way = [
            (0.375 - side * 0.004, 0.25 - 0.06 * depth),
            (0.375 + side * wide * 0.8, 0.27 - 0.04 * depth),
            (0.375 + side * wide, 0.42),
            (0.375 + side * (wide + 0.02 + rng.normal(0, 0.012)), rng.uniform(0.58, 0.72)),
        ]
        locks.append(smooth(way, closed=False, count=8))
    board.strands(locks, board.tints(color, len(locks), spread=0.4), width=0.004)
    loose = [
        bend(lock[rng.integers(4, 20)], rng.uniform(0, 2 * np.pi), rng.uniform(0.05, 0.13), curl=rng.normal(0, 1.2))
        for lock in locks[:220]
    ]
    board.strands(loose, board.tints(color, len(loose), spread=0.4), width=0.001, opacity=0.8)


def draw_curly_hair(board: Board) -> None:
    """Draw a person with curly hair."""
    outline = ring(0.375, 0.36, 0.245, 0.25)
    board.solid(board.polygon(outline), (0.62, 0.40, 0.18), grain=0.5, scale=0.03)
    curls = []
    for _ in range(1500):
        angle, far = board.rng.uniform(0, 2 * np.pi), board.rng.uniform(0.75, 1.08)
        root = (0.375 + 0.245 * far * np.cos(angle), 0.36 + 0.25 * far * np.sin(angle))
        curls.append(bend(root, angle + board.rng.normal(0, 0.9), 0.07, curl=board.rng.normal(0, 5)))
    board.strands(curls, board.tints((0.70, 0.46, 0.22), len(curls), spread=0.5), width=0.0022)
    _person(board, coat=(0.62, 0.20, 0.22), skin=(0.62, 0.42, 0.31), hair=(0.62, 0.40, 0.18))
    front = []
    for _ in range(260):
        angle = board.rng.uniform(np.pi * 1.08, np.pi * 1.92)
        root = (0.375 + 0.125 * np.cos(angle), 0.38 + 0.16 * np.sin(angle))
        front.append(bend(root, angle + board.rng.normal(0, 0.9), 0.06, curl=board.rng.normal(0, 5)))
    board.strands(front, board.tints((0.66, 0.43, 0.20), len(front), spread=0.5), width=0.003)


def _person(board: Board, *, coat: Color, skin: Color, hair: Color) -> None:
    shoulders = smooth(
        [
            (0.375, 0.64),
            (0.50, 0.67),
            (0.63, 0.76),
            (0.68, 1.02),
            (0.375, 1.3),
            (0.07, 1.02),
            (0.12, 0.76),
            (0.25, 0.67),
        ]
    )
    board.solid(board.polygon(shoulders), coat, grain=0.2, scale=0.012)
    board.solid(board.ellipse(0.375, 0.62, 0.065, 0.12), tuple(0.85 * c for c in skin), light=0.4)
    board.solid(board.ellipse(0.375, 0.40, 0.125, 0.17), skin, light=0.35, grain=0.05)
    for x in (0.325, 0.425):
        board.solid(board.ellipse(x, 0.385, 0.024, 0.012), (0.95, 0.95, 0.93), light=0.1)
        board.lay(board.ellipse(x, 0.385, 0.011, 0.012), (0.15, 0.12, 0.10))
        board.lay(board.ellipse(x, 0.352, 0.033, 0.006), hair)
    board.lay(board.ellipse(0.375, 0.44, 0.017, 0.028) * 0.35, tuple(0.6 * c for c in skin))
    board.lay(board.ellipse(0.375, 0.497, 0.04, 0.012), (0.66, 0.28, 0.28))
