import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from filelock import FileLock

from pochoir import imaging
from pochoir.errors import DivergedError, OptionError, OutputPathError, WeightsMissingError
from pochoir.lab.sweep.grid import Axis
from pochoir.lab.sweep.ledger import Ledger
from pochoir.lab.sweep.plan import Plan, Run, plan_sweep
from pochoir.lab.sweep.runs import finished_runs, iter_sweep
from pochoir.recipe import Recipe

pytestmark = pytest.mark.weights  # plans look whether they are there


class Painter:
    """Copies the photo, and can be told to fail."""

    def __init__(self, failure: Exception | KeyboardInterrupt | None = None, *, at: int = 0) -> None:
        self.painted: list[str] = []
        self._failure = failure
        self._at = at

    def __call__(self, run: Run, picture: Path) -> Mapping[str, float]:
        if self._failure is not None and run.recipe.seed == self._at:
            raise self._failure
        imaging.save(picture, imaging.load(run.photo.source).rgb)
        self.painted.append(run.key)
        return {"content": run.recipe.seed / 10, "seconds": 0.1}


@pytest.fixture
def plan(photo_file: Path) -> Plan:
    return plan_sweep([str(photo_file)], ["mosaic"], Recipe(), [Axis("seed", (0, 1, 2, 3))])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "sweep"
    made.mkdir()
    return made


def statuses(plan: Plan, folder: Path, painter: Painter) -> list[str]:
    return [outcome.status for outcome in iter_sweep(plan, folder, paint=painter)]


def test_every_run_is_painted_once(plan: Plan, folder: Path) -> None:
    painter = Painter()
    assert statuses(plan, folder, painter) == ["saved"] * 4
    assert statuses(plan, folder, painter) == ["finished"] * 4
    assert painter.painted == [run.key for run in plan.runs]
    entry = json.loads((folder / "runs.jsonl").read_text().splitlines()[2])
    assert entry["measures"] == {"content": 0.2, "seconds": 0.1}
    assert Recipe.from_dict(entry["recipe"]) == plan.runs[2].recipe
    assert (entry["photo"], entry["style"], entry["settings"]) == ("photo", "mosaic", {"seed": 2})


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), WeightsMissingError("no weights")])
def test_what_was_done_before_the_end_stays_done(
    plan: Plan, folder: Path, failure: Exception | KeyboardInterrupt
) -> None:
    with pytest.raises(type(failure)):
        statuses(plan, folder, Painter(failure, at=2))
    painter = Painter()
    assert statuses(plan, folder, painter) == ["finished", "finished", "saved", "saved"]
    assert painter.painted == [plan.runs[2].key, plan.runs[3].key]


def test_a_torn_last_line_is_run_again(plan: Plan, folder: Path) -> None:
    statuses(plan, folder, Painter())
    ledger = folder / "runs.jsonl"
    ledger.write_bytes(ledger.read_bytes()[:-30])
    assert statuses(plan, folder, Painter()) == ["finished", "finished", "finished", "saved"]
    assert set(Ledger(ledger).read()) == {run.key for run in plan.runs}


def test_a_picture_that_is_gone_is_painted_again(plan: Plan, folder: Path) -> None:
    statuses(plan, folder, Painter())
    (folder / "pictures" / plan.runs[1].picture_name).unlink()
    assert statuses(plan, folder, Painter()).count("saved") == 1


def test_a_run_that_fails_does_not_stop_the_rest_and_is_tried_again(plan: Plan, folder: Path) -> None:
    outcomes = list(iter_sweep(plan, folder, paint=Painter(DivergedError("The loss is not finite."), at=1)))
    assert [outcome.status for outcome in outcomes] == ["saved", "failed", "saved", "saved"]
    assert outcomes[1].error == "The loss is not finite."
    assert len(finished_runs(plan, folder)) == 3
    assert statuses(plan, folder, Painter()) == ["finished"] * 3 + ["saved"]


def test_a_larger_grid_keeps_the_runs_of_the_smaller_one(plan: Plan, folder: Path, photo_file: Path) -> None:
    statuses(plan, folder, Painter())
    larger = plan_sweep(
        [str(photo_file)], ["mosaic"], Recipe(), [Axis("seed", (3, 4)), Axis("style_weight", (1.0, 2.0))]
    )
    assert statuses(larger, folder, Painter()) == ["finished", "saved", "saved", "saved"]


def test_two_sweeps_do_not_share_a_folder(plan: Plan, folder: Path) -> None:
    with FileLock(folder / ".lock"), pytest.raises(OutputPathError, match="Another sweep is at work in"):
        statuses(plan, folder, Painter())
    assert statuses(plan, folder, Painter()) == ["saved"] * 4


@pytest.mark.parametrize("jobs", [0, -1, 65])
def test_jobs_have_bounds(plan: Plan, folder: Path, jobs: int) -> None:
    with pytest.raises(OptionError, match="1 to 64 jobs"):
        next(iter_sweep(plan, folder, jobs=jobs))
