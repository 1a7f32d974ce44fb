"""Notes of a run, each said once, such as the time that a painting will take."""

from types import SimpleNamespace

import pytest

from pochoir.cli import batches, running
from pochoir.jobs import Progress, Saved


def notes_of(events):
    said = []
    for event in events:
        running._announce(event, SimpleNamespace(notes=said.extend))
    return said


def steps(scales, left_s=100.0):
    for done in range(12 * scales):
        facts = {"scale": done // 12 + 1, "scales": scales, "step_of_scale": done % 12 + 1, "expected_bytes": 1 << 30}
        yield Progress(job="a", done=done + 1, total=36, left_s=left_s - done, facts=facts)


@pytest.mark.parametrize(("scales", "left"), [(1, "98 s"), (2, "86 s"), (4, "86 s")])
def test_the_time_left_is_announced_once_at_the_second_scale(scales, left):
    (note,) = notes_of(steps(scales))
    assert note == f"about {left} to go, in 1.0 GB"


def test_short_paintings_are_not_announced():
    assert notes_of(steps(3, left_s=30.0)) == []


def test_a_note_of_the_plan_and_the_end_counts_once_in_a_batch():
    said = []
    jobs = [SimpleNamespace(id="a", photo="a.mp4"), SimpleNamespace(id="b", photo="b.mp4")]
    batch = batches._Batch(jobs, SimpleNamespace(notes=said.extend, as_json=False, quiet=True), verbose=False)
    for job in jobs:
        batch._take(Progress(job=job.id, done=0, total=9, notes=("a little time",)))
        batch._take(Saved(job=job.id, outputs=(), notes=("a little time", f"{job.photo}: cut off")))
    batch.report_notes()
    assert said == ["a.mp4 and 1 more: a little time", "a.mp4 and 1 more: cut off"]
