import pytest
import torch
from torch import Tensor

from pochoir._types import Size
from pochoir.encoders import VGG
from pochoir.recipe import Treatment
from pochoir.transfer import Region, Step, iter_paint
from pochoir.transfer.criterion import Criterion, StyledRegion
from pochoir.transfer.pyramid import Level, carry_over
from pochoir.transfer.region_images import DILATION_PX, RegionsCriterion, merge_regions, split_regions
from pochoir.transfer.targets import style_grams
from support.close import assert_close

RED, BLUE = (torch.tensor(color).view(1, 3, 1, 1) for color in ([0.9, 0.1, 0.1], [0.1, 0.1, 0.9]))
WHOLE = torch.ones(1, 1, 40, 48)


def level_of(photo: Tensor, mattes: list[Tensor], style: Tensor) -> Level:
    return Level(photo, [Region(matte, [(style, 1.0)]) for matte in mattes], style_scale=1.0, frame_px=40.0 * 48.0)


def soft_and_hard(left_half: Tensor) -> list[Tensor]:
    return [left_half, left_half.round()]


@pytest.mark.parametrize("edge", [0, 1], ids=["soft", "hard"])
def test_nothing_of_the_other_side_is_in_a_region_s_own_photo(edge, left_half, style):
    matte = soft_and_hard(left_half)[edge]
    photo = matte * RED + (1 - matte) * BLUE
    left, right = split_regions(level_of(photo, [matte, 1 - matte], style))
    assert_close(left.photo, RED.expand(1, 3, 40, 48), atol=0.02)
    assert_close(right.photo, BLUE.expand(1, 3, 40, 48), atol=0.02)


def test_a_region_is_painted_a_little_beyond_its_silhouette(hard_box, photo, style):
    (part,) = split_regions(level_of(photo, [hard_box], style))
    reached = part.regions[0].matte
    assert float(reached[..., 8 - DILATION_PX :, 10 - DILATION_PX].min()) == 1.0
    assert float(reached[..., 10 - DILATION_PX - 1].max()) == 0.0


def test_a_region_that_fills_the_picture_stays_what_it_is(photo, style):
    level = level_of(photo, [WHOLE], style)
    (part,) = split_regions(level)
    assert torch.equal(part.photo, photo)
    assert torch.equal(part.regions[0].matte, WHOLE)
    assert torch.equal(merge_regions(photo, level), photo)


def test_thin_parts_keep_their_colour(style):
    hair = torch.zeros_like(WHOLE)
    hair[..., 4:36, 20] = 0.6
    hair[..., 30:36, 15:26] = 1.0
    photo = hair * RED + (1 - hair) * BLUE
    level = level_of(photo, [hair, 1 - hair], style)
    parts = split_regions(level)
    assert_close(parts[0].photo[..., 4:36, 20], RED[..., 0].expand(1, 3, 32), atol=0.1)
    assert_close(merge_regions(torch.cat([part.photo for part in parts]), level), photo, atol=0.05)


def test_together_they_make_the_photo_where_nothing_is_painted(hard_box, photo, style):
    level = level_of(photo, [hard_box], style)
    picture = merge_regions(1 - photo, level)
    assert torch.equal(picture, torch.where(hard_box > 0, 1 - photo, photo))


def test_enlarging_leaves_the_silhouette_sharp(left_half, style):
    matte = left_half.round()
    fine = level_of(matte * RED + (1 - matte) * BLUE, [matte, 1 - matte], style)
    coarse = fine.at(Size(20, 24))
    parts, fine_parts = split_regions(coarse), split_regions(fine)
    swapped = torch.cat([BLUE.expand(1, 3, 20, 24), RED.expand(1, 3, 20, 24)])  # painted in quite other colours
    picture = merge_regions(carry_over(parts, swapped, fine_parts), fine)
    assert_close(picture, matte * BLUE + (1 - matte) * RED, atol=0.08)  # 0.8 apart


