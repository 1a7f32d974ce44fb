from collections.abc import Iterator
from itertools import islice

import pytest
import torch
from torch import Tensor

from pochoir import imaging
from pochoir._types import Size
from pochoir.encoders import VGG, tiny_encoder
from pochoir.errors import DivergedError, EmptyRegionError, ShapeError
from pochoir.recipe import TransferSettings
from pochoir.transfer import Losses, Region, Step, iter_paint, objective, paint
from pochoir.transfer.canvas import CONTEXT_PX
from pochoir.transfer.criterion import Criterion
from pochoir.transfer.optimize import Iterate
from pochoir.transfer.tiling import GRID_PX
from support.close import assert_close

WHOLE = torch.ones(1, 1, 40, 48)
STILL = {"content_weight": 0.0, "style_weight": 0.0, "tv_weight": 0.0}
"""Weights under which nothing draws at the start, so that it can be looked at."""


def last_of(steps: Iterator[Step]) -> Step:
    *_, last = steps
    return last


def is_picture(picture: Tensor, size: tuple[int, int]) -> bool:
    return picture.shape == (1, 3, *size) and float(picture.min()) >= 0.0 and float(picture.max()) <= 1.0


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
@pytest.mark.parametrize("init", ["content", "noise", "style"])
def test_the_loss_falls(init, optimizer, photo, style, encoder, quick):
    settings = quick(steps=8, init=init, optimizer=optimizer)
    steps = list(iter_paint(photo, [Region(WHOLE, [(style, 1.0)])], encoder, settings))
    assert steps[-1].losses.total < 0.95 * steps[0].losses.total
    assert is_picture(steps[-1].picture(), (40, 48))


def test_style_and_content_come_nearer_than_the_other_alone(photo, style, encoder, quick):
    def reached(**weights: float) -> Losses:
        settings = quick(steps=12, tv_weight=0.0, **weights)
        return last_of(iter_paint(photo, [Region(WHOLE, [(style, 1.0)])], encoder, settings)).losses

    both, only_content, only_style = reached(), reached(style_weight=0.01), reached(content_weight=0.01)
    assert only_content.content < both.content < only_style.content
    assert both.style < only_content.style


def test_same_seed_same_bytes_other_seed_other_noise(photo, style, encoder, quick):
    def painted(seed: int) -> Tensor:
        settings = quick(steps=3, init="noise", seed=seed)
        return last_of(iter_paint(photo, [Region(WHOLE, [(style, 1.0)])], encoder, settings)).picture()

    assert torch.equal(painted(3), painted(3))
    assert not torch.isclose(painted(3), painted(4), atol=1e-2).all()


