import copy
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from pochoir._types import Box
from pochoir.errors import InputError, OptionError, UnknownNameError
from pochoir.recipe import (
    GROUPS,
    Bytes,
    Recipe,
    Seconds,
    SegmentSettings,
    StyleRef,
    TransferSettings,
    find_setting,
    layer_names,
    settings_table,
)

FIELDS = settings_table()
BOUNDED = {name: item for name, item in FIELDS.items() if item.low is not None}
CHOSEN = {name: item for name, item in FIELDS.items() if item.choices is not None}


def test_every_number_and_every_closed_choice_is_looked_after():
    # The size may be a word, too; it has its own test.
    assert {*BOUNDED, "size"} == {name for name, item in FIELDS.items() if item.type in (int, float)}
    colors = {"color", "subject_color", "background_color"}
    output = {"chroma", "profile", "metadata"}
    assert set(CHOSEN) == {"preprocess", "refine", "encoder", "pooling", "optimizer", "keep", *colors, *output}


def test_the_type_of_a_setting_is_that_of_its_default():
    for name, item in FIELDS.items():
        assert item.default is None or type(item.default) is item.type, name
    not_given = {name: item.type for name, item in FIELDS.items() if item.default is None}
    assert not_given == {
        **dict.fromkeys(("mask", "scribble", "protect", "subject_color", "background_color"), str),
        **dict.fromkeys(("subject_strength", "background_strength"), float),
        **dict.fromkeys(("subject_content_weight", "background_content_weight"), float),
        **dict.fromkeys(("subject_content_layers", "background_content_layers"), tuple),
        "box": Box,
        "dpi": float,
        "size": int,
        "time": Seconds,
    }
    assert {name for name, item in FIELDS.items() if item.is_optional} == set(not_given)


def styled_for(name: str) -> dict[str, tuple[StyleRef, ...]]:
    """The style without which a setting of one region is refused."""
    return {
        f"{region}_style": (StyleRef("a"),) for region in ("subject", "background") if name.startswith(region + "_")
    }


def test_defaults_are_valid_and_documented():
    recipe = Recipe()
    for name, item in FIELDS.items():
        assert getattr(recipe, name) == item.default
        assert item.help
        assert not item.help.endswith(".")
        assert item.group in GROUPS
        assert item.level in ("basic", "advanced", "experiment")
        assert find_setting(item.label) is item
    assert recipe.replace() == recipe


def test_defaults_that_users_know():
    recipe = Recipe()
    assert (recipe.content_weight, recipe.style_weight, recipe.tv_weight) == (1.0, 1.0, 1.0)
    assert recipe.content_layers == ("relu4_2",)
    assert recipe.style_layers == ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    assert (recipe.segmenter, recipe.encoder, recipe.optimizer, recipe.backdrop) == ("u2net", "vgg19", "lbfgs", "photo")


def test_bits_are_8_or_16():
    assert [Recipe(bits=bits).bits for bits in (8, 16)] == [8, 16]
    with pytest.raises(OptionError, match="bits must be 8 or 16; got 12"):
        Recipe(bits=12)


def test_a_recipe_is_frozen_and_given_by_name():
    recipe = Recipe()
    with pytest.raises(AttributeError, match=r"^A Recipe cannot be changed; make another with replace\(steps=\.\.\.\)"):
        recipe.steps = 3
    with pytest.raises(AttributeError, match="cannot be changed"):
        del recipe.steps
    with pytest.raises(TypeError, match="positional"):
        Recipe("u2net")


def test_a_copy_with_changes_is_checked_like_a_new_one():
    recipe = Recipe(steps=7, style=["mosaic"])
    assert recipe.replace(steps=9) == Recipe(steps=9, style=["mosaic"])
    assert recipe.steps == 7
    with pytest.raises(OptionError, match="steps must be between 1 and 100000; got 0"):
        recipe.replace(steps=0)
    with pytest.raises(OptionError, match="cannot be joined"):
        recipe.replace(subject_style="mosaic")
    with pytest.raises(UnknownNameError, match=r"Unknown recipe field 'stepz'\. Did you mean 'steps'"):
        recipe.replace(stepz=9)


def test_a_recipe_shows_what_is_not_as_usual():
    assert repr(Recipe()) == "Recipe()"
    shown = repr(Recipe(steps=3, time="1m30s", memory="3G", backdrop="#fff", style="mosaic:2"))
    assert shown.startswith("Recipe(")
    assert eval(shown, {"Recipe": Recipe, "Seconds": Seconds, "Bytes": Bytes, "StyleRef": StyleRef}) == Recipe(  # noqa: S307
        steps=3, time=90, memory=3 << 30, backdrop="#fff", style=["mosaic:2"]
    )


