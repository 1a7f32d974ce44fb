"""The plate: a photo with the subject taken away.

The hole is filled from patches of the photo around it, coarse to fine. Patches are compared exactly, by matrix products
on the coarse scales; finer scales take the matches over and search a few pixels around them. There is no random search,
so the same photo gives the same plate.

A row prior prefers patches from the same height. It keeps horizons, shores and meadows at their level, where a plain
fill lets grass grow into the sky.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from pochoir.animation import _patch_kernels as kernels
from pochoir.animation.arrays import Mask, Picture, Plane
from pochoir.animation.colors import spread

LONG_SIDE_PX: Final = 512
"""Long side at which holes are filled; larger photos get the enlarged fill, whose softness the painting hides."""
_COARSEST_PX: Final = 64
_RADIUS: Final = kernels.RADIUS
_SIDE: Final = 2 * _RADIUS + 1
_ROW_PRIOR: Final = 4.6 * _SIDE**2
"""Squared colour difference of a patch that counts as much as a distance of the whole height."""
_STEPS: Final = (8, 3)
"""Rounds of matching and voting on the coarsest and on the finest scale."""
_COMPONENTS: Final = 28
_EXACT_PX: Final = 140
_BLOCK: Final = 1024
_JOIN_PX: Final = 24.0
_JOIN_ROUNDS: Final = 120
_LEAST_SOURCES: Final = 20

Offsets = npt.NDArray[np.int32]


def hole_of(alpha: Plane, *, grow_px: int = 6) -> Mask:
    """Return the pixels to fill: the matte and a rim around it, where the subject's light and shadow remain."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * grow_px + 1, 2 * grow_px + 1))
    hole: Mask = cv2.dilate((alpha > 0.02).astype(np.uint8), disc) > 0
    return hole


