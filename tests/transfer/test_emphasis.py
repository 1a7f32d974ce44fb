"""Places where the photo counts more, and calm places that get less of the style."""

import pytest
import torch
from torch import Tensor

from pochoir._types import Size
from pochoir.transfer import Region, build_emphasis, iter_paint
from pochoir.transfer.criterion import Criterion, StyledRegion
from pochoir.transfer.emphasis import LEAST_STYLE, MOST_CONTENT, Emphasis
from pochoir.transfer.targets import style_grams
from pochoir.transfer.tiling import Margin, Window
from support.close import assert_close

WHOLE = torch.ones(1, 1, 40, 48)


def test_nothing_to_emphasize_is_none(photo):
    assert build_emphasis(photo) is None
    assert build_emphasis(photo, amounts=torch.zeros_like(WHOLE)) is None


@pytest.mark.parametrize("amount", [0.25, 1.0])
def test_protected_pixels_count_more_for_content_and_less_for_style(amount, photo, left_half):
    emphasis = build_emphasis(photo, amounts=amount * left_half)
    assert emphasis is not None
    assert float(emphasis.content[..., 0].min()) == pytest.approx(1 + MOST_CONTENT * amount)
    assert float(emphasis.style[..., 0].max()) < 1.0
    assert float(emphasis.content[..., -1].max()) == float(emphasis.style[..., -1].min()) == 1.0


def test_calm_takes_style_from_calm_places_only():
    photo = torch.full((1, 3, 120, 160), 0.6)
    photo[..., 60:, :] += 0.6 * torch.rand(1, 1, 60, 160, generator=torch.Generator().manual_seed(0)) - 0.3
    emphasis = build_emphasis(photo, calm=0.5)
    assert emphasis is not None
    assert_close(emphasis.style[..., :50, :], torch.full((1, 1, 50, 160), 0.5), atol=0.01)
    assert float(emphasis.style[..., 70:, :].min()) > 0.85
    assert bool((emphasis.content == 1.0).all())
    assert float(build_emphasis(photo, calm=1.0).style.min()) == pytest.approx(LEAST_STYLE)


def test_it_follows_the_picture(left_half):
    emphasis = Emphasis(1.0 + 3.0 * left_half, 1.0 - 0.6 * left_half)
    half = emphasis.at(Size(20, 24))
    assert half.content.shape == (1, 1, 20, 24)
    assert float(half.content.max()) == pytest.approx(4.0)
    assert float(half.style.min()) == pytest.approx(0.4, abs=1e-6)
    margin = Margin(4, 4, 4, 4)
    assert torch.equal(emphasis.padded(margin).cut(Window(4, 4, Size(40, 48))).style, emphasis.style)


def test_layers_and_regions_count_as_before(photo, style, encoder, quick, left_half):
    settings = quick()
    grams = style_grams([(style, 1.0)], encoder, settings.style_layers)
    regions = [StyledRegion(left_half, grams), StyledRegion(1 - left_half, grams)]
    emphasis = build_emphasis(photo, amounts=left_half)
    plain = Criterion(photo, regions, encoder, settings)
    changed = Criterion(photo, regions, encoder, settings, emphasis=emphasis)
    assert changed.layer_weights == plain.layer_weights
    assert changed.shares == plain.shares
    for layer, guide in plain.content_guides.items():
        assert float(changed.content_guides[layer][..., 0].mean() / guide[..., 0].mean()) == pytest.approx(4.0)
        assert_close(changed.content_guides[layer][..., -1], guide[..., -1])


def distance(picture: Tensor, photo: Tensor, columns: slice) -> float:
    return float((picture - photo)[..., columns].square().mean())


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("schedule", [(12,), (8, 8)])
def test_the_protected_part_stays_nearer_to_the_photo(schedule, count, make_photo, style, encoder, quick):
    photo, settings = make_photo(48, 128), quick(schedule=schedule, content_layers=("relu2_2",))
    top = torch.zeros(1, 1, 48, 128)
    top[..., :24, :] = 1.0
    mattes = [torch.ones_like(top)] if count == 1 else [top, 1 - top]
    regions = [Region(matte, [(style, 1.0)]) for matte in mattes]
    amounts = torch.zeros(1, 1, 48, 128)
    amounts[..., :48] = 1.0
    plain, protected = (
        list(iter_paint(photo, regions, encoder, settings, emphasis=emphasis))[-1].picture()
        for emphasis in (None, build_emphasis(photo, amounts=amounts))
    )
    inside, outside = slice(0, 44), slice(64, 128)
    assert distance(protected, photo, inside) < 0.93 * distance(plain, photo, inside)
    assert distance(protected, photo, inside) > 0.0005  # still painted
    assert distance(protected, photo, outside) > 0.8 * distance(plain, photo, outside)


def test_everything_protected_is_painted_all_the_same(photo, style, encoder, quick):
    emphasis = build_emphasis(photo, amounts=torch.ones(1, 1, 40, 48), calm=1.0)
    *_, last = iter_paint(photo, [Region(WHOLE, [(style, 1.0)])], encoder, quick(), emphasis=emphasis)
    assert all(torch.isfinite(torch.tensor(last.losses)))
    assert distance(last.picture(), photo, slice(None)) > 0.001
