"""Steps from a photo to a matte: segmenter, user's corrections, edges, choice of subjects."""

from dataclasses import replace

import torch
from torch import Tensor

from pochoir import imaging
from pochoir.recipe import SegmentSettings
from pochoir.segmentation.components import find_parts, select_parts
from pochoir.segmentation.confidence import decidedness, doubt_note, measure_doubt
from pochoir.segmentation.corrections import correct_matte, miss_notes, read_corrections
from pochoir.segmentation.matting.refine import refine_matte
from pochoir.segmentation.protocol import SUBJECT_THRESHOLD, Segmentation, Segmenter, check_photo
from pochoir.segmentation.registry import create_segmenter


class GivenMatte:
    """Segmenter that returns a matte made elsewhere.

    Args:
        matte: Shape (1, 1, H, W), in [0, 1], at the photo's size.
        name: Name of its source, for example ``"mask"``.
        notes: Notes for the user.
    """

    def __init__(self, matte: Tensor, *, name: str, notes: tuple[str, ...] = ()) -> None:
        self.name = name
        self._matte = matte
        self._notes = notes

    def segment(self, photo: Tensor) -> Segmentation:
        """Return the given matte, whatever the photo."""
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
        settings: Settings of every step. A given matte is not refined.
        segmenter: Segmenter to use instead of the one that the settings name, for example one kept for many photos.
        device: Device that networks run on.
        scribble: Picture of strokes, shape (1, 3, h, w) or, with opacity, (1, 4, h, w); see ``read_corrections``.
        with_parts: Number the connected subjects even if all of them are wanted.
        with_doubt: Return a confidence and a map of doubt at the photo's size, unless the matte was given. Segmenters
            that do not compare several looks by themselves look at the photo a second time for it.

    Returns:
        The matte at the photo's size, its stages, parts, doubt and notes.

    Raises:
        InputError: A correction cannot be used, or there is no subject of the number that was asked for.
        WeightsError: The network's weights are not in the cache, or cannot be read.
    """
    # Settings are checked before a network is loaded.
    corrections = read_corrections(settings, photo, scribble=scribble)
    finder = segmenter if segmenter is not None else create_segmenter(settings, device=device)
    found = finder.segment(photo)
    is_given = isinstance(finder, GivenMatte)
    doubt = measure_doubt(photo, found, finder) if with_doubt and not is_given else found.doubt
    notes = (*found.notes, *corrections.notes, *miss_notes(found.matte, corrections))
    # Whoever gives or corrects a matte has looked at it and needs no advice.
    if not (is_given or found.is_empty) and corrections.is_empty:
        notes += doubt_note(found.method, doubt.confidence if doubt is not None else decidedness(found.matte))
    if doubt is not None and with_doubt:
        doubt = replace(doubt, map=imaging.resize(doubt.map, check_photo(photo), mode="bilinear"))
    matte = correct_matte(found.matte, photo, corrections)
    refine = "none" if is_given else settings.refine  # whoever gave the matte chose its edges
    matte = corrections.stamp(refine_matte(matte, photo, method=refine))
    if doubt is not None and not bool((matte > SUBJECT_THRESHOLD).any()):
        doubt = replace(doubt, confidence=0.0)  # corrections left nothing: nobody should trust that unseen
    parts = find_parts(matte) if with_parts or settings.subject != "all" else None
    if parts is not None:
        matte = select_parts(matte, parts, settings.subject)
    return replace(found, matte=matte, parts=parts, doubt=doubt, notes=notes)
