from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from pochoir._types import Box
from pochoir.cli.console import Command
from pochoir.cli.options import Given, RecipeFile, takes_settings
from pochoir.recipe import Recipe, StyleRef
from support.program import error_line


def type_settings(*arguments: str) -> tuple[Result, Recipe | None]:
    """Type options of a command that takes all settings and only makes the recipe."""
    made: list[Recipe] = []
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.command(cls=Command)
    @takes_settings(Recipe.model_fields)
    def make(*, given: Given, recipe_file: RecipeFile = None) -> None:
        made.append(given.recipe(recipe_file))

    result = CliRunner().invoke(app, list(arguments))
    return result, made[0] if made else None


def test_nothing_given_is_the_default_recipe() -> None:
    assert type_settings()[1] == Recipe()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--size", "64"], {"size": 64}),
        (["--content-weight", "2"], {"content_weight": 2.0}),
        (["--tv-weight", "0"], {"tv_weight": 0.0}),
        (["--seed", "0"], {"seed": 0}),
        (["--full-size"], {"full_size": True}),
        (["--no-clean-style"], {"clean_style": False}),
        (["--set", "clean-style=false"], {"clean_style": False}),
        (["--clean-style"], {"clean_style": True}),
        (["--set", "init=noise"], {"init": "noise"}),
        (["--mask", "m.png"], {"mask": "m.png"}),
        (["--set", "style-scale = 2", "--set", "full_size=yes"], {"style_scale": 2.0, "full_size": True}),
        (
            ["--set", "box=1,2,3,4", "--set", "style=mosaic:2"],
            {"box": Box(1, 2, 3, 4), "style": (StyleRef("mosaic", 2),)},
        ),
        (["--set", "time=2m", "--set", "keep-points=1,2;3,4"], {"time": 120.0, "keep_points": ((1, 2), (3, 4))}),
        (["--set", "style-layers=relu1_1, relu3_1"], {"style_layers": ("relu1_1", "relu3_1")}),
        (["--set", "content-layers="], {"content_layers": ()}),
        (["--schedule", "40,25, 15"], {"schedule": (40, 25, 15)}),
        (["--time", "1m30s", "--memory", "1.5G"], {"time": "1m30s", "memory": "1.5G"}),
        (["--strength", "1"], {"strength": 1.0}),
        (["--segmenter", "grabcut", "--box", "-1,2,30,40"], {"segmenter": "grabcut", "box": Box(-1, 2, 30, 40)}),
        (["--style", "a.png"], {"style": (StyleRef("a.png"),)}),
        (
            ["--style", "a.png", "--style-mask", "m.png", "--style", "b.png", "--style-mask", "n.png"],
            {"style": (StyleRef("a.png"), StyleRef("b.png")), "style_mask": ("m.png", "n.png")},
        ),
        (
            ["--subject-style", "a.png", "--subject-color", "photo", "--subject-strength", "0", "--color", "match"],
            {
                "subject_style": (StyleRef("a.png"),),
                "subject_color": "photo",
                "subject_strength": 0.0,
                "color": "match",
            },
        ),
        (
            [
                *("--background-style", "b", "--set", "background-content-layers=relu3_1,relu2_1"),
                *("--set", "background-content-weight=2", "--background-style-mask", "m.png"),
            ],
            {
                "background_style": (StyleRef("b"),),
                "background_content_layers": ("relu3_1", "relu2_1"),
                "background_content_weight": 2.0,
                "background_style_mask": ("m.png",),
            },
        ),
        (
            ["--subject-style", "a.png", "--set", "subject-content-layers="],
            {"subject_style": (StyleRef("a.png"),), "subject_content_layers": ()},
        ),
        (
            ["--size", "full"],
            {"size": "full"},
        ),
        (
            ["--subject-style", "a.png:2", "--subject-style", "mosaic", "--background-style", "C:b.png"],
            {"subject_style": (StyleRef("a.png", 2.0), StyleRef("mosaic")), "background_style": (StyleRef("C:b.png"),)},
        ),
    ],
)
def test_options_become_the_recipes_values(arguments: list[str], expected: dict[str, Any]) -> None:
    assert type_settings(*arguments)[1] == Recipe(**expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--size", "0"], "size must be between 1 and 8192; got 0"),
        (["--size", "huge"], "size must be a whole number of pixels or full; got 'huge'"),
        (["--schedule", "4,x"], "A schedule is whole numbers of steps such as 40,25,15; got '4,x'"),
        (["--schedule", "0,4"], "Only the finest scales of a schedule can have no steps; got 0,4"),
        (["--schedule", "3,-4"], "A schedule is whole numbers of steps such as 40,25,15; got 3,-4"),
        (["--time", "soon"], "A time is above 0 and written like 30s, 2m or 1m30s; got 'soon'"),
        (["--memory", "lots"], "An amount of memory is written like 500M or 2G; got 'lots'"),
        (["--memory", "100M"], "Painting takes at least 256M of memory; got '100M'"),
        (["--strength", "1.1"], "strength must be between 0 and 1; got 1.1"),
        (["--steps", "-3"], "steps must be between 1 and 100000; got -3"),
        (["--style-weight", "nan"], "style_weight must be between"),
        (["--set", "pooling=avgg"], "Unknown pooling 'avgg'. Did you mean 'avg'?"),
        (
            ["--segmenter", "u2ntp"],
            "Unknown segmenter 'u2ntp'. Did you mean 'u2netp'? Allowed: u2netp, u2net, grabcut.",
        ),
        (["--set", "optimizer="], "Unknown optimizer ''. Allowed: lbfgs, adam."),
        (["--set", "style-layers=relu4_9"], "Unknown style layer of vgg19 'relu4_9'. Did you mean 'relu4_"),
        (["--set", "content-layers=", "--set", "style-layers="], "At least one content layer or style layer"),
        (["--device", "gpu"], "Unknown device 'gpu'"),
        (["--backdrop", "#12345"], "A backdrop colour is #rgb, #rrggbb or a name"),
        (["--segmenter", "grabcut", "--box", "1,2,3"], "A box is four whole numbers X,Y,WIDTH,HEIGHT; got '1,2,3'"),
        (["--segmenter", "grabcut", "--box", "1,2,x,4"], "A box is four whole numbers"),
        (["--segmenter", "grabcut", "--box", "1,2,0,4"], "at least 1 pixel"),
        (["--box", "1,2,3,0"], "at least 1 pixel"),
        (["--subject", "2nd"], "A subject is all, largest, or numbers"),
        (["--set", "preprocess=rembgg"], "Unknown preprocess 'rembgg'. Did you mean 'rembg'?"),
        (["--style", "a.png:0"], "The weight of style 'a.png' must be above 0"),
        (["--style", ""], "The value of --style is empty"),
        (["--style", "a.png", "--subject-style", "b.png"], "cannot be joined"),
        (["--style", "a.png", "--style-mask", "m.png", "--style-mask", "n.png"], "style has 1 and style_mask has 2"),
        (["--subject-style", "a.png", "--style-mask", "m.png"], "style has 0 and style_mask has 1"),
        (["--style", "a.png", "--subject-color", "photo"], "--subject-color is for a subject that has its own style"),
        (["--subject-style", "a.png", "--background-strength", "1"], "give it a --background-style, too"),
        (["--subject-style", "a.png", "--subject-strength", "2"], "subject_strength must be between 0 and 1; got 2"),
        (["--color", "matches"], "Unknown color 'matches'. Did you mean 'match'?"),
        (["--background-color", "photos"], "Unknown background color 'photos'. Did you mean 'photo'?"),
        (["--subject-style", "a.png", "--set", "subject-content-layers=relu4_9"], "Unknown content layer of vgg19"),
        (["--set", "steps"], "--set takes FIELD=VALUE; got 'steps'"),
        (["--set", "stepz=3"], "Unknown setting 'stepz'. Did you mean 'steps'?"),
        (["--set", "steps=3", "--set", "steps=4"], "steps is given twice"),
        (["--steps", "3", "--set", "steps=4"], "steps is given twice"),
        (["--set", "steps=many"], "steps must be a whole number; got 'many'"),
        (["--set", "style-scale=9"], "style_scale must be between 0.1 and 4; got 9"),
        (["--set", "full-size=perhaps"], "Unknown value of full-size 'perhaps'"),
        (["--recipe", "no-such.toml"], "Cannot read the recipe no-such.toml"),
    ],
)
def test_wrong_values_are_one_line_and_exit_2(arguments: list[str], message: str) -> None:
    result, _ = type_settings(*arguments)
    assert result.exit_code == 2
    assert message in error_line(result)


