"""Convolutions of 3x3 with frozen weights, forward and back, on maps of shape (H, W, channels)."""

from math import ceil, inf
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pochoir.kernels.cpu import COLUMNS
from pochoir.kernels.layout import FLOAT_BYTES, PIXELS, ROWS, SKEW, TAP_COLUMNS, TAP_DEPTH, TAPS, UNIT, in_panels
from pochoir.kernels.library import kernel
from pochoir.kernels.sharing import Lender, allocate, scratch, share, share_counted

Room: TypeAlias = NDArray[np.float32]

_convolve_tiles, _convolve_colours = kernel("convolve_tiles"), kernel("convolve_colours")
_gather_tiles, _multiply_places, _spread_tiles = (
    kernel("gather_tiles"),
    kernel("multiply_places"),
    kernel("spread_tiles"),
)
_convolve_colours_back, _pack_panels = kernel("convolve_colours_back"), kernel("pack_panels")

FEW_NUMBERS, MANY_TILES = 12 * 400, 192
"""What is worked on together: tiles times channels, coming and going, that stay in a thread's second-level cache; or,
where the weights alone are larger than that cache, as many tiles for each thread as make it worth while to fetch them
once for all of these tiles."""
MANY_TILES_FROM = 256 * 256
"""Pairs of channels from which it is many. Their weights are packed once: for so many tiles it takes little to turn
them round for the way back."""
SMALL_TILES_FROM = 256 * 512
"""Pairs of channels from which tiles of 4x4 serve better than those of 6x6, whose weights take 1.8 times the memory."""
SMALL_TILES_UP_TO = 1400
"""Positions of a map. In larger ones the fewer multiplications of large tiles count for more: a step at 512 pixels took
6 % less with them in VGG's block 4."""
ROWS_AT_ONCE = 16
"""Of the colours' convolution."""


def best_outputs(weight: Tensor, positions: float = 0.0) -> int:
    """The side of a tile that serves best.

    Args:
        weight: Shape (C_out, C_in, 3, 3).
        positions: How many the maps will have, about.
    """
    is_small = weight.shape[0] * weight.shape[1] >= SMALL_TILES_FROM and positions < SMALL_TILES_UP_TO
    return 4 if is_small else 6


