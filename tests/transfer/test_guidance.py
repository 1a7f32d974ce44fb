import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pochoir.encoders import tiny_encoder
from pochoir.errors import EmptyRegionError
from pochoir.transfer.guidance import build_guides
from support.close import assert_close

DEEP = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def test_area_means_by_hand_on_an_odd_size(encoder):
    matte = torch.tensor([[1.0, 0.0, 0.5, 1.0, 9.0], [1.0, 1.0, 0.0, 0.5, 9.0], [9.0, 9.0, 9.0, 9.0, 9.0]])[None, None]
    guides = build_guides(matte, encoder, ("relu1_1", "relu2_1"))
    assert torch.equal(guides["relu1_1"], matte)
    # The odd row and the odd column are what the pooling drops.
    assert_close(guides["relu2_1"], torch.tensor([[[[0.75, 0.5]]]]))


def test_area_mean_by_loops(encoder):
    matte = noise(1, 1, 27, 21)
    guide = build_guides(matte, encoder, ("relu4_2",))["relu4_2"]
    assert guide.shape == (1, 1, 3, 2)
    for row in range(3):
        for column in range(2):
            block = matte[0, 0, row * 8 : row * 8 + 8, column * 8 : column * 8 + 8]
            assert float(guide[0, 0, row, column]) == pytest.approx(float(block.sum()) / 64.0, rel=1e-5)


@settings(max_examples=40)
@given(height=st.integers(16, 70), width=st.integers(16, 70))
@example(height=16, width=31)
@example(height=33, width=63)
def test_guides_have_the_features_sizes(height, width):
    network = tiny_encoder()
    layers = ("conv1_1", "pool1", "relu2_2", "pool2", "relu3_1", "relu4_2", "pool4", "relu5_4")
    features = network(torch.zeros(1, 3, height, width), layers)
    guides = build_guides(torch.ones(1, 1, height, width), network, layers)
    assert {name: guide.shape[-2:] for name, guide in guides.items()} == {
        name: value.shape[-2:] for name, value in features.items()
    }


@settings(max_examples=20)
@given(height=st.integers(32, 60), width=st.integers(32, 60), seed=st.integers(0, 2**31))
def test_mattes_that_add_up_to_one_give_guides_that_add_up_to_one(height, width, seed):
    network = tiny_encoder()
    matte = noise(1, 1, height, width, seed=seed)
    for inside, outside in zip(
        build_guides(matte, network, DEEP).values(), build_guides(1.0 - matte, network, DEEP).values(), strict=True
    ):
        assert_close(inside + outside, torch.ones_like(inside))
        assert float(inside.min()) >= 0.0
        assert float(inside.max()) <= 1.0


def test_layers_too_coarse_for_a_small_region_are_absent(encoder):
    matte = torch.zeros(1, 1, 64, 64)
    matte[..., 8:14, 8:14] = 1.0  # 36 pixels: 36 positions of relu1_1, 9, 2.25, 0.5625 and 0.14 of relu5_1
    assert list(build_guides(matte, encoder, DEEP)) == ["relu1_1", "relu2_1", "relu3_1", "relu4_1"]
    assert list(build_guides(matte * 0.8, encoder, DEEP)) == ["relu1_1", "relu2_1", "relu3_1"]


def test_layers_too_coarse_for_a_small_picture_are_absent(encoder):
    assert list(build_guides(torch.ones(1, 1, 5, 40), encoder, DEEP)) == ["relu1_1", "relu2_1", "relu3_1"]


def test_a_region_without_a_position_anywhere(encoder):
    matte = torch.zeros(1, 1, 64, 64)
    matte[..., 20, 20] = 0.4
    with pytest.raises(EmptyRegionError, match=r"A region of 0\.4 pixels is too small to paint; use a larger --size"):
        build_guides(matte, encoder, DEEP)
    with pytest.raises(EmptyRegionError, match=r"A region of 0\.0 pixels"):
        build_guides(torch.zeros(1, 1, 64, 64), encoder, DEEP)


def test_no_layers_no_guides(encoder):
    assert build_guides(torch.zeros(1, 1, 8, 8), encoder, ()) == {}
