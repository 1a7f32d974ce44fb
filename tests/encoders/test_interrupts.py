"""Long computations stop in the middle, and leave nothing behind that changes the next one."""

import pytest
import torch

from pochoir import kernels
from pochoir._interrupts import Interrupted, check_interrupt, interruptible
from pochoir.encoders import VGG


class After:
    """Function that returns True from a given call on."""

    def __init__(self, calls: float) -> None:
        self.calls, self.count = calls, 0

    def __call__(self) -> bool:
        self.count += 1
        return self.count > self.calls


def differentiate(encoder: VGG) -> torch.Tensor:
    picture = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(3)).requires_grad_()
    maps = encoder(picture, ("relu1_1", "relu3_1"))
    (gradient,) = torch.autograd.grad(sum(each.square().sum() for each in maps.values()), picture)
    return gradient


@pytest.fixture(params=["auto", "torch"])
def encoder(request: pytest.FixtureRequest) -> VGG:
    if request.param == "auto" and not kernels.SUPPORTED:
        pytest.skip("this CPU has no AVX2")
    return VGG("vgg19", channels=(kernels.COLUMNS,) * 5, engine=request.param).eval()


def test_nothing_stops_where_nobody_asks() -> None:
    check_interrupt()
    with interruptible(None):
        check_interrupt()
    with interruptible(lambda: False):
        check_interrupt()
        with interruptible(lambda: True), pytest.raises(Interrupted):
            check_interrupt()
        check_interrupt()


def test_an_encoder_stops_at_every_layer_in_both_directions(encoder: VGG) -> None:
    whole = differentiate(encoder)
    never = After(float("inf"))
    with interruptible(never):
        differentiate(encoder)
    assert never.count >= (10 if encoder.engine == "kernels" else 9)  # torch's own backward pass does not ask
    for calls in range(never.count):
        with interruptible(After(calls)), pytest.raises(Interrupted):
            differentiate(encoder)
    assert torch.equal(differentiate(encoder), whole)
