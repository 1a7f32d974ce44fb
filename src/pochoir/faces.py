"""Faces in a photo, found by MediaPipe's full-range detector on OpenCV."""

import itertools
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from pochoir import imaging, weights
from pochoir._types import Size
from pochoir.errors import WeightsMissingError
from pochoir.recipe import Recipe

Mode = Literal["on", "off", "missing"]

WEIGHTS = "faces"
"""Name of the detector in the table of weights."""
INPUT_PX = 192
STRIDE_PX = 4
"""Distance of the detector's anchors, one of which stands in the middle of each cell."""
LEAST_SCORE = 0.65
"""At .6 a steeple was taken for a face. At .65 there is no false alarm in 62 photos of animals, things and places: in
30 by which it was chosen, and in 32 others, where nothing scored above .6. Later counts are in docs/controls.md."""
MOST_LONG_SIDE_PX = 1024
LEAST_SIDE_PX = 32
"""Photos with a shorter side are not searched: a face in them has no features that could be lost."""
LEVELS = (1, 2, 3)
"""Tiles along the long side, from large to small faces."""
OVERLAP = 1.3
"""Side of a tile in units of an even share of the long side, where there are several."""
LEAST_TILE_PX = 64
SAME_FACE = 0.4
"""Overlap, as a share of the smaller box, from which two finds are one face."""


class Face(NamedTuple):
    """A box around a face from brows to chin, in pixels of the photo, and the detector's score in [0, 1]."""

    left: float
    top: float
    width: float
    height: float
    score: float

    def scaled(self, factor: float) -> "Face":
        """Return the same in a photo of another size."""
        return Face(self.left * factor, self.top * factor, self.width * factor, self.height * factor, self.score)


def find_faces(photo: Tensor) -> tuple[Face, ...]:
    """Find the faces in a photo, the surest first.

    Args:
        photo: Shape (1, 3, H, W), in [0, 1].

    Raises:
        WeightsMissingError: The detector is not in the cache.
    """
    size = Size(*photo.shape[-2:])
    if size.short_side < LEAST_SIDE_PX:
        return ()
    searched = size.fit_long_side(min(size.long_side, MOST_LONG_SIDE_PX))
    pixels = imaging.resize(photo.cpu(), searched)[0].permute(1, 2, 0).numpy()
    detector = _load_detector(weights.where(WEIGHTS))
    found: list[Face] = []
    for left, top, side in _plan_tiles(searched):
        part = pixels[top : top + side, left : left + side]
        found += [face._replace(left=face.left + left, top=face.top + top) for face in detector.detect(part, side)]
    factor = size.long_side / searched.long_side
    return tuple(face.scaled(factor) for face in _drop_duplicates(found))


def join_faces(found: Sequence[Face], known: Sequence[Face]) -> tuple[Face, ...]:
    """Return the faces that were found, and known ones that are none of them."""
    missed = [face for face in known if all(_overlap(face, other) < SAME_FACE for other in found)]
    return (*found, *missed)


def choose_mode(recipe: Recipe) -> Mode:
    """Return whether a recipe keeps faces: ``"on"``, ``"off"``, or ``"missing"`` where the detector is not here."""
    if recipe.keep != "faces":
        return "off"
    try:
        weights.where(WEIGHTS)
    except WeightsMissingError:
        return "missing"
    return "on"


def draw_amounts(faces: Sequence[Face], size: Size) -> Tensor:
    """Draw soft ellipses over faces, each as strong as its face is small.

    Args:
        faces: Boxes in pixels of the map.
        size: Size of the map, at which the photo is painted.

    Returns:
        Amounts of protection in [0, 1], shape (1, 1, H, W): those of ``AMOUNTS`` by a face's width, 0 away from faces.
    """
    rows = torch.arange(size.height).view(-1, 1) + 0.5
    columns = torch.arange(size.width).view(1, -1) + 0.5
    amounts = torch.zeros(size)
    for face in faces:
        width, height = face.width, face.height
        middle = (face.left + width / 2, face.top + height / 2 - RAISED * height)
        reach = (HALF_WIDTH * width, HALF_HEIGHT * height)
        distance = (((columns - middle[0]) / reach[0]).square() + ((rows - middle[1]) / reach[1]).square()).sqrt()
        rim = ((1.0 - distance) / RIM).clamp(0.0, 1.0)
        amount = float(np.interp(width, list(AMOUNTS), list(AMOUNTS.values())))
        amounts = torch.maximum(amounts, amount * rim.square() * (3.0 - 2.0 * rim))
    return amounts[None, None]


