"""Winograd transforms of one tile over all its channels, as vector code."""

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba.core import types

from pochoir.kernels.cpu import COLUMNS, LANES
from pochoir.kernels.native.vectors import INDEX, Loop, Writer, numba_intrinsic
from pochoir.kernels.winograd_matrices import winograd_matrices

Values = list[ir.Value]


def make_weight_transform(outputs: int) -> Callable[..., None]:
    """Make the transform of weights: from (3, 3, COLUMNS) to T * T positions, with T = ``outputs + 2``.

    The result is a function for numba code: ``weights(source, target, position)``. The first two arguments are
    addresses; ``position`` is the distance between positions of the target, in numbers. Results are streamed.
    """
    matrix = [tuple(row) for row in winograd_matrices(outputs).weight_transform.tolist()]

    def weights(typing_context: Any, source: Any, target: Any, position: Any) -> Any:
        return types.void(*[types.intp] * 3), write

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        writer = Writer(builder)
        source, target, position = args
        start, goal = writer.pointer(source), writer.pointer(target)
        with Loop(builder, INDEX(COLUMNS), LANES, f"weights{outputs}") as loop:
            first = writer.shift(start, loop.index)
            taps = [[writer.load(writer.shift(first, (3 * y + x) * COLUMNS)) for y in range(3)] for x in range(3)]
            columns = [_apply_input_matrix(writer, matrix, column) for column in taps]
            _put_positions(writer, matrix, columns, writer.shift(goal, loop.index), position, writer.stream)
        return context.get_dummy_value()

    return numba_intrinsic(weights)


def make_input_transform(outputs: int) -> Callable[..., None]:
    """Make the transform of inputs: from a patch of (T, T, channels) to T * T positions, with T = ``outputs + 2``.

    The result is a function for numba code: ``transform(source, row, target, position, channels)``. ``source`` and
    ``target`` are addresses. ``row`` and ``position`` are distances in numbers: between rows of the patch, and between
    positions of the target.

    A patch consists of dozens of short runs, which the hardware prefetcher does not recognise. So the code prefetches
    the next tile, on the right. For a map of 512x384 with 64 channels on two cores this cut 7.4 ms to 3.9 ms.
    """
    matrix = winograd_matrices(outputs).input_transform
    side = outputs + 2

    def transform(typing_context: Any, source: Any, row: Any, target: Any, position: Any, channels: Any) -> Any:
        return types.void(*[types.intp] * 5), write

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        writer = Writer(builder)
        source, row, target, position, channels = args
        start, goal = writer.pointer(source), writer.pointer(target)
        ahead = builder.mul(channels, INDEX(outputs))
        with Loop(builder, channels, LANES, f"input{outputs}") as loop:
            columns = []
            for x in range(side):
                pixel = writer.shift(start, builder.add(loop.index, builder.mul(channels, INDEX(x))))
                places = [writer.shift(pixel, builder.mul(row, INDEX(y))) for y in range(side)]
                columns.append(_apply_input_matrix(writer, matrix, [writer.load(place) for place in places]))
                if x >= side - outputs:  # this tile covers the first columns of the next one
                    for place in places:
                        writer.prefetch(writer.shift(place, ahead))
            _put_positions(writer, matrix, columns, writer.shift(goal, loop.index), position, writer.store)
        return context.get_dummy_value()

    return numba_intrinsic(transform)


