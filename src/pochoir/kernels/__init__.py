"""Compiled kernels for the CPU: 3x3 convolutions by Winograd's method, pooling and Gram matrices.

Maps are contiguous float32 tensors of shape (H, W, channels), the order that torch calls channels last. Importing
``convolution``, ``grams`` or ``pooling`` compiles the kernels, or links kernels that an earlier run compiled. This
module alone is cheap: ``SUPPORTED`` and ``COLUMNS`` are looked up on first use, because that loads LLVM.
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
