import pickle
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pochoir import kernels, weights
from pochoir.encoders import expected_engine, load_encoder
from pochoir.encoders.array_pickle import read_array_pickle
from pochoir.errors import UnknownNameError, WeightsError, WeightsMissingError

FULL = (64, 128, 256, 512, 512)
LAYERS = ("relu1_1", "relu3_1", "relu5_1")
CONVOLUTIONS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}


@pytest.fixture
def weight_file(tmp_path, monkeypatch) -> Path:
    """A file that takes the place of the one in the cache. Its size is not the table's, so `where` is replaced."""
    path = tmp_path / "weights.bin"
    monkeypatch.setattr(weights, "where", lambda name: path)
    return path


def pickle_arrays(values) -> bytes:
    """Pickle arrays by the names that NumPy 1 wrote."""
    return pickle.dumps(values, protocol=3).replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")


@pytest.fixture
def coded() -> dict[str, torch.Tensor]:
    """A coded file of VGG19's structure with as few stored values as its shapes allow: one per layer, repeated."""
    state = {}
    fan_in = 3
    for block, (count, width) in enumerate(zip(CONVOLUTIONS["vgg19"], FULL, strict=True), start=1):
        for index in range(1, count + 1):
            name = f"block{block}_conv{index}"
            code = torch.zeros(1, dtype=torch.uint8).expand(width, fan_in, 3, 3)
            state[f"{name}_W_q"] = code
            state[f"{name}_W_table"] = torch.linspace(-0.01, 0.01, 256)
            state[f"{name}_b"] = torch.zeros(width)
            fan_in = width
    return state


def test_vgg16_is_read_from_a_pickle_of_channels_last_arrays(sequential_vgg, weight_file, monkeypatch):
    monkeypatch.setenv("POCHOIR_ENGINE", "torch")
    network = sequential_vgg("vgg16", channels=FULL)
    convolutions = [module for module in network if isinstance(module, torch.nn.Conv2d)]
    stored = {
        f"Conv_{number}": {"kernel": module.weight.permute(2, 3, 1, 0).numpy(), "bias": module.bias.numpy()}
        for number, module in enumerate(convolutions)
    }
    weight_file.write_bytes(pickle_arrays({"VGG16_0": stored, "NetLinLayer_0": {}}))
    picture = torch.rand(1, 3, 17, 20, generator=torch.Generator().manual_seed(1))
    features = load_encoder("vgg16")(picture, LAYERS)
    mean, std = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    x = (picture - mean) / std
    # 1, 11 and 25 are relu1_1, relu3_1 and relu5_1 of torchvision's vgg16.features.
    for layer, end in zip(LAYERS, (1, 11, 25), strict=True):
        assert torch.equal(features[layer], network[: end + 1](x)), layer


def test_a_pickle_that_names_anything_but_arrays_is_refused_before_it_runs(tmp_path):
    class Evil:
        def __reduce__(self):
            return Path.touch, (tmp_path / "ran",)

    path = tmp_path / "evil.ckpt"
    path.write_bytes(pickle.dumps({"kernel": Evil()}))
    with pytest.raises(pickle.UnpicklingError, match=r"the name pathlib\.Path.* is not allowed"):
        read_array_pickle(path)
    assert not (tmp_path / "ran").exists()


def test_a_pickle_of_something_else_is_told(tmp_path):
    path = tmp_path / "list.ckpt"
    path.write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(TypeError, match="holds a list instead of a dictionary"):
        read_array_pickle(path)


def test_pooling_and_padding_reach_the_network(coded, weight_file):
    torch.save(coded, weight_file)
    encoder = load_encoder("vgg19", pooling="avg", padding="replicate")
    assert (encoder.pooling, encoder.padding) == ("avg", "replicate")
    assert not encoder.training
    assert all(not parameter.requires_grad and not parameter.is_meta for parameter in encoder.parameters())
    assert not encoder.mean.is_meta


def test_first_layer_reads_rgb_from_a_file_that_reads_bgr(coded, weight_file):
    codes = torch.zeros(64, 3, 3, 3, dtype=torch.uint8)
    codes[:, 2] = 1  # BGR: the last channel is red
    coded |= {"block1_conv1_W_q": codes, "block1_conv1_W_table": torch.arange(256.0)}
    torch.save(coded, weight_file)
    first = load_encoder("vgg19").convolutions["conv1_1"].weight
    assert first[:, 0].eq(1.0).all()
    assert first[:, 1:].eq(0.0).all()


def test_unknown_encoder():
    with pytest.raises(UnknownNameError, match=r"Unknown encoder 'vgg-19'\. Did you mean 'vgg19'\?"):
        load_encoder("vgg-19")


