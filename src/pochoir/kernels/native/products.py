"""Matrix products in registers: a few rows by two vectors of columns."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types

from pochoir.kernels.cpu import COLUMNS, LANES
from pochoir.kernels.layout import FLOAT_BYTES, ROWS, UNIT
from pochoir.kernels.native.compiling import helper
from pochoir.kernels.native.memory import prefetch
from pochoir.kernels.native.vectors import VECTOR, Loop, Writer, numba_intrinsic


def _make_product(rows: int) -> Callable[..., None]:
    def product(typing_context: Any, a: Any, stride_a: Any, b: Any, c: Any, stride_c: Any, depth: Any) -> Any:
        return types.void(*[types.intp] * 6), _write

    def _write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        writer = Writer(builder)
        a, stride_a, b, c, stride_c, depth = args
        # Every fourth row has its own pointer; the rows between are reached by address arithmetic.
        four = builder.mul(stride_a, ir.Constant(stride_a.type, 4))
        starts = [writer.pointer(a)]
        while len(starts) * 4 < rows:
            starts.append(writer.shift(starts[-1], four))
        panel_start = writer.pointer(b)
        with Loop(builder, depth, 1, f"product{rows}") as loop:
            sums = [loop.carry(ir.Constant(VECTOR, [0.0] * LANES)) for _ in range(2 * rows)]
            bases = [loop.carry(start) for start in starts]
            panel = loop.carry(panel_start)
            left, right = writer.load(panel), writer.load(writer.shift(panel, LANES))
            results = []
            for row in range(rows):
                offset = builder.mul(stride_a, ir.Constant(stride_a.type, row % 4))
                weight = writer.broadcast(writer.shift(bases[row // 4], offset))
                results += [writer.fma(weight, left, sums[2 * row]), writer.fma(weight, right, sums[2 * row + 1])]
            for phi, value in zip(sums, results, strict=True):
                loop.set_next(phi, value)
            for base in bases:
                loop.set_next(base, writer.shift(base, 1))
            loop.set_next(panel, writer.shift(panel, COLUMNS))
        target = writer.pointer(c)
        for row in range(rows):
            writer.store(results[2 * row], target)
            writer.store(results[2 * row + 1], writer.shift(target, LANES))
            target = writer.shift(target, stride_c)
        return context.get_dummy_value()

    return numba_intrinsic(product)


product_full = _make_product(ROWS)
product_two_thirds = _make_product(2 * UNIT)
product_one_third = _make_product(UNIT)


@numba_intrinsic
def transpose(typing_context: Any, source: Any, row: Any, target: Any, target_row: Any) -> Any:
    """Transpose a block of LANES x LANES; ``row`` is the distance between rows (for numba functions)."""

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        writer = Writer(builder)
        source, row, target, target_row = args
        place, rows = writer.pointer(source), []
        for _ in range(LANES):
            rows.append(writer.load(place))
            place = writer.shift(place, row)
        step = 1
        while step < LANES:  # transpose blocks of two, four, ... rows in turn
            upper = [index if not index & step else LANES + index - step for index in range(LANES)]
            lower = [index + step if not index & step else LANES + index for index in range(LANES)]
            for index in range(LANES):
                if not index & step:
                    pair = rows[index], rows[index + step]
                    rows[index], rows[index + step] = writer.shuffle(*pair, upper), writer.shuffle(*pair, lower)
            step *= 2
        place = writer.pointer(target)
        for value in rows:
            writer.store(value, place)
            place = writer.shift(place, target_row)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 4), write


@helper
def multiply_rows(rows: int, a: int, depth: int, panel: int, columns: int, c: int) -> None:
    """Compute fewer than ROWS rows of one panel of the product."""
    if rows == 2 * UNIT:
        product_two_thirds(a, depth, panel, c, columns, depth)
    elif rows == UNIT:
        product_one_third(a, depth, panel, c, columns, depth)


@helper
def multiply(rows: int, a: int, depth: int, b: int, columns: int, c: int) -> None:
    """Compute ``c = a @ b``, with ``b`` in panels of COLUMNS columns and ``rows`` a multiple of UNIT."""
    full = rows // ROWS * ROWS
    for panel in range(columns // COLUMNS):
        weights, goal = b + FLOAT_BYTES * panel * depth * COLUMNS, c + FLOAT_BYTES * panel * COLUMNS
        for row in range(0, full, ROWS):
            product_full(
                a + FLOAT_BYTES * row * depth, depth, weights, goal + FLOAT_BYTES * row * columns, columns, depth
            )
        start = a + FLOAT_BYTES * full * depth
        multiply_rows(rows - full, start, depth, weights, columns, goal + FLOAT_BYTES * full * columns)


@helper
def multiply_transposed(rows: int, a: int, depth: int, b: int, columns: int, c: int, room: int) -> None:
    """Compute ``c = a @ b.T``, with ``b`` in panels of COLUMNS columns and scratch space for a panel, (depth, COLUMNS).

    A panel's weights lie in distant pieces, which the hardware prefetcher does not recognise. So the next panel is
    prefetched, a few pieces at a time, while the current one is multiplied.
    """
    piece, pieces = columns * COLUMNS, depth // COLUMNS
    full = rows // ROWS * ROWS
    for panel in range(columns // COLUMNS):
        here, goal = b + FLOAT_BYTES * panel * COLUMNS * COLUMNS, c + FLOAT_BYTES * panel * COLUMNS
        for first in range(0, depth, LANES):
            block = here + FLOAT_BYTES * (first // COLUMNS * piece + first % COLUMNS)
            for column in range(0, COLUMNS, LANES):
                source = block + FLOAT_BYTES * column * COLUMNS
                transpose(source, COLUMNS, room + FLOAT_BYTES * (first * COLUMNS + column), COLUMNS)
        ahead, asked = here + FLOAT_BYTES * COLUMNS * COLUMNS, 0
        for row in range(0, full, ROWS):
            while asked * full < (row + ROWS) * pieces:
                prefetch(ahead + FLOAT_BYTES * asked * piece, COLUMNS * COLUMNS)
                asked += 1
            product_full(a + FLOAT_BYTES * row * depth, depth, room, goal + FLOAT_BYTES * row * columns, columns, depth)
        start = a + FLOAT_BYTES * full * depth
        multiply_rows(rows - full, start, depth, room, columns, goal + FLOAT_BYTES * full * columns)
