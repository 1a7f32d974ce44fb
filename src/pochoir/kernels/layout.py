"""How numbers lie in memory: what the kernels and their callers agree on."""

from typing import Final, NamedTuple

from torch import Tensor

from pochoir.kernels.cpu import COLUMNS, LANES

FLOAT_BYTES: Final = 4
ROWS: Final = 12 if LANES == 16 else 6
"""Rows of a product at a time: as many as registers hold the sums of."""
UNIT: Final = ROWS // 3
"""Rows of a product are rounded up to a multiple of this."""
SKEW: Final = 16
"""Numbers between one position of a tile and the next beyond what is needed, so that they do not share cache sets."""
POSITIONS: Final = 128
"""Positions of a map at a time, for Gram matrices: two panels of them stay in the first-level cache."""
TAPS: Final = 27
"""Weights of 3x3 pixels of three colours."""
TAP_COLUMNS: Final = 32
"""Columns of a product that holds all taps, a multiple of what a product takes."""
TAP_DEPTH: Final = TAPS + 1
"""The last one is the bias, as the weight of a constant 1."""
PIXELS: Final = 48
"""Pixels of a picture at a time, a multiple of what a product takes."""

INTEGER_BYTES: Final = 8
COUNTER: Final = 64
"""Bytes from one number that threads count with to the next: each has a line of the cache to itself."""
COUNTERS: Final = 5
"""Of a convolution whose threads wait for each other: what has been taken of its three steps, what is done of two."""


class Waiting(NamedTuple):
    """How a thread waits for others: addresses of C functions that take at most one number."""

    give_way: int
    """Lets another thread have the core."""
    sleep: int
    """Sleeps for some time."""
    nap: int
    """Its number: about 50 microseconds, or as little as the system knows."""


class Map(NamedTuple):
    """A map that a convolution goes over, as its kernels are told of it: addresses and counts."""

    source: int
    """Of the map, (height, width, channels that come)."""
    height: int
    width: int
    target: int
    """Of the results, (height, width, channels that go)."""
    extra: int
    """Of what is added to them: (channels,), or (height, width, channels) if ``is_full``."""
    is_full: int
    gate: int
    """Of a map, (height, width, channels): results where it is not above 0 become 0. Or 0."""
    first: int
    """Tiles of the maps before."""


def in_panels(matrix: Tensor) -> Tensor:
    """A matrix (depth, columns) as products read it: panels of COLUMNS columns, (columns / COLUMNS, depth, COLUMNS)."""
    return matrix.reshape(len(matrix), -1, COLUMNS).transpose(0, 1).contiguous()
