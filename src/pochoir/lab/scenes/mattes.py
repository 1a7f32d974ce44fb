"""Photos whose matte is known: drawn subjects laid over photos and textures from scikit-image.

There are eight families of edges with two differently drawn scenes each, over different grounds. One of the two may
be tuned on (``TUNE``), the other is for reporting (``HELD_OUT``).
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from skimage import data
from torch import Tensor

from pochoir.errors import OptionError, UnknownNameError
from pochoir.lab.scenes.animals import draw_cat, draw_dog, draw_stag
from pochoir.lab.scenes.board import Board, Color, Colors, Plane
from pochoir.lab.scenes.feathers import draw_bird, draw_plumes
from pochoir.lab.scenes.objects import draw_basket, draw_bottle, draw_goblet, draw_mug, draw_toy
from pochoir.lab.scenes.people import draw_curly_hair, draw_long_hair
from pochoir.lab.scenes.plants import draw_bouquet, draw_fern, draw_holed_leaf, draw_tree

_LENS_BLUR_PX = 0.6
_SENSOR_NOISE = 1.5 / 255  # standard deviation
_LANDSCAPE, _PORTRAIT = (1.0, 0.7), (0.75, 1.0)


@dataclass(frozen=True, eq=False)
class MatteScene:
    """Drawn photo whose matte and layers are known; all values in [0, 1].

    The photo is ``foreground * alpha + background * (1 - alpha)`` with sensor noise, in 8 bits. The lens blur was
    applied to both weighted layers, so the equation holds up to rounding.

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


def draw_matte_scene(name: str, *, long_side_px: int = 800) -> MatteScene:
    """Draw a scene with a fuzzy, thin, holed, glassy or unsharp edge.

    Args:
        name: One of ``MATTE_SCENES``. The same name and size give the same pixels.
        long_side_px: Long side of the picture, at least 32.

    Raises:
        UnknownNameError: No scene has this name.
        OptionError: The picture would be too small.
    """
    if name not in _SCENES:
        raise UnknownNameError("drawn scene", name, _SCENES)
    if long_side_px < 32:
        raise OptionError(f"A drawn scene is at least 32 pixels long; got {long_side_px}.")
    entry = _SCENES[name]
    seed = list(_SCENES).index(name)
    # Hairs thinner than a pixel need a finer board; on large pictures they are wide enough.
    finer = 3 if long_side_px <= 1200 else (2 if long_side_px <= 2400 else 1)
    width, height = entry.frame
    board = Board(width, height, long_side_px=long_side_px * finer, seed=seed)
    ground = entry.ground(board)
    entry.subject(board)
    return _expose(board, ground, finer, np.random.default_rng(1000 + seed))


def _expose(board: Board, ground: Colors, finer: int, rng: np.random.Generator) -> MatteScene:
    size = (board.shape[1] // finer, board.shape[0] // finer)

    def seen(layer: Plane) -> Plane:
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
    return MatteScene(*(_to_tensor(layer) for layer in (photo, alpha, foreground, background)))


def _to_tensor(layer: Plane) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(layer.transpose(2, 0, 1), np.float32))[None]


def _photo_ground(
    name: str, box: tuple[float, float, float, float], *, blur: float = 0.0, tint: Color = (1.0, 1.0, 1.0)
) -> Callable[[Board], Colors]:
    """Return a painter of a cropped photo; box is (left, top, right, bottom) in shares of its sides."""

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


@dataclass(frozen=True)
class _Entry:
    """Family of edges, half of the collection, frame in units of the long side, and how both layers are drawn."""

    family: str
    half: str
    frame: tuple[float, float]
    ground: Callable[[Board], Colors]
    subject: Callable[[Board], None]


