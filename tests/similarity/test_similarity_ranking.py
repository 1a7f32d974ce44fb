"""What the metrics are for: ranking pictures as people do. On trained weights."""

import itertools
from collections.abc import Callable

import pytest
import torch
from skimage import data
from torch import Tensor

import pochoir
from pochoir import imaging
from pochoir._types import Size
from pochoir.imaging import Picture
from pochoir.similarity import Exhibit, Scorer

pytestmark = pytest.mark.weights

PHOTOS = {"astronaut": data.astronaut, "cat": data.chelsea, "coffee": data.coffee}
STYLES = ("mosaic", "ink-wash")


def small(photo: str, long_side_px: int = 128) -> Picture:
    picture = imaging.load(PHOTOS[photo]())
    return as_picture(imaging.resize(picture.rgb, picture.size.fit_long_side(long_side_px)))


def as_picture(rgb: Tensor) -> Picture:
    return imaging.load(rgb[0].permute(1, 2, 0).clamp(0, 1).numpy())


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer(["vgg", "gram", "content", "ssim", "color"])


@pytest.fixture(scope="module")
def painted() -> dict[tuple[str, str], Exhibit]:
    """Each photo in each style."""
    return {
        (photo, style): Exhibit(
            as_picture(
                pochoir.stylize(small(photo), style=style, size=96, steps=12, threads=1, style_weight=3.0).composite
            )
        )
        for photo, style in itertools.product(PHOTOS, STYLES)
    }


def test_vgg_ranks_what_is_shown_over_how_it_is_painted(painted: dict) -> None:
    scorer = Scorer(["vgg"])

    def likeness(one: Exhibit, other: Exhibit) -> float:
        return scorer.score_pairs([(one, other)])[0][0].value

    for (photo, style), picture in painted.items():
        own = likeness(picture, Exhibit(small(photo)))
        in_other_style = min(likeness(picture, painted[photo, other]) for other in STYLES if other != style)
        for other in PHOTOS.keys() - {photo}:
            assert own > likeness(picture, Exhibit(small(other)))
            assert in_other_style > likeness(picture, painted[other, style])


def test_gram_ranks_how_it_is_painted_over_what_is_shown(painted: dict) -> None:
    scorer = Scorer(["gram"])

    def distance(one: Exhibit, other: Exhibit) -> float:
        return scorer.score_pairs([(one, other)])[0][0].value

    for (photo, style), picture in painted.items():
        for other, other_style in painted:
            if other != photo and other_style == style:
                strange = [distance(picture, painted[other, each]) for each in STYLES if each != style]
                assert distance(picture, painted[other, style]) < min(strange)


def blur(rgb: Tensor, amount: float) -> Tensor:
    size = Size(*rgb.shape[-2:])
    return imaging.resize(imaging.resize(rgb, size.scaled(1 / (1 + amount))), size)


def add_noise(rgb: Tensor, amount: float) -> Tensor:
    return rgb + 0.05 * amount * torch.randn(rgb.shape, generator=torch.Generator().manual_seed(0))


def cover(rgb: Tensor, amount: float) -> Tensor:
    covered = rgb.clone()
    covered[..., : round(rgb.shape[-2] * amount / 10), :] = 0.5
    return covered


@pytest.mark.parametrize("distort", [blur, add_noise, cover])
@pytest.mark.parametrize("photo", ["astronaut", "cat"])
def test_a_ladder_of_distortions_is_ranked(
    distort: Callable[[Tensor, float], Tensor], photo: str, scorer: Scorer
) -> None:
    picture = small(photo)
    ladder = [as_picture(distort(picture.rgb, amount)) for amount in (0.0, 1.0, 2.0, 4.0, 8.0)]
    scores = scorer.score_pairs([(Exhibit(picture), Exhibit(rung)) for rung in ladder])
    for by_metric in zip(*scores, strict=True):
        values = [score.value for score in by_metric]
        is_ranked = values == sorted(values, reverse=by_metric[0].closer == "higher")
        # Colours do not tell blur from no blur, and cover paints in one colour what was of many.
        assert is_ranked or by_metric[0].metric == "color", (by_metric[0].metric, values)
    assert scores[0][0].value == 100
    assert scores[0][3].value == pytest.approx(1)
    assert [score.value for score in scores[0] if score.closer == "lower"] == [0, 0, 0]


def test_red_and_blue_swapped_is_another_picture(scorer: Scorer) -> None:
    """The report scored every picture with red and blue swapped."""
    picture = small("astronaut")
    swapped = as_picture(picture.rgb.flip(1))
    for score in scorer.score(picture, swapped):
        bound = {"vgg": 100.0, "ssim": 1.0}.get(score.metric, 0.0)
        assert abs(score.value - bound) > 0.02
