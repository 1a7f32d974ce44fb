"""Videos as jobs: odd ones, canceled ones, previews, and the same film from Python."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

import pochoir
from pochoir import video
from pochoir._files import reading_elsewhere
from pochoir.encoders import tiny_encoder
from pochoir.errors import OptionError
from pochoir.jobs import Event, Failed, Job, Preview, Progress, Saved, Worker
from pochoir.jobs.control import Control
from pochoir.jobs.executors.ray_worker import _read_output
from pochoir.recipe import Recipe
from pochoir.segmentation import Segmentation
from pochoir.sequence import plan
from pochoir.sequence.painter import FramePainter
from pochoir.sequence.settings import VideoSettings
from support import films, tiny_program
from support.drawn_films import pan

QUICK = {"steps": 4, "threads": 1, "keep": "none"}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_program.use_quick_parts(monkeypatch.setattr)


def make(
    source: Path, output: Path, style: Path | None, recipe: dict[str, object] | None = None, **form: object
) -> Job:
    painted = {} if style is None else {"style": [str(style)]}
    return Job(
        kind="video", photo=source, output=output, recipe=Recipe(**(QUICK | painted | (recipe or {}))), form=form
    )


def perform(job: Job, *, previews_s: float | None = None, control: Control | None = None) -> list[Event]:
    return list(Worker.maker(previews_s=previews_s)().run(job, control or Control()))


def saved(job: Job) -> Saved:
    last = perform(job)[-1]
    assert isinstance(last, Saved), last
    return last


def read(path: Path) -> list[video.VideoFrame]:
    with video.open_video(path) as opened:
        return list(opened.frames())


# ---- odd videos


def test_odd_sides_one_frame_and_rotation(tmp_path: Path, style_file: Path) -> None:
    odd = films.write(tmp_path / "odd.mp4", [films.draw(0, 33, 47)], pixels="yuv444p")
    out = tmp_path / "out.mov"
    done = saved(make(odd, out, style_file, codec="qtrle"))
    assert (done.facts["frames"], done.facts["size"]) == (1, {"height": 33, "width": 47})
    assert read(out)[0].rgb.shape == (33, 47, 3)
    turned = films.write(tmp_path / "turned.mp4", count=2, rotation=90)
    assert saved(make(turned, tmp_path / "turned.gif", style_file)).facts["size"] == {"height": 64, "width": 48}


def test_variable_times_and_sound_are_kept(tmp_path: Path, style_file: Path) -> None:
    times = [0, 1, 2, 6, 7, 12, 13, 14]
    given = films.write(tmp_path / "given.mp4", count=len(times), pts=times, sound=True)
    out = tmp_path / "out.mp4"
    done = saved(make(given, out, style_file))
    assert done.facts["sound"] is True
    assert [frame.time_s for frame in read(out)] == [Fraction(time, 25) for time in times]
    assert films.sound_packets(out) == films.sound_packets(given)
    silent = saved(make(given, tmp_path / "silent.mp4", style_file, sound=False))
    assert silent.facts["sound"] is False
    with av.open(str(tmp_path / "silent.mp4")) as container:
        assert not container.streams.audio
    picture = saved(make(given, tmp_path / "out.gif", style_file))
    assert ".gif holds no sound; it is left out" in picture.notes
    assert [frame.time_s for frame in read(tmp_path / "out.gif")] == [Fraction(time, 25) for time in times]


def test_of_a_video_that_is_damaged_in_the_middle_the_rest_is_painted(tmp_path: Path, style_file: Path) -> None:
    given = films.write(tmp_path / "given.mkv", count=30, options={"g": "5"})
    data = bytearray(given.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 1500] = bytes(1500)
    given.write_bytes(data)
    whole = len(read(given))
    assert 5 < whole < 30
    done = saved(make(given, tmp_path / "out.mp4", style_file))
    assert done.facts["frames"] == whole
    assert any("damaged" in note for note in done.notes)


def test_frames_without_a_subject_are_said_and_shown(tmp_path: Path, style_file: Path) -> None:
    dark = [np.full((32, 48, 3), 20, np.uint8) for _ in range(8)]
    bright = [frame.copy() for frame in dark]
    for frame in bright:
        frame[8:24, 16:32] = 240
    given = films.write(tmp_path / "given.mp4", [*dark, *bright])
    job = make(given, tmp_path / "out.mp4", None, {"subject_style": [str(style_file)]})
    done = saved(job)
    assert done.facts["frames"] == 16
    assert any("no subject was found in frames 0 to" in note for note in done.notes)
    shown = read(tmp_path / "out.mp4")
    assert np.abs(shown[2].rgb.astype(int) - 20).max() < 8
    assert np.abs(shown[14].rgb[12:20, 20:28].astype(int) - 240).mean() > 10


# ---- events


def test_progress_and_previews_of_a_film(tmp_path: Path, style_file: Path) -> None:
    given = films.write(tmp_path / "given.mp4", count=10)
    events = perform(make(given, tmp_path / "out.mp4", style_file), previews_s=0.0)
    steps = [event for event in events if isinstance(event, Progress)]
    assert steps[0].stage == "plan"
    assert steps[0].facts["frames"] == 10
    assert {step.stage for step in steps} >= {"plan", "cuts", "keys", "frames"}
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert (steps[-1].done, steps[-1].total) == (10, 10)
    assert all(step.left_s is not None and step.left_s >= 0 for step in steps)
    previews = [event for event in events if isinstance(event, Preview)]
    assert len(previews) >= 10
    assert all(event.jpeg.startswith(b"\xff\xd8") for event in previews)


def cancel(job: Job, *, keep: bool) -> list[Event]:
    control, events = Control(), []
    for event in Worker.maker()().run(job, control):
        events.append(event)
        if isinstance(event, Progress) and event.done == 5:
            control.cancel(keep=keep)
    return events


@pytest.mark.parametrize("keep", [False, True])
def test_a_canceled_film_keeps_its_parts_and_on_request_the_film_so_far(
    tmp_path: Path, style_file: Path, keep: bool
) -> None:
    given = films.write(tmp_path / "given.mp4", count=20)
    out = tmp_path / "out.mp4"
    job = make(given, out, style_file, keys=4)
    last = cancel(job, keep=keep)[-1]
    assert (tmp_path / ".out.mp4.parts").is_dir()
    if keep:
        assert isinstance(last, Saved)
        assert last.interrupted
        assert len(read(out)) == last.facts["frames"] >= 5
    else:
        assert last.kind == "canceled"
        assert not out.exists()
    resumed = perform(job)
    assert isinstance(resumed[-1], Saved)
    assert len(read(out)) == 20
    assert any("resumed" in note for event in resumed if isinstance(event, Progress) for note in event.notes)
    assert perform(job)[-1].kind == "skipped"


def test_a_node_that_sees_none_of_the_files_paints_the_same_film(tmp_path: Path, style_file: Path) -> None:
    given = films.write(tmp_path / "given.mp4", count=6, sound=True)
    here = make(given, tmp_path / "here.mp4", style_file)
    saved(here)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    places = {str(path): path.rename(elsewhere / path.name) for path in (given, style_file)}
    there = make(given, elsewhere / "there.mp4", style_file)
    with reading_elsewhere(places):
        saved(there)
    assert Path(there.output).read_bytes() == Path(here.output).read_bytes()


def test_a_folder_of_frames_is_brought_home(tmp_path: Path) -> None:
    node = tmp_path / "node" / "frames"
    node.mkdir(parents=True)
    (node / "frame-0001.png").write_bytes(b"one")
    (node / "record.json").write_bytes(b"{}")
    home = tmp_path / "home"
    assert _read_output(node, home) == {
        str(home / "frames" / "frame-0001.png"): b"one",
        str(home / "frames" / "record.json"): b"{}",
    }


def test_a_bad_form_and_recipe_are_refused_before_the_start(tmp_path: Path, style_file: Path) -> None:
    given = films.write(tmp_path / "given.mp4", count=2)
    for recipe, form, message in (
        ({}, {"frames": 3}, "Unknown setting of a video"),
        ({}, {"form": "film"}, "Unknown form of a video"),
        ({}, {"agreed": "no"}, "agreed must be true or false; got 'no'"),
        ({}, {"partial": "false"}, "partial must be true or false"),
        ({}, {"executor": []}, "Unknown executor"),
        ({"enlarge": 2}, {}, "enlarge is for single pictures"),
        ({"mask": "m.png"}, {}, "give --mask-frame N=FILE"),
        ({"keep_points": "1,2"}, {}, "--keep-points N="),
        ({}, {"form": "cutout"}, ".mp4 holds no transparency"),
    ):
        with pytest.raises(pochoir.PochoirError, match=message):
            list(pochoir.run([make(given, tmp_path / "out.mp4", style_file, recipe, **form)]))


def test_another_film_is_replaced_by_force_only(tmp_path: Path, style_file: Path) -> None:
    given = films.write(tmp_path / "given.mp4", count=3)
    job = make(given, tmp_path / "out.mp4", style_file)
    saved(job)
    other = make(given, tmp_path / "out.mp4", style_file, on=2)
    refused = perform(other)[-1]
    assert isinstance(refused, Failed)
    assert "is another film" in refused.error
    saved(other.model_copy(update={"force": True}))


# ---- Python


class LeftHalf:
    name = "left half"

    def segment(self, photo: torch.Tensor) -> Segmentation:
        matte = torch.zeros(1, 1, *photo.shape[-2:])
        matte[..., : photo.shape[-1] // 2] = 1.0
        return Segmentation(matte, self.name)


@pytest.fixture
def given(tmp_path: Path) -> Path:
    return films.write(tmp_path / "given.mp4", count=6)


def test_frames_in_python_are_those_of_the_film(
    given: Path, tmp_path: Path, style_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {**QUICK, "style": style_file, "encoder": tiny_encoder(), "codec": "qtrle"}
    painted = pochoir.stylize_video(given, **settings)
    assert (len(painted), painted.size, painted.fps, painted.is_transparent) == (6, (48, 64), 25.0, False)
    frames = list(painted)
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 6
    assert all(np.array_equal(one, other) for one, other in zip(frames, painted, strict=True))
    done: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(FramePainter, "paint_first", None)  # the keys are there
        out = painted.save(tmp_path / "out.mov", progress=done.append)
    assert done == [1, 2, 3, 4, 5, 6]
    assert all(np.array_equal(one, other.rgb) for one, other in zip(frames, read(out), strict=True))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["given.mp4", "out.mov", "style.png"]
    loaded = pochoir.stylize_video(given, **(settings | {"encoder": "vgg19"})).save(tmp_path / "loaded.mov")
    assert pochoir.redo(loaded).save(tmp_path / "again.mov").read_bytes() == loaded.read_bytes()
    redone = perform(Job(kind="redo", photo=out, output=tmp_path / "third.mov"))[-1]
    assert isinstance(redone, Failed)
    assert "an object of the user's own (encoder)" in redone.error


def test_a_time_limit_holds_in_python_too(
    given: Path, tmp_path: Path, style_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "measure", lambda painted: plan.Speed(0.0, 1.0, 0.0))
    painted = pochoir.stylize_video(given, style=style_file, time="20s", threads=1)
    out = painted.save(tmp_path / "out.mp4")
    assert 8 <= painted.steps < 36
    assert any("steps for the first key, so that the time is kept" in note for note in painted.notes)
    monkeypatch.setattr(plan, "measure", None)
    assert pochoir.redo(out).save(tmp_path / "again.mp4").read_bytes() == out.read_bytes()


def test_a_subject_of_ones_own_is_cut_out(given: Path) -> None:
    painted = pochoir.stylize_video(given, settings=VideoSettings(form="cutout"), segmenter=LeftHalf(), end="0.1s")
    frames: Iterator[np.ndarray] = iter(painted)
    first = next(frames)
    assert first.shape == (48, 64, 4)
    assert (first[:, :28, 3] == 255).all()
    assert (first[:, 36:, 3] == 0).all()
    assert painted.record.record.request.own == ("segmenter 'left half'",)


def test_what_python_cannot_give_is_said(given: Path) -> None:
    with pytest.raises(OptionError, match="A video is given by the path of its file; got ndarray"):
        pochoir.stylize_video(np.zeros((2, 2, 3)), style="mosaic")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="Nothing is to be painted"):
        pochoir.stylize_video(given)


# ---- shots side by side


@pytest.fixture
def two_shots(tmp_path: Path) -> Path:
    frames = [*pan(16, step_px=1, seed=0), *pan(16, step_px=1, seed=40)]
    return films.write(tmp_path / "two.mp4", frames, rate=12)


def test_shots_side_by_side_make_the_same_film(two_shots: Path, tmp_path: Path, style_file: Path) -> None:
    alone, together = tmp_path / "alone.mp4", tmp_path / "together.mp4"
    saved(make(two_shots, alone, style_file))
    events = perform(make(two_shots, together, style_file, workers=2, executor="threads"), previews_s=0.0)
    assert isinstance(events[-1], Saved), events[-1]
    assert together.read_bytes() == alone.read_bytes()
    helped = [event.facts for event in events if isinstance(event, Progress) and "jobs" in event.facts]
    assert helped[-1] == {"part": 32, "parts": 32, "jobs": 2}
    assert {event.job for event in events} == {events[0].job}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alone.mp4", "style.png", "together.mp4", "two.mp4"]


def test_shots_that_were_painted_side_by_side_before_a_kill_are_used(
    two_shots: Path, tmp_path: Path, style_file: Path
) -> None:
    out = tmp_path / "out.mp4"
    job = make(two_shots, out, style_file, workers=2, executor="threads")
    control = Control()
    for event in Worker.maker()().run(job, control):
        if isinstance(event, Progress) and event.facts.get("part", 0) >= 12:
            control.cancel()
    assert list((tmp_path / ".out.mp4.parts").rglob("shots-*/key-*.png"))
    events = perform(make(two_shots, out, style_file))
    assert isinstance(events[-1], Saved), events[-1]
    alone = tmp_path / "alone.mp4"
    saved(make(two_shots, alone, style_file))
    assert out.read_bytes() == alone.read_bytes()


@pytest.mark.parametrize(
    ("form", "message"), [({"workers": 0}, "workers takes 1 to"), ({"executor": "moon"}, "Unknown executor 'moon'")]
)
def test_workers_that_cannot_be_are_refused(
    two_shots: Path, tmp_path: Path, style_file: Path, form: dict[str, object], message: str
) -> None:
    with pytest.raises(pochoir.PochoirError, match=message):
        list(pochoir.run([make(two_shots, tmp_path / "out.mp4", style_file, **form)]))
