"""Whose colours each region takes."""

import pytest
import torch
from torch import Tensor

from pochoir.recipe import TransferSettings, Treatment
from pochoir.transfer import Region, Sample, iter_paint
from pochoir.transfer.color import luma, match_luma, with_luma_of
from pochoir.transfer.color_modes import Palette
from support.close import assert_close

WHOLE = torch.ones(1, 1, 40, 48)


def treated(color: str) -> Treatment:
    return Treatment(color, 1.0, ("relu3_1",))


def moments(picture: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and covariance in float64."""
    pixels, weights = picture[0].double().flatten(1), weight.double().flatten() / float(weight.sum())
    mean = (pixels * weights).sum(dim=1)
    centred = pixels - mean[:, None]
    return mean, torch.einsum("n,in,jn->ij", weights, centred, centred)


def chroma(picture: Tensor) -> Tensor:
    return picture - luma(picture)


@pytest.mark.parametrize("has_mask", [False, True])
def test_a_matched_style_has_the_colours_of_the_photos_region(has_mask, photo, style, left_half):
    mask = torch.rand(1, 1, 36, 44, generator=torch.Generator().manual_seed(1)) if has_mask else None
    palette = Palette(photo, [Region(left_half, [Sample(style, 2.0, mask)])], treated("match"))
    ((recoloured, share, kept_mask, *_),) = palette.regions[0].samples
    weight = torch.ones(1, 1, 36, 44) if mask is None else mask
    for actual, expected in zip(moments(recoloured, weight), moments(photo, left_half), strict=True):
        assert_close(actual, expected, rtol=2e-3, atol=2e-5)  # computed from float32 pixels; little varies in the photo
    assert (share, kept_mask) == (2.0, mask)
    assert palette.content is photo
    assert palette.restore(photo) is photo


def test_in_the_styles_colours_all_is_as_it_is(photo, style):
    palette = Palette(photo, [Region(WHOLE, [(style, 1.0)])], treated("style"))
    assert palette.content is photo
    assert palette.regions[0].samples[0].picture is style
    assert palette.restore(style) is style


def test_where_all_keep_the_photos_colours_brightness_alone_is_compared(photo, style, hard_box):
    regions = [Region(hard_box, [(style, 1.0)]), Region(1 - hard_box, [(style, 1.0)])]
    palette = Palette(photo, regions, treated("photo"))
    assert torch.equal(palette.content, luma(photo).expand(-1, 3, -1, -1))
    for region in palette.regions:
        assert torch.equal(region.samples[0].picture, match_luma(style, photo))
    assert torch.equal(palette.restore(1 - photo), with_luma_of(photo, 1 - photo))


def test_beside_a_region_in_colour_nothing_is_grey(photo, style, left_half):
    regions = [Region(left_half, [(style, 1.0)], treated("photo")), Region(1 - left_half, [(style, 1.0)])]
    palette = Palette(photo, regions, treated("style"))
    assert palette.content is photo
    for actual, expected in zip(
        moments(palette.regions[0].samples[0].picture, torch.ones(1, 1, 36, 44)), moments(photo, left_half), strict=True
    ):
        assert_close(actual, expected, rtol=2e-3, atol=2e-5)
    assert palette.regions[1].samples[0].picture is style


def test_the_photos_chroma_comes_back_by_the_matte(photo, style, left_half):
    regions = [Region(left_half, [(style, 1.0)], treated("photo")), Region(1 - left_half, [(style, 1.0)])]
    grain = torch.rand(photo.shape, generator=torch.Generator().manual_seed(8))
    photo, painted = 0.2 * photo + 0.4, 0.2 * grain + 0.4  # so that nothing is clipped
    restored = Palette(photo, regions, treated("style")).restore(painted)
    assert_close(luma(restored), luma(painted))
    assert_close(chroma(restored), left_half * chroma(photo) + (1 - left_half) * chroma(painted), atol=1e-6)
    outside = (left_half == 0).expand(1, 3, -1, -1)
    assert torch.equal(restored[outside], painted[outside])


def paint(photo: Tensor, regions: list[Region], encoder, settings: TransferSettings) -> Tensor:
    *_, step = iter_paint(photo, regions, encoder, settings)
    return step.picture()


def test_matched_strokes_come_in_the_photos_colours(photo, style, encoder, quick):
    kept, taken = (
        paint(photo, [Region(WHOLE, [(style, 1.0)])], encoder, quick(steps=10, color=color))
        for color in ("match", "style")
    )
    means = [picture.mean(dim=(2, 3)) for picture in (photo, kept, taken)]
    assert float((means[1] - means[0]).abs().max()) < 0.03
    assert float((means[2] - means[0]).abs().max()) > 0.1
    assert float((luma(kept) - luma(photo)).abs().mean()) > 0.02  # and strokes there are


def test_a_region_keeps_the_photos_colours_beside_one_in_a_styles(photo, style, left_half, encoder, quick):
    photo, red = 0.3 * photo + 0.35, torch.tensor([0.9, 0.2, 0.2]).view(1, 3, 1, 1).expand(1, 3, 36, 44)
    red = red - 0.1 * style
    background = Region(1 - left_half, [(red, 1.0)])
    subject = Region(left_half, [(style * 0.3 + 0.3, 1.0)], treated("photo"))
    picture = paint(photo, [subject, background], encoder, quick(steps=8))
    inside, outside = left_half == 1, left_half == 0
    difference = (chroma(picture) - chroma(photo)).abs().amax(dim=1, keepdim=True)
    assert float(difference[inside].max()) < 1e-4
    assert float((luma(picture) - luma(photo))[inside].abs().mean()) > 0.01
    # No grey rim: right beside the subject the background has the colours that it has without one.
    alone = paint(photo, [background], encoder, quick(steps=8))
    rim = outside & (torch.arange(48) < 32)
    strength, without = (chroma(p).square().sum(dim=1, keepdim=True).sqrt()[rim].mean() for p in (picture, alone))
    assert float(strength) > 0.9 * float(without)
