"""The queue and the follower, without a painter: what they keep, and what survives errors of the disk."""

import asyncio
import errno

import pytest
from PIL import Image

from pochoir.errors import InputError, WriteError
from pochoir.jobs import Failed, Queued, Saved, Skipped, Started
from pochoir.recipe import Recipe
from pochoir.studio import follow, queue
from pochoir.studio.assistant import Assistant
from pochoir.studio.folder import Folder, NotFoundError
from pochoir.studio.follow import WARNING, Follower
from pochoir.studio.history import History
from pochoir.studio.plans import Plan
from pochoir.studio.problems import FULL
from pochoir.studio.queue import Queue
from support.loops import run_coroutine


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "pictures")


@pytest.fixture
def queued(folder):
    opened = Queue(folder, lambda info: None)
    yield opened
    opened.close()


def plan(stem: str = "lemon", kind: str = "stylize") -> Plan:
    return Plan("a" * 16, "/photos/lemon.png", Recipe(), stem, kind=kind, form={"on": 2} if kind == "video" else {})


def finish(queued, folder, info, *, interrupted: bool = False) -> None:
    """Do as the painter does: write the output, then record that it is saved."""
    job = next(state.job for state in queued.store.states() if state.job.id[:16] == info.id)
    Image.new("RGB", (6, 4)).save(job.output)
    queued.store.record(
        Saved(job=job.id, outputs=(job.output,), facts={"timings": {"paint": 2.0}}, interrupted=interrupted)
    )


class FakeHistory(History):
    """History whose files need not be pictures of pochoir."""

    def __init__(self, folder: Folder) -> None:
        super().__init__(folder, Assistant())
        self.full = False

    def remember(self, path, **facts):
        if self.full:
            raise WriteError("Cannot write x.json: No space left on device.")
        super().remember(path, width=6, height=4, transparent=False, **facts)


async def follow_until(follower, check, seconds: float = 20.0) -> None:
    task = asyncio.ensure_future(follower.run())
    try:
        for _ in range(int(seconds / 0.05)):
            if check():
                return
            await asyncio.sleep(0.05)
        raise AssertionError("it did not come in time")
    finally:
        task.cancel()


def test_plans_are_queued_together_or_not_at_all(queued, folder, monkeypatch):
    written = []

    def write(path, values):
        if len(written) == 1:
            raise WriteError("Cannot write: No space left on device.")
        written.append(path)

    monkeypatch.setattr(queue, "write_json", write)
    with pytest.raises(WriteError):
        queued.add([plan("a"), plan("b")])
    assert queued.infos() == []
    assert queued.store.states() == []
    assert list(folder.jobs.iterdir()) == []


def test_a_saved_picture_waits_for_room_and_then_comes_into_the_history(queued, folder):
    (info,) = queued.add([plan()])
    finish(queued, folder, info)
    history, items, warnings = FakeHistory(folder), [], []
    history.full = True
    follower = Follower(folder, queued, history, items.append, print, warnings.append)

    async def run() -> None:
        await follow_until(follower, lambda: warnings == [FULL])
        history.full = False
        await follow_until(follower, lambda: items and warnings[-1] == "")

    run_coroutine(run())
    assert [(item.job, item.photo, item.seconds) for item in items] == [(info.id, "a" * 16, 2.0)]
    assert list(folder.jobs.iterdir()) == []


def test_a_picture_that_was_saved_while_no_server_ran_comes_into_the_history(queued, folder):
    (info,) = queued.add([plan()])
    finish(queued, folder, info)
    later = Queue(folder, lambda info: None)
    items = []
    run_coroutine(follow_until(Follower(folder, later, FakeHistory(folder), items.append, print, print), lambda: items))
    assert items[0].job == info.id
    later.close()


def test_a_job_whose_painter_died_after_writing_the_picture_comes_into_the_history(queued, folder):
    (info,) = queued.add([plan()])
    finish(queued, folder, info)
    job = next(state.job for state in queued.store.states())
    queued.store.add([job])
    queued.store.record(Skipped(job=job.id, outputs=(job.output,)))
    items = []
    run_coroutine(
        follow_until(Follower(folder, queued, FakeHistory(folder), items.append, print, print), lambda: items)
    )
    assert (items[0].job, items[0].photo) == (info.id, "a" * 16)


def test_a_saved_job_stays_until_its_picture_is_in_the_history(queued, folder):
    (info,) = queued.add([plan()])
    finish(queued, folder, info)
    ((number, event),) = [each for each in queued.store.events() if each[1].kind == "saved"]
    assert queued.take(number, event).state == "saved"
    assert [each.state for each in queued.infos()] == ["saved"]
    with pytest.raises(NotFoundError):
        queued.remove(info.id)  # the picture is removed through the history
    later = Queue(folder, lambda info: None)
    later.restore()
    assert [each.state for each in later.infos()] == ["saved"]
    later.close()
    queued.forget(info.id)
    assert queued.infos() == []


def test_a_job_whose_picture_is_gone_is_removed_from_the_page(queued, folder):
    (info,) = queued.add([plan()])
    finish(queued, folder, info)
    for path in folder.root.glob("*.png"):
        path.unlink()
    items, removed = [], []
    follower = Follower(folder, queued, FakeHistory(folder), items.append, removed.append, print)
    run_coroutine(follow_until(follower, lambda: removed))
    assert (items, removed) == ([], [info.id])
    assert queued.infos() == []


