from collections.abc import Callable, Iterator
from pathlib import Path

import onnx
import pytest
import torch
from onnx import helper, numpy_helper
from torch import nn

from pochoir import kernels
from pochoir.segmentation.u2net.blocks import StageWidth
from pochoir.segmentation.u2net.network import U2NET_TINY, U2Net, U2NetConfig, fold_batch_norm

WriteOnnx = Callable[..., Path]


def random_network(config: U2NetConfig = U2NET_TINY, seed: int = 0) -> U2Net:
    """A small U2-Net in evaluation mode whose batch-norms hold random statistics."""
    generator = torch.Generator().manual_seed(seed)
    network = U2Net(config).eval()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                module.weight.normal_(0.0, 0.3, generator=generator)
                module.bias.normal_(0.0, 0.3, generator=generator)
            if isinstance(module, nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.5, generator=generator)
                module.bias.normal_(0.0, 0.3, generator=generator)
                module.running_mean.normal_(0.0, 0.3, generator=generator)
                module.running_var.uniform_(0.5, 2.0, generator=generator)
    return network


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Networks this small are all overhead: more threads make them slower, on a busy machine many times slower."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def tiny() -> U2Net:
    return random_network()


@pytest.fixture
def wide() -> U2Net:
    """A folded one with as few channels as the kernels take, and inside its stages half as many."""
    width = StageWidth(kernels.COLUMNS // 2, kernels.COLUMNS)
    network = random_network(U2NetConfig(encoder=(width,) * 6, decoder=(width,) * 5))
    network.requires_grad_(False)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):  # so that values neither grow nor fade from layer to layer
            module.weight.mul_((module.weight[0].numel() ** -0.5) / 0.3)
    return fold_batch_norm(network)


@pytest.fixture
def write_onnx(tmp_path: Path) -> WriteOnnx:
    """Write a folded network as the exporter does: Conv nodes in order of execution, tensors named by numbers."""

    def write(network: U2Net, name: str = "net.onnx", *, dilation: int | None = None, drop: int = 0) -> Path:
        nodes, tensors = [], []
        convolutions = [m for m in fold_batch_norm(network).modules() if isinstance(m, nn.Conv2d)]
        for number, module in enumerate(convolutions[: len(convolutions) - drop]):
            names = [str(2 * number), str(2 * number + 1)]
            tensors += [
                numpy_helper.from_array(tensor.numpy(), key)
                for tensor, key in zip((module.weight, module.bias), names, strict=True)
            ]
            dilations = list(module.dilation) if dilation is None else [dilation, dilation]
            nodes.append(helper.make_node("Conv", ["x", *names], [f"y{number}"], f"Conv_{number}", dilations=dilations))
        graph = helper.make_graph(nodes, "net", [], [], tensors[::-1])
        path = tmp_path / name
        onnx.save(helper.make_model(graph), path)
        return path

    return write
