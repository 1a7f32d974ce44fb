"""What the CPU can do that the kernels are compiled for."""

import os
from typing import Final

import llvmlite.binding as llvm


def _features() -> set[str]:
    told = os.environ.get("NUMBA_CPU_FEATURES")  # by which numba compiles for another CPU than this one
    if told is not None:
        return {name.removeprefix("+") for name in told.split(",") if name.startswith("+")}
    try:
        return {name for name, there in llvm.get_host_cpu_features().items() if there}
    except RuntimeError:  # LLVM cannot tell on this system
        return set()


FEATURES: Final = frozenset(_features())
SUPPORTED: Final = "avx512f" in FEATURES or {"avx2", "fma"} <= FEATURES
"""Whether there is fused multiply-add on vectors of 8 or 16 numbers."""
LANES: Final = 16 if "avx512f" in FEATURES else 8
"""Float32 numbers in a vector."""
COLUMNS: Final = 2 * LANES
"""Channels come in multiples of this."""
