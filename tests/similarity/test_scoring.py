import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from pochoir import imaging, similarity
from pochoir.encoders import VGG
from pochoir.errors import ImageReadError, OptionError, UnknownNameError, WeightsMissingError
from pochoir.imaging import Picture
from pochoir.similarity import Exhibit, FeatureCache, Features, Measure, Scorer, View, read_exhibit, score_nulls


class Brightness:
    """A metric of one's own that counts what it describes."""

    name = "brightness"
    closer = "lower"
    pixels = None

    def __init__(self) -> None:
        self.batches: list[int] = []

    def describe(self, views: Sequence[View]) -> list[Features]:
        self.batches.append(len(views))
        return [(view.rgb.mean(),) for view in views]

    def compare(self, one: Features, other: Features) -> Measure:
        return Measure(float((one[0] - other[0]).abs()))


def grey(value: float, *, size: int = 40) -> Picture:
    return imaging.load(np.full((size, size, 3), value, np.float32))


@pytest.fixture
def metric() -> Brightness:
    return Brightness()


def test_scores_come_in_the_order_of_metrics(encoder: VGG, photo: Picture) -> None:
    names = ["color", "vgg", "ssim", "gram", "content"]
    scores = similarity.score(photo, photo, metrics=names, encoder=encoder)
    assert [score.metric for score in scores] == names
    assert [score.value for score in scores] == pytest.approx([0, 100, 1, 0, 0], abs=1e-9)
    assert [score.closer for score in scores] == ["lower", "higher", "higher", "lower", "lower"]


def test_each_picture_is_described_once(metric: Brightness) -> None:
    pictures = [Exhibit(grey(index / 16)) for index in range(16)]
    scorer = Scorer([metric])
    pairs = [(one, other) for one in pictures for other in pictures]
    scores = scorer.score_pairs(pairs)
    assert len(scores) == 256
    assert scores[7 * 16 + 3][0].value == pytest.approx(4 / 16)
    assert sum(metric.batches) == 16
    scorer.score_pairs(pairs)
    assert sum(metric.batches) == 16


def test_pictures_of_different_sizes_are_described_apart(metric: Brightness) -> None:
    pairs = [(Exhibit(grey(0.1)), Exhibit(grey(0.4, size=50)))] * 2
    assert Scorer([metric]).score_pairs(pairs)[1][0].value == pytest.approx(0.3)
    assert metric.batches == [1, 1]


def test_another_mask_part_or_backdrop_is_another_picture(
    metric: Brightness, photo: Picture, box_mask: np.ndarray
) -> None:
    cache = FeatureCache()
    for part, backdrop, mask in [
        ("all", "white", box_mask),
        ("subject", "white", box_mask),
        ("subject", "black", box_mask),
        ("background", "black", box_mask),
        ("background", "black", 255 - box_mask),
    ]:
        scorer = Scorer([metric], part=part, backdrop=backdrop, other_backdrops=(), cache=cache)
        before = sum(metric.batches)
        scorer.score(photo, photo, mask=mask)
        scorer.score(photo, photo, mask=mask)
        assert sum(metric.batches) == before + 1


def test_a_full_cache_drops_what_was_used_longest_ago() -> None:
    cache = FeatureCache(most_bytes=3 * 4)
    for name in "abc":
        cache.put("m", name, (torch.zeros(1),))
    assert cache.get("m", "a") is not None
    cache.put("m", "d", (torch.zeros(1),))
    assert cache.get("m", "b") is None
    assert cache.get("m", "a") is not None
    assert cache.get("other", "a") is None


def test_scores_do_not_depend_on_what_the_cache_holds(encoder: VGG, photo: Picture) -> None:
    pictures = [Exhibit(photo), Exhibit(grey(0.5)), Exhibit(imaging.load(photo.rgb[0].permute(2, 1, 0).numpy()))]
    pairs = [(one, other) for one in pictures for other in pictures]
    tiny = Scorer(["gram"], encoder=encoder, cache=FeatureCache(most_bytes=1)).score_pairs(pairs)
    large = Scorer(["gram"], encoder=encoder).score_pairs(pairs)
    assert [scores[0].value for scores in tiny] == pytest.approx([scores[0].value for scores in large], abs=1e-6)


def test_a_cutout_is_scored_on_the_stated_backdrop_and_on_others(metric: Brightness) -> None:
    alpha = torch.zeros(1, 1, 40, 40)
    alpha[..., 30:] = 1.0
    cutout = dataclasses.replace(grey(0.5), alpha=alpha)
    (score,) = Scorer([metric], backdrop="#808080").score(cutout, grey(0.5))
    assert score.value == pytest.approx(0.75 * (128 / 255 - 0.5), abs=1e-6)
    assert score.backdrops == pytest.approx({"#000000": 0.375, "#ffffff": 0.375})
    assert score.backdrop_shift == pytest.approx(0.375, abs=2e-3)
    assert score.to_dict()["backdrop_shift"] == score.backdrop_shift


