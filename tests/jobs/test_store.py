"""The store: claims, two writers, kills at any moment."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from pochoir.errors import WriteError
from pochoir.jobs import Job, Preview, Progress, Saved, Started, Store

WRITER = """
import sys
from pochoir.jobs import Job, Progress, Saved, Started, Store

path, who = sys.argv[1], sys.argv[2]
print("ready", flush=True)
with Store(path) as store:
    jobs = [Job(kind="count", photo="p", output=f"/out/{who}-{number}") for number in range(200)]
    for job in jobs:
        store.add([job])
        assert store.claim(job.id)
        store.record(Started(job=job.id))
        store.record(Progress(job=job.id, done=1, total=2))
        store.record(Saved(job=job.id, outputs=(job.output,)))
"""


def write(path: Path, who: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path), who], stdout=subprocess.PIPE)


def a_job(name: str = "x") -> Job:
    return Job(kind="count", photo="photo", output=f"/out/{name}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "jobs.sqlite"


def test_states_and_events_in_order(path: Path) -> None:
    job = a_job()
    with Store(path) as store:
        (queued,) = store.add([job])
        assert store.claim(job.id)
        numbers = [store.record(Started(job=job.id))]
        for done in range(3):
            numbers.append(store.record(Progress(job=job.id, done=done, total=3)))
            store.record(Preview(job=job.id, jpeg=b"jpeg%d" % done))
        numbers.append(store.record(Saved(job=job.id, outputs=("o",))))
    assert numbers == sorted(set(numbers))
    with Store(path) as store:
        events = store.events()
        assert [event.kind for _, event in events] == ["queued", "started", "progress", "preview", "saved"]
        assert events[0][1] == queued
        assert events[2][1].done == 2  # of progress and previews the last one is kept
        assert store.preview(job.id) == b"jpeg2"
        assert store.events(since=events[3][0]) == events[4:]
        assert store.events(job="other") == []
        (state,) = store.states()
        assert (state.job, state.state, state.attempts) == (job, "saved", 1)
        assert store.pending() == []


def test_the_folder_store_is_hidden(tmp_path: Path) -> None:
    with Store.in_folder(tmp_path / "out") as store:
        assert store.path == tmp_path / "out" / ".pochoir" / "jobs.sqlite"
        assert store.path.is_file()


def test_a_living_owner_keeps_its_claim(path: Path) -> None:
    job = a_job()
    with Store(path) as one, Store(path) as other:
        one.add([job])
        assert one.claim(job.id)
        assert one.claim(job.id)
        assert not other.claim(job.id)
        other.add([job.model_copy(update={"photo": "another"})])  # nor is it queued again
        assert one.states()[0].job == job
        one.release([job.id])
        assert other.claim(job.id)
        assert not one.claim(job.id)
        assert not one.claim("unknown")


def test_a_claim_of_a_dead_process_is_void_at_once(path: Path) -> None:
    job = a_job()
    code = f"""
from pochoir.jobs import Job, Store
job = Job.from_json({job.to_json()!r})
store = Store({str(path)!r}); store.add([job]); assert store.claim(job.id)
print("claimed", flush=True); input()
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stdin=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    with Store(path) as store:
        assert not store.claim(job.id)
        assert store.pending() == []
        process.kill()
        process.communicate()
        assert store.pending() == [job]
        assert store.claim(job.id)


def test_a_process_with_the_number_of_a_dead_one_is_another(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = a_job()
    with Store(path) as one, Store(path) as other:
        one.add([job])
        assert one.claim(job.id)
        one._connection.execute("UPDATE jobs SET started = started - 100")  # this process is younger than the owner
        assert other.claim(job.id)


def test_a_claim_from_another_machine_lasts_as_long_as_its_lease(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job, now_s = a_job(), 1000.0
    with Store(path, lease_s=0.4) as there, Store(path) as here:
        monkeypatch.setattr("pochoir.jobs.store.time", SimpleNamespace(time=lambda: now_s))
        with monkeypatch.context() as patch:
            patch.setattr("pochoir.jobs.owners.host_name", lambda: "elsewhere")
            there.add([job])
            assert there.claim(job.id)
        assert not here.claim(job.id)
        now_s += 0.2
        there.renew()
        now_s += 0.3
        assert not here.claim(job.id)
        now_s += 0.3
        assert here.claim(job.id)


def test_canceling(path: Path) -> None:
    begun, done = a_job("begun"), a_job("done")
    with Store(path) as store, Store(path) as page:
        store.add([begun, done])
        store.record(Saved(job=done.id, outputs=()))
        for job in (begun, done):
            page.cancel(job.id)
        assert store.canceled() == {begun.id: False}
        store.add([begun])
        assert store.canceled() == {}


def test_two_writers_at_once(path: Path) -> None:
    processes = [write(path, who) for who in ("one", "two")]
    assert [process.wait(60) for process in processes] == [0, 0]
    for process in processes:
        process.communicate()
    with Store(path) as store:
        states = store.states()
        assert len(states) == 400
        assert {state.state for state in states} == {"saved"}
        assert len(store.events()) == 4 * 400


def test_kills_at_any_moment(path: Path) -> None:
    """Whatever a kill cuts off, the file opens, its jobs are whole, and what was told to be done stays done."""
    chance = random.Random(0)  # noqa: S311
    finished: set[str] = set()
    for round_number in range(8):
        process = write(path, "same")
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.uniform(0.0, 0.25))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        with Store(path) as store:
            states = {state.job.id: state.state for state in store.states()}
            events = [event for _, event in store.events()]
            saved = {event.job for event in events if event.kind == "saved"}
            assert finished <= saved
            assert {job for job, state in states.items() if state == "saved"} <= saved
            assert len(store.pending()) == sum(state in ("queued", "started") for state in states.values())
            finished = saved
            check = store._connection.execute("PRAGMA integrity_check").fetchone()
            assert check == ("ok",), round_number
    assert finished


@pytest.mark.parametrize("content", [b"no database, but some words" * 100, b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_damaged_file_is_one_line(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(WriteError, match=r"The job store '.*' (is damaged|cannot be used)"):
        Store(path)


def test_a_file_of_another_version_is_refused(path: Path) -> None:
    Store(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(WriteError, match="version 99"):
        Store(path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_rights_is_one_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(WriteError, match="Cannot write"):
            Store(tmp_path / "new" / "jobs.sqlite")
    finally:
        tmp_path.chmod(0o700)


def test_a_file_in_the_place_of_the_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="Cannot write"):
        Store(tmp_path / "file" / "jobs.sqlite")
