"""Painting that stays near to pictures."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from pochoir import imaging
from pochoir._types import Size
from pochoir.encoders import tiny_encoder
from pochoir.errors import OptionError, ShapeError
from pochoir.transfer import Anchor, Region, Step, iter_paint, paint
from pochoir.transfer.anchors import AnchorDistance
from pochoir.transfer.color import luma
from pochoir.transfer.criterion import Criterion, StyledRegion
from pochoir.transfer.pyramid import Level
from pochoir.transfer.region_images import split_regions
from pochoir.transfer.targets import style_grams
from pochoir.transfer.tiling import Margin, Window
from support.close import assert_close

WHOLE = torch.ones(1, 1, 40, 48)
LAYERS = ("relu1_1", "relu2_1", "relu3_1")


def last_of(steps: Iterator[Step]) -> Step:
    *_, last = steps
    return last


def noise(seed: int, *shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def distance(one: Tensor, other: Tensor, weight: Tensor | None = None) -> float:
    weight = torch.ones_like(one[:, :1]) if weight is None else weight
    return float(((one - other).square() * weight).sum() / weight.sum())


class TestTerm:
    def test_is_the_strength_times_the_mean_of_weighted_squares(self):
        pastiche, picture, weight = noise(1, 1, 3, 4, 5), noise(2, 1, 3, 4, 5), noise(3, 1, 1, 4, 5)
        term = AnchorDistance([Anchor(picture, weight, 7.0)], torch.ones(1, 1, 4, 5))(pastiche)
        assert float(term) == pytest.approx(7.0 * float((weight * (pastiche - picture) ** 2).mean()), rel=1e-5)

    def test_by_hand_of_two_anchors_in_a_half_painted_picture(self):
        cover = torch.tensor([[[[1.0, 0.5, 0.0]]]])
        pastiche = torch.full((1, 3, 1, 3), 0.5)
        first = Anchor(torch.full((1, 3, 1, 3), 0.1), torch.ones(1, 1, 1, 3), 2.0)
        second = Anchor(torch.full((1, 3, 1, 3), 0.8), torch.tensor([[[[0.0, 1.0, 1.0]]]]), 10.0)
        expected = 2.0 * 0.4**2 * (1.5 / 1.5) + 10.0 * 0.3**2 * (0.5 / 1.5)
        assert float(AnchorDistance([first, second], cover)(pastiche)) == pytest.approx(expected, rel=1e-5)

    @pytest.mark.parametrize("most_px", [float("inf"), 1.0])
    def test_stands_in_the_losses_and_the_total(self, most_px, make_photo, style, encoder, quick):
        photo = make_photo(150, 260)
        regions = [StyledRegion(torch.ones(1, 1, 150, 260), style_grams([(style, 1.0)], encoder, LAYERS))]
        anchor = Anchor(noise(2, 1, 3, 150, 260), noise(3, 1, 1, 150, 260), 300.0)
        pastiche = noise(4, 1, 3, 150, 260).requires_grad_()
        plain, anchored = (
            Criterion(photo, regions, encoder, quick(), anchors=anchors, most_px=most_px)(pastiche)
            for anchors in ((), (anchor,))
        )
        term = 300.0 * (anchor.weight * (pastiche - anchor.picture) ** 2).mean()
        assert (plain.anchor, plain.numbers().anchor) == (0.0, 0.0)
        assert anchored.numbers().anchor == pytest.approx(term.item(), rel=1e-4)
        assert (anchored.total - plain.total).item() == pytest.approx(term.item(), rel=1e-4)
        (slope,), (without,), (alone,) = (
            torch.autograd.grad(value, pastiche) for value in (anchored.total, plain.total, term)
        )
        assert_close(slope - without, alone, rtol=1e-3, atol=1e-6)

    def test_gradient_by_finite_differences(self, quick):
        encoder = tiny_encoder(pooling="avg").double()
        generator = torch.Generator().manual_seed(4)
        photo, style, held, pastiche = torch.rand(4, 1, 3, 5, 6, generator=generator, dtype=torch.float64)
        matte, weight = torch.rand(2, 1, 1, 5, 6, generator=generator, dtype=torch.float64)
        settings = quick(content_layers=("relu2_1",), style_layers=("relu1_1", "relu2_1"))
        grams = style_grams([(style, 1.0)], encoder, settings.style_layers)
        region = StyledRegion(matte, grams)
        criterion = Criterion(photo, [region], encoder, settings, anchors=[Anchor(held, weight, 300.0)])
        assert torch.autograd.gradcheck(lambda x: criterion(x).total, pastiche.requires_grad_())


class TestPlaces:
    def test_follows_a_level(self, photo, style, left_half):
        anchor = Anchor(noise(1, 1, 3, 40, 48), left_half, 3.0)
        level = Level(photo, [Region(WHOLE, [(style, 1.0)])], 1.0, 1920.0, anchors=(anchor,))
        (half,) = level.at(Size(20, 24)).anchors
        assert_close(half.picture, imaging.resize(anchor.picture, Size(20, 24)))
        assert_close(half.weight, imaging.resize(left_half, Size(20, 24), mode="bilinear"))
        (part,) = level.within(Window(16, 0, Size(16, 32))).anchors
        assert torch.equal(part.picture, anchor.picture[..., 16:32, :32])
        assert torch.equal(part.weight, left_half[..., 16:32, :32])
        (padded,) = level.padded(Margin(2, 3, 4, 5)).anchors
        assert padded.picture.shape == (1, 3, 46, 56)
        assert torch.equal(padded.picture[..., 0, 3], anchor.picture[..., 2, 0])
        assert {half.strength, part.strength, padded.strength} == {3.0}

    def test_in_a_picture_of_its_own_a_region_is_not_held_to_the_other_region(self, photo, style, hard_box):
        regions = [Region(hard_box, [(style, 1.0)]), Region(1 - hard_box, [(style, 1.0)])]
        level = Level(photo, regions, 1.0, 1920.0, anchors=(Anchor(photo, WHOLE, 1.0),))
        weights = [part.anchors[0].weight for part in split_regions(level)]
        assert torch.equal(weights[0], hard_box)
        assert torch.equal(weights[1], 1 - hard_box)


class TestPainting:
    @pytest.mark.parametrize("schedule", [(12,), (6, 6)])
    @pytest.mark.parametrize("count", [1, 2])
    def test_comes_nearer_where_the_weight_is(self, count, schedule, photo, style, encoder, quick, left_half):
        mattes = [WHOLE] if count == 1 else [left_half, 1 - left_half]
        regions = [Region(matte, [(style, 1.0)]) for matte in mattes]
        held = (photo.flip(-1) * 0.5 + 0.2).contiguous()
        weight = torch.zeros(1, 1, 40, 48)
        weight[..., :20, :] = 1.0
        plain, anchored = (
            last_of(iter_paint(photo, regions, encoder, quick(schedule=schedule), anchors=anchors))
            for anchors in ((), (Anchor(held, weight, 300.0),))
        )
        assert distance(anchored.picture(), held, weight) < 0.35 * distance(plain.picture(), held, weight)
        below = torch.zeros_like(weight)
        below[..., 28:, :] = 1.0
        assert distance(anchored.picture(), held, below) > 0.5 * distance(plain.picture(), held, below)
        assert anchored.losses.anchor > 0.0 == plain.losses.anchor

    @pytest.mark.parametrize("anchors", [(), ("none",), ("nowhere",)])
    def test_without_force_not_a_bit_changes(self, anchors, photo, style, encoder, quick, left_half):
        held = {"none": Anchor(photo, WHOLE, 0.0), "nowhere": Anchor(photo, torch.zeros_like(WHOLE), 300.0)}
        regions = [Region(left_half, [(style, 1.0)]), Region(1 - left_half, [(style, 1.0)])]
        settings = quick(schedule=(3, 3))
        plain = last_of(iter_paint(photo, regions, encoder, settings))
        last = last_of(iter_paint(photo, regions, encoder, settings, anchors=[held[name] for name in anchors]))
        assert torch.equal(last.picture(), plain.picture())

    def test_pixels_outside_of_the_regions_stay(self, photo, style, encoder, quick, hard_box):
        anchor = Anchor(noise(1, 1, 3, 40, 48), WHOLE, 300.0)
        picture = last_of(
            iter_paint(photo, [Region(hard_box, [(style, 1.0)])], encoder, quick(), anchors=[anchor])
        ).picture()
        outside = (hard_box == 0).expand(1, 3, -1, -1)
        assert torch.equal(picture[outside], photo[outside])

    def test_a_grey_painting_is_held_to_the_brightness(self, photo, style, encoder, quick, monkeypatch):
        seen = []

        def watched(level, **options):
            seen.append(level)
            return build(level, **options)

        build = paint.build_criterion
        monkeypatch.setattr(paint, "build_criterion", watched)
        held, settings = noise(1, 1, 3, 40, 48), quick(steps=2, color="photo", schedule=(1,))
        steps = iter_paint(
            photo, [Region(WHOLE, [(style, 1.0)])], encoder, settings, start=held, anchors=[Anchor(held, WHOLE, 1.0)]
        )
        last = last_of(steps)
        (anchor,) = seen[0].anchors
        assert_close(seen[0].margin.crop(anchor.picture), luma(held).expand(-1, 3, -1, -1))
        assert_close(last.picture() - luma(last.picture()), photo - luma(photo), atol=0.3)

    def test_wrong_anchors_are_refused(self, photo, style, encoder, quick):
        regions = [Region(WHOLE, [(style, 1.0)])]
        for anchor in (Anchor(photo[..., :-1], WHOLE, 1.0), Anchor(photo, WHOLE[..., :-1], 1.0)):
            with pytest.raises(ShapeError, match="An anchor must have the photo's shape"):
                next(iter_paint(photo, regions, encoder, quick(), anchors=[anchor]))
        with pytest.raises(OptionError, match="strength of an anchor must be 0 or more; got -1"):
            next(iter_paint(photo, regions, encoder, quick(), anchors=[Anchor(photo, WHOLE, -1.0)]))
