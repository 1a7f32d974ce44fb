from pathlib import Path

import pytest

from pochoir import weights
from support.program import error_line, pochoir


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POCHOIR_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("POCHOIR_OFFLINE", "1")
    return tmp_path / "cache"


@pytest.mark.usefixtures("empty_cache")
def test_list_shows_each_file_with_size_licence_and_state() -> None:
    lines = pochoir("models", "list").stdout.splitlines()[1:]
    assert len(lines) == len(weights.TABLE)
    for line, row in zip(lines, weights.TABLE.values(), strict=True):
        assert line.startswith(row.name)
        assert row.size_text in line
        assert row.licence in line
        assert "missing" in line


def test_verify_of_an_empty_cache_is_exit_3_and_names_what_painting_needs(empty_cache: Path) -> None:
    result = pochoir("models", "verify")
    assert result.exit_code == 3
    assert [line.split()[:2] for line in result.stdout.splitlines()[1:]] == [
        ["vgg19", "missing"],
        ["u2net", "missing"],
        ["u2netp", "missing"],
        ["faces", "missing"],
    ]
    assert not empty_cache.exists()


def test_verify_finds_a_damaged_file(empty_cache: Path) -> None:
    empty_cache.mkdir()
    (empty_cache / "u2netp.onnx").write_bytes(b"not a network")
    result = pochoir("models", "verify", "u2netp")
    assert result.exit_code == 3
    assert "damaged" in result.stdout


@pytest.mark.parametrize("verb", ["pull", "where"])
def test_missing_weights_are_exit_3_with_the_command_that_gets_them(empty_cache: Path, verb: str) -> None:
    result = pochoir("models", verb, "u2netp")
    assert result.exit_code == 3
    assert error_line(result).endswith("pochoir models pull u2netp")
    assert not empty_cache.exists()


def test_pull_of_an_unknown_name_lists_the_photos_too() -> None:
    result = pochoir("models", "pull", "vgg9")
    assert result.exit_code == 2
    line = error_line(result)
    assert "Unknown weights 'vgg9'. Did you mean 'vgg19'? Allowed: vgg19, " in line
    assert ", photos, photo-" in line
    assert "Did you mean 'photos'?" in error_line(pochoir("models", "pull", "photoz"))
    assert "Did you mean 'photo-quokka'?" in error_line(pochoir("models", "pull", "photo-quoka"))


def test_pull_photos_means_all_sample_photos(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(weights, "pull", lambda name, **_: tmp_path / name)
    lines = pochoir("models", "pull", "photos").stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == list(weights.SAMPLES)


def test_pull_offline_does_not_try(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POCHOIR_OFFLINE")
    result = pochoir("models", "pull", "--offline")
    assert result.exit_code == 3
    assert "Offline" in error_line(result)
    assert not empty_cache.exists()


@pytest.mark.parametrize("verb", ["pull", "where", "verify"])
def test_unknown_names_are_exit_2_with_the_known_ones(verb: str) -> None:
    result = pochoir("models", verb, "u2ne")
    assert result.exit_code == 2
    assert "Did you mean 'u2net'?" in error_line(result)


@pytest.mark.weights
def test_pull_of_what_is_here_fetches_nothing_and_says_where_it_is() -> None:
    result = pochoir("models", "pull")
    assert result.exit_code == 0, result.output
    names = ("vgg19", "u2net", "u2netp", "faces")
    assert result.stdout == "".join(f"{name}: {weights.where(name)}\n" for name in names)
    assert pochoir("models", "where", "vgg19").stdout == f"{weights.where('vgg19')}\n"
    assert pochoir("models", "verify", "-q").exit_code == 0


def test_rembgs_networks_are_listed_with_what_they_may_be_used_for() -> None:
    result = pochoir("models", "list", "--rembg")
    assert result.exit_code == 0, result.output
    lines = {line.split()[0]: line for line in result.stdout.splitlines()[1:]}
    assert "MIT" in lines["rembg:birefnet-general"]
    assert "non-commercial only" in lines["rembg:bria-rmbg"]
