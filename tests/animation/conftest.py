"""Drawn subjects to animate."""

import numpy as np
import pytest

from pochoir.animation.arrays import Layer, Picture
from support.cutouts import ellipse, paint


@pytest.fixture
def standing() -> Layer:
    """A subject that stands free in the frame: a trunk with a head."""
    return paint(np.maximum(ellipse(120, 96, 48, 74, 20, 36), ellipse(120, 96, 48, 28, 13, 14)))


@pytest.fixture
def bust() -> Layer:
    """A subject that the lower edge of the frame cuts off."""
    return paint(np.maximum(ellipse(100, 90, 45, 100, 34, 44), ellipse(100, 90, 45, 38, 16, 20)))


@pytest.fixture
def plate() -> Picture:
    """A background with stripes, of the same size as ``standing``."""
    y, x = np.mgrid[0:120, 0:96]
    return np.stack([x / 96, y / 120, (x // 7 + y // 9) % 2], -1).astype(np.float32)
