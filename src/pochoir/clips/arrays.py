"""Between tensors, which painting works on, and arrays, which animation works on."""

import numpy as np
import torch
from torch import Tensor

from pochoir.animation import boil
from pochoir.animation.arrays import Layer, Picture


def to_picture(x: Tensor) -> Picture:
    """Return a picture (1, C, H, W) as an array (H, W, 3)."""
    return np.ascontiguousarray(x[0, :3].permute(1, 2, 0).float().numpy())


def to_tensor(picture: Picture) -> Tensor:
    """Return a picture (H, W, 3) as a tensor (1, 3, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].contiguous()


def to_layer(cutout: Tensor) -> Layer:
    """Return a cutout (1, 4, H, W) with colours that alpha multiplies, of 8 bit values."""
    straight = (cutout[0].permute(1, 2, 0).float().numpy() * 255).round() / 255
    return np.ascontiguousarray(np.dstack([straight[..., :3] * straight[..., 3:], straight[..., 3:]]), dtype=np.float32)


def lock_cutout_colors(cutout: Tensor, first: Tensor) -> Tensor:
    """Give a repainted cutout the broad colours of the first one."""
    alpha = np.ascontiguousarray(first[0, 3].numpy())
    colors = boil.lock_colors(to_picture(cutout[:, :3]), to_picture(first[:, :3]), alpha)
    return torch.cat([to_tensor(colors), first[:, 3:]], dim=1)