@pytest.mark.parametrize("regions", ["the picture", "one side", "both sides"])
def test_value_and_gradient_are_the_mean_of_the_regions_own(regions, photo, style, encoder, quick, left_half):
    settings, side = quick(), left_half.round()
    mattes = {"the picture": [WHOLE], "one side": [side], "both sides": [side, 1 - side]}[regions]
    areas = [float(matte.sum()) for matte in mattes]
    level = level_of(photo, mattes, style)
    parts = split_regions(level)

    def build(part: Level) -> Criterion:
        grams = style_grams([(style, 1.0)], encoder, settings.style_layers)
        return Criterion(part.photo, [StyledRegion(part.regions[0].matte, grams)], encoder, settings)

    layers = torch.cat([1 - photo] * len(mattes)).requires_grad_()
    terms = RegionsCriterion(level, parts, build)(layers)
    (gradient,) = torch.autograd.grad(terms.total, layers)
    expected = torch.zeros(())
    for index, part in enumerate(parts):
        window = RegionsCriterion(level, parts, build).windows[index]
        share = areas[index] / sum(areas)
        expected = expected + share * build(part.within(window))(window.cut(layers[index : index + 1])).total
    (expected_gradient,) = torch.autograd.grad(expected, layers)
    assert_close(terms.total.detach(), expected.detach())
    assert terms.numbers().total == pytest.approx(float(expected.detach()))
    assert_close(gradient, expected_gradient)


@pytest.fixture
def shown(monkeypatch) -> list[int]:
    """How many pictures the encoder has been shown at each call."""
    counts, show = [], VGG.forward_many

    def count(self: VGG, pictures, layers, *, largest_px: float = 0.0):
        counts.append(len(pictures))
        return show(self, pictures, layers, largest_px=largest_px)

    monkeypatch.setattr(VGG, "forward_many", count)
    return counts


def test_one_after_the_other_where_both_are_too_many_for_the_memory(photo, style, encoder, quick, left_half, shown):
    settings, side = quick(), left_half.round()
    level = level_of(photo, [side, 1 - side], style)
    grams = style_grams([(style, 1.0)], encoder, settings.style_layers)
    results = []
    for most_px in (1e6, 40 * 48):

        def build(part: Level, most_px: float = most_px) -> Criterion:
            regions = [StyledRegion(part.regions[0].matte, grams)]
            return Criterion(part.photo, regions, encoder, settings, most_px=most_px)

        objective = RegionsCriterion(level, split_regions(level), build)
        shown.clear()
        layers = torch.cat([1 - photo] * 2).requires_grad_()
        terms = objective(layers)
        results.append((terms.numbers(), *torch.autograd.grad(terms.total, layers), shown[:]))
    (together, one, is_batched), (apart, other, in_turns) = results
    assert together == pytest.approx(apart, rel=1e-5)
    assert_close(one, other)
    assert (is_batched, in_turns) == ([2], [1, 1])


@pytest.mark.parametrize(("deepest", "calls"), [("relu5_1", [2]), ("pool5", [1, 1])])
def test_regions_with_layers_of_their_own_are_shown_at_once_if_all_fit(
    deepest, calls, photo, encoder, quick, hard_box, shown, monkeypatch
):
    """The window of the box has 16 rows and columns: one position of relu5_1 and none of pool5."""
    matte = torch.zeros_like(hard_box)
    matte[..., 16:32, 16:24] = 1.0
    regions = [
        Region(matte, [], Treatment("style", 1.0, ("relu2_1",))),
        Region(1 - matte, [], Treatment("style", 1.0, ("relu3_1", deepest))),
    ]
    level = Level(photo, regions, style_scale=1.0, frame_px=40.0 * 48.0)
    monkeypatch.setattr("pochoir.transfer.region_images.DILATION_PX", 0)

    def build(part: Level) -> Criterion:
        (region,) = part.regions
        styled = [StyledRegion(region.matte, {}, region.treatment)]
        return Criterion(part.photo, styled, encoder, quick(style_layers=()))

    objective = RegionsCriterion(level, split_regions(level), build)
    shown.clear()
    layers = torch.cat([1 - photo] * 2).requires_grad_()
    terms = objective(layers)
    assert shown == calls
    is_batched, (gradient,) = terms.numbers(), torch.autograd.grad(terms.total, layers)
    objective.is_batched = False
    terms = objective(layers)
    assert is_batched == pytest.approx(terms.numbers(), rel=1e-5)
    assert_close(gradient, *torch.autograd.grad(terms.total, layers))


