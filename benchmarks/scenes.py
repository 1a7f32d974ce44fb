"""Pictures whose matte is known: drawn subjects laid over photos.

Every scene is a subject with fuzzy, thin, holed, glassy or unsharp edges over a public-domain photo or texture from
scikit-image. There are eight families of edges with two differently drawn scenes each, over different grounds; one of
the two may be tuned on (``TUNE``), the other is for reporting (``HELD_OUT``).

    python benchmarks/scenes.py DIR      # writes photo and alpha of every scene as PNG
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from drawing import Board, Color, Colors, Points, bend, fringe, ring, smooth
from numpy.typing import NDArray
from skimage import data
from torch import Tensor

_LENS_BLUR_PX = 0.6
_SENSOR_NOISE = 1.5 / 255  # standard deviation
_LANDSCAPE, _PORTRAIT, _SQUARE = (1.0, 0.7), (0.75, 1.0), (1.0, 1.0)


@dataclass(frozen=True, eq=False)
class Scene:
    """A photo and the truth about it; all values in [0, 1].

    The photo is ``foreground * alpha + background * (1 - alpha)`` with sensor noise, in 8 bits. The blur of the lens
    is in all four: it was applied to both layers after they were weighted, so the equation holds to the rounding.

    Attributes:
        photo: Shape (1, 3, H, W).
        alpha: Shape (1, 1, H, W).
        foreground: The subject's colours, shape (1, 3, H, W); black where ``alpha`` is 0.
        background: The colours behind it, shape (1, 3, H, W).
    """

    photo: Tensor
    alpha: Tensor
    foreground: Tensor
    background: Tensor


def draw(name: str, *, long_side_px: int = 800) -> Scene:
    """Draw a scene; the same name and size give the same pixels."""
    recipe = _SCENES[name]
    seed = list(_SCENES).index(name)
    # Hairs thinner than a pixel need a finer board; on large pictures they are wide enough.
    finer = 3 if long_side_px <= 1200 else (2 if long_side_px <= 2400 else 1)
    width, height = recipe.frame
    board = Board(width, height, long_side_px=long_side_px * finer, seed=seed)
    ground = recipe.ground(board)
    recipe.subject(board)
    return _expose(board, ground, finer, np.random.default_rng(1000 + seed))


def _expose(board: Board, ground: Colors, finer: int, rng: np.random.Generator) -> Scene:
    size = (board.shape[1] // finer, board.shape[0] // finer)

    def seen(layer: NDArray[np.float32]) -> NDArray[np.float32]:
        small = cv2.resize(layer, size, interpolation=cv2.INTER_AREA) if finer > 1 else layer
        return np.asarray(cv2.GaussianBlur(small, (0, 0), _LENS_BLUR_PX), np.float32)

    alpha, front = np.clip(seen(board.alpha), 0, 1), seen(board.color)
    behind = seen(ground * (1 - board.alpha)[..., None])
    plain = seen(ground)
    alpha = np.where(alpha < 0.5 / 255, 0, np.where(alpha > 1 - 0.5 / 255, 1, alpha))[..., None].astype(np.float32)
    foreground = np.where(alpha > 0, front / np.maximum(alpha, 1e-6), 0)
    background = np.where(alpha < 1, behind / np.maximum(1 - alpha, 1e-6), plain)
    foreground, background = np.clip(foreground, 0, 1), np.clip(background, 0, 1)
    photo = foreground * alpha + background * (1 - alpha)
    photo += rng.normal(0, _SENSOR_NOISE, photo.shape).astype(np.float32)
    photo = np.round(np.clip(photo, 0, 1) * 255) / 255
    return Scene(*(_to_tensor(layer) for layer in (photo, alpha, foreground, background)))


def _to_tensor(layer: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(layer.transpose(2, 0, 1), np.float32))[None]


# Grounds


def _photo_ground(
    name: str, box: tuple[float, float, float, float], *, blur: float = 0.0, tint: Color = (1.0, 1.0, 1.0)
) -> Callable[[Board], Colors]:
    """A cropped photo, box = (left, top, right, bottom) in shares, out of focus by ``blur``."""

    def paint(board: Board) -> Colors:
        photo = getattr(data, name)()
        height, width = photo.shape[:2]
        crop = photo[round(box[1] * height) : round(box[3] * height), round(box[0] * width) : round(box[2] * width)]
        colors = crop if crop.ndim == 3 else np.repeat(crop[..., None], 3, axis=2)
        return _fit(board, colors.astype(np.float32) / 255 * np.asarray(tint, np.float32), blur)

    return paint


def _fit(board: Board, colors: Colors, blur: float) -> Colors:
    height, width = board.shape
    factor = max(height / colors.shape[0], width / colors.shape[1])
    large = cv2.resize(colors, None, fx=factor * 1.001, fy=factor * 1.001, interpolation=cv2.INTER_CUBIC)
    filled = np.clip(large[:height, :width], 0, 1)
    return np.clip(board.blur(filled, blur), 0, 1) if blur else filled


# Subjects


def _long_hair(board: Board) -> None:
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


def _curly_hair(board: Board) -> None:
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


def _hairy(
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
    """A body covered with strands; ``flyaways`` stand off it, thinner and longer."""
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
    """Strands all over the inside, combed downwards and away from the middle."""
    middle = outline.mean(axis=0)
    roots = middle + np.sqrt(rng.random((count, 1))) * 0.9 * (outline[rng.integers(0, len(outline), count)] - middle)
    order = np.argsort(roots[:, 1])
    return [
        bend(root, np.pi / 2 - 2.0 * (root[0] - middle[0]) + rng.normal(0, 0.3), length * 0.8, curl=rng.normal(0, 0.4))
        for root in roots[order]
    ]


def _at(plane: NDArray[np.float32], point: NDArray[np.float64]) -> float:
    x, y = np.clip(point.astype(int), 0, (plane.shape[1] - 1, plane.shape[0] - 1))
    return float(plane[y, x])


def _cat(board: Board) -> None:
    color = (0.80, 0.55, 0.30)
    tail = smooth([(0.62, 0.62), (0.80, 0.60), (0.84, 0.42), (0.88, 0.43), (0.86, 0.64), (0.64, 0.68)])
    _hairy(board, tail, color, count=500, length=0.03, lean=0.6)
    _hairy(
        board,
        smooth([(0.5, 0.30), (0.64, 0.42), (0.68, 0.62), (0.60, 0.69), (0.40, 0.69), (0.32, 0.62), (0.36, 0.42)]),
        color,
        count=1500,
        length=0.04,
        lean=0.9,
    )
    _hairy(
        board,
        smooth([(0.455, 0.52), (0.47, 0.66), (0.40, 0.675), (0.41, 0.54)]),
        (0.86, 0.62, 0.38),
        count=250,
        length=0.02,
        lean=0.9,
    )
    _hairy(
        board,
        smooth([(0.545, 0.52), (0.59, 0.54), (0.60, 0.675), (0.53, 0.66)]),
        (0.86, 0.62, 0.38),
        count=250,
        length=0.02,
        lean=0.9,
    )
    for side in (-1, 1):
        ear = smooth([(0.5 + side * 0.05, 0.16), (0.5 + side * 0.125, 0.055), (0.5 + side * 0.135, 0.20)][::side])
        _hairy(board, ear, color, count=220, length=0.02, lean=0.3)
    _hairy(board, ring(0.5, 0.23, 0.145, 0.125), color, count=1300, length=0.035, lean=0.5)
    _animal_face(board, 0.5, 0.22, 0.055, eye=(0.55, 0.65, 0.25))
    for side in (-1, 1):
        heading = 0.0 if side > 0 else np.pi
        whiskers = [
            bend((0.5 + side * 0.04, 0.275 + 0.006 * i), heading + 0.1 * side * (i - 2), 0.17, curl=side * 0.3)
            for i in range(5)
        ]
        board.strands(whiskers, [(0.95, 0.93, 0.9)] * 5, width=0.0016)


def _animal_face(board: Board, x: float, y: float, apart: float, *, eye: Color) -> None:
    for side in (-1, 1):
        board.lay(board.ellipse(x + side * apart, y, 0.027, 0.024), (0.08, 0.06, 0.05))
        board.lay(board.ellipse(x + side * apart, y, 0.021, 0.019), eye)
        board.lay(board.ellipse(x + side * apart, y, 0.010, 0.017), (0.02, 0.02, 0.02))
        board.lay(board.ellipse(x + side * apart - 0.006, y - 0.007, 0.005, 0.005), (1.0, 1.0, 1.0))
    board.solid(board.ellipse(x, y + 0.055, 0.022, 0.015), (0.25, 0.14, 0.13), light=0.5)
    board.strands(
        [bend((x, y + 0.068), np.pi / 2 + side * 0.9, 0.035, curl=-side * 1.2) for side in (-1, 1)],
        [(0.15, 0.08, 0.06)] * 2,
        width=0.004,
        taper=False,
    )


def _dog(board: Board) -> None:
    color = (0.86, 0.82, 0.76)
    _hairy(
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
        _hairy(board, ear, (0.62, 0.46, 0.32), count=500, length=0.07, lean=side * 0.9, flyaways=40, width=0.0026)
    _hairy(board, ring(0.37, 0.31, 0.15, 0.16), color, count=1500, length=0.075, lean=0.4, flyaways=90, width=0.0026)
    _animal_face(board, 0.37, 0.29, 0.06, eye=(0.30, 0.18, 0.10))
    beard = [
        bend((0.37 + board.rng.normal(0, 0.035), 0.36), np.pi / 2 + board.rng.normal(0, 0.5), 0.11, curl=0.2)
        for _ in range(260)
    ]
    board.strands(beard, board.tints(color, len(beard), spread=0.2), width=0.002)


def _bird(board: Board) -> None:
    for i in range(9):  # tail
        _vane(board, (0.60, 0.44), 0.25 + 0.09 * (i - 4), 0.32, 0.028, (0.20, 0.28, 0.45), barbs=70)
    _hairy(board, ring(0.47, 0.38, 0.17, 0.13, turn=0.3), (0.30, 0.48, 0.70), count=1400, length=0.035, lean=-0.8)
    _hairy(board, ring(0.45, 0.43, 0.12, 0.075, turn=0.3), (0.90, 0.62, 0.34), count=700, length=0.03, lean=-0.8)
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
    _hairy(board, ring(0.335, 0.25, 0.09, 0.085), (0.30, 0.48, 0.70), count=800, length=0.022, lean=0.2)
    board.solid(board.polygon(np.array([(0.262, 0.235), (0.175, 0.268), (0.262, 0.282)])), (0.30, 0.26, 0.20))
    board.lay(board.ellipse(0.315, 0.235, 0.019, 0.019), (0.04, 0.03, 0.03))
    board.lay(board.ellipse(0.310, 0.229, 0.006, 0.006), (1.0, 1.0, 1.0))
    legs = [
        np.array([(x, 0.49), (x - 0.01, 0.60), (x + toe, 0.625)]) for x in (0.44, 0.51) for toe in (-0.06, -0.03, 0.03)
    ]
    board.strands(legs, [(0.30, 0.22, 0.16)] * 6, width=0.008, taper=False)


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
    """One feather: a shaft, and barbs that lie close or loose on both sides."""
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


def _plumes(board: Board) -> None:
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


def _bottle(board: Board) -> None:
    shape = smooth(
        [
            (0.345, 0.10),
            (0.405, 0.10),
            (0.41, 0.32),
            (0.50, 0.42),
            (0.51, 0.60),
            (0.505, 0.92),
            (0.245, 0.92),
            (0.24, 0.60),
            (0.25, 0.42),
            (0.34, 0.32),
        ]
    )
    _glassy(board, board.polygon(shape), (0.10, 0.42, 0.22), clear=0.35)
    board.solid(
        board.polygon(np.array([(0.245, 0.56), (0.507, 0.56), (0.507, 0.76), (0.245, 0.76)])),
        (0.93, 0.88, 0.75),
        light=0.1,
    )
    board.lay(board.ellipse(0.375, 0.65, 0.075, 0.06), (0.60, 0.16, 0.14))
    board.solid(
        board.polygon(np.array([(0.342, 0.06), (0.408, 0.06), (0.408, 0.17), (0.342, 0.17)])),
        (0.62, 0.14, 0.15),
        light=0.9,
    )


def _goblet(board: Board) -> None:
    bowl = smooth(
        [(0.21, 0.12), (0.54, 0.12), (0.56, 0.30), (0.48, 0.48), (0.40, 0.53), (0.35, 0.53), (0.27, 0.48), (0.19, 0.30)]
    )
    mask = board.polygon(bowl)
    _glassy(board, mask, (0.85, 0.90, 0.95), clear=0.38)
    wine = mask * (np.arange(board.shape[0])[:, None] > 0.19 * board.unit)
    board.lay(
        (wine * 0.88).astype(np.float32), np.clip(board.relief(mask)[..., None] * np.float32([0.75, 0.08, 0.14]), 0, 1)
    )
    board.lay(board.ellipse(0.375, 0.19, 0.182, 0.018) * 0.8, (0.72, 0.16, 0.22))
    stem = smooth(
        [
            (0.355, 0.52),
            (0.395, 0.52),
            (0.386, 0.62),
            (0.388, 0.80),
            (0.40, 0.86),
            (0.35, 0.86),
            (0.362, 0.80),
            (0.364, 0.62),
        ]
    )
    _glassy(board, board.polygon(stem), (0.85, 0.90, 0.95), clear=0.2)
    _glassy(board, board.ellipse(0.375, 0.88, 0.16, 0.035), (0.85, 0.90, 0.95), clear=0.35)
    board.lay(board.blur(board.ellipse(0.27, 0.30, 0.016, 0.10, 0.12), 0.003) * 0.85, (1.0, 1.0, 1.0))


def _glassy(board: Board, mask: NDArray[np.float32], color: Color, *, clear: float) -> None:
    """Glass: clearer in the middle than at its rim, with two streaks of light."""
    rim = 1 - np.clip(board.blur(mask, 0.02) * 1.9 - 0.9, 0, 1)
    opacity = mask * (1 - clear * (1 - rim))
    shade = 0.55 + 0.6 * board.relief(mask)
    board.lay(opacity.astype(np.float32), np.clip(shade[..., None] * np.asarray(color, np.float32), 0, 1))
    inner = np.clip(board.blur(mask, 0.012) * 2 - 1, 0, 1)
    shifted = np.roll(inner, round(0.035 * board.unit), axis=1)
    board.lay((np.clip(inner - shifted, 0, 1) * mask * 0.75).astype(np.float32), (1.0, 1.0, 1.0))


def _basket(board: Board) -> None:
    for i in range(9):  # handle: woven canes with a large hole under it
        grow = 0.006 * (i - 4)
        arch = smooth(
            [(0.27 + grow, 0.42), (0.30 + grow, 0.18), (0.5, 0.07 + grow), (0.70 - grow, 0.18), (0.73 - grow, 0.42)],
            closed=False,
        )
        board.strands([arch], board.tints((0.66, 0.44, 0.22), 1, spread=0.3), width=0.009, taper=False)
    for row in range(14):
        y = 0.40 + 0.019 * row
        half = 0.28 - 0.0045 * row
        x = np.linspace(0.5 - half, 0.5 + half, 240)
        weave = np.stack([x, y + 0.006 * np.sin(x * 110 + row * np.pi) + 0.025 * (1 - ((x - 0.5) / half) ** 2)], axis=1)
        board.strands([weave], board.tints((0.78, 0.54, 0.28), 1, spread=0.3), width=0.012, taper=False)
    for i in range(17):
        x = 0.225 + 0.034375 * i
        lean = (0.5 - x) * 0.22
        board.strands(
            [np.array([(x, 0.40), (x + lean, 0.67)])], board.tints((0.52, 0.33, 0.16), 1), width=0.011, taper=False
        )
    for i in range(7):
        x = 0.29 + 0.07 * i
        board.solid(
            board.ellipse(x, 0.375 - 0.02 * (i % 2), 0.045, 0.045),
            [(0.80, 0.14, 0.12), (0.92, 0.62, 0.15), (0.45, 0.62, 0.16)][i % 3],
            light=0.9,
        )
    rim = np.stack([np.linspace(0.215, 0.785, 200), 0.41 + 0.03 * (1 - np.linspace(-1, 1, 200) ** 2)], axis=1)
    board.strands([rim], [(0.58, 0.37, 0.18)], width=0.03, taper=False)


def _holed_leaf(board: Board) -> None:
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


def _tree(board: Board) -> None:
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


def _stag(board: Board) -> None:
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
        _hairy(board, ear, color, count=160, length=0.02, lean=0.0, width=0.002)
    body = smooth([(0.375, 0.60), (0.49, 0.68), (0.60, 0.82), (0.63, 1.05), (0.12, 1.05), (0.15, 0.82), (0.26, 0.68)])
    _hairy(board, body, color, count=900, length=0.05, lean=0.8)
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
    _hairy(board, head, (0.60, 0.42, 0.27), count=600, length=0.02, lean=0.9)
    board.solid(board.ellipse(0.375, 0.665, 0.036, 0.024), (0.12, 0.09, 0.08), light=0.7)
    for side in (-1, 1):
        board.lay(board.ellipse(0.375 + side * 0.062, 0.485, 0.016, 0.014), (0.05, 0.03, 0.02))
        board.lay(board.ellipse(0.370 + side * 0.062, 0.480, 0.004, 0.004), (1.0, 1.0, 1.0))


def _fern(board: Board) -> None:
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


def _leaflet(board: Board, root: Points, heading: float, length: float, width: float, color: Color) -> None:
    along = np.array([np.cos(heading), np.sin(heading)])
    across = np.array([-along[1], along[0]])
    t = np.linspace(0, 1, 12)[:, None]
    bulge = width * np.sin(np.pi * t**0.8)
    outline = np.concatenate(
        [root + along * t * length + across * bulge, (root + along * t * length - across * bulge)[::-1]]
    )
    board.patch(outline, color)


def _bouquet(board: Board) -> None:
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


def _mug(board: Board) -> None:
    outer = board.ellipse(0.70, 0.40, 0.12, 0.13)
    handle = np.clip(outer - board.ellipse(0.70, 0.40, 0.075, 0.085), 0, 1)
    board.solid(handle, (0.88, 0.36, 0.20), light=0.9)
    cup = smooth([(0.30, 0.19), (0.70, 0.19), (0.695, 0.45), (0.66, 0.61), (0.50, 0.635), (0.34, 0.61), (0.305, 0.45)])
    board.solid(board.polygon(cup), (0.92, 0.40, 0.22), light=0.9)
    board.solid(board.ellipse(0.5, 0.19, 0.20, 0.05), (0.96, 0.90, 0.82), light=0.3)
    board.solid(board.ellipse(0.5, 0.197, 0.175, 0.037), (0.26, 0.14, 0.08), light=0.3)
    for i in range(5):
        board.lay(board.ellipse(0.38 + 0.06 * i, 0.42, 0.022, 0.05, 0.3), (0.98, 0.90, 0.70))
    _defocus(board, 0.006)


def _toy(board: Board) -> None:
    for x in (0.30, 0.68):
        board.solid(board.ellipse(x, 0.545, 0.085, 0.085), (0.10, 0.10, 0.11), light=0.7)
    body = smooth(
        [
            (0.14, 0.42),
            (0.26, 0.37),
            (0.36, 0.22),
            (0.60, 0.21),
            (0.72, 0.36),
            (0.86, 0.40),
            (0.88, 0.52),
            (0.80, 0.56),
            (0.20, 0.56),
            (0.12, 0.52),
        ]
    )
    board.solid(board.polygon(body), (0.18, 0.45, 0.78), light=0.9)
    for window in (
        [(0.34, 0.36), (0.40, 0.25), (0.48, 0.25), (0.48, 0.36)],
        [(0.51, 0.36), (0.51, 0.25), (0.59, 0.25), (0.66, 0.36)],
    ):
        board.solid(board.polygon(np.array(window)), (0.75, 0.88, 0.95), light=0.3)
    for x in (0.30, 0.68):
        board.solid(board.ellipse(x, 0.545, 0.078, 0.078), (0.13, 0.13, 0.14), light=0.7)
        board.solid(board.ellipse(x, 0.545, 0.036, 0.036), (0.85, 0.85, 0.82), light=0.7)
    board.solid(board.ellipse(0.855, 0.45, 0.02, 0.03), (0.98, 0.88, 0.55), light=0.5)
    _defocus(board, 0.004, smear=0.012)


def _defocus(board: Board, sigma: float, *, smear: float = 0.0) -> None:
    """Put the subject out of focus, and move it sideways while the shutter is open."""
    board.color, board.alpha = board.blur(board.color, sigma), board.blur(board.alpha, sigma)
    if smear:
        span = max(1, round(smear * board.unit))
        kernel = np.full((1, span), 1 / span, np.float32)
        board.color, board.alpha = cv2.filter2D(board.color, -1, kernel), cv2.filter2D(board.alpha, -1, kernel)
    board.color, board.alpha = np.clip(board.color, 0, 1), np.clip(board.alpha, 0, 1)


@dataclass(frozen=True)
class _Recipe:
    family: str
    half: str
    frame: tuple[float, float]
    ground: Callable[[Board], Colors]
    subject: Callable[[Board], None]


_WHOLE = (0.0, 0.0, 1.0, 1.0)
_SCENES = {
    "long-hair": _Recipe(
        "hair", "tune", _PORTRAIT, _photo_ground("rocket", (0.0, 0.1, 0.45, 1.0), blur=0.004), _long_hair
    ),
    "curly-hair": _Recipe(
        "hair", "held-out", _PORTRAIT, _photo_ground("brick", _WHOLE, tint=(0.75, 0.85, 1.0)), _curly_hair
    ),
    "cat": _Recipe("fur", "tune", _LANDSCAPE, _photo_ground("coffee", (0.0, 0.0, 0.5, 0.5), blur=0.006), _cat),
    "dog": _Recipe("fur", "held-out", _PORTRAIT, _photo_ground("grass", _WHOLE, tint=(0.55, 0.95, 0.35)), _dog),
    "bird": _Recipe("feathers", "tune", _LANDSCAPE, _photo_ground("gravel", _WHOLE, tint=(1.0, 0.9, 0.75)), _bird),
    "plumes": _Recipe(
        "feathers",
        "held-out",
        _PORTRAIT,
        _photo_ground("astronaut", (0.0, 0.0, 0.35, 0.3), blur=0.02, tint=(0.25, 0.35, 0.45)),
        _plumes,
    ),
    "bottle": _Recipe(
        "glass", "tune", _PORTRAIT, _photo_ground("brick", _WHOLE, tint=(1.1, 0.8, 0.65), blur=0.003), _bottle
    ),
    "goblet": _Recipe(
        "glass",
        "held-out",
        _PORTRAIT,
        _photo_ground("astronaut", (0.0, 0.0, 0.4, 0.3), blur=0.03, tint=(0.45, 0.5, 0.6)),
        _goblet,
    ),
    "basket": _Recipe("holes", "tune", _LANDSCAPE, _photo_ground("grass", _WHOLE, tint=(0.5, 0.8, 0.4)), _basket),
    "holed-leaf": _Recipe(
        "holes", "held-out", _PORTRAIT, _photo_ground("gravel", _WHOLE, tint=(1.1, 1.0, 0.95), blur=0.003), _holed_leaf
    ),
    "tree": _Recipe("twigs", "tune", _LANDSCAPE, _photo_ground("astronaut", (0.0, 0.0, 0.4, 0.3), blur=0.012), _tree),
    "stag": _Recipe("twigs", "held-out", _PORTRAIT, _photo_ground("rocket", (0.6, 0.0, 1.0, 0.8), blur=0.003), _stag),
    "fern": _Recipe(
        "leaves",
        "tune",
        _LANDSCAPE,
        _photo_ground("rocket", (0.0, 0.0, 0.5, 0.4), blur=0.02),
        _fern,
    ),
    "bouquet": _Recipe(
        "leaves",
        "held-out",
        _PORTRAIT,
        _photo_ground("coffee", (0.0, 0.0, 0.3, 0.4), blur=0.02, tint=(0.55, 0.6, 0.75)),
        _bouquet,
    ),
    "mug": _Recipe(
        "unsharp", "tune", _LANDSCAPE, _photo_ground("rocket", (0.0, 0.5, 1.0, 1.0), tint=(0.8, 0.9, 1.0)), _mug
    ),
    "toy": _Recipe("unsharp", "held-out", _LANDSCAPE, _photo_ground("coffee", (0.5, 0.0, 1.0, 0.6)), _toy),
}

SCENES: tuple[str, ...] = tuple(_SCENES)
"""Names of all scenes."""
TUNE: tuple[str, ...] = tuple(name for name, recipe in _SCENES.items() if recipe.half == "tune")
"""Scenes that settings may be chosen on."""
HELD_OUT: tuple[str, ...] = tuple(name for name, recipe in _SCENES.items() if recipe.half == "held-out")
"""Scenes that are only reported on."""
FAMILIES: dict[str, str] = {name: recipe.family for name, recipe in _SCENES.items()}
"""What kind of edge a scene has."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--size", type=int, default=800, metavar="PX", help="long side (default: %(default)s)")
    parser.add_argument("--only", nargs="*", default=SCENES, choices=SCENES, metavar="SCENE")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for name in options.only:
        scene = draw(name, long_side_px=options.size)
        for layer, tensor in (("photo", scene.photo), ("alpha", scene.alpha)):
            pixels = (tensor[0].permute(1, 2, 0).flip(2) * 255).round().to(torch.uint8).numpy()
            cv2.imwrite(str(options.folder / f"{name}-{layer}.png"), pixels)


if __name__ == "__main__":
    main()
