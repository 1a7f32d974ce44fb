import itertools
import subprocess
import sys

import cv2
import numpy as np
import pytest

from pochoir import styles
from pochoir._types import Size
from pochoir.errors import OptionError, UnknownNameError

each_style = pytest.mark.parametrize("name", styles.NAMES)


@pytest.fixture(scope="module")
def drawn():
    """Each style once, so that the properties below need no drawing of their own."""
    return {name: styles.draw(name, size=Size(160, 160), seed=3) for name in styles.NAMES}


def block_spread(picture, block):
    """Standard deviation of the liveliest channel inside each block of a picture."""
    height, width = (side // block * block for side in picture.shape[:2])
    blocks = picture[:height, :width].astype(float).reshape(height // block, block, width // block, block, 3)
    return blocks.std(axis=(1, 3)).max(axis=-1)


def hue_shares(picture):
    """Share of the picture's pixels that are clearly coloured, for each of six hues."""
    hue, saturation, value = cv2.split(cv2.cvtColor(picture, cv2.COLOR_RGB2HSV))
    clear = (saturation > 60) & (value > 40)
    return np.histogram(hue[clear], bins=6, range=(0, 180))[0] / hue.size


def test_the_eight_styles_are_listed():
    assert styles.NAMES == (
        "stained-glass",
        "woodblock-waves",
        "pointillism",
        "marbling",
        "cut-paper",
        "hatching",
        "mosaic",
        "ink-wash",
    )


@each_style
def test_description_is_one_line(name):
    text = styles.describe(name)
    assert 20 < len(text) < 120
    assert "\n" not in text
    assert not text.endswith(".")


@each_style
def test_same_seed_same_bytes_and_other_seed_other_picture(name, drawn):
    again = styles.draw(name, size=Size(160, 160), seed=3)
    other = styles.draw(name, size=Size(160, 160), seed=4)
    np.testing.assert_array_equal(again, drawn[name])
    assert np.abs(other.astype(int) - drawn[name]).mean() > 8


@each_style
@pytest.mark.parametrize("size", [Size(16, 16), Size(16, 128), Size(128, 16), Size(61, 97)], ids=str)
def test_sizes(name, size):
    picture = styles.draw(name, size=size)
    assert picture.shape == (size.height, size.width, 3)
    assert picture.dtype == np.uint8
    assert picture.std() > 25


@each_style
def test_small_and_large_drawings_show_the_same_scene(name, drawn):
    large = styles.draw(name, size=Size(400, 400), seed=3)
    scenes = [cv2.resize(picture, (8, 8), interpolation=cv2.INTER_AREA).ravel() for picture in (drawn[name], large)]
    assert np.corrcoef(*scenes)[0, 1] > 0.9


@each_style
def test_no_large_flat_area(name, drawn):
    flat = block_spread(drawn[name], block=10) < 3.0
    assert flat.mean() < 0.02


@each_style
def test_texture_at_several_scales(name, drawn):
    picture = cv2.cvtColor(drawn[name], cv2.COLOR_RGB2GRAY).astype(np.float32)
    blurs = [picture, *(cv2.GaussianBlur(picture, (0, 0), sigma) for sigma in (1, 2, 4, 8))]
    bands = [(fine - coarse).std() for fine, coarse in itertools.pairwise(blurs)]
    assert min(bands) > 4.0


def count_specks(picture):
    """Count light and dark spots of a few pixels, at 384 pixels about the size of a worm in a painted sky."""
    grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (0, 0), 1)
    sides = ((grey > 128).astype(np.uint8), (grey <= 128).astype(np.uint8))
    areas = np.concatenate([cv2.connectedComponentsWithStats(side)[2][1:, cv2.CC_STAT_AREA] for side in sides])
    return int(((areas > 3) & (areas < 150)).sum())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", ["woodblock-waves", "ink-wash", "stained-glass"])
def test_waves_washes_and_panes_are_broad(name, seed):
    """Small curls and specks of a style fill the skies of photos with worms and dirt: 72 to 145 of them did."""
    assert count_specks(styles.draw(name, size=Size(384, 384), seed=seed)) < 70


@each_style
def test_palette_reaches_from_dark_to_light_and_has_several_hues(name, drawn):
    dark, light = np.percentile(cv2.cvtColor(drawn[name], cv2.COLOR_RGB2GRAY), (3, 97))
    assert dark < 75
    assert light > 170
    assert (hue_shares(drawn[name]) > 0.01).sum() >= 2


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'mosaic'"):
        styles.draw("mosiac", size=Size(64, 64))
    with pytest.raises(UnknownNameError, match="Unknown style 'oil'"):
        styles.describe("oil")


@pytest.mark.parametrize("size", [Size(15, 64), Size(64, 15), Size(0, 0), Size(64, 16385)], ids=str)
def test_size_out_of_bounds(size):
    with pytest.raises(OptionError, match="sides from 16 to 16384 pixels; got"):
        styles.draw("mosaic", size=size)


def test_too_narrow():
    with pytest.raises(OptionError, match="up to 64 times as long"):
        styles.draw("mosaic", size=Size(16, 1025))


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seed_out_of_bounds(seed):
    with pytest.raises(OptionError, match="seed must be between 0 and 4294967295"):
        styles.draw("mosaic", size=Size(64, 64), seed=seed)


def test_names_are_listed_without_array_libraries():
    check = (
        "import sys; from pochoir import styles; [styles.describe(name) for name in styles.NAMES];"
        "print(sorted({'numpy', 'cv2', 'scipy', 'skimage', 'PIL', 'torch'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
