import pytest
import torch

from pochoir._types import Size
from pochoir.encoders import VGG, tiny_encoder
from pochoir.errors import EmptyRegionError, ShapeError
from pochoir.recipe import TransferSettings
from pochoir.transfer.criterion import GAMUT_WEIGHT, STYLE_UNIT, TV_UNIT, Criterion, StyledRegion
from pochoir.transfer.features import FeatureTiles
from pochoir.transfer.functional import gram, relative_distance, total_variation
from pochoir.transfer.layer_weights import weigh_layers
from pochoir.transfer.targets import style_grams
from support.close import assert_close

LAYERS = ("relu1_1", "relu2_1", "relu3_1")
WHOLE = torch.ones(1, 1, 40, 48)


@pytest.fixture
def pastiche(photo) -> torch.Tensor:
    return (photo + 0.2 * torch.rand(photo.shape, generator=torch.Generator().manual_seed(9)) - 0.1).clamp(0, 1)


@pytest.fixture
def region(encoder, style):
    def make(matte: torch.Tensor, *styles: torch.Tensor) -> StyledRegion:
        return StyledRegion(matte, style_grams([(s, 1.0) for s in styles or (style,)], encoder, LAYERS))

    return make


class TestTerms:
    def test_total_is_the_weighted_sum(self, photo, region, encoder, quick):
        weights = {"content_weight": 3.0, "style_weight": 0.7, "tv_weight": 11.0}
        criterion = Criterion(photo, [region(WHOLE)], encoder, quick(**weights), content_gain=2.0)
        outside = photo * 1.6 - 0.2
        losses = criterion(outside).numbers()
        assert losses.gamut > 0.0
        expected = (
            3.0 * 2.0 * losses.content
            + 0.7 * STYLE_UNIT * losses.style
            + 11.0 * TV_UNIT * losses.tv
            + GAMUT_WEIGHT * losses.gamut
        )
        assert losses.total == pytest.approx(expected, rel=1e-5)
        assert criterion(outside).total.item() == losses.total

    def test_terms_by_hand(self, photo, style, pastiche, region, encoder, quick):
        settings = quick(content_layers=("relu2_2", "relu3_1"))
        losses = Criterion(photo, [region(WHOLE)], encoder, settings)(pastiche)
        ours, photos, styles = (encoder(p, (*LAYERS, "relu2_2")) for p in (pastiche, photo, style))
        content = sum(relative_distance(ours[layer], photos[layer]) for layer in ("relu2_2", "relu3_1")) / 2
        trust = {"relu1_1": 1920 / (1920 + 2.5), "relu2_1": 480 / (480 + 2.5), "relu3_1": 120 / (120 + 4.5)}
        drawn = sum(relative_distance(gram(ours[name]), gram(styles[name])) * trust[name] for name in LAYERS)
        drawn /= sum(trust.values())
        assert losses.content == pytest.approx(float(content), rel=1e-4)
        assert losses.style == pytest.approx(float(drawn), rel=1e-4)
        assert losses.tv == pytest.approx(float(total_variation(pastiche)), rel=1e-5)
        assert losses.gamut == 0.0

    def test_nothing_is_lost_where_photo_and_style_are_reached(self, photo, region, encoder, quick):
        losses = Criterion(photo, [region(WHOLE, photo)], encoder, quick(tv_weight=0.0))(photo)
        assert losses.content == 0.0
        assert losses.total == pytest.approx(0.0, abs=1e-6)

    def test_weights_of_zero_switch_terms_off(self, photo, pastiche, region, encoder, quick):
        losses = Criterion(photo, [region(WHOLE)], encoder, quick(content_weight=0.0, tv_weight=0.0))(
            pastiche
        ).numbers()
        assert losses.content == 0.0
        assert losses.total == pytest.approx(STYLE_UNIT * losses.style, rel=1e-5)
        losses = Criterion(photo, [region(WHOLE)], encoder, quick(style_weight=0.0, tv_weight=0.0))(pastiche).numbers()
        assert losses.style == 0.0
        assert losses.total == pytest.approx(losses.content, rel=1e-5)

    def test_what_is_switched_off_is_not_computed(self, photo, pastiche, region, quick):
        class Watched(VGG):
            def forward(self, picture, layers, **options):
                asked.append(tuple(layers))
                return super().forward(picture, layers, **options)

        asked: list[tuple[str, ...]] = []
        encoder = Watched("vgg19", channels=(4, 4, 8, 8, 8))
        encoder.load_state_dict(tiny_encoder().state_dict())
        settings = quick(content_weight=0.0, content_layers=("relu5_4",))
        Criterion(photo, [region(WHOLE)], encoder, settings)(pastiche)
        assert all("relu5_4" not in layers for layers in asked)

    def test_gradient_by_finite_differences(self, quick):
        encoder = tiny_encoder(pooling="avg").double()
        generator = torch.Generator().manual_seed(4)
        photo, style, pastiche = torch.rand(3, 1, 3, 5, 6, generator=generator, dtype=torch.float64) * 1.2 - 0.1
        matte = torch.rand(1, 1, 5, 6, generator=generator, dtype=torch.float64)
        settings = quick(content_layers=("relu2_1",), style_layers=("relu1_1", "relu2_1"))
        grams = style_grams([(style, 1.0)], encoder, settings.style_layers)
        criterion = Criterion(photo, [StyledRegion(matte, grams), StyledRegion(1 - matte, grams)], encoder, settings)
        assert torch.autograd.gradcheck(lambda x: criterion(x).total, pastiche.requires_grad_())

    def test_content_counts_only_where_something_is_painted(self, photo, hard_box, region, encoder, quick):
        criterion = Criterion(photo, [region(hard_box)], encoder, quick(content_layers=("relu1_1",)))
        changed = photo.clone()
        changed[..., :7, :] = 0.0  # one pixel of distance to the box: relu1_1 sees one pixel around
        assert criterion(changed).content == 0.0
        changed[..., 8, :] = 0.0
        assert criterion(changed).content > 0.0

    def test_smoothness_counts_only_where_something_is_painted(self, photo, hard_box, region, encoder, quick):
        criterion = Criterion(photo, [region(hard_box)], encoder, quick())
        changed = photo.clone()
        changed[..., :8, :] = torch.rand(8, 48, generator=torch.Generator().manual_seed(1))
        assert criterion(changed).tv == criterion(photo).tv
        changed[..., 8, 20] += 0.3
        assert criterion(changed).tv > criterion(photo).tv