class TestOutsideTheRegions:
    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"optimizer": "adam"},
            {"init": "noise"},
            {"init": "style"},
            {"color": "photo"},
            {"encoder": "vgg16"},
        ],
        ids=str,
    )
    @pytest.mark.parametrize("matte_name", ["hard_box", "left_half"])
    def test_not_a_bit_changes(self, matte_name, changes, photo, style, encoder, quick, request):
        matte = request.getfixturevalue(matte_name)
        painted = last_of(iter_paint(photo, [Region(matte, [(style, 1.0)])], encoder, quick(steps=3, **changes)))
        picture, outside = painted.picture(), (matte == 0).expand(1, 3, -1, -1)
        assert torch.equal(picture[outside], photo[outside])
        assert float((picture - photo)[~outside].abs().mean()) > 0.01

    def test_nor_at_any_scale(self, make_photo, style, encoder, quick):
        photo, matte = make_photo(20, 230), torch.zeros(1, 1, 20, 230)
        matte[..., 3:17, 5:225] = torch.linspace(0.2, 1.0, 220)
        steps = list(iter_paint(photo, [Region(matte, [(style, 1.0)])], encoder, quick(steps=4)))
        assert {step.scales for step in steps} == {2}
        outside = (matte == 0).expand(1, 3, -1, -1)
        for step in steps:
            assert torch.equal(step.picture()[outside], photo[outside])

    def test_scales_at_which_a_region_would_nearly_vanish_are_left_out(self, make_photo, style, encoder):
        photo, dots = make_photo(16, 240), torch.zeros(1, 1, 16, 240)
        dots[..., 4:8, 4:8] = dots[..., 4:8, 230:234] = 1.0
        steps = list(iter_paint(photo, [Region(dots, [(style, 1.0)])], encoder, TransferSettings(steps=4)))
        assert steps[-1].scales == 1
        everything = Region(torch.ones_like(dots), [(style, 1.0)])
        assert last_of(iter_paint(photo, [everything], encoder, TransferSettings(steps=4))).scales == 2
        assert float((steps[-1].picture() - photo).abs().sum(dim=1, keepdim=True)[dots > 0].min()) > 0.0

    def test_what_is_far_away_is_not_computed(self, make_photo, style, encoder, quick):
        photo, matte = make_photo(60, 300), torch.zeros(1, 1, 60, 300)
        matte[..., 20:40, 100:120] = 1.0
        step = last_of(iter_paint(photo, [Region(matte, [(style, 1.0)])], encoder, quick(steps=1)))
        left = (100 - CONTEXT_PX) // GRID_PX * GRID_PX
        right = -(-(120 + CONTEXT_PX) // GRID_PX) * GRID_PX
        assert step.size == Size(60, right - left)
        assert step.picture().shape == photo.shape

    def test_what_is_far_away_does_not_matter(self, make_photo, style, encoder, quick):
        matte = torch.zeros(1, 1, 30, 300)
        matte[..., 5:25, 100:120] = 1.0
        pictures = []
        for elsewhere in (0.0, 1.0):
            photo = make_photo(30, 300)
            photo[..., 200:] = elsewhere
            step = last_of(iter_paint(photo, [Region(matte, [(style, 1.0)])], encoder, quick(steps=3)))
            pictures.append(step.picture()[..., 100:120])
        assert torch.equal(*pictures)


class TestRegions:
    def test_two_regions_of_one_style_are_about_one_region(self, photo, style, left_half, encoder, quick):
        settings = quick(steps=10, init="style")
        pictures = [
            last_of(iter_paint(photo, [Region(m, [(style, 1.0)]) for m in mattes], encoder, settings)).picture()
            for mattes in ([WHOLE], [left_half, 1 - left_half])
        ]
        assert float((pictures[0] - pictures[1]).abs().mean()) < 0.05
        assert float((pictures[0] - photo).abs().mean()) > 0.1

    def test_each_region_takes_its_own_colours(self, photo, left_half, encoder, quick):
        red, blue = (torch.tensor(c).view(1, 3, 1, 1).expand(1, 3, 32, 32) for c in ([0.9, 0.1, 0.1], [0.1, 0.1, 0.9]))
        regions = [Region(left_half, [(red, 1.0)]), Region(1 - left_half, [(blue, 1.0)])]
        picture = last_of(iter_paint(photo, regions, encoder, quick(steps=4))).picture()
        left, right = picture[..., :20].mean(dim=(2, 3))[0], picture[..., 28:].mean(dim=(2, 3))[0]
        assert float(left[0] - left[2]) > 0.4
        assert float(right[2] - right[0]) > 0.4

    def test_a_share_of_next_to_nothing_is_nothing(self, photo, style, encoder, quick):
        alone, blended = (
            last_of(iter_paint(photo, [Region(WHOLE, styles)], encoder, quick(steps=3))).picture()
            for styles in ([(style, 1.0)], [(style, 1.0), (1 - style, 1e-7)])
        )
        assert_close(blended, alone, atol=1e-3)  # three steps enlarge the 1e-7

    def test_a_blend_lies_between(self, photo, encoder):
        red, blue = (torch.tensor(c).view(1, 3, 1, 1).expand(1, 3, 32, 32) for c in ([0.9, 0.1, 0.1], [0.1, 0.1, 0.9]))
        settings = TransferSettings(steps=1, **STILL)
        means = [
            last_of(iter_paint(photo, [Region(WHOLE, styles)], encoder, settings)).picture().mean(dim=(2, 3))[0]
            for styles in ([(red, 1.0)], [(red, 3.0), (blue, 1.0)], [(blue, 1.0)])
        ]
        assert_close(means[1], 0.75 * means[0] + 0.25 * means[2], atol=1e-3)

    def test_what_a_region_is_too_small_for_is_told_at_the_end(self, photo, style, encoder, quick):
        dot = torch.zeros_like(WHOLE)
        dot[..., 20, 20:22] = 0.9
        regions = [Region(1 - dot, [(style, 1.0)]), Region(dot, [(style, 1.0)])]
        step = last_of(iter_paint(photo, regions, encoder, quick(steps=1)))
        assert "too small for relu2_1, relu3_1" in step.notes[0]


class TestStart:
    def show(self, photo: Tensor, region: Region, encoder: VGG, start: Tensor | None = None, **changes) -> Tensor:
        settings = TransferSettings(steps=1, **(STILL | changes))
        return last_of(iter_paint(photo, [region], encoder, settings, start=start)).picture()

    def test_content_in_the_palette_of_the_style(self, photo, style, encoder):
        picture = self.show(photo, Region(WHOLE, [(style, 1.0)]), encoder)
        assert_close(picture.mean(dim=(2, 3)), style.mean(dim=(2, 3)), atol=0.03)  # some of it is clipped
        brightness = torch.stack([picture.mean(dim=1).flatten(), photo.mean(dim=1).flatten()])
        assert float(torch.corrcoef(brightness)[0, 1]) > 0.7

    def test_noise_from_the_seed(self, photo, style, encoder):
        picture = self.show(photo, Region(WHOLE, [(style, 1.0)]), encoder, init="noise", seed=11)
        assert torch.equal(picture, torch.rand(photo.shape, generator=torch.Generator().manual_seed(11)))

    def test_style_stretched(self, photo, style, encoder):
        picture = self.show(photo, Region(WHOLE, [(style, 1.0)]), encoder, init="style")
        assert torch.equal(picture, imaging.resize(style, Size(40, 48)))

    def test_a_picture_within_the_region_only(self, photo, style, hard_box, encoder):
        start = 1.0 - photo
        picture = self.show(photo, Region(hard_box, [(style, 1.0)]), encoder, start=start)
        assert torch.equal(picture, torch.where(hard_box > 0, start, photo))


class TestSteps:
    @pytest.mark.parametrize("size", [(24, 24), (12, 112), (12, 224), (460, 12)])
    @pytest.mark.parametrize("count", [1, 2, 3, 7])
    def test_there_are_as_many_as_asked_for(self, count, size, make_photo, style, encoder, quick):
        photo, matte = make_photo(*size), torch.ones(1, 1, *size)
        settings = quick(steps=count, content_layers=("relu1_1",), style_layers=("relu1_1",))
        steps = list(iter_paint(photo, [Region(matte, [(style, 1.0)])], encoder, settings))
        assert [step.done for step in steps] == list(range(1, count + 1))
        assert {step.total for step in steps} == {count}
        assert steps[-1].size == Size(*size)
        assert steps[-1].scale == steps[-1].scales
        scales = [step.scale for step in steps]
        assert scales == sorted(scales)
        for step in steps:
            assert step.step <= step.steps == scales.count(step.scale)
        elapsed = [step.elapsed_s for step in steps]
        assert elapsed == sorted(elapsed)
        assert is_picture(steps[0].picture(), size)

    def test_going_on_after_a_scale_comes_to_the_same_picture(self, make_photo, style, encoder, quick):
        photo, regions = make_photo(24, 448), [Region(torch.ones(1, 1, 24, 448), [(style, 1.0)])]
        settings = quick(steps=7, content_layers=("relu1_1",), style_layers=("relu1_1",))
        steps = list(iter_paint(photo, regions, encoder, settings))
        ends = [step for step in steps if step.checkpoint is not None]
        assert [step.scale for step in ends] == [1, 2, 3]
        for end in ends[:-1]:
            rest = list(iter_paint(photo, regions, encoder, settings, checkpoint=end.checkpoint))
            assert [step.done for step in rest] == [step.done for step in steps[end.done :]]
            assert torch.equal(rest[-1].picture(), steps[-1].picture())

    def test_cancelling_leaves_a_picture(self, photo, style, left_half, encoder, quick):
        steps = iter_paint(photo, [Region(left_half, [(style, 1.0)])], encoder, quick(steps=50))
        *_, step = islice(steps, 2)
        steps.close()
        assert is_picture(step.picture(), (40, 48))

    def test_a_picture_stays_as_it_was(self, photo, style, encoder, quick):
        steps = iter_paint(photo, [Region(WHOLE, [(style, 1.0)])], encoder, quick(steps=5))
        first = next(steps)
        before = first.picture().clone()
        last = last_of(steps)
        assert torch.equal(first.picture(), before)
        assert not torch.equal(last.picture(), before)

    @pytest.mark.parametrize(
        ("losses", "best"),
        [
            ((5, 3, 4, 2, 9), [1, 1, 3, 3]),
            ((5, 6, 7, 8, 9), [0, 0, 0, 0]),
            ((5, float("nan"), 4, float("inf"), 4.5), [0, 2, 2, 2]),
        ],
    )
    def test_the_picture_is_the_best_so_far(self, losses, best, photo, style, encoder, quick, monkeypatch):
        def scripted(objective, start, free):
            for number, loss in enumerate(losses):
                picture = torch.full_like(start, number / 10)
                yield Iterate(picture, Losses(loss, 0.0, 0.0, 0.0, 0.0))

        monkeypatch.setitem(paint.OPTIMIZERS, "lbfgs", scripted)
        steps = list(iter_paint(photo, [Region(WHOLE, [(style, 1.0)])], encoder, quick(steps=4)))
        assert [step.losses.total for step in steps] == [losses[number] for number in best]
        assert [round(float(step.picture().mean()) * 10) for step in steps] == best

    def test_the_optimiser_is_closed_before_the_last_step_of_a_scale_is_told(
        self, photo, style, encoder, quick, monkeypatch
    ):
        resumed, closed = [], []

        def scripted(objective, start, free):
            try:
                while True:
                    yield Iterate(start, Losses(1.0, 0.0, 0.0, 0.0, 0.0))
                    resumed.append(start)
            finally:
                closed.append(start)

        monkeypatch.setitem(paint.OPTIMIZERS, "lbfgs", scripted)
        for step in iter_paint(photo, [Region(WHOLE, [(style, 1.0)])], encoder, quick(steps=3)):
            assert len(resumed) == step.done
            assert len(closed) == (step.scale if step.step == step.steps else step.scale - 1)
        assert len(resumed) == 3

    def test_a_network_that_gives_no_numbers_is_refused(self, photo, style, quick):
        encoder = tiny_encoder()
        next(encoder.parameters()).fill_(float("nan"))
        with pytest.raises(DivergedError, match="The loss is nan at the start of a scale"):
            next(iter_paint(photo, [Region(WHOLE, [(style, 1.0)])], encoder, quick()))

    def test_the_best_of_real_steps_never_gets_worse(self, photo, style, encoder, quick, monkeypatch):
        seen: list[float] = []
        optimize = paint.OPTIMIZERS["lbfgs"]

        def watched(objective, start, free):
            for iterate in optimize(objective, start, free):
                seen.append(float(objective(iterate.picture).total))
                yield iterate

        monkeypatch.setitem(paint.OPTIMIZERS, "lbfgs", watched)
        totals = []
        for step in iter_paint(photo, [Region(WHOLE, [(style, 1.0)])], encoder, quick(steps=12, init="noise")):
            totals.append(step.losses.total)
            assert totals[-1] == pytest.approx(min(seen), rel=1e-5)
        assert totals == sorted(totals, reverse=True)


@pytest.fixture
def scales_seen(monkeypatch) -> list[tuple[Criterion, Tensor]]:
    """Objective and start of each scale, of an optimiser that leaves the start as it is."""
    seen = []

    def still(objective, start, free):
        seen.append((objective, start))
        while True:
            yield Iterate(start, objective(start).numbers())

    monkeypatch.setitem(paint.OPTIMIZERS, "lbfgs", still)
    return seen


class TestScales:
    def test_the_optimiser_sees_the_photo_around_the_region(self, photo, style, hard_box, encoder, quick, scales_seen):
        last_of(iter_paint(photo, [Region(hard_box, [(style, 1.0)])], encoder, quick(steps=1, init="noise")))
        start = scales_seen[0][1][..., 10:-8, 12:-8]  # without its margin
        inside = (hard_box > 0).expand(1, 3, -1, -1)
        assert torch.equal(start[~inside], photo[~inside])
        assert float((start - photo)[inside].abs().mean()) > 0.1

    def test_the_photos_detail_comes_back_at_each_scale(self, photo, style, encoder, quick, scales_seen):
        fine = photo.repeat(1, 1, 1, 5)
        fine[..., ::2] *= 0.8  # lines that halving wipes out
        matte = torch.ones(1, 1, 40, 240)
        last = last_of(iter_paint(fine, [Region(matte, [(style, 1.0)])], encoder, quick(steps=2), start=fine))
        assert [start.shape[-1] for _, start in scales_seen] == [120 + 16, 240 + 16]
        assert_close(last.picture(), fine)

    def test_coarse_scales_hold_on_to_the_content_more(self, make_photo, style, encoder, quick, scales_seen):
        photo, matte = make_photo(12, 480), torch.ones(1, 1, 12, 480)
        settings = quick(steps=3, content_weight=0.5, content_layers=("relu1_1",), style_layers=("relu1_1",))
        last_of(iter_paint(photo, [Region(matte, [(style, 1.0)])], encoder, settings))
        *coarse, (finest, _) = scales_seen
        assert [apart.criteria[0].content_weight for apart, _ in coarse] == [2.0, 1.0]
        assert finest.content_weight == 0.5


class TestColor:
    def test_the_photos_chroma_is_kept(self, photo, style, encoder, quick):
        photo = photo * 0.4 + 0.3
        settings = quick(steps=10, color="photo", style_weight=10.0)
        picture = last_of(iter_paint(photo, [Region(WHOLE, [(style, 1.0)])], encoder, settings)).picture()
        inside = ((picture > 0.0) & (picture < 1.0)).all(dim=1, keepdim=True).expand(1, 2, -1, -1)
        assert float(inside.float().mean()) > 0.8
        chroma, expected = (p[:, :2] - p[:, 1:] for p in (picture, photo))
        assert_close(chroma[inside], expected[inside])
        assert float((picture - photo).abs().mean()) > 0.01

    def test_the_styles_own_colours_do_not_matter(self, photo, style, encoder, quick):
        tinted = style.clone()
        tinted[:, 2] -= (0.299 / 0.114) * 0.03
        tinted[:, 0] += 0.03
        pictures = [
            last_of(iter_paint(photo, [Region(WHOLE, [(s, 1.0)])], encoder, quick(steps=3, color="photo"))).picture()
            for s in (style, tinted)
        ]
        assert_close(*pictures, atol=1e-3)  # three steps enlarge the rounding of the luma


@pytest.mark.parametrize("color", ["style", "photo"])
@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (2, 3), (8, 8), (8, 320), (5, 17)])
def test_pictures_of_any_size(size, color, make_photo, style, encoder):
    photo, matte = make_photo(*size), torch.ones(1, 1, *size)
    step = last_of(iter_paint(photo, [Region(matte, [(style, 1.0)])], encoder, TransferSettings(steps=2, color=color)))
    assert is_picture(step.picture(), size)
    assert all(torch.isfinite(torch.tensor(step.losses)))


