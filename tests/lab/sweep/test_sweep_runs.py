from pathlib import Path

import pytest

from pochoir.errors import DivergedError, OptionError, WeightsError, WeightsMissingError, WriteError
from pochoir.lab.common.execution import Execution
from pochoir.lab.sweep.grid import Axis
from pochoir.lab.sweep.plan import Plan, Run, plan_sweep
from pochoir.lab.sweep.results import collect
from pochoir.lab.sweep.runs import Outcome, iter_sweep
from pochoir.recipe import Recipe
from support.lab import Copier

pytestmark = pytest.mark.weights  # plans look whether they are there


class Meter:
    """Measures the seed, and counts."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, run: Run, picture: Path) -> dict[str, float]:
        self.count += 1
        return {"content": run.recipe.seed / 10}


@pytest.fixture
def plan(photo_file: Path) -> Plan:
    return plan_sweep([str(photo_file)], ["mosaic"], Recipe(), [Axis("seed", (0, 1, 2, 3))])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "sweep"
    made.mkdir()
    return made


def sweep(plan: Plan, folder: Path, copier: Copier, meter: Meter | None = None) -> list[Outcome]:
    return list(iter_sweep(plan, folder, execution=Execution(run=copier), measure=meter or Meter()))


def statuses(plan: Plan, folder: Path, copier: Copier) -> list[str]:
    return [outcome.status for outcome in sweep(plan, folder, copier)]


def test_every_run_is_painted_and_measured_once(plan: Plan, folder: Path) -> None:
    copier, meter = Copier(), Meter()
    first, again = sweep(plan, folder, copier, meter), sweep(plan, folder, copier, meter)
    assert [outcome.status for outcome in first] == ["saved"] * 4
    assert [outcome.status for outcome in again] == ["skipped"] * 4
    assert copier.painted == [run.picture_name for run in plan.runs]
    assert meter.count == 4
    assert again[2].measures == first[2].measures == {"content": 0.2, "seconds": 1.5}
    values = again[2].to_dict()
    assert Recipe.from_dict(values["recipe"]) == plan.runs[2].recipe
    assert (values["photo"], values["style"], values["settings"]) == ("photo", "mosaic", {"seed": 2})


def test_saved_pictures_stay_when_a_sweep_is_interrupted(plan: Plan, folder: Path) -> None:
    third = plan.runs[2].picture_name
    with pytest.raises(KeyboardInterrupt):
        sweep(plan, folder, Copier(KeyboardInterrupt(), failing=third))
    copier = Copier()
    assert statuses(plan, folder, copier) == ["skipped", "skipped", "saved", "saved"]
    assert copier.painted == [third, plan.runs[3].picture_name]


@pytest.mark.parametrize(
    ("failure", "raised"), [(WeightsMissingError("no weights"), WeightsError), (WriteError("disk full"), WriteError)]
)
def test_a_failure_that_concerns_all_runs_ends_the_sweep(
    plan: Plan, folder: Path, failure: Exception, raised: type[Exception]
) -> None:
    with pytest.raises(raised, match=str(failure)):
        sweep(plan, folder, Copier(failure, failing=plan.runs[1].picture_name))


def test_a_picture_that_is_gone_is_painted_again(plan: Plan, folder: Path) -> None:
    sweep(plan, folder, Copier())
    (folder / "pictures" / plan.runs[1].picture_name).unlink()
    assert statuses(plan, folder, Copier()).count("saved") == 1


def test_a_damaged_measurement_is_made_again(plan: Plan, folder: Path) -> None:
    sweep(plan, folder, Copier())
    for path in (folder / "measured").iterdir():
        path.write_bytes(path.read_bytes()[:-5])
    meter = Meter()
    sweep(plan, folder, Copier(), meter)
    assert meter.count == 4


def test_a_run_that_fails_does_not_stop_the_rest_and_is_tried_again(plan: Plan, folder: Path) -> None:
    failing = plan.runs[1].picture_name
    outcomes = sweep(plan, folder, Copier(DivergedError("The loss is not finite."), failing=failing))
    assert [outcome.status for outcome in outcomes] == ["saved", "failed", "saved", "saved"]
    assert outcomes[1].error == "The loss is not finite."
    assert len(collect(plan, folder)) == 3
    assert statuses(plan, folder, Copier()) == ["skipped", "saved", "skipped", "skipped"]


def test_a_larger_grid_keeps_the_runs_of_the_smaller_one(plan: Plan, folder: Path, photo_file: Path) -> None:
    sweep(plan, folder, Copier())
    axes = [Axis("seed", (3, 4)), Axis("style_weight", (1.0, 2.0))]
    larger = plan_sweep([str(photo_file)], ["mosaic"], Recipe(), axes)
    assert statuses(larger, folder, Copier()) == ["skipped", "saved", "saved", "saved"]


@pytest.mark.parametrize("workers", [-1, 257])
def test_the_number_of_workers_has_bounds(workers: int) -> None:
    with pytest.raises(OptionError, match="--jobs takes 1 to 256"):
        Execution(workers)


@pytest.mark.parametrize(
    ("execution", "executor", "workers"),
    [
        (Execution(), "serial", None),
        (Execution(3), "processes", 3),
        (Execution(0), "processes", None),
        (Execution(cluster="auto"), "ray", None),
        (Execution(4, cluster="auto"), "ray", 4),
    ],
)
def test_jobs_go_to_the_executor_that_was_asked_for(
    plan: Plan, folder: Path, execution: Execution, executor: str, workers: int | None
) -> None:
    copier = Copier()
    chosen = Execution(execution.workers, execution.cluster, run=copier)
    list(iter_sweep(plan, folder, execution=chosen, measure=Meter()))
    assert (copier.options["executor"], copier.options["workers"]) == (executor, workers)
    assert copier.options["store"] == folder / "jobs.sqlite"
