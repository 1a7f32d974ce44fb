"""Colours of subject and background where a matte mixes them, estimated from coarse to fine."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
"""One channel, or a matte, shape (H, W)."""

_COARSEST_LONG_SIDE = 16
_ROUNDS = 3  # per size; one fewer loses .2 dB on found mattes, and 4 dB on true ones
_SMALL_LONG_SIDE, _SMALL_ROUNDS = (
    64,
    20,
)  # more rounds cost nothing at small sizes, and edges as wide as the picture need them
_WINDOW = (3, 3)
_PURITY = 8  # exponent of the weights at the coarsest size, so that mixtures hardly count in its means
_FAINT = 1e-3  # weight of a layer where the matte has none of it, so that nearby colours spread there
_TILE_PX = 256  # the planes of a tile fit into the processor's cache, and tiles without mixed pixels are skipped


def estimate_channel(channel: Plane, mattes: list[Plane]) -> tuple[Plane, Plane]:
    """Estimate one colour channel of the subject and of the background.

    At each size both layers are averaged over 3x3 pixels, with the matte and its complement as weights. The remainder
    of the channel against ``matte * front + (1 - matte) * back`` is added to both layers in the same shares. These two
    steps are repeated a few times. The next coarser size gives the start, so colours spread across the whole soft edge.

    Args:
        channel: In [0, 1], shape (H, W).
        mattes: The matte in [0, 1] at every size, from ``matte_pyramid``.

    Returns:
        Front and back, in [0, 1], shape (H, W). Where the matte is 0 or 1, the visible layer equals the channel up to
        rounding errors.

    References:
        The average and the correction are those of Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021,
        who corrects the foreground alone and has two large windows in place of many sizes; starting each size from
        the coarser one is from Germer et al., "Fast Multi-Level Foreground Estimation", 2020, arXiv:2006.14970.
    """
    matte = mattes[0]
    if len(mattes) == 1:
        front, back = (_mean(channel, weight**_PURITY) for weight in (matte, 1.0 - matte))
    else:
        front, back = (_enlarge(start, matte) for start in estimate_channel(_halve(channel), mattes[1:]))
    rough_front, rough_back = front.copy(), back.copy()  # all tiles start from the same values at their margins
    for inner, outer, kept in _mixed_tiles(matte):
        tile = _refine(channel[outer], matte[outer], rough_front[outer], rough_back[outer])
        front[inner], back[inner] = (layer[kept] for layer in tile)
    return front, back


def matte_pyramid(matte: Plane) -> list[Plane]:
    """Return a matte at every size that colours are estimated at: its own, half of it, and so on."""
    sizes = [matte]
    while max(sizes[-1].shape) > _COARSEST_LONG_SIDE:
        sizes.append(_halve(sizes[-1]))
    return sizes


def _halve(plane: Plane) -> Plane:
    half = ((plane.shape[1] + 1) // 2, (plane.shape[0] + 1) // 2)
    return np.asarray(cv2.resize(plane, half, interpolation=cv2.INTER_AREA), np.float32)


def _enlarge(plane: Plane, like: Plane) -> Plane:
    shape = (like.shape[1], like.shape[0])
    return np.asarray(cv2.resize(plane, shape, interpolation=cv2.INTER_LINEAR), np.float32)


def _mean(channel: Plane, weight: Plane) -> Plane:
    total = float(weight.sum())
    return np.full_like(channel, float((channel * weight).sum()) / total if total else 0.0)


_Index = tuple[slice, slice]


def _mixed_tiles(matte: Plane) -> Iterator[tuple[_Index, _Index, _Index]]:
    """Yield the index of each tile with mixed pixels, its index with a margin, and its place within that."""
    height, width = matte.shape
    for top in range(0, height, _TILE_PX):
        for left in range(0, width, _TILE_PX):
            rows, outer_rows, kept_rows = _spans(top, height)
            columns, outer_columns, kept_columns = _spans(left, width)
            near = matte[outer_rows, outer_columns]
            # In a tile of one layer the other is hidden, so the rough estimate is enough.
            if ((near > 0.0) & (near < 1.0)).any() or near.min() != near.max():
                yield (rows, columns), (outer_rows, outer_columns), (kept_rows, kept_columns)


def _spans(start: int, length: int) -> tuple[slice, slice, slice]:
    stop = min(start + _TILE_PX, length)
    first, last = max(start - _ROUNDS, 0), min(stop + _ROUNDS, length)  # each round reaches one pixel further
    return slice(start, stop), slice(first, last), slice(start - first, stop - first)


def _refine(channel: Plane, matte: Plane, front: Plane, back: Plane) -> tuple[Plane, Plane]:
    rest = 1.0 - matte
    weights = (matte + _FAINT, rest + _FAINT)
    totals = [np.asarray(cv2.blur(weight, _WINDOW), np.float32) for weight in weights]
    for _ in range(_ROUNDS if max(matte.shape) > _SMALL_LONG_SIDE else _SMALL_ROUNDS):
        front, back = (
            np.asarray(cv2.blur(layer * weight, _WINDOW), np.float32) / total
            for layer, weight, total in zip((front, back), weights, totals, strict=True)
        )
        missing = channel - matte * front - rest * back
        front += matte * missing
        back += rest * missing
        for layer in (front, back):
            np.clip(layer, 0.0, 1.0, out=layer)
    return front, back
