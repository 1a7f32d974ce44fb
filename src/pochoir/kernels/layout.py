"""Memory layouts and block sizes shared by kernels and their callers."""

from typing import Final, NamedTuple

from torch import Tensor

from pochoir.kernels.cpu import COLUMNS, LANES

FLOAT_BYTES: Final = 4
ROWS: Final = 12 if LANES == 16 else 6
"""Rows of a matrix product at a time: as many as fit into registers."""
UNIT: Final = ROWS // 3
"""Granularity of rows: numbers of rows are rounded up to a multiple of it."""
SKEW: Final = 16
"""Padding between the positions of a tile, in numbers, so that they do not compete for the same cache sets."""
POSITIONS: Final = 128
"""Map positions at a time in Gram matrices: two panels of them fit into the first-level cache."""
TAPS: Final = 27
"""Weights of a 3x3 filter over three colour channels."""
TAP_COLUMNS: Final = 32
"""Columns of a product that holds all taps, a multiple of the product's width."""
TAP_DEPTH: Final = TAPS + 1
"""Taps and the bias, which is the weight of a constant 1."""
PIXELS: Final = 48
"""Pixels at a time in the RGB convolution, a multiple of a product's rows."""

INTEGER_BYTES: Final = 8
COUNTER: Final = 64
"""Distance between two atomic counters in bytes: one cache line each."""
COUNTERS: Final = 5
"""Counters of a convolution whose threads wait for each other: three for steps taken, two for steps finished."""


class Waiting(NamedTuple):
    """C functions that a waiting thread calls; each takes at most one number."""

    yield_core: int
    """Address of the function that lets another thread have the core."""
    sleep: int
    """Address of the function that sleeps."""
    sleep_amount: int
    """Argument of ``sleep``: about 50 microseconds, or the least that the system offers."""


class Map(NamedTuple):
    """Description of one map for the convolution kernels, in addresses and counts."""

    source: int
    """Address of the input, (height, width, input channels)."""
    height: int
    width: int
    target: int
    """Address of the output, (height, width, output channels)."""
    extra: int
    """Address of the addend: (channels,), or (height, width, channels) if ``is_full``."""
    is_full: int
    gate: int
    """Address of a map, (height, width, channels): outputs where it is not above 0 become 0. 0 means no gate."""
    first: int
    """Number of tiles in the maps before this one."""


def in_panels(matrix: Tensor) -> Tensor:
    """Rearrange a matrix (depth, columns) into panels of COLUMNS columns: (columns / COLUMNS, depth, COLUMNS)."""
    return matrix.reshape(len(matrix), -1, COLUMNS).transpose(0, 1).contiguous()
