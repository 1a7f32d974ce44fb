"""Compiled kernels for the CPU: convolutions of 3x3 in a fraction of the multiplications, and pooling.

Maps are float32 tensors of shape (H, W, channels), contiguous: the channels of a pixel lie side by side, which is what
torch calls channels last. Importing ``convolution`` or ``pooling`` compiles the kernels, or loads what an earlier run
has compiled; this module alone costs little.
"""

from pochoir.kernels.cpu import COLUMNS as COLUMNS
from pochoir.kernels.cpu import ENGINES as ENGINES
from pochoir.kernels.cpu import SUPPORTED as SUPPORTED
from pochoir.kernels.cpu import chosen_engine as chosen_engine
