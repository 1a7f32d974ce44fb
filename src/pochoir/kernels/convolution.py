"""Convolutions of 3x3 with frozen weights, forward and back, on maps of shape (H, W, channels)."""

from math import ceil, inf

import numpy as np
import torch
from torch import Tensor

from pochoir.kernels.colours import DEPTH, PIXELS, TAP_COLUMNS, TAPS, convolve_colours, convolve_colours_back
from pochoir.kernels.cpu import COLUMNS
from pochoir.kernels.minimal import minimal_filtering
from pochoir.kernels.products import UNIT
from pochoir.kernels.sharing import Lender, scratch, share
from pochoir.kernels.winograd import SKEW, convolve

FEW_TILES, MANY_TILES = 36, 192
"""Tiles that are worked on together: few enough to stay in the second-level cache; or, where the weights alone are
larger than that cache, as many as make it worth while to fetch them once for all of these tiles."""
MANY_TILES_FROM = 256 * 256
"""Pairs of channels from which it is many. Their weights are packed once: for so many tiles it takes little to turn
them round for the way back."""
SMALL_TILES_FROM = 256 * 512
"""Pairs of channels from which tiles of 4x4 serve better than those of 6x6: their weights take less memory."""
ROWS_AT_ONCE = 16
"""Of the colours' convolution."""