class TestBlend:
    def test_targets_are_the_weighted_mean(self, photo, style, encoder):
        blend = style_grams([(style, 1.0), (photo, 3.0)], encoder, LAYERS)
        for layer in LAYERS:
            one, other = (gram(encoder(picture, (layer,))[layer]) for picture in (style, photo))
            assert_close(blend[layer], 0.25 * one + 0.75 * other)

    def test_only_the_ratio_of_shares_matters(self, photo, style, encoder):
        blend = style_grams([(style, 0.2), (photo, 0.6)], encoder, LAYERS)
        again = style_grams([(style, 20.0), (photo, 60.0)], encoder, LAYERS)
        alone = style_grams([(style, 7.0)], encoder, LAYERS)
        for layer in LAYERS:
            assert_close(blend[layer], again[layer])
            assert_close(alone[layer], gram(encoder(style, (layer,))[layer]))

    def test_targets_carry_no_gradient(self, style, encoder):
        assert not any(t.requires_grad for t in style_grams([(style.requires_grad_(), 1.0)], encoder, LAYERS).values())


class TestRegions:
    def test_a_full_guide_is_no_guide(self, photo, style, pastiche, region, encoder, quick):
        losses = Criterion(photo, [region(WHOLE)], encoder, quick(style_layers=("relu3_1",)))(pastiche)
        plain = relative_distance(
            gram(encoder(pastiche, ("relu3_1",))["relu3_1"]), gram(encoder(style, ("relu3_1",))["relu3_1"])
        )
        assert losses.style == pytest.approx(float(plain), rel=1e-4)

    def test_two_regions_of_one_style_ask_for_no_less_than_one(
        self, photo, left_half, pastiche, region, encoder, quick
    ):
        """Shares times Gram matrices add up to the whole's, and the distance is convex."""
        one = Criterion(photo, [region(WHOLE)], encoder, quick())(pastiche).numbers()
        two = Criterion(photo, [region(left_half), region(1 - left_half)], encoder, quick())(pastiche).numbers()
        assert two.style >= one.style * (1 - 1e-5)
        assert 0.95 * one.content < two.content <= one.content * (1 + 1e-5)  # halves have fewer positions at relu3_1
        assert two.tv == pytest.approx(one.tv, rel=1e-4)

    def test_two_halves_that_look_alike_count_as_one(self, encoder, quick, style):
        tile = style[..., :16, :16]
        photo = tile.repeat(1, 1, 4, 4)
        left = torch.zeros(1, 1, 64, 64)
        left[..., :32] = 1.0
        grams = style_grams([(1.0 - tile.repeat(1, 1, 2, 2), 1.0)], encoder, ("relu1_1",))
        settings = quick(style_layers=("relu1_1",))
        one = Criterion(photo, [StyledRegion(torch.ones_like(left), grams)], encoder, settings)(photo).numbers()
        both = [StyledRegion(left, grams), StyledRegion(1 - left, grams)]
        # The frame is padded with zeros, so the halves are mirror images at most nearly.
        assert Criterion(photo, both, encoder, settings)(photo).numbers().style == pytest.approx(one.style, rel=0.02)

    def test_each_region_is_drawn_to_its_own_style(self, photo, style, left_half, region, encoder, quick):
        settings = quick(content_weight=0.0, tv_weight=0.0)
        criterion = Criterion(photo, [region(left_half, style), region(1 - left_half, photo)], encoder, settings)
        swapped = Criterion(photo, [region(left_half, photo), region(1 - left_half, style)], encoder, settings)
        styled = torch.nn.functional.pad(style, (0, 4, 0, 4), "reflect")
        half_and_half = torch.where(torch.arange(48) < 24, styled, photo)
        reached = criterion(half_and_half).style
        assert reached < 0.5 * criterion(photo).style
        assert reached < 0.5 * swapped(half_and_half).style

    def test_layers_left_out_are_noted(self, photo, region, encoder, quick):
        matte = torch.zeros(1, 1, 40, 48)
        matte[..., 10, 10:12] = 0.9  # 1.8 pixels: 0.45 positions of relu2_1
        criterion = Criterion(photo, [region(1 - matte), region(matte)], encoder, quick())
        assert criterion.notes == (
            "a region is too small for relu2_1, relu3_1; its style is taken from the other layers",
        )
        assert all(torch.isfinite(torch.tensor(criterion(photo))))

    def test_a_region_too_small_for_every_layer(self, photo, region, encoder, quick):
        matte = torch.zeros(1, 1, 40, 48)
        matte[..., 10, 10] = 0.3
        with pytest.raises(EmptyRegionError, match=r"A region of 0\.3 pixels is too small to paint"):
            Criterion(photo, [region(1 - matte), region(matte)], encoder, quick())

    def test_a_region_too_small_for_the_content_layers(self, photo, hard_box, region, encoder, quick):
        dot = torch.zeros(1, 1, 40, 48)
        dot[..., 10:14, 10:14] = 1.0  # 16 pixels: a quarter of a position of relu4_2
        settings = quick(content_layers=("relu4_2",), style_layers=("relu1_1",))
        criterion = Criterion(photo, [region(dot)], encoder, settings)
        assert criterion.notes == ("what is painted is too small for relu4_2; content is not compared there",)
        assert criterion(1 - photo).content == 0.0
        assert Criterion(photo, [region(hard_box)], encoder, settings).notes == ()

    def test_a_picture_too_small_for_a_layer(self, photo, region, encoder, quick):
        with pytest.raises(ShapeError, match=r"6x6 pixels are too few .* at least 8"):
            Criterion(
                photo[..., :6, :6],
                [region(torch.ones(1, 1, 6, 6))],
                encoder,
                quick(content_layers=("relu1_1", "relu4_2")),
            )