def fill_plate(photo: Picture, hole: Mask) -> Picture:
    """Fill a hole from the photo around it.

    Args:
        photo: Colours in [0, 1], shape (H, W, 3).
        hole: Pixels to fill, shape (H, W).

    Returns:
        The photo, bit for bit outside of the hole.

    References:
        Wexler, Shechtman and Irani, "Space-time completion of video", PAMI 2007: patches that vote, coarse to fine.
        We add the row prior and compare all patches, in a basis of their principal components.
    """
    if not hole.any():
        return photo
    height, width = hole.shape
    factor = min(1.0, LONG_SIDE_PX / max(height, width))
    small = (max(1, round(width * factor)), max(1, round(height * factor)))
    known = (~hole).astype(np.float32)
    share = cv2.resize(known, small, interpolation=cv2.INTER_AREA)
    colors = cv2.resize(photo * known[..., None], small, interpolation=cv2.INTER_AREA)
    base = colors / np.maximum(share, 1e-6)[..., None]
    filled = _fill(base.astype(np.float32), share < 0.99)
    if filled.shape[:2] != hole.shape:
        filled = np.asarray(cv2.resize(filled, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
    return np.where(hole[..., None], np.clip(filled, 0.0, 1.0), photo).astype(np.float32)


@dataclass(frozen=True, eq=False)
class _Scale:
    """One scale of the pyramid."""

    base: Picture
    hole: Mask
    targets: Offsets
    sources: Offsets
    confidence: Plane


def _fill(picture: Picture, hole: Mask) -> Picture:
    sizes = [hole.shape]
    while max(sizes[-1]) > _COARSEST_PX and min(sizes[-1]) > 4 * _RADIUS:
        sizes.append((max(1, round(sizes[-1][0] / 2)), max(1, round(sizes[-1][1] / 2))))
    current: Picture | None = None
    matches: Offsets | None = None
    last: _Scale | None = None
    for level, size in enumerate(reversed(sizes)):
        scale = _scale_at(picture, hole, size)
        if current is None:
            current = spread(scale.base, ~scale.hole)
        else:
            finer = cv2.resize(current, size[::-1], interpolation=cv2.INTER_LINEAR)
            current = np.where(scale.hole[..., None], finer, scale.base).astype(np.float32)
        if len(scale.sources) < _LEAST_SOURCES or not len(scale.targets):
            continue
        starts = None if last is None or matches is None else _carry(last, matches, scale)
        share = level / max(1, len(sizes) - 1)
        steps = round(_STEPS[0] + (_STEPS[1] - _STEPS[0]) * share)
        is_fine = level >= len(sizes) - 2 and len(sizes) > 1
        current, matches = _solve(scale, current, starts, steps, sharpness=0.2 if is_fine else 1.0)
        last = scale
    assert current is not None  # noqa: S101  (there is always one size)
    if last is not None and matches is not None:
        _join(current, last, matches)
    return current


def _scale_at(picture: Picture, hole: Mask, size: tuple[int, int]) -> _Scale:
    known = (~hole).astype(np.float32)
    if size == hole.shape:
        base, inside = picture, hole
    else:
        share = cv2.resize(known, size[::-1], interpolation=cv2.INTER_AREA)
        colors = cv2.resize(picture * known[..., None], size[::-1], interpolation=cv2.INTER_AREA)
        base, inside = (colors / np.maximum(share, 1e-6)[..., None]).astype(np.float32), share < 0.99
    near = cv2.dilate(inside.astype(np.uint8), np.ones((_SIDE, _SIDE), np.uint8)) > 0
    whole = np.zeros(size, bool)
    whole[_RADIUS : size[0] - _RADIUS, _RADIUS : size[1] - _RADIUS] = True
    distance = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 3)
    confidence = (1.3**-distance + 1e-4).astype(np.float32)
    targets, sources = np.argwhere(near & whole).astype(np.int32), np.argwhere(~near & whole).astype(np.int32)
    return _Scale(base, inside, targets, sources, confidence)


def _solve(
    scale: _Scale, current: Picture, starts: Offsets | None, steps: int, *, sharpness: float
) -> tuple[Picture, Offsets]:
    """Alternate between matching patches and voting for colours."""
    weight = _ROW_PRIOR / scale.hole.shape[0] ** 2
    allowed = np.zeros(scale.hole.shape, bool)
    allowed[tuple(scale.sources.T)] = True
    is_small = max(scale.hole.shape) <= _EXACT_PX
    matcher = _Matcher(scale, weight) if is_small or starts is None else None
    matches = starts
    for step in range(steps):
        if matcher is not None and (is_small or matches is None):
            matches = matcher.match(current)
        assert matches is not None  # noqa: S101  (set in the first step)
        costs = np.empty(len(matches), np.float32)
        reach = 0 if is_small else 2 if step == 0 else 1
        kernels.refine(current, allowed, scale.targets, matches, costs, np.float32(weight), reach)
        spread_of_costs = float(np.percentile(costs, 75)) * sharpness + 1e-6
        current = current.copy()
        kernels.vote(current, scale.base, scale.hole, scale.targets, matches, costs, scale.confidence, spread_of_costs)
    assert matches is not None  # noqa: S101
    return current, matches


def _carry(coarse: _Scale, matches: Offsets, fine: _Scale) -> Offsets:
    """Take the matches of a coarser scale over: same shift, twice as long."""
    table = np.full((*coarse.hole.shape, 2), -1, np.int32)
    table[tuple(coarse.targets.T)] = matches
    filled = _nearest(table, coarse)
    ratio = np.array(fine.hole.shape) / np.array(coarse.hole.shape)
    at = np.minimum((fine.targets / ratio).astype(np.int32), np.array(coarse.hole.shape) - 1)
    shift = filled[at[:, 0], at[:, 1]] - at
    carried: Offsets = np.rint(fine.targets + shift * ratio).astype(np.int32)
    return carried


def _nearest(table: Offsets, scale: _Scale) -> Offsets:
    """Give pixels without a match the shift of the nearest pixel that has one."""
    missing = (table[..., 0] < 0).astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(missing, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    seeds = np.zeros((int(labels.max()) + 1, 2), np.int32)
    seeds[labels[tuple(scale.targets.T)]] = scale.targets
    nearest = seeds[labels]
    here = np.stack(np.meshgrid(*map(np.arange, missing.shape), indexing="ij"), axis=-1)
    carried: Offsets = (table[nearest[..., 0], nearest[..., 1]] - nearest + here).astype(np.int32)
    return carried


class _Matcher:
    """Finds the best source of each target, over all sources of a scale."""

    def __init__(self, scale: _Scale, weight: float) -> None:
        self._scale = scale
        self._row = np.float32(np.sqrt(weight))
        sources = _patches(scale.base, scale.sources)
        self._center = sources.mean(axis=0)
        centered = sources - self._center
        _, axes = np.linalg.eigh(centered.T @ centered)
        self._basis = axes[:, -_COMPONENTS:].astype(np.float32)
        self._near = np.column_stack([centered @ self._basis, scale.sources[:, :1] * self._row]).astype(np.float32)
        self._half = (self._near**2).sum(axis=1) / 2

    def match(self, current: Picture) -> Offsets:
        """Return the centre of the best source of each target."""
        targets = self._scale.targets
        far = (_patches(current, targets) - self._center) @ self._basis
        far = np.column_stack([far, targets[:, :1] * self._row]).astype(np.float32)
        best = np.empty(len(far), np.int64)
        for start in range(0, len(far), _BLOCK):
            best[start : start + _BLOCK] = (self._half - far[start : start + _BLOCK] @ self._near.T).argmin(axis=1)
        return self._scale.sources[best].copy()


def _patches(picture: Picture, centers: Offsets) -> npt.NDArray[np.float32]:
    windows = np.lib.stride_tricks.sliding_window_view(picture, (_SIDE, _SIDE), axis=(0, 1))
    return windows[centers[:, 0] - _RADIUS, centers[:, 1] - _RADIUS].reshape(len(centers), -1)


def _join(picture: Picture, scale: _Scale, matches: Offsets) -> None:
    """Make patches of different brightness meet without a seam, in place.

    The colours keep the patches' gradients, agree with the photo around the hole, and over distances beyond
    ``_JOIN_PX`` agree with what the patches voted for.

    References:
        Perez, Gangnet and Blake, "Poisson image editing", SIGGRAPH 2003; we add the pull towards the votes.
    """
    gradients = np.zeros((*scale.hole.shape, 2, 3), np.float32)
    kernels.vote_gradients(gradients, scale.base, scale.targets, matches, scale.confidence)
    kernels.relax(picture, picture.copy(), scale.hole, gradients, np.float32(_JOIN_PX**-2), _JOIN_ROUNDS)