def pack(weight: Tensor, outputs: int) -> Tensor:
    """Weights as the kernels read them: transformed, and in panels of columns.

    Args:
        weight: Shape (C_out, C_in, 3, 3), with C_out a multiple of COLUMNS.
        outputs: Side of a tile.

    Returns:
        Shape ((outputs + 2) ** 2, C_out / COLUMNS, C_in, COLUMNS), flat in its last three dimensions.
    """
    matrix = torch.from_numpy(minimal_filtering(outputs).weights)
    both = torch.kron(matrix, matrix).float()  # of both directions at once
    results, inputs = weight.shape[:2]
    panels = weight.reshape(results // COLUMNS, COLUMNS, inputs, 9).permute(3, 0, 2, 1).reshape(9, -1)
    # numpy asks the system for large pages, which are there twice as fast.
    packed = torch.from_numpy(np.empty((len(both), panels.shape[1]), np.float32))
    return torch.mm(both, panels, out=packed)


class Convolution:
    """A convolution of 3x3 between maps of many channels, padded by zeros.

    Args:
        weight: Shape (C_out, C_in, 3, 3); both numbers of channels are multiples of COLUMNS. It is not kept.
        bias: Shape (C_out,).
        lender: Lends the memory of results.
        outputs: Side of a tile, 4 or 6; None takes what serves these numbers of channels best.

    References:
        Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", arXiv:1509.09308.
    """

    def __init__(self, weight: Tensor, bias: Tensor, lender: Lender, *, outputs: int | None = None) -> None:
        self._results, self._inputs = weight.shape[:2]
        self._bias, self._lender = bias.clone(), lender
        pairs = self._results * self._inputs
        self._outputs = outputs or (4 if pairs >= SMALL_TILES_FROM else 6)
        self._is_large = pairs >= MANY_TILES_FROM
        self._forth = pack(weight, self._outputs)
        self._back = self._forth if self._is_large else pack(weight.flip(2, 3).transpose(0, 1), self._outputs)

    def forward(self, source: Tensor, *, rectified: bool) -> Tensor:
        """The convolution, with a ReLU after it if wanted.

        Args:
            source: Shape (H, W, C_in), contiguous.
            rectified: Whether to apply the ReLU.

        Returns:
            Shape (H, W, C_out).
        """
        return self._run(source, False, extra=self._bias, gate=None, floor=0.0 if rectified else -inf)

    def backward(self, gradient: Tensor, *, gate: Tensor | None = None, extra: Tensor | None = None) -> Tensor:
        """From the gradient of the results to that of the inputs.

        Args:
            gradient: Shape (H, W, C_out), contiguous.
            gate: Shape (H, W, C_in): where it is not above 0 the result is 0. The way back through the ReLU before.
            extra: Shape (H, W, C_in), added before the gate: what else the inputs served.

        Returns:
            Shape (H, W, C_in).
        """
        if extra is None:
            extra = gradient.new_zeros(self._inputs)
        return self._run(gradient, True, extra=extra, gate=gate, floor=-inf)

    def _run(self, source: Tensor, back: bool, *, extra: Tensor, gate: Tensor | None, floor: float) -> Tensor:
        height, width, inputs = source.shape
        weights, results = (self._back, self._inputs) if back else (self._forth, self._results)
        outputs, turned = self._outputs, back and self._is_large
        target = self._lender.lend(height, width, results)
        tiles = ceil(height / outputs) * ceil(width / outputs)
        each = _tiles_per_piece(tiles, MANY_TILES if self._is_large else FEW_TILES)
        positions = (outputs + 2) ** 2
        # Behind the tiles there is room for a few patches, or for a panel of weights that is turned round.
        patches = max(3 * positions * max(inputs, results), inputs * COLUMNS)
        room = positions * (each * (inputs + results) + 2 * SKEW) + patches
        gate_address = 0 if gate is None else gate.data_ptr()

        def work(piece: int) -> None:
            convolve(
                *(outputs, source.data_ptr(), height, width, inputs),
                *(weights.data_ptr(), results, extra.data_ptr(), extra.ndim == 3, gate_address),
                *(target.data_ptr(), floor, scratch(room).ctypes.data),
                *(piece * each, min(tiles, (piece + 1) * each), turned),
            )

        share(work, ceil(tiles / each))
        return target


def _tiles_per_piece(tiles: int, at_once: int) -> int:
    """Equal pieces of at most about ``at_once`` tiles, as many for each thread."""
    threads = min(torch.get_num_threads(), max(1, tiles // UNIT))
    pieces = ceil(tiles / at_once / threads) * threads
    return ceil(tiles / pieces / UNIT) * UNIT


class ColourConvolution:
    """A convolution of 3x3 from three colours to many channels, padded by zeros.

    Args:
        weight: Shape (C_out, 3, 3, 3), with C_out a multiple of COLUMNS.
        bias: Shape (C_out,).
        lender: Lends the memory of results.
    """

    def __init__(self, weight: Tensor, bias: Tensor, lender: Lender) -> None:
        self._channels, self._lender = weight.shape[0], lender
        taps = weight.permute(2, 3, 1, 0).reshape(TAPS, self._channels)
        panels = torch.cat([taps, bias[None]]).reshape(DEPTH, -1, COLUMNS).transpose(0, 1)
        self._forth = panels.contiguous()
        wide = torch.nn.functional.pad(taps.T, (0, TAP_COLUMNS - TAPS))
        self._back = wide.reshape(self._channels, -1, COLUMNS).transpose(0, 1).contiguous()

    def forward(self, picture: Tensor, *, rectified: bool) -> Tensor:
        """The convolution, with a ReLU after it if wanted.

        Args:
            picture: Shape (3, H, W).
            rectified: Whether to apply the ReLU.

        Returns:
            Shape (H, W, C_out).
        """
        _, height, width = picture.shape
        target = self._lender.lend(height, width, self._channels)
        padded = torch.nn.functional.pad(picture, (1, 1, 1, 1)).permute(1, 2, 0).contiguous().numpy()
        floor = 0.0 if rectified else -inf

        def work(piece: int) -> None:
            room = scratch(PIXELS * (DEPTH + self._channels))
            patches, products = room[: PIXELS * DEPTH].reshape(PIXELS, DEPTH), room[PIXELS * DEPTH :]
            convolve_colours(
                *(padded, self._forth.data_ptr(), self._channels, floor, target.data_ptr(), patches),
                *(products.ctypes.data, piece * ROWS_AT_ONCE, min(height, (piece + 1) * ROWS_AT_ONCE)),
            )

        share(work, ceil(height / ROWS_AT_ONCE))
        return target

    def backward(self, gradient: Tensor) -> Tensor:
        """From the gradient of the results, (H, W, C_out), to that of the picture, (3, H, W)."""
        height, width, channels = gradient.shape
        target = gradient.new_empty(3, height, width)
        picture = target.numpy()
        rounded = ceil(width / UNIT) * UNIT

        def work(piece: int) -> None:
            count = 3 * rounded * TAP_COLUMNS
            room = scratch(count + UNIT * channels)
            products = room[:count].reshape(3, rounded, TAP_COLUMNS)
            convolve_colours_back(
                *(gradient.data_ptr(), channels, self._back.data_ptr(), picture, products),
                *(room[count:].ctypes.data, piece * ROWS_AT_ONCE, min(height, (piece + 1) * ROWS_AT_ONCE)),
            )

        share(work, ceil(height / ROWS_AT_ONCE))
        return target
