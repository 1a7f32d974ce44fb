import copy
import json
import os
import pickle
from pathlib import Path

import pytest

from pochoir.errors import InputError, OptionError, UnknownNameError
from pochoir.recipe import Environment, Form, InputFile, Recipe, Record, Request, StyleRef


def picture(role: str, name: str, path: str | None, sha256: str) -> InputFile:
    return InputFile(role=role, name=name, path=path, sha256=sha256)


REQUEST = Request(
    recipe=Recipe(steps=3, style=(StyleRef("mosaic", 1 / 3), StyleRef("dir/é.jpg")), mask="m.png"),
    inputs=(
        picture("photo", "p.jpg", "dir/p.jpg", "ab" * 32),
        picture("style", "mosaic", None, "cd" * 32),
        picture("style", "é.jpg", "dir/é.jpg", "ef" * 32),
    ),
)
ENVIRONMENT = Environment(version="0.1.0", torch="2.7.0+cpu", weights={"vgg19": "01" * 32}, device="cpu", threads=2)
RECORD = Record(request=REQUEST, environment=ENVIRONMENT)
CUTOUT = RECORD.replace(
    request=REQUEST.replace(recipe=Recipe(), form=Form(name="cutout", trim=True, pad="5%", size=400, shadow="keep"))
)
OWN = RECORD.replace(request=REQUEST.replace(own=("segmenter 'mine'", "encoder")))
TIMED = RECORD.replace(request=REQUEST.replace(recipe=REQUEST.recipe.replace(time="30s")), done=(9, 4, 0))
EARLIER = json.loads(Path(__file__).with_name("records_0_4_0.json").read_text(encoding="utf-8"))
RECORDS = pytest.mark.parametrize("record", [RECORD, CUTOUT, TIMED, OWN], ids=["painted", "cut out", "timed", "own"])


@RECORDS
def test_text_and_back(record):
    text = record.to_json()
    assert Record.from_json(text) == record
    assert Record.from_json(text).to_json() == text
    assert Record.from_json(text).key == record.key


@RECORDS
def test_copies_between_processes(record):
    assert pickle.loads(pickle.dumps(record)) == record  # noqa: S301
    assert copy.deepcopy(record) == record


def test_one_line_that_names_the_program_first():
    text = RECORD.to_json()
    assert text.startswith('{"pochoir":"0.1.0",')
    assert "\n" not in text
    assert "é" in text


def test_a_file_name_that_is_not_utf8():
    name = os.fsdecode(b"caf\xe9.jpg")
    recipe = REQUEST.recipe.replace(mask=name, style=[name], backdrop=name, init=name, scribble=name)
    record = RECORD.replace(request=REQUEST.replace(recipe=recipe, inputs=(picture("photo", name, name, "ab" * 32),)))
    record.to_json().encode()  # no lone surrogates: it can be written to a file
    assert Record.from_json(record.to_json()) == record
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    assert len(record.key) == 64


def test_it_holds_all_settings():
    assert json.loads(RECORD.to_json())["recipe"] == REQUEST.recipe.to_dict()


def test_the_recipe_to_make_it_again_has_the_steps_that_were_done():
    assert RECORD.recipe == REQUEST.recipe
    assert TIMED.request.recipe.time == 30
    assert TIMED.recipe == TIMED.request.recipe.replace(time=None, schedule=(9, 4, 0))
    assert TIMED.key == TIMED.replace(done=(5, 5, 5)).key  # it is the request that is done
    assert TIMED.key != RECORD.key


@pytest.mark.parametrize("key", ["pochoir", "torch", "recipe", "inputs", "weights", "device", "threads"])
def test_a_missing_part_is_named(key):
    values = json.loads(RECORD.to_json())
    del values[key]
    with pytest.raises(InputError, match=rf"^This is not a record that pochoir wrote \(KeyError: '{key}'\)\.$"):
        Record.from_json(json.dumps(values))


