"""Compiled kernels for the CPU: convolutions of 3x3 in a fraction of the multiplications, pooling, Gram matrices.

Maps are float32 tensors of shape (H, W, channels), contiguous: the channels of a pixel lie side by side, which is what
torch calls channels last. Importing ``convolution``, ``grams`` or ``pooling`` compiles the kernels, or links what an
earlier run has compiled; this module alone costs nothing. What it tells of the CPU (``SUPPORTED``, ``COLUMNS``) it
finds out when it is asked, because that loads LLVM.
"""

import importlib
from typing import TYPE_CHECKING, Any

from pochoir.kernels.engine import ENGINES as ENGINES
from pochoir.kernels.engine import chosen_engine as chosen_engine

if TYPE_CHECKING:
    from pochoir.kernels.cpu import COLUMNS as COLUMNS
    from pochoir.kernels.cpu import SUPPORTED as SUPPORTED


def __getattr__(name: str) -> Any:
    if name in {"COLUMNS", "SUPPORTED"}:
        return getattr(importlib.import_module("pochoir.kernels.cpu"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
