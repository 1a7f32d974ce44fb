from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from pochoir.encoders import VGG, tiny_encoder
from pochoir.recipe import TransferSettings


@pytest.fixture(scope="session")
def encoder() -> VGG:
    return tiny_encoder()


@pytest.fixture
def make_photo() -> Callable[[int, int], Tensor]:
    """A landscape of a height and a width: colours run across it, and a bright box stands in it."""

    def make(height: int, width: int) -> Tensor:
        y = torch.linspace(0.1, 0.7, height).view(1, -1, 1)
        x = torch.linspace(0.2, 0.9, width).view(1, 1, -1)
        picture = torch.cat([0.5 * x + 0.3 * y, 0.8 * y + 0.0 * x, 0.9 - 0.8 * x + 0.0 * y])[None]
        picture[..., height // 3 : height // 2 + 1, width // 3 : width // 2 + 1] = 0.85
        return picture

    return make


@pytest.fixture
def photo(make_photo) -> Tensor:
    return make_photo(40, 48)


@pytest.fixture
def style() -> Tensor:
    """Diagonal stripes with grain."""
    y, x = torch.meshgrid(torch.arange(36.0), torch.arange(44.0), indexing="ij")
    stripes = torch.stack([(x + y) % 8 < 4, (x - y) % 6 < 3, x % 5 < 2]).float() * 0.6 + 0.1
    grain = torch.rand(3, 36, 44, generator=torch.Generator().manual_seed(5)) * 0.2
    return (stripes + grain)[None]


@pytest.fixture
def left_half() -> Tensor:
    """A matte for 40 rows and 48 columns: left is inside, with a soft edge of 4 columns."""
    return ((26.0 - torch.arange(48.0)) / 4.0).clamp(0.0, 1.0).view(1, 1, 1, -1).repeat(1, 1, 40, 1)


@pytest.fixture
def hard_box() -> Tensor:
    """A matte for 40 rows and 48 columns: a box of ones, elsewhere zeros."""
    matte = torch.zeros(1, 1, 40, 48)
    matte[..., 8:32, 10:38] = 1.0
    return matte


@dataclass(frozen=True)
class Quick:
    """Settings that need few steps and still use several layers."""

    steps: int = 6

    def __call__(self, **changes: object) -> TransferSettings:
        values = {
            "steps": self.steps,
            "content_layers": ("relu3_1",),
            "style_layers": ("relu1_1", "relu2_1", "relu3_1"),
        }
        return TransferSettings(**(values | changes))


@pytest.fixture
def quick() -> Quick:
    return Quick()
