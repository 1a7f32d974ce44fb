"""Compiled kernels for the CPU: convolutions of 3x3 in a fraction of the multiplications, and pooling.

Maps are float32 tensors of shape (H, W, channels), contiguous: the channels of a pixel lie side by side, which is what
torch calls channels last. Importing this room compiles the kernels, or loads what an earlier run has compiled.
"""

from pochoir.kernels.convolution import ColourConvolution, Convolution
from pochoir.kernels.pooling import Pooling
from pochoir.kernels.products import COLUMNS
from pochoir.kernels.sharing import Lender

__all__ = ["COLUMNS", "ColourConvolution", "Convolution", "Lender", "Pooling"]
