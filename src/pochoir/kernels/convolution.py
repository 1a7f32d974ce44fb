"""Convolutions of 3x3 with frozen weights, forward and back, on maps of shape (H, W, channels)."""

from collections.abc import Sequence
from math import ceil, inf
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pochoir.kernels.arena import WAITING, Lender, allocate, scratch, share, share_counted
from pochoir.kernels.cpu import COLUMNS
from pochoir.kernels.layout import COUNTERS, PIXELS, ROWS, SKEW, TAP_COLUMNS, TAP_DEPTH, TAPS, UNIT, Map, in_panels
from pochoir.kernels.library import kernel

_convolve_tiles, _convolve_colours = kernel("convolve_tiles"), kernel("convolve_colours")
_convolve_places, _convolve_colours_back = kernel("convolve_places"), kernel("convolve_colours_back")
_pack_panels = kernel("pack_panels")

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
TURNS = 2
"""That each thread has, about, at bringing tiles to their positions and back."""
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

    def forward(self, sources: Sequence[Tensor], *, rectified: bool) -> list[Tensor]:
        """The convolution of maps of any sizes, with a ReLU after it if wanted.

        Args:
            sources: Shapes (H, W, C_in), contiguous. Small maps take less time together than one by one, because the
                weights are read once for all of them; what becomes of each is the same, bit for bit.
            rectified: Whether to apply the ReLU.

        Returns:
            Shapes (H, W, C_out).
        """
        targets = [self._lender.lend(*source.shape[:2], self._results) for source in sources]
        self._run(
            [_Way(*pair, self._bias, None) for pair in zip(sources, targets, strict=True)],
            self._forth,
            floor=0.0 if rectified else -inf,
        )
        return targets

    def backward(
        self,
        gradients: Sequence[Tensor],
        *,
        gates: Sequence[Tensor | None] | None = None,
        extras: Sequence[Tensor | None] | None = None,
    ) -> list[Tensor]:
        """From the gradients of the results to those of the inputs.

        Args:
            gradients: Shapes (H, W, C_out), contiguous.
            gates: Shapes (H, W, C_in): where it is not above 0 the result is 0. The way back through the ReLU before.
            extras: Shapes (H, W, C_in), added before the gate: what else the inputs served.

        Returns:
            Shapes (H, W, C_in).
        """
        nones = [None] * len(gradients)
        nothing = gradients[0].new_zeros(self._inputs)
        targets = [self._lender.lend(*gradient.shape[:2], self._inputs) for gradient in gradients]
        self._run(
            [
                _Way(gradient, target, nothing if extra is None else extra, gate)
                for gradient, target, extra, gate in zip(
                    gradients, targets, extras or nones, gates or nones, strict=True
                )
            ],
            self._back,
            reversed_=self._is_large,
        )
        return targets

    def _run(self, ways: Sequence["_Way"], weights: Tensor, *, floor: float = -inf, reversed_: bool = False) -> None:
        pass_ = _Pass(self.outputs, ways, weights, floor)
        if not self._is_large:
            pass_.run_by_tiles()
            return
        at_once = min(pass_.tiles, MANY_TILES * torch.get_num_threads())
        room = self._lender.lend(pass_.room(at_once))
        for start in range(0, pass_.tiles, at_once):
            pass_.run_by_positions(room, start, min(at_once, pass_.tiles - start), reversed_=reversed_)


class _Way(NamedTuple):
    """What becomes of one map."""

    source: Tensor
    target: Tensor
    extra: Tensor
    """Added to the results: (channels,) or (H, W, channels)."""
    gate: Tensor | None


class _Pass:
    """Some maps on their way through a convolution. Their tiles are numbered through."""

    def __init__(self, outputs: int, ways: Sequence[_Way], weights: Tensor, floor: float) -> None:
        self._ways, self._weights = ways, weights  # addresses alone would not keep them
        self._maps, self.tiles = _describe(ways, outputs)
        self._positions = (outputs + 2) ** 2
        self._inputs, self._results = ways[0].source.shape[2], ways[0].target.shape[2]
        self._patches = 3 * self._positions * max(self._inputs, self._results)
        self._told = (
            *(outputs, self._maps.ctypes.data, len(ways), self._inputs),
            *(weights.data_ptr(), self._results, floor),
        )

    def room(self, count: int) -> int:
        """Numbers that ``count`` tiles need."""
        rows = ceil(count / UNIT) * UNIT
        return self._positions * (rows * (self._inputs + self._results) + 2 * SKEW)

    def run_by_tiles(self) -> None:
        """Each thread takes other tiles, few enough to stay in its cache from the first step to the last."""
        few = max(ROWS, FEW_NUMBERS // (self._inputs + self._results) // ROWS * ROWS)
        each = _tiles_per_piece(self.tiles, few)

        def work(counter: int) -> None:
            room = scratch(self.room(each) + self._patches).ctypes.data
            _convolve_tiles(*self._told, room, counter, each, self.tiles)

        share_counted(work, ceil(self.tiles / each))

    def run_by_positions(self, room: Tensor, start: int, count: int, *, reversed_: bool) -> None:
        """All threads take the same tiles, and each takes other positions: weights are read once for all tiles."""
        each = ceil(count / torch.get_num_threads() / TURNS)

        def work(counters: int) -> None:
            own = scratch(self._patches + self._inputs * COLUMNS).ctypes.data
            _convolve_places(
                *(*self._told, reversed_, room.data_ptr(), own, counters),
                *(each, start, start + count, WAITING.ctypes.data),
            )

        share_counted(work, self._positions, counters=COUNTERS)


def _describe(ways: Sequence[_Way], outputs: int) -> tuple[NDArray[np.int64], int]:
    """What kernels are told of some maps, and how many tiles these have."""
    rows, tiles = [], 0
    for source, target, extra, gate in ways:
        height, width, _ = source.shape
        rows.append(
            Map(
                source=source.data_ptr(),
                height=height,
                width=width,
                target=target.data_ptr(),
                extra=extra.data_ptr(),
                is_full=extra.ndim == 3,
                gate=0 if gate is None else gate.data_ptr(),
                first=tiles,
            )
        )
        tiles += ceil(height / outputs) * ceil(width / outputs)
    return np.array(rows, np.int64), tiles


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
