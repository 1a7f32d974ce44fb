"""3x3 convolutions with frozen weights, forward and backward, on maps of shape (H, W, channels)."""

from collections.abc import Sequence
from math import ceil, inf
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pochoir.kernels.arena import Arena, aligned_array, scratch
from pochoir.kernels.cpu import COLUMNS
from pochoir.kernels.layout import COUNTERS, ROWS, SKEW, UNIT, Map
from pochoir.kernels.library import kernel
from pochoir.kernels.threads import WAITING, run_counted, run_pieces

_convolve_tiles, _convolve_positions = kernel("convolve_tiles"), kernel("convolve_positions")
_pack_panels = kernel("pack_panels")

CACHED_NUMBERS = 12 * 400
"""Tiles times input and output channels that stay in a thread's second-level cache."""
TILES_PER_WEIGHT_READ = 192
"""Tiles per thread that share one pass over weights which are larger than the cache."""
LARGE_FROM = 256 * 256
"""Pairs of channels from which weights count as larger than the cache. Such weights are packed once: with so many tiles
per pass, transposing them for the backward pass costs little."""
SMALL_TILES_FROM = 256 * 512
"""Pairs of channels from which 4x4 tiles beat 6x6 tiles, whose weights take 1.8 times the memory."""
SMALL_TILES_UP_TO = 1400
"""Positions of a map up to which 4x4 tiles are used. Larger maps gain more from the fewer multiplications of 6x6 tiles:
they saved 6 % of a step at 512 pixels in VGG's block 4."""
TURNS = 2
"""Portions of tiles that each thread takes in a transform step, on average."""


def best_tile_outputs(weight: Tensor, positions: float = 0.0) -> int:
    """Return the side of the output tile that is fastest.

    Args:
        weight: Shape (C_out, C_in, 3, 3).
        positions: Approximate number of positions of the maps.
    """
    is_small = weight.shape[0] * weight.shape[1] >= SMALL_TILES_FROM and positions < SMALL_TILES_UP_TO
    return 4 if is_small else 6


