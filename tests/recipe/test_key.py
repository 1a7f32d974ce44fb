"""The key: which changes make another picture, and which do not."""

import pytest

from pochoir.recipe import (
    Environment,
    Form,
    InputFile,
    OutputSettings,
    Recipe,
    Request,
    SegmentSettings,
    StyleRef,
    settings_table,
    work_key,
)


def picture(role: str, sha256: str = "ab", name: str = "p.jpg") -> InputFile:
    return InputFile(role=role, name=name, path=f"dir/{name}", sha256=sha256)


STYLES = {"subject_style": (StyleRef("a"),), "background_style": (StyleRef("b"),)}
INPUTS = (picture("photo"), picture("subject style", "cd"), picture("background style", "ef"))
REQUEST = Request(recipe=Recipe(**STYLES), inputs=INPUTS)
CUT = Request(recipe=Recipe(), inputs=(picture("photo"),), form=Form())
ENVIRONMENT = Environment(version="1", torch="2", weights={"vgg19": "01"}, device="cpu", threads=2)
KEY = work_key(REQUEST, ENVIRONMENT)

# Another value of each setting that shapes a picture. Files are told apart by their contents, not by their names.
OTHER_VALUES = {
    "segmenter": "grabcut",
    "preprocess": "rembg",
    "box": "1,2,3,4",
    "keep_points": "1,2",
    "drop_points": "1,2",
    "subject": "largest",
    "refine": "best",
    "grabcut_iterations": 6,
    "size": 64,
    "steps": 7,
    "schedule": "3,2",
    "time": "30s",
    "strength": 0.6,
    "content_weight": 2.0,
    "style_weight": 2.0,
    "tv_weight": 2.0,
    "style_scale": 2.0,
    "init": "noise",
    "optimizer": "adam",
    "encoder": "vgg16",
    "content_layers": "relu3_1",
    "style_layers": "relu1_1",
    "pooling": "avg",
    "color": "match",
    "seed": 1,
    "subject_color": "match",
    "background_color": "match",
    "subject_strength": 0.1,
    "background_strength": 0.1,
    "subject_content_weight": 2.0,
    "background_content_weight": 2.0,
    "subject_content_layers": "relu3_1",
    "background_content_layers": "relu3_1",
    "subject_style": "a:2",
    "background_style": "b:2",
    "backdrop": "#ffffff",
    "full_size": True,
    "enlarge": 2,
    "bits": 16,
    "quality": 80,
    "chroma": "420",
    "dpi": 300.0,
    "profile": "keep",
    "metadata": "none",
    "no_recipe": True,
    "keep": "none",
    "protect_amount": 0.8,
    "calm": 0.5,
    "clean_style": False,
}
# Another value of each setting that does not.
OTHER_NAMES = {
    "memory": "1G",
    "device": "cpu",
    "threads": 3,
    "commercial_safe": True,
    "mask": "m.png",
    "scribble": "s.png",
    "protect": "p.png",
    "subject_style_mask": "m.png",
    "background_style_mask": "m.png",
}
# Settings that the request above cannot hold.
OF_THE_WHOLE = {"style", "style_mask"}


def test_every_setting_is_decided():
    assert {*OTHER_VALUES, *OTHER_NAMES, *OF_THE_WHOLE} == set(settings_table())
    assert not OTHER_VALUES.keys() & OTHER_NAMES.keys()


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_a_setting_that_shapes_the_picture_changes_the_key(name):
    other = REQUEST.replace(recipe=REQUEST.recipe.replace(**{name: OTHER_VALUES[name]}))
    assert getattr(other.recipe, name) != getattr(REQUEST.recipe, name)
    assert work_key(other, ENVIRONMENT) != KEY


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_another_setting_does_not(name):
    other = REQUEST.replace(recipe=REQUEST.recipe.replace(**{name: OTHER_NAMES[name]}))
    assert getattr(other.recipe, name) != getattr(REQUEST.recipe, name)
    assert work_key(other, ENVIRONMENT) == KEY


