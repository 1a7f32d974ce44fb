import json

import pytest

from pochoir.errors import OptionError, PochoirError, UnknownNameError
from pochoir.recipe import Box, Points
from pochoir.sequence.settings import Correction, VideoSettings, read_corrections


def test_settings_are_read_from_text_and_come_back_from_json():
    settings = VideoSettings(
        keys="8",
        on=2,
        start="0",
        end="1m30s",
        form="cutout",
        codec="qtrle",
        corrections=[Correction(frame=3, mask="m")],
    )
    assert (settings.keys, settings.start, settings.end) == (8, 0.0, 90.0)
    stored = json.loads(settings.model_dump_json())
    assert stored["end"] == "90s"
    assert VideoSettings.model_validate(stored) == settings


def test_defaults_come_back_from_json():
    usual = VideoSettings()
    assert json.loads(usual.model_dump_json())["keys"] == "auto"
    assert VideoSettings.model_validate(json.loads(usual.model_dump_json())) == usual


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"keys": 0}, "Keys are auto, or 1 to 48 frames apart; got 0."),
        ({"keys": "many"}, "Keys are auto"),
        ({"on": 13}, "on must be between 1 and 12; got 13."),
        ({"start": "soon"}, "A time is above 0 and written like"),
        ({"start": -1}, "A time is above 0 and written like"),
        ({"start": "5s", "end": "3s"}, "The end of the film (3s) has to be later than its start (5s)."),
        ({"start": "5s", "end": "5s"}, "has to be later"),
        ({"form": "film"}, "Unknown form of a video 'film'"),
        ({"codec": "h265"}, "Unknown codec 'h265'"),
        ({"frames": 3}, "Unknown setting of a video 'frames'"),
        ({"corrections": [{"frame": 1}, {"frame": 1}]}, "Each frame has one correction at most"),
    ],
)
def test_bad_values_are_refused_in_one_line(values, text):
    with pytest.raises(PochoirError, match=r"^[^\n]*$") as error:
        VideoSettings.model_validate(values)
    assert text in str(error.value)


def test_corrections_of_one_frame_are_joined_and_sorted():
    found = read_corrections(
        mask_frame={20: "a=b.png"}, keep_points=["3=1,2", "20 = 5,6;7,8"], drop_points={3: [(9, 9)]}, box="3=1,2,30,40"
    )
    assert [each.frame for each in found] == [3, 20]
    first, second = found
    assert first.box == Box(1, 2, 30, 40)
    assert (first.keep_points, first.drop_points) == (Points.parse("1,2"), Points.parse("9,9"))
    assert (second.mask, second.keep_points) == ("a=b.png", Points.parse("5,6;7,8"))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"mask_frame": "matte.png"}, "such as 12=matte.png; got 'matte.png'"),
        ({"box": 5}, "box is given by frame, such as {12: ...}; got 5."),
        ({"box": {1: 5}}, "A box is four whole numbers"),
        ({"box": ["1=1,2,3"]}, "A box is four whole numbers"),
        ({"keep_points": "4=a,b"}, "Points are X,Y"),
        ({"mask_frame": ["4=a.png", "4=b.png"]}, "Frame 4 has two values of mask; give one."),
        ({"mask_frame": {-1: "a.png"}}, "frame must be between 0 and 10000000"),
    ],
)
def test_bad_corrections_are_refused(options, text):
    with pytest.raises(OptionError) as error:
        read_corrections(**options)
    assert text in str(error.value)


def test_an_unknown_name_lists_the_allowed_ones():
    with pytest.raises(UnknownNameError, match="painting, cutout, matte"):
        VideoSettings(form="layers")
