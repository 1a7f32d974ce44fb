import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pochoir.errors import OptionError, ShapeError, UnknownNameError
from pochoir.recipe import REFINEMENTS
from pochoir.segmentation.matting import refine as matting
from pochoir.segmentation.matting.insides import fill_insides
from pochoir.segmentation.matting.refine import REFINE_METHODS, overlay, refine_matte, trimap


@pytest.fixture
def scene():
    """A photo of an orange ball before blue, its exact matte, and the blurred matte that a network would give."""
    y, x = torch.meshgrid(torch.arange(240.0), torch.arange(320.0), indexing="ij")
    exact = (70.5 - torch.hypot(x - 160, y - 120)).clamp(0, 1)[None, None]
    noise = 0.03 * torch.rand(1, 3, 240, 320, generator=torch.Generator().manual_seed(0))
    ball, wall = torch.tensor([0.9, 0.5, 0.1]).view(1, 3, 1, 1), torch.tensor([0.1, 0.2, 0.6]).view(1, 3, 1, 1)
    photo = torch.lerp(wall, ball, exact) + noise
    blurred = exact
    for _ in range(3):
        blurred = F.avg_pool2d(blurred, 5, stride=1, padding=2, count_include_pad=False)
    return photo, exact, blurred


def test_refinements_are_those_of_the_recipe():
    assert tuple(REFINE_METHODS) == REFINEMENTS


def test_none_gives_the_matte_itself(scene):
    photo, _, blurred = scene
    assert refine_matte(blurred, photo, method="none") is blurred


def test_fast_puts_the_edge_where_the_photo_has_it(scene):
    photo, exact, blurred = scene
    refined = refine_matte(blurred, photo, method="fast")
    assert float((refined - exact).abs().sum()) < 0.25 * float((blurred - exact).abs().sum())
    assert float(refined.min()) == 0.0
    assert float(refined.max()) == 1.0


@pytest.mark.parametrize("method", ["fast", "best"])
def test_no_fog_is_left(scene, method):
    photo, exact, blurred = scene
    refined = refine_matte(blurred * 0.92 + 0.04, photo, method=method)  # fog everywhere, inside and outside
    outside = F.max_pool2d(exact, 21, stride=1, padding=10) == 0
    inside = F.max_pool2d(1 - exact, 21, stride=1, padding=10) == 0
    assert float(refined[outside].max()) == 0.0
    assert float(refined[inside].min()) == 1.0


@pytest.mark.parametrize("method", ["fast", "best"])
def test_doubt_deep_inside_becomes_solid_and_holes_stay(scene, method):
    """A helmet that the network is unsure of let the new background show through."""
    photo, _, blurred = scene
    y, x = torch.meshgrid(torch.arange(240.0), torch.arange(320.0), indexing="ij")
    doubtful, hole = torch.hypot(x - 190, y - 110) < 20, torch.hypot(x - 130, y - 130) < 12
    matte = torch.where(doubtful, 0.8, torch.where(hole, 0.2, blurred))
    photo = torch.where(hole, photo[..., :1, :1], photo)  # the wall is seen through the hole
    refined = refine_matte(matte, photo, method=method)
    assert float(refined[0, 0][torch.hypot(x - 190, y - 110) < 12].min()) > 0.99
    assert float(refined[0, 0][torch.hypot(x - 130, y - 130) < 6].max()) < 0.5


def test_insides_are_filled_up_to_the_frame_and_never_lowered():
    generator = torch.Generator().manual_seed(0)
    full = torch.full((1, 1, 60, 80), 0.8)
    assert torch.equal(fill_insides(full), torch.ones_like(full))
    for size in ((1, 1), (1, 50), (40, 1200)):
        matte = torch.rand(1, 1, *size, generator=generator)
        filled = fill_insides(matte)
        assert bool((filled >= matte).all())
        assert torch.equal(filled[matte < 0.5], matte[matte < 0.5])


@pytest.mark.parametrize("method", ["fast", "best"])
def test_a_blurred_subject_keeps_its_soft_rim(scene, method):
    _, soft, _ = scene
    for _ in range(3):
        soft = F.avg_pool2d(soft, 9, stride=1, padding=4, count_include_pad=False)
    ball, wall = torch.tensor([0.9, 0.5, 0.1]).view(1, 3, 1, 1), torch.tensor([0.1, 0.2, 0.6]).view(1, 3, 1, 1)
    error = (refine_matte(soft, torch.lerp(wall, ball, soft), method=method) - soft).abs()
    rim = (soft > 0.1) & (soft < 0.9)
    assert float(error[rim].mean()) < 0.08  # 5 % is taken as fog
    assert float(error.max()) < 0.2


