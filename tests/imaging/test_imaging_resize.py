"""Resampling against Pillow's, and its promises."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pochoir import imaging
from pochoir._types import Size


@pytest.mark.parametrize("mode", ["bicubic", "bilinear"])
@pytest.mark.parametrize("size", [Size(7, 5), Size(40, 61), Size(11, 80), Size(60, 9)])
def test_same_as_pillow(mode: str, size: Size) -> None:
    values = np.random.default_rng(0).random((23, 31), np.float32)
    expected = np.asarray(
        Image.fromarray(values).resize((size.width, size.height), Image.Resampling[mode.upper()])
    ).clip(0, 1)
    seen = imaging.resize(torch.from_numpy(values)[None, None], size, mode=mode)
    np.testing.assert_allclose(seen[0, 0].numpy(), expected, atol=2e-6)


def test_same_size_is_the_same_tensor() -> None:
    x = torch.rand(1, 3, 4, 5)
    assert imaging.resize(x, Size(4, 5)) is x


def test_fine_stripes_average_out() -> None:
    stripes = torch.zeros(1, 1, 64, 64)
    stripes[..., ::2] = 1
    assert (imaging.resize(stripes, Size(8, 8)) - 0.5).abs().max() < 0.02


@given(st.tuples(*[st.integers(1, 40)] * 4), st.sampled_from(["bicubic", "bilinear"]))
@settings(max_examples=40, deadline=None)
def test_any_size_to_any_size_stays_in_range(sizes: tuple[int, int, int, int], mode: str) -> None:
    x = (torch.rand(1, 1, *sizes[:2], generator=torch.Generator().manual_seed(0)) > 0.5).float()
    y = imaging.resize(x, Size(*sizes[2:]), mode=mode)
    assert y.shape == (1, 1, *sizes[2:])
    assert y.min() >= 0
    assert y.max() <= 1


def test_flat_picture_stays_flat() -> None:
    assert torch.allclose(imaging.resize(torch.full((1, 3, 13, 17), 0.3), Size(29, 5)), torch.tensor(0.3), atol=1e-6)
