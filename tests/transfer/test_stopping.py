"""Pacing in limited time, by a clock that the tests move."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch

from pochoir._types import Size
from pochoir.transfer import Region, iter_paint, paint
from pochoir.transfer.criterion import Losses
from pochoir.transfer.optimize import Iterate
from pochoir.transfer.schedule import Scale
from pochoir.transfer.stopping import (
    CONVERGED,
    LEAST_SHARE,
    OVERHEAD_PX,
    SPARE_STEPS,
    STALL_STEPS,
    TIME_UP,
    StoppingRule,
)

SCALES = (Scale(Size(85, 128), 12), Scale(Size(170, 256), 12), Scale(Size(341, 512), 12))
S_PER_PX = 4.85e-6
FINEST_STEP_S = S_PER_PX * (SCALES[-1].size.pixels + OVERHEAD_PX)
BEGINNINGS = (4.0, 1.5, 1.6)
"""Duration of each scale's beginning, as steps of it, as measured with VGG19."""


class Clock:
    """Stands still until work is done."""

    def __init__(self, slowness: Callable[[float], float]) -> None:
        self.now_s, self.slowness = 0.0, slowness

    def __call__(self) -> float:
        return self.now_s

    def work(self, seconds: float) -> None:
        self.now_s += seconds * self.slowness(self.now_s)


@dataclass
class Run:
    counts: list[int]
    took_s: float
    estimate_s: float
    reason: str


def run(
    budget_s: float,
    *,
    slowness: Callable[[float], float] = lambda now_s: 1.0,
    overhead_px: float = OVERHEAD_PX,
    loss: Callable[[int], float] = lambda step: 1.0 / step,
) -> Run:
    clock = Clock(slowness)
    rule = StoppingRule(SCALES, budget_s=budget_s, clock=clock)
    counts: list[int] = []
    estimates: list[float] = []
    for index, (scale, beginning) in enumerate(zip(SCALES, BEGINNINGS, strict=True)):
        step_s = S_PER_PX * (scale.size.pixels + overhead_px)
        rule.begin_scale(index)
        clock.work(beginning * step_s)
        rule.begin_steps()
        continues, steps = True, 0
        while continues:
            clock.work(step_s)
            steps += 1
            continues = rule.count_step(loss(steps))
            estimates.append(clock.now_s + rule.left_s)
        counts.append(steps)
        if not rule.has_finer:
            break
    assert rule.done == sum(counts)
    return Run(counts, clock.now_s, estimates[0], rule.reason)


FULL_S = run(float("inf")).took_s


def test_without_a_limit_all_steps_are_done():
    assert run(float("inf")).counts == [12, 12, 12]
    assert run(float("inf")).reason == ""


@pytest.mark.parametrize("budget_s", [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 18, 20, 30])
def test_the_time_is_kept_and_used(budget_s):
    done = run(budget_s)
    assert done.took_s <= budget_s
    if done.counts != [12, 12, 12]:
        to_save_s = SPARE_STEPS * FINEST_STEP_S
        assert done.took_s + to_save_s >= min(0.9 * budget_s, budget_s - FINEST_STEP_S)
        assert done.reason == TIME_UP
    assert (done.counts == [12, 12, 12]) == (budget_s >= 1.03 * FULL_S)


@pytest.mark.parametrize("budget_s", [3, 5, 6, 6.5, 7, 7.5, 8, 10, 15])
def test_no_scale_is_begun_without_its_least_share(budget_s):
    counts = run(budget_s).counts
    assert all(count >= LEAST_SHARE * scale.steps for count, scale in zip(counts, SCALES, strict=False))


@pytest.mark.parametrize("budget_s", [2, 4, 6, 8, 12, 18])
@pytest.mark.parametrize("slowness", [1.0, 3.0])
def test_time_for_saving_is_left_on_fast_and_slow_machines(budget_s, slowness):
    done = run(slowness * budget_s, slowness=lambda now_s: slowness)
    step_s = S_PER_PX * (SCALES[len(done.counts) - 1].size.pixels + OVERHEAD_PX)
    assert slowness * (budget_s - SPARE_STEPS * step_s) >= done.took_s - 1e-9


def test_where_the_finest_does_not_fit_the_one_before_takes_the_time():
    assert run(6.5).counts[:1] == [12]
    assert run(6.5).counts[1] > 12
    assert len(run(6.5).counts) == 2
    assert run(0.01).counts == [1]  # the first step is done in any case
    assert run(0.01).reason == TIME_UP


@pytest.mark.parametrize("budget_s", [6, 10, 15, 20, 30])
@pytest.mark.parametrize("factor", [2.0, 4.0])
def test_a_machine_that_slows_down_half_way_ends_in_time(factor, budget_s):
    done = run(budget_s, slowness=lambda now_s: factor if now_s > budget_s / 2 else 1.0)
    step_s = factor * S_PER_PX * (SCALES[len(done.counts) - 1].size.pixels + OVERHEAD_PX)
    assert budget_s - (1 + SPARE_STEPS) * step_s <= done.took_s <= budget_s or sum(done.counts) >= 36


@pytest.mark.parametrize("budget_s", [10, 20, 30, 40])
@pytest.mark.parametrize("factor", [2.0, 4.0])
def test_a_machine_that_gets_faster_does_the_steps_it_lacked_at_the_finest_scale(factor, budget_s):
    done = run(budget_s, slowness=lambda now_s: factor if now_s < budget_s / 3 else 1.0)
    assert done.took_s <= budget_s
    assert done.took_s >= 0.9 * budget_s or sum(done.counts) >= 36


