"""The kernels' source, in numba's Python and as LLVM code. It is imported to compile them, not to run them.

Kernels take addresses and counts of numbers as 64-bit integers, and float32; they return nothing and raise nothing.
"""

from pochoir.kernels.compiled import Compiled
from pochoir.kernels.native import gram_products as gram_products
from pochoir.kernels.native import pooling as pooling
from pochoir.kernels.native import rgb_convolution as rgb_convolution
from pochoir.kernels.native import winograd as winograd
from pochoir.kernels.native.compiling import KERNELS, compile_kernel


def compile_all() -> dict[str, Compiled]:
    """Compile all kernels, by name. It takes about ten seconds."""
    return {name: compile_kernel(kernel) for name, kernel in KERNELS.items()}
