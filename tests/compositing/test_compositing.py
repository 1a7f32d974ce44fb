"""Layers put together and taken apart: exact where the matte is certain, free of rims where it is not."""

import pytest
import torch
import torch.nn.functional as F

from pochoir.compositing import alpha_over, composite, cutout, edge_colors, estimate_layers
from pochoir.errors import ShapeError

HEIGHT, WIDTH = 80, 96
BACKDROPS = {"white": (1.0, 1.0, 1.0), "black": (0.0, 0.0, 0.0), "green": (0.0, 1.0, 0.0)}


def flat(color: tuple[float, float, float]) -> torch.Tensor:
    return torch.tensor(color).view(1, 3, 1, 1).expand(1, 3, HEIGHT, WIDTH).contiguous()


def disc(*, softness_px: float) -> torch.Tensor:
    """A matte with a disc whose edge ramps over ``softness_px``; 0 is a hard edge."""
    y = torch.arange(HEIGHT).view(-1, 1) - HEIGHT / 2 + 0.5
    x = torch.arange(WIDTH).view(1, -1) - WIDTH / 2 + 0.5
    inside_px = 25 - torch.hypot(y, x)
    if softness_px == 0:
        return (inside_px > 0).float()[None, None]
    return (inside_px / softness_px + 0.5).clamp(0, 1)[None, None]


@pytest.fixture
def red() -> torch.Tensor:
    """A reddish subject with grain and a slope."""
    grain = torch.rand(1, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0)) - 0.5
    return flat((0.85, 0.1, 0.15)) + 0.05 * grain + torch.linspace(-0.05, 0.05, WIDTH)


@pytest.fixture
def green() -> torch.Tensor:
    """A greenish background with grain and a slope."""
    grain = torch.rand(1, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(1)) - 0.5
    return flat((0.1, 0.8, 0.2)) + 0.05 * grain + torch.linspace(0.05, -0.05, WIDTH)


def soft_pixels(matte: torch.Tensor) -> torch.Tensor:
    return ((matte > 0) & (matte < 1)).expand(-1, 3, -1, -1)


class TestAlphaOver:
    def test_porter_duff_by_hand(self) -> None:
        # 0.25 * (0.8, 0.4, 0.0) + 0.75 * (0.2, 0.6, 1.0)
        seen = alpha_over(
            torch.tensor([0.8, 0.4, 0.0]).view(1, 3, 1, 1),
            torch.tensor([0.2, 0.6, 1.0]).view(1, 3, 1, 1),
            torch.full((1, 1, 1, 1), 0.25),
        )
        torch.testing.assert_close(seen.flatten(), torch.tensor([0.35, 0.55, 0.75]))

    def test_certain_pixels_are_bit_exact(self) -> None:
        front, back = torch.rand(2, 3, 31, 37), torch.rand(2, 3, 31, 37)
        matte = torch.rand(2, 1, 31, 37).mul(3).sub(1).clamp(0, 1)
        seen = alpha_over(front, back, matte)
        ones, zeros = (matte == 1).expand_as(seen), (matte == 0).expand_as(seen)
        assert torch.equal(seen[ones], front[ones])
        assert torch.equal(seen[zeros], back[zeros])

    def test_gradients(self) -> None:
        operands = [torch.rand(1, channels, 3, 4, dtype=torch.float64, requires_grad=True) for channels in (3, 3, 1)]
        assert torch.autograd.gradcheck(alpha_over, operands)

    def test_shapes_that_do_not_agree(self) -> None:
        picture = torch.zeros(1, 3, 4, 5)
        with pytest.raises(ShapeError, match=r"\(1, 3, 4, 5\) and \(1, 3, 5, 4\)"):
            alpha_over(picture, torch.zeros(1, 3, 5, 4), torch.zeros(1, 1, 4, 5))
        with pytest.raises(ShapeError, match=r"picture is \(1, 1, 4, 5\); got \(1, 3, 4, 5\)"):
            alpha_over(picture, picture, picture)
        with pytest.raises(ShapeError, match=r"\(B, 3, H, W\); got \(1, 1, 4, 5\)"):
            alpha_over(picture[:, :1], picture[:, :1], picture[:, :1])