_WHOLE = (0.0, 0.0, 1.0, 1.0)
_SCENES = {
    "long-hair": _Entry(
        "hair", "tune", _PORTRAIT, _photo_ground("rocket", (0.0, 0.1, 0.45, 1.0), blur=0.004), draw_long_hair
    ),
    "curly-hair": _Entry(
        "hair", "held-out", _PORTRAIT, _photo_ground("brick", _WHOLE, tint=(0.75, 0.85, 1.0)), draw_curly_hair
    ),
    "cat": _Entry("fur", "tune", _LANDSCAPE, _photo_ground("coffee", (0.0, 0.0, 0.5, 0.5), blur=0.006), draw_cat),
    "dog": _Entry("fur", "held-out", _PORTRAIT, _photo_ground("grass", _WHOLE, tint=(0.55, 0.95, 0.35)), draw_dog),
    "bird": _Entry("feathers", "tune", _LANDSCAPE, _photo_ground("gravel", _WHOLE, tint=(1.0, 0.9, 0.75)), draw_bird),
    "plumes": _Entry(
        "feathers",
        "held-out",
        _PORTRAIT,
        _photo_ground("astronaut", (0.0, 0.0, 0.35, 0.3), blur=0.02, tint=(0.25, 0.35, 0.45)),
        draw_plumes,
    ),
    "bottle": _Entry(
        "glass", "tune", _PORTRAIT, _photo_ground("brick", _WHOLE, tint=(1.1, 0.8, 0.65), blur=0.003), draw_bottle
    ),
    "goblet": _Entry(
        "glass",
        "held-out",
        _PORTRAIT,
        _photo_ground("astronaut", (0.0, 0.0, 0.4, 0.3), blur=0.03, tint=(0.45, 0.5, 0.6)),
        draw_goblet,
    ),
    "basket": _Entry("holes", "tune", _LANDSCAPE, _photo_ground("grass", _WHOLE, tint=(0.5, 0.8, 0.4)), draw_basket),
    "holed-leaf": _Entry(
        "holes",
        "held-out",
        _PORTRAIT,
        _photo_ground("gravel", _WHOLE, tint=(1.1, 1.0, 0.95), blur=0.003),
        draw_holed_leaf,
    ),
    "tree": _Entry(
        "twigs", "tune", _LANDSCAPE, _photo_ground("astronaut", (0.0, 0.0, 0.4, 0.3), blur=0.012), draw_tree
    ),
    "stag": _Entry(
        "twigs", "held-out", _PORTRAIT, _photo_ground("rocket", (0.6, 0.0, 1.0, 0.8), blur=0.003), draw_stag
    ),
    "fern": _Entry(
        "leaves",
        "tune",
        _LANDSCAPE,
        _photo_ground("rocket", (0.0, 0.0, 0.5, 0.4), blur=0.02),
        draw_fern,
    ),
    "bouquet": _Entry(
        "leaves",
        "held-out",
        _PORTRAIT,
        _photo_ground("coffee", (0.0, 0.0, 0.3, 0.4), blur=0.02, tint=(0.55, 0.6, 0.75)),
        draw_bouquet,
    ),
    "mug": _Entry(
        "unsharp", "tune", _LANDSCAPE, _photo_ground("rocket", (0.0, 0.5, 1.0, 1.0), tint=(0.8, 0.9, 1.0)), draw_mug
    ),
    "toy": _Entry("unsharp", "held-out", _LANDSCAPE, _photo_ground("coffee", (0.5, 0.0, 1.0, 0.6)), draw_toy),
}

MATTE_SCENES: tuple[str, ...] = tuple(_SCENES)
"""Names of all scenes."""
TUNE: tuple[str, ...] = tuple(name for name, entry in _SCENES.items() if entry.half == "tune")
"""Scenes that settings may be tuned on."""
HELD_OUT: tuple[str, ...] = tuple(name for name, entry in _SCENES.items() if entry.half == "held-out")
"""Scenes that are only reported on."""
FAMILIES: dict[str, str] = {name: entry.family for name, entry in _SCENES.items()}
"""Kind of edge of each scene."""
