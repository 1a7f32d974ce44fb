import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pochoir import imaging
from pochoir.encoders import VGG
from pochoir.imaging import Picture
from pochoir.similarity import Exhibit, Framing, Metric, Scorer, View, read_exhibit
from pochoir.similarity.shared_encoder import SharedEncoder
from pochoir.similarity.vgg import STYLE_LAYERS, ContentDistance, GramDistance, VggLikeness

METRICS = (VggLikeness, ContentDistance, GramDistance)


def view_of(rgb: torch.Tensor, weight: torch.Tensor | None = None) -> View:
    return View(rgb, weight, "key")


@pytest.mark.parametrize("make", METRICS)
def test_describing_many_is_describing_each(make: type, encoder: VGG, photo: Picture) -> None:
    metric = make(SharedEncoder(encoder))
    views = [view_of(photo.rgb), view_of(photo.rgb.flip(-1)), view_of(1 - photo.rgb)]
    for together, view in zip(metric.describe(views), views, strict=True):
        for one, other in zip(together, metric.describe([view])[0], strict=True):
            assert torch.equal(one, other)


@pytest.mark.parametrize("make", METRICS)
def test_the_order_of_two_pictures_does_not_matter(make: type, encoder: VGG, photo: Picture) -> None:
    metric = make(SharedEncoder(encoder))
    one, other = metric.describe([view_of(photo.rgb), view_of(photo.rgb.flip(-1))])
    there, back = metric.compare(one, other), metric.compare(other, one)
    assert there == pytest.approx(back)
    assert there.value != metric.compare(one, one).value


