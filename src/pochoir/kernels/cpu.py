"""What the CPU can do that numba compiles for."""

from typing import Final

import llvmlite.binding as llvm
import numba


def _features() -> set[str]:
    told: str | None = getattr(numba.config, "CPU_FEATURES", None)
    if told is not None:
        return {name.removeprefix("+") for name in told.split(",") if name.startswith("+")}
    try:
        return {name for name, there in llvm.get_host_cpu_features().items() if there}
    except RuntimeError:  # LLVM cannot tell on this system
        return set()


_FOUND = _features()
SUPPORTED: Final = "avx512f" in _FOUND or {"avx2", "fma"} <= _FOUND
"""Whether there is fused multiply-add on vectors of 8 or 16 numbers."""
LANES: Final = 16 if "avx512f" in _FOUND else 8
"""Float32 numbers in a vector."""
COLUMNS: Final = 2 * LANES
"""Channels come in multiples of this."""
