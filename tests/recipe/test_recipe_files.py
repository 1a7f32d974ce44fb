import json
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pochoir._types import Box
from pochoir.errors import OptionError, UnknownNameError
from pochoir.recipe import (
    COLORS,
    ENCODERS,
    OPTIMIZERS,
    POOLINGS,
    PREPROCESSINGS,
    REFINEMENTS,
    SEGMENTERS,
    Recipe,
    StyleRef,
    find_setting,
    layer_names,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1)
STYLES = st.lists(st.builds(StyleRef, TEXT, st.floats(1e-6, 1e6)), max_size=3).map(tuple)
LAYERS = st.lists(st.sampled_from(layer_names("vgg16")), min_size=1, max_size=4, unique=True).map(tuple)


def bounded(name: str) -> st.SearchStrategy[Any]:
    low, high = find_setting(name).low, find_setting(name).high
    return st.integers(low, high) if isinstance(low, int) else st.floats(low, high)


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    names = (
        "steps",
        "seed",
        "threads",
        "grabcut_iterations",
        "content_weight",
        "style_weight",
        "tv_weight",
        "style_scale",
    )
    values: dict[str, Any] = {name: draw(bounded(name)) for name in names}
    values["size"] = draw(st.none() | st.just("full") | st.integers(1, 8192))
    values["time"] = draw(st.none() | st.floats(1e-3, 1e6))
    values["memory"] = draw(st.integers(256 << 20, 1 << 42))
    values |= {name: draw(st.none() | TEXT) for name in ("mask", "scribble")}
    points = st.lists(st.tuples(st.integers(0, 9999), st.integers(0, 9999)), max_size=3)
    values |= {name: draw(points) for name in ("keep_points", "drop_points")}
    values["schedule"] = draw(st.lists(st.integers(1, 100), max_size=4))
    values["subject"] = draw(st.sampled_from(["all", "largest", "2", "1,3"]))
    values["init"] = draw(TEXT)
    values["backdrop"] = draw(st.sampled_from(["photo", "transparent", "#abc", "sea side.jpg"]))
    for name, choices in (
        ("refine", REFINEMENTS),
        ("preprocess", PREPROCESSINGS),
        ("encoder", ENCODERS),
        ("pooling", POOLINGS),
    ):
        values[name] = draw(st.sampled_from(choices))
    for name, choices in (("optimizer", OPTIMIZERS), ("color", COLORS), ("full_size", (False, True))):
        values[name] = draw(st.sampled_from(choices))
    values |= {"content_layers": draw(LAYERS), "style_layers": draw(LAYERS)}
    if draw(st.booleans()):
        values["style"] = draw(STYLES)
    else:
        values |= {"subject_style": draw(STYLES), "background_style": draw(STYLES)}
    values["segmenter"] = draw(st.sampled_from([*SEGMENTERS, "rembg:isnet-general-use"]))
    side = st.integers(1, 5000)
    values["box"] = draw(st.none() | st.builds(Box, side, side, side, side))
    return Recipe(**values)


@given(recipes())
def test_plain_values_and_back(recipe):
    assert Recipe.from_dict(recipe.to_dict()) == recipe


@given(recipes())
def test_json_and_back(recipe):
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


@given(recipes())
def test_toml_and_back(recipe):
    assert Recipe.from_dict(tomllib.loads(recipe.to_toml())) == recipe


def test_plain_values_hold_every_field():
    recipe = Recipe(segmenter="grabcut", box=Box(1, 2, 3, 4), style=(StyleRef("a"), StyleRef("b", 0.25)))
    plain = recipe.to_dict()
    assert list(plain) == list(Recipe().to_dict())
    assert plain["box"] == [1, 2, 3, 4]
    assert plain["style"] == ["a", "b:0.25"]
    assert plain["size"] is None
    assert "size" not in tomllib.loads(recipe.to_toml())


def test_numbers_of_a_file_become_the_fields_type():
    recipe = Recipe.from_dict({"content_weight": 3, "steps": 7})
    assert type(recipe.content_weight) is float
    assert type(recipe.steps) is int
    assert recipe.to_dict()["content_weight"] == 3.0


class TestFile:
    def test_toml(self, tmp_path):
        path = tmp_path / "recipe.toml"
        path.write_text('steps = 12\nstyle = ["mosaic:2", "a:b.jpg"]\ncontent_layers = ["relu3_1"]\n', encoding="utf-8")
        recipe = Recipe.from_file(path)
        assert recipe == Recipe(
            steps=12, style=(StyleRef("mosaic", 2.0), StyleRef("a:b.jpg")), content_layers=("relu3_1",)
        )
        path.write_text(recipe.to_toml(), encoding="utf-8")
        assert Recipe.from_file(path) == recipe

    def test_json(self, tmp_path):
        path = tmp_path / "recipe.json"
        path.write_text('{"seed": 5, "subject_style": ["é.jpg"]}', encoding="utf-8")
        assert Recipe.from_file(path) == Recipe(seed=5, subject_style=(StyleRef("é.jpg"),))

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("r.toml", b"steps = ", r"r\.toml is not a valid recipe: "),
            ("r.toml", b"steps = 1\nsteps = 2", r"r\.toml is not a valid recipe: "),
            ("r.json", b"{", r"r\.json is not a valid recipe: "),
            ("r.json", b"[1]", r"r\.json is not a valid recipe: it should hold a table of settings"),
            ("r.png", b"\x89PNG", r"r\.png is not a recipe in a text file\. If it is a picture: pochoir recipe"),
            ("r.json", b"[" * 100_000, r"r\.json is not a valid recipe: "),
            ("r.toml", b"steps = 0", "steps must be between 1 and 100000; got 0"),
        ],
    )
    def test_refused(self, name, content, message, tmp_path):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(OptionError, match=message):
            Recipe.from_file(path)

    def test_unknown_key(self, tmp_path):
        path = tmp_path / "r.toml"
        path.write_text("stepz = 3")
        with pytest.raises(UnknownNameError, match=r"Unknown recipe field 'stepz'\. Did you mean 'steps'\?"):
            Recipe.from_file(path)

    @pytest.mark.parametrize("name", ["missing.toml", ""])
    def test_not_there_or_a_folder(self, name, tmp_path):
        with pytest.raises(OptionError, match=r"Cannot read the recipe .*: (No such file or|Is a) directory\.$"):
            Recipe.from_file(tmp_path / name)
