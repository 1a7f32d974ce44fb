"""Shadow of a subject on the ground that it touches, to be kept in its cutout."""

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from pochoir import imaging
from pochoir._types import Size
from pochoir.compositing.layers import check_matte
from pochoir.errors import ShapeError

_WORKING_LONG_SIDE = 512
_GROUND_LONG_SIDE = 128
_REACH = 0.4  # largest distance of a shadow from the subject, as a share of the subject's long side
_KNOWN_BELOW = 0.02  # matte value up to which a pixel shows the ground alone
_TEXTURE = 0.06  # smallest darkening that can be shadow
_NEUTRAL_WITHIN = 0.2  # difference between the darkening of red, green and blue that a shadow may have
_ROUNDS = 6
_SHADED_WEIGHT = 0.02

Plane = npt.NDArray[np.float32]
"""Map of shape (H, W)."""


def contact_shadow(photo: Tensor, matte: Tensor) -> Tensor:
    """Estimate the darkening of the ground right below and beside the subject.

    The brightness of the ground is estimated from the pixels around the subject; darker ones count little. A pixel is
    shadow if it is darker than the ground by the same share in red, green and blue, lies near the lower half of the
    subject, and is connected to it.

    Args:
        photo: Colours in [0, 1], shape (1, 3, H, W).
        matte: Share of the subject in [0, 1], shape (1, 1, H, W).

    Returns:
        Opacity of a black layer that darkens a plain ground like the shadow, in [0, 1], shape (1, 1, H, W); 0
        everywhere if there is no subject or no shadow.

    Raises:
        ShapeError: The shapes do not agree, or there is more than one photo.

    Note:
        This is a guess from one photo. It finds soft and hard shadows on floors, tables and lawns whose colour changes
        slowly. A dark object of neutral colour that touches the subject is taken for shadow. Little is found on a
        ground that is nearly black or strongly patterned, and nothing on the subject itself. Long shadows fade out
        from a fifth of the subject's size on. Edges are as sharp as at 512 pixels on the long side. Shadow that the
        matte counts as subject stays subject.
    """
    check_matte(photo, matte)
    if photo.shape[0] != 1:
        raise ShapeError(f"Shadows are estimated in one photo at a time; got {photo.shape[0]}.")
    size = Size(*photo.shape[-2:])
    working = size if size.long_side <= _WORKING_LONG_SIDE else size.fit_long_side(_WORKING_LONG_SIDE)
    alpha: Plane = imaging.resize(matte, working, mode="bilinear")[0, 0].cpu().numpy()
    subject = np.argwhere(alpha > 0.5)
    known = (alpha <= _KNOWN_BELOW).astype(np.float32)
    if len(subject) == 0 or not known.any():
        return torch.zeros_like(matte)
    # Grain looks like a change of colour, which no shadow has.
    small = _smooth_grain(imaging.resize(photo, working, mode="bilinear").cpu(), known)
    reach_px = max(2.0, _REACH * float((np.ptp(subject, axis=0) + 1).max()))
    near, low = _reachable_area(alpha, subject[:, 0], reach_px)
    shade = _connected_to_subject(near * known * _darkening(small, known, low, reach_px), alpha)
    shade = np.where(known > 0, shade, _extend_below_edge(shade, known, working.long_side / 50))
    found = torch.from_numpy(cv2.GaussianBlur(shade, (0, 0), 1.0).astype(np.float32))[None, None]
    return imaging.resize(found, size, mode="bilinear").to(matte)


def lay_shadow(cutout: Tensor, shadow: Tensor) -> Tensor:
    """Lay a cutout over a black layer.

    Args:
        cutout: Colours and alpha in [0, 1], shape (1, 4, H, W), the colours not multiplied by alpha.
        shadow: Opacity of the black layer in [0, 1], shape (1, 1, H, W).

    Returns:
        Shape (1, 4, H, W). Laid over a picture, it gives the same as the shadow and then the cutout laid over it.

    Raises:
        ShapeError: The shapes do not agree.
    """
    if cutout.ndim != 4 or cutout.shape[:2] != (1, 4) or shadow.shape != (1, 1, *cutout.shape[2:]):
        raise ShapeError(
            "A cutout (1, 4, H, W) and a shadow (1, 1, H, W) of one size are needed; "
            f"got {tuple(cutout.shape)} and {tuple(shadow.shape)}."
        )
    colors, alpha = cutout[:, :3], cutout[:, 3:]
    opacity = torch.lerp(shadow, torch.ones_like(alpha), alpha)
    share = torch.where(opacity > 0, alpha / opacity.clamp_min(torch.finfo(alpha.dtype).tiny), 1.0)
    return torch.cat([colors * share, opacity], dim=1)


def _smooth_grain(photo: Tensor, known: Plane) -> Tensor:
    smooth = _smooth(np.ascontiguousarray(photo[0].permute(1, 2, 0).numpy()), known, 1.5)
    return torch.from_numpy(smooth).permute(2, 0, 1)[None]


