import json

import pytest
from pydantic import ValidationError

from pochoir.errors import (
    DivergedError,
    ImageReadError,
    OptionError,
    PochoirError,
    UnknownNameError,
    WeightsMissingError,
    WriteError,
)
from pochoir.jobs import (
    Canceled,
    Event,
    Failed,
    Job,
    Preview,
    Progress,
    Queued,
    Saved,
    Skipped,
    Started,
    event_from_json,
    register,
    run,
)
from pochoir.recipe import Recipe, StyleRef

EVENTS = [
    Queued(job="a", photo="p\udcff.png", output="o"),
    Started(job="a", worker="12", threads=2),
    Progress(job="a", done=1, total=4, left_s=2.5, facts={"style": 0.5}, notes=("n",)),
    Preview(job="a", jpeg=b"\xff\xd8\xfb\xef\x00", done=3),
    Saved(job="a", outputs=("o",), facts={"size": {"height": 1}}, notes=("n",)),
    Skipped(job="a", outputs=("o",)),
    Canceled(job="a"),
    Failed(job="a", error="no", category="input"),
]


def test_a_job_survives_json() -> None:
    recipe = Recipe(style=(StyleRef("mosaic", 2.0),), size=64, threads=1)
    job = Job(photo="a/b\udcff.jpg", output="out/b.png", recipe=recipe, form={"size": 3}, force=True)
    text = job.to_json()
    assert text.isascii()
    assert "\n" not in text
    assert Job.from_json(text) == job
    assert Job.from_json(text).recipe == recipe


def test_one_output_is_one_job_however_it_is_spelled(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    one, same = Job(photo="a", output="x.png"), Job(photo="b", output=tmp_path / "y" / ".." / "x.png")
    assert one.id == same.id != Job(photo="a", output="z.png").id
    assert hash(one) == hash(same)


def test_a_job_is_frozen() -> None:
    job = Job(photo="a", output="b")
    with pytest.raises(ValidationError, match="frozen"):
        job.photo = "c"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "This is not a job"),
        ("[]", "the job: Input should be"),
        ('{"photo": "a"}', "output: Field required"),
        ('{"photo": "a", "output": "b", "colour": 1}', "colour: Extra inputs are not permitted"),
        ('{"photo": "a", "output": "b", "form": 3}', "form: Input should be a valid dictionary"),
        ('{"photo": "a", "output": "b", "recipe": {"strength": 7}}', "strength"),
        ('{"photo": "a", "output": "b", "recipe": {"strengthh": 1}}', "strength"),
    ],
)
def test_what_is_no_job_is_told_in_one_line(text: str, message: str) -> None:
    with pytest.raises(PochoirError, match=message) as caught:
        Job.from_json(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.kind)
def test_events_survive_json(event: Event) -> None:
    text = event.to_json()
    assert text.isascii()
    assert json.loads(text)["kind"] == event.kind
    assert event_from_json(text) == event


def test_what_is_no_event_is_refused() -> None:
    with pytest.raises(ValueError, match=r"does not match"):
        event_from_json('{"kind": "gone", "job": "a"}')


def test_only_ends_are_final() -> None:
    assert [event.kind for event in EVENTS if event.is_final] == ["saved", "skipped", "canceled", "failed"]


@pytest.mark.parametrize(
    ("error", "category", "concerns_all"),
    [
        (ImageReadError("x"), "input", False),
        (WeightsMissingError("x"), "weights", True),
        (WriteError("x"), "write", True),
        (DivergedError("x"), "other", False),
        (ZeroDivisionError("x"), "unexpected", False),
    ],
)
def test_a_failure_says_whom_it_concerns(error: Exception, category: str, concerns_all: bool) -> None:
    failed = Failed.from_error("a", error)
    assert (failed.category, failed.concerns_all) == (category, concerns_all)
    assert type(failed.to_exception()).__mro__[1] is not Exception or category in ("other", "unexpected")
    assert str(failed.to_exception()) == failed.error
    assert failed.error == ("ZeroDivisionError: x" if category == "unexpected" else "x")


class TestBadJobs:
    def test_an_unknown_kind_is_told_with_the_nearest(self) -> None:
        with pytest.raises(UnknownNameError, match="Did you mean 'segment'"):
            run([Job(kind="segmnt", photo="a", output="b")])

    def test_two_jobs_for_one_output(self) -> None:
        jobs = [Job(kind="count", photo=name, output="same") for name in "ab"]
        with pytest.raises(OptionError, match="Two jobs write 'same': 'a' and 'b'"):
            run(jobs)

    def test_a_bad_form_is_refused_before_anything_starts(self, jobs: list[Job]) -> None:
        bad = jobs[0].model_copy(update={"form": {"bad": 1}, "output": "elsewhere", "id": "x"})
        with pytest.raises(OptionError, match="The form is bad"):
            run([*jobs, bad])

    @pytest.mark.parametrize(("name", "target"), [("count", "other:X"), ("new", "no_colon"), ("new", "a:b:c")])
    def test_a_kind_is_registered_once_and_as_a_place(self, name: str, target: str) -> None:
        with pytest.raises(OptionError, match="kind of job"):
            register(name, target)

    def test_an_unknown_executor(self, jobs: list[Job]) -> None:
        with pytest.raises(UnknownNameError, match="Did you mean 'threads'"):
            list(run(jobs, executor="thread"))

    @pytest.mark.parametrize("options", [{"workers": 0}, {"workers": 1000}, {"threads": -1}, {"workers": 2}])
    def test_numbers_out_of_bounds(self, jobs: list[Job], options: dict[str, int]) -> None:
        with pytest.raises(OptionError, match=r"takes 1 to 256|one job at a time"):
            list(run(jobs, executor="serial", **options))


def test_ctrl_c_while_a_job_is_written_stays_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(self: Recipe) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Recipe, "to_dict", interrupt)
    with pytest.raises(KeyboardInterrupt):
        Job(photo="p.png", output="o.png").to_json()
