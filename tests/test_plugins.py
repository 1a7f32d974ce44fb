"""Segmenters, metrics and styles of other packages."""

import sys
from pathlib import Path

import pytest
import torch

import pochoir
from pochoir import _plugins, similarity, styles
from pochoir._types import Size
from pochoir.errors import PluginError, UnknownNameError
from pochoir.recipe import Recipe

MODULE = """
import numpy as np
import torch
from pochoir.errors import OptionError
from pochoir.segmentation import Segmentation
from pochoir.similarity import Measure


class Left:
    name = "left"

    def __init__(self, settings, device):
        assert (settings.segmenter, device) == ("left", "cpu")

    def segment(self, photo):
        matte = torch.zeros(1, 1, *photo.shape[-2:])
        matte[..., : photo.shape[-1] // 2] = 1.0
        return Segmentation(matte, self.name)


class Brightness:
    name, closer, pixels = "brightness", "lower", None

    def __init__(self, device):
        pass

    def describe(self, views):
        return [(view.rgb.mean(),) for view in views]

    def compare(self, one, other):
        return Measure(abs(float(one[0] - other[0])))


def stripes(size, seed):
    picture = np.zeros((*size, 3), np.uint8)
    picture[:, seed::2] = 200
    return picture


def picky(size, seed):
    raise OptionError("A picky style is never drawn.")


def wrong(*arguments):
    raise RuntimeError("two\\nlines")


number = 3
"""

ENTRY_POINTS = """
[pochoir.segmenters]
left = colorful_plugin:Left
u2net = colorful_plugin:wrong
broken = colorful_plugin:wrong

[pochoir.metrics]
brightness = colorful_plugin:Brightness
broken = colorful_plugin_that_is_not_there:Metric

[pochoir.styles]
stripes = colorful_plugin:stripes
picky = colorful_plugin:picky
mosaic = colorful_plugin:wrong
broken = colorful_plugin:number
"""


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An installed package with entry points, of which some are broken."""
    folder = tmp_path / "site"
    info = folder / "colorful_plugin-1.2.dist-info"
    info.mkdir(parents=True)
    (folder / "colorful_plugin.py").write_text(MODULE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: colorful-plugin\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(folder)
    _plugins._find.cache_clear()
    yield
    _plugins._find.cache_clear()
    sys.modules.pop("colorful_plugin", None)


def test_names_are_listed_after_pochoir_s_own_and_nothing_is_imported():
    assert styles.style_names() == (*styles.NAMES, "broken", "picky", "stripes")
    assert similarity.metric_names() == (*similarity.NAMES, "brightness", "broken")
    assert styles.describe("broken") == "Of the package colorful-plugin 1.2"
    assert "colorful_plugin" not in sys.modules


def test_a_segmenter_is_found_by_its_name(photo_file, style_file, quick):
    found = pochoir.segment(photo_file, segmenter="left", refine="none", device="cpu")
    assert (found.method, float(found.matte.mean())) == ("left", 0.5)
    result = pochoir.stylize(photo_file, subject=style_file, segmenter="left", device="cpu", **quick)
    assert result.recipe.segmenter == "left"
    with pytest.raises(UnknownNameError, match=r"Unknown segmenter 'lefft'. Did you mean 'left'"):
        Recipe(segmenter="lefft")


def test_a_metric_is_found_by_its_name(photo_file, mask_file):
    (score,) = similarity.score(photo_file, mask_file, metrics=["brightness"])
    assert score.metric == "brightness"
    assert 0.0 < score.value < 1.0
    with pytest.raises(UnknownNameError, match="Did you mean 'brightness'"):
        similarity.create_metrics(["brightnes"])


def test_a_style_is_found_by_its_name(photo_file, quick):
    assert styles.draw("stripes", size=Size(16, 20), seed=1)[0, :3, 0].tolist() == [0, 200, 0]
    result = pochoir.stylize(photo_file, style="stripes:2", **quick)
    assert result.recipe.style[0].source == "stripes"
    assert torch.isfinite(result.composite).all()


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (
            lambda photo: pochoir.segment(photo, segmenter="broken"),
            r"The segmenter 'broken' of colorful-plugin 1\.2 cannot be used \(RuntimeError: two lines\)\.",
        ),
        (
            lambda photo: similarity.create_metrics(["broken"]),
            r"The metric 'broken' of colorful-plugin 1\.2 cannot be used \(ModuleNotFoundError: .*\)\.",
        ),
        (
            lambda photo: styles.draw("broken", size=Size(16, 16)),
            r"The style 'broken' of colorful-plugin 1\.2 cannot be used \(it is of type int, not a function\)\.",
        ),
        (lambda photo: styles.draw("picky", size=Size(16, 16)), r"A picky style is never drawn\."),
    ],
    ids=["segmenter", "metric", "style", "own error"],
)
def test_a_broken_one_is_named_and_only_when_it_is_used(use, message, photo_file):
    with pytest.raises(pochoir.PochoirError, match=f"^{message}$") as error:
        use(photo_file)
    assert isinstance(error.value, PluginError) or "picky" in message


def test_pochoir_s_own_names_are_never_replaced(photo_file):
    assert styles.draw("mosaic", size=Size(16, 16)).shape == (16, 16, 3)
    assert Recipe(segmenter="u2net").segmenter == "u2net"


@pytest.fixture
def quick() -> dict[str, object]:
    from pochoir.encoders import tiny_encoder

    return {"encoder": tiny_encoder(), "steps": 2, "threads": 1}
