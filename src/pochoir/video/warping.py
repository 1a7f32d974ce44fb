"""Pictures seen through a flow field."""

from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from pochoir.errors import OptionError, ShapeError

FlowField = npt.NDArray[np.float32]
"""Shape (H, W, 2), in pixels: what is seen at x is found at x + flow(x) in the other frame; x first, then y."""

_WAYS: Final = {"nearest": cv2.INTER_NEAREST, "linear": cv2.INTER_LINEAR, "lanczos": cv2.INTER_LANCZOS4}
_MOST_CHANNELS: Final = 4
_FINE_STRIDE_PX: Final = 4
_LEAST_SIDE_PX: Final = 16
_MOST_PROPORTION: Final = 3


def warp(picture: npt.NDArray[Any], flow: FlowField, *, interpolation: str = "lanczos") -> npt.NDArray[np.float32]:
    """Sample a picture at the places that a flow points to.

    Args:
        picture: Shape (H, W, C) or (H, W), any values.
        flow: Shape (h, w, 2), in pixels of the picture.
        interpolation: ``"lanczos"`` (8 x 8 pixels), ``"linear"`` or ``"nearest"``.

    Returns:
        Shape (h, w, C) or (h, w), float32, within the least and largest value of the picture: Lanczos overshoots at
        edges. Places outside the picture take its nearest pixel.

    Raises:
        OptionError: The interpolation is unknown.
        ShapeError: The flow has another shape.
    """
    if interpolation not in _WAYS:
        raise OptionError(f"interpolation is one of {', '.join(_WAYS)}; got {interpolation!r}.")
    if flow.ndim != 3 or flow.shape[2] != 2:
        raise ShapeError(f"A flow has the shape (H, W, 2); got {flow.shape}.")
    values = np.ascontiguousarray(picture, np.float32)
    places = positions(flow)
    if values.ndim == 3 and values.shape[2] > _MOST_CHANNELS:
        parts = [values[..., at : at + _MOST_CHANNELS] for at in range(0, values.shape[2], _MOST_CHANNELS)]
        return np.concatenate([_sample(part, places, interpolation) for part in parts], axis=2)
    return _sample(values, places, interpolation)


class DenseSearch:
    """OpenCV's dense inverse search.

    Args:
        preset: One of OpenCV's presets, such as ``cv2.DISOPTICAL_FLOW_PRESET_MEDIUM``.
        is_fine: Search at the full size, too, where presets stop at half of it.

    References:
        Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016.
    """

    def __init__(self, preset: int, *, is_fine: bool = False) -> None:
        self._search = cv2.DISOpticalFlow_create(preset)  # type: ignore[attr-defined]  # missing in OpenCV's stubs
        if is_fine:
            self._search.setFinestScale(0)
            self._search.setPatchStride(_FINE_STRIDE_PX)

    def flow(self, one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> FlowField:
        """Return where each pixel of a grey picture (H, W) is in another, shape (H, W, 2)."""
        height, width = one.shape
        # The search crashes on narrow strips when several threads share them.
        least = max(_LEAST_SIDE_PX, -(-max(height, width) // _MOST_PROPORTION))
        wide = [
            cv2.copyMakeBorder(
                each, 0, max(0, least - height), 0, max(0, least - width), borderType=cv2.BORDER_REPLICATE
            )
            for each in (one, other)
        ]
        found = self._search.calc(wide[0], wide[1], None)
        return np.ascontiguousarray(found[:height, :width], np.float32)


def positions(flow: FlowField) -> FlowField:
    """Return the places that a flow points to, shape (H, W, 2), x first."""
    height, width = flow.shape[:2]
    places = flow.astype(np.float32, copy=True)
    places[..., 0] += np.arange(width, dtype=np.float32)
    places[..., 1] += np.arange(height, dtype=np.float32)[:, None]
    return places


def is_inside(flow: FlowField, margin_px: float = 0.5) -> npt.NDArray[np.bool_]:
    """Return where a flow points into the frame, shape (H, W)."""
    height, width = flow.shape[:2]
    places = positions(flow)
    x, y = places[..., 0], places[..., 1]
    inside = (x >= -margin_px) & (x <= width - 1 + margin_px) & (y >= -margin_px) & (y <= height - 1 + margin_px)
    return np.asarray(inside)


def _sample(values: npt.NDArray[np.float32], places: FlowField, interpolation: str) -> npt.NDArray[np.float32]:
    out = cv2.remap(values, places, None, _WAYS[interpolation], borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    if out.ndim < values.ndim:
        out = out[..., None]
    if interpolation == "lanczos" and values.size:
        np.clip(out, values.min(), values.max(), out=out)
    return np.asarray(out, np.float32)


def photo_error(
    picture: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8], flow: FlowField
) -> npt.NDArray[np.float32]:
    """Return how far a picture is from another that is warped onto it, shape (H, W): the mean over its colours.

    Args:
        picture: Shape (H, W, 3).
        other: Likewise.
        flow: From the picture to the other, shape (H, W, 2), in pixels.
    """
    difference = np.abs(warp(other, flow, interpolation="linear") - picture.astype(np.float32))
    # Faster than a mean over the last axis, which is short.
    return np.asarray(cv2.transform(difference, np.full((1, 3), 1 / 3, np.float32)), np.float32)
