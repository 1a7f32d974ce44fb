"""Limits of GrabCut: figures that overlap, in colours ever closer to the ground's, against the known truth."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from pochoir._types import Box, Size
from pochoir.errors import OptionError
from pochoir.lab.compare.jitter import trim
from pochoir.lab.scenes import LARGEST_DISTANCE, MOST_FIGURES, FigureScene, draw_figures
from pochoir.lab.truth import mask_iou
from pochoir.segmentation import GrabCutSegmenter, Segmenter, trimap
from pochoir.segmentation.grabcut import box_around

TASKS = ("everyone", "front")
"""Tasks: find all figures, with a box around them; or the one in front, with a box around that."""
BOX_MARGIN = 0.05
SCENE_SIZE = Size(192, 256)


@dataclass(frozen=True)
class OverlapSettings:
    """Selection of drawn scenes.

    Attributes:
        figures: Numbers of figures.
        distances: Colour distances from the ground, CIELAB units.
        scenes: Scenes of each kind, at least 1.
        size: Of the scenes.
        seed: Of the first scene; the next have the next seeds.

    Raises:
        OptionError: A value is out of bounds.
    """

    figures: tuple[int, ...] = (1, 2, 3, 5)
    distances: tuple[float, ...] = (5.0, 10.0, 15.0, 20.0, 40.0, 80.0)
    scenes: int = 5
    size: Size = SCENE_SIZE
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.figures or not all(1 <= count <= MOST_FIGURES for count in self.figures):
            raise OptionError(f"A drawn scene has 1 to {MOST_FIGURES} figures; got {self.figures}.")
        if not self.distances or not all(0 < distance <= LARGEST_DISTANCE for distance in self.distances):
            raise OptionError(f"Colour distances are above 0 and at most {LARGEST_DISTANCE:g}; got {self.distances}.")
        if self.scenes < 1:
            raise OptionError(f"At least 1 scene of each kind is needed; got {self.scenes}.")

    @property
    def count(self) -> int:
        """Number of scenes."""
        return len(self.figures) * len(self.distances) * self.scenes


@dataclass(frozen=True)
class OverlapRow:
    """Result of one method at one task in one drawn scene.

    Attributes:
        figures: Number of figures.
        distance: Colour distance of the figures from the ground, CIELAB units.
        seed: The scene's seed.
        task: ``"everyone"`` or ``"front"``.
        method: ``"grabcut"`` from the box, ``"u2net"`` (for the figure in front, trimmed to the box),
            ``"grabcut-u2net"`` started from U2-Net's matte, or ``"box"``: the box itself, the score of doing nothing.
        iou: With the truth.
    """

    figures: int
    distance: float
    seed: int
    task: str
    method: str
    iou: float


def iter_overlap(settings: OverlapSettings, *, network: Segmenter) -> Iterator[list[OverlapRow]]:
    """Draw the scenes and cut them.

    Args:
        settings: Which scenes.
        network: U2-Net, or another segmenter in its place.

    Yields:
        The rows of one scene, ``settings.count`` times.
    """
    for figures in settings.figures:
        for distance in settings.distances:
            for seed in range(settings.seed, settings.seed + settings.scenes):
                scene = draw_figures(figures=figures, distance=distance, size=settings.size, seed=seed)
                yield [
                    OverlapRow(figures, distance, seed, task, method, iou)
                    for task, method, iou in _judge(scene, network.segment(scene.photo).matte)
                ]


def _judge(scene: FigureScene, saliency: Tensor) -> Iterator[tuple[str, str, float]]:
    photo = scene.photo
    for task, truth in zip(TASKS, (scene.everyone, scene.front), strict=True):
        box = box_around(truth, margin=BOX_MARGIN)
        if box is None:  # the scenes' figures are all seen, so this would be a fault of the drawing
            raise ValueError(f"scene of {scene.figures} figures without {task}")
        mattes = {"box": _box_matte(box, truth), "grabcut": GrabCutSegmenter(box=box).segment(photo).matte}
        if task == "everyone":
            mattes["u2net"] = saliency
            mattes["grabcut-u2net"] = GrabCutSegmenter(start=trimap(saliency)).segment(photo).matte
        else:
            mattes["u2net"] = trim(saliency, photo, box)
        yield from ((task, method, mask_iou(matte, truth)) for method, matte in mattes.items())


def _box_matte(box: Box, like: Tensor) -> Tensor:
    matte = torch.zeros_like(like)
    matte[..., box.y : box.y + box.height, box.x : box.x + box.width] = 1.0
    return matte
