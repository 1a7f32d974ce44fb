import pytest
import torch

from pochoir.transfer.color import luma, match_color, match_luma, with_luma_of
from support.close import assert_close


def colours(seed: int, size: tuple[int, int] = (9, 11)) -> torch.Tensor:
    """Noise whose channels go partly together."""
    generator = torch.Generator().manual_seed(seed)
    mix = torch.rand(3, 3, generator=generator) * 0.5
    raw = torch.rand(3, size[0] * size[1], generator=generator)
    return (mix @ raw + 0.1).view(1, 3, *size)


def moments(picture: torch.Tensor, weight: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and covariance in float64, pixel by pixel."""
    pixels = picture[0].double().flatten(1).T
    weights = torch.ones(len(pixels)).double() if weight is None else weight.double().flatten()
    mean = sum(w * p for w, p in zip(weights, pixels, strict=True)) / weights.sum()
    outer = sum(w * torch.outer(p - mean, p - mean) for w, p in zip(weights, pixels, strict=True))
    return mean, outer / weights.sum()


def test_luma_by_hand():
    pixels = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 1.0, 1.0]]).T.view(1, 3, 2, 2)
    assert_close(luma(pixels), torch.tensor([0.299, 0.587, 0.114, 1.0]).view(1, 1, 2, 2))


def test_match_color_reaches_the_targets_moments():
    mapped = match_color(colours(0), colours(1, (7, 5)))
    for actual, expected in zip(moments(mapped), moments(colours(1, (7, 5))), strict=True):
        assert_close(actual, expected, rtol=1e-3, atol=1e-5)  # computed from float32 pixels


def test_weighted_match_color_reaches_them_where_the_weight_is():
    weight = torch.rand(1, 1, 9, 11, generator=torch.Generator().manual_seed(2))
    weight[..., :4] = 0.0
    mapped = match_color(colours(0), colours(1), weight)
    for actual, expected in zip(moments(mapped, weight), moments(colours(1)), strict=True):
        assert_close(actual, expected, rtol=1e-3, atol=1e-5)  # computed from float32 pixels
    assert not torch.allclose(moments(mapped)[0], moments(colours(1))[0], atol=1e-3)


def test_pixels_without_weight_do_not_count_but_are_mapped():
    weight = torch.ones(1, 1, 9, 11)
    weight[..., 0, 0] = 0.0
    odd = colours(0)
    odd[..., 0, 0] = 50.0
    assert_close(
        match_color(odd, colours(1), weight).flatten(2)[..., 1:],
        match_color(colours(0), colours(1), weight).flatten(2)[..., 1:],
    )
    assert not torch.allclose(match_color(odd, colours(1), weight)[..., 0, 0], odd[..., 0, 0])


def test_match_color_with_itself_changes_nothing():
    assert_close(match_color(colours(0), colours(0)), colours(0), atol=1e-4)  # two roots in float32 between


@pytest.mark.parametrize("flat_is", ["picture", "target", "both"])
def test_a_flat_picture_stays_finite_and_takes_the_mean(flat_is):
    flat, lively = torch.full((1, 3, 5, 6), 0.25), colours(1)
    picture = lively if flat_is == "target" else flat
    target = lively if flat_is == "picture" else torch.full((1, 3, 2, 2), 0.75)
    mapped = match_color(picture, target)
    assert torch.isfinite(mapped).all()
    assert_close(mapped.mean(dim=(2, 3)), target.mean(dim=(2, 3)))
    assert float((mapped - mapped.mean(dim=(2, 3), keepdim=True)).abs().max()) < 1.5


def test_one_pixel_takes_the_mean():
    assert_close(match_color(torch.rand(1, 3, 1, 1), colours(1))[0, :, 0, 0], colours(1).mean(dim=(2, 3))[0])


def test_match_luma_reaches_mean_and_spread():
    photo = colours(3, (8, 6))
    grey = match_luma(colours(1), photo)
    assert grey.shape == (1, 3, 9, 11)
    assert torch.equal(grey[:, 0], grey[:, 1])
    assert torch.equal(grey[:, 0], grey[:, 2])
    assert_close(grey[:, :1].mean(), luma(photo).mean())
    assert_close(grey[:, :1].std(correction=0), luma(photo).std(correction=0))


def test_match_luma_of_a_flat_style_is_flat():
    grey = match_luma(torch.full((1, 3, 4, 4), 0.9), colours(0))
    assert_close(grey, luma(colours(0)).mean().expand(1, 3, 4, 4), atol=1e-3)  # rounding of the mean is enlarged


def test_with_luma_of_keeps_the_chroma_and_takes_the_luma():
    photo = colours(0) * 0.3 + 0.35
    pastiche = colours(1) * 0.3 + 0.35
    joined = with_luma_of(photo, pastiche)
    assert_close(luma(joined), luma(pastiche))
    assert_close(joined[:, 0] - joined[:, 1], photo[:, 0] - photo[:, 1])
    assert_close(joined[:, 2] - joined[:, 1], photo[:, 2] - photo[:, 1])


def test_with_luma_of_is_clipped():
    joined = with_luma_of(torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1), torch.ones(1, 3, 1, 1))
    assert torch.equal(joined.flatten(), torch.tensor([1.0, 0.701, 0.701]))
