"""The executor on a real cluster of two nodes on this machine."""

import logging
import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image

from pochoir.errors import MissingExtraError, OptionError, WriteError
from pochoir.jobs import Event, Failed, Job, Saved, Started, run
from pochoir.jobs.executors.ray import Delivery, RayExecutor, Signature, _write
from pochoir.jobs.work import Worker
from pochoir.recipe import Recipe
from support.blind import BlindExecutor

pytestmark = [pytest.mark.ray, pytest.mark.xdist_group("ray")]

NODE = {"num_cpus": 1, "object_store_memory": 80_000_000}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A cluster of one node with one processor; tests add a second one."""
    import ray
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", ":".join(path for path in sys.path if path))  # workers find the kinds for tests
        cluster = Cluster(initialize_head=True, head_node_args={"include_dashboard": False, **NODE})
        try:
            ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
            yield cluster
        finally:
            ray.shutdown()
            cluster.shutdown()


@pytest.fixture(scope="module")
def two_nodes(cluster: Any) -> Any:
    cluster.add_node(**NODE)
    cluster.wait_for_nodes()
    return cluster


def with_form(job: Job, **form: object) -> Job:
    return job.model_copy(update={"form": job.form | form})


def finals(events: list[Event]) -> dict[str, Event]:
    return {event.job: event for event in events if event.is_final}


def statuses(events: list[Event]) -> list[str]:
    """Tell how each job ended, and why if it failed."""
    return [f"{event.kind} {getattr(event, 'error', '')}".strip() for event in finals(events).values()]


def are_copied(jobs: list[Job]) -> bool:
    return all(Path(job.output).read_bytes() == Path(job.photo).read_bytes()[::-1] for job in jobs)


def ancestors(pid: int) -> set[int]:
    return {process.pid for process in psutil.Process(pid).parents()}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_jobs_run_on_both_nodes_with_the_threads_that_they_take(two_nodes: Any, jobs: list[Job]) -> None:
    slow = [with_form(job, step_s=0.1) for job in jobs]
    events = list(run(slow, executor="ray"))
    assert statuses(events) == ["saved"] * len(jobs)
    assert are_copied(jobs)
    assert names(Path(jobs[0].output).parent) == sorted(Path(job.output).name for job in jobs)
    started = [event for event in events if isinstance(event, Started)]
    assert {event.threads for event in started} == {1}
    assert len({event.worker for event in started}) == 2
    assert [event.kind for event in run(jobs, executor="ray") if event.is_final] == ["skipped"] * len(jobs)


def test_two_threads_are_two_in_torch_although_ray_sets_one(two_nodes: Any, jobs: list[Job], monkeypatch) -> None:
    """An actor with two processors fits on no node here, so it is made to take one."""
    monkeypatch.setattr(RayExecutor, "_cpus", property(lambda self: 1, lambda self, value: None), raising=False)
    events = list(run(jobs[:1], executor="ray", workers=1, threads=2))
    (started,) = [event for event in events if isinstance(event, Started)]
    assert started.threads == 2


def test_files_travel_where_nodes_do_not_see_them(two_nodes: Any, jobs: list[Job], tmp_path: Path) -> None:
    executor = BlindExecutor(Worker.maker(), workers=2)
    try:
        ends = finals(list(run(jobs[:3], executor=executor)))
        assert are_copied(jobs[:3])
        assert {event.kind for event in ends.values()} == {"saved"}
        for job in jobs[:3]:
            saved = ends[job.id]
            assert isinstance(saved, Saved)
            assert saved.outputs == (job.output,)
        assert {event.kind for event in run(jobs[:3], executor=executor) if event.is_final} == {"skipped"}
        bad = Job(kind="count", photo=jobs[0].photo, output=tmp_path / "x", form={"fails": True})
        (failed,) = finals(list(run([bad], executor=executor))).values()
        assert isinstance(failed, Failed)
        assert failed.category == "input"
    finally:
        executor.close()
    assert set(Counter((tmp_path / "log").read_text().split()[::2]).values()) == {1}


def test_a_worker_and_a_node_that_die_half_way(two_nodes: Any, jobs: list[Job], tmp_path: Path) -> None:
    """Their jobs are done again elsewhere; nothing is done twice that was saved."""
    slow = [with_form(job, steps=10, step_s=0.1) for job in jobs]
    node = next(node for node in two_nodes.list_all_nodes() if node is not two_nodes.head_node)
    raylet = node.all_processes["raylet"][0].process.pid
    workers: dict[str, int] = {}
    killed: list[str] = []
    ends: dict[str, Event] = {}
    requeued: list[str] = []
    for event in run(slow, executor="ray", workers=2):
        if isinstance(event, Started):
            workers[event.job] = int(event.worker)
        if event.kind == "progress" and event.done == 2 and not killed:
            killed.append(event.job)
            os.kill(workers[event.job], signal.SIGKILL)
        is_third = event.kind == "progress" and event.done == 3
        if is_third and len(killed) == 1 and raylet in ancestors(workers[event.job]):
            killed.append(event.job)
            two_nodes.remove_node(node, allow_graceful=False)
            # A machine that dies takes its workers along. Here one would outlive its raylet, and could end its job.
            os.kill(workers[event.job], signal.SIGKILL)
        if event.kind == "queued" and event.reason:
            requeued.append(event.job)
        if event.is_final:
            assert event.job not in ends
            ends[event.job] = event
    assert {event.kind for event in ends.values()} == {"saved"}
    assert requeued == killed
    assert len(killed) == 2
    assert are_copied(jobs)
    begun = Counter((tmp_path / "log").read_text().split()[::2])
    assert sorted(begun.values()) == [1] * (len(jobs) - 2) + [2, 2]


def test_canceling_and_closing(cluster: Any, jobs: list[Job], tmp_path: Path) -> None:
    events = run([with_form(jobs[0], steps=1000, step_s=0.05)], executor="ray", workers=1)
    assert next(event for event in events if event.kind == "progress")
    events.close()
    assert not Path(jobs[0].output).exists()
    assert not list(tmp_path.rglob("*.probe"))


def test_without_ray_the_extra_is_named(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'pochoir\[cluster\]'"):
        list(run(jobs, executor="ray"))


def test_a_cluster_that_is_not_there_is_one_line(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    def refuse(**_: object) -> None:
        raise ConnectionError("Could not find any running Ray instance.\nPlease specify the one to connect to.")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", refuse)
    monkeypatch.setattr("socket.create_connection", lambda *_, **__: socket.socket())
    with pytest.raises(OptionError, match=r"There is no Ray cluster at '10.0.0.1:6379' \(Could not find") as caught:
        list(run(jobs, executor="ray", address="10.0.0.1:6379"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_a_cluster_where_nobody_listens_is_known_before_ray_tries(
    jobs: list[Job], monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda **_: pytest.fail("Ray was asked"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens, and nobody else can
        address = f"{scheme}127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(OptionError, match=f"There is no Ray cluster at '{address}' .*refused"):
            list(run(jobs, executor="ray", address=address))


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127..1:6379", r"'127\.\.1:6379' is not an address of a cluster; one is written like 10\.0\.0\.1:6379\."),
        ("127.0.0.1:65536", r"A port of a cluster is at most 65535; got 65536 in '127\.0\.0\.1:65536'\."),
        ("ray://127.0.0.1:99999999999", "A port of a cluster is at most 65535; got 99999999999 in 'ray://"),
    ],
)
def test_an_address_that_cannot_be_one_is_wrong_input(
    jobs: list[Job], monkeypatch: pytest.MonkeyPatch, address: str, message: str
) -> None:
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda **_: pytest.fail("Ray was asked"))
    with pytest.raises(OptionError, match=message):
        list(run(jobs, executor="ray", address=address))


def test_a_delivery_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="Cannot write"):
        _write(Delivery({str(tmp_path / "file" / "a.png"): b"x"}))


def test_signatures(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"123")
    signature = Signature.of(str(tmp_path / "a"))
    assert signature is not None
    assert signature.size == 3
    assert Signature.of(str(tmp_path / "b")) is None
    assert Signature.of("a\0b") is None


@pytest.mark.weights
def test_paintings_have_the_bytes_of_a_local_run_although_a_node_dies(
    cluster: Any, photo_file: Path, style_file: Path, tmp_path: Path
) -> None:
    node = cluster.add_node(**NODE)
    cluster.wait_for_nodes()
    recipe = Recipe(style=str(style_file), size=32, steps=2, threads=1, style_layers=["relu1_1"], content_layers=[])
    photos = [tmp_path / "photos" / f"{number}.png" for number in range(9)]
    photos[0].parent.mkdir()
    for number, path in enumerate(photos):
        with Image.open(photo_file) as image:
            image.rotate(40 * number).save(path)

    def plan(folder: str) -> list[Job]:
        return [Job(photo=str(path), output=str(tmp_path / folder / path.name), recipe=recipe) for path in photos]

    ends: list[str] = []
    for event in run(plan("cluster"), executor="ray", workers=2):
        ends += [event.kind] if event.is_final else []
        if len(ends) == len(photos) // 3 and node is not None:
            cluster.remove_node(node, allow_graceful=False)
            node = None
    assert ends == ["saved"] * len(photos)
    assert {event.kind for event in run(plan("local"), threads=1) if event.is_final} == {"saved"}
    for path in photos:
        assert (tmp_path / "cluster" / path.name).read_bytes() == (tmp_path / "local" / path.name).read_bytes()
    assert names(tmp_path / "cluster") == names(tmp_path / "local")