def test_recipes_travel_between_processes_and_into_sets():
    recipe = Recipe(time="1m30s", memory="3G", keep_points="1,2", box="1,2,3,4", style=["mosaic:2"], backdrop="#fff")
    for other in (pickle.loads(pickle.dumps(recipe)), copy.deepcopy(recipe), Recipe.from_dict(recipe.to_dict())):  # noqa: S301
        assert other == recipe
        assert len({other, recipe}) == 1
        assert {name: type(getattr(other, name)) for name in FIELDS} == {
            name: type(getattr(recipe, name)) for name in FIELDS
        }
    assert len({recipe, recipe.replace(seed=1)}) == 2


def test_the_stages_see_a_recipe_as_their_settings():
    assert isinstance(Recipe(), SegmentSettings)
    assert isinstance(Recipe(), TransferSettings)
    assert set(FIELDS) > set(SegmentSettings.model_fields)
    assert set(FIELDS) > set(TransferSettings.model_fields)


class TestBounds:
    @pytest.mark.parametrize("name", BOUNDED)
    def test_the_bounds_themselves_are_allowed(self, name):
        for bound in ("low", "high"):
            value = getattr(BOUNDED[name], bound)
            assert getattr(Recipe(**{name: value, **styled_for(name)}), name) == value

    @pytest.mark.parametrize("name", BOUNDED)
    def test_beyond_is_refused(self, name):
        low, high = BOUNDED[name].low, BOUNDED[name].high
        for value in (low - 1, high + 1, -(10**400), 10**400):
            with pytest.raises(
                OptionError, match=rf"^{name} must be between {low:.10g} and {high:.10g}; got {str(value)[:20]}"
            ):
                Recipe.from_dict({name: value})

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
    @pytest.mark.parametrize("name", [name for name, item in FIELDS.items() if item.type is float])
    def test_what_is_not_finite_is_refused(self, name, value):
        with pytest.raises(OptionError, match=f"{name} must be between .* got -?(nan|inf)"):
            Recipe(**{name: value})

    def test_large_bounds_are_written_out(self):
        with pytest.raises(OptionError, match="seed must be between 0 and 4294967295; got 4294967296"):
            Recipe(seed=2**32)


class TestChoices:
    @pytest.mark.parametrize("name", CHOSEN)
    def test_each_choice_is_allowed(self, name):
        for choice in CHOSEN[name].choices:
            made = Recipe(**{name: choice, "style_layers": ("relu1_1",), **styled_for(name)})
            assert getattr(made, name) == choice

    @pytest.mark.parametrize("name", CHOSEN)
    def test_another_is_refused_and_the_nearest_comes_first(self, name):
        choices = CHOSEN[name].choices
        for near in choices:
            given = near + "x"
            words = name.replace("_", " ")
            with pytest.raises(
                UnknownNameError, match=rf"^Unknown {words} '{given}'\. Did you mean '{near}'\?"
            ) as caught:
                Recipe(**{name: given})
            assert caught.value.allowed[0] == near
            assert set(caught.value.allowed) == set(choices)


WRONG_TYPES = [
    *[(name, value) for name in ("steps", "seed", "threads", "grabcut_iterations") for value in ("3", 3.5, True, None)],
    *[(name, value) for name in ("content_weight", "style_scale") for value in ("1", True, None, [1.0])],
    *[("size", value) for value in ("Full", 512.0, True, (3, 4))],
    *[("full_size", value) for value in (1, 0, "yes", None)],
    *[(name, value) for name in ("segmenter", "device", "color") for value in (5, None, b"u2net")],
    *[(name, value) for name in ("content_layers", "style_layers", "style", "subject_style") for value in (5, None)],
    *[(name, [value]) for name in ("content_layers", "style_layers") for value in (5, None, ["relu1_1"])],
    *[("schedule", value) for value in (5, None, [1.5], [True], ["4"])],
    *[(name, value) for name in ("subject_strength", "background_content_weight") for value in ("1", True, [1.0])],
    *[("subject_color", value) for value in (5, b"photo")],
    *[("subject_content_layers", value) for value in (5, {"relu1_1": 1})],
    *[(name, value) for name in ("style_mask", "subject_style_mask") for value in (5, None)],
    ("background_style", {"a": 1}),
]


