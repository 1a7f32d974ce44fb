"""Networks in TensorFlow Lite files, run by torch.

A file is a FlatBuffer: tables whose fields are found through offsets. The few kinds of operations that MediaPipe's pose
network uses are translated; no further runtime is needed.
"""

import struct
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from pochoir.errors import WeightsError

_ADD, _CONV, _DEPTHWISE, _DEQUANTIZE, _LOGISTIC = 0, 3, 4, 6, 14
_MAX_POOL, _RESHAPE, _RESIZE, _PAD = 17, 22, 23, 34
_TYPES: Final = {0: "<f4", 1: "<f2", 2: "<i4"}
_RELU, _RELU6 = 1, 3
_DAMAGE = (struct.error, LookupError, ValueError, TypeError, RuntimeError, UnicodeError)


class _Table:
    """A table of a FlatBuffer; fields are counted from 0 in the order of the schema."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at
        self._index = at - struct.unpack_from("<i", data, at)[0]
        self._fields = (struct.unpack_from("<H", data, self._index)[0] - 4) // 2

    def number(self, field: int, kind: str, default: int = 0) -> int:
        """Return a scalar field."""
        offset = self._offset(field)
        return int(struct.unpack_from(f"<{kind}", self._data, self._at + offset)[0]) if offset else default

    def table(self, field: int) -> "_Table":
        """Return a field that is a table."""
        return _Table(self._data, self._target(field))

    def tables(self, field: int) -> list["_Table"]:
        """Return a field that is a list of tables."""
        start = self._target(field)
        (count,) = struct.unpack_from("<I", self._data, start)
        places = (start + 4 + 4 * k for k in range(count))
        return [_Table(self._data, at + struct.unpack_from("<I", self._data, at)[0]) for at in places]

    def vector(self, field: int, kind: str) -> "npt.NDArray[Any]":
        """Return a field that is a list of scalars; empty where it is absent."""
        if not self._offset(field):
            return np.zeros(0, kind)
        start = self._target(field)
        (count,) = struct.unpack_from("<I", self._data, start)
        return np.frombuffer(self._data, np.dtype(kind), count, start + 4)

    def _offset(self, field: int) -> int:
        if field >= self._fields:
            return 0
        return int(struct.unpack_from("<H", self._data, self._index + 4 + 2 * field)[0])

    def _target(self, field: int) -> int:
        at = self._at + self._offset(field)
        return at + int(struct.unpack_from("<I", self._data, at)[0])


class _Operation(NamedTuple):
    kind: int
    inputs: list[int]
    output: int
    options: _Table | None


class Network:
    """A network of a ``.tflite`` file.

    Args:
        path: The file.

    Raises:
        WeightsError: The file is damaged, or uses an operation that is not translated.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._read(path.read_bytes())
        except _DAMAGE as error:
            raise WeightsError(f"{path} is not a network that pochoir can read ({error}).") from error

    def _read(self, data: bytes) -> None:
        if data[4:8] != b"TFL3":
            raise ValueError("it is not a TensorFlow Lite file")
        model = _Table(data, struct.unpack_from("<I", data, 0)[0])
        kinds = [max(code.number(0, "b"), code.number(3, "i")) for code in model.tables(1)]
        graph, buffers = model.tables(2)[0], model.tables(4)
        self._input = int(graph.vector(1, "<i4")[0])
        self._outputs = [int(index) for index in graph.vector(2, "<i4")]
        self._constants: dict[int, Tensor] = {}
        for index, tensor in enumerate(graph.tables(0)):
            raw = buffers[tensor.number(2, "I")].vector(0, "u1")
            if len(raw):
                values = np.frombuffer(raw.tobytes(), _TYPES[tensor.number(1, "b")]).copy()
                self._constants[index] = torch.from_numpy(values.reshape(tuple(tensor.vector(0, "<i4"))))
        self._operations = []
        for entry in graph.tables(3):
            kind = kinds[entry.number(0, "I")]
            inputs, output = [int(i) for i in entry.vector(1, "<i4")], int(entry.vector(2, "<i4")[0])
            if kind == _DEQUANTIZE:  # weights are kept in half precision
                self._constants[output] = self._constants[inputs[0]].float()
                continue
            if kind not in _RUNNERS:
                raise ValueError(f"it uses operation {kind}")
            has_options = bool(entry.number(3, "B"))
            self._operations.append(_Operation(kind, inputs, output, entry.table(4) if has_options else None))

    @torch.inference_mode()
    def run(self, picture: Tensor) -> list[Tensor]:
        """Return the outputs for a picture, shape (1, H, W, C); outputs of maps have their channels second."""
        values = dict(self._constants)
        values[self._input] = picture.permute(0, 3, 1, 2)
        for operation in self._operations:
            inputs = [values[index] for index in operation.inputs]
            values[operation.output] = _RUNNERS[operation.kind](inputs, operation.options)
        return [values[index] for index in self._outputs]


def _activate(x: Tensor, kind: int) -> Tensor:
    if kind == _RELU:
        return F.relu(x)
    return x.clamp(0, 6) if kind == _RELU6 else x


def _pad_same(x: Tensor, size: tuple[int, int], stride: tuple[int, int], value: float = 0.0) -> Tensor:
    """Pad as TensorFlow does: the odd pixel goes below and to the right."""
    pads = []
    for length, window, step in zip(x.shape[:1:-1], size[::-1], stride[::-1], strict=True):
        total = max((-(-length // step) - 1) * step + window - length, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads, value=value)


def _convolve(values: list[Tensor], options: Any, *, depthwise: bool) -> Tensor:
    x, weight, bias = values
    weight = weight.permute(3, 0, 1, 2) if depthwise else weight.permute(0, 3, 1, 2)
    stride = (options.number(2, "i"), options.number(1, "i"))
    if options.number(0, "b") == 0:
        x = _pad_same(x, (weight.shape[2], weight.shape[3]), stride)
    made = F.conv2d(x, weight, bias, stride=stride, groups=x.shape[1] if depthwise else 1)
    return _activate(made, options.number(4 if depthwise else 3, "b"))


def _pool(values: list[Tensor], options: Any) -> Tensor:
    stride, size = (options.number(2, "i"), options.number(1, "i")), (options.number(4, "i"), options.number(3, "i"))
    x = values[0] if options.number(0, "b") else _pad_same(values[0], size, stride, -torch.inf)
    return F.max_pool2d(x, size, stride)


def _pad(values: list[Tensor], options: Any) -> Tensor:
    rows = values[1].tolist()  # batch, height, width, channels
    return F.pad(values[0], (*rows[2], *rows[1], *rows[3]))


def _resize(values: list[Tensor], options: Any) -> Tensor:
    height, width = values[1].tolist()
    return F.interpolate(values[0], (height, width), mode="bilinear", align_corners=bool(options.number(2, "b")))


_RUNNERS: Final[dict[int, Any]] = {
    _ADD: lambda values, options: _activate(values[0] + values[1], options.number(0, "b") if options else 0),
    _CONV: lambda values, options: _convolve(values, options, depthwise=False),
    _DEPTHWISE: lambda values, options: _convolve(values, options, depthwise=True),
    _LOGISTIC: lambda values, options: torch.sigmoid(values[0]),
    _MAX_POOL: _pool,
    _RESHAPE: lambda values, options: values[0].permute(0, 2, 3, 1).flatten(1),
    _RESIZE: _resize,
    _PAD: _pad,
}
