"""The project's files agree with each other."""

import os
import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from pochoir import __version__, weights
from pochoir.cli.commands.models import OF_THE_MAIN_JOB

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DEPENDENCIES = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
EXTRAS = [Requirement(text) for group in PROJECT["project"]["optional-dependencies"].values() for text in group]


def pinned() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def test_every_direct_dependency_has_one_exact_version_that_its_range_allows() -> None:
    pins = pinned()
    assert set(pins) == {requirement.name for requirement in DEPENDENCIES + EXTRAS}
    outside = [item for item in DEPENDENCIES + EXTRAS if not item.specifier.contains(pins[item.name])]
    assert outside == []


@pytest.mark.parametrize("name", ["torch", "numpy", "typer", "pillow"])
def test_what_is_tested_is_what_is_pinned(name: str) -> None:
    assert metadata.version(name).split("+")[0] == pinned()[name]


def test_third_party_names_every_library_and_every_weight_file() -> None:
    text = (ROOT / "THIRD_PARTY.md").read_text().lower()
    names = [requirement.name for requirement in DEPENDENCIES] + list(weights.TABLE) + list(weights.SAMPLES)
    assert [name for name in names if not re.search(rf"\b{re.escape(name)}\b", text)] == []


def test_the_pages_state_the_size_of_downloads_and_the_version_of_torch() -> None:
    of_painting, of_all = (
        round(sum(weights.TABLE[name].size_bytes for name in names) / 1e6) for names in (OF_THE_MAIN_JOB, weights.TABLE)
    )
    readme, questions = (ROOT / "README.md").read_text(), (ROOT / "docs" / "questions.md").read_text()
    assert f"a download of {of_painting} MB" in readme
    assert f"All weights together are {of_all} MB" in questions
    assert f"pip install torch=={pinned()['torch']} " in readme


def test_the_version_is_in_one_place_only() -> None:
    assert "version" in PROJECT["project"]["dynamic"]
    assert "version" not in PROJECT["project"]


def test_the_citation_and_the_changelog_have_the_version() -> None:
    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text()
    (newest, _), *_ = re.findall(
        r"^## \[(.+)\] - (\d{4}-\d\d-\d\d)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert newest == __version__


def test_ci_runs_what_a_developer_runs() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    chores = re.findall(r"^(?:exec )?(make \w+)$", script.read_text(), re.MULTILINE)
    assert chores == ["make docs", "make package", "make test"]


def test_the_workflow_for_github_runs_the_same_chores() -> None:
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert "run: bash .ci/run" in workflow
    for system in ("ubuntu", "macos", "windows"):
        assert f"{system}-latest" in workflow
    for command in ("mkdocs build", "-m build", "check_package.py", "-m pytest"):
        assert command in workflow


@pytest.mark.parametrize("target", ["setup", "demo", "docs", "package", "test", "check", "clean"])
def test_make_knows_the_chores(target: str) -> None:
    done = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
