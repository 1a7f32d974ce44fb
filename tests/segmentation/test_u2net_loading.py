import pytest
import torch

from pochoir.errors import WeightsError
from pochoir.segmentation.u2net import U2NET_TINY, U2NETP, load_u2net, loading

PROBE = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(2))


def assert_same_maps(one, other):
    with torch.inference_mode():
        torch.testing.assert_close(one(PROBE).fused, other(PROBE).fused, rtol=0, atol=1e-5)


def test_onnx_initialisers_land_in_their_convolutions(tiny, write_onnx):
    network = load_u2net(write_onnx(tiny), U2NET_TINY)
    assert_same_maps(network, tiny)
    assert network.is_folded
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_official_pth_loads_and_is_folded(tiny, tmp_path):
    path = tmp_path / "tiny.pth"
    torch.save(tiny.state_dict(), path)
    network = load_u2net(path, U2NET_TINY)
    assert_same_maps(network, tiny)
    assert network.is_folded


def test_loaded_onnx_tensors_may_be_written_to(tiny, write_onnx):
    network = load_u2net(write_onnx(tiny), U2NET_TINY)
    with torch.no_grad():
        network.outconv.bias.add_(1.0)


def test_another_network_size_is_refused(tiny, write_onnx):
    with pytest.raises(WeightsError, match=r"another network: its Conv_0 does not fit stage1\.rebnconvin\.conv_s1"):
        load_u2net(write_onnx(tiny), U2NETP)


def test_equal_shapes_with_another_dilation_are_refused(tiny, write_onnx):
    with pytest.raises(WeightsError, match=r"does not fit stage1\.rebnconv7\.conv_s1"):
        load_u2net(write_onnx(tiny, dilation=1), U2NET_TINY)


def test_missing_convolutions_are_counted(tiny, write_onnx):
    with pytest.raises(WeightsError, match="has 117 convolutions; this U2-Net has 119"):
        load_u2net(write_onnx(tiny, drop=2), U2NET_TINY)


def test_truncated_onnx_is_refused(tiny, write_onnx):
    path = write_onnx(tiny)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(WeightsError, match="not an ONNX file, or is damaged"):
        load_u2net(path, U2NET_TINY)


@pytest.mark.parametrize("suffix", [".onnx", ".pth"])
def test_missing_and_nonsense_files_are_refused(tmp_path, suffix):
    path = tmp_path / f"net{suffix}"
    with pytest.raises(WeightsError, match=r"Cannot read U2-Net weights from .*No such file"):
        load_u2net(path, U2NET_TINY)
    path.write_bytes(b"not weights at all")
    with pytest.raises(WeightsError, match=rf"net\{suffix}"):
        load_u2net(path, U2NET_TINY)


def test_pth_without_a_state_dict_is_refused(tmp_path):
    path = tmp_path / "list.pth"
    torch.save([1, 2], path)
    with pytest.raises(WeightsError, match=r"should hold a state_dict.*holds list"):
        load_u2net(path, U2NET_TINY)


def test_pth_of_another_network_is_refused(tmp_path):
    path = tmp_path / "other.pth"
    torch.save({"fc.weight": torch.zeros(2)}, path)
    with pytest.raises(WeightsError, match="Cannot read U2-Net weights from"):
        load_u2net(path, U2NET_TINY)


def test_other_suffixes_are_refused(tmp_path):
    with pytest.raises(WeightsError, match=r"come as \.onnx or \.pth; got .*net\.safetensors"):
        load_u2net(tmp_path / "net.safetensors", U2NET_TINY)


class TestMapped:
    """What is kept beside the file for the next run."""

    def test_the_second_reading_gives_the_same_network(self, tiny, write_onnx, monkeypatch):
        path = write_onnx(tiny)
        first = load_u2net(path, U2NET_TINY)
        monkeypatch.setattr(loading, "_read", None)  # it would have to be called otherwise
        second = load_u2net(path, U2NET_TINY)
        with torch.inference_mode():
            assert torch.equal(first(PROBE).fused, second(PROBE).fused)
        second.outconv.bias.data.add_(1.0)  # in memory alone
        assert_same_maps(load_u2net(path, U2NET_TINY), first)

    def test_a_changed_file_is_read_anew(self, tiny, write_onnx):
        path = write_onnx(tiny)
        load_u2net(path, U2NET_TINY)
        path.write_bytes(path.read_bytes()[:5000])
        with pytest.raises(WeightsError, match="not an ONNX file, or is damaged"):
            load_u2net(path, U2NET_TINY)

    def test_a_damaged_one_is_replaced(self, tiny, write_onnx):
        path = write_onnx(tiny)
        load_u2net(path, U2NET_TINY)
        kept = path.with_name(f"{path.name}.mapped")
        whole = kept.read_bytes()
        kept.write_bytes(whole[: len(whole) // 2])
        assert_same_maps(load_u2net(path, U2NET_TINY), tiny)
        assert len(kept.read_bytes()) == len(whole)

    def test_another_network_is_not_taken_for_it(self, tiny, write_onnx):
        path = write_onnx(tiny)
        load_u2net(path, U2NET_TINY)
        with pytest.raises(WeightsError, match="another network"):
            load_u2net(path, U2NETP)