@pytest.mark.parametrize("method", REFINEMENTS)
def test_operands_are_left_as_they_are(scene, method):
    photo, _, blurred = scene
    copies = photo.clone(), blurred.clone()
    refine_matte(blurred, photo, method=method)
    assert torch.equal(photo, copies[0])
    assert torch.equal(blurred, copies[1])


@pytest.mark.parametrize("method", ["fast", "best"])
@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (2, 3), (25, 1000), (99, 101)])
def test_any_size_can_be_refined(size, method):
    generator = torch.Generator().manual_seed(0)
    matte, photo = (torch.rand(1, channels, *size, generator=generator) for channels in (1, 3))
    refined = refine_matte(matte, photo, method=method)
    assert refined.shape == (1, 1, *size)
    assert refined.dtype == torch.float32
    assert 0.0 <= float(refined.min()) <= float(refined.max()) <= 1.0


@pytest.mark.parametrize("method", ["fast", "best"])
@pytest.mark.parametrize("level", [0.0, 1.0])
def test_empty_and_full_mattes_are_kept(level, method):
    matte = torch.full((1, 1, 60, 80), level)
    assert torch.equal(refine_matte(matte, torch.rand(1, 3, 60, 80), method=method), matte)


@pytest.mark.parametrize("method", ["fast", "best"])
def test_flat_matte_of_one_half_on_a_flat_photo_stays_there(method):
    matte = torch.full((1, 1, 30, 40), 0.5)
    refined = refine_matte(matte, torch.full((1, 3, 30, 40), 0.3), method=method)
    torch.testing.assert_close(refined, matte, rtol=0, atol=1e-3)


@pytest.fixture(scope="module")
def fuzzy():
    """A drawn furry disc before a mottled wall, its exact matte, and a network's matte: the disc alone, blurred."""
    rng = np.random.default_rng(0)
    height, width = 260, 340
    y, x = np.mgrid[:height, :width] + 0.5
    angle, far = np.arctan2(y - 130, x - 170), np.hypot(y - 130, x - 170)
    hairs = sum(np.cos(count * angle + phase) for count, phase in zip((61, 97, 143), rng.uniform(0, 6, 3), strict=True))
    exact = torch.from_numpy(np.clip(78 + 5 * hairs - far, 0, 1)).float()[None, None]
    rough = torch.from_numpy(np.clip((80 - far) / 14 + 0.5, 0, 1)).float()[None, None]
    noise = torch.from_numpy(rng.normal(0, 0.01, (1, 3, height, width))).float()
    mottle = torch.from_numpy(0.08 * np.sin(x / 9) * np.cos(y / 13)).float()[None, None]
    fur, wall = torch.tensor([0.75, 0.5, 0.3]).view(1, 3, 1, 1), torch.tensor([0.35, 0.45, 0.55]).view(1, 3, 1, 1)
    return (torch.lerp(wall + mottle, fur - mottle, exact) + noise).clamp(0, 1), exact, rough


def error_of(matte, exact):
    return float((matte - exact).abs().sum())


def test_fur_is_found_from_a_blurred_disc(fuzzy):
    photo, exact, rough = fuzzy
    none, fast, best = (error_of(refine_matte(rough, photo, method=method), exact) for method in REFINEMENTS)
    assert fast < 0.15 * none
    assert best < 0.2 * none  # these hairs are finer than the 3x3 windows of the matting Laplacian


@pytest.mark.parametrize("method", ["fast", "best"])
def test_matte_is_exactly_0_and_1_away_from_the_edge(fuzzy, method):
    photo, _, rough = fuzzy
    refined = refine_matte(rough, photo, method=method)
    outside = F.max_pool2d(rough, 25, stride=1, padding=12) == 0
    inside = F.max_pool2d(1 - rough, 25, stride=1, padding=12) == 0
    assert bool(outside.any())
    assert bool(inside.any())
    assert float(refined[outside].max()) == 0.0
    assert float(refined[inside].min()) == 1.0


