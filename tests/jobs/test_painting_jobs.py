"""Real paintings and cut-outs as jobs: the same bytes on every executor."""

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pochoir.errors import InputError
from pochoir.jobs import Event, Job, Preview, Progress, Saved, Skipped, event_from_json, run
from pochoir.jobs.control import Control
from pochoir.jobs.outputs import is_own, read_record
from pochoir.jobs.work import Worker
from pochoir.recipe import Recipe

pytestmark = pytest.mark.weights

QUICK = {"size": 32, "steps": 2, "threads": 1, "style_layers": ["relu1_1", "relu2_1"], "content_layers": ["relu2_2"]}


@pytest.fixture
def album(tmp_path: Path) -> list[Path]:
    """Four photos of different sizes with a bright ball."""
    y, x = np.mgrid[0:40, 0:48]
    ball = ((x - 24) ** 2 + (y - 20) ** 2 < 150)[..., None]
    paths = [tmp_path / f"{number}.png" for number in range(4)]
    for number, path in enumerate(paths):
        noise = np.random.default_rng(number).integers(0, 60, (40, 48, 3))
        Image.fromarray(np.where(ball, 190 + noise, noise).astype(np.uint8)[: 36 + number]).save(path)
    return paths


def plan(album: list[Path], out: Path, style: Path, mask: Path | None = None) -> list[Job]:
    own = {"style": [str(style)]} if mask is None else {"subject_style": [str(style)], "mask": str(mask)}
    recipe = Recipe(**QUICK, **own)
    return [Job(photo=str(path), output=str(out / path.name), recipe=recipe) for path in album]


def finals(events: list[Event]) -> list[str]:
    return sorted(f"{event.kind} {getattr(event, 'error', '')}".strip() for event in events if event.is_final)


@pytest.mark.parametrize(("executor", "workers"), [("threads", 3), ("processes", 2)])
def test_every_executor_gives_the_bytes_of_the_serial_one(
    album: list[Path], tmp_path: Path, style_file: Path, executor: str, workers: int
) -> None:
    straight = plan(album, tmp_path / "straight", style_file)
    others = plan(album, tmp_path / "others", style_file)
    assert finals(list(run(straight, threads=1))) == ["saved"] * 4
    assert finals(list(run(others, executor=executor, workers=workers, threads=1))) == ["saved"] * 4
    for one, other in zip(straight, others, strict=True):
        assert Path(one.output).read_bytes() == Path(other.output).read_bytes()
    assert finals(list(run(others, executor=executor, workers=workers))) == ["skipped"] * 4


def test_events_of_a_painting(album: list[Path], tmp_path: Path, style_file: Path) -> None:
    (job,) = plan(album[:1], tmp_path / "out", style_file)
    events = list(run([job], previews_s=0.0))
    steps = [event for event in events if isinstance(event, Progress)]
    assert [(step.done, step.total, step.share) for step in steps] == [(1, 2, 0.5), (2, 2, 1.0)]
    assert set(steps[0].facts) == {"scale", "scales", "step_of_scale", "size", "losses", "expected_bytes"}
    previews = [event for event in events if isinstance(event, Preview)]
    with Image.open(io.BytesIO(previews[-1].jpeg)) as image:
        assert (image.format, image.size) == ("JPEG", (32, 24))
    stored = json.loads(previews[-1].to_json())
    assert base64.urlsafe_b64decode(stored["jpeg"]) == previews[-1].jpeg
    assert event_from_json(previews[-1].to_json()) == previews[-1]
    saved = events[-1]
    assert isinstance(saved, Saved)
    assert saved.outputs == (job.output,)
    assert Recipe.from_dict(saved.facts["recipe"]) == job.recipe
    assert is_own(job.output)
    assert not is_own(job.photo)
    record = read_record(Path(job.output))
    assert record is not None
    assert record.recipe == job.recipe


