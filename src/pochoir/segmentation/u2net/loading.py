"""Readers of U2-Net weight files."""

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from pochoir.errors import WeightsError
from pochoir.segmentation.u2net.network import U2Net, U2NetConfig, assemble, fold_batch_norm
from pochoir.weights.mapped import load_mapped


def load_u2net(path: Path, config: U2NetConfig) -> U2Net:
    """Read a trained U2-Net.

    Args:
        path: The ONNX export (``.onnx``, batch-norm folded into the convolutions) or the authors' own file
            (``.pth``, a state_dict with batch-norm).
        config: The sizes of the network that the file holds.

    Returns:
        A folded network in evaluation mode on the CPU.

    Raises:
        WeightsError: The file cannot be read, or holds another network.

    Note:
        The tensors are kept beside the file in a form that later runs map into memory, which saves a tenth of the time
        of cutting out one photo. That copy is renewed if the file changes; a folder that cannot be written gets none.
    """

    def read() -> dict[str, Tensor]:
        # In the memory layout that U2NetSegmenter uses, so that mapped tensors are not copied.
        return {name: _channels_last(value) for name, value in _read(path, config).state_dict().items()}

    return load_mapped(path, read, lambda state: assemble(config, state, folded=True))


def _read(path: Path, config: U2NetConfig) -> U2Net:
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise WeightsError(f"U2-Net weights come as {' or '.join(_READERS)}; got {path}.")
    try:
        return reader(path, config)
    except (OSError, EOFError, KeyError, ValueError, RuntimeError, pickle.UnpicklingError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise WeightsError(f"Cannot read U2-Net weights from {path}: {reason}") from error


def _channels_last(value: Tensor) -> Tensor:
    return value.contiguous(memory_format=torch.channels_last) if value.ndim == 4 else value


def _read_onnx(path: Path, config: U2NetConfig) -> U2Net:
    # The exporter gave the folded tensors plain numbers for names. Its Conv nodes, though, stand in the order of
    # execution, which is the order in which our blocks are created; dilation and shapes are compared on the way.
    import onnx  # only needed for this kind of file
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from onnx import numpy_helper

    try:
        graph = onnx.load(path).graph
    except DecodeError as error:
        raise WeightsError(f"{path} is not an ONNX file, or is damaged: {error}.") from error
    arrays = {item.name: item for item in graph.initializer}
    nodes = [node for node in graph.node if node.op_type == "Conv"]
    with torch.device("meta"):
        shell = U2Net(config, folded=True)
    convolutions = {name: module for name, module in shell.named_modules() if isinstance(module, nn.Conv2d)}
    if len(nodes) != len(convolutions):
        raise WeightsError(f"{path} has {len(nodes)} convolutions; this U2-Net has {len(convolutions)}.")
    state: dict[str, Tensor] = {}
    for node, (name, module) in zip(nodes, convolutions.items(), strict=True):
        dilations = [list(item.ints) for item in node.attribute if item.name == "dilations"]
        weight, bias = (numpy_helper.to_array(arrays[key]) for key in node.input[1:])
        if weight.shape != module.weight.shape or dilations not in ([list(module.dilation)], []):
            raise WeightsError(f"{path} holds another network: its {node.name} does not fit {name}.")
        state[f"{name}.weight"], state[f"{name}.bias"] = _own(weight), _own(bias)
    return assemble(config, state, folded=True)


def _own(array: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> Tensor:
    # The array is a view of the file's bytes, which torch must not write to and which should be freed.
    return torch.from_numpy(np.array(array, dtype=np.float32))


def _read_pth(path: Path, config: U2NetConfig) -> U2Net:
    state = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(state, Mapping):
        raise WeightsError(f"{path} should hold a state_dict, names and tensors; it holds {type(state).__name__}.")
    return fold_batch_norm(assemble(config, dict(state), folded=False))


_READERS: dict[str, Callable[[Path, U2NetConfig], U2Net]] = {".onnx": _read_onnx, ".pth": _read_pth}
