import pytest
import torch
from torch import nn

from pochoir.encoders import VGG, Normalization, tiny_encoder
from pochoir.encoders.vgg import CAFFE, TORCHVISION
from pochoir.errors import ShapeError, UnknownNameError
from pochoir.recipe import layer_names
from support.close import assert_close

NARROW = (4, 5, 6, 7, 8)
# Where torchvision's `features` holds each ReLU and each pooling; the convolution comes right before its ReLU.
RELUS = {
    "vgg16": [1, 3, 6, 8, 11, 13, 15, 18, 20, 22, 25, 27, 29],
    "vgg19": [1, 3, 6, 8, 11, 13, 15, 17, 20, 22, 24, 26, 29, 31, 33, 35],
}
POOLS = {"vgg16": [4, 9, 16, 23, 30], "vgg19": [4, 9, 18, 27, 36]}
BLOCKS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}


def positions(architecture: str) -> dict[str, int]:
    """Our layer names and torchvision's numbers."""
    numbers = iter(RELUS[architecture])
    found = {f"pool{block}": number for block, number in enumerate(POOLS[architecture], start=1)}
    for block, count in enumerate(BLOCKS[architecture], start=1):
        for index in range(1, count + 1):
            number = next(numbers)
            found |= {f"relu{block}_{index}": number, f"conv{block}_{index}": number - 1}
    return found


@pytest.mark.parametrize("padding", ["zeros", "replicate"])
@pytest.mark.parametrize("pooling", ["max", "avg"])
@pytest.mark.parametrize("architecture", ["vgg16", "vgg19"])
def test_each_layer_is_torchvisions_cut_at_the_same_place(
    architecture, pooling, padding, sequential_vgg, give_weights, picture
):
    network = sequential_vgg(architecture, pooling=pooling, padding=padding)
    encoder = VGG(architecture, normalization=CAFFE, pooling=pooling, padding=padding, channels=NARROW)
    features = give_weights(encoder, network)(picture, layer_names(architecture))
    expected = picture * 255.0 - torch.tensor([123.68, 116.779, 103.939]).view(1, 3, 1, 1)
    cuts = {number: name for name, number in positions(architecture).items()}
    assert sorted(cuts) == list(range(len(network)))
    for number, module in enumerate(network):
        expected = module(expected)
        assert torch.equal(features[cuts[number]], expected), cuts[number]


def test_names_in_the_order_the_picture_meets_them():
    assert layer_names("vgg19")[:6] == ("conv1_1", "relu1_1", "conv1_2", "relu1_2", "pool1", "conv2_1")
    for architecture in ("vgg16", "vgg19"):
        places = positions(architecture)
        assert sorted(places, key=places.__getitem__) == list(layer_names(architecture))


def test_asked_for_alone_a_layer_is_the_same(picture):
    encoder = tiny_encoder()
    together = encoder(picture, encoder.layers)
    for name in ("conv1_1", "relu1_1", "conv2_2", "pool3", "relu4_2", "relu5_1"):
        assert torch.equal(encoder(picture, [name])[name], together[name]), name


def test_relu_does_not_overwrite_a_tapped_convolution(picture):
    features = tiny_encoder()(picture, ("conv3_1", "relu3_1"))
    assert float(features["conv3_1"].min()) < 0.0
    assert torch.equal(features["conv3_1"].clamp_min(0.0), features["relu3_1"])


def test_tapped_relu_is_not_changed_by_deeper_layers(picture):
    encoder = tiny_encoder()
    alone = encoder(picture, ("relu2_1",))["relu2_1"].clone()
    assert torch.equal(encoder(picture, ("relu5_1", "relu2_1"))["relu2_1"], alone)


def test_the_picture_is_left_alone(picture):
    before = picture.clone()
    tiny_encoder()(picture, ("relu1_1", "relu5_1"))
    assert torch.equal(picture, before)


@pytest.mark.parametrize(("layers", "convolutions"), [(("conv1_1",), 1), (("pool1",), 2), (("relu4_2", "relu1_1"), 10)])
def test_it_stops_at_the_deepest_layer(layers, convolutions, picture, monkeypatch):
    calls = []
    conv2d = torch.nn.functional.conv2d

    def counting(*args, **kwargs):
        calls.append(1)
        return conv2d(*args, **kwargs)

    monkeypatch.setattr(torch.nn.functional, "conv2d", counting)
    tiny_encoder()(picture, layers)
    assert len(calls) == convolutions


def test_no_layers_no_features(picture):
    assert tiny_encoder()(picture, ()) == {}


@pytest.mark.parametrize(
    ("normalization", "expected"),
    [
        (CAFFE, (255.0 - 123.68, -116.779, -103.939)),
        (TORCHVISION, ((1.0 - 0.485) / 0.229, -0.456 / 0.224, -0.406 / 0.225)),
        (Normalization(2.0, (1.0, 0.0, 0.0), (1.0, 1.0, 4.0)), (1.0, 0.0, 0.0)),
    ],
)
def test_normalisation_of_a_red_picture(normalization, expected):
    encoder = VGG("vgg19", normalization=normalization, channels=(3, 4, 4, 4, 4))
    first = encoder.convolutions["conv1_1"]
    nn.init.dirac_(first.weight)  # each output channel shows one input channel
    nn.init.zeros_(first.bias)
    red = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1).expand(1, 3, 4, 5)
    seen = encoder(red, ("conv1_1",))["conv1_1"]
    assert_close(seen, torch.tensor(expected).view(1, 3, 1, 1).expand(1, 3, 4, 5))