@pytest.mark.parametrize(("name", "value"), WRONG_TYPES, ids=str)
def test_wrong_types_are_refused(name, value):
    for make in (lambda: Recipe.from_dict({name: value}), lambda: Recipe(**{name: value})):
        with pytest.raises(OptionError, match=rf"^(Each of )?{name} must be .*; got .+\.$") as caught:
            make()
        assert "\n" not in str(caught.value)


OTHER_WRONG_VALUES = [
    *[(name, value, "must be a text") for name in ("init", "backdrop", "mask", "scribble") for value in (5, b"a", "")],
    *[(name, value, "must be a text") for name in ("style_mask",) for value in ([5], [""])],
    *[(name, value, "Points are X,Y;X,Y in") for name in ("keep_points", "drop_points") for value in (5, None, [1, 2])],
    *[("box", value, "A box is four whole numbers") for value in (5, "1,2,3", "1,2,x,4", [True, 1, 2, 3], {})],
    *[("style", [value], "A style is a name, a path or a pair") for value in (5, None, ("a", 1, 2))],
    *[("style", [value], "A style needs a name or a path") for value in ("", ("", 1.0), (5, 1.0))],
    *[
        ("time", value, "A time is above 0 and written like 30s")
        for value in (0, -1, True, "soon", float("nan"), float("inf"), [3])
    ],
    *[("memory", value, "An amount of memory is written") for value in (0, -1, True, "much", 3.5, None)],
    ("memory", 1 << 20, "Painting takes at least 256M of memory; got '1M'"),
]


@pytest.mark.parametrize(("name", "value", "message"), OTHER_WRONG_VALUES, ids=str)
def test_wrong_values_are_refused_in_the_words_of_their_type(name, value, message):
    with pytest.raises(OptionError, match=message) as caught:
        Recipe(**{name: value})
    assert "\n" not in str(caught.value)


def test_values_are_read_from_text_and_from_plain_values():
    texts = Recipe(
        size="300", time="2m", memory="512M", schedule="4, 2", box="1,2,3,4", keep_points="1,2;3,4", style="mosaic:2",
        style_mask=Path("m.png"), content_layers="relu1_1, relu2_1", subject="3,1,3",
    )  # fmt: skip
    values = Recipe(
        size=300, time=120, memory=512 << 20, schedule=[4, 2], box=[1, 2, 3, 4], keep_points=[(1, 2), [3, 4]],
        style=[("mosaic", 2)], style_mask=["m.png"], content_layers=("relu1_1", "relu2_1"), subject="1,3",
    )  # fmt: skip
    assert texts == values
    assert texts.subject.numbers == (1, 3)


def test_a_long_wrong_value_is_shortened():
    with pytest.raises(OptionError, match=r"steps must be a whole number; got 'x{90,96}\.\.\.\.$"):
        Recipe(steps="x" * 10_000)


class TestLayers:
    def test_any_layer_of_the_encoder(self):
        for encoder in ("vgg16", "vgg19"):
            names = layer_names(encoder)
            recipe = Recipe(encoder=encoder, content_layers=names, style_layers=names)
            assert recipe.content_layers == names

    @pytest.mark.parametrize("which", ["content", "style"])
    def test_unknown_layer(self, which):
        with pytest.raises(
            UnknownNameError, match=rf"^Unknown {which} layer of vgg19 'relu4_9'\. Did you mean 'relu4_"
        ):
            Recipe.from_dict({f"{which}_layers": ["relu1_1", "relu4_9"]})

    def test_a_layer_of_the_other_encoder(self):
        assert Recipe(style_layers=("relu5_4",)).style_layers == ("relu5_4",)
        with pytest.raises(UnknownNameError, match=r"layer of vgg16 'relu5_4'\. Did you mean 'relu5_3'"):
            Recipe(encoder="vgg16", style_layers=("relu5_4",))

    def test_a_layer_twice(self):
        with pytest.raises(OptionError, match="content layers name a layer twice: relu4_2, relu1_1, relu4_2"):
            Recipe(content_layers=("relu4_2", "relu1_1", "relu4_2"))

    def test_one_kind_may_be_empty_but_not_both(self):
        assert Recipe(content_layers=()).content_layers == ()
        assert Recipe(style_layers=()).style_layers == ()
        with pytest.raises(OptionError, match="At least one content layer or style layer is needed"):
            Recipe(content_layers=(), style_layers=())


