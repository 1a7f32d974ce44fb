"""Source of the kernels, as numba functions and generated LLVM code; imported only to compile them.

Kernels take addresses and counts as 64-bit integers, and float32 numbers. They return nothing and raise nothing.
"""

from pochoir.kernels.compiled import Compiled
from pochoir.kernels.native import gram_products as gram_products
from pochoir.kernels.native import pooling as pooling
from pochoir.kernels.native import rgb_convolution as rgb_convolution
from pochoir.kernels.native import winograd as winograd
from pochoir.kernels.native.compiling import KERNELS, compile_kernel


def compile_all() -> dict[str, Compiled]:
    """Compile all kernels and return them by name; takes about ten seconds."""
    return {name: compile_kernel(kernel) for name, kernel in KERNELS.items()}
