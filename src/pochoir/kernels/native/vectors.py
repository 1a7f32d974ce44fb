"""Vector instructions of the CPU, written into numba functions as LLVM code."""

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from pochoir.kernels.cpu import LANES
from pochoir.kernels.layout import FLOAT_BYTES, INTEGER_BYTES

for_numba: Callable[[Callable[..., Any]], Callable[..., Any]] = intrinsic
"""numba's decorator with a type that says that its functions are called with values, without the typing context."""

FLOAT = ir.FloatType()
VECTOR = ir.VectorType(FLOAT, LANES)
INDEX = ir.IntType(64)
WORD = ir.IntType(32)
BYTES = ir.IntType(8).as_pointer()


class Writer:
    """Writes float32 vector code at an LLVM builder's position.

    Args:
        builder: Of the function that is being written.
    """

    def __init__(self, builder: ir.IRBuilder) -> None:
        self.builder = builder
        kind = ir.FunctionType(VECTOR, [VECTOR] * 3)
        self._fma = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{LANES}f32")  # type: ignore[no-untyped-call]
        kind = ir.FunctionType(ir.VoidType(), [BYTES, WORD, WORD, WORD])
        self._prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")  # type: ignore[no-untyped-call]

    def pointer(self, address: ir.Value) -> ir.Value:
        """An integer as a pointer to float32."""
        return self.builder.inttoptr(address, FLOAT.as_pointer())

    def shift(self, pointer: ir.Value, count: ir.Value | int) -> ir.Value:
        """The pointer so many numbers further on."""
        if isinstance(count, int):
            count = ir.Constant(INDEX, count)
        return self.builder.gep(pointer, [count], source_etype=FLOAT)

    def load(self, pointer: ir.Value) -> ir.Value:
        """LANES numbers."""
        return self.builder.load(self.builder.bitcast(pointer, VECTOR.as_pointer()), align=4, typ=VECTOR)

    def store(self, value: ir.Value, pointer: ir.Value) -> None:
        """Write LANES numbers."""
        self.builder.store(value, self.builder.bitcast(pointer, VECTOR.as_pointer()), align=4)

    def stream(self, value: ir.Value, pointer: ir.Value) -> None:
        """Write LANES numbers past the cache, to a multiple of their size.

        For results that are larger than the cache: it would read each line before it is written, and lose others for
        it. Whoever streams calls ``settle`` when done.
        """
        place = self.builder.bitcast(pointer, VECTOR.as_pointer())
        store = self.builder.store(value, place, align=FLOAT_BYTES * LANES)
        store.set_metadata("nontemporal", self.builder.module.add_metadata([WORD(1)]))

    def prefetch(self, pointer: ir.Value) -> None:
        """Ask for the line of the cache that a pointer is in, to be read later. It may point anywhere."""
        for_reading, into_second_level, data = WORD(0), WORD(2), WORD(1)
        byte = self.builder.bitcast(pointer, BYTES)
        self.builder.call(self._prefetch, [byte, for_reading, into_second_level, data])

    def splat(self, number: ir.Value) -> ir.Value:
        """One number in all lanes."""
        undefined = ir.Constant(VECTOR, ir.Undefined)
        first = self.builder.insert_element(undefined, number, WORD(0))
        zeros = ir.Constant(ir.VectorType(WORD, LANES), [0] * LANES)
        return self.builder.shuffle_vector(first, undefined, zeros)

    def broadcast(self, pointer: ir.Value) -> ir.Value:
        """The number at a pointer in all lanes."""
        return self.splat(self.builder.load(pointer, align=4, typ=FLOAT))

    def constant(self, number: float) -> ir.Value:
        """A number known now in all lanes."""
        return ir.Constant(VECTOR, [number] * LANES)

    def pick(self, one: ir.Value, other: ir.Value, lanes: Sequence[int]) -> ir.Value:
        """A vector of the lanes of two, those of the second counted from LANES on."""
        return self.builder.shuffle_vector(one, other, ir.Constant(ir.VectorType(WORD, LANES), lanes))

    def fma(self, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
        """``a * b + c``, rounded once."""
        return self.builder.call(self._fma, [a, b, c])

    def add(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """``a + b``."""
        return self.builder.fadd(a, b)

    def sub(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """``a - b``."""
        return self.builder.fsub(a, b)

    def weigh(self, values: Sequence[ir.Value], weights: Sequence[float]) -> ir.Value | None:
        """The weighted sum; None if all weights are 0."""
        total: ir.Value | None = None
        # Terms without a multiplication first: the others then fuse with the sum.
        terms = sorted((abs(abs(weight) - 1.0) > 0.0, index) for index, weight in enumerate(weights) if weight)
        for multiplied, index in terms:
            value, weight = values[index], weights[index]
            if total is None:
                total = value if weight == 1.0 else self.builder.fmul(value, self.constant(weight))
            elif multiplied:
                total = self.fma(value, self.constant(weight), total)
            else:
                total = self.add(total, value) if weight > 0 else self.sub(total, value)
        return total

    def gate(self, value: ir.Value, gate: ir.Value) -> ir.Value:
        """The value where the gate is above 0, else 0."""
        zero = self.constant(0.0)
        return self.builder.select(self.builder.fcmp_ordered(">", gate, zero), value, zero)

    def floor(self, value: ir.Value, least: ir.Value) -> ir.Value:
        """The larger one; not-a-number stays."""
        return self.builder.select(self.builder.fcmp_ordered("<", value, least), least, value)


class Loop:
    """A counted loop: ``with Loop(...) as index:`` writes its body.

    Args:
        builder: Of the function that is being written.
        stop: Where counting ends; above 0.
        step: What is added each time.
        name: Of the blocks, for who reads the code.
    """

    def __init__(self, builder: ir.IRBuilder, stop: ir.Value, step: int, name: str) -> None:
        self.builder, self.stop, self.step, self.name = builder, stop, step, name
        self.carried: list[tuple[Any, ir.Value]] = []

    def __enter__(self) -> "Loop":
        before = self.builder.block
        self.body = self.builder.append_basic_block(self.name)
        self.after = self.builder.append_basic_block(f"{self.name}.end")
        self._before = before
        self.builder.branch(self.body)
        self.builder.position_at_end(self.body)
        self.index = self.carry(ir.Constant(INDEX, 0))
        return self

    def carry(self, start: ir.Value) -> Any:
        """A value that changes from turn to turn; say how with ``set_next``."""
        phi = self.builder.phi(start.type)
        phi.add_incoming(start, self._before)
        return phi

    def set_next(self, phi: Any, value: ir.Value) -> None:
        """What a carried value is in the next turn."""
        self.carried.append((phi, value))

    def __exit__(self, *problem: object) -> None:
        following = self.builder.add(self.index, ir.Constant(INDEX, self.step))
        last = self.builder.block
        self.index.add_incoming(following, last)
        for phi, value in self.carried:
            phi.add_incoming(value, last)
        self.builder.cbranch(self.builder.icmp_signed("<", following, self.stop), self.body, self.after)
        self.builder.position_at_end(self.after)


@for_numba
def read(typing_context: Any, place: Any) -> Any:
    """For numba functions: the number at an address."""

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        return builder.load(Writer(builder).pointer(args[0]), align=FLOAT_BYTES, typ=FLOAT)

    return types.float32(types.intp), write


@for_numba
def write(typing_context: Any, place: Any, number: Any) -> Any:
    """For numba functions: put a number at an address."""

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        place, number = args
        builder.store(number, Writer(builder).pointer(place), align=FLOAT_BYTES)
        return context.get_dummy_value()

    return types.void(types.intp, types.float32), write


@for_numba
def take(typing_context: Any, counter: Any, count: Any) -> Any:
    """For numba functions: add to the int64 at an address; what was there before, which no other thread is given."""

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        counter, count = args
        return builder.atomic_rmw("add", builder.inttoptr(counter, INDEX.as_pointer()), count, "monotonic")

    return types.intp(*[types.intp] * 2), write


@for_numba
def read_integer(typing_context: Any, place: Any) -> Any:
    """For numba functions: the int64 at an address."""

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        return builder.load(builder.inttoptr(args[0], INDEX.as_pointer()), align=INTEGER_BYTES, typ=INDEX)

    return types.intp(types.intp), write


@for_numba
def look(typing_context: Any, place: Any) -> Any:
    """For numba functions: the int64 at an address, which another thread may change at any time."""

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        return builder.load_atomic(builder.inttoptr(args[0], INDEX.as_pointer()), "monotonic", INTEGER_BYTES)

    return types.intp(types.intp), write


@for_numba
def pause(typing_context: Any) -> Any:
    """For numba functions: let the other thread of the core have a moment."""

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        kind = ir.FunctionType(ir.VoidType(), [])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.sse2.pause"), [])  # type: ignore[no-untyped-call]
        return context.get_dummy_value()

    return types.void(), write


@for_numba
def call(typing_context: Any, address: Any, number: Any) -> Any:
    """For numba functions: call the C function at an address with a number, which it may ignore."""

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        address, number = args
        kind = ir.FunctionType(WORD, [WORD])
        builder.call(builder.inttoptr(address, kind.as_pointer()), [builder.trunc(number, WORD)])
        return context.get_dummy_value()

    return types.void(*[types.intp] * 2), write


@for_numba
def settle(typing_context: Any) -> Any:
    """For numba functions: from here on other threads find what was written, and this one what they wrote."""

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), write


@for_numba
def copy(typing_context: Any, source: Any, target: Any, count: Any) -> Any:
    """For numba functions: copy numbers from one address to another."""

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        source, target, count = args
        cgutils.raw_memcpy(builder, builder.inttoptr(target, BYTES), builder.inttoptr(source, BYTES), count, INDEX(4))  # type: ignore[no-untyped-call]
        return context.get_dummy_value()

    return types.void(*[types.intp] * 3), write


@for_numba
def clear(typing_context: Any, target: Any, count: Any) -> Any:
    """For numba functions: set numbers from an address on to 0."""

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        target, count = args
        size = builder.mul(count, INDEX(4))
        start = builder.inttoptr(target, BYTES)
        cgutils.memset(builder, start, size, 0)  # type: ignore[no-untyped-call]
        return context.get_dummy_value()

    return types.void(*[types.intp] * 2), write


@for_numba
def rectify(typing_context: Any, source: Any, target: Any, count: Any, floor: Any) -> Any:
    """For numba functions: stream numbers, a multiple of LANES, raised to at least ``floor``."""

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        writer = Writer(builder)
        source, target, count, floor = args
        start, goal, least = writer.pointer(source), writer.pointer(target), writer.splat(floor)
        with Loop(builder, count, LANES, "rectify") as loop:
            value = writer.load(writer.shift(start, loop.index))
            writer.stream(writer.floor(value, least), writer.shift(goal, loop.index))
        return context.get_dummy_value()

    return types.void(*[types.intp] * 3, types.float32), write


@for_numba
def prefetch(typing_context: Any, source: Any, count: Any) -> Any:
    """For numba functions: ask for numbers, a multiple of LANES, to be read later. They may lie anywhere."""

    def write(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        writer = Writer(builder)
        source, count = args
        start = writer.pointer(source)
        with Loop(builder, count, LANES, "prefetch") as loop:
            writer.prefetch(writer.shift(start, loop.index))
        return context.get_dummy_value()

    return types.void(*[types.intp] * 2), write
