import pytest

from pochoir._types import Size
from pochoir.transfer.schedule import Scale
from pochoir.transfer.stopping import STALL_STEPS, Pace

SCALES = (Scale(Size(10, 10), 6), Scale(Size(20, 20), 3), Scale(Size(40, 40), 2))


class Clock:
    """Stands still until it is told to run."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def run_scale(pace: Pace, clock: Clock, step_s: float, losses=None) -> int:
    """Steps that a scale is given, its set-up taking as long as two of them."""
    clock.now_s += 2 * step_s
    pace.sets_out()
    steps = 0
    while True:
        clock.now_s += step_s
        steps += 1
        if not pace.goes_on(1.0 / steps if losses is None else losses[steps - 1]):
            return steps


def run(budget_s: float, s_per_px: float) -> tuple[list[int], float]:
    clock = Clock()
    pace = Pace(SCALES, budget_s=budget_s, clock=clock)
    counts = []
    for index, scale in enumerate(SCALES):
        if not pace.begins(index):
            break
        counts.append(run_scale(pace, clock, s_per_px * scale.size.pixels))
    assert pace.done == sum(counts)
    return counts, clock.now_s - 100.0


def test_without_a_limit_all_steps_are_done():
    assert run(float("inf"), 1.0)[0] == [6, 3, 2]


@pytest.mark.parametrize("budget_s", [20, 40, 60, 80, 100, 150, 1000])
def test_it_ends_in_time(budget_s):
    counts, took_s = run(budget_s, 0.01)
    assert took_s <= budget_s
    assert all(1 <= count <= scale.steps for count, scale in zip(counts, SCALES, strict=False))
    assert (counts == [6, 3, 2]) == (budget_s >= 100)  # all of it takes 92 s


def test_a_scale_that_does_not_fit_is_left_out():
    assert len(run(1000.0, 0.01)[0]) == 3
    assert len(run(30.0, 0.01)[0]) == 2
    assert run(0.001, 0.01)[0] == [1]  # the first step is done in any case


def test_a_scale_without_steps_is_left_out():
    pace = Pace((*SCALES[:2], Scale(Size(40, 40), 0)))
    assert pace.begins(1)
    assert not pace.begins(2)


def test_a_scale_ends_when_more_steps_would_not_show():
    clock = Clock()
    pace = Pace((Scale(Size(9, 9), 100),), clock=clock)
    pace.begins(0)
    losses = [1.0 / step for step in range(1, 21)] + [0.05 - 1e-6 * step for step in range(80)]
    assert run_scale(pace, clock, 1.0, losses) == 20 + STALL_STEPS


def test_what_is_left_is_told_from_the_steps_done():
    clock = Clock()
    pace = Pace(SCALES, clock=clock)
    pace.begins(0)
    pace.sets_out()
    clock.now_s += 5.0
    assert pace.goes_on(1.0)
    # 5 more steps of 5 s; then 3 + 4 of four times, and 2 + 4 of sixteen times as much.
    assert pace.left_s == pytest.approx(25.0 + 7 * 20.0 + 6 * 80.0)
    pace.end_s = clock.now_s + 60.0
    assert pace.left_s == pytest.approx(60.0)