def make_output_transform(outputs: int, *, gated: bool) -> Callable[..., None]:
    """Make the transform of outputs: from T * T positions to (outputs, outputs, channels) values.

    The result is a function for numba code: ``transform(source, position, extra, extra_row, extra_pixel, gate,
    gate_row, target, row, channels, floor)``, with addresses and distances as in ``make_input_transform``. ``extra`` is
    added; with distances of 0 it is a bias. A gated transform sets values to 0 where ``gate`` is not above 0; others
    clamp them to at least ``floor``. Results are streamed.
    """
    matrix = winograd_matrices(outputs).output_transform

    def transform(
        typing_context: Any,
        source: Any,
        position: Any,
        extra: Any,
        extra_row: Any,
        extra_pixel: Any,
        gate: Any,
        gate_row: Any,
        target: Any,
        row: Any,
        channels: Any,
        floor: Any,
    ) -> Any:
        return types.void(*[types.intp] * 10, types.float32), write

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        writer = Writer(builder)
        source, position, extra, extra_row, extra_pixel, gate, gate_row, target, row, channels, floor = args
        start, least = writer.pointer(source), writer.splat(floor)
        extras, gates, goal = writer.pointer(extra), writer.pointer(gate), writer.pointer(target)

        def place(pointer: ir.Value, row: ir.Value, y: int, pixel: ir.Value, x: int) -> ir.Value:
            offset = builder.add(builder.mul(row, INDEX(y)), builder.mul(pixel, INDEX(x)))
            return writer.shift(pointer, builder.add(loop.index, offset))

        def load(pointer: ir.Value, row: ir.Value, y: int, pixel: ir.Value, x: int) -> ir.Value:
            writer.prefetch(place(pointer, row, y, pixel, x + outputs))  # for the next tile
            return writer.load(place(pointer, row, y, pixel, x))

        with Loop(builder, channels, LANES, f"output{outputs}") as loop:
            products = _load_positions(writer, writer.shift(start, loop.index), position, outputs + 2)
            columns = [_apply_output_matrix(writer, matrix, list(column)) for column in zip(*products, strict=True)]
            for y in range(outputs):
                values = _apply_output_matrix(writer, matrix, [column[y] for column in columns])
                for x, value in enumerate(values):
                    value = writer.add(value, load(extras, extra_row, y, extra_pixel, x))
                    if gated:
                        value = writer.gate(value, load(gates, gate_row, y, channels, x))
                    else:
                        value = writer.maximum(value, least)
                    writer.stream(value, place(goal, row, y, channels, x))
        return context.get_dummy_value()

    return numba_intrinsic(transform)


def _put_positions(
    writer: Writer,
    matrix: Sequence[Sequence[float]],
    columns: Sequence[Values],
    place: ir.Value,
    position: ir.Value,
    put: Callable[[ir.Value, ir.Value], None],
) -> None:
    """Apply a transform along rows, after the columns, and write the positions."""
    for y in range(len(matrix)):
        for value in _apply_input_matrix(writer, matrix, [column[y] for column in columns]):
            put(value, place)
            place = writer.shift(place, position)


def _load_positions(writer: Writer, pointer: ir.Value, position: ir.Value, side: int) -> list[Values]:
    rows = []
    for _ in range(side):
        values = []
        for _ in range(side):
            values.append(writer.load(pointer))
            pointer = writer.shift(pointer, position)
        rows.append(values)
    return rows


def _apply_input_matrix(writer: Writer, matrix: Sequence[Sequence[float]], values: Values) -> Values:
    """Multiply a matrix by values; rows of opposite points share their even and odd terms."""
    results: Values = []
    for index, row in enumerate(matrix):
        if index and _are_opposite(matrix[index - 1], row):
            even = _require(
                writer.weighted_sum(values, [0.0 if place % 2 else weight for place, weight in enumerate(row)])
            )
            odd = _require(
                writer.weighted_sum(values, [-weight if place % 2 else 0.0 for place, weight in enumerate(row)])
            )
            results[-1] = writer.add(even, odd)
            results.append(writer.sub(even, odd))
        else:
            results.append(_require(writer.weighted_sum(values, row)))
    return results


def _apply_output_matrix(writer: Writer, matrix: Sequence[Sequence[float]], values: Values) -> Values:
    """Multiply a matrix by values; columns of opposite points are added for even rows and subtracted for odd ones."""
    columns = list(zip(*matrix, strict=True))
    pairs = [index for index in range(1, len(columns)) if _are_opposite(columns[index - 1], columns[index])]
    alone = [index for index in range(len(columns)) if index not in pairs and index + 1 not in pairs]
    combined = (
        [writer.add(values[index - 1], values[index]) for index in pairs],
        [writer.sub(values[index - 1], values[index]) for index in pairs],
    )
    results = []
    for power, row in enumerate(matrix):
        terms = [*(values[index] for index in alone), *combined[power % 2]]
        results.append(
            _require(writer.weighted_sum(terms, [row[index] for index in alone] + [row[index - 1] for index in pairs]))
        )
    return results


def _are_opposite(one: Sequence[float], other: Sequence[float]) -> bool:
    """Return True if two rows differ only in the sign of every second entry."""
    return any(one[1::2]) and all(
        a == (-b if place % 2 else b) for place, (a, b) in enumerate(zip(one, other, strict=True))
    )


def _require(value: ir.Value | None) -> ir.Value:
    if value is None:
        raise ValueError("a row of zeros")
    return value
