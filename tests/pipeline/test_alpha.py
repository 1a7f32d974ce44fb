"""Photos and styles with transparency: what is kept, what is hidden, and what says where the subject is."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

import pochoir
from pochoir import imaging
from pochoir.errors import EmptyRegionError, OutputPathError

DISC = (16, 8, 48, 40)


def with_alpha(photo_file: Path, alpha: Image.Image, *, hidden: tuple[int, int, int] | None = None) -> Image.Image:
    """The photo with an alpha channel, and with other colours where that is 0."""
    photo = Image.open(photo_file).convert("RGB")
    if hidden is not None:
        photo.paste(hidden, mask=alpha.point(lambda value: 255 if value == 0 else 0))
    photo.putalpha(alpha)
    return photo


@pytest.fixture
def disc() -> Image.Image:
    """Alpha of the photo's ball, with a soft edge."""
    large = Image.new("L", (256, 192))
    ImageDraw.Draw(large).ellipse(tuple(4 * side for side in DISC), fill=255)
    return large.resize((64, 48), Image.Resampling.BOX)


@pytest.fixture
def corners() -> Image.Image:
    alpha = Image.new("L", (64, 48))
    ImageDraw.Draw(alpha).rounded_rectangle((0, 0, 63, 47), 6, fill=255)
    return alpha


def to_8_bit(matte: torch.Tensor) -> np.ndarray:
    return (matte[0, 0] * 255).round().to(torch.uint8).numpy()


class TestPhoto:
    def test_a_cut_out_keeps_its_alpha_through_a_style_for_the_whole(self, photo_file, disc, style_file, quick):
        result = pochoir.stylize(with_alpha(photo_file, disc), style=style_file, **quick)
        assert result.composite.shape == (1, 4, 48, 64)
        np.testing.assert_array_equal(to_8_bit(result.composite[:, 3:]), np.asarray(disc))
        assert result.image().mode == "RGBA"
        assert float((result.composite[:, :3] - imaging.load(photo_file).rgb).abs().max()) > 0.05
        assert "the photo's own alpha is used as the matte" in result.notes

    @pytest.mark.parametrize("roles", [("style",), ("subject",), ("subject", "background")], ids="-".join)
    def test_hidden_colours_change_nothing(self, roles, photo_file, disc, style_file, quick):
        settings = dict.fromkeys(roles, style_file) | quick
        green, noisy = (
            pochoir.stylize(with_alpha(photo_file, disc, hidden=color), **settings)
            for color in ((0, 255, 0), (250, 10, 240))
        )
        assert torch.equal(green.composite, noisy.composite)

    @pytest.mark.parametrize("backdrop", ["photo", "transparent", "#0000ff"])
    def test_a_cut_out_whose_subject_is_painted(self, backdrop, photo_file, disc, style_file, quick):
        result = pochoir.stylize(with_alpha(photo_file, disc), subject=style_file, backdrop=backdrop, **quick)
        if backdrop == "#0000ff":
            outside = torch.from_numpy(np.asarray(disc) == 0)
            assert result.composite.shape[1] == 3
            assert bool((result.composite[0, :, outside] == torch.tensor([[0.0], [0.0], [1.0]])).all())
        else:
            np.testing.assert_array_equal(to_8_bit(result.composite[:, 3:]), np.asarray(disc))

    def test_a_style_for_the_background_of_a_cut_out_makes_one(self, photo_file, disc, style_file, quick):
        result = pochoir.stylize(with_alpha(photo_file, disc), background=style_file, **quick)
        assert result.composite.shape[1] == 3
        assert any("transparent background has no colours" in note for note in result.notes)

    def test_a_mask_cannot_bring_back_what_was_cut_away(self, photo_file, disc, style_file, quick):
        photo, mask = with_alpha(photo_file, disc), Image.new("L", (64, 48), 0)
        ImageDraw.Draw(mask).rectangle((0, 0, 31, 47), fill=255)
        result = pochoir.stylize(photo, subject=style_file, mask=mask, backdrop="transparent", **quick)
        np.testing.assert_array_equal(to_8_bit(result.matte), np.minimum(np.asarray(mask), np.asarray(disc)))
        kept = pochoir.stylize(photo, subject=style_file, mask=mask, **quick)
        np.testing.assert_array_equal(to_8_bit(kept.composite[:, 3:]), np.asarray(disc))

    def test_rounded_corners_stay_and_do_not_decide_what_the_subject_is(
        self, photo_file, mask_file, corners, style_file, quick
    ):
        photo = with_alpha(photo_file, corners)
        whole = pochoir.stylize(photo, style=style_file, **quick)
        assert whole.matte is None
        np.testing.assert_array_equal(to_8_bit(whole.composite[:, 3:]), np.asarray(corners))
        subject = pochoir.stylize(photo, subject=style_file, mask=mask_file, backdrop="transparent", **quick)
        both = np.minimum(np.asarray(Image.open(mask_file)), np.asarray(corners))
        np.testing.assert_array_equal(to_8_bit(subject.composite[:, 3:]), both)

    @pytest.mark.parametrize("kind", ["all 0", "one pixel"])
    def test_dead_alpha_is_as_good_as_none(self, kind, photo_file, mask_file, style_file, quick):
        alpha = Image.new("L", (64, 48), 0 if kind == "all 0" else 255)
        if kind == "one pixel":
            alpha.putpixel((3, 3), 254)
        result = pochoir.stylize(with_alpha(photo_file, alpha), subject=style_file, mask=mask_file, **quick)
        plain = pochoir.stylize(photo_file, subject=style_file, mask=mask_file, **quick)
        assert torch.equal(result.composite[:, :3], plain.composite)
        assert torch.equal(result.matte, plain.matte)
        assert any("transparen" in note for note in result.notes)

    def test_formats_without_alpha_show_it_on_white(self, tmp_path, photo_file, disc, style_file, quick):
        result = pochoir.stylize(with_alpha(photo_file, disc), style=style_file, **quick)
        result.save(tmp_path / "out.jpg")
        saved = np.asarray(Image.open(tmp_path / "out.jpg")).astype(int)
        assert np.abs(saved[:4, :4] - 255).max() <= 3
        cut = pochoir.stylize(with_alpha(photo_file, disc), style=style_file, backdrop="transparent", **quick)
        with pytest.raises(OutputPathError, match="transparency, which JPEG cannot"):
            cut.save(tmp_path / "cut.jpg")


