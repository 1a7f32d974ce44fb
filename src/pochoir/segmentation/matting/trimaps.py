"""Division of a matte into sure and unsure pixels."""

import cv2
import numpy as np
import torch
from torch import Tensor

from pochoir.errors import OptionError
from pochoir.segmentation.protocol import check_matte


def trimap(matte: Tensor, *, sure_background: float = 0.05, sure_subject: float = 0.95, margin: float = 0.01) -> Tensor:
    """Divide a matte into surely subject (1), surely background (0) and unsure (0.5).

    Args:
        matte: Shape (1, 1, H, W), in [0, 1].
        sure_background: Pixels up to this value are background.
        sure_subject: Pixels from this value on are subject.
        margin: How far the sure regions are drawn back from each other, as a share of the long side. The photo's
            frame does not count as an edge: a subject that the frame cuts off stays sure up to it.

    Returns:
        Shape (1, 1, H, W), float32; every value is 0, 0.5 or 1.

    Raises:
        OptionError: The two limits are not in order within [0, 1], or the margin is not in [0, 0.5].
        ShapeError: It is not one matte.
    """
    size = check_matte(matte)
    if not 0.0 <= sure_background < sure_subject <= 1.0:
        raise OptionError(
            f"A trimap needs 0 <= sure background < sure subject <= 1; got {sure_background:g} and {sure_subject:g}."
        )
    if not 0.0 <= margin <= 0.5:
        raise OptionError(f"A trimap's margin is a share of the long side between 0 and 0.5; got {margin:g}.")
    margin_px = margin * size.long_side
    subject = _draw_back(matte >= sure_subject, margin_px)
    background = _draw_back(matte <= sure_background, margin_px)
    return torch.full_like(matte, 0.5, dtype=torch.float32).masked_fill_(background, 0.0).masked_fill_(subject, 1.0)


def _draw_back(region: Tensor, margin_px: float) -> Tensor:
    # The distance to the region's edge takes the same time for any margin; eroding with a disc does not.
    distance = cv2.distanceTransform(region[0, 0].cpu().numpy().astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return torch.from_numpy(distance > margin_px).to(region.device)[None, None]