class TestBox:
    def test_allowed(self):
        assert Recipe.from_dict({"segmenter": "grabcut", "box": [0, 3, 1, 20]}).box == Box(0, 3, 1, 20)

    def test_for_every_segmenter(self):
        assert Recipe(segmenter="u2netp", box=Box(0, 0, 5, 5)).box == Box(0, 0, 5, 5)

    @pytest.mark.parametrize("box", [Box(0, 0, 0, 5), Box(0, 0, 5, 0), Box(3, 3, -1, 5)])
    def test_without_pixels(self, box):
        with pytest.raises(OptionError, match=rf"at least 1 pixel; got {box}\."):
            Recipe(segmenter="grabcut", box=box)

    @pytest.mark.parametrize("box", [[], [1, 2, 3], [1, 2, 3, 4, 5]])
    def test_not_four(self, box):
        with pytest.raises(OptionError, match="A box is four whole numbers X,Y,WIDTH,HEIGHT; got"):
            Recipe.from_dict({"segmenter": "grabcut", "box": box})

    @pytest.mark.parametrize("box", [[1, 2, "a", 4], [1.5, 2, 3, 4], [0, 0, None, 4], [0, 0, [1], 4]])
    def test_not_whole_numbers(self, box):
        with pytest.raises(OptionError, match="A box is four whole numbers X,Y,WIDTH,HEIGHT; got"):
            Recipe.from_dict({"segmenter": "grabcut", "box": box})


class TestRembg:
    def test_its_names_are_left_to_the_package(self):
        assert Recipe(segmenter="rembg:isnet-general-use").segmenter == "rembg:isnet-general-use"

    def test_the_way_to_write_them_is_told(self):
        with pytest.raises(UnknownNameError, match=r"Allowed: .*grabcut.* Or rembg:NAME for a network of the rembg"):
            Recipe(segmenter="isnet-general-use")


@pytest.mark.parametrize("choice", ["all", "largest", "1", "12", "1,3"])
def test_subjects(choice):
    assert Recipe(subject=choice).subject == choice


@pytest.mark.parametrize("choice", ["", "0", "-1", "1,", "1, 2", "1;2", "biggest", "all,1", "1.5", "1\n"])
def test_subjects_that_are_none(choice):
    with pytest.raises(OptionError, match="A subject is all, largest, or numbers such as 1 or 1,3; got"):
        Recipe(subject=choice)


@pytest.mark.parametrize("region", ["subject_style", "background_style"])
def test_a_style_for_all_excludes_one_for_a_region(region):
    with pytest.raises(OptionError, match="cannot be joined with a subject or background style"):
        Recipe(**{"style": (StyleRef("a"),), region: (StyleRef("b"),)})
    assert Recipe(subject_style=(StyleRef("a"),), background_style=(StyleRef("b"),)).style == ()


@pytest.mark.parametrize("device", ["auto", "cpu", "mps", "cuda", "cuda:0", "cuda:12"])
def test_devices(device):
    assert Recipe(device=device).device == device


@pytest.mark.parametrize(
    ("device", "near"), [("cud", "cuda"), ("cuda:", "cuda"), ("cuda:x", "cuda"), ("CPU", ""), ("", "")]
)
def test_devices_that_are_none(device, near):
    with pytest.raises(UnknownNameError, match=rf"Unknown device '{device}'\..*{near}.*Allowed: .*cuda:0"):
        Recipe(device=device)


@pytest.mark.parametrize("backdrop", ["photo", "transparent", "#fff", "#A0b1C2", "beach.jpg", "photos"])
def test_backdrops(backdrop):
    assert Recipe(backdrop=backdrop).backdrop == backdrop


@pytest.mark.parametrize("backdrop", ["#", "#ff", "#ffff", "#ggg", "#1234567", "#fff\n"])
def test_backdrop_colours_that_are_none(backdrop):
    with pytest.raises(OptionError, match="A backdrop colour is #rgb, #rrggbb or a name such as white; got '#"):
        Recipe(backdrop=backdrop)


def test_unknown_keys_are_refused():
    with pytest.raises(UnknownNameError, match=r"Unknown recipe field 'style_weigth'\. Did you mean 'style_weight'\?"):
        Recipe.from_dict({"steps": 3, "style_weigth": 2.0})
    with pytest.raises(InputError, match="Unknown recipe field '5'"):
        Recipe.from_dict({5: 1})


def test_importing_the_recipe_leaves_heavy_libraries_out():
    code = (
        "import sys, pochoir, pochoir.recipe, pochoir.errors;"
        "print([name for name in ('torch', 'numpy', 'PIL', 'cv2', 'skimage', 'typer') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