def test_canceling_keeps_the_best_picture_if_asked(album: list[Path], tmp_path: Path, style_file: Path) -> None:
    (job,) = plan(album[:1], tmp_path / "out", style_file)
    for keep in (False, True):
        control = Control()
        kinds = []
        for event in Worker.maker()().run(job, control):
            kinds.append(event.kind)
            if event.kind == "progress":
                control.cancel(keep=keep)
        assert kinds == ["started", "progress", "saved" if keep else "canceled"]
        assert Path(job.output).exists() == keep
    assert isinstance(event, Saved)
    assert event.interrupted
    assert "interrupted: this is the best picture so far" in event.notes
    (failed,) = finals(list(run([job])))  # what is there is not what was asked for
    assert "was made with other settings (schedule, steps)" in failed or "schedule" in failed


@pytest.mark.parametrize("keep", [False, True])
def test_canceling_ends_a_step_in_the_middle(album: list[Path], tmp_path: Path, style_file: Path, keep: bool) -> None:
    (job,) = plan(album[:1], tmp_path / "out", style_file)
    shown = asked = 0

    class Late(Control):
        """Control that is canceled in the middle of the second step."""

        @property
        def canceled(self) -> bool:
            nonlocal asked
            asked += shown
            if asked == 4:
                self.cancel(keep=keep)
            return super().canceled

    for event in Worker.maker()().run(job, Late()):
        shown += event.kind == "progress"
    assert event.kind == ("saved" if keep else "canceled")
    assert Path(job.output).exists() == keep
    assert shown == 1


def test_the_first_step_is_taken_if_a_picture_is_to_be_kept(
    album: list[Path], tmp_path: Path, style_file: Path
) -> None:
    kept, dropped = plan(album[:2], tmp_path / "out", style_file)
    control = Control()
    control.cancel(keep=True)
    assert [event.kind for event in Worker.maker()().run(kept, control)] == ["started", "progress", "saved"]
    control.cancel(keep=False)
    assert [event.kind for event in Worker.maker()().run(dropped, control)] == ["started", "canceled"]


def test_a_changed_style_or_setting_is_another_request(album: list[Path], tmp_path: Path, style_file: Path) -> None:
    (job,) = plan(album[:1], tmp_path / "out", style_file)
    assert finals(list(run([job]))) == ["saved"]
    moved = style_file.rename(style_file.with_name("moved.png"))
    (same,) = plan(album[:1], tmp_path / "out", moved)
    assert finals(list(run([same]))) == ["skipped"]
    other_device = same.model_copy(update={"recipe": same.recipe.replace(threads=2, memory="1G")})
    assert finals(list(run([other_device]))) == ["skipped"]
    with Image.open(moved) as image:
        image.rotate(180).save(moved)
    (failed,) = finals(list(run([same])))
    assert "was made from another style" in failed
    stronger = same.model_copy(update={"recipe": same.recipe.replace(strength=0.9), "force": True})
    assert finals(list(run([stronger]))) == ["saved"]
    assert finals(list(run([stronger]))) == ["skipped"]


def test_cutouts_run_beside_paintings(album: list[Path], tmp_path: Path, style_file: Path) -> None:
    recipe = Recipe(segmenter="grabcut", box=[8, 6, 32, 28], refine="none", threads=1)
    cuts = [
        Job(kind="segment", photo=str(path), output=str(tmp_path / "cut" / path.name), recipe=recipe,
            form={"name": "cutout", "trim": True})
        for path in album
    ]  # fmt: skip
    jobs = [*cuts, *plan(album[:1], tmp_path / "out", style_file)]
    assert finals(list(run(jobs, executor="threads", workers=2, threads=1))) == ["saved"] * 5
    with Image.open(cuts[0].output) as image:
        assert image.mode == "RGBA"
        assert image.width < 48
    events = [event for event in run(cuts) if event.is_final]
    assert all(isinstance(event, Skipped) for event in events)


@pytest.mark.parametrize(
    ("job", "message"),
    [
        (Job(photo="a", output="b.png", form={"trim": True}), "A job of kind stylize has no 'trim' in its form"),
        (Job(kind="segment", photo="a", output="b.png", form={"namee": "matte"}), "Did you mean 'name'"),
        (Job(kind="segment", photo="a", output="b.png", form={"trim": True}), "are for cutouts"),
        (Job(kind="redo", photo="a", output="b.png", form={"input": "x"}), "has no 'input' in its form"),
    ],
)
def test_bad_forms_are_refused_before_anything_starts(job: Job, message: str) -> None:
    with pytest.raises(InputError, match=message):
        run([job])
