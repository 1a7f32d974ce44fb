"""Propagation of strokes to the objects they lie in, on numpy arrays of a working copy; see ``corrections``.

scikit-image is imported where it is used: most runs have no corrections, and it takes a while.
"""

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from pochoir.segmentation.protocol import SUBJECT_THRESHOLD

Map: TypeAlias = NDArray[np.float32]
"""Shape (h, w)."""
Mask: TypeAlias = NDArray[np.bool_]
"""Shape (h, w)."""
Colors: TypeAlias = NDArray[np.float32]
"""Shape (h, w, 3), RGB in [0, 1]."""

VISIBLE = 0.05
"""Matte above which a pixel can be seen."""
_WALK_BETA = 50.0  # cost of steps between different colours; printed patterns need less than 130
_PROMINENCE = 0.15  # a bulge of an object is a blob of its own if it sinks by this share of the depth before the next
_CORE = 0.5  # of a blob's depth
_MARGIN = 0.25  # of a blob's depth: a stroke that stays in so shallow a part means that part
_SEGMENT_SCALE, _SEGMENT_SIGMA = 100.0, 0.8
_SEGMENT_RIM_PX = 2.0  # where a segment ends is less sure than that it is there
_SMALLEST_SEGMENT = 4e-4  # of the copy's pixels
_REACH = 0.02  # of the long side: how far from a segment's edge the part's edge is looked for


def share_kept(matte: Map, rgb: Colors, *, keep: Mask, drop: Mask) -> Map:
    """Find the share of a matte that the drop strokes leave.

    Args:
        matte: In [0, 1].
        rgb: The photo.
        keep: Keep strokes.
        drop: Drop strokes.

    Returns:
        0 where the matte has to go, 1 where it stays.
    """
    inside = matte > SUBJECT_THRESHOLD
    stays = np.ones_like(inside)
    if (drop & inside).any():
        stays = _divide_pieces(inside, rgb, keep=keep, drop=drop)
    fog = (matte > VISIBLE) & ~inside
    stays &= ~_pieces_segments_under(fog, drop & fog)
    return stays.astype(np.float32)


def share_added(matte: Map, rgb: Colors, *, keep: Mask, drop: Mask) -> Map:
    """Find the share that the keep strokes add to a matte.

    Args:
        matte: In [0, 1].
        rgb: The photo.
        keep: Keep strokes.
        drop: Drop strokes.

    Returns:
        1 where the matte becomes 1, 0 where it stays.
    """
    outside = matte <= SUBJECT_THRESHOLD
    strokes = keep & outside
    if not strokes.any():
        return np.zeros_like(matte)
    part = _segments_under(_segments(rgb), strokes) & outside & ~drop
    reach = max(2, round(_REACH * max(matte.shape)))
    free = outside & (_distance_to(part) <= reach)
    known = np.zeros(matte.shape, np.int32)
    known[free & (_distance_to(part) >= reach - 1)] = _GOES
    depth = _distance_to(~part)
    # Narrow parts get a core, too: the stroke alone would lose against its surroundings.
    known[(depth > min(reach, _CORE * depth.max())) | strokes] = _STAYS
    known[drop] = _GOES
    return np.asarray(_walk(rgb, known, free | drop, unreached=False) & free, np.float32)


_STAYS, _GOES = 1, 2


def _divide_pieces(inside: Mask, rgb: Colors, *, keep: Mask, drop: Mask) -> Mask:
    """Return the mask that stays when each connected piece under a drop stroke goes or is divided."""
    count, pieces = cv2.connectedComponents(inside.astype(np.uint8), connectivity=8)
    areas = np.bincount(pieces.ravel(), minlength=count)
    largest = int(areas[1:].argmax()) + 1
    stays = inside.copy()
    for number in np.unique(pieces[drop & inside]):
        piece = pieces == number
        is_wanted = number == largest or bool((keep & piece).any())
        stays[piece] = _divide(piece, rgb, keep & piece, drop & piece)[piece] if is_wanted else False
    # The soft fringe goes the way of the nearest pixel of the subject.
    return _nearest_value(inside, stays)


