"""Drawn plants with holes, twigs and leaves."""

import numpy as np

from pochoir.lab.scenes.board import Board, Color, Points, bend, smooth


def draw_holed_leaf(board: Board) -> None:
    """Draw a leaf with slits and holes in a pot."""
    board.strands(
        [smooth([(0.375, 0.96), (0.36, 0.80), (0.375, 0.62)], closed=False)],
        [(0.30, 0.45, 0.16)],
        width=0.018,
        taper=False,
    )
    heart = smooth(
        [
            (0.375, 0.70),
            (0.30, 0.76),
            (0.16, 0.70),
            (0.09, 0.52),
            (0.16, 0.30),
            (0.375, 0.08),
            (0.59, 0.30),
            (0.66, 0.52),
            (0.59, 0.70),
            (0.45, 0.76),
        ]
    )
    mask = board.polygon(heart)
    for side in (-1, 1):
        for i in range(5):
            y = 0.26 + 0.095 * i
            slit = smooth(
                [
                    (0.375 + side * 0.11, y + 0.02),
                    (0.375 + side * 0.22, y - 0.04),
                    (0.375 + side * 0.40, y - 0.10),
                    (0.375 + side * 0.40, y - 0.065),
                    (0.375 + side * 0.23, y - 0.002),
                ]
            )
            mask = mask * (1 - board.polygon(slit))
            mask = mask * (1 - board.ellipse(0.375 + side * 0.062, y + 0.06, 0.026, 0.011, -side * 0.6))
    board.solid(mask.astype(np.float32), (0.16, 0.46, 0.20), light=0.8, grain=0.15)
    veins = [
        smooth(
            [(0.375, 0.32 + 0.095 * i), (0.375 + s * 0.14, 0.27 + 0.095 * i), (0.375 + s * 0.25, 0.20 + 0.095 * i)],
            closed=False,
        )
        for i in range(5)
        for s in (-1, 1)
    ]
    before = board.alpha.copy()
    board.strands([*veins, np.array([(0.375, 0.10), (0.375, 0.70)])], [(0.45, 0.66, 0.32)] * 11, width=0.004)
    inside = np.where(board.alpha > 0, before / np.maximum(board.alpha, 1e-6), 0).astype(np.float32)
    board.color *= inside[..., None]  # veins end where the leaf ends
    board.alpha = before
    pot = np.array([(0.26, 0.86), (0.49, 0.86), (0.46, 1.02), (0.29, 1.02)])
    board.solid(board.polygon(pot), (0.74, 0.40, 0.26), light=0.7)


def draw_tree(board: Board) -> None:
    """Draw a bare tree in a bowl."""
    board.solid(
        board.polygon(smooth([(0.34, 0.60), (0.68, 0.60), (0.65, 0.68), (0.37, 0.68)])), (0.20, 0.32, 0.52), light=0.8
    )
    _branch(board, (0.51, 0.61), -np.pi / 2 - 0.1, 0.15, 0.036, 0)


def _branch(board: Board, root: tuple[float, float], heading: float, length: float, width: float, depth: int) -> None:
    curve = bend(root, heading, length, curl=board.rng.normal(0, 0.5), wave=0.1)
    board.strands([curve], board.tints((0.36, 0.24, 0.16), 1, spread=0.3), width=width)
    if depth == 6:
        return
    for _ in range(3 if depth < 2 else 2):
        at = curve[board.rng.integers(8, 14)]
        turn = heading + board.rng.normal(0, 0.75)
        turn = turn - 0.25 * np.sin(turn + np.pi / 2)  # twigs strive upwards
        _branch(board, tuple(at), turn, length * board.rng.uniform(0.62, 0.9), max(width * 0.6, 0.0016), depth + 1)


def draw_fern(board: Board) -> None:
    """Draw a fern seen from above."""
    for i in range(21):
        heading = -np.pi / 2 + 0.135 * (i - 10) + board.rng.normal(0, 0.06)
        spine = bend((0.5, 0.50), heading, 0.40 + board.rng.uniform(-0.06, 0.04), curl=0.11 * (i - 10))
        way = np.gradient(spine, axis=0)
        color = board.tints((0.30, 0.58, 0.18), 1, spread=0.35)[0]
        for j in range(2, 14):
            angle = np.arctan2(way[j, 1], way[j, 0])
            size = 0.075 * (1 - j / 15) + 0.012
            for side in (-1, 1):
                _leaflet(
                    board, spine[j], angle + side * 1.0, size, size * 0.26, tuple(color * board.rng.uniform(0.8, 1.15))
                )
        board.strands([spine], [tuple(0.7 * color)], width=0.004)
    board.solid(board.ellipse(0.5, 0.50, 0.035, 0.03), (0.26, 0.40, 0.16), light=0.8)


def draw_bouquet(board: Board) -> None:
    """Draw a bouquet of flowers and grasses."""
    rng = board.rng
    for _ in range(110):
        heading = -np.pi / 2 + rng.normal(0, 0.6)
        spot = np.array([0.375, 0.47]) + rng.uniform(0.12, 0.26) * np.array([np.cos(heading), np.sin(heading)])
        color = tuple(board.tints((0.20, 0.42, 0.16), 1, spread=0.4)[0])
        _leaflet(board, spot, heading + rng.normal(0, 0.4), rng.uniform(0.08, 0.16), 0.018, color)
    grasses = [
        bend((0.375, 0.50), -np.pi / 2 + rng.normal(0, 0.5), rng.uniform(0.35, 0.46), curl=rng.normal(0, 0.5))
        for _ in range(40)
    ]
    board.strands(grasses, board.tints((0.55, 0.62, 0.30), 40, spread=0.3), width=0.003)
    for i in range(22):
        angle, far = 2.4 * i, 0.045 * np.sqrt(i)
        x, y = 0.375 + far * np.cos(angle), 0.36 + far * 0.85 * np.sin(angle)
        petal = [(0.95, 0.86, 0.90), (0.86, 0.28, 0.46), (0.98, 0.80, 0.36), (0.92, 0.55, 0.62)][i % 4]
        for k in range(13):
            _leaflet(
                board,
                np.array([x, y]),
                2 * np.pi * k / 13 + i,
                rng.uniform(0.045, 0.06),
                0.011,
                tuple(board.tints(petal, 1, spread=0.15)[0]),
            )
        board.solid(board.ellipse(x, y, 0.014, 0.014), (0.80, 0.60, 0.15), light=0.8)
    cone = np.array([(0.28, 0.52), (0.47, 0.52), (0.415, 0.80), (0.335, 0.80)])
    board.solid(board.polygon(cone), (0.30, 0.45, 0.22), light=0.5, grain=0.2)


def _leaflet(board: Board, root: Points, heading: float, length: float, width: float, color: Color) -> None:
    along = np.array([np.cos(heading), np.sin(heading)])
    across = np.array([-along[1], along[0]])
    t = np.linspace(0, 1, 12)[:, None]
    bulge = width * np.sin(np.pi * t**0.8)
    outline = np.concatenate(
        [root + along * t * length + across * bulge, (root + along * t * length - across * bulge)[::-1]]
    )
    board.patch(outline, color)
