"""Faces, protected parts, calm and grainy styles through the public functions."""

import pytest
import torch
from PIL import Image

import pochoir
from pochoir import faces
from pochoir import scene as scene_module
from pochoir.errors import ImageReadError, OptionError, UnknownNameError
from pochoir.faces import Face
from pochoir.recipe import Recipe, Record


@pytest.fixture
def face(monkeypatch) -> Face:
    """A face that is found in every photo."""
    found = Face(20.0, 12.0, 20.0, 20.0, 0.9)
    monkeypatch.setattr(scene_module, "choose_mode", lambda recipe: "on" if recipe.keep == "faces" else "off")
    monkeypatch.setattr(scene_module, "find_faces", lambda photo: (found,))
    return found


@pytest.fixture
def mask_file(photo_file, tmp_path):
    with Image.open(photo_file) as photo:
        mask = Image.new("L", photo.size, 0)
    mask.paste(255, (0, 0, mask.width // 2, mask.height))
    mask.save(tmp_path / "protect.png")
    return tmp_path / "protect.png"


def test_a_face_is_kept_by_default_and_noted(photo_file, style_file, quick, face):
    kept = pochoir.stylize(photo_file, style=style_file, **quick)
    painted = pochoir.stylize(photo_file, style=style_file, keep="none", **quick)
    assert any("a face is painted more gently" in note for note in kept.notes)
    assert not any("face" in note for note in painted.notes)
    assert not torch.equal(kept.composite, painted.composite)


def test_a_face_outside_of_the_painted_part_is_not_mentioned(
    photo_file, style_file, quick, face, monkeypatch, tmp_path
):
    with Image.open(photo_file) as photo:
        mask = Image.new("L", photo.size, 0)
    mask.paste(255, (0, 0, 6, 6))
    mask.save(tmp_path / "corner.png")
    result = pochoir.stylize(photo_file, subject=style_file, mask=tmp_path / "corner.png", **quick)
    assert not any("face" in note for note in result.notes)


def test_a_face_that_only_the_soft_edge_of_the_painting_reaches_is_not_mentioned(
    photo_file, style_file, quick, face, tmp_path
):
    """A portrait whose background is painted: the matte is nowhere exactly 1, and the face stays the photo's."""
    with Image.open(photo_file) as photo:
        mask = Image.new("L", photo.size, 250)
    mask.paste(0, (0, 0, 8, mask.height))
    mask.save(tmp_path / "person.png")
    settings = {"background": style_file, "mask": tmp_path / "person.png", **quick}
    kept, plain = pochoir.stylize(photo_file, **settings), pochoir.stylize(photo_file, keep="none", **settings)
    assert not any("face" in note for note in kept.notes)
    assert torch.equal(kept.composite, plain.composite)


def test_without_the_detector_a_note_says_how_to_get_it(photo_file, style_file, quick, monkeypatch):
    monkeypatch.setattr(scene_module, "choose_mode", lambda recipe: "missing")
    result = pochoir.stylize(photo_file, style=style_file, **quick)
    assert any("pochoir models pull faces" in note for note in result.notes)


@pytest.mark.weights
def test_the_record_names_the_detector(photo_file, style_file, quick):
    weights = Record.from_json(pochoir.stylize(photo_file, style=style_file, **quick).record()).environment.weights
    assert faces.WEIGHTS in weights
    without = Record.from_json(pochoir.stylize(photo_file, style=style_file, keep="none", **quick).record())
    assert faces.WEIGHTS not in without.environment.weights


class TestProtect:
    def test_more_of_the_photo_stays_under_the_mask(self, photo_file, style_file, quick, mask_file):
        plain, half, full = (
            pochoir.stylize(photo_file, style=style_file, **quick, **options).composite
            for options in ({}, {"protect": mask_file}, {"protect": f"{mask_file}:1"})
        )
        assert not torch.equal(plain, half)
        assert not torch.equal(half, full)

    def test_the_amount_is_part_of_the_text(self):
        recipe = Recipe(protect="some folder/mask.png:0.8")
        assert (recipe.protect, recipe.protect_amount) == ("some folder/mask.png", 0.8)
        assert Recipe(protect="mask.png").protect_amount == 0.5
        assert Recipe(protect="mask.png", protect_amount=0.3).protect_amount == 0.3

    def test_it_is_an_input_of_the_record_and_can_be_run_again(self, photo_file, style_file, quick, mask_file):
        result = pochoir.stylize(photo_file, style=style_file, protect=f"{mask_file}:0.7", **quick)
        record = Record.from_json(result.record())
        assert [entry.role for entry in record.request.inputs] == ["photo", "style", "protect"]
        assert record.recipe.protect_amount == 0.7

    def test_a_mask_in_memory(self, photo_file, style_file, quick, mask_file):
        with Image.open(mask_file) as mask:
            given = pochoir.stylize(photo_file, style=style_file, protect=mask, **quick)
        named = pochoir.stylize(photo_file, style=style_file, protect=mask_file, **quick)
        assert torch.equal(given.composite, named.composite)

    def test_bad_masks_and_amounts(self, photo_file, style_file, quick):
        with pytest.raises(ImageReadError, match=r"missing\.png"):
            pochoir.stylize(photo_file, style=style_file, protect="missing.png", **quick)
        with pytest.raises(OptionError, match=r"protect_amount must be between 0 and 1; got 1\.5"):
            Recipe(protect="mask.png:1.5")
        with pytest.raises(OptionError, match="calm must be between 0 and 1"):
            Recipe(calm=2.0)
        with pytest.raises(UnknownNameError, match="hands"):
            Recipe(keep="hands")


def test_calm_changes_the_picture(photo_file, style_file, quick):
    plain, calm = (pochoir.stylize(photo_file, style=style_file, calm=amount, **quick) for amount in (0.0, 0.6))
    assert not torch.equal(plain.composite, calm.composite)


@pytest.mark.parametrize("clean_style", [True, False])
def test_a_grainy_style_is_cleaned_with_a_note(clean_style, photo_file, quick, tmp_path):
    noise = 0.5 + 0.1 * torch.randn(3, 128, 128, generator=torch.Generator().manual_seed(2))
    pixels = (noise.clamp(0, 1) * 255).byte().permute(1, 2, 0).numpy()
    Image.fromarray(pixels).save(tmp_path / "grain.png")
    result = pochoir.stylize(photo_file, style=tmp_path / "grain.png", **quick | {"clean_style": clean_style})
    assert any("its noise is removed" in note for note in result.notes) == clean_style
