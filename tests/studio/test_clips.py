"""Clips: what an order asks for, the calls that make the same, and files in other formats."""

import numpy as np
import pytest
from PIL import Image

from pochoir import video
from pochoir._types import Size
from pochoir.animation.settings import ClipSettings
from pochoir.errors import InputError, OptionError, UnknownNameError
from pochoir.recipe import Recipe, StyleRef
from pochoir.studio import moving
from pochoir.studio.clips import FORMATS, clip_call, clip_command, clip_schema, motions, read_clip
from pochoir.studio.problems import FieldError
from support import films


def write_clip(path, *, frames: int = 6, alpha: bool = False, duration_ms: int = 50):
    made = []
    for number in range(frames):
        pixels = np.full((20, 30, 4 if alpha else 3), 40 * number, np.uint8)
        if alpha:
            pixels[..., 3] = 255
            pixels[:8, :, 3] = 0
        pixels[number : number + 4, 5:20] = 255
        made.append(Image.fromarray(pixels))
    made[0].save(path, save_all=True, append_images=made[1:], duration=duration_ms, loop=0, lossless=True)
    return path


def test_the_form_is_the_schema_of_the_settings():
    assert clip_schema().keys() == ClipSettings.model_fields.keys()
    assert all(part["description"] for part in clip_schema().values())


def test_reasons_of_motions_are_one_sentence():
    found = {motion.name: motion for motion in motions({"trot": "It needs legs. Give limbs with --rig FILE."})}
    assert found["trot"].problem == "It needs legs."
    assert found["nod"].problem == ""
    assert found["walk"].whom == "people"


@pytest.mark.parametrize(
    ("values", "error", "field"),
    [
        ({"fps": 0}, FieldError, "fps"),
        ({"fps": ""}, FieldError, "fps"),
        ({"duration": ""}, FieldError, "duration"),
        ({"duration": "2h"}, FieldError, "duration"),
        ({"motion": ["nood"]}, FieldError, "motion"),
        ({"motion": []}, FieldError, "motion"),
        ({"motion": [""]}, FieldError, "motion"),
        ({"loop": "yes"}, FieldError, "loop"),
        ({"towards": "up"}, FieldError, "towards"),
        ({"speed": 3}, UnknownNameError, None),
        ({"rig": "/etc/passwd"}, UnknownNameError, None),
    ],
)
def test_settings_that_are_refused(values, error, field):
    with pytest.raises((OptionError, UnknownNameError)) as caught:
        read_clip(values)
    assert isinstance(caught.value, error)
    assert getattr(caught.value, "field", None) == field


def test_none_is_the_default():
    assert read_clip({"fps": None, "towards": None}) == ClipSettings()


def test_the_calls_make_the_same_clip():
    clip = read_clip({"motion": ["nod:0.5", "breathe"], "duration": "2s", "loop": False, "on": 2, "shadow": True})
    recipe = Recipe(subject_style=(StyleRef("mosaic"),), strength=0.7)
    command = clip_command(clip, recipe, "photo 1.jpg", "out.webp")
    assert command.startswith("pochoir animate 'photo 1.jpg' -o out.webp --motion nod:0.5 --motion breathe")
    for part in ("--duration 2s", "--once", "--on 2", "--shadow", "--subject-style mosaic", "--strength 0.7"):
        assert part in command
    text = clip_call(clip, recipe, "photo 1.jpg", "out.webp")
    compile(text, "call", "exec")
    assert "motion=['nod:0.5', 'breathe']" in text
    assert "subject=['mosaic']" in text


def test_facts_of_a_clip_and_of_a_picture(tmp_path):
    facts = moving.describe(str(write_clip(tmp_path / "a.webp")))
    assert facts == {
        "width": 30,
        "height": 20,
        "transparent": False,
        "frames": 6,
        "duration_s": 0.3,
        "record": None,
    }
    assert moving.describe(str(write_clip(tmp_path / "b.webp", alpha=True)))["transparent"]
    Image.new("RGB", (5, 5)).save(tmp_path / "still.webp")
    assert moving.describe(str(tmp_path / "still.webp")) is None


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_clip_in_another_format_shows_the_same(tmp_path, file_format):
    source = write_clip(tmp_path / "a.webp")
    target = tmp_path / f"b.{file_format}"
    moving.convert(str(source), str(target), keeps_record=True)
    facts = moving.describe(str(target))
    assert (facts["width"], facts["height"], facts["frames"]) == (30, 20, 6)
    assert facts["duration_s"] == pytest.approx(0.3, abs=0.02)
    moving.write_still(str(target), str(tmp_path / "still.webp"))
    with Image.open(tmp_path / "still.webp") as still:
        shown = np.asarray(still.convert("RGB")).astype(int)
    assert shown[2, 10].min() > 180
    assert shown[15, 25].max() < 60


def test_transparency_stays_where_the_format_holds_it(tmp_path):
    source = write_clip(tmp_path / "a.webp", alpha=True)
    moving.convert(str(source), str(tmp_path / "b.png"), keeps_record=False)
    assert moving.describe(str(tmp_path / "b.png"))["transparent"]
    with pytest.raises(InputError, match="holds no transparency"):
        moving.convert(str(source), str(tmp_path / "b.mp4"), keeps_record=False)
    assert not (tmp_path / "b.mp4").exists()


def test_films_keep_their_times_and_sound_in_another_format(tmp_path):
    source = films.write(tmp_path / "a.mp4", count=6, pts=(0, 1, 2, 5, 6, 7), sound=True)
    moving.convert(str(source), str(tmp_path / "b.mkv"), keeps_record=False)
    with video.open_video(tmp_path / "b.mkv") as opened:
        times = [round(frame.time_s * 25) for frame in opened.frames()]
        assert times == [0, 1, 2, 5, 6, 7]
        assert opened.info.has_sound


@pytest.mark.parametrize("name", ["a.webm", "a.mov", "a.mkv"])
def test_transparent_films_are_not_laid_on_black_unasked(tmp_path, name):
    frames = [np.dstack([films.draw(index), np.full((48, 64), 90, np.uint8)]) for index in range(3)]
    video.save(tmp_path / name, video.Film(frames, count=3, size=Size(48, 64), fps=25, alpha=True))
    assert moving.describe(str(tmp_path / name))["transparent"]
    with pytest.raises(InputError, match="own format"):
        moving.convert(str(tmp_path / name), str(tmp_path / "b.gif"), keeps_record=False)
    assert not (tmp_path / "b.gif").exists()
