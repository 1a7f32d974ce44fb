"""Optical flow between frames of one shot: dense, filled from reliable places, with a map of what is seen in both."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from pochoir.video.colors import Rgb
from pochoir.video.warping import DenseSearch, FlowField, is_inside, photo_error, warp

Map = npt.NDArray[np.float32]
Matte = npt.NDArray[np.uint8]

_MOST_SEARCHED_PX: Final = 640
"""Long side above which the raw flow is computed on smaller copies."""
_FLOW_BYTES: Final = 8
_KEPT_FLOWS: Final = 100
_MOST_KEPT_BYTES: Final = 512 << 20
"""Memory for results: that of so many flows."""
_TEXTURE_SIGMA: Final = 2.0
_TEXTURE_HALF: Final = 4.0
"""Smaller eigenvalue of the structure tensor, in squared levels, at which texture counts as one half."""
_TEXTURED_FROM: Final = 0.3
_PHOTO_LEVELS: Final = 14.0
"""Mean difference in 8-bit levels up to which two pixels show the same."""
_LEAST_PHOTO_LEVELS: Final = 6.0
_USUAL_TIMES: Final = 4.0
"""Without shade they show the same up to so many times the median difference of the two frames, from the least levels
to those above: dark things in front of dark ground differ by few levels."""
_SHADE_LEVELS: Final = 8.0
"""Further levels by which this trust falls to 1 / e, where shade is allowed."""
_MATTE_DIFFERENCE: Final = 0.25
_INCONSISTENT_FROM: Final = 1.5
_BAND_PX: Final = 16
_BAND: Final = 0.043
"""Width of the band at a silhouette that the background's flow is not taken from, in pixels and as a share of the long
side, whichever is more: patches of the search that overlap the subject move with it."""
_MATTE_FAITH_LEVELS: Final = 2.0
"""Levels of 255 by which the error of a flow computed without mattes must be smaller for it to be used. It is needed
because mattes of photographs miss hair, ears and fingers, which would otherwise move with the background."""
_MATTE_LEVELS: Final = 60.0
"""Error that a matte difference of 1 adds when two candidate flows are compared, in 8-bit levels."""
_COMPARED_SIGMA: Final = 2.0
_FILL_LEVELS: Final = 6
_FILL_FAITH: Final = 0.02
"""Weight of the coarser answer in a fill; texture counts up to 1."""


class Flows:
    """Flow between any two frames of one shot.

    Dense inverse search (Kroeger et al. 2016) finds a raw flow in both directions. Where it is unreliable (no texture,
    or there and back do not agree) it is filled from reliable places by pull-push. Where there are mattes, subject and
    background are filled by themselves, unless a common fill fits the frames better: mattes have faults, too. Results
    are kept up to a bound of memory.

    Args:
        frames: Frames of one size, shape (H, W, 3), uint8; may read them when asked.
        mattes: A matte of each frame, shape (H, W), 255 in the subject; None, or None for some, if it is not known.
        allows_shade: Trust a surface in part where it has become darker or lighter, as moving shade makes it. Not for
            decisions on what the subject is: what comes from behind it may differ by as much, or by less in the dark.
        follows: Also follow surfaces through the frames between two, and take that answer where it fits no worse. A
            search between distant frames loses what moves fast, and finds other wrong places from frame to frame.
    """

    def __init__(
        self,
        frames: Sequence[Rgb],
        mattes: Sequence[Matte | None] | None = None,
        *,
        allows_shade: bool = True,
        follows: bool = False,
    ) -> None:
        self._frames = frames
        self._allows_shade = allows_shade
        self._mattes = mattes
        self._follows = follows
        self._search = DenseSearch(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM, is_fine=True)
        self._kept: OrderedDict[tuple[str, int, int], npt.NDArray[Any]] = OrderedDict()
        self._kept_bytes = 0

    def flow(self, i: int, j: int) -> FlowField:
        """Return where each pixel of frame ``i`` is in frame ``j``, shape (H, W, 2), in pixels.

        Frame ``i`` at x looks like frame ``j`` at x + flow.
        """
        found = np.asarray(self._keep("flow", i, j, self._fill))
        if ("flow", j, i) in self._kept:
            for key in (("raw", i, j), ("raw", j, i)):  # both are filled
                self._drop(key)
        return found

    def visible(self, i: int, j: int) -> Map:
        """Return how surely each pixel of frame ``i`` is also seen in frame ``j``, shape (H, W), in [0, 1]."""
        return np.asarray(self._keep("visible", i, j, self._see))

    def forget_before(self, i: int) -> None:
        """Drop what is kept about frames before number ``i``."""
        for key in [key for key in self._kept if min(key[1:]) < i]:
            self._drop(key)

    def _drop(self, key: tuple[str, int, int]) -> None:
        if key in self._kept:
            self._kept_bytes -= self._kept.pop(key).nbytes

    def _keep(self, kind: str, i: int, j: int, make: Callable[[int, int], npt.NDArray[Any]]) -> Any:
        key = (kind, i, j)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        made = make(i, j)
        made.setflags(write=False)
        self._kept[key] = made
        self._kept_bytes += made.nbytes
        most = min(_KEPT_FLOWS * self._frames[i][..., 0].size * _FLOW_BYTES, _MOST_KEPT_BYTES)
        while self._kept_bytes > most and len(self._kept) > 1:
            self._kept_bytes -= self._kept.popitem(last=False)[1].nbytes
        return made

    def _fill(self, i: int, j: int) -> FlowField:
        if i == j:
            return np.zeros((*self._frames[i].shape[:2], 2), np.float32)
        raw = self._keep("raw", i, j, self._raw)
        weight = np.exp(-_inconsistency(raw, self._keep("raw", j, i, self._raw))) * self._texture(i)
        weight = (weight + 1e-5).astype(np.float32)
        own, other = self._matte(i), self._matte(j)
        if own is None or other is None:
            return pull_push(raw, weight)
        agrees = np.abs(warp(other, raw, interpolation="linear") - own) < 0.3
        outlying = _grow(own > 0.1, max(_BAND_PX, round(_BAND * max(own.shape))))
        subject, ground = _shrink(own > 0.9, 2), ~outlying
        if not subject.any():
            return pull_push(raw, weight)
        front = pull_push(raw, weight * (subject & agrees) + np.float32(1e-6))
        back = pull_push(raw, weight * (ground & agrees) + np.float32(1e-6))
        split = np.where((own > 0.5)[..., None], front, back).astype(np.float32)
        whole = pull_push(raw, weight)
        is_better = self._misfit(i, j, whole) + np.float32(_MATTE_FAITH_LEVELS) < self._misfit(i, j, split)
        return np.where(is_better[..., None], whole, split)

    def _see(self, i: int, j: int) -> Map:
        if i == j:
            return np.ones(self._frames[i].shape[:2], np.float32)
        there, back = self.flow(i, j), self.flow(j, i)
        seen = is_inside(there)
        error = cv2.GaussianBlur(photo_error(self._frames[i], self._frames[j], there), (0, 0), 1.0)
        trust = self._trust(np.asarray(error, np.float32))
        own, other = self._matte(i), self._matte(j)
        if own is not None and other is not None:
            seen &= np.abs(warp(other, there, interpolation="linear") - own) < _MATTE_DIFFERENCE
        seen &= ~((_inconsistency(there, back) > _INCONSISTENT_FROM) & (self._texture(i) > _TEXTURED_FROM))
        seen_by = (seen * trust).astype(np.float32)
        return cv2.morphologyEx(seen_by, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)).astype(np.float32)

    def _trust(self, error: Map) -> Map:
        """Return how surely two frames show the same where they differ by so many levels, in [0, 1]."""
        if self._allows_shade:
            excess = np.maximum(error - np.float32(_PHOTO_LEVELS), 0.0)
            return np.asarray(np.exp(-np.square(excess / np.float32(_SHADE_LEVELS))), np.float32)
        usual = _USUAL_TIMES * float(np.median(error))
        return (error <= min(max(usual, _LEAST_PHOTO_LEVELS), _PHOTO_LEVELS)).astype(np.float32)

    def _raw(self, i: int, j: int) -> FlowField:
        found = self._find(i, j)
        if not self._follows or abs(i - j) < 2:
            return found
        followed = self._follow(i, j)
        is_better = self._misfit(i, j, followed) <= self._misfit(i, j, found)
        return np.where(is_better[..., None], followed, found)

    def _follow(self, i: int, j: int) -> FlowField:
        """Return the flow through the frame that is one step nearer, so that the first frame's pairs share their steps.

        Pairs with the first frame come nearer to it from the other end, other pairs to the later frame.
        """
        low, high = min(i, j), max(i, j)
        via = high - 1 if low == 0 else low + 1
        there = self.flow(i, via)
        return np.asarray(there + warp(self.flow(via, j), there, interpolation="linear"), np.float32)

    def _misfit(self, i: int, j: int, flow: FlowField) -> Map:
        """Return how badly a flow fits two frames and their mattes around each pixel, in 8-bit levels."""
        misfit = photo_error(self._frames[i], self._frames[j], flow)
        own, other = self._matte(i), self._matte(j)
        if own is not None and other is not None:
            misfit += np.float32(_MATTE_LEVELS) * np.abs(warp(other, flow, interpolation="linear") - own)
        return np.asarray(cv2.GaussianBlur(misfit, (0, 0), _COMPARED_SIGMA), np.float32)

    def _find(self, i: int, j: int) -> FlowField:
        height, width = self._frames[i].shape[:2]
        found = self._search.flow(self._gray(i), self._gray(j))
        if found.shape[:2] == (height, width):
            return found
        scale = np.array([width / found.shape[1], height / found.shape[0]], np.float32)
        return np.asarray(cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR) * scale, np.float32)

    def _gray(self, i: int) -> npt.NDArray[np.uint8]:
        return np.asarray(self._keep("gray", i, i, lambda i, _: _to_searched_gray(self._frames[i])))

    def _texture(self, i: int) -> Map:
        return np.asarray(self._keep("texture", i, i, lambda i, _: _measure_texture(self._frames[i])))

    def _matte(self, i: int) -> Map | None:
        matte = None if self._mattes is None else self._mattes[i]
        return None if matte is None else matte.astype(np.float32) / np.float32(255)


def _to_searched_gray(frame: Rgb) -> npt.NDArray[np.uint8]:
    """Return a frame in grey at the size that flow is searched at."""
    gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    height, width = gray.shape
    factor = _MOST_SEARCHED_PX / max(height, width)
    if factor >= 1:
        return np.asarray(gray, np.uint8)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)


def pull_push(values: npt.NDArray[np.float32], weight: Map) -> npt.NDArray[np.float32]:
    """Fill values by their weights: a pyramid of weighted means answers where the weight is small.

    Args:
        values: Shape (H, W, C).
        weight: Shape (H, W), from 0 to 1.

    Returns:
        Shape (H, W, C).

    References:
        Gortler et al., "The Lumigraph", SIGGRAPH 1996 (pull-push).
    """
    sums, weights = [values * weight[..., None]], [weight]
    while len(sums) <= _FILL_LEVELS and min(weights[-1].shape) >= 8:
        weights.append(np.asarray(cv2.pyrDown(weights[-1]), np.float32))
        # OpenCV drops the axis of a single channel.
        sums.append(np.asarray(cv2.pyrDown(sums[-1]), np.float32).reshape(*weights[-1].shape, -1))
    filled: npt.NDArray[np.float32] = sums[-1] / (weights[-1][..., None] + np.float32(1e-6))
    for total, count in zip(sums[-2::-1], weights[-2::-1], strict=True):
        coarse = cv2.pyrUp(filled, dstsize=(total.shape[1], total.shape[0])).reshape(total.shape)
        filled = (total + _FILL_FAITH * coarse) / (count[..., None] + _FILL_FAITH)
    return filled.astype(np.float32)


def _inconsistency(there: FlowField, back: FlowField) -> Map:
    """Return the distance between there and back, relative to what is normal (Sundaram et al. 2010)."""
    returned = warp(back, there, interpolation="linear")
    allowed = 0.01 * (_squared(there) + _squared(returned)) + 0.5
    return np.asarray(_squared(there + returned) / allowed, np.float32)


def _squared(vectors: FlowField) -> Map:
    # Faster than a sum over the last axis, which is short.
    return np.asarray(vectors[..., 0] ** 2 + vectors[..., 1] ** 2, np.float32)


def _measure_texture(frame: Rgb) -> Map:
    gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
    dx, dy = cv2.Sobel(gray, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(gray, cv2.CV_32F, 0, 1) / 8
    xx, xy, yy = (cv2.GaussianBlur(each, (0, 0), _TEXTURE_SIGMA) for each in (dx * dx, dx * dy, dy * dy))
    smaller = (xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    return np.asarray(smaller / (smaller + _TEXTURE_HALF), np.float32).clip(0, 1)


def _grow(mask: npt.NDArray[np.bool_], radius_px: int) -> npt.NDArray[np.bool_]:
    square = np.ones((2 * radius_px + 1, 2 * radius_px + 1), np.uint8)
    return np.asarray(cv2.dilate(mask.astype(np.uint8), square) > 0)


def _shrink(mask: npt.NDArray[np.bool_], radius_px: int) -> npt.NDArray[np.bool_]:
    square = np.ones((2 * radius_px + 1, 2 * radius_px + 1), np.uint8)
    return np.asarray(cv2.erode(mask.astype(np.uint8), square) > 0)
