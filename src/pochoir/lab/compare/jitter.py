"""Sensitivity to the box: the same photo cut many times, with the box moved a little."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from pochoir._types import Box, Size
from pochoir.errors import OptionError
from pochoir.lab.truth import mask_iou
from pochoir.recipe import SegmentSettings
from pochoir.segmentation import GivenMatte, GrabCutSegmenter, find_subject


@dataclass(frozen=True)
class JitterSettings:
    """Settings of the moved boxes.

    Attributes:
        shares: Largest movements of an edge, as shares of the box's width or height; above 0, at most 0.5.
        draws: Moved boxes for each share, at least 1.
        seed: Of the movements.

    Raises:
        OptionError: A value is out of bounds.
    """

    shares: tuple[float, ...] = (0.02, 0.05, 0.1, 0.2, 0.3)
    draws: int = 12
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.shares or not all(0 < share <= 0.5 for share in self.shares):
            raise OptionError(f"A box's edges move by shares above 0 and at most 0.5; got {self.shares}.")
        if self.draws < 1:
            raise OptionError(f"At least 1 moved box is needed for each distance; got {self.draws}.")


@dataclass(frozen=True)
class JitterRow:
    """Effect of one moved box on one method.

    Attributes:
        photo: Name of the photo.
        method: ``"grabcut"``, or ``"u2net"`` whose matte is dropped outside of the box.
        share: Largest movement of each edge.
        draw: Number of the moved box, from 0.
        box_iou: IoU of the moved box with the one it was moved from.
        same: IoU of the matte with the one that the unmoved box gives.
        truth: IoU of the matte with the truth; None where there is no truth.
    """

    photo: str
    method: str
    share: float
    draw: int
    box_iou: float
    same: float
    truth: float | None


def move_box(box: Box, size: Size, *, share: float, rng: np.random.Generator) -> Box:
    """Move each edge of a box independently, uniformly in both directions.

    Args:
        box: The box in pixels.
        size: The photo's size; the edges stay inside it, and at least 2 pixels apart.
        share: Largest movement, as a share of the box's width or height.
        rng: Generator of the movement.
    """
    left, right = _move(box.x, box.x + box.width, size.width, share, rng)
    top, bottom = _move(box.y, box.y + box.height, size.height, share, rng)
    return Box(left, top, right - left, bottom - top)


def box_iou(one: Box, other: Box) -> float:
    """Return the intersection over union of two boxes."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    shared = max(0, width) * max(0, height)
    return shared / (one.width * one.height + other.width * other.height - shared)


def iter_jitter(
    photo: Tensor, box: Box, *, name: str, saliency: Tensor, settings: JitterSettings, truth: Tensor | None = None
) -> Iterator[list[JitterRow]]:
    """Cut one photo with boxes that move further and further.

    Args:
        photo: Shape (1, 3, H, W), RGB in [0, 1].
        box: The box that the others are moved from.
        name: The photo's name, for the rows.
        saliency: U2-Net's matte of the photo, shape (1, 1, H, W), as the contrast: the box only trims it.
        settings: Settings of the moved boxes.
        truth: The true matte, shape (1, 1, H, W).

    Yields:
        The rows of one moved box, both methods: ``len(settings.shares) * settings.draws`` times.
    """
    size = Size(*photo.shape[-2:])
    rng = np.random.default_rng(settings.seed)
    still = _cut(photo, box, saliency)
    for share in settings.shares:
        for draw in range(settings.draws):
            moved = move_box(box, size, share=share, rng=rng)
            cuts = _cut(photo, moved, saliency)
            yield [
                JitterRow(
                    photo=name,
                    method=method,
                    share=share,
                    draw=draw,
                    box_iou=box_iou(moved, box),
                    same=mask_iou(matte, still[method]),
                    truth=None if truth is None else mask_iou(matte, truth),
                )
                for method, matte in cuts.items()
            ]


def trim(matte: Tensor, photo: Tensor, box: Box) -> Tensor:
    """Return a matte limited to a box, as ``--box`` limits any segmenter's matte."""
    settings = SegmentSettings(box=box, refine="none")
    return find_subject(photo, settings, segmenter=GivenMatte(matte, name="matte")).matte


def _cut(photo: Tensor, box: Box, saliency: Tensor) -> dict[str, Tensor]:
    return {"grabcut": GrabCutSegmenter(box=box).segment(photo).matte, "u2net": trim(saliency, photo, box)}


def _move(low: int, high: int, length: int, share: float, rng: np.random.Generator) -> tuple[int, int]:
    reach = share * (high - low)
    first, last = sorted(round(edge + rng.uniform(-reach, reach)) for edge in (low, high))
    first = min(max(first, 0), length - 2)
    return first, min(max(last, first + 2), length)


def count_boxes(settings: JitterSettings) -> int:
    """Return the number of moved boxes of ``iter_jitter``."""
    return math.prod((len(settings.shares), settings.draws))
