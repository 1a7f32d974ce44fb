"""Transparency is judged by what it says: cutout, decoration or mistake."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from pochoir import imaging
from pochoir.imaging import AlphaKind

SIZE = 96


@pytest.fixture
def photo() -> np.ndarray:
    """(96, 96, 3) uint8 with contrast everywhere."""
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    return np.stack([x * 2, y * 2, (x * y) % 256], axis=-1).astype(np.uint8)


def save(path: Path, photo: np.ndarray, alpha: np.ndarray) -> Path:
    Image.fromarray(np.dstack([photo, alpha.astype(np.uint8)])).save(path)
    return path


def rounded(radius: int) -> np.ndarray:
    mask = Image.new("L", (SIZE * 4, SIZE * 4))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, SIZE * 4 - 1, SIZE * 4 - 1), radius * 4, fill=255)
    return np.asarray(mask.resize((SIZE, SIZE), Image.Resampling.BOX))


def disc(radius: int = 30) -> np.ndarray:
    y, x = np.mgrid[0:SIZE, 0:SIZE] - SIZE // 2
    return np.where(x * x + y * y <= radius * radius, 255, 0)


@pytest.mark.parametrize("extension", ["png", "tga", "tif", "webp"])
def test_alpha_of_zeros_is_a_mistake(tmp_path: Path, photo: np.ndarray, extension: str) -> None:
    path = tmp_path / f"a.{extension}"
    Image.fromarray(np.dstack([photo, np.zeros((SIZE, SIZE), np.uint8)])).save(path, lossless=True, exact=True)
    picture = imaging.load(path)
    assert picture.alpha is None
    assert picture.alpha_kind is AlphaKind.OPAQUE
    assert torch.equal(picture.rgb, imaging.load(photo).rgb)
    assert picture.notes == ("transparency ignored, since every pixel is transparent",)


def test_one_opaque_pixel_does_not_revive_it(tmp_path: Path, photo: np.ndarray) -> None:
    alpha = np.zeros((SIZE, SIZE))
    alpha[40, 40] = 255
    picture = imaging.load(save(tmp_path / "a.png", photo, alpha))
    assert picture.alpha is None
    assert "nearly every pixel" in picture.notes[0]


def test_a_small_subject_on_nothing_is_a_cutout(tmp_path: Path, photo: np.ndarray) -> None:
    alpha = np.zeros((SIZE, SIZE))
    alpha[40, 40] = 255
    erased = np.where(alpha[..., None] > 0, photo, 0).astype(np.uint8)
    assert imaging.load(save(tmp_path / "a.png", erased, alpha)).alpha_kind is AlphaKind.CUTOUT


@pytest.mark.parametrize("value", [0, 1, 254])
@pytest.mark.parametrize("count", [1, 40])
def test_a_few_pixels_say_nothing_but_stay(tmp_path: Path, photo: np.ndarray, value: int, count: int) -> None:
    alpha = np.full((SIZE, SIZE), 255)
    alpha[20, 10 : 10 + count] = value
    picture = imaging.load(save(tmp_path / "a.png", photo, alpha))
    assert picture.alpha_kind is AlphaKind.DECORATIVE
    assert torch.equal(picture.alpha[0, 0], torch.from_numpy(alpha).float() / 255)
    assert len(picture.notes) == 1


@pytest.mark.parametrize("radius", [2, 8, 20, 23])
def test_rounded_corners_say_nothing(tmp_path: Path, photo: np.ndarray, radius: int) -> None:
    picture = imaging.load(save(tmp_path / "a.png", photo, rounded(radius)))
    assert picture.alpha_kind is AlphaKind.DECORATIVE
    assert "mark a subject" in picture.notes[0]


def test_one_rounded_corner_says_nothing(tmp_path: Path, photo: np.ndarray) -> None:
    alpha = np.full((SIZE, SIZE), 255)
    alpha[:48, 48:] = rounded(22)[:48, 48:]
    assert imaging.load(save(tmp_path / "a.png", photo, alpha)).alpha_kind is AlphaKind.DECORATIVE


def test_an_even_veil_says_nothing(tmp_path: Path, photo: np.ndarray) -> None:
    picture = imaging.load(save(tmp_path / "a.png", photo, np.full((SIZE, SIZE), 100)))
    assert picture.alpha_kind is AlphaKind.DECORATIVE
    assert "even" in picture.notes[0]


@pytest.mark.parametrize("alpha", [disc(), disc(47), 255 - disc(), np.tri(SIZE) * 255, rounded(40)])
def test_shapes_are_cutouts(tmp_path: Path, photo: np.ndarray, alpha: np.ndarray) -> None:
    picture = imaging.load(save(tmp_path / "a.png", photo, alpha))
    assert picture.alpha_kind is AlphaKind.CUTOUT
    assert picture.notes == ()


class TestHiddenColours:
    def test_visible_pixels_keep_their_colours(self, tmp_path: Path, photo: np.ndarray) -> None:
        picture = imaging.load(save(tmp_path / "a.png", photo, disc()))
        seen = torch.from_numpy(disc() > 0)
        assert torch.equal(picture.rgb[0, :, seen], imaging.load(photo).rgb[0, :, seen])

    def test_hidden_ones_never_come_through(self, tmp_path: Path) -> None:
        red = np.zeros((SIZE, SIZE, 3), np.uint8)
        red[..., 0] = 200
        green = np.where(disc()[..., None] > 0, red, [0, 255, 0]).astype(np.uint8)
        picture = imaging.load(save(tmp_path / "a.png", green, disc()))
        assert torch.allclose(picture.rgb[:, 0], torch.tensor(200 / 255), atol=1e-6)
        assert picture.rgb[:, 1:].max() < 1e-6

    @pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 1), (7, 10)])
    def test_of_any_size(self, shape: tuple[int, int]) -> None:
        alpha = torch.zeros(1, 1, *shape)
        alpha[..., 0, 0] = 0.25
        rgb = torch.rand(1, 3, *shape, generator=torch.Generator().manual_seed(0))
        filled = imaging.fill_hidden(rgb, alpha)
        assert torch.allclose(filled, rgb[..., :1, :1].expand_as(filled), atol=1e-6)

    def test_nothing_visible_or_nothing_hidden_is_left_alone(self) -> None:
        rgb = torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(0))
        assert imaging.fill_hidden(rgb, torch.zeros(1, 1, 4, 4)) is rgb
        assert imaging.fill_hidden(rgb, torch.full((1, 1, 4, 4), 0.1)) is rgb
