"""CPU features that decide how kernels are compiled."""

import os
from typing import Final

import llvmlite.binding as llvm


def _features() -> set[str]:
    forced = os.environ.get("NUMBA_CPU_FEATURES")  # numba then compiles for another CPU than this one
    if forced is not None:
        return {name.removeprefix("+") for name in forced.split(",") if name.startswith("+")}
    try:
        return {name for name, available in llvm.get_host_cpu_features().items() if available}
    except RuntimeError:  # LLVM cannot query the CPU on this system
        return set()


FEATURES: Final = frozenset(_features())
SUPPORTED: Final = "avx512f" in FEATURES or {"avx2", "fma"} <= FEATURES
"""True if the CPU has fused multiply-add on vectors of 8 or 16 float32 numbers."""
LANES: Final = 16 if "avx512f" in FEATURES else 8
"""Float32 numbers in a vector."""
COLUMNS: Final = 2 * LANES
"""Channels per panel; numbers of channels are multiples of it."""