@pytest.mark.parametrize("size", [(1, 1), (3, 90), (70, 2)])
def test_styles_of_any_size(size, photo, make_photo, encoder, quick):
    step = last_of(iter_paint(photo, [Region(WHOLE, [(make_photo(*size), 1.0)])], encoder, quick(steps=2)))
    assert is_picture(step.picture(), (40, 48))
    assert all(torch.isfinite(torch.tensor(step.losses)))


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_flat_photo_and_flat_style(level, encoder, quick):
    flat = torch.full((1, 3, 24, 24), level)
    step = last_of(iter_paint(flat, [Region(torch.ones(1, 1, 24, 24), [(1 - flat, 1.0)])], encoder, quick(steps=3)))
    assert is_picture(step.picture(), (24, 24))
    assert all(torch.isfinite(torch.tensor(step.losses)))


class TestStyleScale:
    @pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
    def test_a_style_has_the_frames_pixels_times_the_scale_squared(
        self, scale, photo, encoder, quick, monkeypatch, make_photo
    ):
        seen = []
        grams = objective.style_grams
        monkeypatch.setattr(
            objective,
            "style_grams",
            lambda s, *a, **k: seen.extend(tuple(p.shape[-2:]) for p, *_ in s) or grams(s, *a, **k),
        )
        style = make_photo(120, 300)
        last_of(iter_paint(photo, [Region(WHOLE, [(style, 1.0)])], encoder, quick(steps=1, style_scale=scale)))
        (height, width) = seen[0]
        assert width / height == pytest.approx(2.5, rel=0.05)
        # Never below what the deepest layer needs: 32 pixels on the short side.
        assert height * width == pytest.approx(max(40 * 48 * scale**2, 32 * 80), rel=0.05)

    def test_the_style_shrinks_with_the_picture(self, encoder, quick, monkeypatch, make_photo):
        seen = []
        grams = objective.style_grams
        monkeypatch.setattr(
            objective, "style_grams", lambda s, *a, **k: seen.append(s[0][0].shape[-2:]) or grams(s, *a, **k)
        )
        photo, matte = make_photo(160, 240), torch.ones(1, 1, 160, 240)
        last_of(iter_paint(photo, [Region(matte, [(make_photo(200, 200), 1.0)])], encoder, quick(steps=2)))
        assert seen == [(98, 98), (196, 196)]  # square roots of 80 * 120 and of 160 * 240