@pytest.mark.parametrize(("own", "most", "seen"), [(900, 2500, 900), (4900, 2500, 2500), (None, 2500, None)])
def test_small_pictures_are_not_enlarged_if_asked(
    metric: Brightness, own: int | None, most: int, seen: int | None
) -> None:
    metric.pixels = own
    sizes: list[int] = []
    describe = metric.describe
    metric.describe = lambda views: (sizes.extend(view.size.pixels for view in views), describe(views))[1]
    Scorer([metric], most_pixels=most).score(grey(0.5, size=50), grey(0.4, size=100))
    expected = [2500, 10000] if seen is None else [max(seen, 32 * 32)] * 2
    assert sizes == expected


def test_no_backdrop_is_reported_where_none_is_seen(metric: Brightness) -> None:
    (score,) = Scorer([metric]).score(grey(0.5), grey(0.4))
    assert (score.backdrops, score.backdrop_shift) == ({}, 0.0)


def test_each_picture_can_have_its_own_mask(metric: Brightness) -> None:
    left, right = np.zeros((40, 40), np.uint8), np.zeros((40, 40), np.uint8)
    left[:, :20], right[:, 20:] = 255, 255
    halves = np.concatenate([np.full((40, 20, 3), 0.2), np.full((40, 20, 3), 0.8)], axis=1).astype(np.float32)
    scorer = Scorer([metric], part="subject")
    assert scorer.score(halves, halves[:, ::-1].copy(), mask=left, other_mask=right)[0].value == pytest.approx(
        0, abs=1e-3
    )
    assert scorer.score(halves, halves[:, ::-1].copy(), mask=left)[0].value == pytest.approx(0.3, abs=1e-3)


def test_null_scores_wear_the_pictures_alpha_and_mask(metric: Brightness, photo: Picture) -> None:
    alpha = torch.zeros(1, 1, *photo.size)
    alpha[..., :40] = 1.0
    cutout = Exhibit(dataclasses.replace(photo, alpha=alpha))
    nulls = score_nulls(Scorer([metric], backdrop="black"), cutout, style=grey(0.3), another=grey(0.9))
    assert list(nulls) == ["itself", "noise", "style", "another photo"]
    mean = float(photo.rgb[..., :40].mean()) / 2
    values = {name: scores[0].value for name, scores in nulls.items()}
    assert values["itself"] == 0
    assert values["style"] == pytest.approx(abs(0.15 - mean), abs=1e-3)
    assert values["another photo"] == pytest.approx(abs(0.45 - mean), abs=1e-3)
    assert values["noise"] == pytest.approx(abs(0.25 - mean), abs=5e-3)


def test_null_scores_use_the_mask(metric: Brightness, photo: Picture, box_mask: np.ndarray) -> None:
    exhibit = read_exhibit(photo, box_mask)
    nulls = score_nulls(Scorer([metric], part="subject", backdrop="black"), exhibit, another=grey(1.0))
    share = 400 / 4800
    expected = share * (1 - float(photo.rgb[..., 20:40, 30:50].mean()))
    assert nulls["another photo"][0].value == pytest.approx(expected, rel=0.05)
    assert "style" not in nulls


def test_the_other_photo_is_not_the_photo_itself(metric: Brightness) -> None:
    from skimage import data

    nulls = score_nulls(Scorer([metric]), read_exhibit(data.coffee()))
    assert nulls["another photo"][0].value > 0.01


@pytest.mark.parametrize(
    ("metrics", "error", "text"),
    [
        (["ssmi"], UnknownNameError, "Unknown metric 'ssmi'. Did you mean 'ssim'"),
        ([], OptionError, "each of them once; got none"),
        (["ssim", "color", "ssim"], OptionError, "each of them once; got ssim, color, ssim"),
    ],
)
def test_metrics_that_cannot_be_used(metrics: list[str], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        Scorer(metrics)


def test_a_picture_that_cannot_be_read_is_told(metric: Brightness) -> None:
    with pytest.raises(ImageReadError, match="no such file"):
        Scorer([metric]).score(grey(0.5), "missing.png")


def test_missing_weights_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("POCHOIR_HOME", str(tmp_path_factory.mktemp("empty")))
    with pytest.raises(WeightsMissingError, match="pochoir models pull vgg19"):
        Scorer(["gram"])
    assert Scorer(["ssim", "color"]).metrics
