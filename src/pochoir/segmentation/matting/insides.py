"""Unsure places deep inside a subject, which would let a new background show through."""

import cv2
import numpy as np
import torch
from torch import Tensor

from pochoir import imaging
from pochoir.segmentation.protocol import SUBJECT_THRESHOLD, check_matte

_FROM, _TO = 0.01, 0.03
"""Distances to the nearest background pixel from which filling begins, and at which it is full, in long sides."""
_SPAN = 0.2
"""Distance above the subject's threshold at which a value is raised all the way."""
_WORK_LONG_SIDE = 1000


def fill_insides(matte: Tensor) -> Tensor:
    """Raise values deep inside the subject to 1. Edges, and holes below one half, stay as they are.

    The network tells subject from background, not glass from cloth: a value of 0.8 far from any edge is doubt, and
    not transparency. The frame does not count as an edge.

    Args:
        matte: Shape (1, 1, H, W), in [0, 1].

    Returns:
        The same shape; no value is lower than before.
    """
    size = check_matte(matte)
    work = size if size.long_side <= _WORK_LONG_SIDE else size.fit_long_side(_WORK_LONG_SIDE)
    subject = imaging.resize(matte, work, mode="bilinear")[0, 0].cpu().numpy() >= SUBJECT_THRESHOLD
    # Without a border of its own, the transform sees no background beyond the frame.
    distance = cv2.distanceTransform(subject.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    if subject.all():
        distance = np.full(subject.shape, np.float32(work.long_side))
    depth = torch.from_numpy(np.asarray(distance, np.float32))[None, None].to(matte) / work.long_side
    share = imaging.resize(((depth - _FROM) / (_TO - _FROM)).clamp_(0.0, 1.0), size, mode="bilinear")
    share = share * ((matte - SUBJECT_THRESHOLD) / _SPAN).clamp(0.0, 1.0)
    return torch.lerp(matte, torch.ones_like(matte), share)
