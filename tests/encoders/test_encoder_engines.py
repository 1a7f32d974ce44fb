"""The compiled kernels against plain torch, which is the reference."""

import os
import subprocess
import sys
from statistics import median

import pytest
import torch
from torch import Tensor

from pochoir import kernels
from pochoir._threads import torch_threads
from pochoir.encoders import VGG
from pochoir.errors import UnknownNameError
from pochoir.transfer.functional import gram, relative_distance
from support.close import assert_close

pytestmark = pytest.mark.skipif(not kernels.SUPPORTED, reason="this CPU has no AVX2")

STYLE = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu4_2", "relu5_1")
# Gradients agree within about 1e-5 unless rounding moves a position's input to the other side of 0, or of its
# neighbour's value, where the gradient has a step. On pictures this small one such position is felt (a few 1e-3), so
# of several pictures the middle one counts.
OF_GRADIENTS = 1e-3


NARROW = (kernels.COLUMNS, kernels.COLUMNS, kernels.COLUMNS, 2 * kernels.COLUMNS, kernels.COLUMNS)
"""As few channels as the kernels take."""
WIDE = (kernels.COLUMNS, kernels.COLUMNS, 256, 512, kernels.COLUMNS)
"""With layers for which it depends on the size of a picture how the kernels go about it."""


def make_pair(
    *, architecture: str = "vgg19", pooling: str = "max", seed: int = 0, channels: tuple[int, ...] = NARROW
) -> tuple[VGG, VGG]:
    """An encoder on kernels and the same one on torch."""
    pair = []
    for engine in ("auto", "torch"):
        encoder = VGG(architecture, pooling=pooling, channels=channels, engine=engine)
        generator = torch.Generator().manual_seed(seed)
        for parameter in encoder.parameters():
            spread = (2.0 / parameter[0].numel()) ** 0.5 if parameter.ndim == 4 else 0.1
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * spread)
        pair.append(encoder.eval())
    return pair[0], pair[1]


def noise(height: int, width: int, seed: int = 1) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def distance(actual: Tensor, expected: Tensor) -> float:
    return float((actual - expected).norm() / expected.norm())


def style_loss(encoder: VGG, picture: Tensor, layers: tuple[str, ...], guided: bool) -> tuple[Tensor, Tensor]:
    """How far Gram matrices and features are from those of another picture, and the gradient."""
    seen = picture.clone().requires_grad_()
    with torch.no_grad():
        targets = encoder(picture.flip(-1).roll(1, -2) ** 2, layers)
    loss = torch.zeros(())
    for name, value in encoder(seen, layers).items():
        columns = torch.linspace(0.2, 1.0, value.shape[-1])
        guide = columns.expand(1, 1, *value.shape[-2:]) if guided else None
        loss = loss + relative_distance(gram(value, guide), gram(targets[name]))
        loss = loss + relative_distance(value, targets[name], guide) / 7.0
    loss.backward()
    assert seen.grad is not None
    return loss.detach(), seen.grad


@pytest.mark.parametrize(
    ("height", "width", "layers"),
    [
        (37, 34, STYLE),
        (48, 61, ("relu4_2",)),
        (33, 50, ("conv1_1", "pool1", "conv3_2", "relu3_2", "pool3", "relu4_1")),
        (17, 64, ("relu1_2", "relu2_2", "pool2", "relu3_4", "pool4")),
        (33, 35, ("relu5_1", "conv5_1")),
        (1, 9, ("relu1_2",)),
        (2, 3, ("pool1", "relu1_1")),
        (5, 4, ("conv2_1",)),
    ],
)
@pytest.mark.parametrize("pooling", ["max", "avg"])
def test_features_and_gradients_are_torchs(height, width, layers, pooling):
    ours, theirs = make_pair(pooling=pooling)
    assert (ours.engine, theirs.engine) == ("kernels", "torch")
    losses, gradients = [], []
    for seed in range(5):
        picture = noise(height, width, seed=seed)
        features, expected = ours(picture, layers), theirs(picture, layers)
        assert list(features) == list(layers)
        for name in layers:
            assert features[name].shape == expected[name].shape
            assert distance(features[name], expected[name]) < 1e-5, name
        for guided in (False, True):
            (loss, gradient), (loss_expected, gradient_expected) = (
                style_loss(encoder, picture, layers, guided) for encoder in (ours, theirs)
            )
            losses.append(abs(float(loss - loss_expected)) / float(loss_expected))
            gradients.append(distance(gradient, gradient_expected))
    assert median(losses) < 1e-5
    assert median(gradients) < OF_GRADIENTS
    assert max(gradients) < 0.1  # what a flipped position may do, and a wrong way back may not


def test_ways_for_large_pictures_are_torchs_too():
    ours, theirs = make_pair(channels=WIDE)
    picture = noise(48, 61)
    small, large = ours(picture, STYLE), ours(picture, STYLE, largest_px=1e6)
    for name, expected in theirs(picture, STYLE).items():
        assert distance(large[name], expected) < 1e-5, name
    assert not torch.equal(large["relu4_1"], small["relu4_1"])