class TestEstimateLayers:
    def test_colours_of_a_soft_disc_are_recovered(self, red: torch.Tensor, green: torch.Tensor) -> None:
        matte = disc(softness_px=10)
        mixed = alpha_over(red, green, matte)
        soft = soft_pixels(matte)
        layers = estimate_layers(mixed, matte)
        assert (mixed - red).abs()[soft].mean() > 0.2  # what a naive paste shows
        assert (layers.foreground - red).abs()[soft].mean() < 0.02
        assert (layers.background - green).abs()[soft].mean() < 0.02
        assert (layers.foreground - red).abs()[soft].max() < 0.08

    @pytest.mark.parametrize("backdrop", BACKDROPS)
    def test_rim_on_any_backdrop(self, red: torch.Tensor, green: torch.Tensor, backdrop: str) -> None:
        matte, behind = disc(softness_px=10), flat(BACKDROPS[backdrop])
        mixed = alpha_over(red, green, matte)
        wanted, soft = alpha_over(red, behind, matte), soft_pixels(matte)
        naive = (alpha_over(mixed, behind, matte) - wanted).abs()[soft].mean()
        clean = (alpha_over(estimate_layers(mixed, matte).foreground, behind, matte) - wanted).abs()[soft].mean()
        assert clean < naive / 10

    def test_exact_where_the_matte_is_certain(self, red: torch.Tensor, green: torch.Tensor) -> None:
        matte = disc(softness_px=6)
        mixed = alpha_over(red, green, matte)
        layers = estimate_layers(mixed, matte)
        ones, zeros = (matte == 1).expand_as(mixed), (matte == 0).expand_as(mixed)
        assert torch.equal(layers.foreground[ones], mixed[ones])
        assert torch.equal(layers.background[zeros], mixed[zeros])

    @pytest.mark.parametrize("value", [0.0, 1.0])
    def test_without_soft_pixels_both_layers_are_the_picture(self, red: torch.Tensor, value: float) -> None:
        layers = estimate_layers(red, torch.full((1, 1, HEIGHT, WIDTH), value))
        assert layers.foreground is red
        assert layers.background is red

    def test_tiles_leave_no_seam(self, monkeypatch: pytest.MonkeyPatch) -> None:
        generator = torch.Generator().manual_seed(3)
        picture, matte = (torch.rand(1, channels, 150, 300, generator=generator) for channels in (3, 1))
        whole = estimate_layers(picture, matte)
        monkeypatch.setattr(edge_colors, "_TILE_PX", 80)
        parts = estimate_layers(picture, matte)
        torch.testing.assert_close(parts.foreground, whole.foreground, atol=1e-5, rtol=0)
        torch.testing.assert_close(parts.background, whole.background, atol=1e-5, rtol=0)

    def test_soft_pixels_at_the_frame(self, red: torch.Tensor, green: torch.Tensor) -> None:
        matte = torch.linspace(0, 1, WIDTH).expand(1, 1, HEIGHT, WIDTH)
        mixed = alpha_over(red, green, matte)
        assert (estimate_layers(mixed, matte).foreground - red).abs().mean() < 0.05

    @pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (1, 40)])
    @pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
    def test_tiny_pictures(self, size: tuple[int, int], value: float) -> None:
        picture, matte = torch.full((1, 3, *size), 0.3), torch.full((1, 1, *size), value)
        torch.testing.assert_close(estimate_layers(picture, matte).foreground, picture, atol=1e-3, rtol=0)
        torch.testing.assert_close(composite(picture, picture.clone(), matte), picture, atol=1e-3, rtol=0)
        assert cutout(picture, matte).shape == (1, 4, *size)

    def test_two_pictures_at_once(self) -> None:
        with pytest.raises(ShapeError, match="one picture at a time; got 2"):
            estimate_layers(torch.zeros(2, 3, 4, 4), torch.zeros(2, 1, 4, 4))

    def test_same_input_same_bits(self, red: torch.Tensor) -> None:
        matte = disc(softness_px=9)
        assert torch.equal(estimate_layers(red, matte).foreground, estimate_layers(red, matte).foreground)

    def test_inputs_are_left_alone(self, red: torch.Tensor) -> None:
        matte = disc(softness_px=9)
        before = red.clone(), matte.clone()
        cutout(red, matte)
        assert torch.equal(red, before[0])
        assert torch.equal(matte, before[1])