def test_a_store_that_cannot_be_read_at_first_is_followed_later(queued, folder, monkeypatch):
    (info,) = queued.add([plan()])
    finish(queued, folder, info)
    later, items, warnings = Queue(folder, lambda info: None), [], []
    read = later.store.states

    def fail():
        monkeypatch.setattr(later.store, "states", read)
        raise WriteError("The job store cannot be used: disk I/O error.")

    monkeypatch.setattr(later.store, "states", fail)
    follower = Follower(folder, later, FakeHistory(folder), items.append, print, warnings.append)
    run_coroutine(follow_until(follower, lambda: items and warnings[-1] == ""))
    assert [item.job for item in items] == [info.id]
    later.close()


@pytest.mark.parametrize("is_seen", [False, True])
def test_a_picture_that_is_saved_while_the_jobs_are_restored_comes_once(queued, folder, monkeypatch, is_seen):
    (info,) = queued.add([plan()])
    later, items, removed = Queue(folder, lambda info: None), [], []
    read = later.store.states

    def save_meanwhile():
        before = read()
        finish(queued, folder, info)
        return read() if is_seen else before

    monkeypatch.setattr(later.store, "states", save_meanwhile)
    follower = Follower(folder, later, FakeHistory(folder), items.append, removed.append, print)
    run_coroutine(follow_until(follower, lambda: later.last and later.infos() == []))
    assert [item.job for item in items] == [info.id]
    assert removed == []
    later.close()


def test_a_full_disk_is_told_and_withdrawn(queued, folder, monkeypatch):
    free = [0]
    monkeypatch.setattr(follow.shutil, "disk_usage", lambda path: type("Usage", (), {"free": free[0]}))
    monkeypatch.setattr(follow, "DISK_S", 0.0)
    warnings = []
    follower = Follower(folder, queued, FakeHistory(folder), print, print, warnings.append)

    async def run() -> None:
        await follow_until(follower, lambda: warnings == [WARNING])
        free[0] = 1 << 40
        await follow_until(follower, lambda: warnings == [WARNING, ""])

    run_coroutine(run())


def test_a_failed_job_is_tried_again_and_no_other(queued):
    (info,) = queued.add([plan()])
    with pytest.raises(InputError, match="Only what failed"):
        queued.retry(info.id)
    job = queued.store.states()[0].job.id
    error = Failed.from_error(job, OSError(errno.ENOSPC, "No space left on device"))
    number = queued.store.record(error)
    assert queued.take(number, error).error == FULL
    assert queued.retry(info.id).state == "queued"
    assert queued.store.states()[0].state == "queued"
    with pytest.raises(NotFoundError):
        queued.retry("b" * 16)


def test_a_stopped_film_goes_on(queued, folder):
    (info,) = queued.add([plan(kind="video")])
    finish(queued, folder, info, interrupted=True)
    history, items = FakeHistory(folder), []
    run_coroutine(follow_until(Follower(folder, queued, history, items.append, print, print), lambda: items))
    assert items[0].partial
    assert items[0].notes == ["stopped: the film so far"]
    path = folder.root / items[0].name
    again = queued.resume(path, history.facts(path))
    assert (again.id, again.state, again.form) == (info.id, "queued", {"on": 2})
    assert queued.store.pending()[0].output == str(path)
    begun = Started(job=queued.store.pending()[0].id)
    queued.take(queued.store.record(begun), begun)
    assert queued.resume(path, history.facts(path)).state == "started"  # another window has asked for it


def test_a_job_that_waits_and_is_stopped_is_dropped_at_once(queued):
    (info,) = queued.add([plan()])
    assert queued.stop(info.id).state == "canceled"
    assert queued.infos() == []
    assert list(queued.store.canceled()) == [queued.store.states()[0].job.id]


def test_only_a_job_that_runs_is_stopping(queued):
    (info,) = queued.add([plan()])
    job = queued.store.states()[0].job
    for event in (Started(job=job.id), Queued(job=job.id, photo=job.photo, output=job.output), Started(job=job.id)):
        queued.take(queued.store.record(event), event)
        if event.kind == "queued":
            assert not queued.info(info.id).stopping  # its painter died before it stopped
        else:
            assert queued.stop(info.id).stopping
    error = Failed.from_error(job.id, OSError(errno.ENOSPC, "No space left on device"))
    queued.take(queued.store.record(error), error)
    assert not queued.stop(info.id).stopping
    assert not queued.retry(info.id).stopping


def test_a_picture_that_a_page_lists_before_it_is_remembered_keeps_its_job(folder):
    path = folder.root / "lemon.png"
    Image.new("RGB", (6, 4)).save(path)
    reading, goes_on = asyncio.Event(), asyncio.Event()

    class SlowHelper:
        async def run(self, function, path):
            reading.set()
            await goes_on.wait()
            return {"width": 6, "height": 4, "transparent": False, "record": "{}"}

    async def run() -> None:
        history = History(folder, SlowHelper())
        listed = asyncio.ensure_future(history.all())
        await reading.wait()
        history.remember(path, job="a" * 16, photo="b" * 16)
        goes_on.set()
        assert [item.job for item in await listed] == ["a" * 16]
        assert history.facts(path)["job"] == "a" * 16
        history.remember(path, job="c" * 16)
        assert (await history.item(path)).job == "c" * 16

    run_coroutine(run())
