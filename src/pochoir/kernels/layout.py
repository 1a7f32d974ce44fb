"""How numbers lie in memory: what the kernels and their callers agree on."""

from typing import Final

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


def in_panels(matrix: Tensor) -> Tensor:
    """A matrix (depth, columns) as products read it: panels of COLUMNS columns, (columns / COLUMNS, depth, COLUMNS)."""
    return matrix.reshape(len(matrix), -1, COLUMNS).transpose(0, 1).contiguous()
