"""Pooling of 2x2 and what belongs to it, over all channels of a pixel, as vector code."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types

from pochoir.kernels.compiling import compiled
from pochoir.kernels.cpu import LANES
from pochoir.kernels.vectors import FLOAT_BYTES, INDEX, Loop, Writer, for_numba


def _make_gather(maximum: bool) -> Callable[..., None]:
    """``gather(source, row, target, channels)``: the largest or the mean of 2x2 pixels."""

    def gather(typing_context: Any, source: Any, row: Any, target: Any, channels: Any) -> Any:
        return types.void(*[types.intp] * 4), write

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        writer = Writer(builder)
        source, row, target, channels = args
        start, goal = writer.pointer(source), writer.pointer(target)
        with Loop(builder, channels, LANES, "gather") as loop:
            a, b, c, d = _load_window(writer, writer.shift(start, loop.index), row, channels)
            if maximum:
                result = writer.floor(d, writer.floor(c, writer.floor(b, a)))
            else:
                total = writer.add(writer.add(a, b), writer.add(c, d))
                result = builder.fmul(total, writer.constant(0.25))
            writer.store(result, writer.shift(goal, loop.index))
        return context.get_dummy_value()

    return for_numba(gather)


def _make_spread(maximum: bool) -> Callable[..., None]:
    """``spread(source, row, gradient, extra, extra_row, extra_pixel, target, channels)``: the way back.

    The gradient goes to the first of the largest pixels, or in equal parts to all; ``extra`` is added, and what
    lands where ``source``, the output of a ReLU, is not above 0, is dropped.
    """

    def spread(
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
        with Loop(builder, channels, LANES, "spread") as loop:
            pixels = _load_window(writer, writer.shift(start, loop.index), row, channels)
            additions = _load_window(writer, writer.shift(extras, loop.index), extra_row, extra_pixel)
            value = writer.load(writer.shift(coming, loop.index))
            shares = _shares_of_largest(writer, pixels, value) if maximum else _equal_shares(writer, value)
            for place, (pixel, addition, share) in enumerate(zip(pixels, additions, shares, strict=True)):
                offset = builder.add(builder.mul(row, INDEX(place // 2)), builder.mul(channels, INDEX(place % 2)))
                result = writer.gate(writer.add(share, addition), pixel)
                writer.store(result, writer.shift(goal, builder.add(loop.index, offset)))
        return context.get_dummy_value()

    return for_numba(spread)


def _load_window(writer: Writer, pointer: ir.Value, row: ir.Value, pixel: ir.Value) -> list[ir.Value]:
    below = writer.shift(pointer, row)
    places = (pointer, writer.shift(pointer, pixel), below, writer.shift(below, pixel))
    return [writer.load(place) for place in places]


def _equal_shares(writer: Writer, value: ir.Value) -> list[ir.Value]:
    return [writer.builder.fmul(value, writer.constant(0.25))] * 4


def _shares_of_largest(writer: Writer, pixels: list[ir.Value], value: ir.Value) -> list[ir.Value]:
    a, b, c, d = pixels
    largest = writer.floor(d, writer.floor(c, writer.floor(b, a)))
    zero, rest, shares = writer.constant(0.0), value, []
    for pixel in pixels:
        found = writer.builder.fcmp_ordered("==", pixel, largest)
        shares.append(writer.builder.select(found, rest, zero))
        rest = writer.builder.select(found, zero, rest)
    return shares


@for_numba
def gate_sum(typing_context: Any, extra: Any, gate: Any, target: Any, count: Any) -> Any:
    """For numba functions: copy numbers from ``extra`` where those of ``gate`` are above 0, else 0."""

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


def _make_pool(maximum: bool) -> Callable[..., None]:
    gather = _make_gather(maximum)

    @compiled("void(intp, intp, intp, intp, intp)")
    def pool(source: int, width: int, channels: int, target: int, row: int) -> None:
        """Pool two rows of pixels into one."""
        start = source + FLOAT_BYTES * 2 * row * width * channels
        goal = target + FLOAT_BYTES * row * (width // 2) * channels
        for x in range(width // 2):
            offset = FLOAT_BYTES * x * channels
            gather(start + 2 * offset, width * channels, goal + offset, channels)

    return pool


def _make_unpool(maximum: bool) -> Callable[..., None]:
    spread = _make_spread(maximum)

    @compiled("void(intp, intp, intp, intp, intp, intp, boolean, intp, intp)")
    def unpool(
        source: int,
        height: int,
        width: int,
        channels: int,
        gradient: int,
        extra: int,
        full_extra: bool,
        target: int,
        row: int,
    ) -> None:
        """Gradients of two rows of pixels from one row of pooled ones; a last odd row has none."""
        extra_row, extra_pixel = (width * channels, channels) if full_extra else (0, 0)
        start, goal = FLOAT_BYTES * 2 * row * width * channels, FLOAT_BYTES * row * (width // 2) * channels
        pooled = width // 2 if 2 * row + 1 < height else 0
        for x in range(pooled):
            offset = start + FLOAT_BYTES * 2 * x * channels
            beyond = FLOAT_BYTES * (2 * row * extra_row + 2 * x * extra_pixel)
            coming = gradient + goal + FLOAT_BYTES * x * channels
            spread(
                source + offset,
                width * channels,
                coming,
                extra + beyond,
                extra_row,
                extra_pixel,
                target + offset,
                channels,
            )
        for y in range(2 * row, min(2 * row + 2, height)):
            for x in range(2 * pooled, width):
                offset = FLOAT_BYTES * (y * width + x) * channels
                beyond = FLOAT_BYTES * (y * extra_row + x * extra_pixel)
                gate_sum(extra + beyond, source + offset, target + offset, channels)

    return unpool


POOL = {"max": _make_pool(True), "avg": _make_pool(False)}
"""Pooling of a row by its kind."""
UNPOOL = {"max": _make_unpool(True), "avg": _make_unpool(False)}
"""Its way back through the ReLU before it."""
