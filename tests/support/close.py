"""One table of tolerances for all tests."""

import torch
from torch import Tensor

TOLERANCES = {
    torch.float64: (1e-9, 1e-11),
    torch.float32: (1e-4, 1e-5),
    torch.float16: (1e-2, 1e-3),
}
"""Relative and absolute tolerance by dtype. A test that needs looser ones passes them and says why."""


def assert_close(actual: Tensor, expected: Tensor, *, rtol: float | None = None, atol: float | None = None) -> None:
    """Assert that two tensors have the same shape, dtype and, within tolerance, values."""
    table_rtol, table_atol = TOLERANCES.get(actual.dtype, (0.0, 0.0))
    torch.testing.assert_close(
        actual,
        expected,
        rtol=table_rtol if rtol is None else rtol,
        atol=table_atol if atol is None else atol,
    )
