"""2x2 pooling, forward and backward, over all channels of a pixel, as vector code."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types

from pochoir.kernels.cpu import LANES
from pochoir.kernels.layout import FLOAT_BYTES
from pochoir.kernels.native.compiling import kernel
from pochoir.kernels.native.memory import fence, fetch_add
from pochoir.kernels.native.vectors import INDEX, Loop, Writer, numba_intrinsic


def _make_pool(maximum: bool) -> Callable[..., None]:
    """Make ``pool(source, row, target, channels)``: the maximum or the mean of 2x2 pixels."""

    def pool_pixels(typing_context: Any, source: Any, row: Any, target: Any, channels: Any) -> Any:
        return types.void(*[types.intp] * 4), write

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        writer = Writer(builder)
        source, row, target, channels = args
        start, goal = writer.pointer(source), writer.pointer(target)
        with Loop(builder, channels, LANES, "pool") as loop:
            a, b, c, d = _load_window(writer, writer.shift(start, loop.index), row, channels)
            if maximum:
                result = writer.maximum(d, writer.maximum(c, writer.maximum(b, a)))
            else:
                total = writer.add(writer.add(a, b), writer.add(c, d))
                result = builder.fmul(total, writer.constant(0.25))
            writer.store(result, writer.shift(goal, loop.index))
        return context.get_dummy_value()

    return numba_intrinsic(pool_pixels)


def _make_unpool(maximum: bool) -> Callable[..., None]:
    """Make ``unpool(source, row, gradient, extra, extra_row, extra_pixel, target, channels)``, the backward pass.

    Maximum pooling passes the gradient to the first of the largest pixels, average pooling passes a quarter to each.
    ``extra`` is added. The result is 0 where ``source``, the output of a ReLU, is not above 0. Results are streamed.
    """

    def unpool_pixels(
        typing_context: Any,
        source: Any,
        row: Any,
        gradient: Any,
        extra: Any,
        extra_row: Any,
        extra_pixel: Any,
        target: Any,
        channels: Any,
    ) -> Any:
        return types.void(*[types.intp] * 8), write

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        writer = Writer(builder)
        source, row, gradient, extra, extra_row, extra_pixel, target, channels = args
        start, extras, goal = writer.pointer(source), writer.pointer(extra), writer.pointer(target)
        coming = writer.pointer(gradient)
        with Loop(builder, channels, LANES, "unpool") as loop:
            pixels = _load_window(writer, writer.shift(start, loop.index), row, channels)
            additions = _load_window(writer, writer.shift(extras, loop.index), extra_row, extra_pixel)
            value = writer.load(writer.shift(coming, loop.index))
            shares = _shares_of_largest(writer, pixels, value) if maximum else _equal_shares(writer, value)
            for place, (pixel, addition, share) in enumerate(zip(pixels, additions, shares, strict=True)):
                offset = builder.add(builder.mul(row, INDEX(place // 2)), builder.mul(channels, INDEX(place % 2)))
                result = writer.gate(writer.add(share, addition), pixel)
                writer.stream(result, writer.shift(goal, builder.add(loop.index, offset)))
        return context.get_dummy_value()

    return numba_intrinsic(unpool_pixels)


def _load_window(writer: Writer, pointer: ir.Value, row: ir.Value, pixel: ir.Value) -> list[ir.Value]:
    below = writer.shift(pointer, row)
    places = (pointer, writer.shift(pointer, pixel), below, writer.shift(below, pixel))
    return [writer.load(place) for place in places]


def _equal_shares(writer: Writer, value: ir.Value) -> list[ir.Value]:
    return [writer.builder.fmul(value, writer.constant(0.25))] * 4


def _shares_of_largest(writer: Writer, pixels: list[ir.Value], value: ir.Value) -> list[ir.Value]:
    a, b, c, d = pixels
    largest = writer.maximum(d, writer.maximum(c, writer.maximum(b, a)))
    zero, rest, shares = writer.constant(0.0), value, []
    for pixel in pixels:
        found = writer.builder.fcmp_ordered("==", pixel, largest)
        shares.append(writer.builder.select(found, rest, zero))
        rest = writer.builder.select(found, zero, rest)
    return shares


@numba_intrinsic
def gate_sum(typing_context: Any, extra: Any, gate: Any, target: Any, count: Any) -> Any:
    """Copy numbers of ``extra`` where ``gate`` is above 0, and write 0 elsewhere (for numba functions)."""

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        writer = Writer(builder)
        extra, gate, target, count = args
        extras, gates, goal = writer.pointer(extra), writer.pointer(gate), writer.pointer(target)
        with Loop(builder, count, LANES, "gate") as loop:
            value = writer.load(writer.shift(extras, loop.index))
            result = writer.gate(value, writer.load(writer.shift(gates, loop.index)))
            writer.store(result, writer.shift(goal, loop.index))
        return context.get_dummy_value()

    return types.void(*[types.intp] * 4), write


pool_max, pool_mean = _make_pool(True), _make_pool(False)
unpool_max, unpool_mean = _make_unpool(True), _make_unpool(False)


@kernel("void(intp, intp, intp, intp, intp, intp, intp)")
def pool(maximum: bool, source: int, width: int, channels: int, target: int, counter: int, rows: int) -> None:
    """Pool pairs of rows, taking the next free pair until none is left.

    Args:
        maximum: Take the maximum of four pixels instead of their mean.
        source: Address of the map, (H, width, channels).
        width: Width of the map.
        channels: Channels of the map.
        target: Address of the results, (H // 2, width // 2, channels).
        counter: Address of the atomic counter of rows taken.
        rows: Rows of the output.
    """
    row = fetch_add(counter, 1)
    while row < rows:
        start = source + FLOAT_BYTES * 2 * row * width * channels
        goal = target + FLOAT_BYTES * row * (width // 2) * channels
        for x in range(width // 2):
            offset = FLOAT_BYTES * x * channels
            if maximum:
                pool_max(start + 2 * offset, width * channels, goal + offset, channels)
            else:
                pool_mean(start + 2 * offset, width * channels, goal + offset, channels)
        row = fetch_add(counter, 1)


@kernel("void(intp, intp, intp, intp, intp, intp, intp, intp, intp, intp)")
def unpool(
    maximum: bool,
    source: int,
    height: int,
    width: int,
    channels: int,
    gradient: int,
    extra: int,
    full_extra: bool,
    target: int,
    counter: int,
) -> None:
    """Compute the gradient of pairs of rows, taking the next free pair; an odd last row or column gets none."""
    extra_row, extra_pixel = (width * channels, channels) if full_extra else (0, 0)
    row = fetch_add(counter, 1)
    while 2 * row < height:
        pooled = width // 2 if 2 * row + 1 < height else 0
        for x in range(pooled):
            offset = FLOAT_BYTES * (2 * row * width + 2 * x) * channels
            addition = extra + FLOAT_BYTES * (2 * row * extra_row + 2 * x * extra_pixel)
            here, there = source + offset, target + offset
            coming = gradient + FLOAT_BYTES * (row * (width // 2) + x) * channels
            if maximum:
                unpool_max(here, width * channels, coming, addition, extra_row, extra_pixel, there, channels)
            else:
                unpool_mean(here, width * channels, coming, addition, extra_row, extra_pixel, there, channels)
        for y in range(2 * row, min(2 * row + 2, height)):
            for x in range(2 * pooled, width):
                offset = FLOAT_BYTES * (y * width + x) * channels
                addition = extra + FLOAT_BYTES * (y * extra_row + x * extra_pixel)
                gate_sum(addition, source + offset, target + offset, channels)
        row = fetch_add(counter, 1)
    fence()
