"""Masks of every habit: 0 and 1, labels, colours, shapes cut out of nothing."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pochoir import imaging
from pochoir._types import Size
from pochoir.errors import ImageReadError

SIZE = Size(40, 50)


@pytest.fixture
def shape() -> np.ndarray:
    """(40, 50) bool, a disc."""
    y, x = np.mgrid[0:40, 0:50]
    return (y - 20) ** 2 + (x - 25) ** 2 < 150


def read(path: Path, image: Image.Image) -> imaging.Matte:
    image.save(path)
    return imaging.load_matte(path, size=SIZE)


def is_shape(matte: imaging.Matte, shape: np.ndarray) -> bool:
    return torch.equal(matte.matte[0, 0], torch.from_numpy(shape).float())


@pytest.mark.parametrize("label", [1, 2, 20])
def test_one_dim_label_is_white(tmp_path: Path, shape: np.ndarray, label: int) -> None:
    matte = read(tmp_path / "m.png", Image.fromarray((shape * label).astype(np.uint8)))
    assert is_shape(matte, shape)
    assert matte.notes == (f"mask of 0 and {label}: {label} of 255 taken as white",)


@pytest.mark.parametrize("label", [1, 255])
def test_one_dim_label_in_16_bits_is_white(tmp_path: Path, shape: np.ndarray, label: int) -> None:
    matte = read(tmp_path / "m.png", Image.fromarray((shape * label).astype(np.uint16)))
    assert is_shape(matte, shape)
    assert matte.notes == (f"mask of 0 and {label}: {label} of 65535 taken as white",)


def test_8_bit_ramp_in_16_bits(tmp_path: Path) -> None:
    ramp = np.arange(40 * 50).reshape(40, 50) % 256
    matte = read(tmp_path / "m.png", Image.fromarray(ramp.astype(np.uint16)))
    assert torch.allclose(matte.matte[0, 0], torch.from_numpy(ramp).float() / 255, atol=1e-6)
    assert "16-bit mask" in matte.notes[0]


def test_several_labels_are_refused(tmp_path: Path, shape: np.ndarray) -> None:
    labels = shape.astype(np.uint8)
    labels[:5] = 2
    with pytest.raises(ImageReadError, match=r"m\.png': its highest value is 2 of 255 .* make the wanted label white"):
        read(tmp_path / "m.png", Image.fromarray(labels))


def palette_of(labels: np.ndarray) -> Image.Image:
    image = Image.fromarray(labels.astype(np.uint8))
    image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    return image


def test_palette_of_black_and_one_colour(tmp_path: Path, shape: np.ndarray) -> None:
    matte = read(tmp_path / "m.png", palette_of(shape))
    assert is_shape(matte, shape)
    assert "mask of black and one colour: the colour taken as white" in matte.notes


def test_palette_of_labels_is_refused(tmp_path: Path, shape: np.ndarray) -> None:
    labels = shape.astype(np.uint8)
    labels[:5] = 2
    with pytest.raises(ImageReadError, match="it has 2 flat colours, as maps of labels do"):
        read(tmp_path / "m.png", palette_of(labels))


def test_palette_of_greys_is_brightness(tmp_path: Path, shape: np.ndarray) -> None:
    image = Image.fromarray(shape.astype(np.uint8))
    image.putpalette([0, 0, 0, 255, 255, 255])
    assert is_shape(read(tmp_path / "m.png", image), shape)


@pytest.mark.parametrize("value", [0, 255])
def test_shape_cut_out_of_nothing(tmp_path: Path, shape: np.ndarray, value: int) -> None:
    layers = np.dstack([np.full((40, 50, 3), value), shape * 255]).astype(np.uint8)
    assert is_shape(read(tmp_path / "m.png", Image.fromarray(layers)), shape)


def test_white_on_black_inside_a_shape(tmp_path: Path, shape: np.ndarray) -> None:
    around = np.zeros((40, 50))
    around[2:38, 5:45] = 255
    layers = np.dstack([*[shape * 255] * 3, around]).astype(np.uint8)
    matte = read(tmp_path / "m.png", Image.fromarray(layers))
    assert is_shape(matte, shape)
    assert "read by its brightness" in matte.notes[0]


def test_rounded_corner_does_not_win(tmp_path: Path, shape: np.ndarray) -> None:
    alpha = np.full((40, 50), 255)
    alpha[0, 0] = 0
    matte = read(tmp_path / "m.png", Image.fromarray(np.dstack([*[shape * 255] * 3, alpha]).astype(np.uint8)))
    assert is_shape(matte, shape)


def test_black_stays_black(tmp_path: Path) -> None:
    assert float(read(tmp_path / "m.png", Image.new("L", (50, 40))).matte.max()) == 0
