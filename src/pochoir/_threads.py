"""Thread count of torch."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from pochoir._openmp import stop_spinning


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Set the thread count of torch and of the kernels for the duration of a block.

    Torch has one count for the process. Its threads sleep while they wait, from the first call on.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    if count > 1:
        stop_spinning(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
