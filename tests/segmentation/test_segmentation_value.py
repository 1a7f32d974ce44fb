"""A segmentation as users hold it: pictures, files, a short text."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

import pochoir
from pochoir.errors import OptionError, OutputPathError
from pochoir.segmentation import Segmentation


class Disc:
    """A segmenter that finds a disc in the middle of 48 rows and 64 columns."""

    name = "disc"

    def __init__(self, matte: torch.Tensor) -> None:
        self.matte = matte

    def segment(self, photo: torch.Tensor) -> Segmentation:
        return Segmentation(self.matte, self.name)


@pytest.fixture
def found(photo_file, disc_matte) -> Segmentation:
    return pochoir.segment(photo_file, segmenter=Disc(disc_matte), refine="none")


def test_images_are_those_that_are_saved(found, tmp_path):
    found.save(tmp_path / "cutout.png")
    found.save(tmp_path / "matte.png", as_matte=True)
    np.testing.assert_array_equal(np.asarray(found.cutout_image()), np.asarray(Image.open(tmp_path / "cutout.png")))
    matte = np.asarray(Image.open(tmp_path / "matte.png").convert("L"))
    np.testing.assert_array_equal(np.asarray(found.image()), matte)
    np.testing.assert_array_equal(matte, (found.matte[0, 0] * 255).round().to(torch.uint8).numpy())
    assert torch.equal(found.cutout()[:, 3:], found.matte)


def test_a_cutout_needs_the_photo_and_a_format_with_transparency(found, disc_matte, tmp_path):
    bare = Segmentation(disc_matte, "disc")
    for refused in (bare.cutout, bare.cutout_image, lambda: bare.save(tmp_path / "a.png")):
        with pytest.raises(OptionError, match="does not hold its photo"):
            refused()
    bare.save(tmp_path / "matte.jpg", as_matte=True)
    with pytest.raises(OutputPathError, match="transparency, which JPEG cannot"):
        found.save(tmp_path / "a.jpg")


def test_a_notebook_shows_the_cutout_and_a_short_text(found, disc_matte):
    with Image.open(io.BytesIO(found._repr_png_())) as shown:
        assert (shown.mode, shown.size) == ("RGBA", (64, 48))
    with Image.open(io.BytesIO(Segmentation(disc_matte, "disc")._repr_png_())) as shown:
        assert shown.mode == "L"
    assert repr(found) == "Segmentation(64x48, 26% subject, found by disc, 0 notes)"
    assert repr(Segmentation(0 * disc_matte, "disc")) == "Segmentation(64x48, empty, found by disc, 0 notes)"
