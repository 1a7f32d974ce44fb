"""Clips as jobs: progress, previews, cancellation, records, and what is refused."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pochoir import clips, video
from pochoir.clips.stages import StageClock
from pochoir.errors import InputError, OptionError, UnknownNameError
from pochoir.jobs import Event, Failed, Job, Preview, Progress, Saved, run
from pochoir.jobs.control import Control
from pochoir.jobs.work import Worker, check_jobs
from pochoir.recipe import Recipe
from support.cutouts import draw_person, paint, person_rig

FORM = {"motion": ["nod"], "duration": "0.5s"}


@pytest.fixture
def cutout(tmp_path: Path) -> Path:
    layer = paint(draw_person())
    straight = np.where(layer[..., 3:] > 0, layer[..., :3] / np.maximum(layer[..., 3:], 1e-6), 0)
    path = tmp_path / "person.png"
    Image.fromarray(np.rint(np.dstack([straight, layer[..., 3]]) * 255).astype(np.uint8)).save(path)
    return path


def make(photo: Path, out: Path, **changes: object) -> Job:
    values = {"kind": "animate", "photo": str(photo), "output": str(out), "form": FORM} | changes
    return Job.from_json(Job(**values).to_json())  # as the store keeps it


def last(job: Job) -> Event:
    return list(run([job]))[-1]


def test_a_clip_is_a_job_with_progress_previews_and_facts(cutout: Path, tmp_path: Path) -> None:
    job = make(cutout, tmp_path / "clips" / "nod.webp")
    events = list(run([job], previews_s=0.0))
    shares = [event.share for event in events if isinstance(event, Progress)]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert {event.stage for event in events if isinstance(event, Progress)} == {"rendering"}
    jpeg = next(event.jpeg for event in events if isinstance(event, Preview))
    with Image.open(io.BytesIO(jpeg)) as image:
        assert image.format == "JPEG"
        assert image.getpixel((1, 1)) == (255, 255, 255)  # transparent frames are shown on white
    saved = events[-1]
    assert isinstance(saved, Saved)
    wanted = {"frames": 12, "fps": 24.0, "duration_s": 0.5, "loop": True, "transparent": True}
    assert wanted.items() <= saved.facts.items()
    assert saved.facts["clip"]["motion"] == ["nod"]
    assert clips.holds_clip(video.read_film_record(job.output))
    assert last(job).kind == "skipped"


def test_other_clips_are_refused_and_replaced_by_force(cutout: Path, tmp_path: Path) -> None:
    job = make(cutout, tmp_path / "clip.gif")
    assert last(job).kind == "saved"
    other = make(cutout, tmp_path / "clip.gif", form=FORM | {"on": 2})
    refused = last(other)
    assert isinstance(refused, Failed)
    assert "is another clip" in refused.error
    assert refused.category == "input"
    forced = other.model_copy(update={"force": True})
    assert [last(forced).kind, last(forced).kind] == ["saved", "skipped"]


def test_a_canceled_clip_leaves_nothing(cutout: Path, tmp_path: Path) -> None:
    job = make(cutout, tmp_path / "out" / "clip.png", form=FORM | {"duration": "60s"})
    control, kinds = Control(), []
    for event in Worker.maker()().run(job, control):
        kinds.append(event.kind)
        if event.kind == "progress":
            control.cancel()
    assert kinds[-1] == "canceled"
    assert kinds.count("progress") < 100
    assert list((tmp_path / "out").iterdir()) == []


def test_limbs_are_given_in_the_form_or_as_a_file(cutout: Path, tmp_path: Path) -> None:
    rig = json.loads(person_rig().to_json())
    file = tmp_path / "rig.json"
    file.write_text(person_rig().to_json())
    form = FORM | {"motion": ["wave"]}
    one, two = (
        make(cutout, tmp_path / f"{number}.webp", form=form | {"rig": given})
        for number, given in enumerate((rig, str(file)))
    )
    assert [last(one).kind, last(two).kind] == ["saved", "saved"]
    assert Path(one.output).read_bytes() == Path(two.output).read_bytes()
    onto_rig = last(make(cutout, file, form=form | {"rig": str(file)}))
    assert "is an input and would be overwritten" in getattr(onto_rig, "error", "")


def test_a_clip_is_made_again_as_a_job(cutout: Path, tmp_path: Path) -> None:
    job = make(cutout, tmp_path / "clip.webp")
    assert last(job).kind == "saved"
    again = Job(kind="redo", photo=job.output, output=str(tmp_path / "again.webp"))
    assert [last(again).kind, last(again).kind] == ["saved", "skipped"]
    assert Path(again.output).read_bytes() == Path(job.output).read_bytes()


@pytest.mark.parametrize(
    ("output", "form", "error", "message"),
    [
        ("clip.webp", {"motion": ["nodd"]}, UnknownNameError, "Did you mean 'nod'?"),
        ("clip.webp", {"speed": 2}, UnknownNameError, "setting of a clip"),
        ("clip.webp", {"rig": 7}, OptionError, "a table of limbs"),
        ("clip.webp", {"rig": {"limbs": []}}, InputError, "The rig"),
        ("clip.avi", {}, InputError, "allowed: .webp"),
        ("clip.gif", {"fps": 60}, OptionError, "up to 50 frames"),
        ("-", {}, InputError, "not to standard output"),
    ],
)
def test_bad_jobs_are_refused_before_any_is_begun(
    cutout: Path, tmp_path: Path, output: str, form: dict[str, object], error: type[Exception], message: str
) -> None:
    out = output if output == "-" else str(tmp_path / output)
    with pytest.raises(error, match=message.replace("?", r"\?")):
        check_jobs([Job(kind="animate", photo=str(cutout), output=out, form=form)])


@pytest.mark.weights
def test_the_stages_of_a_painted_clip_add_up(photo_file: Path, mask_file: Path, tmp_path: Path) -> None:
    quick = {"size": 32, "steps": 2, "threads": 1, "style_layers": ["relu1_1"], "content_layers": ["relu2_2"]}
    recipe = Recipe(**quick, subject_style=["mosaic"], background_style=["ink-wash"], mask=str(mask_file))
    job = make(photo_file, tmp_path / "clip.webp", recipe=recipe, form=FORM | {"boil": 1, "duration": "0.2s"})
    control, events = Control(), []
    for event in Worker.maker(previews_s=0.0)().run(job, control):
        events.append(event)
    steps = [event for event in events if isinstance(event, Progress)]
    stages = list(dict.fromkeys(event.stage for event in steps))
    regions = ["subject", "subject again, 1 of 1", "background", "background again, 1 of 1"]
    assert stages == [*(f"painting: {name}" for name in regions), "rendering"]
    shares = [event.share for event in steps]
    assert shares == sorted(shares)
    assert any(isinstance(event, Preview) for event in events)
    assert events[-1].kind == "saved"
    control = Control()
    stopped = make(photo_file, tmp_path / "other.webp", recipe=recipe, form=FORM)
    control.cancel(keep=True)  # half a clip is of no use
    kinds = [event.kind for event in Worker.maker()().run(stopped, control)]
    assert kinds == ["started", "progress", "canceled"]
    assert not Path(stopped.output).exists()


def test_the_time_left_covers_all_stages() -> None:
    now = [0.0]
    clock = StageClock({"subject": 1.0, "background": 1.0, "rendering": 0.5}, clock=lambda: now[0])
    clock.begin("subject")
    now[0] = 4.0
    assert clock.estimate_left_s(5, 10, left_s=4.0) == pytest.approx(4 + 8 + 4)
    assert clock.share == pytest.approx(0.5 / 2.5)
    clock.begin("background")
    now[0] = 5.0
    assert clock.estimate_left_s(1, 10) == pytest.approx(9 + 5)
    clock.begin("rendering")
    assert clock.estimate_left_s(0, 10) is None
    now[0] = 6.0
    assert clock.estimate_left_s(10, 10) == pytest.approx(0)
    assert clock.share == 1.0
