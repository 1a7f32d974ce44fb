from pathlib import Path

import pytest
import torch
from torch import nn

from pochoir.errors import ShapeError
from pochoir.segmentation.u2net.network import U2NET, U2NET_TINY, U2NETP, U2Net, assemble, fold_batch_norm

LISTING = Path(__file__).parent / "u2net_convolutions.txt"
BATCH_NORM = ("weight", "bias", "running_mean", "running_var")


def official_state(full: bool) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the authors' state_dict, spelled out from the stored listing."""
    state: dict[str, tuple[int, ...]] = {}
    for line in LISTING.read_text().splitlines():
        if line.startswith("#"):
            continue
        block, *numbers = line.split()
        out, into = map(int, numbers[:2] if full else numbers[2:])
        kernel = 1 if block == "outconv" else 3
        conv = f"{block}.conv_s1" if "." in block else block
        state |= {f"{conv}.weight": (out, into, kernel, kernel), f"{conv}.bias": (out,)}
        if "." in block:
            state |= {f"{block}.bn_s1.{name}": (out,) for name in BATCH_NORM}
            state[f"{block}.bn_s1.num_batches_tracked"] = ()
    return state


@pytest.mark.parametrize(("config", "full"), [(U2NET, True), (U2NETP, False)])
def test_state_dict_is_the_official_one(config, full):
    with torch.device("meta"):
        network = U2Net(config)
    ours = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    expected = official_state(full)
    assert list(ours.items()) == list(expected.items())
    assert len(ours) == 798


@pytest.mark.parametrize(("config", "millions"), [(U2NET, 44.01), (U2NETP, 1.13)])
def test_parameter_counts_are_the_published_ones(config, millions):
    with torch.device("meta"):
        network = U2Net(config)
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(millions, abs=0.01)


def test_folded_network_equals_the_one_with_batch_norm(tiny):
    x = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    folded = fold_batch_norm(tiny.double())  # in float64, so that only a wrong formula makes a difference
    with torch.inference_mode():
        expected, given = tiny(x), folded(x)
    assert expected.fused.std() > 0.01  # or the comparison below would say nothing
    for one, other in zip((expected.fused, *expected.sides), (given.fused, *given.sides), strict=True):
        torch.testing.assert_close(other, one, rtol=0, atol=1e-9)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    assert fold_batch_norm(folded) is folded


def test_folding_leaves_the_original_and_shares_nothing_with_it(tiny):
    before = {name: tensor.clone() for name, tensor in tiny.state_dict().items()}
    folded = fold_batch_norm(tiny)
    with torch.no_grad():
        for parameter in folded.parameters():
            parameter.zero_()
    for name, tensor in tiny.state_dict().items():
        assert torch.equal(tensor, before[name]), name


@pytest.mark.parametrize("size", [(1, 1), (33, 47), (64, 64), (7, 200)])
def test_maps_have_the_size_of_the_input_whatever_it_is(tiny, size):
    with torch.inference_mode():
        maps = tiny(torch.zeros(1, 3, *size))
    assert len(maps.sides) == 6
    for item in (maps.fused, *maps.sides):
        assert item.shape == (1, 1, *size)
        assert 0.0 <= float(item.min()) <= float(item.max()) <= 1.0


def test_every_tensor_takes_part_in_the_fused_map():
    network = U2Net(U2NET_TINY).eval()
    network(torch.rand(1, 3, 96, 96)).fused.sum().backward()
    assert [name for name, parameter in network.named_parameters() if parameter.grad is None] == []


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 1, 8, 8), (1, 4, 8, 8)])
def test_other_shapes_are_refused(tiny, shape):
    with pytest.raises(ShapeError, match=r"\(B, 3, H, W\); got"):
        tiny(torch.zeros(shape))


def test_assembling_names_what_does_not_fit(tiny):
    state = dict(tiny.state_dict())
    del state["side3.bias"]
    with pytest.raises(RuntimeError, match=r"side3\.bias"):
        assemble(U2NET_TINY, state, folded=False)
