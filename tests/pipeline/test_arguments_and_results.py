"""Arguments as users give them, and results as they show and save them."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

import pochoir
from pochoir.animation.settings import ClipSettings
from pochoir.arguments import MASK_FIELDS, SegmentOptions, StylizeOptions
from pochoir.clips.options import AnimateOptions
from pochoir.errors import OptionError, UnknownNameError
from pochoir.recipe import Recipe, SegmentSettings
from pochoir.segmentation import Segmentation


class TestArguments:
    def test_their_types_name_every_setting(self):
        """A setting that is missing here has to be added to the types in ``arguments.py``."""
        # Where a photo is painted, subject and background name styles.
        assert set(StylizeOptions.__annotations__) == set(Recipe.model_fields) | {"background"}
        of_stills = set(StylizeOptions.__annotations__)
        assert set(AnimateOptions.__annotations__) == of_stills | set(ClipSettings.model_fields)
        assert set(SegmentOptions.__annotations__) == set(SegmentSettings.model_fields) - {"mask"} | {
            "device",
            "threads",
        }

    def test_long_and_short_names_of_styles_are_the_same(self, photo_file, mask_file, style_file, quick):
        settings = {"mask": mask_file, **quick}
        short = pochoir.stylize(photo_file, subject=style_file, background="mosaic", **settings)
        long = pochoir.stylize(photo_file, subject_style=style_file, background_style=["mosaic"], **settings)
        assert torch.equal(short.composite, long.composite)
        with pytest.raises(OptionError, match="subject is short for subject_style; give one of them"):
            pochoir.stylize(photo_file, subject=style_file, subject_style=style_file, **settings)

    def test_an_argument_counts_more_than_the_recipe(self, photo_file, quick):
        recipe = Recipe(style="mosaic", size=32, strength=0.9)
        painting = pochoir.iter_stylize(photo_file, recipe, size=None, strength=0.1, mask=None, **quick)
        assert (painting.recipe.size, painting.recipe.strength) == (None, 0.1)
        assert painting.recipe.style[0].source == "mosaic"

    @pytest.mark.parametrize(
        ("options", "kind", "message"),
        [
            ({"stile": "mosaic"}, UnknownNameError, r"stile.*Did you mean 'style'"),
            ({"style": "mosaic", "size": "big"}, OptionError, "size must be"),
            ({"style": [("mosaic", "heavy")]}, OptionError, "heavy"),
            ({"style": ("mosaic", -1.0)}, OptionError, "above 0"),
            ({"style": "mosaic", "steps": 0}, OptionError, "steps"),
        ],
    )
    def test_what_cannot_be_used_is_refused(self, options, kind, message, photo_file):
        with pytest.raises(kind, match=message):
            pochoir.stylize(photo_file, **options)

    def test_tensors_and_mattes_are_pictures(self, photo_file, mask_file, style_file, quick):
        from_files = pochoir.stylize(photo_file, subject=style_file, mask=mask_file, **quick)
        photo, style, mask = (
            torch.from_numpy(np.array(Image.open(path))).float().div(255)
            for path in (photo_file, style_file, mask_file)
        )
        settings = {"subject": style.permute(2, 0, 1)[None], **quick}
        for given in (mask, mask[None, None], Segmentation(mask[None, None], "mine")):
            result = pochoir.stylize(photo.permute(2, 0, 1), mask=given, **settings)
            assert torch.equal(result.composite, from_files.composite)

    def test_every_list_of_masks_belongs_to_a_list_of_styles(self):
        assert {name.removesuffix("_mask") for name in MASK_FIELDS} <= set(StylizeOptions.__annotations__)


class TestResult:
    @pytest.fixture
    def cut(self, photo_file, mask_file, style_file, quick) -> pochoir.Result:
        return pochoir.stylize(photo_file, subject=style_file, mask=mask_file, **quick)

    def test_images_are_what_is_saved(self, cut, tmp_path):
        cut.save(tmp_path / "out.png")
        np.testing.assert_array_equal(np.asarray(cut.image()), np.asarray(Image.open(tmp_path / "out.png")))
        cutout = cut.cutout_image()
        assert cutout.mode == "RGBA"
        assert torch.equal(torch.from_numpy(np.asarray(cutout)[..., 3] / 255.0).float(), cut.matte[0, 0])

    def test_without_a_subject_there_is_no_cutout_image(self, photo_file, style_file, quick):
        whole = pochoir.stylize(photo_file, style=style_file, **quick)
        with pytest.raises(OptionError, match="no cutout"):
            whole.cutout_image()

    def test_a_notebook_shows_a_picture_and_a_short_text(self, cut, monkeypatch):
        with Image.open(io.BytesIO(cut._repr_png_())) as shown:
            assert shown.size == (64, 48)
        monkeypatch.setattr("pochoir.result.PREVIEW_LONG_SIDE_PX", 32)
        with Image.open(io.BytesIO(cut._repr_png_())) as shown:
            assert shown.size == (32, 24)
        assert repr(cut).startswith("Result(64x48, opaque, painted in ")
        assert len(repr(cut)) < 80

    def test_a_painting_shows_how_far_it_is(self, photo_file, style_file, quick):
        with pochoir.iter_stylize(photo_file, style=style_file, **quick) as painting:
            assert repr(painting) == "Painting(Scene(photo.png, 64x48, style), not started)"
            next(iter(painting))
            assert repr(painting) == "Painting(Scene(photo.png, 64x48, style), 1 of 3 steps)"
        assert list(painting) == []
