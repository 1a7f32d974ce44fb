"""Each region holds on to the photo in its own way."""

from dataclasses import replace

import pytest
import torch

from pochoir.recipe import Treatment
from pochoir.transfer import Region, iter_paint
from pochoir.transfer.criterion import Criterion, StyledRegion
from pochoir.transfer.targets import style_grams

LAYERS = ("relu1_1", "relu2_1", "relu3_1")


def treated(hold: float, *layers: str) -> Treatment:
    return Treatment("style", hold, layers)


@pytest.fixture
def pastiche(photo) -> torch.Tensor:
    return (photo + 0.2 * torch.rand(photo.shape, generator=torch.Generator().manual_seed(9)) - 0.1).clamp(0, 1)


def relative(ours: torch.Tensor, photos: torch.Tensor, guide: torch.Tensor) -> float:
    """Squared distance at a region's positions, in units of the whole photo's square."""
    return float(((ours - photos).square() * guide).sum() / photos.square().sum())


class TestTerm:
    @pytest.mark.parametrize("most_px", [float("inf"), 1.0])
    def test_by_hand(self, photo, pastiche, left_half, encoder, quick, most_px):
        """Without style layers no region is held less for its size."""
        regions = [
            StyledRegion(left_half, {}, treated(3.0, "relu2_1", "relu3_1")),
            StyledRegion(1 - left_half, {}, treated(0.5, "relu3_1")),
        ]
        settings = quick(style_layers=(), tv_weight=0.0)
        losses = Criterion(photo, regions, encoder, settings, content_gain=2.0, most_px=most_px)(pastiche).numbers()
        ours, photos = encoder(pastiche, LAYERS), encoder(photo, LAYERS)
        pooled = {side: torch.nn.functional.avg_pool2d(left_half, side) for side in (2, 4)}
        left = [relative(ours[layer], photos[layer], pooled[side]) for layer, side in (("relu2_1", 2), ("relu3_1", 4))]
        right = relative(ours["relu3_1"], photos["relu3_1"], 1 - pooled[4])
        expected = 2.0 * (3.0 * sum(left) / 2 + 0.5 * right)
        assert losses.total == pytest.approx(expected, rel=1e-4)
        assert losses.content == pytest.approx(expected / (2.0 * 3.0), rel=1e-4)  # in units of the largest weight

    def test_the_settings_of_all_given_to_each_are_the_same(self, photo, pastiche, style, left_half, encoder, quick):
        settings = quick(content_weight=0.7, content_layers=("relu3_1", "relu2_2"))
        grams = style_grams([(style, 1.0)], encoder, LAYERS)
        plain = [StyledRegion(left_half, grams), StyledRegion(1 - left_half, grams)]
        given = [replace(region, treatment=settings.treatment) for region in plain]
        results = []
        for regions in (plain, given):
            leaf = pastiche.clone().requires_grad_()
            terms = Criterion(photo, regions, encoder, settings)(leaf)
            results.append((terms.numbers(), torch.autograd.grad(terms.total, leaf)[0]))
        assert results[0][0] == results[1][0]
        assert torch.equal(results[0][1], results[1][1])

    def test_what_is_not_held_may_change(self, photo, hard_box, encoder, quick):
        regions = [
            StyledRegion(hard_box, {}, treated(1.0, "relu1_1")),
            StyledRegion(1 - hard_box, {}, treated(0.0, "relu1_1")),
        ]
        criterion = Criterion(photo, regions, encoder, quick(style_layers=()))
        changed = photo.clone()
        changed[..., :7, :] = 0.0  # one pixel of distance to the box: relu1_1 sees one pixel around
        assert criterion(changed).content == 0.0
        changed[..., 8, :] = 0.0
        assert criterion(changed).content > 0.0

    def test_a_layer_of_one_region_is_not_compared_in_the_other(self, photo, hard_box, encoder, quick):
        regions = [
            StyledRegion(hard_box, {}, treated(1.0, "relu1_1")),
            StyledRegion(1 - hard_box, {}, treated(1.0)),
        ]
        changed = photo.clone()
        changed[..., :7, :] = 0.0
        assert Criterion(photo, regions, encoder, quick(style_layers=()))(changed).content == 0.0

    def test_a_loosely_held_region_keeps_its_layer(self, photo, pastiche, left_half, encoder, quick):
        regions = [
            StyledRegion(left_half, {}, treated(1e6, "relu1_1")),
            StyledRegion(1 - left_half, {}, treated(1.0, "relu3_1")),
        ]
        criterion = Criterion(photo, regions, encoder, quick(style_layers=()))
        assert set(criterion.content_guides) == {"relu1_1", "relu3_1"}
        assert criterion.notes == ()

    def test_nothing_is_held(self, photo, pastiche, style, left_half, encoder, quick):
        grams = style_grams([(style, 1.0)], encoder, LAYERS)
        regions = [StyledRegion(matte, grams, treated(0.0, "relu3_1")) for matte in (left_half, 1 - left_half)]
        criterion = Criterion(photo, regions, encoder, quick())
        assert criterion.content_layers == ()
        assert criterion(pastiche).content == 0.0

    def test_one_region_s_force_does_not_depend_on_the_others_weight(self, photo, pastiche, left_half, encoder, quick):
        gradients = []
        for other in (1.0, 20.0):
            regions = [
                StyledRegion(left_half, {}, treated(2.0, "relu2_1")),
                StyledRegion(1 - left_half, {}, treated(other, "relu2_1")),
            ]
            leaf = pastiche.clone().requires_grad_()
            terms = Criterion(photo, regions, encoder, quick(style_layers=(), tv_weight=0.0))(leaf)
            gradients.append(torch.autograd.grad(terms.total, leaf)[0])
        assert float((gradients[0] - gradients[1])[..., :16].abs().max()) < 1e-7 < float(gradients[0].abs().max())
        assert float((gradients[0] - gradients[1])[..., 32:].abs().max()) > 1e-5


@pytest.fixture
def reached(photo, style, left_half, encoder, quick):
    """How far the left and the right half have come from the photo, in features."""

    def paint(left: Treatment | None, right: Treatment | None, **changes: object) -> tuple[float, float]:
        regions = [Region(left_half, [(style, 1.0)], left), Region(1 - left_half, [(style, 1.0)], right)]
        *_, step = iter_paint(photo, regions, encoder, quick(steps=12, init="style", **changes))
        ours, photos = (encoder(picture, ("relu3_1",))["relu3_1"] for picture in (step.picture(), photo))
        apart = (ours - photos).square().sum(dim=1)[0]
        return float(apart[:, :5].mean()), float(apart[:, 8:].mean())

    return paint


def test_a_firmly_held_region_keeps_more_of_the_photo(reached):
    firm, loose = treated(32.0, "relu3_1"), treated(1 / 32, "relu3_1")  # strengths of 0 and of 1
    left_firm, right_firm = reached(firm, loose), reached(loose, firm)
    assert left_firm[0] < 0.5 * right_firm[0]
    assert right_firm[1] < 0.5 * left_firm[1]


def test_giving_each_region_what_holds_for_all_changes_nothing(photo, style, left_half, encoder, quick):
    settings = quick(steps=4, strength=0.6)
    pictures = []
    for treatment in (None, settings.treatment):
        regions = [Region(matte, [(style, 1.0)], treatment) for matte in (left_half, 1 - left_half)]
        *_, step = iter_paint(photo, regions, encoder, settings)
        pictures.append(step.picture())
    assert torch.equal(*pictures)
