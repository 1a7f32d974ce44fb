"""The subject of every drawing of a shot."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from pochoir import imaging
from pochoir._types import Size
from pochoir.recipe import Recipe
from pochoir.scene import SegmenterFactory
from pochoir.segmentation import Segmenter, create_segmenter, find_subject
from pochoir.sequence.frames import Shot
from pochoir.sequence.mattes import MatteTracker, track_mattes
from pochoir.sequence.settings import Correction
from pochoir.sequence.store import Store
from pochoir.video.flow import Flows

Pixels = npt.NDArray[np.uint8]

LOOK: Final = "look"
"""Kind of the network's mattes in a store."""


@dataclass(eq=False)
class SubjectFinder:
    """Finds the subject of drawings, as the recipe says it for a still.

    Attributes:
        recipe: The settings.
        frame_size: Size of the video, in whose pixels corrections are given.
        size: Size of the drawings.
        device: Device that networks run on.
        segmenter: Object of the user's own; None takes the recipe's.
        create: Returns the recipe's segmenter; None loads it.
    """

    recipe: Recipe
    frame_size: Size
    size: Size
    device: str = "cpu"
    segmenter: Segmenter | None = None
    create: SegmenterFactory | None = None

    def __call__(self, frame: Pixels, correction: object) -> npt.NDArray[np.float32]:
        """Return the matte of a frame, shape (H, W), in [0, 1]; see ``mattes.Find``."""
        if self.segmenter is None:
            made = create_segmenter(self.recipe, device=self.device, many=True) if self.create is None else None
            self.segmenter = made or (self.create and self.create(self.recipe, self.device))
        photo = imaging.load(frame).rgb
        settings = self.recipe
        if isinstance(correction, Correction):
            settings = settings.replace(**correction.strokes(self.frame_size, self.size))
        found = find_subject(photo, settings, segmenter=self.segmenter, device=self.device)
        return np.asarray(found.matte[0, 0].cpu().numpy(), np.float32)

    def corrections_of(self, shot: Shot, given: tuple[Correction, ...], on: int) -> dict[int, Any]:
        """Return the corrections of a shot by the number of the drawing in it."""
        found: dict[int, Any] = {}
        for each in given:
            at = each.frame // on - shot.first
            if 0 <= at < len(shot):
                found[at] = each if each.mask is None else self._read(each.mask)
        return found

    def _read(self, mask: str) -> Pixels:
        matte = imaging.load_matte(mask, size=self.size).matte[0, 0]
        return np.asarray((matte * 255).round().to(torch.uint8).numpy())


def track_subject(
    shot: Shot, finder: SubjectFinder, store: Store, corrections: tuple[Correction, ...], on: int
) -> tuple[MatteTracker, Iterator[Pixels]]:
    """Track the subject through a shot; looks of the network are kept in the store.

    Returns:
        The tracker, whose notes are complete after the last drawing, and the mattes in order, each (H, W).
    """
    tracker = track_mattes(
        shot,
        Flows(shot, allows_shade=False, follows=True),
        finder,
        corrections=finder.corrections_of(shot, corrections, on),
        read=lambda index: store.read_picture(LOOK, shot.first + index),
        write=lambda index, matte: store.write_picture(LOOK, shot.first + index, matte),
        numbers=shot.numbers,
    )
    return tracker, iter(tracker)
