"""Weighted Gram matrices of a map of shape (H, W, channels), forward and backward."""

from collections.abc import Callable, Sequence
from math import ceil

from torch import Tensor

from pochoir.kernels.arena import Arena, scratch
from pochoir.kernels.cpu import COLUMNS
from pochoir.kernels.layout import POSITIONS
from pochoir.kernels.library import kernel
from pochoir.kernels.threads import run_pieces

PARTIAL_SUMS, PARTIAL_SUMS_WIDE = 8, 4
"""Parts of a map that are summed in parallel: enough for a few cores, and few matrices to add up. They must not depend
on the number of threads, because the rounding of the sums would."""
WIDE_CHANNELS = 512
"""Channels from which clearing and adding eight matrices takes long beside the products, measured on 2 cores."""
LEAST_POSITIONS = 64
"""Least number of positions in a part."""
PIECES, LEAST_IN_PIECE = 16, 32
"""Pieces of a map in the backward pass, and the least number of positions in one."""
LEAST_SHARED = 1 << 16
"""Numbers of a matrix below which no other thread is woken."""

_add_outer_products, _fold_sums = kernel("add_outer_products"), kernel("reduce_sums")
_pack_both, _multiply_positions = kernel("pack_symmetric"), kernel("multiply_positions")


def weighted_gram(map_: Tensor, weights: Tensor, arena: Arena) -> Tensor:
    """Return the weighted sum of the outer products of a map's positions.

    The order of summation does not depend on the number of threads.

    Args:
        map_: Shape (H, W, C), contiguous, with C a multiple of COLUMNS.
        weights: Non-negative weights, shape (H, W), contiguous. Positions of weight 0 are skipped.
        arena: Allocates the result and scratch space.

    Returns:
        Shape (C, C), symmetric.
    """
    channels = map_.shape[2]
    positions = weights.numel()
    most = PARTIAL_SUMS if channels < WIDE_CHANNELS else PARTIAL_SUMS_WIDE
    sums = min(most, ceil(positions / LEAST_POSITIONS))
    totals, target = arena.allocate(sums, channels, channels), arena.allocate(channels, channels)
    each = ceil(positions / sums)

    def add_up(piece: int) -> None:
        _add_outer_products(
            *(map_.data_ptr(), weights.data_ptr(), channels, piece * each, min(positions, (piece + 1) * each)),
            *(scratch(POSITIONS * channels).ctypes.data, totals[piece].data_ptr()),
        )

    def fold(first: int, last: int) -> None:
        _fold_sums(totals.data_ptr(), sums, channels, target.data_ptr(), first, last)

    run_pieces(add_up, sums)
    _share_panels(fold, channels)
    return target


def multiply_by_matrices(map_: Tensor, pairs: Sequence[tuple[Tensor, Tensor]], arena: Arena) -> Tensor:
    """Multiply each position by the sum of a matrix and its transpose, and add up the weighted results.

    This is the backward pass of ``weighted_gram``.

    Args:
        map_: Shape (H, W, C), contiguous, with C a multiple of COLUMNS.
        pairs: At least one matrix, (C, C), with its weights of the positions, (H, W), all contiguous.
        arena: Allocates the result.

    Returns:
        Shape (H, W, C).
    """
    height, width, channels = map_.shape
    target = arena.allocate(height, width, channels)
    positions = height * width
    panels = [_pack(matrix, arena) for matrix, _ in pairs]
    each = max(ceil(positions / PIECES), LEAST_IN_PIECE)

    def work(piece: int) -> None:
        for index, (matrix, (_, weights)) in enumerate(zip(panels, pairs, strict=True)):
            _multiply_positions(
                *(map_.data_ptr(), weights.data_ptr(), channels, matrix.data_ptr()),
                *(piece * each, min(positions, (piece + 1) * each)),
                *(scratch(2 * POSITIONS * channels).ctypes.data, index > 0, len(pairs) == 1, target.data_ptr()),
            )

    run_pieces(work, ceil(positions / each))
    return target


def _pack(matrix: Tensor, arena: Arena) -> Tensor:
    """Return the sum of a matrix and its transpose in panels; see ``layout.in_panels``."""
    channels = len(matrix)
    panels = arena.allocate(channels // COLUMNS, channels, COLUMNS)

    def pack(first: int, last: int) -> None:
        _pack_both(matrix.data_ptr(), channels, panels.data_ptr(), first, last)

    _share_panels(pack, channels)
    return panels


def _share_panels(work: Callable[[int, int], None], channels: int) -> None:
    """Call ``work(first, last)`` for ranges that cover all panels of columns."""
    panels = channels // COLUMNS
    each = ceil(panels / max(1, channels**2 // LEAST_SHARED))
    run_pieces(lambda piece: work(piece * each, min(panels, (piece + 1) * each)), ceil(panels / each))
