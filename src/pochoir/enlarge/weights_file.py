"""Weights of the enlarger in ncnn's binary form."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pochoir.errors import WeightsError

CHANNELS = 64
SCALE = 4
LAYERS = 18
"""Convolutions: one from RGB, 16 between maps of ``CHANNELS``, one to the pixels of the enlarged picture."""

_HALF_TAG = 0x01306B47  # ncnn's mark of weights that are stored as 16-bit floating point
_ALIGNMENT = 4


class Layer(NamedTuple):
    """One 3x3 convolution and the PReLU behind it."""

    weight: Tensor
    """Shape (C_out, C_in, 3, 3)."""
    bias: Tensor
    """Shape (C_out,)."""
    slope: Tensor | None
    """Factor of negative values, shape (C_out,); ``None`` behind the last convolution."""


def read_layers(path: Path) -> list[Layer]:
    """Read the layers of ``realesr-animevideov3`` from ncnn's ``.bin`` file.

    Raises:
        WeightsError: The file does not hold these layers.
    """
    reader = _Reader(path.read_bytes())
    layers = []
    for index in range(LAYERS):
        inputs = 3 if index == 0 else CHANNELS
        is_last = index == LAYERS - 1
        outputs = 3 * SCALE * SCALE if is_last else CHANNELS
        weight = reader.read_halves(outputs * inputs * 9).view(outputs, inputs, 3, 3)
        bias = reader.read_floats(outputs)
        layers.append(Layer(weight, bias, None if is_last else reader.read_floats(CHANNELS)))
    if not reader.is_at_end:
        raise WeightsError(f"{str(path)!r} holds more than the layers of the enlarger.")
    return layers


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def is_at_end(self) -> bool:
        return self._at == len(self._data)

    def read_halves(self, count: int) -> Tensor:
        tag = int(self._take(np.uint32, 1)[0])
        if tag != _HALF_TAG:
            raise WeightsError(f"The enlarger's weights have the mark {tag:#x} in place of {_HALF_TAG:#x}.")
        values = self._take(np.float16, count)
        self._at += -self._at % _ALIGNMENT
        return torch.from_numpy(values.astype(np.float32))

    def read_floats(self, count: int) -> Tensor:
        return torch.from_numpy(self._take(np.float32, count).copy())

    def _take(self, dtype: type[np.generic], count: int) -> npt.NDArray[Any]:
        end = self._at + count * np.dtype(dtype).itemsize
        if end > len(self._data):
            raise WeightsError("The enlarger's weights end early.")
        values = np.frombuffer(self._data, dtype, count, self._at)
        self._at = end
        return values
