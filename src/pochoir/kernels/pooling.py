"""2x2 pooling, forward and backward, on maps of shape (H, W, channels)."""

from math import ceil

from torch import Tensor

from pochoir.kernels.arena import Arena
from pochoir.kernels.library import kernel
from pochoir.kernels.threads import run_counted

_pool, _unpool = kernel("pool"), kernel("unpool")


class Pooling:
    """2x2 pooling after a ReLU; an odd last row or column is dropped.

    Args:
        kind: ``"max"`` or ``"avg"``.
        arena: Allocates the outputs.
    """

    def __init__(self, kind: str, arena: Arena) -> None:
        self._maximum, self._arena = kind == "max", arena

    def forward(self, source: Tensor, *, target: Tensor | None = None) -> Tensor:
        """Pool a contiguous map of shape (H, W, C) to (H // 2, W // 2, C), into given memory or new."""
        height, width, channels = source.shape
        result = self._arena.allocate(height // 2, width // 2, channels) if target is None else target

        def work(counter: int) -> None:
            _pool(self._maximum, source.data_ptr(), width, channels, result.data_ptr(), counter, height // 2)

        run_counted(work, height // 2)
        return result

    def backward(self, source: Tensor, gradient: Tensor, *, extra: Tensor | None = None) -> Tensor:
        """Return the gradient with respect to the input of the ReLU before the pooling.

        Args:
            source: Input of the pooling, the output of a ReLU, (H, W, C).
            gradient: Gradient of the output, (H // 2, W // 2, C), contiguous.
            extra: Gradient of ``source`` from other uses, (H, W, C), added before the ReLU's gate.

        Returns:
            Shape (H, W, C).
        """
        height, width, channels = source.shape
        target = self._arena.allocate(height, width, channels)
        is_full = extra is not None
        if extra is None:
            extra = gradient.new_zeros(channels)
        addition = extra

        def work(counter: int) -> None:
            _unpool(
                *(self._maximum, source.data_ptr(), height, width, channels, gradient.data_ptr()),
                *(addition.data_ptr(), is_full, target.data_ptr(), counter),
            )

        run_counted(work, ceil(height / 2))
        return target
