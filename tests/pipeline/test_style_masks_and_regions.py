"""Style masks and settings of one region, from files and pictures to the result and back from its record."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import pochoir
from pochoir import imaging, loading, pipeline
from pochoir.errors import EmptyRegionError, ImageReadError, InputError, OptionError, ShapeError
from pochoir.recipe import Record
from pochoir.sources import load_sources


def mask_of(size: tuple[int, int], box: tuple[int, int, int, int]) -> Image.Image:
    picture = Image.new("L", size)
    picture.paste(255, box)
    return picture


@pytest.fixture
def style_mask_file(tmp_path: Path) -> Path:
    """The upper half of ``style_file``, which is 40 pixels wide and 56 high."""
    path = tmp_path / "part.png"
    mask_of((40, 56), (0, 0, 40, 28)).save(path)
    return path


class TestStyleMask:
    def test_it_changes_the_picture(self, photo_file, style_file, style_mask_file, quick):
        plain = pochoir.stylize(photo_file, style=style_file, **quick)
        masked = pochoir.stylize(photo_file, style=style_file, style_mask=style_mask_file, **quick)
        assert not torch.equal(plain.composite, masked.composite)
        assert masked.recipe.style_mask == (str(style_mask_file),)

    @pytest.mark.parametrize("role", ["style", "subject_style", "background_style"])
    def test_a_white_one_is_none(self, role, photo_file, mask_file, style_file, quick):
        given = {role.removesuffix("_style"): style_file, "mask": mask_file}
        plain = pochoir.stylize(photo_file, **given, **quick)
        white = Image.new("L", (40, 56), 255)
        masked = pochoir.stylize(photo_file, **given, **{f"{role}_mask": white}, **quick)
        assert torch.equal(plain.composite, masked.composite)

    def test_files_images_and_arrays_serve_alike(self, photo_file, style_file, style_mask_file, quick):
        image = Image.open(style_mask_file)
        pictures = [
            pochoir.stylize(photo_file, style=style_file, style_mask=mask, **quick).composite
            for mask in (style_mask_file, str(style_mask_file), image, np.asarray(image), [np.asarray(image) > 0])
        ]
        assert all(torch.equal(picture, pictures[0]) for picture in pictures)

    def test_each_style_has_its_own(self, photo_file, style_file, style_mask_file, quick):
        white = np.full((48, 64), 255, np.uint8)
        styles = [style_file, (photo_file, 2.0)]
        one, swapped = (
            pochoir.stylize(photo_file, style=styles, style_mask=masks, **quick)
            for masks in ([style_mask_file, white], [np.full((56, 40), 255, np.uint8), white])
        )
        assert not torch.equal(one.composite, swapped.composite)
        assert one.recipe.style_mask == (str(style_mask_file), "<image>")

    def test_what_lies_outside_does_not_matter(self, photo_file, tmp_path, quick):
        """But for what the encoder sees of it beside the part: here a part that nothing borders on."""
        noise = np.random.default_rng(1).integers(0, 256, (64, 128, 3), dtype=np.uint8)
        other = noise.copy()
        other[:, 96:] = 0
        part = mask_of((128, 64), (0, 0, 32, 64))
        layers = {"style_layers": ("relu1_1", "relu2_1"), "content_layers": (), "size": 64, "style_scale": 1.6}
        pictures = [
            pochoir.stylize(photo_file, style=style, style_mask=part, **layers, **quick).composite
            for style in (noise, other)
        ]
        assert float((pictures[0] - pictures[1]).abs().max()) < 1e-3

    def test_one_of_the_same_shape_is_resized_with_a_note(self, photo_file, style_file, quick):
        large = mask_of((80, 112), (0, 0, 80, 56))
        result = pochoir.stylize(photo_file, style=style_file, style_mask=large, **quick)
        assert "<image>: mask resized from 80x112 to 40x56" in result.notes

    def test_one_of_another_shape_is_refused(self, photo_file, style_file, tmp_path, quick):
        mask_of((56, 40), (0, 0, 56, 20)).save(tmp_path / "turned.png")
        with pytest.raises(
            ShapeError,
            match=r"style mask turned\.png is 56x40, and its style style\.png is 40x56: their proportions differ",
        ):
            pochoir.stylize(photo_file, style=style_file, style_mask=tmp_path / "turned.png", **quick)

    def test_a_black_one_is_refused_before_anything_long_begins(self, photo_file, style_file, quick):
        with pytest.raises(EmptyRegionError, match=r"The style mask <image> is black: it leaves nothing of style\.png"):
            pochoir.iter_stylize(photo_file, style=style_file, style_mask=Image.new("L", (40, 56)), **quick)

    def test_one_that_is_next_to_black_is_refused(self, photo_file, style_file, quick):
        faint = np.zeros((56, 40), np.uint8)
        faint[3, 3] = 60
        with pytest.raises(EmptyRegionError, match="too few to take a look from"):
            pochoir.stylize(photo_file, style=style_file, style_mask=faint, **quick)

    def test_a_missing_file(self, photo_file, style_file, quick):
        with pytest.raises(ImageReadError, match=r"Cannot read the style mask 'none\.png': there is no such file"):
            pochoir.stylize(photo_file, style=style_file, style_mask="none.png", **quick)

    @pytest.mark.parametrize("masks", [["a.png", "b.png"], []])
    def test_as_many_as_styles(self, masks, photo_file, style_file, quick):
        styles = [style_file] if masks else []
        with pytest.raises(OptionError, match="Each style needs its own mask: style has"):
            pochoir.stylize(photo_file, style=styles, style_mask=masks or ["a.png"], **quick)


class TestRecord:
    @pytest.fixture
    def real(self, monkeypatch, tmp_path, encoder) -> None:
        """A network with weights in a file, as the real one has them."""
        monkeypatch.setattr(loading, "load_encoder", lambda *args, **kwargs: encoder)
        (tmp_path / "weights.bin").write_bytes(b"stands for the weights")
        monkeypatch.setattr(pipeline.weights, "where", lambda name: tmp_path / "weights.bin")

    def test_masks_are_inputs_and_redo_finds_them(
        self, real, tmp_path, photo_file, mask_file, style_file, style_mask_file
    ):
        white = tmp_path / "white.png"
        Image.new("L", (40, 56), 255).save(white)
        other = tmp_path / "other.png"
        mask_of((64, 48), (0, 0, 30, 48)).save(other)
        made = tmp_path / "made.png"
        result = pochoir.stylize(
            photo_file,
            subject=[style_file, style_file],
            subject_style_mask=[style_mask_file, white],
            background=photo_file,
            background_style_mask=other,
            mask=mask_file,
            subject_color="photo",
            background_strength=0.8,
            steps=2,
            threads=1,
        )
        result.save(made)
        record = Record.from_json(imaging.read_record(made))
        assert [(entry.role, entry.name) for entry in record.request.inputs] == [
            ("photo", "photo.png"),
            ("subject style", "style.png"),
            ("subject style", "style.png"),
            ("subject style mask", "part.png"),
            ("subject style mask", "white.png"),
            ("background style", "photo.png"),
            ("background style mask", "other.png"),
            ("mask", "mask.png"),
        ]
        assert (record.recipe.subject_color, record.recipe.background_strength) == ("photo", 0.8)
        moved = tmp_path / "moved"
        moved.mkdir()
        for path in (photo_file, mask_file, style_file, style_mask_file, white, other):
            path.rename(moved / path.name)
        painting = pipeline.replay(record, base=tmp_path / "elsewhere", inputs_dir=moved)
        for _ in painting:
            pass
        painting.result().save(tmp_path / "again.png")
        assert (tmp_path / "again.png").read_bytes() == made.read_bytes()
        mask_of((40, 56), (0, 0, 40, 20)).save(moved / "part.png")
        with pytest.raises(InputError, match=r"subject style mask .*part\.png is not the file .* it changed"):
            pipeline.replay(record, base=tmp_path, inputs_dir=moved)

    def test_the_key_of_a_run_knows_them(self, photo_file, style_file, style_mask_file, quick):
        keys = set()
        for mask in (None, style_mask_file):
            keys.add(pochoir.iter_stylize(photo_file, style=style_file, style_mask=mask, **quick).key)
        mask_of((40, 56), (0, 0, 40, 8)).save(style_mask_file)
        keys.add(pochoir.iter_stylize(photo_file, style=style_file, style_mask=style_mask_file, **quick).key)
        assert len(keys) == 3

    def test_sources_list_them_with_their_hash(self, photo_file, style_file, style_mask_file):
        recipe = pochoir.Recipe.from_dict({"style": [str(style_file)], "style_mask": [str(style_mask_file)]})
        listed = load_sources(photo_file, recipe, {}).files()
        assert [entry.role for entry in listed] == ["photo", "style", "style mask"]
        assert listed[2].sha256 == imaging.load(style_mask_file).sha256
        assert listed[2].path == str(style_mask_file)


class TestRegions:
    def test_what_holds_for_all_given_to_each_is_the_same(self, photo_file, mask_file, style_file, quick):
        common = {"subject": style_file, "background": photo_file, "mask": mask_file, **quick}
        for name, value in {
            "color": "match",
            "strength": 0.7,
            "content_weight": 0.3,
            "content_layers": ("relu3_1", "relu4_2"),
        }.items():
            for_all = pochoir.stylize(photo_file, **common, **{name: value})
            for_each = pochoir.stylize(
                photo_file, **common, **{f"{region}_{name}": value for region in ("subject", "background")}
            )
            assert torch.equal(for_all.composite, for_each.composite), name
            plain = pochoir.stylize(photo_file, **common)
            assert not torch.equal(for_all.composite, plain.composite), name

    def test_a_region_of_strength_nought_keeps_more_of_the_photo(self, photo_file, mask_file, style_file, quick):
        settings = quick | {"steps": 15, "init": "style", "background": "mosaic", "content_layers": ("relu2_1",)}
        photo, changes = imaging.load(photo_file).rgb, {}
        for strength in (0.0, 1.0):
            result = pochoir.stylize(
                photo_file, subject=style_file, mask=mask_file, subject_strength=strength, **settings
            )
            inside = (result.matte == 1).expand(1, 3, -1, -1)
            changes[strength] = float((result.composite - photo)[inside].abs().mean())
        assert changes[0.0] < 0.9 * changes[1.0]  # this network sees little but edges

    def test_the_photos_colours_in_one_region(self, photo_file, mask_file, style_file, quick):
        result = pochoir.stylize(
            photo_file, subject=style_file, background="mosaic", mask=mask_file, subject_color="photo", **quick
        )
        photo = imaging.load(photo_file).rgb
        red_less_green, of_photo = (p[:, 0] - p[:, 1] for p in (result.composite, photo))
        unclipped = ((result.composite > 0) & (result.composite < 1)).all(dim=1)
        inside, outside = ((result.matte[:, 0] == value) & unclipped for value in (1, 0))
        assert float((red_less_green - of_photo)[inside].abs().max()) < 1e-5
        assert float((red_less_green - of_photo)[outside].abs().mean()) > 0.05

    @pytest.mark.parametrize("name", ["subject_color", "background_color"])
    def test_without_its_region_it_is_refused(self, name, photo_file, style_file, quick):
        with pytest.raises(OptionError, match=r"is for a (subject|background) that has its own style"):
            pochoir.stylize(photo_file, style=style_file, **{name: "photo"}, **quick)


@pytest.mark.weights
def test_the_photos_colours_in_one_region_leave_no_grey_rim_in_the_other(photo_file, mask_file):
    """A grey part would draw the chroma out of what is painted beside it, as far as the encoder looks."""
    y, x = np.mgrid[0:48, 0:64]
    distance = np.hypot(y - 24, x - 32)
    rim = torch.from_numpy((distance > 18) & (distance < 22))

    def chroma_of_the_rim(**colors: str) -> float:
        settings = {"subject": "hatching", "background": "stained-glass", "mask": mask_file, "steps": 6, "threads": 1}
        picture = pochoir.stylize(photo_file, **settings, **colors).composite[0]
        return float((picture - picture.mean(dim=0)).square().sum(dim=0).sqrt()[rim].mean())

    assert chroma_of_the_rim(subject_color="photo") > 0.7 * chroma_of_the_rim()
