"""Weighted Gram matrices of a map of shape (H, W, channels), several at once, and the way back."""

from collections.abc import Callable, Sequence
from math import ceil

from torch import Tensor

from pochoir.kernels.arena import Lender, scratch, share
from pochoir.kernels.cpu import COLUMNS
from pochoir.kernels.layout import POSITIONS
from pochoir.kernels.library import kernel

SUMS, SUMS_OF_MANY = 8, 4
"""Parts of a map that are summed side by side: enough to keep a few cores busy, and few matrices to add up."""
MANY_CHANNELS = 512
"""From which on to clear and to add up eight matrices takes long beside the products: measured on 2 cores. The number
must not depend on that of the threads, or the sums would."""
LEAST_POSITIONS = 64
"""Of a part: for fewer, matrices cost more than they save."""
PIECES, LEAST_IN_PIECE = 16, 32
"""Of a map on the way back, and positions that one has at least."""
LEAST_SHARED = 1 << 16
"""Numbers of a matrix: another thread is not woken for less."""

_add_outer_products, _fold_sums = kernel("add_outer_products"), kernel("fold_sums")
_pack_both, _multiply_positions = kernel("pack_both"), kernel("multiply_positions")


def weighted_gram(map_: Tensor, weights: Tensor, lender: Lender) -> Tensor:
    """The sum of the outer products of a map's positions.

    It is summed in the same order whatever the number of threads.

    Args:
        map_: Shape (H, W, C), contiguous, with C a multiple of COLUMNS.
        weights: At least 0, shape (H, W), contiguous. Positions of weight 0 cost nothing.
        lender: Lends room.

    Returns:
        Shape (C, C), symmetric.
    """
    channels = map_.shape[2]
    positions = weights.numel()
    most = SUMS if channels < MANY_CHANNELS else SUMS_OF_MANY
    sums = min(most, ceil(positions / LEAST_POSITIONS))
    totals, target = lender.lend(sums, channels, channels), lender.lend(channels, channels)
    each = ceil(positions / sums)

    def add_up(piece: int) -> None:
        _add_outer_products(
            *(map_.data_ptr(), weights.data_ptr(), channels, piece * each, min(positions, (piece + 1) * each)),
            *(scratch(POSITIONS * channels).ctypes.data, totals[piece].data_ptr()),
        )

    def fold(first: int, last: int) -> None:
        _fold_sums(totals.data_ptr(), sums, channels, target.data_ptr(), first, last)

    share(add_up, sums)
    _share_panels(fold, channels)
    return target


def multiply_by_matrices(map_: Tensor, pairs: Sequence[tuple[Tensor, Tensor]], lender: Lender) -> Tensor:
    """Each position times the sum of a matrix and its transpose, added up over several matrices with weights.

    It is the way back through ``weighted_gram`` from the gradients of its results.

    Args:
        map_: Shape (H, W, C), contiguous, with C a multiple of COLUMNS.
        pairs: Matrices, (C, C), and the weights of the positions for each, (H, W), all contiguous; at least one pair.
        lender: Lends the memory of the result.

    Returns:
        Shape (H, W, C).
    """
    height, width, channels = map_.shape
    target = lender.lend(height, width, channels)
    positions = height * width
    panels = [_pack(matrix, lender) for matrix, _ in pairs]
    each = max(ceil(positions / PIECES), LEAST_IN_PIECE)

    def work(piece: int) -> None:
        for index, (matrix, (_, weights)) in enumerate(zip(panels, pairs, strict=True)):
            _multiply_positions(
                *(map_.data_ptr(), weights.data_ptr(), channels, matrix.data_ptr()),
                *(piece * each, min(positions, (piece + 1) * each)),
                *(scratch(2 * POSITIONS * channels).ctypes.data, index > 0, len(pairs) == 1, target.data_ptr()),
            )

    share(work, ceil(positions / each))
    return target


def _pack(matrix: Tensor, lender: Lender) -> Tensor:
    """The sum of a matrix and its transpose as products read it; see ``layout.in_panels``."""
    channels = len(matrix)
    panels = lender.lend(channels // COLUMNS, channels, COLUMNS)

    def pack(first: int, last: int) -> None:
        _pack_both(matrix.data_ptr(), channels, panels.data_ptr(), first, last)

    _share_panels(pack, channels)
    return panels


def _share_panels(work: Callable[[int, int], None], channels: int) -> None:
    """Do ``work(first, last)`` for all panels of columns, some at a time."""
    panels = channels // COLUMNS
    each = ceil(panels / max(1, channels**2 // LEAST_SHARED))
    share(lambda piece: work(piece * each, min(panels, (piece + 1) * each)), ceil(panels / each))
