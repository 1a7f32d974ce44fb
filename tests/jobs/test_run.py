"""The runner on every executor of this machine."""

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from pochoir.jobs import Event, Failed, Job, Store, create_executor, run
from pochoir.jobs.work import Worker

EXECUTORS = [("serial", None), ("threads", 2), ("processes", 2)]


def finals(events: Iterator[Event] | list[Event]) -> dict[str, Event]:
    return {event.job: event for event in events if event.is_final}


def with_form(job: Job, **form: object) -> Job:
    return job.model_copy(update={"form": job.form | form})


def begun(tmp_path: Path) -> Counter[str]:
    return Counter(line.split()[0] for line in (tmp_path / "log").read_text().splitlines())


@pytest.mark.parametrize(("executor", "workers"), EXECUTORS)
def test_jobs_are_done_once_and_in_order_of_events(
    jobs: list[Job], tmp_path: Path, executor: str, workers: int | None
) -> None:
    events = list(run(jobs, executor=executor, workers=workers, threads=1, previews_s=1.0))
    one = [event for event in events if event.job == jobs[0].id]
    assert [event.kind for event in one] == ["queued", "started", *["progress", "preview"] * 3, "saved"]
    assert one[1].threads == 1
    assert {event.kind for event in finals(events).values()} == {"saved"}
    for job in jobs:
        assert Path(job.output).read_bytes() == Path(job.photo).read_bytes()[::-1]
    again = finals(run(jobs, executor=executor, workers=workers))
    assert [again[job.id].kind for job in jobs] == ["skipped"] * len(jobs)
    assert set(begun(tmp_path).values()) == {1}


@pytest.mark.parametrize(("executor", "workers"), EXECUTORS)
def test_a_bad_job_does_not_stop_the_rest(jobs: list[Job], executor: str, workers: int | None) -> None:
    jobs[1] = with_form(jobs[1], fails=True)
    Path(jobs[2].photo).unlink()
    ends = finals(run(jobs, executor=executor, workers=workers))
    assert [ends[job.id].kind for job in jobs] == ["saved", "failed", "failed", "saved", "saved", "saved"]
    failed = ends[jobs[1].id]
    assert isinstance(failed, Failed)
    assert (failed.category, failed.error) == ("input", f"{jobs[1].photo} cannot be used.")
    assert "OptionError" in failed.traceback


@pytest.mark.parametrize(("executor", "workers"), EXECUTORS)
def test_closing_stops_and_gives_the_jobs_back(
    jobs: list[Job], tmp_path: Path, executor: str, workers: int | None
) -> None:
    slow = [with_form(job, steps=600, step_s=0.05) for job in jobs]
    with Store(tmp_path / "store") as store:
        events = run(slow, executor=executor, workers=workers, store=store)
        next(event for event in events if event.kind == "progress")
        began = time.monotonic()
        events.close()
        assert time.monotonic() - began < 10.0  # the steps of the first jobs alone would take 30
        assert len(store.pending()) == len(jobs)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("executor", "workers"), EXECUTORS)
def test_canceling_one_job_takes_a_few_steps(
    jobs: list[Job], tmp_path: Path, executor: str, workers: int | None
) -> None:
    slow = [with_form(jobs[0], steps=600, step_s=0.05), *jobs[1:3]]
    with Store(tmp_path / "store") as store, Store(tmp_path / "store") as page:
        steps = 0
        for event in run(slow, executor=executor, workers=workers, store=store):
            if event.kind == "progress" and event.job == slow[0].id:
                steps += 1
                if steps == 1:
                    page.cancel(slow[0].id)
                    page.cancel(slow[2].id) if executor == "serial" else None
        assert 1 <= steps <= 11  # ten steps after it was asked for: half a second, of the steps and not of the clock
        states = {state.job.id: state.state for state in page.states()}
    assert states[slow[0].id] == "canceled"
    assert states[slow[1].id] == "saved"
    assert states[slow[2].id] == ("canceled" if executor == "serial" else "saved")


def test_a_job_that_was_canceled_while_it_waited_is_not_begun(jobs: list[Job], tmp_path: Path) -> None:
    with Store(tmp_path / "store") as store:
        store.add(jobs[:2])
        store.cancel(jobs[0].id)
        store.cancel(jobs[1].id, keep=True)  # its picture is wanted
        ends = finals(run(jobs[:2], store=store))
        assert [ends[job.id].kind for job in jobs[:2]] == ["canceled", "saved"]
        assert finals(run(jobs[:1], store=store))[jobs[0].id].kind == "saved"  # it was asked for again


def test_a_long_step_of_the_serial_executor_hears_of_its_cancellation(jobs: list[Job], tmp_path: Path) -> None:
    long = with_form(jobs[0], step_until_canceled_s=20.0)
    with Store(tmp_path / "store") as store, Store(tmp_path / "store") as page:
        timer = threading.Timer(0.2, lambda: page.cancel(long.id))
        began = time.monotonic()
        for event in run([long, jobs[1]], store=store):
            if event.kind == "started" and event.job == long.id:
                timer.start()
        assert time.monotonic() - began < 10.0
        states = {state.job.id: state.state for state in page.states()}
    assert states == {long.id: "canceled", jobs[1].id: "saved"}


