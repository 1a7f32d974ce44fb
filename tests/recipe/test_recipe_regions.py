"""Settings of one region, and masks of styles."""

import json
import tomllib

import pytest

from pochoir.errors import OptionError, UnknownNameError
from pochoir.recipe import Recipe, Record, StyleRef, Treatment

BOTH = {"subject_style": (StyleRef("a"),), "background_style": (StyleRef("b"),)}


class TestTreatment:
    def test_without_own_settings_it_is_that_of_all(self):
        recipe = Recipe(color="photo", strength=0.6, content_weight=3.0, content_layers=("relu3_1",), **BOTH)
        assert recipe.treatment == Treatment("photo", pytest.approx(1.5), ("relu3_1",))
        assert recipe.treatment == recipe.treatment_of("subject") == recipe.treatment_of("background")

    def test_each_own_setting_wins_in_its_region_alone(self):
        recipe = Recipe(
            strength=0.4,
            subject_color="match",
            subject_strength=0.7,
            background_content_weight=5.0,
            background_content_layers=("relu2_1", "relu3_1"),
            **BOTH,
        )
        assert recipe.treatment_of("subject") == Treatment("match", pytest.approx(0.25), ("relu4_2",))
        assert recipe.treatment_of("background") == Treatment("style", pytest.approx(10.0), ("relu2_1", "relu3_1"))
        assert recipe.treatment == Treatment("style", pytest.approx(2.0), ("relu4_2",))

    def test_nought_and_nothing_are_settings_too(self):
        recipe = Recipe(subject_strength=0.0, subject_content_weight=0.0, background_content_layers=(), **BOTH)
        assert recipe.treatment_of("subject").hold == 0.0
        assert recipe.treatment_of("background").content_layers == ()


OWN = {"color": "match", "strength": 0.2, "content_weight": 2.0, "content_layers": ("relu3_1",)}


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize(("region", "other"), [("subject", "background"), ("background", "subject")])
def test_a_setting_without_its_region_is_refused(region, other, name):
    option = f"--{region}-{name}".replace("_", "-")
    for styles in ({"style": (StyleRef("a"),)}, {f"{other}_style": (StyleRef("a"),)}, {}):
        with pytest.raises(OptionError, match=f"^{option} is for a {region} that has its own style; give it a --"):
            Recipe(**{f"{region}_{name}": OWN[name]}, **styles)
    assert Recipe(**{f"{region}_{name}": OWN[name], f"{region}_style": (StyleRef("a"),)})


class TestLayers:
    def test_of_the_other_encoder(self):
        with pytest.raises(UnknownNameError, match=r"Unknown content layer of vgg16 'relu5_4'"):
            Recipe(encoder="vgg16", subject_content_layers=("relu5_4",), **BOTH)

    def test_twice(self):
        with pytest.raises(OptionError, match="The content layers name a layer twice: relu1_1, relu1_1"):
            Recipe(background_content_layers=("relu1_1", "relu1_1"), **BOTH)

    def test_none_at_all(self):
        with pytest.raises(OptionError, match="At least one content layer or style layer is needed"):
            Recipe(style_layers=(), subject_content_layers=(), **BOTH)


class TestStyleMasks:
    @pytest.mark.parametrize("field", ["style", "subject_style", "background_style"])
    @pytest.mark.parametrize(("styles", "masks"), [(0, 1), (1, 2), (2, 1), (3, 2)])
    def test_one_for_each_style(self, field, styles, masks):
        given = {field: (StyleRef("a"),) * styles, f"{field}_mask": ("m.png",) * masks}
        with pytest.raises(
            OptionError,
            match=f"^Each style needs its own mask: {field} has {styles} and {field}_mask has {masks}; give",
        ):
            Recipe(**given)
        assert Recipe(**given | {f"{field}_mask": ("m.png",) * styles})

    def test_of_another_region_is_not_counted(self):
        with pytest.raises(OptionError, match="background_style has 1 and background_style_mask has 2"):
            Recipe(background_style_mask=("m.png", "n.png"), **BOTH)


FULL = Recipe(
    subject_style_mask=("dir/é.png",),
    subject_color="photo",
    subject_strength=1.0,
    background_content_weight=0.0,
    background_content_layers=(),
    **BOTH,
)


def test_plain_values_and_back():
    assert Recipe.from_dict(json.loads(json.dumps(FULL.to_dict()))) == FULL
    assert Recipe.from_dict(tomllib.loads(FULL.to_toml())) == FULL
    assert Recipe.from_dict({"subject_style": ["a"], "subject_strength": 1}).subject_strength == 1.0
    assert type(Recipe.from_dict({"subject_style": ["a"], "subject_strength": 1}).subject_strength) is float


def test_a_record_from_before_these_fields_is_read():
    values = FULL.to_dict()
    new = [name for name in values if name.endswith("_mask") or name.startswith(("subject_", "background_"))]
    old = {name: value for name, value in values.items() if name not in new or name in BOTH}
    assert len(old) == len(values) - 11
    told = {"pochoir": "0.1.0", "torch": "2", "recipe": old, "inputs": [], "weights": {}, "device": "cpu", "threads": 1}
    recipe = Record.from_json(json.dumps(told)).recipe
    assert recipe == Recipe(**BOTH)
    assert recipe.treatment_of("subject") == recipe.treatment
