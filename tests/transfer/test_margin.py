"""The reflected margin that keeps strokes from curling along the frame."""

import pytest
import torch
from torch import Tensor

from pochoir._types import Size
from pochoir.recipe import TransferSettings
from pochoir.transfer import Region, iter_paint, paint, tiling
from pochoir.transfer.criterion import Criterion, StyledRegion
from pochoir.transfer.pyramid import Level
from pochoir.transfer.targets import style_grams
from pochoir.transfer.tiling import FRAME_MARGIN_PX, GRID_PX, NO_MARGIN, Margin, Window, plan_margin

FRAME = Size(300, 400)


def test_the_margin_is_a_reflection_and_comes_off_again():
    picture = torch.rand(2, 3, 20, 30, generator=torch.Generator().manual_seed(1))
    margin = Margin(3, 4, 5, 6)
    padded = margin.pad(picture)
    assert padded.shape[-2:] == margin.padded_size(Size(20, 30)) == Size(28, 40)
    assert torch.equal(margin.crop(padded), picture)
    assert torch.equal(padded[..., 2, 4:-6], picture[..., 1, :])
    assert torch.equal(padded[..., 3:-5, -6], picture[..., :, -2])
    assert NO_MARGIN.pad(picture) is picture


def test_only_sides_on_the_frame_s_edge_have_one():
    assert plan_margin(FRAME, Window(0, 0, FRAME), FRAME, is_partial=False) == Margin(*[FRAME_MARGIN_PX] * 4)
    part = Window(0, 32, Size(160, 368))
    assert plan_margin(part.size, part, FRAME, is_partial=True) == Margin(GRID_PX, 0, 0, FRAME_MARGIN_PX)


@pytest.mark.parametrize(("size", "expected"), [((1, 3), 0), ((4, 8), 1), ((31, 99), 7)])
def test_it_is_at_most_a_quarter_of_a_side(size, expected):
    margin = plan_margin(Size(*size), Window(0, 0, FRAME), FRAME, is_partial=False)
    assert margin.top == expected
    Margin(*margin).pad(torch.zeros(1, 1, *size))


def test_windows_of_a_padded_picture_know_their_part_of_the_margin():
    margin, padded = Margin(16, 16, 8, 8), Size(124, 224)
    assert margin.within(Window(0, 0, padded), padded) == margin
    assert margin.within(Window(16, 32, Size(100, 100)), padded) == NO_MARGIN
    assert margin.within(Window(4, 100, Size(120, 120)), padded) == Margin(12, 0, 8, 4)


def test_weights_fall_in_the_margin_from_the_picture_to_its_outer_end():
    weights = Margin(4, 0, 2, 8).falloff(Size(20, 30))
    assert weights.shape == (1, 1, 20, 30)
    assert weights[0, 0, :5, 10].tolist() == [0.125, 0.375, 0.625, 0.875, 1.0]
    assert weights[0, 0, -3:, 0].tolist() == [1.0, 0.75, 0.25]
    assert weights[0, 0, 10, -2:].tolist() == [0.1875, 0.0625]
    assert weights[0, 0, 0, -1] == 0.0625
    assert torch.equal(NO_MARGIN.falloff(Size(3, 5)), torch.ones(1, 1, 3, 5))


@pytest.fixture
def mattes(left_half) -> list[Tensor]:
    return [left_half, 1 - left_half]


def test_layers_count_as_they_do_without_it(photo, style, encoder, quick, mattes):
    settings = quick()
    grams = style_grams([(style, 1.0)], encoder, settings.style_layers)

    def build(level: Level) -> Criterion:
        regions = [StyledRegion(region.matte, grams) for region in level.regions]
        return Criterion(level.photo, regions, encoder, settings, margin=level.margin)

    level = Level(photo, [Region(matte, [(style, 1.0)]) for matte in mattes], style_scale=1.0, frame_px=1920.0)
    plain, padded = build(level), build(level.padded(Margin(8, 8, 8, 8)))
    assert padded.layer_weights == plain.layer_weights
    assert [set(guides) for guides in padded.guides] == [set(guides) for guides in plain.guides]
    assert padded.cover.shape[-2:] == (56, 64)
    margin = Margin(8, 8, 8, 8)
    for guides, matte in zip(padded.guides, mattes, strict=True):
        assert torch.equal(guides["relu1_1"], margin.pad(matte) * margin.falloff(Size(56, 64)))


