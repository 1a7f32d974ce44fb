"""The time that a painting will take, said once while it is painted."""

from types import SimpleNamespace

import pytest

from pochoir.cli import running
from pochoir.jobs import Progress


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
