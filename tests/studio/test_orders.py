import subprocess
import sys
from pathlib import Path

import pytest

from pochoir.errors import InputError, OptionError, UnknownNameError
from pochoir.recipe import Environment, InputFile, Recipe, Record, Request, StyleRef
from pochoir.studio.models import Look, LooksOf, Order
from pochoir.studio.orders import (
    HIDDEN_SETTINGS,
    build_recipe,
    command_line,
    order_of,
    python_call,
    settings_schema,
)
from pochoir.studio.problems import FieldError

SOURCES = {"a" * 16: "mosaic", "b" * 16: "/shelf/own.png"}


def find(id_):
    return SOURCES[id_]


def looks(**regions):
    return LooksOf(**{name: [Look(id=id_, weight=weight) for id_, weight in given] for name, given in regions.items()})


def test_the_form_is_the_schema_of_the_settings():
    schema = settings_schema()
    assert schema["strength"]["maximum"] == 1.0
    assert "description" in schema["strength"]
    assert not HIDDEN_SETTINGS & schema.keys()
    assert schema.keys() <= Recipe.model_fields.keys()


def test_looks_become_styles():
    order = Order(looks=looks(subject=[("a" * 16, 1)], background=[("b" * 16, 0.25)]), settings={"strength": 0.7})
    recipe = build_recipe(order, find, Path("/masks/m.png"))
    assert recipe.subject_style == (StyleRef("mosaic"),)
    assert recipe.background_style == (StyleRef("/shelf/own.png", 0.25),)
    assert recipe.strength == 0.7
    assert recipe.mask == "/masks/m.png"


def test_settings_of_a_region_need_its_look():
    settings = {"subject_strength": 0.7}
    recipe = build_recipe(Order(looks=looks(subject=[("a" * 16, 1)]), settings=settings), find, None)
    assert recipe.subject_strength == 0.7
    with pytest.raises(OptionError, match="give it a --subject-style"):
        build_recipe(Order(looks=looks(whole=[("a" * 16, 1)]), settings=settings), find, None)


def test_a_whole_picture_needs_no_mask():
    order = Order(looks=looks(whole=[("a" * 16, 1)]))
    assert build_recipe(order, find, Path("/masks/m.png")).mask is None
    order = order.model_copy(update={"settings": {"backdrop": "transparent"}})
    assert build_recipe(order, find, Path("/masks/m.png")).mask == "/masks/m.png"


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"mask": "/etc/passwd"}, OptionError, "mask is not a setting of the page"),
        ({"style": ["/etc/passwd"]}, OptionError, "style is not a setting"),
        ({"backdrop": "/etc/passwd"}, OptionError, "backdrop must be photo, transparent or a color"),
        ({"init": "/etc/passwd"}, OptionError, "init must be content"),
        ({"strength": 7}, OptionError, "strength must be between 0 and 1"),
        ({"strengt_h": 0.5}, UnknownNameError, "strength"),
    ],
)
def test_settings_that_are_refused(settings, error, text):
    with pytest.raises(error, match=text):
        build_recipe(Order(looks=looks(whole=[("a" * 16, 1)]), settings=settings), find, None)


def test_no_look():
    with pytest.raises(InputError, match="Choose a look first"):
        build_recipe(Order(), find, None)


def test_a_record_gives_the_order_back():
    recipe = Recipe(subject_style=(StyleRef("mosaic"),), background_style=(StyleRef("x.png"),), strength=0.7)
    inputs = [InputFile(role="photo", name="p.png", path="p.png", sha256="0" * 64)]
    inputs += [InputFile(role="subject style", name="mosaic", path=None, sha256="1" * 64)]
    inputs += [InputFile(role="background style", name="x.png", path="x.png", sha256="2" * 64)]
    environment = Environment(torch="2", weights={}, device="cpu", threads=1, engine="torch")
    record = Record(request=Request(recipe=recipe, inputs=tuple(inputs)), environment=environment)
    known = {("mosaic", "1" * 64): "a" * 16}
    order = order_of(record, lambda name, sha256: known.get((name, sha256)))
    assert order.looks.subject == [Look(id="a" * 16)]
    assert order.looks.background == []
    assert order.settings == {"strength": 0.7}


def test_the_command_is_the_same_recipe(tmp_path):
    recipe = Recipe(
        subject_style=(StyleRef("mosaic", 2.0), StyleRef("my style.png")),
        strength=0.7,
        full_size=True,
        size=300,
        clean_style=False,
    )
    command = command_line(recipe, "photo 1.jpg", "out.png")
    assert command.startswith("pochoir stylize 'photo 1.jpg' -o out.png")
    for part in (
        "--subject-style mosaic:2",
        "--subject-style 'my style.png'",
        "--strength 0.7",
        "--full-size",
        "--no-clean-style",
        "--size 300",
    ):
        assert part in command
    assert "--full-size true" not in command


def test_the_python_call_compiles_and_names_the_settings():
    text = python_call(Recipe(subject_style=(StyleRef("mosaic"),), strength=0.7), "photo.jpg", "out.png")
    compile(text, "call", "exec")
    assert "subject=['mosaic']" in text
    assert "strength=0.7" in text


def test_errors_name_their_control():
    for settings in ({"style_scale": 99.0}, {"time": "soon"}, {"memory": "lots"}, {"color": "x"}, {"backdrop": ""}):
        with pytest.raises(FieldError) as caught:
            build_recipe(Order(looks=looks(whole=[("a" * 16, 1)]), settings=settings), find, None)
        assert caught.value.field in settings


@pytest.mark.parametrize("value", ["", " ", [], {}, "abc", float("nan"), 10**30])
def test_a_value_of_no_sense_gives_one_line_or_has_the_default(value):
    for name in settings_schema():
        try:
            build_recipe(Order(looks=looks(whole=[("a" * 16, 1)]), settings={name: value}), find, None)
        except InputError as error:
            assert "\n" not in str(error)  # noqa: PT017


def test_the_page_waits_for_no_api_and_the_server_never_imports_torch(tmp_path):
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from pochoir.studio.app import build_app\n"
        "from pochoir.studio.service import Service\n"
        "build_app(Service(lambda: None), hosts=frozenset({'x'}))\n"
        "early = {'fastapi', 'sqlite3', 'pydantic'} & set(sys.modules)\n"
        "from pochoir.studio.api import build_api\n"
        "from pochoir.studio.folder import Folder\n"
        "from pochoir.studio.parts import Studio\n"
        f"build_api(Studio(Folder(Path({str(tmp_path)!r}))))\n"
        "print(sorted(early | {'torch', 'numpy', 'PIL', 'cv2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