def test_nothing_depends_on_what_was_shown_before():
    ours, _ = make_pair(channels=WIDE)

    def run(largest_px: float, between: float) -> tuple[Tensor, Tensor]:
        seen = noise(48, 61).requires_grad_()
        features = ours(seen, ("relu4_2",), largest_px=largest_px)["relu4_2"]
        ours(noise(33, 35), ("relu4_2",), largest_px=between)
        features.square().sum().backward()
        assert seen.grad is not None
        return features.detach(), seen.grad

    for largest_px in (0.0, 1e6):
        for one, other in zip(run(largest_px, 0.0), run(largest_px, 1e6), strict=True):
            assert torch.equal(one, other)


def test_all_layers_of_both_architectures():
    for architecture in ("vgg16", "vgg19"):
        ours, theirs = make_pair(architecture=architecture)
        picture = noise(35, 39)
        features, expected = ours(picture, ours.layers), theirs(picture, ours.layers)
        for name in ours.layers:
            assert distance(features[name], expected[name]) < 1e-5, name


@pytest.mark.parametrize("count", [2, 3, 8])
def test_threads_change_no_bit(count):
    ours, _ = make_pair()
    picture = noise(70, 45)

    def run() -> tuple[dict[str, Tensor], Tensor]:
        seen = picture.clone().requires_grad_()
        features = ours(seen, STYLE)
        sum(value.square().mean() for value in features.values()).backward()
        assert seen.grad is not None
        return features, seen.grad

    alone, gradient = run()
    with torch_threads(count):
        for _ in range(2):
            features, again = run()
            for name in STYLE:
                assert torch.equal(features[name], alone[name]), name
            # The seeds come from torch's own sums, which may round otherwise on several threads.
            assert_close(again, gradient)


LAYERS_OF_ALL_KINDS = ("conv1_1", "relu2_1", "pool2", "relu4_1", "conv4_2", "relu5_1")


@pytest.mark.parametrize("engine", ["auto", "torch"])
def test_pictures_shown_together_look_as_they_do_alone(engine):
    encoder = make_pair(channels=WIDE)[0 if engine == "auto" else 1]
    pictures = [noise(height, width, seed=seed) for seed, (height, width) in enumerate([(33, 47), (16, 16), (70, 45)])]

    def differentiate(leaves: list[Tensor], shown: list[dict[str, Tensor]]) -> tuple[Tensor, ...]:
        """The last picture's deep layers serve nothing."""
        used = [*shown[:-1], {"relu2_1": shown[-1]["relu2_1"]}]
        total = sum((map_ - 0.1).square().sum() for maps in used for map_ in maps.values())
        return torch.autograd.grad(total, leaves)

    together, apart = ([picture.clone().requires_grad_() for picture in pictures] for _ in range(2))
    shown = encoder.forward_many(together, LAYERS_OF_ALL_KINDS)
    alone = [encoder(picture, LAYERS_OF_ALL_KINDS) for picture in apart]
    for maps, expected in zip(shown, alone, strict=True):
        assert list(maps) == list(expected)
        assert all(torch.equal(maps[name], expected[name]) for name in maps)
    for one, other in zip(differentiate(together, shown), differentiate(apart, alone), strict=True):
        assert torch.equal(one, other)


def test_of_pictures_shown_together_one_may_need_no_gradient():
    ours, _ = make_pair()
    seen, other = noise(40, 33).requires_grad_(), noise(20, 50, seed=3)
    shown = ours.forward_many([seen, other], ("relu4_1",))
    (gradient,) = torch.autograd.grad(shown[0]["relu4_1"].square().sum(), seen)
    alone = noise(40, 33).requires_grad_()
    assert torch.equal(gradient, *torch.autograd.grad(ours(alone, ("relu4_1",))["relu4_1"].square().sum(), alone))
    assert ours.forward_many([], ("relu4_1",)) == []


def test_the_same_bytes_twice():
    ours, _ = make_pair()
    gradients = [style_loss(ours, noise(40, 40), STYLE, True)[1] for _ in range(2)]
    assert torch.equal(*gradients)


def test_a_layer_without_gradient_and_a_gradient_without_layers():
    ours, theirs = make_pair()
    gradients = []
    for encoder in (ours, theirs):
        seen = noise(32, 32).requires_grad_()
        features = encoder(seen, ("relu2_1", "relu5_1", "pool2", "conv3_1"))
        (features["relu2_1"].square().sum() + features["pool2"].sum()).backward()
        gradients.append(seen.grad)
    assert distance(*gradients) < OF_GRADIENTS


def test_a_second_backward_pass_is_refused():
    loss = make_pair()[0](noise(32, 32).requires_grad_(), STYLE)["relu5_1"].sum()
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="supports one backward pass; run it forward again"):
        loss.backward()


def test_a_changed_result_is_noticed():
    features = make_pair()[0](noise(32, 32).requires_grad_(), STYLE)
    with torch.no_grad():
        features["relu2_1"].add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        features["relu5_1"].sum().backward()


