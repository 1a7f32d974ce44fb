"""Memory access for numba functions: loads, stores, atomics, copies and fences."""

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types

from pochoir.kernels.cpu import LANES
from pochoir.kernels.layout import FLOAT_BYTES, INTEGER_BYTES
from pochoir.kernels.native.vectors import BYTES, FLOAT, INDEX, WORD, Loop, Writer, numba_intrinsic


@numba_intrinsic
def read(typing_context: Any, place: Any) -> Any:
    """Load the number at an address (for numba functions)."""

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        return builder.load(Writer(builder).pointer(args[0]), align=FLOAT_BYTES, typ=FLOAT)

    return types.float32(types.intp), write


@numba_intrinsic
def write(typing_context: Any, place: Any, number: Any) -> Any:
    """Store a number at an address (for numba functions)."""

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        place, number = args
        builder.store(number, Writer(builder).pointer(place), align=FLOAT_BYTES)
        return context.get_dummy_value()

    return types.void(types.intp, types.float32), write


@numba_intrinsic
def fetch_add(typing_context: Any, counter: Any, count: Any) -> Any:
    """Add atomically to the int64 at an address and return its earlier value (for numba functions)."""

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        counter, count = args
        return builder.atomic_rmw("add", builder.inttoptr(counter, INDEX.as_pointer()), count, "monotonic")

    return types.intp(*[types.intp] * 2), write


@numba_intrinsic
def read_integer(typing_context: Any, place: Any) -> Any:
    """Load the int64 at an address (for numba functions)."""

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        return builder.load(builder.inttoptr(args[0], INDEX.as_pointer()), align=INTEGER_BYTES, typ=INDEX)

    return types.intp(types.intp), write


@numba_intrinsic
def load_atomic(typing_context: Any, place: Any) -> Any:
    """Load atomically the int64 at an address, which other threads change (for numba functions)."""

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        return builder.load_atomic(builder.inttoptr(args[0], INDEX.as_pointer()), "monotonic", INTEGER_BYTES)

    return types.intp(types.intp), write


@numba_intrinsic
def pause(typing_context: Any) -> Any:
    """Pause briefly in a spin loop, in favour of the core's other thread (for numba functions)."""

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        kind = ir.FunctionType(ir.VoidType(), [])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.sse2.pause"), [])  # type: ignore[no-untyped-call]
        return context.get_dummy_value()

    return types.void(), write


@numba_intrinsic
def call(typing_context: Any, address: Any, number: Any) -> Any:
    """Call the C function at an address with one number, which it may ignore (for numba functions)."""

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        address, number = args
        kind = ir.FunctionType(WORD, [WORD])
        builder.call(builder.inttoptr(address, kind.as_pointer()), [builder.trunc(number, WORD)])
        return context.get_dummy_value()

    return types.void(*[types.intp] * 2), write


@numba_intrinsic
def fence(typing_context: Any) -> Any:
    """Order all memory accesses before and after, for all threads (for numba functions)."""

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), write


@numba_intrinsic
def copy(typing_context: Any, source: Any, target: Any, count: Any) -> Any:
    """Copy numbers from one address to another (for numba functions)."""

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        source, target, count = args
        cgutils.raw_memcpy(builder, builder.inttoptr(target, BYTES), builder.inttoptr(source, BYTES), count, INDEX(4))  # type: ignore[no-untyped-call]
        return context.get_dummy_value()

    return types.void(*[types.intp] * 3), write


@numba_intrinsic
def clear(typing_context: Any, target: Any, count: Any) -> Any:
    """Set numbers from an address on to 0 (for numba functions)."""

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        target, count = args
        size = builder.mul(count, INDEX(4))
        start = builder.inttoptr(target, BYTES)
        cgutils.memset(builder, start, size, 0)  # type: ignore[no-untyped-call]
        return context.get_dummy_value()

    return types.void(*[types.intp] * 2), write


@numba_intrinsic
def rectify(typing_context: Any, source: Any, target: Any, count: Any, floor: Any) -> Any:
    """Stream numbers, a multiple of LANES, clamped to at least ``floor`` (for numba functions)."""

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        writer = Writer(builder)
        source, target, count, floor = args
        start, goal, least = writer.pointer(source), writer.pointer(target), writer.splat(floor)
        with Loop(builder, count, LANES, "rectify") as loop:
            value = writer.load(writer.shift(start, loop.index))
            writer.stream(writer.maximum(value, least), writer.shift(goal, loop.index))
        return context.get_dummy_value()

    return types.void(*[types.intp] * 3, types.float32), write


@numba_intrinsic
def prefetch(typing_context: Any, source: Any, count: Any) -> Any:
    """Prefetch numbers, a multiple of LANES; the address may be invalid (for numba functions)."""

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        writer = Writer(builder)
        source, count = args
        start = writer.pointer(source)
        with Loop(builder, count, LANES, "prefetch") as loop:
            writer.prefetch(writer.shift(start, loop.index))
        return context.get_dummy_value()

    return types.void(*[types.intp] * 2), write
