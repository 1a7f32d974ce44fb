"""From a photo to a matte: a segmenter, then the user's corrections, then the edges, then the choice of subjects."""

from dataclasses import replace

import torch
from torch import Tensor

from pochoir.recipe import SegmentSettings
from pochoir.segmentation.components import find_parts, select_parts
from pochoir.segmentation.confidence import decidedness, doubt_note, measure_doubt
from pochoir.segmentation.corrections import correct_matte, read_corrections
from pochoir.segmentation.matting.refine import refine_matte
from pochoir.segmentation.protocol import Segmentation, Segmenter
from pochoir.segmentation.registry import create_segmenter


class GivenMatte:
    """A segmenter that finds the matte it was given.

    Args:
        matte: Shape (1, 1, H, W), in [0, 1], at the photo's size.
        name: Where it comes from, for example ``"mask"``.
        notes: What the user should know of it.
    """

    def __init__(self, matte: Tensor, *, name: str, notes: tuple[str, ...] = ()) -> None:
        self.name = name
        self._matte = matte
        self._notes = notes

    def segment(self, photo: Tensor) -> Segmentation:
        """The given matte, whatever the photo."""
        return Segmentation(matte=self._matte, method=self.name, notes=self._notes)


def find_subject(
    photo: Tensor,
    settings: SegmentSettings,
    *,
    segmenter: Segmenter | None = None,
    device: str | torch.device = "cpu",
    scribble: Tensor | None = None,
    with_parts: bool = False,
    with_doubt: bool = False,
) -> Segmentation:
    """Find the subject of a photo as the settings say.

    Args:
        photo: Shape (1, 3, H, W), RGB in [0, 1].
        settings: How to find, correct, choose and refine.
        segmenter: Takes the place of the one that the settings name, for example one that is used for many photos.
        device: Where networks run.
        scribble: Picture of strokes, shape (1, 3, h, w) or, with opacity, (1, 4, h, w); see ``read_corrections``.
        with_parts: Number the connected subjects even if all of them are wanted.
        with_doubt: Look a second time and say how far the matte can be trusted, unless the matte was given. Without
            it only a matte that is undecided by itself is noted, which costs nothing.

    Returns:
        The matte at the photo's size and how it came about.

    Raises:
        InputError: A correction cannot be used, or there is no subject of the number that was asked for.
        WeightsError: The network's weights are not in the cache, or cannot be read.
    """
    # What was typed is checked before a network is loaded.
    corrections = read_corrections(settings, photo, scribble=scribble)
    finder = segmenter if segmenter is not None else create_segmenter(settings, device=device)
    found = finder.segment(photo)
    # A given matte is what somebody wanted; and who corrects a matte has looked at it.
    is_given = isinstance(finder, GivenMatte)
    doubt = measure_doubt(photo, found, finder) if with_doubt and not is_given else None
    notes = (*found.notes, *corrections.notes)
    if not (is_given or found.is_empty) and corrections.is_empty:
        notes += doubt_note(found.method, doubt.confidence if doubt is not None else decidedness(found.matte))
    matte = correct_matte(found.matte, photo, corrections)
    matte = corrections.stamp(refine_matte(matte, photo, method=settings.refine))
    parts = find_parts(matte) if with_parts or settings.subject != "all" else None
    if parts is not None:
        matte = select_parts(matte, parts, settings.subject)
    return replace(found, matte=matte, parts=parts, doubt=doubt, notes=notes)