def _darkening(photo: Tensor, known: Plane, low: npt.NDArray[np.bool_], reach_px: float) -> Plane:
    """Return the darkening of each pixel against its ground, 0 where it is brighter or of another colour."""
    working = Size(*known.shape)
    ground = imaging.resize(_ground(photo, known, reach_px), working, mode="bilinear")
    ratios = (photo / ground.clamp_min(1 / 255))[0].numpy()  # (3, H, W)
    darker = 1 - ratios.mean(axis=0)
    uneven = np.ptp(ratios, axis=0) / np.maximum(ratios.mean(axis=0), 0.1)
    neutral = np.exp(-((uneven / _NEUTRAL_WITHIN) ** 2))
    texture = _texture(darker, known, low)
    above_texture = (2 * darker / texture - 1.5).clip(0, 1)
    return np.asarray(darker.clip(0, 1) * above_texture * neutral, np.float32)


def _texture(darker: Plane, known: Plane, low: npt.NDArray[np.bool_]) -> float:
    """Return the darkening that the texture of the ground, such as grass or paving, reaches by itself."""
    ground = darker[low & (known > 0)]
    return max(_TEXTURE, 2 * float(np.percentile(ground, 60))) if len(ground) else _TEXTURE


def _ground(photo: Tensor, known: Plane, reach_px: float) -> Tensor:
    """Return the colours of the ground without shadow, shape (1, 3, h, w), smooth, at a smaller size."""
    working = Size(*known.shape)
    coarse = working if working.long_side <= _GROUND_LONG_SIDE else working.fit_long_side(_GROUND_LONG_SIDE)
    sigma = max(1.0, reach_px * coarse.long_side / working.long_side)
    weights = torch.from_numpy(known)[None, None]
    mean_weights = F.adaptive_avg_pool2d(weights, (coarse.height, coarse.width))
    means = F.adaptive_avg_pool2d(photo * weights, (coarse.height, coarse.width)) / mean_weights.clamp_min(1e-6)
    seen: npt.NDArray[np.float32] = np.ascontiguousarray(means[0].permute(1, 2, 0).numpy())  # (h, w, 3)
    weight: Plane = mean_weights[0, 0].numpy()
    ground = _fit(seen, weight, sigma)
    for _ in range(_ROUNDS):
        # Pixels darker than the estimate so far are probably in the shadow.
        shaded = seen.mean(axis=2) < ground.mean(axis=2) * (1 - _TEXTURE / 2)
        ground = _fit(seen, np.where(shaded, _SHADED_WEIGHT * weight, weight), sigma)
    return torch.from_numpy(ground).permute(2, 0, 1)[None]


def _fit(seen: npt.NDArray[np.float32], weight: Plane, sigma: float) -> npt.NDArray[np.float32]:
    """Fit a plane, for the slope of brightness across a floor, and smooth the remainder."""
    height, width = weight.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    terms = np.stack([np.ones_like(x), x, y], axis=-1)  # (h, w, 3)
    root = np.sqrt(weight)[..., None]
    slope, *_ = np.linalg.lstsq((terms * root).reshape(-1, 3), (seen * root).reshape(-1, seen.shape[2]), rcond=None)
    plane = terms @ slope
    return np.asarray(plane + _smooth(seen - plane, weight, sigma), np.float32)


def _smooth(values: npt.NDArray[np.float32], weight: Plane, sigma: float) -> npt.NDArray[np.float32]:
    """Return the weighted mean around each pixel, shape (h, w, C)."""
    summed = cv2.GaussianBlur(values * weight[..., None], (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    total = cv2.GaussianBlur(weight, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    # OpenCV drops the axis of a single channel.
    return np.asarray(summed.reshape(values.shape) / np.maximum(total, 1e-6)[..., None], np.float32)


def _reachable_area(alpha: Plane, rows: npt.NDArray[np.intp], reach_px: float) -> tuple[Plane, npt.NDArray[np.bool_]]:
    """Return weights, 1 near the lower part of the subject and 0 out of reach, and a mask of all rows as low."""
    outside = (alpha <= 0.5).astype(np.uint8)
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    near = (2 * (1 - distance / reach_px)).clip(0, 1)
    top, height = int(rows.min()), int(np.ptp(rows)) + 1
    depth = (np.arange(alpha.shape[0], dtype=np.float32) - top) / height
    low = ((depth - 0.5) / 0.25).clip(0, 1)[:, None]
    return np.asarray(near * low, np.float32), np.broadcast_to(low > 0, alpha.shape)


def _connected_to_subject(shade: Plane, alpha: Plane) -> Plane:
    """Return the shade where it is connected to the subject, 0 elsewhere."""
    seen = ((shade > 0.02) | (alpha > _KNOWN_BELOW)).astype(np.uint8)
    _, labels = cv2.connectedComponents(seen, connectivity=8)
    kept = np.unique(labels[alpha > 0.5])
    return np.where(np.isin(labels, kept), shade, 0).astype(np.float32)


def _extend_below_edge(shade: Plane, known: Plane, sigma: float) -> Plane:
    """Return the shade below the subject's soft edge, where it is hidden, by the shade beside it."""
    return _smooth(shade[..., None], known, sigma)[..., 0]