@pytest.mark.parametrize(("size", "dots_px"), [((20, 480), None), ((240, 240), 14)])
def test_deep_layers_alone_are_painted_at_the_scales_that_hold_them(size, dots_px, style, encoder, quick, make_photo):
    matte = torch.full((1, 1, *size), 1.0 if dots_px is None else 0.0)
    for corner in () if dots_px is None else (8, 216):
        matte[..., corner : corner + dots_px, corner : corner + dots_px] = 1.0
    settings = quick(content_layers=("relu5_1",), style_layers=("relu5_1",))
    assert last_of(iter_paint(make_photo(*size), [Region(matte, [(style, 1.0)])], encoder, settings)).done == 6


class TestRefused:
    def test_nothing_to_paint(self, photo, encoder, quick):
        with pytest.raises(EmptyRegionError, match="There is nothing to paint: no region has a style"):
            next(iter_paint(photo, [], encoder, quick()))

    def test_an_empty_matte(self, photo, style, encoder, quick):
        with pytest.raises(EmptyRegionError, match="A region to be painted has no pixels: its matte is empty"):
            next(iter_paint(photo, [Region(0 * WHOLE, [(style, 1.0)])], encoder, quick()))

    def test_a_matte_of_another_size(self, photo, style, encoder, quick):
        matte = torch.ones(1, 1, 48, 40)
        with pytest.raises(ShapeError, match=r"matte must have the photo's size 48x40; got 40x48\."):
            next(iter_paint(photo, [Region(matte, [(style, 1.0)])], encoder, quick()))

    def test_a_start_of_another_shape(self, photo, style, encoder, quick):
        start = photo[..., :-1]
        with pytest.raises(ShapeError, match=r"must have the photo's shape \(1, 3, 40, 48\); got \(1, 3, 40, 47\)\."):
            next(iter_paint(photo, [Region(WHOLE, [(style, 1.0)])], encoder, quick(), start=start))