def _divide(piece: Mask, rgb: Colors, keep: Mask, drop: Mask) -> Mask:
    """Return the part of a piece that stays, by a random walk from its known pixels.

    A stroke speaks for the core of the bulge that it lies in, unless the other kind lies there, too; and, more surely,
    for the segments of even colour that it touches, under the same condition. A drop stroke in the margin of a bulge
    speaks for its segments alone: it means a strip at the edge. Without keep strokes every bulge that no drop stroke
    lies deep in stays.
    """
    blobs, depth = _blobs(piece)
    hit, kept = set(np.unique(blobs[drop])), set(np.unique(blobs[keep]))
    dropped = {name for name in hit if _is_deep(drop & (blobs == name), blobs == name, depth)}
    others = set(np.unique(blobs[piece])) - dropped
    known = np.zeros(piece.shape, np.int32)
    segments = _segments(rgb)
    gone = _segments_under(segments, drop) & piece
    touched = np.isin(blobs, list(hit - dropped))
    if not keep.any():
        kept = others
        if not others:  # one bulge only, so nothing but the colour tells what goes
            touched = piece
    known[touched & (_distance_to(gone) > max(2, round(_REACH * max(piece.shape))))] = _STAYS
    for label, names in ((_STAYS, kept - dropped), (_GOES, dropped - kept)):
        for name in names if others else ():
            blob = blobs == name
            known[blob & (depth > _CORE * depth[blob].max())] = label
    staying = _segments_under(segments, keep) & piece
    for label, mine, theirs in ((_STAYS, staying, gone), (_GOES, gone, staying)):
        known[_distance_to(~(mine & ~theirs)) > _SEGMENT_RIM_PX] = label
    known[drop], known[keep] = _GOES, _STAYS
    return _walk(rgb, known, piece, unreached=True)


def _blobs(piece: Mask) -> tuple[NDArray[np.int32], Map]:
    """Return the bulges of a piece, numbered from 1, and each pixel's depth inside the piece."""
    from skimage.morphology import h_maxima
    from skimage.segmentation import watershed

    depth = _distance_to(~np.pad(piece, 1))[1:-1, 1:-1]
    peaks = h_maxima(depth, _PROMINENCE * float(depth.max()))  # type: ignore[no-untyped-call]
    _, markers = cv2.connectedComponents(peaks.astype(np.uint8), connectivity=8)
    blobs = watershed(-depth, markers, mask=piece)  # type: ignore[no-untyped-call]
    return np.asarray(blobs, np.int32), depth


def _is_deep(stroke: Mask, blob: Mask, depth: Map) -> bool:
    """Return whether a stroke leaves the margin of the bulge that it lies in."""
    return bool(depth[stroke].max() > _MARGIN * depth[blob].max())


def _segments(rgb: Colors) -> NDArray[np.int64]:
    """Return the photo's segments of even colour, numbered."""
    from skimage.segmentation import felzenszwalb

    smallest = max(10, round(_SMALLEST_SEGMENT * rgb.shape[0] * rgb.shape[1]))
    return np.asarray(felzenszwalb(rgb, scale=_SEGMENT_SCALE, sigma=_SEGMENT_SIGMA, min_size=smallest))


def _segments_under(segments: NDArray[np.int64], strokes: Mask) -> Mask:
    """Return all pixels of the segments that strokes touch."""
    return np.isin(segments, np.unique(segments[strokes]))


def _walk(rgb: Colors, known: NDArray[np.int32], free: Mask, *, unreached: bool) -> Mask:
    """Return the pixels of ``free`` from which a random walk over the photo first meets a pixel that stays.

    Pixels that no walk can reach become ``unreached``.
    """
    from skimage.segmentation import random_walker

    _, regions = cv2.connectedComponents(free.astype(np.uint8), connectivity=4)
    seeded = np.isin(regions, np.unique(regions[free & (known > 0)])) & free
    stays = np.where(seeded, known == _STAYS, free & unreached)
    # Regions that are all seeds need no walk, and scikit-image fails on single pixels of them.
    walked = seeded & np.isin(regions, np.unique(regions[seeded & (known == 0)]))
    labels = np.where(walked, known, -1)
    present = np.unique(labels[labels > 0])
    if len(present) == 2:
        # Only the larger of two probabilities counts, so no warning about values a little outside [0, 1].
        labels = random_walker(rgb, labels, beta=_WALK_BETA, mode="cg_j", tol=1e-3, prob_tol=1.0, channel_axis=-1)
        stays[walked] = labels[walked] == _STAYS
    elif len(present) == 1:
        stays[walked] = present[0] == _STAYS
    return np.asarray(stays)


def _pieces_segments_under(mask: Mask, strokes: Mask) -> Mask:
    """Return the connected pieces of a mask that strokes touch."""
    if not strokes.any():
        return np.zeros_like(mask)
    _, pieces = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    return np.isin(pieces, np.unique(pieces[strokes])) & mask


def _distance_to(mask: Mask) -> Map:
    if not mask.any():
        return np.full(mask.shape, np.inf, np.float32)
    return np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5), np.float32)


def _nearest_value(where: Mask, values: Mask) -> Mask:
    """Return for every pixel the value at the nearest pixel of ``where``."""
    _, nearest = cv2.distanceTransformWithLabels(
        (~where).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    value_of = np.zeros(int(nearest.max()) + 1, bool)
    value_of[nearest[where]] = values[where]
    return np.asarray(value_of[nearest])