def test_names_of_files_do_not_change_the_key_but_their_contents_do():
    renamed = REQUEST.replace(
        recipe=REQUEST.recipe.replace(subject_style="c.jpg"),
        inputs=(picture("photo", name="q.jpg"), picture("subject style", "cd", "c.jpg"), INPUTS[2]),
    )
    assert work_key(renamed, ENVIRONMENT) == KEY
    for index, entry in enumerate(INPUTS):
        inputs = list(INPUTS)
        inputs[index] = entry.replace(sha256="99")
        assert work_key(REQUEST.replace(inputs=tuple(inputs)), ENVIRONMENT) != KEY
    masked = REQUEST.replace(recipe=REQUEST.recipe.replace(mask="m.png"), inputs=(*INPUTS, picture("mask")))
    other_use = masked.replace(inputs=(*INPUTS, picture("scribble")))
    assert len({KEY, work_key(masked, ENVIRONMENT), work_key(other_use, ENVIRONMENT)}) == 3


def test_objects_of_the_users_own_change_the_key():
    keys = {work_key(REQUEST.replace(own=own), ENVIRONMENT) for own in ((), ("encoder",), ("encoder", "segmenter 'a'"))}
    assert len(keys) == 3


def test_swapped_styles_are_another_picture():
    swapped = (INPUTS[0], INPUTS[1].replace(sha256="ef"), INPUTS[2].replace(sha256="cd"))
    assert work_key(REQUEST.replace(inputs=swapped), ENVIRONMENT) != KEY


@pytest.mark.parametrize("name", ["backdrop", "init"])
def test_a_picture_is_told_by_its_contents_and_a_word_by_itself(name):
    def key(value: str, *inputs: InputFile) -> str:
        request = REQUEST.replace(recipe=REQUEST.recipe.replace(**{name: value}), inputs=(*INPUTS, *inputs))
        return work_key(request, ENVIRONMENT)

    assert key("a.jpg", picture(name)) == key("b/c.png", picture(name)) != KEY
    assert key("a.jpg", picture(name)) != key("a.jpg", picture(name, "99"))


def test_spellings_of_a_color():
    def key(backdrop: str) -> str:
        return work_key(REQUEST.replace(recipe=REQUEST.recipe.replace(backdrop=backdrop)), ENVIRONMENT)

    assert key("#FFF") == key("#ffffff") != key("#fffffe")


def test_shares_of_blended_styles():
    def key(style: list[str]) -> str:
        inputs = (picture("photo"), picture("style", "1"), picture("style", "2"))
        return work_key(Request(recipe=Recipe(style=style), inputs=inputs), ENVIRONMENT)

    assert key(["a", "b"]) == key(["c:1", "d"]) != key(["a:2", "b"])
    assert key(["a:2", "b"]) != key(["a", "b:2"])


@pytest.mark.parametrize(("name", "value"), [("version", "2"), ("weights", {"vgg19": "02"}), ("weights", {})])
def test_version_and_weights_change_the_key(name, value):
    assert work_key(REQUEST, ENVIRONMENT.replace(**{name: value})) != KEY


@pytest.mark.parametrize(("name", "value"), [("torch", "3"), ("device", "cuda"), ("threads", 5), ("engine", "kernels")])
def test_the_rest_of_the_environment_does_not(name, value):
    assert work_key(REQUEST, ENVIRONMENT.replace(**{name: value})) == KEY


class TestCutouts:
    KEY = work_key(CUT, ENVIRONMENT)

    def test_only_the_settings_of_finding_count(self):
        counted = {
            name
            for name, value in OTHER_VALUES.items()
            if not name.startswith(("subject_", "background_"))
            and work_key(CUT.replace(recipe=CUT.recipe.replace(**{name: value})), ENVIRONMENT) != self.KEY
        }
        fields = {*SegmentSettings.model_fields, *OutputSettings.model_fields}
        assert counted == fields - {"mask", "scribble", "commercial_safe"}

    @pytest.mark.parametrize(
        "form",
        [
            Form(name="trimap"),
            Form(name="cutout"),
            Form(name="cutout", trim=True),
            Form(name="cutout", pad="5%"),
            Form(name="cutout", pad=5),
            Form(name="cutout", size=50),
            Form(name="cutout", square=True),
            Form(name="cutout", shadow="keep"),
        ],
        ids=str,
    )
    def test_each_form_is_another_picture(self, form):
        plain = CUT.replace(form=Form(name="cutout"))
        assert work_key(CUT.replace(form=form), ENVIRONMENT) != self.KEY
        assert form == plain.form or work_key(CUT.replace(form=form), ENVIRONMENT) != work_key(plain, ENVIRONMENT)

    def test_a_painting_is_no_cutout(self):
        assert work_key(CUT.replace(form=None), ENVIRONMENT) != self.KEY