@pytest.mark.parametrize("text", ["", "{", "nonsense", '"text"', "[]", "3", "null", "{}", "[" * 100_000])
def test_texts_that_are_no_records(text):
    with pytest.raises(InputError, match=r"^This is not a record that pochoir wrote"):
        Record.from_json(text)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("pochoir", 3),
        ("recipe", ["steps"]),
        ("recipe", None),
        ("inputs", [["photo"]]),
        ("inputs", [{"role": "photo"}]),
        ("inputs", [{"role": "photo", "name": "p", "path": 5, "sha256": "ab"}]),
        ("inputs", [{"role": "photo", "name": None, "path": "p", "sha256": "ab"}]),
        ("inputs", 5),
        ("weights", ["vgg19"]),
        ("weights", {"vgg19": 3}),
        ("threads", "many"),
        ("threads", float("inf")),
        ("form", "matte"),
        ("form", {"name": "statue"}),
        ("form", {"shape": "round"}),
        ("own", [5]),
        ("done", 5),
        ("done", ["x"]),
        ("done", [0, 3]),
    ],
    ids=str,
)
def test_a_part_of_another_kind(key, value):
    values = json.loads(RECORD.to_json()) | {key: value}
    with pytest.raises(InputError, match=r"^This is not a record that pochoir wrote \(.+\)\.$") as caught:
        Record.from_json(json.dumps(values))
    assert "\n" not in str(caught.value)


def test_errors_of_the_recipe_inside_are_raised_unchanged():
    values = json.loads(RECORD.to_json())
    with pytest.raises(OptionError, match="steps must be between 1 and 100000; got 0"):
        Record.from_json(json.dumps(values | {"recipe": {"steps": 0}}))
    with pytest.raises(UnknownNameError, match="Unknown recipe field 'speed'"):
        Record.from_json(json.dumps(values | {"recipe": {"speed": 1}}))


class TestEarlierVersions:
    """Records from before requests and environments were two values."""

    @pytest.mark.parametrize("stored", EARLIER, ids=["painted", "timed", "JPEG", "cut out", "matte"])
    def test_records_that_version_0_4_0_wrote(self, stored):
        record = Record.from_json(json.dumps(stored))
        written = json.loads(record.to_json())
        for part in ("pochoir", "torch", "inputs", "weights", "device", "threads", "engine"):
            assert written[part] == stored[part]
        assert Record.from_json(record.to_json()) == record
        changed = {name for name, value in stored["recipe"].items() if written["recipe"][name] != value}
        assert changed <= {"time", "memory"}  # 1.5G is written as 1536M, no limit as null
        form = stored.get("output")  # fields that came later have their defaults
        assert written.get("form") == (None if form is None else {"backdrop": "transparent", "square": False} | form)

    PAINTED = (
        '{"pochoir":"0.1.0","torch":"2.13.0+cpu","recipe":{"segmenter":"u2net","box":[1,2,3,4],"keep_points":"5,6;7,8",'
        '"drop_points":"","subject":"2,1","mask":null,"size":64,"steps":36,"schedule":[4,3],"time":"","memory":"2G",'
        '"strength":0.5,"init":"content","style":[],"subject_style":["mosaic:2"],"background_style":[],'
        '"backdrop":"#abc","threads":0},"inputs":[{"role":"photo","name":"p.jpg","path":"p.jpg","sha256":"ab"},'
        '{"role":"subject style","name":"mosaic","path":null,"sha256":"cd"}],"weights":{"vgg19":"01"},"device":"cpu",'
        '"threads":2,"engine":"kernels"}'
    )
    CUT = (
        '{"pochoir":"0.1.0","torch":"2.13.0+cpu","recipe":{"segmenter":"grabcut"},"inputs":[{"role":"photo",'
        '"name":"p.jpg","path":"p.jpg","sha256":"ab"}],"weights":{},"device":"auto","threads":2,"engine":"torch",'
        '"output":{"name":"cutout","trim":true,"pad":"5%","size":null,"shadow":"drop"}}'
    )

    def test_painted(self):
        record = Record.from_json(self.PAINTED)
        assert record.request.form is None
        assert record.done == ()
        recipe = record.recipe
        assert (recipe.time, recipe.memory, recipe.schedule) == (None, 2 << 30, (4, 3))
        assert recipe.keep_points == ((5, 6), (7, 8))
        assert (recipe.box, recipe.subject.numbers) == ((1, 2, 3, 4), (1, 2))
        assert recipe.backdrop.color == (170, 187, 204)
        assert recipe.subject_style == (("mosaic", 2.0),)
        assert record.environment.engine == "kernels"
        assert [entry.role for entry in record.request.inputs] == ["photo", "subject style"]
        assert Record.from_json(record.to_json()) == record

    def test_cut_out(self):
        record = Record.from_json(self.CUT)
        assert record.request.form == Form(name="cutout", trim=True, pad="5%")
        assert Record.from_json(record.to_json()) == record

    def test_the_engine_was_torch_before_there_were_two(self):
        values = json.loads(self.PAINTED)
        del values["engine"]
        assert Record.from_json(json.dumps(values)).environment.engine == "torch"
