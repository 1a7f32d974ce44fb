"""The look is taken from a part of a style picture."""

import pytest
import torch

from pochoir.errors import EmptyRegionError
from pochoir.recipe import TransferSettings
from pochoir.transfer import Region, Sample, iter_paint
from pochoir.transfer.criterion import Criterion, StyledRegion
from pochoir.transfer.features import WHOLE_PX
from pochoir.transfer.pyramid import Level
from pochoir.transfer.targets import style_grams
from support.close import assert_close

LAYERS = ("relu1_1", "relu2_1", "relu3_1")
WHOLE = torch.ones(1, 1, 40, 48)


@pytest.fixture
def mask() -> torch.Tensor:
    """For a style of 36 rows and 44 columns: its upper left, with a soft edge."""
    across = ((30.0 - torch.arange(44.0)) / 8.0).clamp(0.0, 1.0).expand(36, 44).clone()
    across[20:] = 0.0
    return across[None, None]


@pytest.fixture
def two_coloured() -> tuple[torch.Tensor, torch.Tensor]:
    """A style that is red on the left and blue on the right, with the mask of its left."""
    style = torch.rand(1, 3, 36, 44, generator=torch.Generator().manual_seed(3)) * 0.2
    style[:, 0, :, :22] += 0.7
    style[:, 2, :, 22:] += 0.7
    mask = torch.zeros(1, 1, 36, 44)
    mask[..., :22] = 1.0
    return style, mask


class TestTargets:
    @pytest.mark.parametrize("most_px", [WHOLE_PX, 1.0])
    def test_by_hand(self, style, mask, encoder, most_px):
        grams = style_grams([Sample(style, 1.0, mask)], encoder, LAYERS, most_px=most_px)
        features = encoder(style, LAYERS)
        for layer, side in zip(LAYERS, (1, 2, 4), strict=True):
            maps = features[layer][0]
            expected, total = torch.zeros(len(maps), len(maps)), 0.0
            for row in range(maps.shape[1]):
                for column in range(maps.shape[2]):
                    cell = mask[0, 0, row * side : (row + 1) * side, column * side : (column + 1) * side]
                    weight = float(cell.mean())
                    expected += weight * torch.outer(maps[:, row, column], maps[:, row, column])
                    total += weight
            assert_close(grams[layer][0], expected / total)

    def test_a_full_mask_is_none(self, style, encoder):
        masked = style_grams([Sample(style, 1.0, torch.ones(1, 1, 36, 44))], encoder, LAYERS)
        plain = style_grams([(style, 1.0)], encoder, LAYERS)
        assert all(torch.equal(masked[layer], plain[layer]) for layer in LAYERS)

    def test_two_parts_share_out_the_whole(self, style, mask, encoder):
        parts = [style_grams([Sample(style, 1.0, part)], encoder, LAYERS) for part in (mask, 1.0 - mask)]
        whole, share = style_grams([(style, 1.0)], encoder, LAYERS), float(mask.mean())
        for layer in LAYERS:
            assert_close(share * parts[0][layer] + (1.0 - share) * parts[1][layer], whole[layer])

    def test_what_is_far_from_the_white_part_does_not_matter(self, style, encoder):
        left = torch.zeros(1, 1, 36, 44)
        left[..., :12] = 1.0
        other = style.clone()
        other[..., 32:] = 0.0  # relu3_1 looks 16 pixels around
        for layer, matrix in style_grams([Sample(style, 1.0, left)], encoder, LAYERS).items():
            assert torch.equal(style_grams([Sample(other, 1.0, left)], encoder, LAYERS)[layer], matrix)

    def test_a_mask_too_small_for_every_layer(self, style, encoder):
        dot = torch.zeros(1, 1, 36, 44)
        dot[..., 5, 5] = 0.4
        with pytest.raises(EmptyRegionError, match=r"A style mask leaves 0\.4 pixels of its style .* larger --size"):
            style_grams([Sample(style, 1.0, dot)], encoder, LAYERS)

    def test_a_mask_too_small_for_deep_layers(self, photo, style, encoder, quick):
        dot = torch.zeros(1, 1, 36, 44)
        dot[..., 6:8, 6:9] = 1.0  # 6 pixels: one and a half positions of relu2_1, less than a half of relu3_1
        grams = style_grams([Sample(style, 1.0, dot)], encoder, LAYERS)
        assert set(grams) == {"relu1_1", "relu2_1"}
        criterion = Criterion(photo, [StyledRegion(WHOLE, grams)], encoder, quick())
        assert criterion.notes == ("a style mask is too small for relu3_1; the style is taken from other layers",)
        assert torch.isfinite(criterion(1.0 - photo).total)

    def test_such_a_layer_is_taken_from_the_other_styles(self, photo, style, encoder):
        dot = torch.zeros(1, 1, 36, 44)
        dot[..., 6:8, 6:9] = 1.0
        blend = style_grams([Sample(style, 1.0, dot), (photo, 3.0)], encoder, LAYERS)
        of_dot, of_photo = (style_grams([s], encoder, LAYERS) for s in (Sample(style, 1.0, dot), (photo, 1.0)))
        assert_close(blend["relu1_1"], 0.25 * of_dot["relu1_1"] + 0.75 * of_photo["relu1_1"])
        assert torch.equal(blend["relu3_1"], of_photo["relu3_1"])


def test_the_mask_is_scaled_with_its_style(photo, style, mask):
    level = Level(photo, [Region(WHOLE, [Sample(style, 2.0, mask)])], style_scale=2.0, frame_px=1600.0)
    scaled = level.scale_style(level.regions[0].samples[0])
    assert scaled.picture.shape[-2:] == scaled.mask.shape[-2:] == (72, 88)
    assert (scaled.share, float(scaled.mask.min()), float(scaled.mask.max())) == (2.0, 0.0, 1.0)
    assert float(scaled.mask.mean()) == pytest.approx(float(mask.mean()), rel=1e-3)


@pytest.mark.parametrize("still", [True, False])
def test_the_colours_are_those_of_the_white_part(two_coloured, photo, encoder, quick, still):
    """At the start, and after some steps."""
    style, left = two_coloured
    weights = {"content_weight": 0.0, "style_weight": 0.0, "tv_weight": 0.0} if still else {}
    settings = TransferSettings(steps=1, **weights) if still else quick(steps=8)
    for mask, channel in ((left, 0), (1.0 - left, 2)):
        *_, step = iter_paint(photo, [Region(WHOLE, [Sample(style, 1.0, mask)])], encoder, settings)
        means = step.picture().mean(dim=(2, 3))[0]
        assert int(means.argmax()) == channel
        assert float(means[channel]) > 0.65
        assert float(means[2 - channel]) < 0.25


def test_brightness_is_measured_in_the_white_part(photo, encoder):
    """A style of a dark and a bright half, of which one is taken, lies as bright on the photo as the other."""
    style = torch.rand(1, 1, 36, 44, generator=torch.Generator().manual_seed(2)).expand(1, 3, -1, -1) * 0.2
    style = style + (torch.arange(44) >= 22) * 0.7
    left = (torch.arange(44.0) < 22).float().expand(1, 1, 36, 44)
    settings = TransferSettings(steps=1, color="photo", style_layers=("relu1_1",), content_layers=())
    pictures = []
    for mask in (left, 1.0 - left):
        *_, step = iter_paint(photo, [Region(WHOLE, [Sample(style, 1.0, mask)])], encoder, settings)
        pictures.append(step.picture())
    assert abs(float(pictures[0].mean() - pictures[1].mean())) < 0.02
