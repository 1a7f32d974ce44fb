"""Clips from photos: what is painted, what stays, what is recorded, and what is refused."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import pochoir
from pochoir import clips, video
from pochoir.animation.rig import Rig
from pochoir.animation.settings import ClipSettings
from pochoir.errors import EmptyRegionError, InputError, OptionError, UnknownNameError
from support.cutouts import draw_animal, draw_person, paint, person_rig


def save_cutout(path: Path, alpha: np.ndarray) -> Path:
    layer = paint(alpha)
    straight = np.where(layer[..., 3:] > 0, layer[..., :3] / np.maximum(layer[..., 3:], 1e-6), 0)
    Image.fromarray(np.rint(np.dstack([straight, layer[..., 3]]) * 255).astype(np.uint8)).save(path)
    return path


@pytest.fixture
def person_file(tmp_path: Path) -> Path:
    return save_cutout(tmp_path / "person.png", draw_person())


@pytest.fixture
def animal_file(tmp_path: Path) -> Path:
    return save_cutout(tmp_path / "animal.png", draw_animal())


# ---- what is shown


def test_without_a_style_the_photo_itself_moves(photo_file: Path, mask_file: Path) -> None:
    clip = pochoir.animate(photo_file, motion="sway", mask=mask_file, duration="0.5s")
    assert len(clip) == 12
    photo = np.array(Image.open(photo_file).convert("RGB")).astype(int)
    mask = np.array(Image.open(mask_file)) > 0
    first = clip.frame(0.0).astype(int)
    far = np.zeros(mask.shape, bool)
    far[:, :6] = far[:, -6:] = True
    np.testing.assert_array_equal(first[far], photo[far])  # outside of the hole the plate is the photo
    assert np.abs(first - photo)[mask].mean() < 1.5
    assert (clip.frame(0.13) != clip.frame(0.0)).any()


def test_the_ball_leaves_a_filled_background(photo_file: Path, mask_file: Path) -> None:
    clip = pochoir.animate(photo_file, motion="hop", mask=mask_file, duration="1s", towards="right", margin="0%")
    empty = next(clip.frame_at(index) for index in range(24) if clip.layer_at(index)[..., 3].max() == 0)
    assert empty[24, 32, 0] < 160  # the ball is yellow, what is behind it is sky
    assert empty[24, 32, 2] > 100


def test_both_regions_are_painted_and_the_frames_keep_the_style(
    photo_file: Path, mask_file: Path, style_file: Path, quick: dict[str, object]
) -> None:
    plain = pochoir.animate(photo_file, motion="nod", mask=mask_file, duration="0.5s")
    clip = pochoir.animate(photo_file, motion="nod", mask=mask_file, subject=style_file, background="mosaic", **quick)
    still = pochoir.stylize(
        photo_file, mask=mask_file, subject=style_file, backdrop="transparent", encoder=quick["encoder"], steps=3
    )
    alpha = still.cutout[0, 3].numpy()
    drawn = clip.layer_at(0)
    wanted = still.cutout[0, :3].permute(1, 2, 0).numpy() * alpha[..., None]
    assert np.abs(drawn[..., 3] - alpha).max() < 2e-3
    assert np.abs(drawn[..., :3] - wanted).max() < 4e-3  # cutouts are rounded to 8 bits
    edge = np.zeros(alpha.shape, bool)
    edge[:, :4] = True
    assert np.abs(clip.frame(0.0)[edge].astype(int) - plain.frame(0.0)[edge]).mean() > 3  # the background is painted


def test_plates_are_painted_as_large_as_the_clip(tmp_path: Path, style_file: Path, quick: dict[str, object]) -> None:
    photo = tmp_path / "wide.png"
    noise = np.random.default_rng(0).integers(0, 60, (40, 560, 3), np.uint8)
    Image.fromarray(noise).save(photo)
    mask = np.zeros((40, 560), np.uint8)
    mask[10:30, 270:290] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    options = {**quick, "steps": 1, "duration": "0.2s", "mask": tmp_path / "mask.png"}
    clip = pochoir.animate(photo, motion="sway", size=560, background=style_file, **options)
    assert clip.stage.plates[0].shape == (*clip.size, 3)
    assert clip.size.width == 560  # more than the 512 pixels of a painting that names no size


def test_the_background_has_settings_of_its_own(
    photo_file: Path, mask_file: Path, style_file: Path, quick: dict[str, object]
) -> None:
    settings = quick | {"mask": mask_file, "subject": style_file, "background": "mosaic", "motion": "nod"}
    plain = pochoir.animate(photo_file, **settings)
    strong = pochoir.animate(photo_file, background_strength=0.95, **settings)
    np.testing.assert_array_equal(strong.layer_at(0), plain.layer_at(0))  # the subject is painted alike
    assert (strong.frame(0.0) != plain.frame(0.0)).any()


def test_a_cutout_gives_a_transparent_clip_and_a_backdrop_an_opaque_one(person_file: Path, tmp_path: Path) -> None:
    clip = pochoir.animate(person_file, motion="breathe", duration="0.5s")
    assert clip.is_transparent
    with Image.open(person_file) as image:
        wanted = np.array(image)
    first = clip.frame(0.0)
    assert np.abs(first[..., 3].astype(int) - wanted[..., 3]).max() <= 1
    on_color = pochoir.animate(person_file, motion="breathe", duration="0.5s", backdrop="#ff0000")
    assert not on_color.is_transparent
    np.testing.assert_array_equal(on_color.frame(0.0)[0, 0], (255, 0, 0))
    back = tmp_path / "back.png"
    Image.new("RGB", (50, 50), (0, 0, 255)).save(back)
    np.testing.assert_array_equal(
        pochoir.animate(person_file, duration="0.5s", backdrop=back).frame(0.0)[0, 0], (0, 0, 255)
    )


def test_one_of_pochoirs_own_pictures_brings_its_photo_and_recipe(
    photo_file: Path, mask_file: Path, style_file: Path, tmp_path: Path
) -> None:
    made = tmp_path / "made.png"
    shallow = {"style_layers": ["relu1_1"], "content_layers": ["relu1_2"], "steps": 2, "threads": 1}
    pochoir.stylize(photo_file, mask=mask_file, subject=style_file, **shallow).save(made)
    production = clips.prepare(made, motion="nod", duration="0.5s")
    assert [str(ref) for ref in production.recipe.subject_style] == [str(style_file)]
    assert production.recipe.steps == 2
    assert Path(production.sources.photo.path) == photo_file
    assert "its photo and its recipe are used" in production.notes[0]
    assert clips.prepare(made, steps=5).recipe.steps == 5  # what is given counts more


def test_repaintings_change_strokes_and_keep_colors(
    photo_file: Path, mask_file: Path, style_file: Path, quick: dict[str, object]
) -> None:
    clip = pochoir.animate(photo_file, motion="breathe", mask=mask_file, subject=style_file, boil=1, **quick)
    first, second = clip.stage.actors[0].cutouts
    assert (first[..., 3] == second[..., 3]).all()
    solid = first[..., 3] == 1
    assert np.abs(first - second)[solid].mean() > 0.005
    assert np.abs(first[solid].mean(0) - second[solid].mean(0)).max() < 0.02


def test_hands_get_room_and_cut_edges_do_not(person_file: Path, tmp_path: Path) -> None:
    rig = tmp_path / "rig.json"
    rig.write_text(person_rig().to_json())
    small = pochoir.animate(person_file, motion="wave", rig=rig, duration="1s", margin="0%")
    roomy = pochoir.animate(person_file, motion="wave", rig=rig, duration="1s")
    fixed = pochoir.animate(person_file, motion="wave", rig=rig, duration="1s", margin="10%")
    assert small.size == (220, 200)
    assert roomy.size.width > 200
    assert fixed.size == (264, 244)
    sides = [frame[..., 3][:, [0, -1]].max() for frame in roomy]
    assert max(sides) < 30  # no hand is cut off
    # A subject that the lower edge cuts off gets no room below.
    bust = save_cutout(tmp_path / "bust.png", draw_person()[:150])
    assert pochoir.animate(bust, motion="breathe", duration="0.5s", margin="10%").size.height == 150 + 20


def test_separate_subjects_move_separately(tmp_path: Path) -> None:
    alpha = np.concatenate([draw_animal(), np.zeros((160, 20)), draw_person()[:160, 40:160]], axis=1)
    two = save_cutout(tmp_path / "two.png", alpha)
    clip = pochoir.animate(two, motion=("trot", "breathe"), duration="1s")
    assert len(clip.stage.actors) == 2
    moves = {tuple(str(move) for move in actor.moves) for actor in clip.stage.actors}
    assert moves == {("trot", "breathe"), ("breathe",)}
    still = clip.still()
    assert np.abs(still[..., 3] / 255 - paint(alpha)[..., 3]).max() < 0.02


# ---- rigs


def test_limbs_are_found_saved_and_used(animal_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pochoir.animation import casting
    from pochoir.animation.pose import Doubt

    monkeypatch.setattr(casting, "find_person", lambda photo, alpha: Doubt("no person is recognised"))
    rig = clips.prepare(animal_file).find_rig()
    assert rig.count("leg") == 4
    path = tmp_path / "animal.rig.json"
    path.write_text(rig.to_json())
    for given in (rig, path, None):
        clip = pochoir.animate(animal_file, motion="trot", rig=given, duration="0.5s")
        assert np.abs(clip.points_at(3) - clip.points_at(0)).max() > 3
    half = pochoir.animate(animal_file, motion="trot", rig=path, duration="0.5s", size=120)  # a rig fits every size
    assert half.size.width == 120


def test_motions_that_nobody_can_do_are_refused_before_painting(
    animal_file: Path, person_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pochoir.animation import casting
    from pochoir.animation.pose import Doubt

    monkeypatch.setattr(casting, "find_person", lambda photo, alpha: Doubt("no person is recognised"))
    with pytest.raises(OptionError, match=r"wave needs a person .*\(no person is recognised\)\. Give limbs with --rig"):
        pochoir.animate(animal_file, motion="wave", subject="mosaic")  # would need weights to paint
    with pytest.raises(OptionError, match="trot needs an animal"):
        pochoir.animate(person_file, motion="trot")
    with pytest.raises(OptionError, match="flap needs a wing"):
        pochoir.animate(person_file, motion="flap", rig=person_rig())
    spineless = person_rig().model_copy(update={"spine": ()})
    with pytest.raises(OptionError, match="wave needs a spine"):
        pochoir.animate(person_file, motion="wave", rig=spineless)


# ---- records


@pytest.mark.parametrize("suffix", [".webp", ".gif", ".png", ".mp4"])
def test_a_clip_is_made_again_from_its_record(person_file: Path, tmp_path: Path, suffix: str) -> None:
    first, second = tmp_path / f"first{suffix}", tmp_path / f"second{suffix}"
    options = {"motion": ("wave", "breathe:0.5"), "rig": person_rig(), "duration": "0.5s", "backdrop": "#336699"}
    pochoir.animate(person_file, on=2, shadow=True, **options).save(first)
    record = video.read_film_record(first)
    assert clips.holds_clip(record)
    assert json.loads(record)["clip"]["motion"] == ["wave", "breathe:0.5"]
    again = clips.replay(record, base=tmp_path).clip()
    assert again.record == record
    again.save(second)
    assert first.read_bytes() == second.read_bytes()


def test_a_photo_whose_name_is_not_utf_8_moves_and_is_found_again(person_file: Path, tmp_path: Path) -> None:
    photo = person_file.rename(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png"))
    clip = pochoir.animate(photo, duration="0.5s", fps=4)
    clip.save(tmp_path / "one.gif")
    record = video.read_film_record(tmp_path / "one.gif")
    assert clips.replay(record, base=tmp_path).clip().record == clip.record == record


def test_a_changed_input_is_told(person_file: Path, tmp_path: Path) -> None:
    record = pochoir.animate(person_file, duration="0.5s").record
    assert record is not None
    save_cutout(person_file, draw_animal())
    with pytest.raises(InputError, match="it changed"):
        clips.replay(record, base=tmp_path)
    with pytest.raises(InputError, match="not that of a clip"):
        clips.replay("{}", base=tmp_path)
    assert not clips.holds_clip("nonsense")


def test_redo_of_a_clip_tells_what_is_not_as_it_was(person_file: Path, tmp_path: Path) -> None:
    record = pochoir.animate(person_file, duration="0.5s").record
    assert record is not None
    assert not any("may differ" in note for note in clips.replay(record, base=tmp_path).clip().notes)
    old = json.dumps(json.loads(record) | {"pochoir": "0.0.1"})
    expected = f"the picture may differ from the first one: pochoir was 0.0.1 and is {pochoir.__version__}"
    assert clips.replay(old, base=tmp_path).clip().notes.count(expected) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"clip_done": [1]},
        {"clip_done": "x"},
        {"clip_done": {"subject": 5}},
        {"clip_done": {"subject": "12"}},
        {"clip_done": {"subject": [2.5]}},
        {"clip_done": {"subject": [True]}},
        {"clip_done": None},
        {"rig": 3},
        {"rig": []},
        {"rig": None},
        {"rig": {"limbs": 1}},
        {"clip": {"fps": "fast"}},
    ],
)
def test_a_damaged_record_of_a_clip_is_wrong_input(
    person_file: Path, tmp_path: Path, change: dict[str, object]
) -> None:
    record = pochoir.animate(person_file, duration="0.5s").record
    assert record is not None
    with pytest.raises(InputError):
        clips.replay(json.dumps(json.loads(record) | change), base=tmp_path)


def test_an_own_encoder_cannot_be_brought_back(
    photo_file: Path, mask_file: Path, style_file: Path, quick: dict[str, object]
) -> None:
    clip = pochoir.animate(photo_file, mask=mask_file, subject=style_file, **quick)
    assert clip.record is not None
    with pytest.raises(InputError, match="object of the user's own"):
        clips.replay(clip.record, base=photo_file.parent)


# ---- bad input


def test_bad_settings_get_one_line(person_file: Path, tmp_path: Path) -> None:
    rig = tmp_path / "limbs.json"
    rig.write_text("[]")
    for options, error, message in (
        ({"motion": "nodd"}, UnknownNameError, "Did you mean 'nod'"),
        ({"duration": "0s"}, OptionError, "A time is above 0 and written like"),
        ({"duration": "1h"}, OptionError, "lasts from 0.1 s to 10 minutes"),
        ({"fps": 1000}, OptionError, "fps must be between 1 and 120"),
        ({"fps": True}, OptionError, "fps must be a number; got True"),
        ({"margin": True}, OptionError, "from 0% to 100%; got True"),
        ({"rig": rig}, InputError, r"Cannot use the rig '.*limbs\.json': This is not a rig"),
        ({"on": 0}, OptionError, "on must be between 1 and 12"),
        ({"towards": "up"}, UnknownNameError, "left, right"),
        ({"margin": "200%"}, OptionError, "from 0% to 100%"),
        ({"rig": tmp_path / "none.json"}, InputError, "Cannot read the rig"),
        ({"rig": person_file}, InputError, "it is not a text file"),
        ({"motoin": "nod"}, InputError, "motoin"),
    ):
        with pytest.raises(error, match=message):
            pochoir.animate(person_file, **options)
    empty = tmp_path / "empty.png"
    Image.fromarray(np.zeros((20, 20), np.uint8)).save(empty)
    with pytest.raises(EmptyRegionError):
        pochoir.animate(person_file, mask=empty)


def test_a_subject_that_fills_the_frame_and_one_pixel_both_move(tmp_path: Path) -> None:
    full = tmp_path / "full.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 50, 3), dtype=np.uint8)).save(full)
    clip = pochoir.animate(full, mask=np.full((40, 50), 255, np.uint8), motion="nod", duration="0.5s")
    assert clip.size == (40, 50)
    assert np.isfinite(list(clip)).all()
    dot = np.zeros((9, 9), np.uint8)
    dot[4, 4] = 255
    small = np.full((9, 9, 3), 128, np.uint8)
    for motion in ("nod", "turn", "hop", "waddle"):
        assert len(list(pochoir.animate(small, mask=dot, motion=motion, duration="0.2s"))) == 5


def test_settings_come_back_from_their_plain_values() -> None:
    settings = ClipSettings(motion=("nod:0.5", "breathe"), duration="2s", margin="20%", towards="left")
    plain = settings.model_dump(mode="json")
    assert json.loads(json.dumps(plain)) == plain
    assert ClipSettings.model_validate(plain) == settings
    assert [move.face for move in settings.moves] == [-1, -1]


def test_a_rig_is_part_of_the_record(person_file: Path) -> None:
    clip = pochoir.animate(person_file, motion="wave", rig=person_rig(), duration="0.5s")
    assert clip.record is not None
    assert Rig.from_dict(json.loads(clip.record)["rig"]) == person_rig()
    assert torch.is_grad_enabled()
