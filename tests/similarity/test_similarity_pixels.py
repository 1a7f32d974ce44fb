import dataclasses

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance
from skimage.color import rgb2lab
from skimage.metrics import structural_similarity

from pochoir.imaging import Picture
from pochoir.similarity import View
from pochoir.similarity.pixels import ColorDistance, StructuralSimilarity


def compare(metric: StructuralSimilarity | ColorDistance, *views: View) -> float:
    return metric.compare(*metric.describe(list(views))).value


@pytest.fixture
def noisy(photo: Picture) -> torch.Tensor:
    noise = torch.randn(photo.rgb.shape, generator=torch.Generator().manual_seed(0))
    return (photo.rgb + 0.1 * noise).clamp(0, 1)


def test_ssim_is_scikit_images(photo: Picture, noisy: torch.Tensor) -> None:
    a, b = (rgb[0].permute(1, 2, 0).double().numpy() for rgb in (photo.rgb, noisy))
    map_of = structural_similarity(
        *(a, b),
        data_range=1.0,
        channel_axis=2,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )[1]
    views = View(photo.rgb, None, "a"), View(noisy, None, "b")
    assert compare(StructuralSimilarity(), *views) == pytest.approx(map_of.mean())
    weight = torch.zeros(1, 1, *photo.size)
    weight[..., 20:40, 30:50] = 1.0
    parts = [dataclasses.replace(view, weight=weight) for view in views]
    assert compare(StructuralSimilarity(), *parts) == pytest.approx(map_of[20:40, 30:50].mean())


def test_ssim_of_itself_is_one_and_its_order_does_not_matter(photo: Picture, noisy: torch.Tensor) -> None:
    one, other = View(photo.rgb, None, "a"), View(noisy[..., :50, :], None, "b")
    assert compare(StructuralSimilarity(), one, one) == pytest.approx(1.0)
    assert compare(StructuralSimilarity(), one, other) == pytest.approx(compare(StructuralSimilarity(), other, one))


def test_colour_distance_is_the_mean_of_wasserstein_distances(photo: Picture, noisy: torch.Tensor) -> None:
    from pochoir.similarity.pixels import _directions

    a, b = (rgb2lab(rgb[0].permute(1, 2, 0).numpy()).reshape(-1, 3) for rgb in (photo.rgb, noisy))
    expected = np.mean([wasserstein_distance(a @ direction, b @ direction) for direction in _directions().numpy()])
    found = compare(ColorDistance(), View(photo.rgb, None, "a"), View(noisy, None, "b"))
    assert found == pytest.approx(expected, rel=0.02)  # ours has 256 quantiles


def test_colour_distance_of_flat_pictures_is_how_far_their_colours_are() -> None:
    greys = [torch.full((1, 3, 40, 40), value) for value in (0.4, 0.5)]
    lightness = [rgb2lab(np.full(3, value))[0] for value in (0.4, 0.5)]
    found = compare(ColorDistance(), *(View(rgb, None, "") for rgb in greys))
    # The mean length of a unit vector's component along an axis, over all directions, is one half.
    assert found == pytest.approx(abs(lightness[0] - lightness[1]) / 2, rel=0.01)


def test_colour_distance_does_not_see_where_colours_are(photo: Picture) -> None:
    order = torch.randperm(60 * 80, generator=torch.Generator().manual_seed(2))
    shuffled = photo.rgb.flatten(2)[..., order].view_as(photo.rgb)
    assert compare(ColorDistance(), View(photo.rgb, None, "a"), View(shuffled, None, "b")) == pytest.approx(0, abs=1e-4)


def test_colours_count_by_their_weight(photo: Picture) -> None:
    left = torch.zeros(1, 1, *photo.size)
    left[..., :40] = 1.0
    masked = View(photo.rgb, left, "a")
    cut = View(photo.rgb[..., :40].contiguous(), None, "b")
    assert compare(ColorDistance(), masked, cut) == pytest.approx(0, abs=1e-3)


def test_swapped_channels_are_other_colours(photo: Picture) -> None:
    assert compare(ColorDistance(), View(photo.rgb, None, "a"), View(photo.rgb.flip(1), None, "b")) > 5
