"""Drawn figures that overlap, at a chosen colour distance from the ground, with their true mattes.

They measure where GrabCut fails. It separates subject and background by colour alone, so similar colours and
neighbours that reach into the box are hard for it.
"""

import math
import warnings
from dataclasses import dataclass
from typing import Any, TypeAlias

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from skimage.color import lab2rgb, rgb2lab
from torch import Tensor

from pochoir._types import Size
from pochoir.errors import OptionError

MOST_FIGURES = 6
LARGEST_DISTANCE = 90.0
"""Largest CIELAB distance from mid tones at which sRGB holds a colour in every hue that is drawn."""

_OVERSAMPLING = 3
_GRAIN, _PATCHES = 2.5, 7.0
"""Standard deviations of the colour about its tone, in CIELAB units: of each pixel, and of soft patches."""
_TONE_SCATTER = 0.35
"""Scatter of the figures' directions from the ground's tone about a common direction: the figures look alike."""
_MOST_TRIES = 500
_WIDE, _STEP = 0.44, 0.30
"""Width of a figure and spacing of neighbours, as shares of its height: about a third of a figure is hidden."""

_Field: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class FigureScene:
    """Drawn figures and their true mattes.

    Attributes:
        photo: Shape (1, 3, H, W), RGB in [0, 1].
        everyone: Matte of all figures together, shape (1, 1, H, W).
        front: Matte of the figure that stands in front of the others, shape (1, 1, H, W).
        figures: Number of figures.
        distance: CIELAB distance (CIE76) of each figure's tone from the ground's, as asked for.
    """

    photo: Tensor
    everyone: Tensor
    front: Tensor
    figures: int
    distance: float


def draw_figures(*, figures: int, distance: float, size: Size, seed: int = 0) -> FigureScene:
    """Draw figures side by side, each hiding part of its neighbour, on a patchy ground.

    Every figure has a tone of its own at the same distance from the ground's tone; the figures' tones are nearer to
    each other than to the ground. The same arguments give the same pixels; the figures of one seed stand alike at
    every distance.

    Args:
        figures: Number of figures, 1 to 6.
        distance: CIELAB distance (CIE76) between the figures' tones and the ground's, above 0 and at most 90; 2 is
            just visible, 100 is black on white.
        size: Height and width in pixels, at least 32 each.
        seed: Selects the scene.

    Raises:
        OptionError: An argument is out of bounds.
    """
    if not 1 <= figures <= MOST_FIGURES:
        raise OptionError(f"A drawn scene has 1 to {MOST_FIGURES} figures; got {figures}.")
    if not 0 < distance <= LARGEST_DISTANCE:
        raise OptionError(f"The colour distance is above 0 and at most {LARGEST_DISTANCE:g}; got {distance:g}.")
    if size.short_side < 32:
        raise OptionError(f"A drawn scene is at least 32x32 pixels; got {size}.")
    # Two generators, so that the number of draws for colours does not move the figures.
    places, tones = np.random.default_rng((seed, 0)), np.random.default_rng((seed, 1))
    labels = _place(figures, size, places)
    lab = _tones(figures, distance, tones)[labels]  # (H, W, 3) on the finer board
    lab += _grain(labels.shape, tones)
    rgb = _shrink(_to_srgb(lab), size)
    return FigureScene(
        photo=torch.from_numpy(np.round(rgb * 255) / 255).permute(2, 0, 1)[None].contiguous(),
        everyone=_matte(labels > 0, size),
        front=_matte(labels == figures, size),
        figures=figures,
        distance=distance,
    )


def _place(figures: int, size: Size, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the figure at each pixel of the oversampled board: 0 is the ground, ``figures`` the one in front."""
    height, width = (side * _OVERSAMPLING for side in size)
    labels = np.zeros((height, width), np.uint8)
    tall = min(0.72 * height, 0.8 * width / (_STEP * (figures - 1) + _WIDE))
    step = _STEP * tall
    left = width / 2 - step * (figures - 1) / 2
    for layer, place in enumerate(rng.permutation(figures), start=1):
        centre = (left + step * place + rng.normal(0, 0.02 * tall), height / 2 + rng.normal(0, 0.03 * tall))
        _stand(labels, centre, tall * rng.uniform(0.9, 1.05), layer, lean_deg=rng.normal(0, 6))
    return labels


def _stand(labels: NDArray[np.uint8], centre: tuple[float, float], tall: float, value: int, *, lean_deg: float) -> None:
    """Fill a head on a body in place."""
    lean = math.radians(lean_deg)
    body = (centre[0] - 0.14 * tall * math.sin(lean), centre[1] + 0.14 * tall * math.cos(lean))
    head = (centre[0] + 0.34 * tall * math.sin(lean), centre[1] - 0.34 * tall * math.cos(lean))
    cv2.ellipse(labels, (body, (_WIDE * tall, 0.70 * tall), lean_deg), value, cv2.FILLED)
    cv2.ellipse(labels, (head, (0.26 * tall, 0.30 * tall), lean_deg), value, cv2.FILLED)


def _tones(figures: int, distance: float, rng: np.random.Generator) -> _Field:
    """Return CIELAB tones of the ground and of each figure, shape (figures + 1, 3), all within sRGB."""
    ground = np.array([rng.uniform(45, 60), rng.uniform(-8, 8), rng.uniform(-8, 8)])
    common = _tone_away(ground, distance, np.zeros(3), 1.0, rng) - ground
    tones = [_tone_away(ground, distance, common / distance, _TONE_SCATTER, rng) for _ in range(figures)]
    return np.stack([ground, *tones]).astype(np.float32)


def _tone_away(
    ground: NDArray[np.float64], distance: float, about: NDArray[np.float64], scatter: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    for _ in range(_MOST_TRIES):
        direction = about + scatter * rng.normal(size=3)
        tone: NDArray[np.float64] = ground + distance * direction / np.linalg.norm(direction)
        if _is_in_gamut(tone):
            return tone
    raise OptionError(f"No tone within sRGB lies {distance:g} from the ground; choose a smaller distance.")


def _is_in_gamut(tone: NDArray[np.float64]) -> bool:
    shown = rgb2lab(_to_srgb(tone[None, None]))[0, 0]
    return bool(np.abs(shown - tone).max() < 0.5)


def _to_srgb(lab: NDArray[np.floating[Any]]) -> _Field:
    with warnings.catch_warnings():  # about colours outside of sRGB, which are clipped or rejected
        warnings.simplefilter("ignore", UserWarning)
        return np.asarray(np.clip(lab2rgb(lab), 0, 1), np.float32)


def _grain(shape: tuple[int, ...], rng: np.random.Generator) -> _Field:
    """Return the same grain and patches for everything, so that texture reveals nothing; shape (H, W, 3)."""
    height, width = shape
    fine = rng.normal(0, _GRAIN, (height // _OVERSAMPLING, width // _OVERSAMPLING, 3))
    patches = cv2.GaussianBlur(rng.normal(0, 1, fine.shape), (0, 0), max(1.0, 0.04 * min(fine.shape[:2])))
    grain = (fine + patches * (_PATCHES / patches.std())).astype(np.float32)
    return np.asarray(cv2.resize(grain, (width, height), interpolation=cv2.INTER_NEAREST), np.float32)


def _matte(mask: NDArray[np.bool_], size: Size) -> Tensor:
    return torch.from_numpy(_shrink(mask.astype(np.float32), size))[None, None]


def _shrink(values: _Field, size: Size) -> _Field:
    return np.asarray(cv2.resize(values, (size.width, size.height), interpolation=cv2.INTER_AREA), np.float32)