def test_missing_weights_say_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setenv("POCHOIR_HOME", str(tmp_path))
    with pytest.raises(WeightsMissingError, match="pochoir models pull vgg19"):
        load_encoder("vgg19")


def cut_short(path: Path, coded: dict[str, torch.Tensor]) -> None:
    torch.save(coded, path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


DAMAGE = {
    "noise": lambda path, _: path.write_bytes(np.random.default_rng(0).bytes(5000)),
    "text": lambda path, _: path.write_text("<html>not found</html>\n" * 50),
    "empty": lambda path, _: path.write_bytes(b""),
    "zeros": lambda path, _: path.write_bytes(bytes(5000)),
    "gone": lambda path, _: path.unlink(missing_ok=True),
    "cut short": cut_short,
    "no table of tensors": lambda path, _: torch.save([1, 2, 3], path),
    "numbers": lambda path, coded: torch.save(dict.fromkeys(coded, 1), path),
    "a layer less": lambda path, coded: torch.save({k: v for k, v in coded.items() if k != "block5_conv4_b"}, path),
    "another shape": lambda path, coded: torch.save(coded | {"block3_conv1_b": torch.zeros(7)}, path),
    "short code table": lambda path, coded: torch.save(coded | {"block2_conv1_W_table": torch.zeros(0)}, path),
}


@pytest.mark.parametrize("name", ["vgg19", "vgg16"])
@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_file_says_how_to_fetch_it_again(kind, name, coded, weight_file):
    DAMAGE[kind](weight_file, coded)
    with pytest.raises(WeightsError, match=rf"weights\.bin is damaged .* fetch it again .*pochoir models pull {name}$"):
        load_encoder(name)


@pytest.fixture(scope="module")
def stored() -> dict[str, torch.Tensor]:
    return torch.load(weights.where("vgg19"), map_location="cpu", weights_only=True)


@pytest.mark.weights
def test_first_layer_of_the_real_file_by_hand(stored):
    red = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1).expand(1, 3, 5, 5)
    seen = load_encoder("vgg19")(red, ("conv1_1",))["conv1_1"][0, :, 2, 2]
    codes, table = stored["block1_conv1_W_q"].numpy(), stored["block1_conv1_W_table"].numpy()
    blue_green_red = (0.0 - 103.939, 0.0 - 116.779, 255.0 - 123.68)
    for output in range(64):
        expected = float(stored["block1_conv1_b"][output])
        for channel, level in enumerate(blue_green_red):
            for code in codes[output, channel].ravel():
                expected += float(table[code]) * level
        assert float(seen[output]) == pytest.approx(expected, rel=1e-4, abs=1e-3), output


@pytest.mark.weights
def test_real_weights_give_the_features_of_an_independent_forward(stored):
    picture = torch.rand(1, 3, 32, 40, generator=torch.Generator().manual_seed(3))
    features = load_encoder("vgg19")(picture, LAYERS)
    x = picture.flip(1).double() * 255.0 - torch.tensor([103.939, 116.779, 123.68], dtype=torch.float64).view(3, 1, 1)
    expected = {}
    for block, count in enumerate(CONVOLUTIONS["vgg19"], start=1):
        for index in range(1, count + 1):
            name = f"block{block}_conv{index}"
            weight = stored[f"{name}_W_table"].double()[stored[f"{name}_W_q"].long()]
            x = F.conv2d(x, weight, stored[f"{name}_b"].double(), padding=1).clamp_min(0.0)
            expected[f"relu{block}_{index}"] = x
        x = x[..., : x.shape[-2] // 2 * 2, : x.shape[-1] // 2 * 2].unfold(2, 2, 2).unfold(3, 2, 2).amax(dim=(-2, -1))
    for layer in LAYERS:
        reference = expected[layer].float()
        # Values are sums of up to 4608 products, so the error goes with the largest of them.
        torch.testing.assert_close(features[layer], reference, rtol=1e-4, atol=1e-5 * float(reference.max()))


@pytest.mark.parametrize(
    ("device", "engine", "can", "expected"),
    [
        ("cuda", "auto", True, "bfloat16"),
        ("cuda:1", "auto", False, "torch"),
        ("cuda", "torch", True, "torch"),
        ("mps", "auto", True, "torch"),
        ("cpu", "auto", True, "kernels"),
        ("cpu", "torch", True, "torch"),
    ],
)
def test_what_a_device_will_compute_with(device, engine, can, expected, monkeypatch):
    monkeypatch.setenv("POCHOIR_ENGINE", engine)
    monkeypatch.setattr("torch.cuda.device", lambda device: nullcontext())
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda including_emulation: can)
    if expected == "kernels" and not kernels.SUPPORTED:
        expected = "torch"
    assert expected_engine(device) == expected