def test_a_region_that_is_too_small_without_it_is_too_small_with_it(photo, style, encoder, quick):
    corner = torch.zeros(1, 1, 40, 48)
    corner[..., 1:3, 1:2] = 1.0  # half a position of relu2_1, and with its reflections two
    settings = quick(content_weight=0.0)
    grams = style_grams([(style, 1.0)], encoder, settings.style_layers)
    margin = Margin(8, 8, 8, 8)
    criterion = Criterion(
        margin.pad(photo), [StyledRegion(margin.pad(corner), grams)], encoder, settings, margin=margin
    )
    assert set(criterion.guides[0]) == {"relu1_1", "relu2_1"}


class TestPainting:
    @pytest.mark.parametrize("color", ["style", "photo"])
    @pytest.mark.parametrize("count", [1, 2])
    def test_pictures_and_checkpoints_are_without_it(self, count, color, make_photo, style, encoder, quick):
        photo = make_photo(64, 240)
        left = torch.zeros(1, 1, 64, 240)
        left[..., :100] = 1.0
        regions = [Region(matte, [(style, 1.0)]) for matte in ([left, 1 - left] if count == 2 else [left])]
        steps = list(iter_paint(photo, regions, encoder, quick(schedule=(2, 2), color=color)))
        ends = [step.checkpoint for step in steps if step.checkpoint is not None]
        width = 240 if count == 2 else 160  # the painted part, 48 pixels around it, to the grid
        assert [tuple(end.picture.shape) for end in ends] == [(count, 3, 32, width // 2), (1, 3, 64, width)]
        assert all(end.picture.is_contiguous() for end in ends)
        assert all(step.picture().shape == photo.shape for step in steps)

    def test_the_encoder_is_shown_a_margin_at_every_scale(self, make_photo, style, encoder, quick, monkeypatch):
        shown = []
        optimize = paint.OPTIMIZERS["lbfgs"]

        def watched(objective, start, free):
            shown.append(tuple(start.shape[-2:]))
            yield from optimize(objective, start, free)

        monkeypatch.setitem(paint.OPTIMIZERS, "lbfgs", watched)
        photo = make_photo(64, 240)
        list(iter_paint(photo, [Region(torch.ones(1, 1, 64, 240), [(style, 1.0)])], encoder, quick(steps=2)))
        assert shown == [(32 + 16, 120 + 16), (64 + 16, 240 + 16)]

    @pytest.mark.parametrize("style_name", ["stripes", "noise"])
    @pytest.mark.parametrize(("grain", "is_smooth"), [(0.0, True), (0.1, False)])
    def test_strokes_do_not_run_along_the_border(self, grain, is_smooth, style_name, encoder, monkeypatch):
        ramp = torch.linspace(0.2, 0.8, 96)
        photo = (0.5 * ramp.view(1, 1, -1, 1) + 0.5 * ramp.view(1, 1, 1, -1)).expand(1, 3, 96, 96).clone()
        photo += grain * (2.0 * torch.rand(1, 1, 96, 96, generator=torch.Generator().manual_seed(3)) - 1.0)
        y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
        style = {
            "stripes": ((torch.sin(0.9 * x + 0.5 * y) > 0).float() * 0.6 + 0.2).expand(1, 3, 64, 64),
            "noise": torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(9)) * 0.8 + 0.1,
        }[style_name]
        settings = TransferSettings(
            schedule=(20,), content_layers=("relu2_2",), style_layers=("relu1_1", "relu2_1", "relu3_1")
        )

        def border_lean() -> float:
            *_, last = iter_paint(photo, [Region(torch.ones(1, 1, 96, 96), [(style, 1.0)])], encoder, settings)
            return abs(share_across_the_border(last.picture()) - 0.5)

        assert border_lean() < 0.06
        if is_smooth:  # a grainy photo hides the fault
            monkeypatch.setattr(tiling, "FRAME_MARGIN_PX", 0)
            assert border_lean() > 0.1


def share_across_the_border(picture: Tensor) -> float:
    """Share of the gradient energy in the outer 8 pixels that runs across the nearest edge."""
    grey = picture.mean(dim=1)[0]
    down, across = grey.diff(dim=0)[:, :-1].square(), grey.diff(dim=1)[:-1].square()

    def in_rim(horizontal: Tensor, vertical: Tensor) -> Tensor:
        rims = (horizontal[:8, 8:-8], horizontal[-8:, 8:-8], vertical[8:-8, :8], vertical[8:-8, -8:])
        return sum((rim.sum() for rim in rims), torch.zeros(()))

    over, along = in_rim(down, across), in_rim(across, down)
    return float(over / (over + along))
