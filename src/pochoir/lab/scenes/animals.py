"""Drawn animals with fur and antlers."""

import numpy as np

from pochoir.lab.scenes.board import Board, Color, Plane, Points, bend, fringe, ring, smooth


def draw_cat(board: Board) -> None:
    """Draw a sitting cat with whiskers."""
    color = (0.80, 0.55, 0.30)
    tail = smooth([(0.62, 0.62), (0.80, 0.60), (0.84, 0.42), (0.88, 0.43), (0.86, 0.64), (0.64, 0.68)])
    draw_hairy(board, tail, color, count=500, length=0.03, lean=0.6)
    draw_hairy(
        board,
        smooth([(0.5, 0.30), (0.64, 0.42), (0.68, 0.62), (0.60, 0.69), (0.40, 0.69), (0.32, 0.62), (0.36, 0.42)]),
        color,
        count=1500,
        length=0.04,
        lean=0.9,
    )
    draw_hairy(
        board,
        smooth([(0.455, 0.52), (0.47, 0.66), (0.40, 0.675), (0.41, 0.54)]),
        (0.86, 0.62, 0.38),
        count=250,
        length=0.02,
        lean=0.9,
    )
    draw_hairy(
        board,
        smooth([(0.545, 0.52), (0.59, 0.54), (0.60, 0.675), (0.53, 0.66)]),
        (0.86, 0.62, 0.38),
        count=250,
        length=0.02,
        lean=0.9,
    )
    for side in (-1, 1):
        ear = smooth([(0.5 + side * 0.05, 0.16), (0.5 + side * 0.125, 0.055), (0.5 + side * 0.135, 0.20)][::side])
        draw_hairy(board, ear, color, count=220, length=0.02, lean=0.3)
    draw_hairy(board, ring(0.5, 0.23, 0.145, 0.125), color, count=1300, length=0.035, lean=0.5)
    _animal_face(board, 0.5, 0.22, 0.055, eye=(0.55, 0.65, 0.25))
    for side in (-1, 1):
        heading = 0.0 if side > 0 else np.pi
        whiskers = [
            bend((0.5 + side * 0.04, 0.275 + 0.006 * i), heading + 0.1 * side * (i - 2), 0.17, curl=side * 0.3)
            for i in range(5)
        ]
        board.strands(whiskers, [(0.95, 0.93, 0.9)] * 5, width=0.0016)


def draw_dog(board: Board) -> None:
    """Draw a shaggy dog."""
    color = (0.86, 0.82, 0.76)
    draw_hairy(
        board,
        smooth([(0.36, 0.42), (0.52, 0.55), (0.60, 0.80), (0.58, 0.97), (0.20, 0.97), (0.15, 0.80), (0.22, 0.55)]),
        color,
        count=1800,
        length=0.09,
        lean=0.7,
        flyaways=120,
        width=0.0026,
    )
    for side in (-1, 1):
        ear = smooth(
            [
                (0.37 + side * 0.12, 0.22),
                (0.37 + side * 0.20, 0.26),
                (0.37 + side * 0.215, 0.44),
                (0.37 + side * 0.14, 0.42),
            ][::side]
        )
        draw_hairy(board, ear, (0.62, 0.46, 0.32), count=500, length=0.07, lean=side * 0.9, flyaways=40, width=0.0026)
    draw_hairy(
        board, ring(0.37, 0.31, 0.15, 0.16), color, count=1500, length=0.075, lean=0.4, flyaways=90, width=0.0026
    )
    _animal_face(board, 0.37, 0.29, 0.06, eye=(0.30, 0.18, 0.10))
    beard = [
        bend((0.37 + board.rng.normal(0, 0.035), 0.36), np.pi / 2 + board.rng.normal(0, 0.5), 0.11, curl=0.2)
        for _ in range(260)
    ]
    board.strands(beard, board.tints(color, len(beard), spread=0.2), width=0.002)


