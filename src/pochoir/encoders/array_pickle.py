"""Pickles of NumPy arrays, read without running what a pickle may contain."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def read_array_pickle(path: Path) -> dict[str, Any]:
    """Read nested dictionaries of arrays from a pickle.

    Only the three names that a pickled array consists of are allowed. Any other name in the file is refused, so a
    changed file cannot run code.

    Args:
        path: The pickle.

    Returns:
        Dictionaries of dictionaries and arrays.

    Raises:
        pickle.UnpicklingError: The file names anything else, or is not a pickle.
        TypeError: The pickle does not hold a dictionary.
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        values = _ArrayUnpickler(file).load()
    if not isinstance(values, dict):
        raise TypeError(f"{path} holds a {type(values).__name__} instead of a dictionary.")
    return values


def to_convolution(stored: Mapping[str, NDArray[Any]]) -> tuple[Tensor, Tensor]:
    """Return weight (outputs, inputs, rows, columns) and bias of a convolution that was stored channels last.

    Args:
        stored: ``"kernel"`` of shape (rows, columns, inputs, outputs) and, unless it has none, ``"bias"``.
    """
    weight = torch.from_numpy(stored["kernel"]).permute(3, 2, 0, 1).contiguous()
    bias = torch.from_numpy(stored["bias"]) if "bias" in stored else torch.zeros(len(weight))
    return weight, bias


class _ArrayUnpickler(pickle.Unpickler):
    """Unpickler that knows NumPy arrays and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"the name {module}.{name} is not allowed") from None


def _empty_array(kind: type[NDArray[Any]], shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Return the array that a pickle then fills; NumPy's own function for it moved between versions."""
    if kind is not np.ndarray:
        raise pickle.UnpicklingError(f"an array of type {kind} is not allowed")
    return np.ndarray.__new__(np.ndarray, shape, dtype)


_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): _empty_array,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}
