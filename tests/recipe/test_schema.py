"""The JSON schema says what forms and other programs need to know."""

import json
import re

import pytest

from pochoir.errors import InputError
from pochoir.recipe import Form, Recipe, settings_table

SCHEMA = Recipe.model_json_schema()
FIELDS = settings_table()


def branches(name: str) -> list[dict[str, object]]:
    """Return the descriptions of the values that a field may have."""
    field = SCHEMA["properties"][name]
    return field.get("anyOf", [field])


def test_it_is_json_and_has_every_field():
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    assert list(SCHEMA["properties"]) == list(FIELDS)
    assert SCHEMA["additionalProperties"] is False


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_has_its_help_group_level_and_unit(name):
    field, item = SCHEMA["properties"][name], FIELDS[name]
    assert field["description"] == item.help
    assert (field["group"], field["level"], field.get("unit")) == (item.group, item.level, item.unit)
    assert ({"type": "null"} in branches(name)) == item.is_optional


@pytest.mark.parametrize("name", FIELDS)
def test_a_default_is_a_plain_value_that_is_read_back(name):
    default = SCHEMA["properties"][name]["default"]
    assert default == Recipe().to_dict()[name]
    assert getattr(Recipe.from_dict({name: default}), name) == FIELDS[name].default


@pytest.mark.parametrize("name", [name for name, item in FIELDS.items() if item.low is not None])
def test_numbers_have_their_bounds(name):
    assert (branches(name)[0]["minimum"], branches(name)[0]["maximum"]) == (FIELDS[name].low, FIELDS[name].high)


def test_the_size_has_bounds_and_a_word():
    assert branches("size") == [{"type": "integer", "minimum": 1, "maximum": 8192}, {"const": "full"}, {"type": "null"}]


@pytest.mark.parametrize("name", [name for name, item in FIELDS.items() if item.choices])
def test_choices_are_listed(name):
    assert branches(name)[0]["enum"] == list(FIELDS[name].choices)


def test_layers_are_listed():
    assert {"relu4_2", "conv5_4", "pool5"} <= set(branches("content_layers")[0]["items"]["enum"])


@pytest.mark.parametrize("name", FIELDS)
def test_examples_can_be_used_and_match_the_pattern(name):
    for branch in branches(name):
        branch = branch.get("items", branch)
        for example in branch.get("examples", ()):
            assert Recipe.from_dict({name: example}), example
            assert re.search(branch.get("pattern", ""), example)


@pytest.mark.parametrize(
    ("name", "text", "is_allowed"),
    [
        ("keep_points", "1,2;3,4", True),
        ("keep_points", " 1 , 2 ; -3,4;", True),
        ("keep_points", "1,2,3", False),
        ("keep_points", "1;2", False),
        ("subject", "1,3", True),
        ("subject", "0", False),
        ("subject", "all,1", False),
        ("device", "cuda:12", True),
        ("device", "cuda:", False),
        ("segmenter", "rembg:x", True),
    ],
)
def test_a_pattern_allows_what_the_recipe_allows(name, text, is_allowed):
    patterns = [branch["pattern"] for branch in branches(name) if "pattern" in branch]
    assert bool(re.search(patterns[0], text)) == is_allowed
    if is_allowed:
        assert Recipe.from_dict({name: text})
    else:
        with pytest.raises(InputError):
            Recipe.from_dict({name: text})


def test_forms_have_a_schema_too():
    schema = Form.model_json_schema()
    assert schema["properties"]["pad"]["default"] == "0"
    assert schema["properties"]["size"]["anyOf"][0] == {"type": "integer", "minimum": 1, "maximum": 32768}
    assert "cutout" in schema["properties"]["name"]["enum"]
    for example in schema["properties"]["pad"]["examples"]:
        assert Form(name="cutout", pad=example)
