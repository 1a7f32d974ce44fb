import numpy as np
import pytest

from pochoir import imaging
from pochoir.encoders import VGG, tiny_encoder
from pochoir.imaging import Picture


@pytest.fixture(scope="session")
def encoder() -> VGG:
    return tiny_encoder()


@pytest.fixture
def photo() -> Picture:
    """A gradient with a bright box and some grain, 60 rows and 80 columns."""
    y, x = np.mgrid[0:60, 0:80] / 80.0
    rgb = np.stack([0.3 + 0.5 * x, 0.2 + 0.6 * y, 0.8 - 0.6 * x], axis=-1)
    rgb[20:40, 30:50] = (0.9, 0.8, 0.1)
    rgb += np.random.default_rng(3).normal(0.0, 0.02, rgb.shape)
    return imaging.load(rgb.clip(0, 1).astype(np.float32))


@pytest.fixture
def box_mask() -> "np.ndarray[tuple[int, int], np.dtype[np.uint8]]":
    """The box of ``photo``."""
    mask = np.zeros((60, 80), np.uint8)
    mask[20:40, 30:50] = 255
    return mask