@pytest.mark.parametrize("make", METRICS)
def test_a_weight_of_ones_is_no_weight(make: type, encoder: VGG, photo: Picture) -> None:
    metric = make(SharedEncoder(encoder))
    plain, weighted = metric.describe([view_of(photo.rgb), view_of(photo.rgb, torch.ones(1, 1, *photo.size))])
    for one, other in zip(plain, weighted, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("make", METRICS)
@pytest.mark.parametrize("part", ["subject", "background", "edge"])
def test_what_lies_outside_of_the_part_does_not_count(
    make: type, part: str, encoder: VGG, photo: Picture, box_mask: np.ndarray
) -> None:
    metric: Metric = make(SharedEncoder(encoder))
    view = read_exhibit(photo, box_mask).view(Framing(part))
    outside = (view.weight == 0).expand_as(photo.rgb)
    noise = torch.rand(photo.rgb.shape, generator=torch.Generator().manual_seed(1))
    changed = imaging.load(torch.where(outside, noise, photo.rgb)[0].permute(1, 2, 0).numpy())
    assert not torch.equal(changed.rgb, photo.rgb)
    features = metric.describe([view, read_exhibit(changed, box_mask).view(Framing(part))])
    assert metric.compare(*features).euclidean == 0.0


@pytest.mark.parametrize("make", METRICS)
def test_swapped_channels_are_another_picture(make: type, encoder: VGG, photo: Picture) -> None:
    metric = make(SharedEncoder(encoder))
    features = metric.describe([view_of(photo.rgb), view_of(photo.rgb.flip(1))])
    assert metric.compare(*features).euclidean > 0


@pytest.mark.parametrize("make", METRICS)
def test_red_reaches_the_network_as_red(make: type, encoder: VGG, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.Tensor] = []
    forward = encoder.forward
    monkeypatch.setattr(encoder, "forward", lambda batch, layers: (seen.append(batch), forward(batch, layers))[1])
    red = np.zeros((40, 40, 3), np.uint8)
    red[..., 0] = 255
    make(SharedEncoder(encoder)).describe([read_exhibit(red).view(Framing())])
    assert seen[0].mean(dim=(0, 2, 3)).tolist() == [1.0, 0.0, 0.0]


def test_likeness_by_hand(encoder: VGG, photo: Picture) -> None:
    metric = VggLikeness(SharedEncoder(encoder))
    one, other = view_of(photo.rgb), view_of(photo.rgb.flip(-1).roll(7, -2))
    vectors = []
    for view in (one, other):
        features = encoder(view.rgb, [metric.layer])[metric.layer]
        deviation, mean = torch.std_mean(features, dim=(2, 3), keepdim=True, correction=0)
        least = 1e-3 * deviation.square().mean().sqrt()
        vectors.append(F.adaptive_avg_pool2d((features - mean) / (deviation + least), metric.grid).flatten())
    found = metric.compare(*metric.describe([one, other]))
    assert found.value == pytest.approx(100 * float(F.cosine_similarity(*vectors, dim=0)), rel=1e-4)
    assert found.value == 100 * found.cosine
    assert found.euclidean == pytest.approx(float((vectors[0] - vectors[1]).norm()), rel=1e-4)


def test_likeness_does_not_see_contrast_or_cast_of_channels(encoder: VGG, photo: Picture) -> None:
    """What AdaIN calls style: after it, each channel of the layer has another mean and deviation."""
    metric = VggLikeness(SharedEncoder(encoder))
    generator = torch.Generator().manual_seed(0)
    scale, shift = torch.rand(2, 8, 1, 1, generator=generator) + 0.5
    features = encoder(photo.rgb, [metric.layer])[metric.layer]

    class Restyled(torch.nn.Module):
        mean = encoder.mean

        def forward(self, _picture: torch.Tensor, layers: list[str]) -> dict[str, torch.Tensor]:
            return {layers[0]: features * scale + shift}

    (plain,), (restyled,) = (
        each.describe([view_of(photo.rgb)]) for each in (metric, VggLikeness(SharedEncoder(Restyled())))
    )
    assert metric.compare(plain, restyled).value > 99


def test_a_flat_picture_is_like_itself(encoder: VGG) -> None:
    metric = VggLikeness(SharedEncoder(encoder))
    flat = view_of(torch.full((1, 3, 64, 64), 0.5))
    assert metric.compare(*metric.describe([flat, flat])).value == 100


def test_gram_by_hand(encoder: VGG, photo: Picture) -> None:
    pictures = [photo.rgb, photo.rgb.flip(1)]
    distances = []
    for layer in STYLE_LAYERS:
        a, b = (encoder(rgb, [layer])[layer][0].flatten(1) for rgb in pictures)
        a, b = a @ a.T / a.shape[1], b @ b.T / b.shape[1]
        distances.append(float((a - b).square().sum() / (a.square().sum() + b.square().sum())))
    metric = GramDistance(SharedEncoder(encoder))
    found = metric.compare(*metric.describe([view_of(rgb) for rgb in pictures]))
    assert found.value == pytest.approx(sum(distances) / 5, rel=1e-3)


def test_style_is_what_is_left_when_places_are_changed(encoder: VGG) -> None:
    """A texture shifted by its period is the same style, and other content."""
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    texture = (0.5 + 0.4 * torch.stack([(x / 5).sin(), (y / 7).cos(), ((x + y) / 9).sin()]))[None]
    other = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    gram, content = GramDistance(SharedEncoder(encoder)), ContentDistance(SharedEncoder(encoder))
    shifted = [view_of(texture), view_of(texture.flip(-1, -2)), view_of(other)]
    in_style, in_content = gram.describe(shifted), content.describe(shifted)
    assert gram.compare(in_style[0], in_style[1]).value < 0.3 * gram.compare(in_style[0], in_style[2]).value
    assert content.compare(in_content[0], in_content[1]).value > gram.compare(in_style[0], in_style[1]).value


def test_pictures_of_other_shapes_are_compared(encoder: VGG, photo: Picture) -> None:
    metric = ContentDistance(SharedEncoder(encoder))
    (upright,) = metric.describe([Exhibit(photo).view(Framing(), pixels=64 * 64)])
    (wide,) = metric.describe([view_of(photo.rgb[..., :36, :])])
    assert math.isfinite(metric.compare(upright, wide).value)


def test_metrics_share_one_pass_for_each_picture(encoder: VGG, photo: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[int] = []
    forward = encoder.forward
    monkeypatch.setattr(encoder, "forward", lambda *arguments: (passes.append(1), forward(*arguments))[1])
    pictures = [Exhibit(photo), Exhibit(imaging.load(photo.rgb[0].permute(2, 1, 0).numpy()))]
    pairs = [(one, other) for one in pictures for other in pictures]
    names = ["vgg", "content", "gram"]
    together = Scorer(names, encoder=encoder).score_pairs(pairs)
    assert len(passes) == 2
    apart = [Scorer([name], encoder=encoder).score_pairs(pairs) for name in names]
    for index, scores in enumerate(together):
        assert list(scores) == [each[index][0] for each in apart]