class TestComposite:
    def test_neither_picture_leaves_a_rim(self, red: torch.Tensor, green: torch.Tensor) -> None:
        matte = disc(softness_px=10)
        photo = alpha_over(red, green, matte)
        violet, yellow = red.flip(1), green.roll(1, dims=1)
        pastiche = alpha_over(violet, yellow, matte)
        wanted, soft = alpha_over(violet, green, matte), soft_pixels(matte)
        naive = (alpha_over(pastiche, photo, matte) - wanted).abs()[soft].mean()
        assert (composite(pastiche, photo, matte) - wanted).abs()[soft].mean() < naive / 5

    def test_certain_pixels_are_bit_exact(self, red: torch.Tensor, green: torch.Tensor) -> None:
        matte = disc(softness_px=10)
        seen = composite(red, green, matte)
        ones, zeros = (matte == 1).expand_as(seen), (matte == 0).expand_as(seen)
        assert torch.equal(seen[ones], red[ones])
        assert torch.equal(seen[zeros], green[zeros])

    def test_of_one_picture_is_that_picture(self, red: torch.Tensor) -> None:
        assert composite(red, red, disc(softness_px=10)) is red

    def test_hard_matte_needs_no_estimate(self, red: torch.Tensor, green: torch.Tensor) -> None:
        matte = disc(softness_px=0)
        assert torch.equal(composite(red, green, matte), alpha_over(red, green, matte))


class TestCutout:
    @pytest.mark.parametrize("softness_px", [0, 3, 10])
    @pytest.mark.parametrize("backdrop", BACKDROPS)
    def test_scaled_without_regard_for_alpha_shows_no_rim(
        self, red: torch.Tensor, green: torch.Tensor, softness_px: float, backdrop: str
    ) -> None:
        """Many programs scale colours and alpha apart; only colours carried on under alpha 0 survive that."""
        matte = disc(softness_px=softness_px)
        mixed = alpha_over(red, green, matte)
        small = {"size": (HEIGHT // 4, WIDTH // 4), "mode": "bilinear", "antialias": True}
        behind = F.interpolate(flat(BACKDROPS[backdrop]), **small)
        alpha = F.interpolate(matte, **small)
        wanted = alpha_over(F.interpolate(red, **small), behind, alpha)
        soft = soft_pixels(alpha)

        def rim(rgba: torch.Tensor) -> torch.Tensor:
            seen = alpha_over(F.interpolate(rgba[:, :3], **small), behind, alpha)
            return (seen - wanted).abs()[soft].mean()

        assert rim(cutout(mixed, matte)) < rim(torch.cat([mixed, matte], dim=1)) / 5

    def test_alpha_and_certain_colours_are_exact(self, red: torch.Tensor) -> None:
        matte = disc(softness_px=4)
        rgba = cutout(red, matte)
        assert torch.equal(rgba[:, 3:], matte)
        ones = (matte == 1).expand_as(red)
        assert torch.equal(rgba[:, :3][ones], red[ones])
        assert rgba.min() >= 0
        assert rgba.max() <= 1

    def test_nothing_of_the_background_is_left(self, red: torch.Tensor, green: torch.Tensor) -> None:
        matte = disc(softness_px=4)
        rgba = cutout(alpha_over(red, green, matte), matte)
        hidden = rgba[:, :3][(matte == 0).expand(-1, 3, -1, -1)].view(3, -1)
        assert (hidden[0] > 0.7).all()
        assert (hidden[1] < 0.3).all()

    def test_empty_matte_is_black_and_transparent(self, red: torch.Tensor) -> None:
        assert cutout(red, torch.zeros(1, 1, HEIGHT, WIDTH)).abs().max() == 0

    def test_full_matte_is_the_picture(self, red: torch.Tensor) -> None:
        rgba = cutout(red, torch.ones(1, 1, HEIGHT, WIDTH))
        assert torch.equal(rgba[:, :3], red)
        assert rgba[:, 3].min() == 1
