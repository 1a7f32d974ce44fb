"""Vector instructions for numba functions, generated as LLVM code."""

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba.core import cgutils
from numba.extending import intrinsic

from pochoir.kernels.cpu import LANES
from pochoir.kernels.layout import FLOAT_BYTES

numba_intrinsic: Callable[[Callable[..., Any]], Callable[..., Any]] = intrinsic
"""numba's ``intrinsic`` with a type: callers pass values only, without the typing context."""

FLOAT = ir.FloatType()
VECTOR = ir.VectorType(FLOAT, LANES)
INDEX = ir.IntType(64)
WORD = ir.IntType(32)
BYTES = ir.IntType(8).as_pointer()


class Writer:
    """Generator of float32 vector code at an LLVM builder's position.

    Args:
        builder: Builder of the current function.
    """

    def __init__(self, builder: ir.IRBuilder) -> None:
        self.builder = builder
        kind = ir.FunctionType(VECTOR, [VECTOR] * 3)
        self._fma = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{LANES}f32")  # type: ignore[no-untyped-call]
        kind = ir.FunctionType(ir.VoidType(), [BYTES, WORD, WORD, WORD])
        self._prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")  # type: ignore[no-untyped-call]

    def pointer(self, address: ir.Value) -> ir.Value:
        """Convert an integer to a pointer to float32."""
        return self.builder.inttoptr(address, FLOAT.as_pointer())

    def shift(self, pointer: ir.Value, count: ir.Value | int) -> ir.Value:
        """Return the pointer advanced by ``count`` numbers."""
        if isinstance(count, int):
            count = ir.Constant(INDEX, count)
        return self.builder.gep(pointer, [count], source_etype=FLOAT)

    def load(self, pointer: ir.Value) -> ir.Value:
        """Load LANES numbers."""
        return self.builder.load(self.builder.bitcast(pointer, VECTOR.as_pointer()), align=4, typ=VECTOR)

    def store(self, value: ir.Value, pointer: ir.Value) -> None:
        """Store LANES numbers."""
        self.builder.store(value, self.builder.bitcast(pointer, VECTOR.as_pointer()), align=4)

    def stream(self, value: ir.Value, pointer: ir.Value) -> None:
        """Store LANES numbers at an aligned address, bypassing the cache.

        A cached store reads each line first and evicts others, which is wasted on results larger than the cache. Code
        that streams has to call ``fence`` at its end.
        """
        place = self.builder.bitcast(pointer, VECTOR.as_pointer())
        store = self.builder.store(value, place, align=FLOAT_BYTES * LANES)
        store.set_metadata("nontemporal", self.builder.module.add_metadata([WORD(1)]))

    def prefetch(self, pointer: ir.Value) -> None:
        """Prefetch the cache line of a pointer, which may be invalid."""
        for_reading, into_second_level, data = WORD(0), WORD(2), WORD(1)
        byte = self.builder.bitcast(pointer, BYTES)
        self.builder.call(self._prefetch, [byte, for_reading, into_second_level, data])

    def splat(self, number: ir.Value) -> ir.Value:
        """Copy one number to all lanes."""
        undefined = ir.Constant(VECTOR, ir.Undefined)
        first = self.builder.insert_element(undefined, number, WORD(0))
        zeros = ir.Constant(ir.VectorType(WORD, LANES), [0] * LANES)
        return self.builder.shuffle_vector(first, undefined, zeros)

    def broadcast(self, pointer: ir.Value) -> ir.Value:
        """Load one number into all lanes."""
        return self.splat(self.builder.load(pointer, align=4, typ=FLOAT))

    def constant(self, number: float) -> ir.Value:
        """Return a vector with the same constant in all lanes."""
        return ir.Constant(VECTOR, [number] * LANES)

    def shuffle(self, one: ir.Value, other: ir.Value, lanes: Sequence[int]) -> ir.Value:
        """Select lanes of two vectors; those of the second are numbered from LANES."""
        return self.builder.shuffle_vector(one, other, ir.Constant(ir.VectorType(WORD, LANES), lanes))

    def fma(self, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
        """Compute ``a * b + c``, rounded once."""
        return self.builder.call(self._fma, [a, b, c])

    def add(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """Compute ``a + b``."""
        return self.builder.fadd(a, b)

    def sub(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """Compute ``a - b``."""
        return self.builder.fsub(a, b)

    def weighted_sum(self, values: Sequence[ir.Value], weights: Sequence[float]) -> ir.Value | None:
        """Compute a weighted sum; None if all weights are 0."""
        total: ir.Value | None = None
        # Terms without a multiplication come first, so that all others fuse with the sum.
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
        """Keep the value where the gate is above 0, and use 0 elsewhere."""
        zero = self.constant(0.0)
        return self.builder.select(self.builder.fcmp_ordered(">", gate, zero), value, zero)

    def maximum(self, value: ir.Value, least: ir.Value) -> ir.Value:
        """Return the larger of ``value`` and ``least``; a NaN in ``value`` stays."""
        return self.builder.select(self.builder.fcmp_ordered("<", value, least), least, value)


class Loop:
    """Counted loop; the body is generated inside ``with Loop(...) as loop:``.

    Args:
        builder: Builder of the current function.
        stop: End of the count, above 0.
        step: Increment.
        name: Name of the basic blocks, for readers of the LLVM code.
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
        """Declare a loop-carried value; ``set_next`` gives its next value."""
        phi = self.builder.phi(start.type)
        phi.add_incoming(start, self._before)
        return phi

    def set_next(self, phi: Any, value: ir.Value) -> None:
        """Set the value of ``phi`` in the next iteration."""
        self.carried.append((phi, value))

    def __exit__(self, *problem: object) -> None:
        following = self.builder.add(self.index, ir.Constant(INDEX, self.step))
        last = self.builder.block
        self.index.add_incoming(following, last)
        for phi, value in self.carried:
            phi.add_incoming(value, last)
        self.builder.cbranch(self.builder.icmp_signed("<", following, self.stop), self.body, self.after)
        self.builder.position_at_end(self.after)