@pytest.mark.parametrize("overhead_px", [0, 150_000])
@pytest.mark.parametrize("budget_s", [5, 20, 40])
def test_machines_with_other_costs_use_the_time_too(budget_s, overhead_px):
    done = run(budget_s, overhead_px=overhead_px)
    assert done.took_s <= budget_s
    assert done.took_s >= 0.85 * budget_s or sum(done.counts) >= 36


def test_a_first_step_that_warms_up_does_not_count_in_the_estimate():
    clock = Clock(lambda now_s: 1.0)
    rule = StoppingRule(SCALES, clock=clock)
    rule.begin_scale(0)
    rule.begin_steps()
    left = []
    for seconds in (1.6, 1.0, 1.0):
        clock.work(seconds)
        rule.count_step(1.0)
        left.append(rule.left_s)
    steady = StoppingRule(SCALES, clock=clock)
    steady.begin_scale(0)
    steady.begin_steps()
    clock.work(1.0)
    steady.count_step(1.0)
    assert left[0] == pytest.approx(1.6 * steady.left_s)
    assert left[2] == pytest.approx(steady.left_s - 2.0)


@pytest.mark.parametrize("budget_s", [3, 6, 10, 15, float("inf")])
def test_the_first_estimate_is_honest(budget_s):
    done = run(budget_s)
    assert done.estimate_s == pytest.approx(done.took_s, rel=0.25)


def test_a_scale_ends_when_more_steps_would_not_show():
    clock = Clock(lambda now_s: 1.0)
    rule = StoppingRule((Scale(Size(9, 9), 100),), clock=clock)
    rule.begin_scale(0)
    rule.begin_steps()
    losses = [1.0 / step for step in range(1, 21)] + [0.05 - 1e-6 * step for step in range(80)]
    steps = 0
    while rule.count_step(losses[steps]):
        steps += 1
        clock.work(1.0)
    assert steps + 1 == 20 + STALL_STEPS
    assert rule.reason == CONVERGED


def test_a_stalled_scale_leaves_its_time_to_the_finer_ones():
    clock = Clock(lambda now_s: 1.0)
    rule = StoppingRule((Scale(Size(85, 128), 40), Scale(Size(170, 256), 12)), budget_s=60.0, clock=clock)
    rule.begin_scale(0)
    rule.begin_steps()
    steps = 1
    clock.work(1.0)
    while rule.count_step(1.0):
        steps += 1
        clock.work(1.0)
    assert steps == STALL_STEPS + 1
    assert rule.has_finer


def test_scales_without_steps_are_left_out():
    rule = StoppingRule((SCALES[0], Scale(Size(40, 40), 0)))
    rule.begin_scale(0)
    rule.begin_steps()
    steps = 1
    while rule.count_step(1.0 / steps):
        steps += 1
    assert (steps, rule.has_finer, rule.reason) == (12, False, "")


class TestPainting:
    """The same rule inside of a painting, whose steps move the clock."""

    def paint(self, budget_s, make_photo, style, encoder, quick, monkeypatch, **options):
        clock = Clock(lambda now_s: 1.0)
        loss = options.get("loss", lambda step: 1.0 / (step + 1))

        def costly(objective, start, free):
            step = 0
            while True:
                yield Iterate(start, Losses(loss(step), 0.0, 0.0, 0.0, 0.0))
                clock.work(S_PER_PX * (start.shape[-1] * start.shape[-2] + OVERHEAD_PX))
                step += 1

        monkeypatch.setitem(paint.OPTIMIZERS, "lbfgs", costly)
        photo, settings = make_photo(64, 240), quick(schedule=options.get("schedule", (20, 20)))
        region = Region(torch.ones(1, 1, 64, 240), [(style, 1.0)])
        return list(iter_paint(photo, [region], encoder, settings, budget_s=budget_s, clock=clock)), clock.now_s

    def test_the_last_step_says_why(self, make_photo, style, encoder, quick, monkeypatch):
        steps, took_s = self.paint(3.0, make_photo, style, encoder, quick, monkeypatch)
        assert 2.7 <= took_s <= 3.0
        assert [step.reason for step in steps] == [""] * (len(steps) - 1) + [TIME_UP]
        assert steps[-1].left_s == 0.0
        assert steps[-1].done < steps[-1].total
        assert steps[0].elapsed_s + steps[0].left_s == pytest.approx(took_s, rel=0.25)

    def test_steps_beyond_the_plan_are_counted(self, make_photo, style, encoder, quick, monkeypatch):
        steps, took_s = self.paint(1.2, make_photo, style, encoder, quick, monkeypatch, schedule=(6, 20))
        assert 1.08 <= took_s <= 1.2
        assert (steps[-1].scale, steps[-1].reason) == (1, TIME_UP)
        assert steps[-1].steps == steps[-1].step > 6

    def test_without_a_limit_there_is_no_reason(self, make_photo, style, encoder, quick, monkeypatch):
        steps, _ = self.paint(float("inf"), make_photo, style, encoder, quick, monkeypatch)
        assert (steps[-1].done, steps[-1].reason) == (40, "")

    def test_a_flat_objective_ends_the_painting(self, make_photo, style, encoder, quick, monkeypatch):
        steps, _ = self.paint(float("inf"), make_photo, style, encoder, quick, monkeypatch, loss=lambda step: 1.0)
        assert steps[-1].reason == CONVERGED
        assert steps[-1].done == 2 * (STALL_STEPS + 1)
