"""LPIPS and DISTS: by hand with small networks, and against values that other packages gave with trained weights."""

import importlib.util
import json
import pickle
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pochoir import imaging, similarity, weights
from pochoir.errors import UnknownNameError, WeightsError, WeightsMissingError
from pochoir.imaging import Picture
from pochoir.similarity import Framing, View, read_exhibit
from pochoir.similarity.perceptual import Dists, DistsWeights, Lpips, load_perceptual

HERE = Path(__file__).parent
TRAINED = ("lpips", "lpips:vgg", "dists")
RECORDED = json.loads((HERE / "perceptual_values.json").read_text())


def load_recorder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("record_perceptual", HERE / "record_perceptual.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def view_of(rgb: torch.Tensor, weight: torch.Tensor | None = None) -> View:
    return View(rgb, weight, "key")


def pooled(picture: torch.Tensor) -> list[torch.Tensor]:
    """A network without weights: the picture, and the picture at half its size with a channel more."""
    half = F.avg_pool2d(picture, 2)
    return [picture, torch.cat([half, half.mean(dim=1, keepdim=True)], dim=1)]


def small_lpips() -> Lpips:
    return Lpips("small", pooled, [torch.full((1, 3, 1, 1), 2.0), torch.full((1, 4, 1, 1), 0.5)])


def small_dists() -> Dists:
    channels = (3, 3, 4)
    return Dists(
        pooled,
        DistsWeights(*([torch.full((1, count, 1, 1), 1 / 20, dtype=torch.float64) for count in channels],) * 2),
    )


SMALL = {"lpips": small_lpips, "dists": small_dists}


def test_lpips_by_hand() -> None:
    one, other = (torch.tensor(color).view(1, 3, 1, 1).expand(1, 3, 32, 32) for color in ((0.6, 0.8, 0), (0, 1.0, 0)))
    metric = small_lpips()
    # Unit vectors (.6, .8, 0) and (0, 1, 0) differ by .36 + .04; the fourth channel is the mean.
    a, b = np.array([0.6, 0.8, 0, 1.4 / 3]), np.array([0, 1.0, 0, 1 / 3])
    coarse = np.square(a / np.linalg.norm(a) - b / np.linalg.norm(b)).sum()
    assert metric.compare(*metric.describe([view_of(one), view_of(other)])).value == pytest.approx(
        2.0 * 0.4 + 0.5 * coarse, rel=1e-5
    )


def test_dists_by_hand() -> None:
    """One channel counts, at the picture's own scale."""
    wanted = [torch.zeros(1, count, 1, 1, dtype=torch.float64) for count in (3, 3, 4)]
    wanted[0][0, 1] = 0.5
    metric = Dists(pooled, DistsWeights(wanted, wanted))
    one, other = (torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2))
    a, b = one[0, 1].double().numpy(), other[0, 1].double().numpy()
    means = (2 * a.mean() * b.mean() + 1e-6) / (a.mean() ** 2 + b.mean() ** 2 + 1e-6)
    spreads = (2 * ((a - a.mean()) * (b - b.mean())).mean() + 1e-6) / (a.var() + b.var() + 1e-6)
    found = metric.compare(*metric.describe([view_of(one), view_of(other)])).value
    assert found == pytest.approx(1 - 0.5 * means - 0.5 * spreads, abs=1e-6)


