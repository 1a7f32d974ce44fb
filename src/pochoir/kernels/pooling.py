"""Pooling of 2x2, forward and back, on maps of shape (H, W, channels)."""

from math import ceil

from torch import Tensor

from pochoir.kernels.arena import Lender, share_counted
from pochoir.kernels.library import kernel

_pool, _unpool = kernel("pool"), kernel("unpool")


class Pooling:
    """Pooling of 2x2 after a ReLU; an odd row or column at the end is left out.

    Args:
        kind: ``"max"`` or ``"avg"``.
        lender: Lends the memory of results.
    """

    def __init__(self, kind: str, lender: Lender) -> None:
        self._maximum, self._lender = kind == "max", lender

    def forward(self, source: Tensor) -> Tensor:
        """From (H, W, C), contiguous, to (H // 2, W // 2, C)."""
        height, width, channels = source.shape
        target = self._lender.lend(height // 2, width // 2, channels)

        def work(counter: int) -> None:
            _pool(self._maximum, source.data_ptr(), width, channels, target.data_ptr(), counter, height // 2)

        share_counted(work, height // 2)
        return target

    def backward(self, source: Tensor, gradient: Tensor, *, extra: Tensor | None = None) -> Tensor:
        """From the gradient of the results to that of the inputs of the ReLU before the pooling.

        Args:
            source: What was pooled, the output of a ReLU, (H, W, C).
            gradient: Shape (H // 2, W // 2, C), contiguous.
            extra: Shape (H, W, C), added before the way back through the ReLU.

        Returns:
            Shape (H, W, C).
        """
        height, width, channels = source.shape
        target = self._lender.lend(height, width, channels)
        whole = extra is not None
        if extra is None:
            extra = gradient.new_zeros(channels)
        addition = extra

        def work(counter: int) -> None:
            _unpool(
                *(self._maximum, source.data_ptr(), height, width, channels, gradient.data_ptr()),
                *(addition.data_ptr(), whole, target.data_ptr(), counter),
            )

        share_counted(work, ceil(height / 2))
        return target