def test_large_photos_are_solved_at_a_smaller_size(fuzzy, monkeypatch):
    photo, exact, rough = fuzzy
    whole = refine_matte(rough, photo, method="best")
    monkeypatch.setattr(matting, "_MOST_UNSURE", 4000)  # of 16 thousand
    smaller = refine_matte(rough, photo, method="best")
    assert not torch.equal(smaller, whole)
    assert float((smaller - whole).abs().mean()) < 0.015
    assert error_of(smaller, exact) < 0.5 * error_of(rough, exact)


@pytest.mark.parametrize("method", ["fast", "best"])
def test_refinement_gives_the_same_bytes_again(fuzzy, method):
    photo, _, rough = fuzzy
    assert torch.equal(refine_matte(rough, photo, method=method), refine_matte(rough, photo, method=method))


def draw_disc(radius=70.0, height=240, width=320):
    y, x = torch.meshgrid(torch.arange(float(height)), torch.arange(float(width)), indexing="ij")
    return (radius + 0.5 - torch.hypot(x - width / 2, y - height / 2)).clamp(0, 1)[None, None]


def blur(matte, times=3):
    for _ in range(times):
        matte = F.avg_pool2d(matte, 9, stride=1, padding=4, count_include_pad=False)
    return matte


@pytest.mark.parametrize("method", ["fast", "best"])
def test_colors_that_subject_and_ground_share_make_no_grain(method):
    """A pebble hat before pebbles: nothing but the network knows the edge, so the edge stays as smooth as it was."""
    generator = torch.Generator().manual_seed(5)
    pebbles = F.interpolate(torch.rand(1, 3, 60, 80, generator=generator), size=(240, 320), mode="bicubic").clamp(0, 1)
    rough = blur(draw_disc())
    refined = refine_matte(rough, 0.25 + 0.5 * pebbles, method=method)

    def roughness(matte):
        return float(matte.diff(dim=-1).abs().sum() + matte.diff(dim=-2).abs().sum())

    assert float((refined - rough).abs().mean()) < 0.02
    assert roughness(refined) < 1.35 * roughness(rough)


@pytest.mark.parametrize("method", ["fast", "best"])
def test_an_unsure_inside_in_one_color_does_not_stay_grey(method):
    """Dark clothes that the network half sees, with sure subject of the same colour around them."""
    exact = draw_disc()
    wall, coat = torch.tensor([0.8, 0.8, 0.7]).view(1, 3, 1, 1), torch.tensor([0.15, 0.15, 0.2]).view(1, 3, 1, 1)
    photo = torch.lerp(wall, coat, exact)
    rough = blur(exact)
    rough[..., 110:130, 215:228] = rough[..., 110:130, 215:228].clamp(max=0.6)  # a bite beside the edge
    refined = refine_matte(rough, photo, method=method)
    assert float(refined[..., 112:128, 216:226].mean()) > 0.9


@pytest.mark.parametrize("method", ["fast", "best"])
def test_a_highlight_in_hair_is_not_cut_through(method):
    """A bright streak well inside, in the colour of the ground: far from the edge colours do not count."""
    exact = draw_disc()
    wall, hair = torch.tensor([0.9, 0.9, 0.85]).view(1, 3, 1, 1), torch.tensor([0.3, 0.2, 0.1]).view(1, 3, 1, 1)
    photo = torch.lerp(wall, hair, exact)
    photo[..., 100:140, 150:153] = 0.88
    refined = refine_matte(blur(exact), photo, method=method)
    assert float(refined[..., 105:135, 149:154].min()) > 0.95


@pytest.mark.parametrize("method", ["fast", "best"])
def test_a_string_that_the_network_half_saw_is_kept(method):
    exact = draw_disc(50.0)
    exact[..., 119:121, 200:290] = 1.0
    ground, subject = torch.tensor([0.5, 0.7, 0.9]).view(1, 3, 1, 1), torch.tensor([0.6, 0.1, 0.1]).view(1, 3, 1, 1)
    rough = blur(exact, 1)  # leaves 2/9 of the string, three times as wide
    refined = refine_matte(rough, torch.lerp(ground, subject, exact), method=method)
    string = (slice(None), slice(None), slice(119, 121), slice(215, 280))
    assert float(rough[string].mean()) < 0.3
    assert float(refined[string].mean()) > 2.0 * float(rough[string].mean())
    assert float(refined[..., 112:115, 215:280].max()) < 0.1


