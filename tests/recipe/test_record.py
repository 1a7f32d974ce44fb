import json
import os
from dataclasses import replace

import pytest

from pochoir.errors import InputError, OptionError, UnknownNameError
from pochoir.recipe.recipe import Recipe, StyleRef
from pochoir.recipe.record import InputFile, Record

RECORD = Record(
    version="0.1.0",
    torch="2.7.0+cpu",
    recipe=Recipe(steps=3, style=(StyleRef("mosaic", 1 / 3), StyleRef("dir/é.jpg")), mask="m.png"),
    inputs=(
        InputFile("photo", "p.jpg", "dir/p.jpg", "ab" * 32),
        InputFile("style", "mosaic", None, "cd" * 32),
        InputFile("style", "é.jpg", "dir/é.jpg", "ef" * 32),
    ),
    weights={"vgg19": "01" * 32},
    device="cpu",
    threads=2,
)


def test_text_and_back():
    text = RECORD.to_json()
    assert Record.from_json(text) == RECORD
    assert Record.from_json(text).to_json() == text


def test_one_line_that_names_the_program_first():
    text = RECORD.to_json()
    assert text.startswith('{"pochoir":"0.1.0",')
    assert "\n" not in text
    assert "é" in text


def test_a_file_name_that_is_not_utf8():
    name = os.fsdecode(b"caf\xe9.jpg")
    record = replace(RECORD, inputs=(InputFile("photo", name, name, "ab" * 32),))
    assert record.to_json().encode().isascii() is False  # the other names are still readable
    assert Record.from_json(record.to_json()) == record


def test_it_holds_all_settings():
    assert json.loads(RECORD.to_json())["recipe"] == RECORD.recipe.to_dict()


@pytest.mark.parametrize("key", ["pochoir", "torch", "recipe", "inputs", "weights", "device", "threads"])
def test_a_missing_part_is_named(key):
    values = json.loads(RECORD.to_json())
    del values[key]
    with pytest.raises(InputError, match=rf"^This is not a record that pochoir wrote \(KeyError: '{key}'\)\.$"):
        Record.from_json(json.dumps(values))


@pytest.mark.parametrize("text", ["", "{", "nonsense", '"text"', "[]", "3", "null", "{}", "[" * 100_000])
def test_what_is_no_record(text):
    with pytest.raises(InputError, match=r"^This is not a record that pochoir wrote"):
        Record.from_json(text)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("recipe", ["steps"]),
        ("recipe", None),
        ("inputs", [["photo"]]),
        ("inputs", [{"role": "photo"}]),
        ("inputs", [{"role": "photo", "name": "p", "path": 5, "sha256": "ab"}]),
        ("inputs", [{"role": "photo", "name": None, "path": "p", "sha256": "ab"}]),
        ("inputs", 5),
        ("weights", ["vgg19"]),
        ("threads", "many"),
        ("threads", float("inf")),
    ],
    ids=str,
)
def test_a_part_of_another_kind(key, value):
    values = json.loads(RECORD.to_json()) | {key: value}
    with pytest.raises(InputError, match=r"^This is not a record that pochoir wrote"):
        Record.from_json(json.dumps(values))


def test_errors_of_the_recipe_inside_are_told_as_they_are():
    values = json.loads(RECORD.to_json())
    with pytest.raises(OptionError, match="steps must be between 1 and 100000; got 0"):
        Record.from_json(json.dumps(values | {"recipe": {"steps": 0}}))
    with pytest.raises(UnknownNameError, match="Unknown recipe field 'speed'"):
        Record.from_json(json.dumps(values | {"recipe": {"speed": 1}}))


def test_the_engine_is_told_and_was_torch_before_there_were_two():
    record = replace(RECORD, engine="kernels")
    assert Record.from_json(record.to_json()) == record
    values = json.loads(record.to_json())
    del values["engine"]
    assert Record.from_json(json.dumps(values)).engine == "torch"
