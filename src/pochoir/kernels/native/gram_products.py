"""Sums of outer products of a map's positions for Gram matrices, and their backward pass."""

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types

from pochoir.kernels.cpu import COLUMNS, LANES
from pochoir.kernels.layout import FLOAT_BYTES, POSITIONS, UNIT
from pochoir.kernels.native.compiling import kernel
from pochoir.kernels.native.memory import clear, copy, fence, read
from pochoir.kernels.native.products import multiply, transpose
from pochoir.kernels.native.vectors import VECTOR, Loop, Writer, numba_intrinsic

BLOCK_ROWS = 2 * UNIT
"""Rows of a matrix at a time: their sums stay in registers, and a panel holds a whole number of blocks."""


def _make_outer() -> Callable[..., None]:
    """Make ``outer(a, b, c, stride_c, depth)``: add the product of two panels to a block of BLOCK_ROWS x COLUMNS."""

    def outer(typing_context: Any, a: Any, b: Any, c: Any, stride_c: Any, depth: Any) -> Any:
        return types.void(*[types.intp] * 5), write

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        writer = Writer(builder)
        a, b, c, stride_c, depth = args
        places, target = [], writer.pointer(c)
        for _ in range(BLOCK_ROWS):
            places += [target, writer.shift(target, LANES)]
            target = writer.shift(target, stride_c)
        first, second = writer.pointer(a), writer.pointer(b)
        with Loop(builder, depth, 1, "outer") as loop:
            sums = [loop.carry(ir.Constant(VECTOR, [0.0] * LANES)) for _ in places]
            rows, columns = loop.carry(first), loop.carry(second)
            left, right = writer.load(columns), writer.load(writer.shift(columns, LANES))
            results = []
            for row in range(BLOCK_ROWS):
                weight = writer.broadcast(writer.shift(rows, row))
                results += [writer.fma(weight, left, sums[2 * row]), writer.fma(weight, right, sums[2 * row + 1])]
            for phi, value in zip(sums, results, strict=True):
                loop.set_next(phi, value)
            loop.set_next(rows, writer.shift(rows, COLUMNS))
            loop.set_next(columns, writer.shift(columns, COLUMNS))
        for place, value in zip(places, results, strict=True):
            # Adding at the end is more exact: a long sum becomes a sum of short ones.
            writer.store(writer.add(writer.load(place), value), place)
        return context.get_dummy_value()

    return numba_intrinsic(outer)


def _make_scale(*, adds: bool = False, streams: bool = False) -> Callable[..., None]:
    """Make ``scale(source, factor, target, count)``: store, stream or add numbers times a factor."""

    def scale(typing_context: Any, source: Any, factor: Any, target: Any, count: Any) -> Any:
        return types.void(types.intp, types.float32, types.intp, types.intp), write

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        writer = Writer(builder)
        source, factor, target, count = args
        start, goal, weight = writer.pointer(source), writer.pointer(target), writer.splat(factor)
        with Loop(builder, count, LANES, "scale") as loop:
            value, place = writer.load(writer.shift(start, loop.index)), writer.shift(goal, loop.index)
            result = writer.fma(value, weight, writer.load(place)) if adds else builder.fmul(value, weight)
            (writer.stream if streams else writer.store)(result, place)
        return context.get_dummy_value()

    return numba_intrinsic(scale)


outer, scale, add_scaled, stream_scaled = (
    _make_outer(),
    _make_scale(),
    _make_scale(adds=True),
    _make_scale(streams=True),
)