def test_results_stay_when_the_encoder_goes_on():
    ours, _ = make_pair()
    kept = ours(noise(32, 32), STYLE)
    copies = {name: value.clone() for name, value in kept.items()}
    for seed in range(2, 5):
        ours(noise(32, 32, seed), STYLE)
        ours(noise(48, 32, seed), STYLE)
    for name in STYLE:
        assert torch.equal(kept[name], copies[name]), name


def test_without_gradients():
    ours, theirs = make_pair()
    picture = noise(32, 40)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            features, expected = ours(picture, ("relu1_1", "relu4_2")), theirs(picture, ("relu1_1", "relu4_2"))
            assert not features["relu4_2"].requires_grad
            assert distance(features["relu4_2"], expected["relu4_2"]) < 1e-5


def test_new_weights_are_used():
    ours, theirs = make_pair()
    picture = noise(16, 16)
    before = ours(picture, ("relu2_1",))["relu2_1"]
    other = make_pair(seed=5)[1]
    ours.load_state_dict(other.state_dict())
    after = ours(picture, ("relu2_1",))["relu2_1"]
    assert distance(after, before) > 0.1
    assert distance(after, other(picture, ("relu2_1",))["relu2_1"]) < 1e-5
    del theirs


def test_not_a_number_is_passed_on():
    ours, _ = make_pair()
    picture = noise(16, 16)
    picture[0, 0, 8, 8] = float("nan")
    assert bool(ours(picture, ("relu3_1",))["relu3_1"].isnan().any())


def test_what_torch_does_instead():
    ours, theirs = make_pair()
    batch = torch.cat([noise(16, 16), noise(16, 16, 2)])
    assert torch.equal(ours(batch, STYLE)["relu5_1"], theirs(batch, STYLE)["relu5_1"])
    narrow = (4, 4, 8, 8, 8)
    assert VGG(channels=narrow).engine == "torch"
    assert VGG(padding="replicate").engine == "torch"
    assert ours.double().engine == "torch"
    assert ours(noise(16, 16).double(), ("relu1_1",))["relu1_1"].dtype == torch.float64


def test_torch_can_be_forced(monkeypatch):
    ours, theirs = make_pair()
    monkeypatch.setenv("POCHOIR_ENGINE", "torch")
    assert ours.engine == "torch"
    picture = noise(16, 16)
    assert torch.equal(ours(picture, STYLE)["relu5_1"], theirs(picture, STYLE)["relu5_1"])
    monkeypatch.setenv("POCHOIR_ENGINE", "auto")
    assert ours.engine == "kernels"


def test_an_engine_that_does_not_exist(monkeypatch):
    with pytest.raises(UnknownNameError, match=r"Unknown engine 'torhc'\. Did you mean 'torch'\? Allowed: torch, auto"):
        VGG(engine="torhc")
    monkeypatch.setenv("POCHOIR_ENGINE", "fast")
    with pytest.raises(UnknownNameError, match=r"Unknown engine 'fast'.*It is set by POCHOIR_ENGINE\."):
        make_pair()[0](noise(16, 16), ("relu1_1",))


def test_a_process_that_was_forked_starts_its_own_threads():
    """Threads do not survive a fork, and a pool of threads that are gone would never answer."""
    program = (
        "import os, torch; torch.set_num_threads(2)\n"
        "from pochoir import kernels; from pochoir.kernels.threads import run_pieces\n"
        "run_pieces(lambda piece: None, 8)\n"
        "child = os.fork()\n"
        "if not child: run_pieces(lambda piece: None, 8); os._exit(7)\n"
        "raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    if not hasattr(os, "fork"):
        pytest.skip("this system cannot fork")
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", program], timeout=60).returncode == 7


@pytest.mark.weights
def test_trained_weights():
    from pochoir.encoders import load_encoder

    ours, theirs = load_encoder("vgg19"), load_encoder("vgg19", engine="torch")
    smooth = torch.nn.functional.interpolate(noise(12, 9), size=(64, 48), mode="bicubic", align_corners=False)
    features, expected = ours(smooth, STYLE), theirs(smooth, STYLE)
    for name in STYLE:
        assert distance(features[name], expected[name]) < 1e-5, name
    (loss, gradient), (loss_expected, gradient_expected) = (
        style_loss(encoder, smooth, STYLE, True) for encoder in (ours, theirs)
    )
    assert_close(loss, loss_expected, rtol=1e-5)
    assert distance(gradient, gradient_expected) < OF_GRADIENTS


@pytest.mark.weights
def test_weights_that_were_changed_stay_changed():
    """What was packed from a file is given back and read again where it is needed; a change would be lost with it."""
    from pochoir.encoders import load_encoder

    encoder, picture = load_encoder("vgg19"), noise(32, 32)
    weight = encoder.convolutions["conv3_2"].weight
    was = weight.clone()
    encoder(picture, ("relu3_2",))
    assert torch.equal(weight, was)
    weight.mul_(2.0)
    encoder(picture, ("relu3_2",))
    assert torch.equal(weight, 2.0 * was)
