import stat
from pathlib import Path

import pytest

from pochoir.errors import UnknownNameError, WeightsMissingError, WriteError
from pochoir.weights import TABLE, UrlSource, WeightStatus, WheelSource, home, pull, states, verify, where


def put(cache: Path, content: bytes) -> Path:
    cache.mkdir(parents=True, exist_ok=True)
    path = cache / "tiny.bin"
    path.write_bytes(content)
    return path


def test_home_is_the_variable_else_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("POCHOIR_HOME", "~/weights")
    assert home() == tmp_path / "weights"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POCHOIR_HOME", "here")
    assert home() == tmp_path / "here"
    monkeypatch.setenv("POCHOIR_HOME", "")
    users = home()
    assert users.name == "pochoir"
    assert users.is_absolute()
    monkeypatch.delenv("POCHOIR_HOME")
    assert home() == users


def test_missing_says_name_size_hash_sources_and_command(cache: Path, table) -> None:
    row = table(WheelSource("tinyweights==1.0", "a/tiny.bin"), UrlSource("https://example.org/tiny.bin"))
    with pytest.raises(WeightsMissingError, match="pochoir models pull tiny") as caught:
        where("tiny")
    text = str(caught.value)
    for part in (str(cache / "tiny.bin"), "1.0 MB", row.sha256, "tinyweights==1.0", "https://example.org/tiny.bin"):
        assert part in text
    assert "\n" not in text


def test_where_sees_the_size_and_verify_the_content(cache: Path, table) -> None:
    content = b"right" * 100
    table(content=content)
    assert verify("tiny").status is WeightStatus.MISSING

    path = put(cache, content)
    assert where("tiny") == path
    assert verify("tiny").status is WeightStatus.OK

    put(cache, content[:-1])
    with pytest.raises(WeightsMissingError, match=r"are damaged .it has 499 bytes instead of 500"):
        where("tiny")
    assert verify("tiny").status is WeightStatus.DAMAGED

    put(cache, b"wrong" * 100)
    assert where("tiny") == path  # as documented: where does not read 176 MB at each start
    assert verify("tiny").status is WeightStatus.DAMAGED
    assert "sha256 is" in verify("tiny").reason


def test_a_folder_at_the_files_place_is_damage(cache: Path, table) -> None:
    table()
    (cache / "tiny.bin").mkdir(parents=True)
    assert verify("tiny").status is WeightStatus.DAMAGED
    with pytest.raises(WeightsMissingError, match="not a file"):
        where("tiny")


def test_an_unreadable_file_is_damage(cache: Path, table, monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"right" * 100
    table(content=content)
    put(cache, content)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert verify("tiny").status is WeightStatus.DAMAGED
    assert "Permission denied" in verify("tiny").reason


def test_states_lists_every_row_without_reading(cache: Path) -> None:
    found = states()
    assert [state.file.name for state in found] == list(TABLE)
    assert {state.status for state in found} == {WeightStatus.MISSING}
    assert not cache.exists()


def test_a_file_put_there_by_hand_is_taken(cache: Path, table) -> None:
    content = b"right" * 100
    table(content=content)
    path = put(cache, content)
    path.chmod(stat.S_IREAD)
    calls = []
    assert pull("tiny", offline=True, progress=lambda *seen: calls.append(seen)) == path
    assert calls == []
    assert sorted(cache.iterdir()) == [path]  # not even a lock: the cache may be a read-only one that many share


@pytest.mark.parametrize("call", [where, verify, pull])
def test_unknown_names_are_refused_with_the_nearest(call) -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown weights 'u2nett'. Did you mean 'u2net'"):
        call("u2nett")


@pytest.mark.parametrize(("variable", "offline"), [("1", None), ("true", None), (None, True), ("0", True)])
def test_offline_names_the_file_and_touches_nothing(
    cache: Path, table, site, monkeypatch: pytest.MonkeyPatch, variable: str | None, offline: bool | None
) -> None:
    table(UrlSource(site.url("tiny.bin", "good")))
    if variable is not None:
        monkeypatch.setenv("POCHOIR_OFFLINE", variable)
    with pytest.raises(WeightsMissingError, match=r"Offline, so nothing is fetched. Weights 'tiny' are missing"):
        pull("tiny", offline=offline)
    assert site.requests == []
    assert not cache.exists()


@pytest.mark.parametrize(("variable", "offline"), [("0", None), ("", None), ("1", False)])
def test_online_when_said(cache: Path, table, site, monkeypatch, variable: str, offline: bool | None) -> None:
    table(UrlSource(site.url("tiny.bin", "good")))
    monkeypatch.setenv("POCHOIR_OFFLINE", variable)
    assert pull("tiny", offline=offline).is_file()


def test_a_home_that_cannot_be_written(table, site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table(UrlSource(site.url("tiny.bin", "good")))
    (tmp_path / "file").touch()
    monkeypatch.setenv("POCHOIR_HOME", str(tmp_path / "file" / "cache"))
    with pytest.raises(WriteError, match=r"Cannot write tiny.bin .* POCHOIR_HOME"):
        pull("tiny")
    assert site.requests == []


def test_a_full_disk_is_said_and_leaves_nothing(cache: Path, table, site, monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")  # not on Windows
    table(UrlSource(site.url("tiny.bin", "good")))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # A file may not grow beyond 300 kB: writing fails half-way as it does on a full disk, with another number.
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, limits[1]))
    try:
        with pytest.raises(WriteError, match=r"Cannot write tiny.bin \(1.0 MB\) into .*File too large"):
            pull("tiny")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in cache.iterdir()] == [".tiny.bin.lock"]
    assert site.requests == ["/tiny.bin"]