def draw_stag(board: Board) -> None:
    """Draw a stag with antlers."""
    color = (0.55, 0.36, 0.22)
    for side in (-1, 1):
        beam = smooth(
            [
                (0.375 + side * 0.05, 0.40),
                (0.375 + side * 0.16, 0.27),
                (0.375 + side * 0.19, 0.12),
                (0.375 + side * 0.13, 0.03),
            ],
            closed=False,
        )
        board.strands([beam], [(0.66, 0.55, 0.42)], width=0.022)
        for share, turn, length in ((0.18, -0.2, 0.10), (0.38, -0.5, 0.13), (0.58, -0.3, 0.12), (0.8, -0.1, 0.08)):
            tine = bend(tuple(beam[int(share * len(beam))]), -np.pi / 2 + side * (turn - 0.15), length, curl=side * 0.5)
            board.strands([tine], [(0.72, 0.62, 0.48)], width=0.011)
        ear = smooth(
            [
                (0.375 + side * 0.07, 0.43),
                (0.375 + side * 0.20, 0.37),
                (0.375 + side * 0.17, 0.46),
                (0.375 + side * 0.08, 0.49),
            ][::side]
        )
        draw_hairy(board, ear, color, count=160, length=0.02, lean=0.0, width=0.002)
    body = smooth([(0.375, 0.60), (0.49, 0.68), (0.60, 0.82), (0.63, 1.05), (0.12, 1.05), (0.15, 0.82), (0.26, 0.68)])
    draw_hairy(board, body, color, count=900, length=0.05, lean=0.8)
    head = smooth(
        [
            (0.375, 0.36),
            (0.46, 0.42),
            (0.465, 0.52),
            (0.425, 0.66),
            (0.375, 0.70),
            (0.325, 0.66),
            (0.285, 0.52),
            (0.29, 0.42),
        ]
    )
    draw_hairy(board, head, (0.60, 0.42, 0.27), count=600, length=0.02, lean=0.9)
    board.solid(board.ellipse(0.375, 0.665, 0.036, 0.024), (0.12, 0.09, 0.08), light=0.7)
    for side in (-1, 1):
        board.lay(board.ellipse(0.375 + side * 0.062, 0.485, 0.016, 0.014), (0.05, 0.03, 0.02))
        board.lay(board.ellipse(0.370 + side * 0.062, 0.480, 0.004, 0.004), (1.0, 1.0, 1.0))


def _animal_face(board: Board, x: float, y: float, spacing: float, *, eye: Color) -> None:
    for side in (-1, 1):
        board.lay(board.ellipse(x + side * spacing, y, 0.027, 0.024), (0.08, 0.06, 0.05))
        board.lay(board.ellipse(x + side * spacing, y, 0.021, 0.019), eye)
        board.lay(board.ellipse(x + side * spacing, y, 0.010, 0.017), (0.02, 0.02, 0.02))
        board.lay(board.ellipse(x + side * spacing - 0.006, y - 0.007, 0.005, 0.005), (1.0, 1.0, 1.0))
    board.solid(board.ellipse(x, y + 0.055, 0.022, 0.015), (0.25, 0.14, 0.13), light=0.5)
    board.strands(
        [bend((x, y + 0.068), np.pi / 2 + side * 0.9, 0.035, curl=-side * 1.2) for side in (-1, 1)],
        [(0.15, 0.08, 0.06)] * 2,
        width=0.004,
        taper=False,
    )


def draw_hairy(
    board: Board,
    outline: Points,
    color: Color,
    *,
    count: int,
    length: float,
    lean: float,
    flyaways: int = 0,
    width: float = 0.0022,
    scatter: float = 0.4,
) -> None:
    """Draw a body covered with strands; ``flyaways`` stand off it, thinner and longer."""
    body = board.polygon(outline)
    board.solid(body, color, grain=0.35, scale=0.02)
    rng = board.rng
    inside = _scatter(rng, outline, count, length=length)
    curves = [*inside, *fringe(rng, outline, count, length=length, lean=lean, inset=length * 1.5, scatter=scatter)]
    shade = board.relief(body)
    colors = board.tints(color, len(curves), spread=0.35)
    for row, curve in zip(colors, curves, strict=True):
        row *= 0.75 + 0.6 * _at(shade, curve[0] * board.unit)
    board.strands(curves, colors, width=width)
    if flyaways:
        loose = fringe(rng, outline, flyaways, length=length * 1.5, lean=lean * 0.5, scatter=0.8)
        board.strands(loose, board.tints(color, flyaways, spread=0.4), width=0.001, opacity=0.8)


def _scatter(rng: np.random.Generator, outline: Points, count: int, *, length: float) -> list[Points]:
    """Return strands all over the inside, combed downwards and away from the middle."""
    middle = outline.mean(axis=0)
    roots = middle + np.sqrt(rng.random((count, 1))) * 0.9 * (outline[rng.integers(0, len(outline), count)] - middle)
    order = np.argsort(roots[:, 1])
    return [
        bend(root, np.pi / 2 - 2.0 * (root[0] - middle[0]) + rng.normal(0, 0.3), length * 0.8, curl=rng.normal(0, 0.4))
        for root in roots[order]
    ]


def _at(plane: Plane, point: Points) -> float:
    x, y = np.clip(point.astype(int), 0, (plane.shape[1] - 1, plane.shape[0] - 1))
    return float(plane[y, x])
