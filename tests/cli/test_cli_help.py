import importlib
import re
import resource
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import pochoir as package
from pochoir.recipe import Recipe, settings_table
from support.program import pochoir, run_program

HEAVY = ("torch", "numpy", "PIL", "cv2", "skimage", "onnx", "pooch", "requests", "numba", "matplotlib", "scipy")
COMMANDS = (
    "stylize",
    "segment",
    "animate",
    "styles",
    "models",
    "recipe",
    "redo",
    "score",
    "sweep",
    "compare",
    "lab",
    "demo",
)


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["stylize", "--help"], ["animate", "--help"], ["styles"], ["models", "list"]],
)
def test_nothing_heavy_is_imported_where_nothing_is_computed(arguments: list[str]) -> None:
    code = (
        "import sys; from pochoir.cli import app\n"
        f"app({arguments!r}, standalone_mode=False)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_takes_2_5_times_its_libraries_at_most() -> None:
    """By processor time, in turns: 0.4 s where importing typer's help and pydantic takes 0.16."""

    def spent() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    def help_s() -> float:
        before = spent()
        assert run_program("--help").returncode == 0
        return spent() - before

    def libraries_s() -> float:
        before = spent()
        subprocess.run([sys.executable, "-c", "import pydantic, typer.rich_utils"], check=True)
        return spent() - before

    rounds = [(help_s(), libraries_s()) for _ in range(4)]  # other programs on the same core make single runs slower
    assert min(own for own, _ in rounds) < 2.5 * min(libraries for _, libraries in rounds)


def test_help_names_every_command() -> None:
    shown = pochoir("--help").stdout
    assert [command for command in COMMANDS if f" {command} " not in shown] == []


@pytest.mark.parametrize(
    "command", [*COMMANDS, "models list", "models pull", "models where", "models verify", "lab report"]
)
def test_every_command_explains_itself(command: str) -> None:
    result = pochoir(*command.split(), "--help")
    assert result.exit_code == 0
    assert "Usage: " in result.stdout


def test_no_command_shows_the_help() -> None:
    result = pochoir()
    assert result.exit_code == 2
    assert "Usage: " in result.output


def test_version_is_the_packages() -> None:
    result = pochoir("--version")
    assert (result.exit_code, result.stdout) == (0, f"pochoir {package.__version__}\n")


def test_the_installed_program_is_the_one_of_the_project() -> None:
    project = tomllib.loads(Path(__file__).parents[2].joinpath("pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"pochoir": "pochoir.cli:main"}
    assert run_program("--version").stdout == f"pochoir {package.__version__}\n"


BY_LEVEL = {
    level: [item.name for item in settings_table().values() if item.level == level]
    for level in ("basic", "advanced", "experiment")
}


def options_in(*arguments: str) -> set[str]:
    """Return the long options that a help page names in its first column."""
    lines = pochoir(*arguments).stdout.replace("│", " ").splitlines()
    return {words[0] for line in lines if (words := line.replace("*", " ").split()) and words[0].startswith("--")}


def as_options(names: list[str]) -> set[str]:
    return {f"--{name.replace('_', '-')}" for name in names}


def test_help_shows_the_options_that_most_people_need() -> None:
    shown = options_in("stylize", "--help")
    settings = shown & as_options(list(Recipe.model_fields))
    assert settings == as_options(BY_LEVEL["basic"])
    assert 10 <= len(settings) <= 15
    assert {"--out", "--recipe", "--help-all"} <= shown
    assert len(shown) <= 22


def test_all_help_shows_everything_but_experiments_and_only_when_it_is_asked_for() -> None:
    before = options_in("stylize", "--help")
    shown = options_in("stylize", "--help-all")
    settings = shown & as_options(list(Recipe.model_fields))
    assert settings == as_options(BY_LEVEL["basic"] + BY_LEVEL["advanced"])
    assert {"--set", "--json", "--verbose", "--executor", "--save-steps"} <= shown
    assert "--set" not in before
    assert options_in("stylize", "--help") == before


def test_the_page_of_commands_has_every_option(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mkdocs")
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "docs")
    sections = re.split("^## pochoir ", importlib.import_module("hooks").describe_commands(), flags=re.MULTILINE)
    texts = dict(section.split("\n", 1) for section in sections[1:])
    for command in ("stylize", "segment", "animate", "video", "watch", "score", "sweep", "compare"):
        shown = options_in(command, "--help-all") | options_in(command, "--help")
        assert [name for name in shown - {"--help"} if name not in texts[command]] == [], command


def test_every_command_that_computes_takes_threads() -> None:
    for command in ("stylize", "watch", "animate", "segment", "score", "sweep", "compare", "demo"):
        assert {"--threads", "--device"} <= options_in(command, "--help-all"), command
    assert "--threads" in options_in("lab", "report", "--help-all")


@pytest.mark.parametrize("name", BY_LEVEL["basic"] + BY_LEVEL["advanced"])
def test_an_option_has_the_help_and_the_choices_of_its_field(name: str) -> None:
    item = settings_table()[name]
    # The help page folds its lines: compare words, without the frame.
    text = "".join(pochoir("stylize", "--help-all").stdout.replace("│", " ").split())
    assert "".join(item.help.split()[:3]) in text
    if item.choices and not name.startswith(("subject_", "background_")):
        assert "|".join(item.choices) in text
    if name == "bits":
        assert "8|16" in text  # no other number between its bounds
    elif item.low is not None and name != "seed" and not name.endswith("_weight"):
        assert f"{item.low:.10g}.." in text
