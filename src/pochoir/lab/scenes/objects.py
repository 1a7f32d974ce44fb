"""Drawn things of glass and wicker, and things out of focus."""

import cv2
import numpy as np

from pochoir.lab.scenes.board import Board, Color, Plane, smooth


def draw_bottle(board: Board) -> None:
    """Draw a green bottle with a label."""
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


def draw_goblet(board: Board) -> None:
    """Draw a goblet of wine."""
    bowl = smooth(
        [(0.21, 0.12), (0.54, 0.12), (0.56, 0.30), (0.48, 0.48), (0.40, 0.53), (0.35, 0.53), (0.27, 0.48), (0.19, 0.30)]
    )
    mask = board.polygon(bowl)
    _glassy(board, mask, (0.85, 0.90, 0.95), clear=0.38)
    wine = mask * (np.arange(board.shape[0])[:, None] > 0.19 * board.unit)
    board.lay(
        (wine * 0.88).astype(np.float32),
        np.clip(board.relief(mask)[..., None] * np.array([0.75, 0.08, 0.14], np.float32), 0, 1),
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


def _glassy(board: Board, mask: Plane, color: Color, *, clear: float) -> None:
    """Draw glass: clearer in the middle than at its rim, with two streaks of light."""
    rim = 1 - np.clip(board.blur(mask, 0.02) * 1.9 - 0.9, 0, 1)
    opacity = mask * (1 - clear * (1 - rim))
    shade = 0.55 + 0.6 * board.relief(mask)
    board.lay(opacity.astype(np.float32), np.clip(shade[..., None] * np.asarray(color, np.float32), 0, 1))
    inner = np.clip(board.blur(mask, 0.012) * 2 - 1, 0, 1)
    shifted = np.roll(inner, round(0.035 * board.unit), axis=1)
    board.lay((np.clip(inner - shifted, 0, 1) * mask * 0.75).astype(np.float32), (1.0, 1.0, 1.0))


def draw_basket(board: Board) -> None:
    """Draw a wicker basket of fruit."""
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
        across = np.linspace(0.5 - half, 0.5 + half, 240)
        weave = np.stack(
            [across, y + 0.006 * np.sin(across * 110 + row * np.pi) + 0.025 * (1 - ((across - 0.5) / half) ** 2)],
            axis=1,
        )
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


def draw_mug(board: Board) -> None:
    """Draw a mug out of focus."""
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


def draw_toy(board: Board) -> None:
    """Draw a toy car, out of focus and smeared by motion."""
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
    """Put the subject out of focus, and smear it sideways as if it moved during the exposure."""
    board.color, board.alpha = board.blur(board.color, sigma), board.blur(board.alpha, sigma)
    if smear:
        span = max(1, round(smear * board.unit))
        kernel = np.full((1, span), 1 / span, np.float32)
        board.color, board.alpha = cv2.filter2D(board.color, -1, kernel), cv2.filter2D(board.alpha, -1, kernel)
    board.color, board.alpha = np.clip(board.color, 0, 1), np.clip(board.alpha, 0, 1)
