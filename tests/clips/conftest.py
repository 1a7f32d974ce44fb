"""What the tests of clips share."""

import pytest

from pochoir.encoders import VGG, tiny_encoder


@pytest.fixture(scope="module")
def encoder() -> VGG:
    return tiny_encoder()


@pytest.fixture
def quick(encoder: VGG) -> dict[str, object]:
    return {"encoder": encoder, "steps": 3, "threads": 1, "duration": "0.5s"}