class TestStyle:
    @pytest.fixture
    def half(self, style_file: Path) -> Image.Image:
        """Alpha of the upper half of the style."""
        alpha = Image.new("L", (40, 56), 0)
        alpha.paste(255, (0, 0, 40, 28))
        return alpha

    @pytest.mark.parametrize("init", ["content", "style", "noise"])
    @pytest.mark.parametrize("color", ["style", "match", "photo"])
    def test_hidden_colours_are_not_learned_from(self, color, init, photo_file, style_file, half, quick):
        green, noisy = (
            pochoir.stylize(
                photo_file, style=with_alpha(style_file, half, hidden=hidden), color=color, init=init, **quick
            )
            for hidden in ((0, 255, 0), (250, 10, 240))
        )
        assert torch.equal(green.composite, noisy.composite)

    def test_alpha_is_a_style_mask(self, photo_file, style_file, half, quick):
        style = imaging.load(with_alpha(style_file, half))
        cut = pochoir.stylize(photo_file, style=style, **quick)
        masked = pochoir.stylize(photo_file, style=style.rgb, style_mask=half, **quick)
        assert torch.equal(cut.composite, masked.composite)

    def test_a_mask_of_nothing_but_transparent_pixels_is_refused(self, photo_file, style_file, half, quick):
        lower = Image.new("L", (40, 56), 255)
        lower.paste(0, (0, 0, 40, 28))
        with pytest.raises(EmptyRegionError, match="its mask covers transparent pixels only"):
            pochoir.stylize(photo_file, style=with_alpha(style_file, half), style_mask=lower, **quick)


class TestSegment:
    def test_the_alpha_of_a_cutout_is_its_matte(self, photo_file, disc):
        """A painted cutout looks like no subject to a network; its alpha says what was cut out."""
        found = pochoir.segment(with_alpha(photo_file, disc))
        assert found.method == "alpha"
        np.testing.assert_array_equal(to_8_bit(found.matte), np.asarray(disc))
        assert "the photo's own alpha is used as the matte" in found.notes

    def test_needs_no_weights(self, photo_file, disc, tmp_path, monkeypatch):
        monkeypatch.setenv("POCHOIR_HOME", str(tmp_path))
        assert pochoir.segment(with_alpha(photo_file, disc), refine="best").method == "alpha"

    def test_corrections_are_made_to_it(self, photo_file, disc):
        found = pochoir.segment(with_alpha(photo_file, disc), box="30,0,34,48")
        matte = to_8_bit(found.matte)
        assert not matte[:, :20].any()
        np.testing.assert_array_equal(matte[:, 40:], np.asarray(disc)[:, 40:])

    def test_another_segmenter_is_asked_if_it_is_named(self, photo_file, disc):
        found = pochoir.segment(with_alpha(photo_file, disc), segmenter="grabcut", box="10,2,44,44")
        assert found.method == "grabcut"