def test_layers_that_see_little_of_a_region_count_less():
    def guide(positions: float) -> torch.Tensor:
        return torch.full((1, 1, 2, 2), positions / 4)

    grams = {"fine": torch.ones(1, 7, 7), "deep": torch.ones(1, 127, 127), "coarse": torch.ones(1, 127, 127)}
    weights = weigh_layers({"fine": guide(12.0), "deep": guide(64.0), "coarse": guide(0.64)}, grams)
    assert sum(weights.values()) == pytest.approx(1.0)
    assert weights["fine"] / weights["deep"] == pytest.approx(0.75 / 0.5)
    assert weights["deep"] / weights["coarse"] == pytest.approx(0.5 / (0.64 / 64.64))
    assert weigh_layers({"coarse": guide(3.0)}, grams) == {"coarse": 1.0}
    assert weigh_layers({}, grams) == {}


def test_where_deep_style_counts_less_so_does_content(photo, pastiche, region, encoder, quick, hard_box):
    """Form and style are at odds in the same features: a small region keeps their balance."""
    criterion = Criterion(photo, [region(hard_box)], encoder, quick())
    losses = criterion(pastiche)
    ours, photos = (encoder(picture, ("relu3_1",))["relu3_1"] for picture in (pastiche, photo))
    guide = torch.nn.functional.avg_pool2d(hard_box, 4)
    # Trust of relu3_1 among relu1_1, relu2_1, relu3_1: 4, 4 and 8 channels; 672 pixels of 1920 are painted.
    trusts = [
        [count / (count + half) for count, half in zip((n, n / 4, n / 16), (2.5, 2.5, 4.5), strict=True)]
        for n in (672, 1920)
    ]
    small, whole = (trust[2] / sum(trust) for trust in trusts)
    assert small < whole
    expected = float(relative_distance(ours, photos, guide)) * small / whole
    assert losses.content == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("changes", "tolerance"),
    [
        ({"style_layers": ("relu1_1",), "content_weight": 0.0}, 0.1),
        ({"style_layers": ("relu3_1",), "content_weight": 0.0}, 0.15),
        ({"style_layers": ("relu4_1",)}, 0.15),
        # Of several layers the coarse ones are trusted less in a small region, by intention.
        ({"style_layers": ("relu1_1", "relu2_1", "relu3_1", "relu4_1")}, 0.25),
    ],
    ids=str,
)
def test_the_force_on_a_pixel_does_not_depend_on_its_regions_area(changes, tolerance, encoder, style):
    """The same texture in a subject of 6 % and of 39 % of the frame, the background in another style."""
    tile = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(6)) * 0.6 + 0.2
    photo, pastiche = tile.repeat(1, 1, 8, 8), (1.0 - tile).repeat(1, 1, 8, 8)
    settings = TransferSettings(content_layers=("relu3_1",), tv_weight=0.0, **changes)
    subject = style_grams([(style, 1.0)], encoder, settings.style_layers)
    background = style_grams([(style.flip(1) * 0.5, 1.0)], encoder, settings.style_layers)
    forces = []
    for start, end in ((48, 80), (24, 104)):
        matte = torch.zeros(1, 1, 128, 128)
        matte[..., start:end, start:end] = 1.0
        regions = [StyledRegion(matte, subject), StyledRegion(1 - matte, background)]
        leaf = pastiche.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(Criterion(photo, regions, encoder, settings)(leaf).total, leaf)
        forces.append(float(gradient[..., 56:72, 56:72].square().mean().sqrt()))
    small, large = forces
    assert small == pytest.approx(large, rel=tolerance)