def test_a_worker_that_is_killed_takes_only_its_job_along_which_is_done_again(jobs: list[Job], tmp_path: Path) -> None:
    (tmp_path / "die").touch()
    jobs[0] = with_form(jobs[0], die=str(tmp_path / "die"))
    events = list(run(jobs, executor="processes", workers=2))
    assert {event.kind for event in finals(events).values()} == {"saved"}
    (requeued,) = [event for event in events if event.kind == "queued" and event.reason]
    assert requeued.job == jobs[0].id
    assert "SIGKILL" in requeued.reason
    assert begun(tmp_path)["0.bin"] == 2
    assert sum(begun(tmp_path).values()) == len(jobs) + 1


def test_a_job_that_kills_every_worker_fails_at_last(jobs: list[Job], tmp_path: Path) -> None:
    fatal = with_form(jobs[0], die=str(tmp_path / "die"))
    (tmp_path / "die").touch()
    ends = {}
    for event in run([fatal, jobs[1]], executor="processes", workers=1):
        if event.kind == "queued" and getattr(event, "reason", ""):
            (tmp_path / "die").touch()
        if event.is_final:
            ends[event.job] = event
    failed = ends[fatal.id]
    assert isinstance(failed, Failed)
    assert failed.category == "lost"
    assert "more memory than there is" in failed.error
    assert ends[jobs[1].id].kind == "saved"
    assert begun(tmp_path)["0.bin"] == 3


def test_an_executor_of_ones_own_stays_open(jobs: list[Job]) -> None:
    executor = create_executor("processes", Worker.maker(), workers=1, threads=1)
    try:
        first = finals(run(jobs[:1], executor=executor))
        events = run([with_form(jobs[1], steps=600, step_s=0.02)], executor=executor)
        next(event for event in events if event.kind == "progress")
        events.close()
        second = finals(run(jobs[2:3], executor=executor))
        assert first[jobs[0].id].facts == second[jobs[2].id].facts  # the same process
    finally:
        executor.close()


PROGRAM = """
import sys
import support.kinds
from pochoir.jobs import Job, run

if __name__ == "__main__":
    jobs = [Job.from_json(line) for line in open(sys.argv[2])]
    for event in run(jobs, executor=sys.argv[3], workers=int(sys.argv[4]), threads=1, store=sys.argv[1]):
        print(event.kind, flush=True)
"""


def start(tmp_path: Path, jobs: list[Job], executor: str = "serial", workers: int = 1) -> "subprocess.Popen[str]":
    """Run the jobs in a process of its own, with a store that others share."""
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "jobs.jsonl").write_text("".join(job.to_json() + "\n" for job in jobs))
    command = [sys.executable, tmp_path / "program.py", tmp_path / "store", tmp_path / "jobs.jsonl", executor]
    environment = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
    return subprocess.Popen([*command, str(workers)], stdout=subprocess.PIPE, text=True, env=environment)


def test_two_processes_on_one_store_do_each_job_once(jobs: list[Job], tmp_path: Path) -> None:
    slow = [with_form(job, step_s=0.05) for job in jobs]
    processes = [start(tmp_path, slow) for _ in range(2)]
    printed = [Counter(process.communicate(timeout=60)[0].split()) for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert set(begun(tmp_path).values()) == {1}
    assert len(begun(tmp_path)) == len(jobs)
    assert all(counts["saved"] + counts["skipped"] == len(jobs) for counts in printed)
    assert sum(counts["saved"] for counts in printed) == len(jobs)


@pytest.mark.parametrize(("executor", "workers"), [("serial", 1), ("processes", 2)])
def test_a_run_that_is_killed_goes_on_with_what_is_left(
    jobs: list[Job], tmp_path: Path, executor: str, workers: int
) -> None:
    slow = [with_form(job, step_s=0.05) for job in jobs]
    process = start(tmp_path, slow, executor, workers)
    assert process.stdout is not None
    while process.stdout.readline() != "saved\n":
        assert process.poll() is None
    process.kill()
    process.communicate()
    with Store(tmp_path / "store") as store:
        left = store.pending()
        done = {state.job.id for state in store.states() if state.state == "saved"}
        assert done
        assert {job.id for job in left} == {job.id for job in jobs} - done
        ends = finals(run(left, store=store))
    assert {event.kind for event in ends.values()} <= {"saved", "skipped"}
    counts = begun(tmp_path)
    assert sum(counts.values()) <= len(jobs) + workers
    assert all(counts[f"{number}.bin"] == 1 for number, job in enumerate(jobs) if job.id in done)
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.suffix == ".bin") == [
        Path(job.output).name for job in jobs
    ]


def test_a_job_of_a_process_that_dies_meanwhile_is_taken_over(jobs: list[Job], tmp_path: Path) -> None:
    forever = [with_form(jobs[0], steps=10_000, step_s=0.05)]
    process = start(tmp_path, forever)
    assert process.stdout is not None
    while process.stdout.readline() != "progress\n":
        assert process.poll() is None
    seen = []
    for event in run(jobs[:2], store=tmp_path / "store"):
        seen.append((event.kind, event.job))
        if seen[-1] == ("saved", jobs[1].id):
            assert ("started", jobs[0].id) not in seen
            process.kill()
            process.communicate()
    assert seen[-1] == ("saved", jobs[0].id)