def pack(weight: Tensor, outputs: int) -> Tensor:
    """Transform weights and arrange them in panels of columns, as the kernels read them.

    Args:
        weight: Shape (C_out, C_in, 3, 3), with C_out a multiple of COLUMNS.
        outputs: Side of an output tile.

    Returns:
        Shape ((outputs + 2) ** 2, C_out / COLUMNS, C_in, COLUMNS), flat in its last three dimensions.
    """
    results, inputs = weight.shape[:2]
    positions, given = (outputs + 2) ** 2, weight.contiguous()
    packed = torch.from_numpy(aligned_array(positions * results * inputs)).view(positions, -1)

    def work(panel: int) -> None:
        _pack_panels(
            *(outputs, given.data_ptr(), inputs, packed.data_ptr(), results * inputs),
            *(scratch(9 * COLUMNS).ctypes.data, panel, panel + 1),
        )

    run_pieces(work, results // COLUMNS)
    return packed


class Convolution:
    """3x3 convolution between maps of many channels, with zero padding.

    Args:
        weight: Shape (C_out, C_in, 3, 3); both numbers of channels are multiples of COLUMNS. It is not kept.
        bias: Shape (C_out,).
        arena: Allocates the outputs.
        outputs: Side of an output tile, 4 or 6; None chooses the fastest for small maps.
        has_backward: Prepare the weights for ``backward`` as well.

    References:
        Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", arXiv:1509.09308.
    """

    def __init__(
        self, weight: Tensor, bias: Tensor, arena: Arena, *, outputs: int | None = None, has_backward: bool = True
    ) -> None:
        self._results, self._inputs = weight.shape[:2]
        self._bias, self._arena = bias.clone(), arena
        pairs = self._results * self._inputs
        self.outputs = outputs or best_tile_outputs(weight)
        self._is_large = pairs >= LARGE_FROM
        self._weights = pack(weight, self.outputs)
        self._backward_weights = self._weights
        if has_backward and not self._is_large:
            self._backward_weights = pack(weight.flip(2, 3).transpose(0, 1), self.outputs)

    def forward(
        self, sources: Sequence[Tensor], *, rectified: bool, targets: Sequence[Tensor] | None = None
    ) -> list[Tensor]:
        """Convolve maps of any sizes.

        Args:
            sources: Shapes (H, W, C_in), contiguous. Small maps are faster together than one by one, because the
                weights are read once for all of them. The results are the same, bit for bit.
            rectified: Apply a ReLU to the results.
            targets: Contiguous memory for the results; None allocates it.

        Returns:
            Shapes (H, W, C_out).
        """
        if targets is None:
            targets = [self._arena.allocate(*source.shape[:2], self._results) for source in sources]
        self._run(
            [_Task(*pair, self._bias, None) for pair in zip(sources, targets, strict=True)],
            self._weights,
            floor=0.0 if rectified else -inf,
        )
        return list(targets)

    def backward(
        self,
        gradients: Sequence[Tensor],
        *,
        gates: Sequence[Tensor | None] | None = None,
        extras: Sequence[Tensor | None] | None = None,
    ) -> list[Tensor]:
        """Return the gradients with respect to the inputs.

        Args:
            gradients: Gradients of the outputs, shapes (H, W, C_out), contiguous.
            gates: Outputs of the ReLU before this convolution, shapes (H, W, C_in). Where one is not above 0, the
                result is 0.
            extras: Gradients from other uses of the inputs, shapes (H, W, C_in), added before the gate.

        Returns:
            Shapes (H, W, C_in).
        """
        nones = [None] * len(gradients)
        nothing = gradients[0].new_zeros(self._inputs)
        targets = [self._arena.allocate(*gradient.shape[:2], self._inputs) for gradient in gradients]
        self._run(
            [
                _Task(gradient, target, nothing if extra is None else extra, gate)
                for gradient, target, extra, gate in zip(
                    gradients, targets, extras or nones, gates or nones, strict=True
                )
            ],
            self._backward_weights,
            reversed_=self._is_large,
        )
        return targets

    def _run(self, tasks: Sequence["_Task"], weights: Tensor, *, floor: float = -inf, reversed_: bool = False) -> None:
        run = _Run(self.outputs, tasks, weights, floor)
        if not self._is_large:
            run.run_by_tiles()
            return
        at_once = min(run.tiles, TILES_PER_WEIGHT_READ * torch.get_num_threads())
        room = self._arena.allocate(run.scratch_size(at_once))
        for start in range(0, run.tiles, at_once):
            run.run_by_positions(room, start, min(at_once, run.tiles - start), reversed_=reversed_)


class _Task(NamedTuple):
    """One map to convolve."""

    source: Tensor
    target: Tensor
    extra: Tensor
    """Addend of the results: (channels,) or (H, W, channels)."""
    gate: Tensor | None


class _Run:
    """One call of a convolution on several maps, whose tiles are numbered consecutively."""

    def __init__(self, outputs: int, tasks: Sequence[_Task], weights: Tensor, floor: float) -> None:
        self._tasks, self._weights = tasks, weights  # keeps them alive: kernels only get addresses
        self._maps, self.tiles = _describe(tasks, outputs)
        self._positions = (outputs + 2) ** 2
        self._inputs, self._results = tasks[0].source.shape[2], tasks[0].target.shape[2]
        self._patches = 3 * self._positions * max(self._inputs, self._results)
        self._arguments = (
            *(outputs, self._maps.ctypes.data, len(tasks), self._inputs),
            *(weights.data_ptr(), self._results, floor),
        )

    def scratch_size(self, count: int) -> int:
        """Return the scratch space for ``count`` tiles, in numbers."""
        rows = ceil(count / UNIT) * UNIT
        return self._positions * (rows * (self._inputs + self._results) + 2 * SKEW)

    def run_by_tiles(self) -> None:
        """Give each thread its own tiles, few enough to stay in its cache through all three steps."""
        few = max(ROWS, CACHED_NUMBERS // (self._inputs + self._results) // ROWS * ROWS)
        each = _tiles_per_piece(self.tiles, few)

        def work(counter: int) -> None:
            room = scratch(self.scratch_size(each) + self._patches).ctypes.data
            _convolve_tiles(*self._arguments, room, counter, each, self.tiles)

        run_counted(work, ceil(self.tiles / each))

    def run_by_positions(self, room: Tensor, start: int, count: int, *, reversed_: bool) -> None:
        """Share the same tiles among all threads, each at other positions, so that weights are read once."""
        each = ceil(count / torch.get_num_threads() / TURNS)

        def work(counters: int) -> None:
            own = scratch(self._patches + self._inputs * COLUMNS).ctypes.data
            _convolve_positions(
                *(*self._arguments, reversed_, room.data_ptr(), own, counters),
                *(each, start, start + count, WAITING.ctypes.data),
            )

        run_counted(work, self._positions, counters=COUNTERS)


def _describe(tasks: Sequence[_Task], outputs: int) -> tuple[NDArray[np.int64], int]:
    """Return the table of maps (``layout.Map``) for the kernels, and the total number of tiles."""
    rows, tiles = [], 0
    for source, target, extra, gate in tasks:
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
    """Return the size of equal pieces of about ``at_once`` tiles at most, with as many pieces for each thread."""
    threads = min(torch.get_num_threads(), max(1, tiles // UNIT))
    pieces = ceil(tiles / at_once / threads) * threads
    return ceil(tiles / pieces / UNIT) * UNIT