def pack(weight: Tensor, outputs: int) -> Tensor:
    """Weights as the kernels read them: transformed, and in panels of columns.

    Args:
        weight: Shape (C_out, C_in, 3, 3), with C_out a multiple of COLUMNS.
        outputs: Side of a tile.

    Returns:
        Shape ((outputs + 2) ** 2, C_out / COLUMNS, C_in, COLUMNS), flat in its last three dimensions.
    """
    results, inputs = weight.shape[:2]
    positions, given = (outputs + 2) ** 2, weight.contiguous()
    packed = torch.from_numpy(allocate(positions * results * inputs)).view(positions, -1)

    def work(panel: int) -> None:
        _pack_panels(
            *(outputs, given.data_ptr(), inputs, packed.data_ptr(), results * inputs),
            *(scratch(9 * COLUMNS).ctypes.data, panel, panel + 1),
        )

    share(work, results // COLUMNS)
    return packed


class Convolution:
    """A convolution of 3x3 between maps of many channels, padded by zeros.

    Args:
        weight: Shape (C_out, C_in, 3, 3); both numbers of channels are multiples of COLUMNS. It is not kept.
        bias: Shape (C_out,).
        lender: Lends the memory of results.
        outputs: Side of a tile, 4 or 6; None takes what serves small maps best.
        goes_back: Whether ``backward`` will be asked for.

    References:
        Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", arXiv:1509.09308.
    """

    def __init__(
        self, weight: Tensor, bias: Tensor, lender: Lender, *, outputs: int | None = None, goes_back: bool = True
    ) -> None:
        self._results, self._inputs = weight.shape[:2]
        self._bias, self._lender = bias.clone(), lender
        pairs = self._results * self._inputs
        self.outputs = outputs or best_outputs(weight)
        self._is_large = pairs >= MANY_TILES_FROM
        self._forth = pack(weight, self.outputs)
        self._back = self._forth
        if goes_back and not self._is_large:
            self._back = pack(weight.flip(2, 3).transpose(0, 1), self.outputs)

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
        height, width, _ = source.shape
        weights, results = (self._back, self._inputs) if back else (self._forth, self._results)
        target = self._lender.lend(height, width, results)
        pass_ = _Pass(self.outputs, source, weights, extra, gate, target, floor)
        if self._is_large:
            at_once = min(pass_.tiles, MANY_TILES * torch.get_num_threads())
            room = self._lender.lend(pass_.room(at_once)).numpy()
            for start in range(0, pass_.tiles, at_once):
                _run_by_positions(pass_, room, start, min(at_once, pass_.tiles - start), reversed_=back)
        else:
            _run_by_tiles(pass_)
        return target


def _run_by_positions(pass_: "_Pass", room: Room, start: int, count: int, *, reversed_: bool) -> None:
    """All threads take the same tiles, and each takes other positions: the weights are read once for all tiles."""
    threads = torch.get_num_threads()
    each, places = ceil(count / threads), ceil(pass_.positions / threads / 2)

    def gather(piece: int) -> None:
        pass_.gather(room, scratch(pass_.patches), start, count, piece * each, (piece + 1) * each)

    def multiply(piece: int) -> None:
        panel, last = scratch(pass_.inputs * COLUMNS), min(pass_.positions, (piece + 1) * places)
        pass_.multiply(room, panel, count, piece * places, last, reversed_=reversed_)

    def spread(piece: int) -> None:
        pass_.spread(room, scratch(pass_.patches), start, count, piece * each, (piece + 1) * each)

    share(gather, ceil(count / each))
    share(multiply, ceil(pass_.positions / places))
    share(spread, ceil(count / each))


def _run_by_tiles(pass_: "_Pass") -> None:
    """Each thread takes other tiles, few enough to stay in its cache from the first step to the last."""
    few = max(ROWS, FEW_NUMBERS // (pass_.inputs + pass_.results) // ROWS * ROWS)
    each = _tiles_per_piece(pass_.tiles, few)

    def work(counter: int) -> None:
        pass_.convolve(scratch(pass_.room(each) + pass_.patches), counter, each)

    share_counted(work, ceil(pass_.tiles / each))


class _Pass:
    """One way through a convolution: the three steps for some tiles, ``count`` of them from ``start`` on.

    Each step takes a range of these tiles, or of the positions within a tile, so that it can be shared out.
    """

    def __init__(
        self,
        outputs: int,
        source: Tensor,
        weights: Tensor,
        extra: Tensor,
        gate: Tensor | None,
        target: Tensor,
        floor: float,
    ) -> None:
        self.height, self.width, self.inputs = source.shape
        self.results = target.shape[2]
        self.outputs, self.source, self.weights = outputs, source, weights
        self.extra, self.target, self.floor = extra, target, floor
        self.gate = gate  # its address alone would not keep it
        self._gate = 0 if gate is None else gate.data_ptr()
        self.tiles = ceil(self.height / outputs) * ceil(self.width / outputs)
        self.positions = (outputs + 2) ** 2
        self.patches = 3 * self.positions * max(self.inputs, self.results)

    def room(self, count: int) -> int:
        """Numbers that ``count`` tiles need."""
        return self.positions * sum(self._strides(count))

    def _strides(self, count: int) -> tuple[int, int]:
        rows = ceil(count / UNIT) * UNIT
        return rows * self.inputs + SKEW, rows * self.results + SKEW

    def _addresses(self, room: Room, count: int) -> tuple[int, int, int, int]:
        coming, going = self._strides(count)
        return room.ctypes.data, coming, room.ctypes.data + FLOAT_BYTES * self.positions * coming, going

    def convolve(self, room: Room, counter: int, each: int) -> None:
        """All steps for what tiles are left, ``each`` of them at a time."""
        _convolve_tiles(
            *(self.outputs, self.source.data_ptr(), self.height, self.width, self.inputs, self.weights.data_ptr()),
            *(self.results, self.extra.data_ptr(), self.extra.ndim == 3, self._gate, self.target.data_ptr()),
            *(self.floor, room.ctypes.data, counter, each, self.tiles),
        )

    def gather(self, room: Room, patch: Room, start: int, count: int, first: int, last: int) -> None:
        """The transform of inputs."""
        place, position, _, _ = self._addresses(room, count)
        _gather_tiles(
            *(self.outputs, self.source.data_ptr(), self.height, self.width, self.inputs, place, position),
            *(patch.ctypes.data, start, start + first, start + min(last, count)),
        )

    def multiply(self, room: Room, panel: Room, count: int, first: int, last: int, *, reversed_: bool) -> None:
        """The products at each position."""
        coming, coming_position, going, going_position = self._addresses(room, count)
        _multiply_places(
            *(self.outputs, ceil(count / UNIT) * UNIT, coming, coming_position, self.inputs, self.weights.data_ptr()),
            *(self.results, going, going_position, panel.ctypes.data, reversed_, first, last),
        )

    def spread(self, room: Room, patch: Room, start: int, count: int, first: int, last: int) -> None:
        """The transform of results, with what is added to them, and their ReLU or its way back."""
        _, _, place, position = self._addresses(room, count)
        _spread_tiles(
            *(self.outputs, place, position, self.extra.data_ptr(), self.extra.ndim == 3),
            *(self._gate, self.target.data_ptr(), self.height, self.width, self.results, self.floor),
            *(patch.ctypes.data, start, start + first, start + min(last, count)),
        )


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
        self._forth = in_panels(torch.cat([taps, bias[None]]))
        self._back = in_panels(torch.nn.functional.pad(taps.T, (0, TAP_COLUMNS - TAPS)))

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
        padded = torch.nn.functional.pad(picture, (1, 1, 1, 1)).permute(1, 2, 0).contiguous()
        floor = 0.0 if rectified else -inf

        def work(piece: int) -> None:
            room = scratch(PIXELS * (TAP_DEPTH + self._channels))
            patches, products = room[: PIXELS * TAP_DEPTH], room[PIXELS * TAP_DEPTH :]
            _convolve_colours(
                *(padded.data_ptr(), width, self._forth.data_ptr(), self._channels, floor, target.data_ptr()),
                *(patches.ctypes.data, products.ctypes.data),
                *(piece * ROWS_AT_ONCE, min(height, (piece + 1) * ROWS_AT_ONCE)),
            )

        share(work, ceil(height / ROWS_AT_ONCE))
        return target

    def backward(self, gradient: Tensor) -> Tensor:
        """From the gradient of the results, (H, W, C_out), to that of the picture, (3, H, W)."""
        height, width, channels = gradient.shape
        target = gradient.new_empty(3, height, width)
        rounded = ceil(width / UNIT) * UNIT

        def work(piece: int) -> None:
            count = 3 * rounded * TAP_COLUMNS
            room = scratch(count + UNIT * channels)
            _convolve_colours_back(
                *(gradient.data_ptr(), channels, self._back.data_ptr(), target.data_ptr(), height, width),
                *(room.ctypes.data, room[count:].ctypes.data),
                *(piece * ROWS_AT_ONCE, min(height, (piece + 1) * ROWS_AT_ONCE)),
            )

        share(work, ceil(height / ROWS_AT_ONCE))
        return target