@kernel("void(intp, intp, intp, intp, intp, intp, intp)")
def add_outer_products(
    source: int, weights: int, channels: int, first: int, last: int, panels: int, target: int
) -> None:
    """Write the sum of the weighted outer products of some positions.

    In each panel of columns only the rows down to the end of the diagonal's block are computed.

    Args:
        source: Address of the map, (positions, channels).
        weights: Address of the non-negative weights of its positions. Positions of weight 0 are skipped.
        channels: Channels of the map.
        first: The first position.
        last: The position after the last.
        panels: Address of scratch space, (POSITIONS, channels).
        target: Address of the sums, (channels, channels).
    """
    for row in range(channels):
        start = row // COLUMNS * COLUMNS
        clear(target + FLOAT_BYTES * (row * channels + start), channels - start)
    position = first
    while position < last:
        count = 0
        while position < last and count < POSITIONS:
            weight = read(weights + FLOAT_BYTES * position)
            if weight > 0.0:
                # The root on both sides gives each product the weight.
                root = np.float32(sqrt(weight))
                for panel in range(channels // COLUMNS):
                    start = source + FLOAT_BYTES * (position * channels + panel * COLUMNS)
                    scale(start, root, panels + FLOAT_BYTES * (panel * POSITIONS + count) * COLUMNS, COLUMNS)
                count += 1
            position += 1
        if count == 0:
            continue
        for panel in range(channels // COLUMNS):
            columns = panels + FLOAT_BYTES * panel * POSITIONS * COLUMNS
            for row in range(0, (panel + 1) * COLUMNS, BLOCK_ROWS):
                rows = panels + FLOAT_BYTES * (row // COLUMNS * POSITIONS * COLUMNS + row % COLUMNS)
                outer(rows, columns, target + FLOAT_BYTES * (row * channels + panel * COLUMNS), channels, count)


@kernel("void(intp, intp, intp, intp, intp, intp)")
def reduce_sums(sums: int, count: int, channels: int, target: int, first: int, last: int) -> None:
    """Add up the half matrices that ``add_outer_products`` computes, and mirror the sum.

    Args:
        sums: Address of the matrices, (count, channels, channels).
        count: Number of matrices, at least one.
        channels: Rows and columns of a matrix.
        target: Address of the result, (channels, channels).
        first: The first panel of columns, which is also mirrored into rows.
        last: The panel after the last.
    """
    for panel in range(first, last):
        column = panel * COLUMNS
        for row in range(column + COLUMNS):
            place = FLOAT_BYTES * (row * channels + column)
            scale(sums + place, np.float32(1.0), target + place, COLUMNS)
            for number in range(1, count):
                add_scaled(
                    sums + place + FLOAT_BYTES * number * channels * channels,
                    np.float32(1.0),
                    target + place,
                    COLUMNS,
                )
        for row in range(0, column, LANES):
            for side in range(column, column + COLUMNS, LANES):
                goal = target + FLOAT_BYTES * (side * channels + row)
                transpose(target + FLOAT_BYTES * (row * channels + side), channels, goal, channels)


@kernel("void(intp, intp, intp, intp, intp)")
def pack_symmetric(matrix: int, channels: int, target: int, first: int, last: int) -> None:
    """Write the sum of a matrix and its transpose in panels of columns.

    Args:
        matrix: Address of the matrix, (channels, channels).
        channels: Rows and columns of a matrix.
        target: Address of the panels, (channels / COLUMNS, channels, COLUMNS).
        first: The first panel.
        last: The panel after the last.
    """
    for panel in range(first, last):
        column = panel * COLUMNS
        for start in range(0, channels, LANES):
            goal = target + FLOAT_BYTES * (panel * channels + start) * COLUMNS
            for side in range(0, COLUMNS, LANES):
                mirrored = matrix + FLOAT_BYTES * ((column + side) * channels + start)
                transpose(mirrored, channels, goal + FLOAT_BYTES * side, COLUMNS)
            for row in range(LANES):
                place = matrix + FLOAT_BYTES * ((start + row) * channels + column)
                add_scaled(place, np.float32(1.0), goal + FLOAT_BYTES * row * COLUMNS, COLUMNS)


@kernel("void(intp, intp, intp, intp, intp, intp, intp, intp, intp, intp)")
def multiply_positions(
    source: int,
    weights: int,
    channels: int,
    matrix: int,
    first: int,
    last: int,
    room: int,
    adds: bool,
    streams: bool,
    target: int,
) -> None:
    """Multiply some positions of a map by a matrix and by their weights.

    Args:
        source: Address of the map, (positions, channels).
        weights: Address of the weights of its positions. Positions of weight 0 are skipped.
        channels: Channels of the map.
        matrix: Address of the matrix, (channels, channels), in panels of columns.
        first: The first position.
        last: The position after the last.
        room: Address of scratch space, (2, POSITIONS, channels).
        adds: Add results to the target; otherwise positions of weight 0 become 0.
        streams: Bypass the cache; not useful if more will be added.
        target: Address of the results, (positions, channels).
    """
    size = FLOAT_BYTES * channels
    products = room + POSITIONS * size
    position = first
    while position < last:
        start, count = position, 0
        while position < last and count < POSITIONS:
            if read(weights + FLOAT_BYTES * position) != 0.0:
                copy(source + position * size, room + count * size, channels)
                count += 1
            position += 1
        if count > 0:
            multiply((count + UNIT - 1) // UNIT * UNIT, room, channels, matrix, channels, products)
        count = 0
        for place in range(start, position):
            weight, product, goal = read(weights + FLOAT_BYTES * place), products + count * size, target + place * size
            if weight != 0.0:
                if adds:
                    add_scaled(product, weight, goal, channels)
                elif streams:
                    stream_scaled(product, weight, goal, channels)
                else:
                    scale(product, weight, goal, channels)
                count += 1
            elif not adds:
                clear(goal, channels)
    fence()