def test_gradients_reach_the_picture_and_nothing_else(picture):
    encoder = tiny_encoder()
    picture.requires_grad_()
    features = encoder(picture, ("relu1_1", "conv3_1", "relu3_1", "relu5_1"))
    sum(value.square().sum() for value in features.values()).backward()
    assert picture.grad is not None
    assert float(picture.grad.abs().min(dim=1).values.max()) > 0.0
    assert all(not parameter.requires_grad and parameter.grad is None for parameter in encoder.parameters())


@pytest.mark.parametrize("padding", ["zeros", "replicate"])
def test_gradient_by_finite_differences(padding):
    encoder = tiny_encoder(pooling="avg", padding=padding).double()
    picture = torch.rand(1, 3, 4, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    layers = ("conv1_2", "relu2_2")
    assert torch.autograd.gradcheck(lambda x: tuple(encoder(x, layers).values()), picture.requires_grad_())


def test_a_batch_is_its_pictures_one_by_one(picture):
    encoder = tiny_encoder()
    flipped = picture.flip(-1)
    both = encoder(torch.cat([picture, flipped]), ("relu4_1",))["relu4_1"]
    assert_close(both[:1], encoder(picture, ("relu4_1",))["relu4_1"])
    assert_close(both[1:], encoder(flipped, ("relu4_1",))["relu4_1"])


@pytest.mark.parametrize("name", ["conv1_1", "relu2_1", "pool2", "conv3_4", "relu4_2", "pool4", "relu5_4", "pool5"])
def test_stride_is_what_the_features_show(name):
    stride = VGG.stride(name)
    features = tiny_encoder()(torch.zeros(1, 3, 2 * stride, 3 * stride), (name,))[name]
    assert features.shape[-2:] == (2, 3)


@pytest.mark.parametrize(("layer", "smallest"), [("relu1_1", 1), ("pool1", 2), ("relu4_2", 8), ("relu5_1", 16)])
def test_smallest_picture(layer, smallest):
    encoder = tiny_encoder()
    assert encoder(torch.zeros(1, 3, smallest, smallest), (layer,))[layer].shape[-2:] == (1, 1)
    if smallest > 1:
        with pytest.raises(ShapeError, match=rf"40x{smallest - 1} pixels are too few .* must be at least {smallest}\."):
            encoder(torch.zeros(1, 3, smallest - 1, 40), ("relu1_1", layer))


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 1, 8, 8), (1, 4, 8, 8), (8, 8)])
def test_wrong_shape_is_refused(shape):
    with pytest.raises(ShapeError, match=r"takes pictures of shape \(B, 3, H, W\); got \("):
        tiny_encoder()(torch.zeros(shape), ("relu1_1",))


def test_unknown_layer_is_refused_with_the_nearest(picture):
    with pytest.raises(UnknownNameError, match=r"Unknown layer of vgg19 'relu4_9'\. Did you mean 'relu4_\d'\?"):
        tiny_encoder()(picture, ("relu1_1", "relu4_9"))
    with pytest.raises(UnknownNameError, match="Unknown layer of vgg16 'relu5_4'"):
        VGG("vgg16", channels=NARROW)(picture, ("relu5_4",))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"architecture": "vgg18"}, r"Unknown encoder 'vgg18'\. Did you mean 'vgg1[69]'\?"),
        ({"pooling": "mac"}, r"Unknown pooling 'mac'\. Did you mean 'max'\? Allowed: max, avg\."),
        ({"padding": "zero"}, r"Unknown padding 'zero'\. Did you mean 'zeros'\? Allowed: zeros, replicate\."),
    ],
)
def test_unknown_choices_are_refused(arguments, message):
    with pytest.raises(UnknownNameError, match=message):
        VGG(**arguments, channels=NARROW)


def test_tiny_encoder_is_drawn_from_its_seed(picture):
    first, again, other = (tiny_encoder(seed=seed)(picture, ("relu5_1",))["relu5_1"] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert tiny_encoder().layers == layer_names("vgg19")


def test_half_precision_is_near():
    encoder, photo = tiny_encoder(), torch.rand(1, 3, 40, 48, generator=torch.Generator().manual_seed(3))
    half = VGG("vgg19", channels=(4, 4, 8, 8, 8))
    half.load_state_dict(encoder.state_dict())
    half.use_bfloat16()
    layers, gradients = ("conv1_1", "relu2_1", "relu4_1"), []
    for network in (encoder, half):
        leaf = photo.clone().requires_grad_()
        maps = network(leaf, layers)
        assert [map_.dtype for map_ in maps.values()] == [torch.float32] * 3
        gradients.append(torch.autograd.grad(sum(map_.square().mean() for map_ in maps.values()), leaf)[0])
        for map_, expected in zip(maps.values(), encoder(photo, layers).values(), strict=True):
            assert (
                float((map_.detach() - expected).norm() / expected.norm()) < 0.02
            )  # eight bits of mantissa at each of nine layers
    # Where rounding moves a position's input to the other side of 0 the gradient has a step.
    assert float((gradients[1] - gradients[0]).norm() / gradients[0].norm()) < 0.2
    assert not torch.equal(*gradients)
    assert (half.engine, encoder.engine) == ("bfloat16", "torch")