@pytest.mark.parametrize("make", SMALL.values(), ids=SMALL)
class TestEveryPerceptualDistance:
    def test_equal_pictures_are_at_distance_0_and_order_does_not_matter(self, make, photo: Picture) -> None:
        metric = make()
        one, other = metric.describe([view_of(photo.rgb), view_of(photo.rgb.flip(-1))])
        assert metric.compare(one, one).value == pytest.approx(0.0, abs=1e-7)
        assert metric.compare(one, other).value == pytest.approx(metric.compare(other, one).value)
        assert metric.compare(one, other).value > 1e-3

    def test_pixels_outside_of_the_part_do_not_count(self, make, photo: Picture, box_mask: np.ndarray) -> None:
        metric = make()
        view = read_exhibit(photo, box_mask).view(Framing("subject"))
        noise = torch.rand(photo.rgb.shape, generator=torch.Generator().manual_seed(1))
        outside = torch.where((view.weight == 0).expand_as(noise), noise, photo.rgb)
        changed = imaging.load(outside[0].permute(1, 2, 0).numpy())
        inside = torch.where((view.weight == 0).expand_as(noise), photo.rgb, noise)
        inside_changed = imaging.load(inside[0].permute(1, 2, 0).numpy())
        views = [view, *(read_exhibit(each, box_mask).view(Framing("subject")) for each in (changed, inside_changed))]
        own, untouched, touched = metric.describe(views)
        assert metric.compare(own, untouched).value == pytest.approx(0.0, abs=1e-7)
        assert metric.compare(own, touched).value > 0.01

    def test_a_weight_of_ones_is_no_weight(self, make, photo: Picture) -> None:
        metric = make()
        ones = torch.ones(1, 1, *photo.size)
        plain = metric.describe([view_of(photo.rgb), view_of(photo.rgb.flip(-1))])
        weighted = metric.describe([view_of(photo.rgb, ones), view_of(photo.rgb.flip(-1), ones)])
        assert metric.compare(*plain).value == pytest.approx(metric.compare(*weighted).value, rel=1e-5)

    def test_two_shapes_are_compared_at_the_smaller_one(self, make, photo: Picture) -> None:
        metric = make()
        taller = imaging.resize(photo.rgb, imaging.load(np.zeros((90, 80, 3), np.uint8)).size)
        one, other = metric.describe([view_of(photo.rgb), view_of(taller)])
        assert metric.compare(one, other).value < 0.02


def test_a_picture_that_is_compared_with_many_goes_through_the_network_once() -> None:
    seen: list[torch.Tensor] = []

    def network(picture: torch.Tensor) -> list[torch.Tensor]:
        seen.append(picture)
        return [picture]

    metric = Lpips("counted", network, [torch.ones(1, 3, 1, 1)])
    target, *others = metric.describe([view_of(torch.full((1, 3, 32, 32), level)) for level in (0.1, 0.2, 0.3, 0.4)])
    for other in others:
        metric.compare(target, other)
    assert len(seen) == 4


def test_an_unknown_variant_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown metric 'lpips:vg'\. Did you mean 'lpips:vgg'\?"):
        similarity.create_metrics(["lpips:vg"])


@pytest.mark.parametrize(("name", "file"), [("lpips", "alexnet"), ("lpips:vgg", "vgg16"), ("dists", "dists")])
def test_missing_weights_say_how_to_get_them(name: str, file: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("POCHOIR_HOME", str(tmp_path))
    with pytest.raises(WeightsMissingError, match=f"pochoir models pull {file}"):
        load_perceptual(name)


@pytest.mark.parametrize("content", [b"no pickle", pickle.dumps({"a": {}}, protocol=2), pickle.dumps([1], protocol=2)])
@pytest.mark.parametrize(("name", "file"), [("lpips", "alexnet"), ("dists", "dists")])
def test_damaged_weights_are_told(name: str, file: str, content: bytes, tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(content)
    monkeypatch.setattr(weights, "where", lambda name: path)
    with pytest.raises(WeightsError, match=f"weights.bin is damaged or not {file}'s .* pochoir models pull {file}"):
        load_perceptual(name)


@pytest.mark.weights
@pytest.mark.parametrize("name", TRAINED)
def test_trained_metrics_agree_with_the_packages_of_their_authors(name: str) -> None:
    metric = load_perceptual(name)
    for pair, (one, other) in load_recorder().draw_pairs().items():
        views = [view_of(torch.from_numpy(each).permute(2, 0, 1)[None].float() / 255) for each in (one, other)]
        assert metric.compare(*metric.describe(views)).value == pytest.approx(RECORDED[pair][name], abs=1e-4), pair


@pytest.mark.weights
@pytest.mark.parametrize("name", TRAINED)
def test_trained_metrics_score_a_part_by_name(name: str, photo: Picture, box_mask: np.ndarray) -> None:
    blurred = F.avg_pool2d(F.pad(photo.rgb, (4, 4, 4, 4), mode="reflect"), 9, stride=1)
    other = imaging.load(blurred[0].permute(1, 2, 0).numpy())
    (itself,), (found,) = (
        similarity.score(photo, each, metrics=[name], mask=box_mask, part="subject") for each in (photo, other)
    )
    assert itself.value == pytest.approx(0.0, abs=1e-6)
    assert (found.value > 0.01, found.closer, found.metric) == (True, "lower", name)


@pytest.mark.weights
def test_lpips_without_a_variant_is_that_on_alexnet(photo: Picture) -> None:
    flipped = imaging.load(photo.rgb.flip(-1)[0].permute(1, 2, 0).numpy())
    short, long = similarity.score(photo, flipped, metrics=["lpips", "lpips:alex"])
    assert short.value == long.value
