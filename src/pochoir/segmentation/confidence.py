"""Confidence in a matte, from how decided it is and from a second look at the photo."""

import torch
import torch.nn.functional as F
from torch import Tensor

from pochoir._types import Box
from pochoir.segmentation.grabcut import GrabCutSegmenter
from pochoir.segmentation.protocol import SUBJECT_THRESHOLD, Doubt, Segmentation, Segmenter, check_matte, check_photo

SURE_FROM = 0.94
"""Confidence below which a note asks the user to look; ``docs/cutouts.md`` tells how many mattes it flags rightly."""

BOX_JITTER = 0.05
"""Share of its sides by which a box is widened for the second look: nobody draws one more exactly."""

_SAMPLED_PX = 512
_EDGE_WIDTH = 0.025  # what is undecided for no wider than this is an edge; a share of the long side


def decidedness(matte: Tensor) -> float:
    """Measure how decided a matte is inside and outside of its edges, from 0 (fog) to 1.

    It is the overlap of the matte with its own hard version, where differences narrower than an edge do not count.
    Otherwise small and thin subjects, which are mostly edge, would all be doubted.

    Args:
        matte: Shape (1, 1, H, W), in [0, 1].

    Returns:
        One minus the sum of wide differences divided by the sum of the larger of both; 0 without a subject.

    Raises:
        ShapeError: It is not one matte.
    """
    step = max(1, check_matte(matte).long_side // _SAMPLED_PX)
    few = matte[..., ::step, ::step]  # a sum over fewer pixels is as good, and free on a large photo
    hard = (few > SUBJECT_THRESHOLD).to(few)
    if not bool(hard.any()):
        return 0.0
    reach = round(_EDGE_WIDTH * max(few.shape[-2:]) / 2)
    wide = _grow(-_grow(-(few - hard).abs(), reach), reach)  # an opening: what is narrower is gone
    return 1.0 - float(wide.sum()) / float(torch.maximum(few, hard).sum())


def overlap(one: Tensor, other: Tensor) -> float:
    """Measure the overlap of two soft masks of the same shape: the sum of minima over the sum of maxima; 0 if empty."""
    either = float(torch.maximum(one, other).sum())
    return float(torch.minimum(one, other).sum()) / either if either > 0 else 0.0


def measure_doubt(photo: Tensor, found: Segmentation, segmenter: Segmenter) -> Doubt:
    """Compare a matte with a second look at the same photo.

    A network looks at the mirrored photo, which takes as long as the first look; GrabCut starts again from a slightly
    wider box. The confidence is the lower of their overlap and the matte's ``decidedness``. Where the segmenter has
    compared several looks by itself, its own doubt is returned.

    Args:
        photo: Shape (1, 3, H, W), RGB in [0, 1].
        found: Segmentation of it, before any correction or refinement.
        segmenter: The segmenter.

    Returns:
        The confidence, and a map of doubt.

    Raises:
        ShapeError: It is not one photo.

    Note:
        U2-Net-p is no good second witness for U2-Net: it misses subjects that the large network finds (a cat, a dog
        and a parrot with overlaps of 0.04 to 0.2), so it would cry wolf. No witness helps where a network is wrong
        with conviction: a part that it misses at every size and in the mirror is not doubted.
    """
    check_photo(photo)
    if found.doubt is not None:
        return found.doubt
    again = _look_again(photo, found, segmenter)
    confidence = min(decidedness(found.matte), overlap(found.matte, again))
    undecided = 1.0 - (2.0 * found.matte - 1.0).abs()
    return Doubt(confidence, torch.maximum(undecided, (found.matte - again).abs()))


def doubt_note(method: str, confidence: float) -> tuple[str, ...]:
    """Return a sentence with things to try if the confidence is low, nothing otherwise."""
    if confidence >= SURE_FROM:
        return ()
    return (
        f"{method} is not sure of this subject: confidence {confidence:.2f}, good ones have {SURE_FROM:.2f} and more. "
        "Look with --as doubt; then try --keep-points and --drop-points, --box, or another --segmenter.",
    )


def _grow(matte: Tensor, reach: int) -> Tensor:
    """Return the largest value in the square around each pixel."""
    for window in ((2 * reach + 1, 1), (1, 2 * reach + 1)):
        matte = F.max_pool2d(matte, window, stride=1, padding=(window[0] // 2, window[1] // 2))
    return matte


def _look_again(photo: Tensor, found: Segmentation, segmenter: Segmenter) -> Tensor:
    if found.box is None:
        return segmenter.segment(photo.flip(-1)).matte.flip(-1)
    x, y, width, height = found.box
    dx, dy = max(1, round(BOX_JITTER * width)), max(1, round(BOX_JITTER * height))
    return GrabCutSegmenter(box=Box(x - dx, y - dy, width + 2 * dx, height + 2 * dy)).segment(photo).matte
