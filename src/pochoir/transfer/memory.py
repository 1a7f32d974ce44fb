"""Pixels that the encoder can process at once in the memory allowed."""

import ctypes
import sys

from pochoir._types import Size

BYTES_AT_REST = 730 << 20
"""Memory of the process with the encoder on kernels, before any picture; 250 MB are packed weights. Measured, as is
what follows, by the peaks of VGG19 at 256, 512, 768 and 1024 pixels. Plain torch takes less."""
BYTES_PER_SHOWN_PIXEL = 2300
"""Features of VGG19 to relu5_1, kept for the way back."""
PICTURES_HELD = 14
"""Pictures of the painted size in memory: photo, iterates, gradients and intermediate results."""
HISTORY_BYTES = 512 << 20
"""Memory for the history of L-BFGS, in bytes."""
LEAST_SHOWN_PX = 300**2
"""Approximate pixels of the smallest tile: a core of 128 pixels with its margins."""
MOST_PAIRS, LEAST_PAIRS = 12, 3


def history_pairs(size: Size) -> int:
    """Return the number of pairs that L-BFGS remembers for pictures of this size."""
    return min(MOST_PAIRS, max(LEAST_PAIRS, HISTORY_BYTES // (2 * _bytes(size))))


def tile_limit_px(memory: int, size: Size, *, pictures: int = 1) -> float:
    """Return the pixels that the encoder can process at once; at least 1.

    Args:
        memory: Bytes that the process may take.
        size: Of the picture that is painted.
        pictures: How many of that size are painted side by side.
    """
    return max(1.0, (memory - _held_bytes(size, pictures)) / BYTES_PER_SHOWN_PIXEL)


def shown_px(limit_px: float, size: Size) -> float:
    """Return the pixels that the encoder processes at once, about, of a picture, by its ``tile_limit_px``."""
    return min(size.pixels, max(LEAST_SHOWN_PX, limit_px))


def expected_bytes(memory: int, size: Size) -> int:
    """Return the memory that painting takes, about; more than ``memory`` if even small tiles take more."""
    return int(_held_bytes(size) + BYTES_PER_SHOWN_PIXEL * shown_px(tile_limit_px(memory, size), size))


def give_back() -> None:
    """Return freed memory to the system. The C library of Linux keeps pieces that lie between others still in use.

    The next scale allocates pieces of other sizes, so the kept ones would add to its own.
    """
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other libraries than glibc have none
        if trim is not None:
            trim(0)


def _held_bytes(size: Size, pictures: int = 1) -> int:
    return BYTES_AT_REST + (PICTURES_HELD + 2 * history_pairs(size)) * pictures * _bytes(size)


def _bytes(size: Size) -> int:
    return 3 * 4 * size.pixels