@pytest.mark.parametrize("arguments", [["--sise", "3"], ["--size", "large"], ["extra"]])
def test_wrong_usage_is_exit_2(arguments: list[str]) -> None:
    result, _ = type_settings(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_options_win_over_the_recipe_file(tmp_path: Path) -> None:
    start = Recipe(size=100, steps=7, style=(StyleRef("mosaic", 2.0),), segmenter="grabcut", box=Box(1, 2, 3, 4))
    file = tmp_path / "start.toml"
    file.write_text(start.to_toml())
    assert type_settings("--recipe", str(file))[1] == start
    _, made = type_settings("--recipe", str(file), "--steps", "9", "--style", "marbling")
    assert made is not None
    assert (made.size, made.steps, made.style, made.box) == (100, 9, (StyleRef("marbling"),), Box(1, 2, 3, 4))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("broken.toml", "size = ", "is not a valid recipe"),
        ("list.json", "[1]", "it should hold a table of settings"),
        ("typo.toml", "sice = 3", "Unknown recipe field 'sice'. Did you mean 'size'?"),
        ("kind.toml", 'steps = "many"', "steps must be a whole number; got 'many'"),
    ],
)
def test_a_broken_recipe_file_is_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    result, _ = type_settings("--recipe", str(file))
    assert result.exit_code == 2
    assert message in error_line(result)


def test_a_command_sets_only_what_it_takes() -> None:
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.command(cls=Command)
    @takes_settings(["segmenter", "grabcut_iterations"])
    def make(*, given: Given) -> None:
        typer.echo(given.recipe().grabcut_iterations)

    assert CliRunner().invoke(app, ["--set", "grabcut-iterations=7"]).stdout == "7\n"
    result = CliRunner().invoke(app, ["--set", "steps=7"])
    assert result.exit_code == 2
    assert "Unknown setting of this command 'steps'" in error_line(result)