def measure_cover(face: Face, cover: Tensor) -> float:
    """Return the share of a face that a map covers.

    Args:
        face: Box in pixels of the map.
        cover: Values in [0, 1], shape (1, 1, H, W).
    """
    amounts = draw_amounts((face,), Size(*cover.shape[-2:]))
    return float((amounts * cover).sum() / amounts.sum().clamp_min(1e-6))


HALF_WIDTH, HALF_HEIGHT, RAISED = 0.74, 0.94, 0.08
"""Half-axes of the ellipse over a face, and how far its middle lies above the box's, in units of the box's sides."""
RIM = 0.35
"""Part of the ellipse's radius over which it fades out."""
AMOUNTS = {40.0: 1.0, 72.0: 0.4, 160.0: 0.1}
"""Protection by a face's width in pixels; straight lines lie between, and the ends hold beyond. With full protection up
to 24 pixels only, faces of 40 and 52 pixels lost their eyes in ink wash. Broad faces keep their features by themselves:
at .4 a face of 216 pixels lost its paper cuts."""


class _Detector:
    """The network with its anchors. OpenCV's networks keep state, so calls wait for each other."""

    def __init__(self, path: Path) -> None:
        # OpenCV's default engine gives only one of the two outputs.
        self._network: Any = cv2.dnn.readNetFromTFLite(str(path), cv2.dnn.ENGINE_CLASSIC)
        self._outputs = ("reshaped_classifier_face_4", "reshaped_regressor_face_4")
        self._lock = threading.Lock()
        cells = INPUT_PX // STRIDE_PX
        middles = (np.arange(cells) + 0.5) / cells
        self._anchors = np.stack(np.meshgrid(middles, middles), axis=-1).reshape(-1, 2)  # (cells * cells, x and y)

    def detect(self, part: Any, side: int) -> list[Face]:
        """Return the faces in a part of a photo, shape (h, w, 3), of which the missing side is filled with black."""
        square = np.zeros((side, side, 3), np.float32)
        square[: part.shape[0], : part.shape[1]] = part
        shrink = cv2.INTER_AREA if side > INPUT_PX else cv2.INTER_LINEAR
        pixels = cv2.resize(square, (INPUT_PX, INPUT_PX), interpolation=shrink) * 2.0 - 1.0
        with self._lock:
            self._network.setInput(np.ascontiguousarray(pixels.transpose(2, 0, 1)[None]))
            logits, boxes = (np.array(output) for output in self._network.forward(self._outputs))
        scores = 1.0 / (1.0 + np.exp(-np.clip(logits[0, :, 0], -80.0, 80.0)))
        chosen = np.flatnonzero(scores >= LEAST_SCORE)
        middles = (boxes[0, chosen, :2] / INPUT_PX + self._anchors[chosen]) * side
        sizes = boxes[0, chosen, 2:4] / INPUT_PX * side
        return [
            Face(float(x - w / 2), float(y - h / 2), float(w), float(h), float(score))
            for (x, y), (w, h), score in zip(middles, sizes, scores[chosen], strict=True)
            if w > 0 and h > 0
        ]


@lru_cache(maxsize=1)
def _load_detector(path: Path) -> _Detector:
    return _Detector(path)


def _plan_tiles(size: Size) -> list[tuple[int, int, int]]:
    """Return left, top and side of square tiles that cover a picture, at all levels."""
    tiles = []
    for level in LEVELS:
        side = size.long_side if level == 1 else round(size.long_side / level * OVERLAP)
        if level > 1 and side < LEAST_TILE_PX:
            break
        lefts, tops = (_spread(length, side) for length in (size.width, size.height))
        tiles += [(left, top, side) for top, left in itertools.product(tops, lefts)]
    return tiles


def _spread(length: int, side: int) -> list[int]:
    """Return where tiles begin along an axis so that they cover it evenly."""
    if length <= side:
        return [0]
    count = -(-(length - side) // round(side / OVERLAP)) + 1
    return [round(index * (length - side) / (count - 1)) for index in range(count)]


def _drop_duplicates(found: list[Face]) -> list[Face]:
    """Return the surest of the finds of each face."""
    kept: list[Face] = []
    for face in sorted(found, key=lambda face: -face.score):
        if all(_overlap(face, other) < SAME_FACE for other in kept):
            kept.append(face)
    return kept


def _overlap(one: Face, other: Face) -> float:
    """Return the area that two boxes share, as a share of the smaller one."""
    width = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    height = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / min(one.width * one.height, other.width * other.height)