@pytest.mark.parametrize("method", ["fast", "best"])
def test_white_on_white_keeps_what_the_network_sees(method):
    exact = draw_disc()
    generator = torch.Generator().manual_seed(2)
    noise = 0.01 * torch.randn(1, 3, 240, 320, generator=generator)
    photo = (torch.lerp(torch.tensor(0.97), torch.tensor(0.94), exact) + noise).clamp(0, 1)
    rough = blur(exact)
    refined = refine_matte(rough, photo, method=method)
    inside, truth = refined > 0.5, exact > 0.5
    assert float((inside & truth).sum() / (inside | truth).sum()) > 0.96


def test_unknown_refinement_is_refused():
    with pytest.raises(UnknownNameError, match=r"Unknown refinement 'fats'\. Did you mean 'fast'"):
        refine_matte(torch.zeros(1, 1, 4, 4), torch.zeros(1, 3, 4, 4), method="fats")


def test_sizes_must_agree():
    with pytest.raises(ShapeError, match="The matte is 5x4, the photo 4x4; resize the matte first"):
        refine_matte(torch.zeros(1, 1, 4, 5), torch.zeros(1, 3, 4, 4))
    with pytest.raises(ShapeError, match="The matte is 5x4, the photo 4x4; resize the matte first"):
        overlay(torch.zeros(1, 3, 4, 4), torch.zeros(1, 1, 4, 5))
    with pytest.raises(ShapeError, match=r"One matte of shape \(1, 1, H, W\)"):
        trimap(torch.zeros(4, 5))


def test_trimap_by_hand():
    matte = torch.zeros(1, 1, 1, 20)
    matte[..., 9], matte[..., 10:] = 0.5, 1.0
    # The sure parts start 2 pixels (a tenth of 20) from the unsure pixel 9; the frame costs nothing.
    expected = torch.tensor([0.0] * 7 + [0.5] * 5 + [1.0] * 8).view(1, 1, 1, 20)
    assert torch.equal(trimap(matte, margin=0.1), expected)


def test_trimap_limits_are_inclusive():
    matte = torch.tensor([0.0, 0.2, 0.21, 0.5, 0.79, 0.8, 1.0]).view(1, 1, 1, 7)
    given = trimap(matte, sure_background=0.2, sure_subject=0.8, margin=0.0)
    assert given.flatten().tolist() == [0.0, 0.0, 0.5, 0.5, 0.5, 1.0, 1.0]


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_trimap_of_empty_and_full_mattes_is_sure(level):
    matte = torch.full((1, 1, 30, 40), level)
    assert torch.equal(trimap(matte, margin=0.2), matte)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"sure_background": 0.9, "sure_subject": 0.1}, "got 0.9 and 0.1"),
        ({"sure_subject": 1.5}, "got 0.05 and 1.5"),
        ({"sure_background": -0.1}, "got -0.1 and 0.95"),
        ({"margin": -0.1}, "between 0 and 0.5; got -0.1"),
        ({"margin": float("nan")}, "between 0 and 0.5; got nan"),
    ],
)
def test_trimap_refuses_limits_out_of_order(options, text):
    with pytest.raises(OptionError, match=text):
        trimap(torch.zeros(1, 1, 4, 4), **options)


def test_overlay_keeps_the_subject_tints_the_background_and_draws_the_line(scene):
    photo, exact, _ = scene
    shown = overlay(photo, exact)
    assert shown.shape == photo.shape
    inside, outside = shown[0, :, 120, 160], shown[0, :, 5, 5]
    assert torch.equal(inside, photo[0, :, 120, 160])
    assert float(outside.mean()) < float(photo[0, :, 5, 5].mean())
    row = shown[0, :, 120, :]  # the line is yellow, which neither the ball nor the wall is
    yellow = ((row[0] > 0.85) & (row[1] > 0.7)).nonzero().flatten().tolist()
    assert len(yellow) >= 2
    assert min(yellow) == pytest.approx(90, abs=2)
    assert max(yellow) == pytest.approx(230, abs=2)


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_overlay_takes_empty_and_full_mattes(level):
    photo = torch.rand(1, 3, 20, 30, generator=torch.Generator().manual_seed(0))
    shown = overlay(photo, torch.full((1, 1, 20, 30), level))
    assert torch.equal(shown[..., 5:15, 5:25], photo[..., 5:15, 5:25]) == (level == 1.0)
