import pytest

from pochoir._types import Box
from pochoir.errors import OptionError, PochoirError, UnknownNameError
from pochoir.lab.sweep.grid import Axis, iter_settings
from pochoir.recipe import Init, Recipe, StyleRef, SubjectChoice, format_setting, settings_table


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("style-weight=1e2,1e3", "style_weight", (100.0, 1000.0)),
        ("style_weight = 1, 2", "style_weight", (1.0, 2.0)),
        ("seed=0,1,2", "seed", (0, 1, 2)),
        ("size=64,128,full", "size", (64, 128, "full")),
        ("full-size=true,no", "full_size", (True, False)),
        ("init=content,noise", "init", (Init("content"), Init("noise"))),
        ("pooling=max", "pooling", ("max",)),
        ("content-layers=relu3_1|relu3_1,relu4_2", "content_layers", (("relu3_1",), ("relu3_1", "relu4_2"))),
        ("box=1,2,3,4|5,6,7,8", "box", (Box(1, 2, 3, 4), Box(5, 6, 7, 8))),
        ("schedule=4,2|3", "schedule", ((4, 2), (3,))),
        ("subject=all|1,3", "subject", (SubjectChoice("all"), SubjectChoice("1,3"))),
        ("subject-style=mosaic,ink-wash:2", "subject_style", ((StyleRef("mosaic"),), (StyleRef("ink-wash", 2.0),))),
    ],
)
def test_an_axis_as_it_is_typed(text: str, name: str, values: tuple[object, ...]) -> None:
    axis = Axis.parse(text)
    assert (axis.name, axis.values) == (name, values)
    assert [type(value) for value in axis.values] == [type(value) for value in values]
    for value in axis.values:
        assert getattr(Recipe.from_dict({name: value}), name) == value


def test_every_field_of_the_picture_but_the_style_can_be_an_axis() -> None:
    texts = {"subject_style": "mosaic", "background_style": "mosaic", "box": "0,0,4,4", "full_size": "no"}
    texts |= {"schedule": "2,1", "time": "9s", "size": "9", "keep_points": "1,2", "drop_points": "1,2"}
    texts |= {"dpi": "300"}
    texts |= {f"{region}_color": "photo" for region in ("subject", "background")}
    texts |= {f"{region}_content_layers": "relu3_1" for region in ("subject", "background")}
    texts |= {f"{region}style_mask": "part.png" for region in ("", "subject_", "background_")}
    for item in settings_table().values():
        if item.name in ("style", "device", "threads"):
            continue
        default = "no" if item.default is False else format_setting(item.default or 0)
        text = texts.get(item.name, default)
        axis = Axis.parse(f"{item.label}={text}|")
        assert axis.name == item.name
        assert Axis.parse(f"{item.label}={format_setting(axis.values[0])}|") == axis


@pytest.mark.parametrize(
    ("text", "error", "match"),
    [
        ("style-wieght=1,2", UnknownNameError, r"Unknown field to sweep 'style-wieght'\. Did you mean 'style-weight'"),
        ("style=mosaic", UnknownNameError, "Give each style with --style S"),
        ("seed=", OptionError, "The grid of seed is empty; write it as seed=VALUE,VALUE"),
        ("seed=,", OptionError, "The grid of seed is empty"),
        ("seed", OptionError, "A grid is written as field=value,value; got 'seed'"),
        ("seed=1,1", OptionError, "names the value 1 twice"),
        ("style-weight=1,1.0", OptionError, "names the value 1 twice"),
        ("seed=1.5", OptionError, r"seed must be a whole number; got '1\.5'"),
        ("style-weight=many", OptionError, "style_weight must be a number; got 'many'"),
        ("full-size=perhaps", UnknownNameError, "Unknown value of full-size 'perhaps'"),
    ],
)
def test_axes_that_cannot_be_used(text: str, error: type[PochoirError], match: str) -> None:
    with pytest.raises(error, match=match):
        Axis.parse(text)


def test_every_combination_the_last_axis_fastest() -> None:
    settings = list(iter_settings([Axis("seed", (0, 1)), Axis("steps", (5, 6, 7))]))
    assert [(each["seed"], each["steps"]) for each in settings] == [(0, 5), (0, 6), (0, 7), (1, 5), (1, 6), (1, 7)]
    assert list(iter_settings([])) == [{}]


def test_an_axis_given_twice_is_told() -> None:
    with pytest.raises(OptionError, match="grid of seed is given twice"):
        list(iter_settings([Axis("seed", (0,)), Axis("seed", (1,))]))


def test_too_many_combinations_are_refused_before_they_are_made() -> None:
    axes = [Axis(name, tuple(range(1, 1001))) for name in ("seed", "steps", "size")]
    with pytest.raises(OptionError, match="1000000000 combinations; at most 100000"):
        next(iter_settings(axes))


@pytest.mark.parametrize(("value", "text"), [(1000.0, "1000"), (1e-05, "1e-05"), (3, "3"), (("a", "b"), "a,b")])
def test_how_values_are_shown(value: object, text: str) -> None:
    assert format_setting(value) == text
