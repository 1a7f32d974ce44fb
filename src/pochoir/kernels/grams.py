"""Weighted Gram matrices of a map of shape (H, W, channels), several at once, and the way back."""

from collections.abc import Sequence
from math import ceil

from torch import Tensor

from pochoir.kernels.layout import POSITIONS, in_panels
from pochoir.kernels.library import kernel
from pochoir.kernels.sharing import Lender, scratch, share

SUMS, SUMS_OF_MANY = 8, 4
"""Parts of a map that are summed side by side: enough to keep a few cores busy, and few matrices to add up."""
MANY_CHANNELS = 512
"""From which on to clear and to add up eight matrices takes long beside the products: measured on 2 cores. The number
must not depend on that of the threads, or the sums would."""
PIECES = 16
"""Of a map on the way back."""

_add_outer_products, _multiply_positions = kernel("add_outer_products"), kernel("multiply_positions")


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
    sums = SUMS if channels < MANY_CHANNELS else SUMS_OF_MANY
    totals = lender.lend(sums, channels, channels)
    each = ceil(positions / sums)

    def work(piece: int) -> None:
        totals[piece].zero_()
        _add_outer_products(
            *(map_.data_ptr(), weights.data_ptr(), channels, piece * each, min(positions, (piece + 1) * each)),
            *(scratch(POSITIONS * channels).ctypes.data, totals[piece].data_ptr()),
        )

    share(work, sums)
    upper = totals.sum(dim=0).triu_()
    return upper.add_(upper.triu(1).T)


def multiply_by_matrices(map_: Tensor, pairs: Sequence[tuple[Tensor, Tensor]], lender: Lender) -> Tensor:
    """Each position times a matrix, added up over several matrices with weights.

    Args:
        map_: Shape (H, W, C), contiguous, with C a multiple of COLUMNS.
        pairs: Matrices, (C, C), and the weights of the positions for each, (H, W), contiguous; at least one pair.
        lender: Lends the memory of the result.

    Returns:
        Shape (H, W, C).
    """
    height, width, channels = map_.shape
    target = lender.lend(height, width, channels)
    positions = height * width
    panels = [in_panels(matrix) for matrix, _ in pairs]
    each = ceil(positions / PIECES)

    def work(piece: int) -> None:
        for index, (matrix, (_, weights)) in enumerate(zip(panels, pairs, strict=True)):
            _multiply_positions(
                *(map_.data_ptr(), weights.data_ptr(), channels, matrix.data_ptr()),
                *(piece * each, min(positions, (piece + 1) * each)),
                *(scratch(2 * POSITIONS * channels).ctypes.data, index > 0, len(pairs) == 1, target.data_ptr()),
            )

    share(work, ceil(positions / each))
    return target