class TestTiles:
    """A picture looked at in tiles has the objective and the gradient of the whole."""

    @pytest.fixture
    def wide(self, make_photo) -> torch.Tensor:
        noise = torch.rand(1, 3, 300, 430, generator=torch.Generator().manual_seed(3))
        return (make_photo(300, 430) + 0.3 * noise - 0.15).clamp(0.0, 1.0)

    @pytest.fixture
    def criteria(self, make_photo, wide, style, encoder) -> tuple[Criterion, Criterion]:
        across = torch.linspace(-1.0, 2.0, 430).clamp(0.0, 1.0).expand(1, 1, 300, 430)
        settings = TransferSettings(content_layers=("relu4_2", "relu2_1"))
        grams = [style_grams([(picture, 1.0)], encoder, settings.style_layers) for picture in (style, 1.0 - style)]
        regions = [StyledRegion(across, grams[0]), StyledRegion(1.0 - across, grams[1])]
        whole, tiled = (
            Criterion(make_photo(300, 430), regions, encoder, settings, most_px=most_px)
            for most_px in (float("inf"), 1.0)
        )
        assert (len(whole.tiles), len(tiled.tiles)) == (1, 6)
        return whole, tiled

    def test_losses_and_gradient_are_those_of_the_whole(self, criteria, wide):
        gradients = []
        for criterion in criteria:
            picture = (wide * 1.2 - 0.1).requires_grad_()
            gradients.append(torch.autograd.grad(criterion(picture).total, picture)[0])
        whole, tiled = (criterion(wide).numbers() for criterion in criteria)
        assert tuple(tiled) == pytest.approx(tuple(whole), rel=1e-5)
        assert float((gradients[1] - gradients[0]).abs().max()) < 1e-4 * float(gradients[0].abs().max())

    def test_no_margin_would_be_seen(self, criteria, wide, monkeypatch):
        monkeypatch.setattr(VGG, "reach_px", lambda self, layer: 0)
        cut = FeatureTiles(criteria[0].tiles.encoder, ("relu4_2",), Size(300, 430), most_px=1.0)
        whole = criteria[0].tiles.gather(wide, ("relu4_2",))["relu4_2"]
        assert float((cut.gather(wide, ("relu4_2",))["relu4_2"] - whole).abs().max()) > 1e-3

    def test_without_content_and_style_what_is_left_is_the_same(self, wide, encoder, quick):
        regions = [StyledRegion(torch.ones(1, 1, 300, 430), {})]
        settings = quick(content_weight=0.0, style_weight=0.0)
        values = [
            Criterion(wide, regions, encoder, settings, most_px=most_px)(wide).numbers()
            for most_px in (float("inf"), 1.0)
        ]
        assert values[0] == values[1]
        assert values[0].tv > 0.0

    def test_gram_matrices_of_a_style_are_those_of_the_whole(self, wide, encoder):
        whole = style_grams([(wide, 1.0)], encoder, LAYERS)
        tiled = style_grams([(wide, 1.0)], encoder, LAYERS, most_px=1.0)
        for layer in LAYERS:
            assert_close(tiled[layer], whole[layer])


@pytest.mark.parametrize(("strength", "factor"), [(0.5, 1.0), (0.6, 0.5), (0.4, 2.0), (0.0, 32.0), (1.0, 1 / 32)])
def test_strength_loosens_the_hold_of_the_content(strength, factor, photo, pastiche, region, encoder, quick):
    """A tenth of strength halves the content weight, whatever that is; nothing else changes."""
    settings = quick(content_weight=3.0, strength=strength)
    losses = Criterion(photo, [region(WHOLE)], encoder, settings)(pastiche).numbers()
    at_half = Criterion(photo, [region(WHOLE)], encoder, quick(content_weight=3.0))(pastiche).numbers()
    assert losses.total - at_half.total == pytest.approx(3.0 * (factor - 1.0) * losses.content, rel=1e-4, abs=1e-5)
    assert losses[1:] == at_half[1:]
