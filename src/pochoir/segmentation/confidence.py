"""How far a matte can be trusted, told from looking at the photo a second time."""

from dataclasses import dataclass

import torch
from torch import Tensor

from pochoir.segmentation.protocol import Segmentation, Segmenter, check_photo


@dataclass(frozen=True, eq=False)
class Doubt:
    """How far several looks at a photo agree.

    Attributes:
        confidence: In [0, 1]: 1 where all looks find the same subject.
        map: Where they differ, shape (1, 1, H, W), in [0, 1].
    """

    confidence: float
    map: Tensor


def measure_doubt(photo: Tensor, found: Segmentation, segmenter: Segmenter) -> Doubt:
    """Compare a matte with what the same segmenter finds in the mirrored photo.

    Args:
        photo: Shape (1, 3, H, W), RGB in [0, 1].
        found: What the segmenter found in it, before any correction.
        segmenter: The segmenter.

    Returns:
        How far the two agree.

    Raises:
        ShapeError: It is not one photo.
    """
    check_photo(photo)
    mirrored = segmenter.segment(photo.flip(-1)).matte.flip(-1)
    both, either = torch.minimum(found.matte, mirrored).sum(), torch.maximum(found.matte, mirrored).sum()
    confidence = float(both / either) if float(either) > 0 else 0.0
    return Doubt(confidence, (found.matte - mirrored).abs())