class TestOverScales:
    """Painting in several scales, so that regions are painted apart first."""

    @pytest.fixture
    def large(self, make_photo) -> Tensor:
        return make_photo(120, 240)

    @pytest.fixture
    def matte(self) -> Tensor:
        columns = torch.arange(240.0).view(1, 1, 1, -1)
        return (((130.0 - columns) / 4.0).clamp(0.0, 1.0)).repeat(1, 1, 120, 1)

    def paint(self, photo: Tensor, mattes: list[Tensor], style: Tensor, encoder, settings, **options) -> list[Step]:
        return list(
            iter_paint(photo, [Region(matte, [(style, 1.0)]) for matte in mattes], encoder, settings, **options)
        )

    def test_colours_do_not_leak(self, large, matte, encoder, quick):
        regions = [
            Region(matte, [(RED.expand(1, 3, 64, 64), 1.0)]),
            Region(1 - matte, [(BLUE.expand(1, 3, 64, 64), 1.0)]),
        ]
        *_, last = iter_paint(large, regions, encoder, quick(steps=6))
        picture = last.picture()
        left, right = picture[..., 118:126].mean(dim=(2, 3))[0], picture[..., 131:139].mean(dim=(2, 3))[0]
        assert float(left[0] - left[2]) > 0.3
        assert float(right[2] - right[0]) > 0.3

    @pytest.mark.parametrize("color", ["style", "photo"])
    @pytest.mark.parametrize("done", [1, 2])
    def test_what_is_kept_stays_bit_for_bit_at_every_scale(self, color, done, large, matte, style, encoder, quick):
        steps = self.paint(large, [matte], style, encoder, quick(schedule=(2, 2), color=color))
        picture = next(step for step in steps if step.scale == done).picture()
        outside = (matte == 0).expand(1, 3, -1, -1)
        assert torch.equal(picture[outside], large[outside])
        assert float((picture - large)[~outside].abs().mean()) > 0.01

    def test_taken_up_between_scales_it_comes_to_the_same_picture(self, large, matte, style, encoder, quick):
        settings = quick(schedule=(2, 2))
        steps = self.paint(large, [matte, 1 - matte], style, encoder, settings)
        (middle, _) = (step.checkpoint for step in steps if step.checkpoint is not None)
        assert middle is not None
        assert middle.picture.shape == (2, 3, 60, 120)
        rest = self.paint(large, [matte, 1 - matte], style, encoder, settings, checkpoint=middle)
        assert torch.equal(rest[-1].picture(), steps[-1].picture())

    def test_coarse_pictures_are_put_together_by_the_fine_matte(self, large, matte, encoder, quick):
        hard = matte.round()
        regions = [
            Region(hard, [(RED.expand(1, 3, 64, 64), 1.0)]),
            Region(1 - hard, [(BLUE.expand(1, 3, 64, 64), 1.0)]),
        ]
        flat = torch.full_like(large, 0.5)
        picture = next(iter_paint(flat, regions, encoder, quick(schedule=(2, 2)))).picture()
        inside, outside = picture[..., 127][0, :, 60], picture[..., 128][0, :, 60]
        assert float((inside - outside).abs().max()) > 0.5
