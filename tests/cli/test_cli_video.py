"""``pochoir video``, ``redo`` and batches of videos, as a user types them."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pochoir import video
from pochoir._types import Size
from pochoir.jobs import filming
from pochoir.sequence.plan import Speed
from pochoir.sources import load_style
from support import tiny_program
from support.drawn_films import pan, walk
from support.program import LISTEN, error_line, pochoir

STYLE = ("--threads", "1", "--steps", "6", "--style")
COUNT = 14


def write(path: Path, frames: list[np.ndarray], fps: float = 12.0, **settings: object) -> Path:
    size = Size(*frames[0].shape[:2])
    video.save(path, video.Film(frames, len(frames), size, fps, codec="x264", **settings), quality=90)
    return path


def start_tiny(*arguments: str | Path, keys: int) -> subprocess.Popen[str]:
    """Start the program with the tiny encoder, and wait until it has kept some keys; it waits for a signal then."""
    process = subprocess.Popen(
        [sys.executable, tiny_program.__file__, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"COLUMNS": "200", "OMP_NUM_THREADS": "1", "WAIT_AFTER_KEYS": str(keys)},
        preexec_fn=LISTEN,
    )
    parts = Path(arguments[arguments.index("-o") + 1]).parent
    deadline = time.monotonic() + 120
    while len(list(parts.rglob("key-*.png"))) < keys:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process


def frames_of(path: Path) -> list[np.ndarray]:
    with video.open_video(path) as opened:
        return [frame.rgb for frame in opened.frames()]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_program.use_quick_parts(monkeypatch.setattr)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a camera that pans, and a bright ball before a dark ground with the matte of its first frame."""
    folder = tmp_path_factory.mktemp("clips")
    write(folder / "pan.mp4", pan(COUNT))
    frames, mattes = walk(COUNT)
    bright = [
        np.where(matte[..., None] > 127, 200 + frame // 5, frame // 3).astype(np.uint8)
        for frame, matte in zip(frames, mattes, strict=True)
    ]
    write(folder / "ball.mp4", bright)
    Image.fromarray(mattes[0]).save(folder / "first.png")
    return folder


# ---- films


def test_a_film_is_painted_and_made_again(
    clips: Path, tmp_path: Path, style_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, again = tmp_path / "out.mp4", tmp_path / "again.mp4"
    done = pochoir("video", clips / "pan.mp4", "-o", out, *STYLE, style_file, "--json")
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert (facts["frames"], facts["size"], facts["partial"]) == (COUNT, {"height": 48, "width": 72}, False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.mp4", "style.png"]
    with video.open_video(out) as opened:
        assert opened.info.frames == COUNT
        assert opened.info.fps == 12
    painted, given = frames_of(out), frames_of(clips / "pan.mp4")
    assert np.abs(painted[5].astype(int) - given[5]).mean() > 8

    assert "is up to date" in pochoir("video", clips / "pan.mp4", "-o", out, *STYLE, style_file).output
    other = pochoir("video", clips / "pan.mp4", "-o", out, *STYLE, style_file, "--keys", "2")
    assert other.exit_code == 2
    assert "is another film" in error_line(other)

    redone = pochoir("redo", out, "-o", again)
    assert redone.exit_code == 0, redone.output
    assert again.read_bytes() == out.read_bytes()
    with monkeypatch.context() as newer:
        newer.setattr("pochoir.pipeline.__version__", "99.0.0")
        for name, options in (("newer.mp4", ()), ("current.mp4", ("--json",))):
            retold = pochoir("redo", out, "-o", tmp_path / name, *options)
            assert retold.stderr.count("may differ from the first one") == 1
        assert len([note for note in json.loads(retold.stdout)["notes"] if "may differ" in note]) == 1
    assert pochoir("recipe", out).stdout.count("steps = 6") == 1
    assert "is an input" in error_line(pochoir("redo", out, "-o", out))
    whole = out.read_bytes()
    out.write_bytes(whole[: len(whole) * 2 // 3])  # as a copy that was cut off
    mended = pochoir("video", clips / "pan.mp4", "-o", out, *STYLE, style_file)
    assert mended.output.startswith("Saved"), mended.output
    assert out.read_bytes() == whole


def test_a_cutout_is_transparent_and_needs_no_style(clips: Path, tmp_path: Path) -> None:
    out = tmp_path / "cut.mkv"
    done = pochoir("video", clips / "ball.mp4", "-o", out, "--as", "cutout", "--threads", 1, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["transparent"] is True
    with video.pyav.av().open(str(out)) as container:
        alphas = [frame.to_ndarray(format="rgba")[..., 3] for frame in container.decode(video=0)]
    assert len(alphas) == COUNT
    assert alphas[0][24, 18] == 255
    assert alphas[0][24, 60] == 0
    assert alphas[-1][24, 18 + 2 * (COUNT - 1)] == 255


def test_a_cutout_lies_on_the_ground_that_is_asked_for(clips: Path, tmp_path: Path) -> None:
    out = tmp_path / "on-blue.mp4"
    settings = ("--as", "cutout", "--backdrop", "#2040c0", "--end", "0.05s", "--threads", 1)
    done = pochoir("video", clips / "ball.mp4", "-o", out, *settings)
    assert done.exit_code == 0, done.output
    assert "1 frame, " in done.output
    frame = frames_of(out)[0].astype(int)
    assert np.abs(frame[24, 60] - (32, 64, 192)).max() < 12
    assert np.abs(frame[24, 18] - frames_of(clips / "ball.mp4")[0][24, 18]).max() < 25


def test_a_corrected_frame_is_followed_into_a_matte_of_frames(clips: Path, tmp_path: Path) -> None:
    out = tmp_path / "mattes"
    word = f"0={clips / 'first.png'}"
    done = pochoir("video", clips / "ball.mp4", "-o", out, "--as", "matte", "--mask-frame", word, "--threads", 1)
    assert done.exit_code == 0, done.output
    frames = sorted(out.glob("*.png"))
    assert len(frames) == COUNT
    with Image.open(frames[0]) as first, Image.open(clips / "first.png") as given:
        assert np.abs(np.array(first.convert("L")).astype(int) - np.array(given)).mean() < 3
    redone = pochoir("redo", out, "-o", tmp_path / "again")
    assert redone.exit_code == 0, redone.output
    assert [path.read_bytes() for path in sorted((tmp_path / "again").iterdir())] == [
        path.read_bytes() for path in sorted(out.iterdir())
    ]


def test_a_part_is_painted_on_twos_at_a_smaller_size(clips: Path, tmp_path: Path, style_file: Path) -> None:
    out = tmp_path / "part.mov"
    options = ("--start", "0.25s", "--end", "0.75s", "--on", "2", "--size", "36", "--codec", "qtrle")
    done = pochoir("video", clips / "pan.mp4", "-o", out, *STYLE, style_file, *options, "--json")
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert (facts["frames"], facts["size"]) == (6, {"height": 24, "width": 36})
    shown = frames_of(out)
    assert [np.array_equal(shown[at], shown[at + 1]) for at in range(5)] == [True, False, True, False, True]


def test_several_videos_are_painted_into_a_folder(clips: Path, tmp_path: Path, style_file: Path) -> None:
    out = tmp_path / "films"
    options = (*STYLE, style_file, "--end", "0.3s", "--format", "gif", "--json")
    done = pochoir("video", clips, "-o", out, *options)
    assert done.exit_code == 0, done.output
    assert [json.loads(line)["status"] for line in done.stdout.splitlines()] == ["saved", "saved"]
    assert sorted(path.name for path in out.glob("*.gif")) == ["ball.gif", "pan.gif"]
    again = pochoir("video", clips, "-o", out, *options)
    assert [json.loads(line)["status"] for line in again.stdout.splitlines()] == ["skipped", "skipped"]


def test_animated_pictures_in_a_folder_are_videos_and_stills_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    first, second = map(Image.fromarray, pan(2))
    for suffix in ("webp", "png", "avif", "gif"):
        first.save(folder / f"pan.{suffix}", save_all=True, append_images=[second], duration=100)
    Image.fromarray(pan(1)[0]).save(folder / "still.png")
    done = pochoir("video", folder, "-o", tmp_path / "mattes", "--as", "matte", "--format", "gif", "--json")
    assert done.exit_code == 0, done.output
    assert [json.loads(line)["status"] for line in done.stdout.splitlines()] == ["saved"] * 4
    assert "passed over 1 file that pochoir cannot read as a video: still.png" in done.stderr


def test_a_preview_shows_five_frames_and_what_the_film_will_cost(clips: Path, tmp_path: Path, style_file: Path) -> None:
    out = tmp_path / "sheet.png"
    done = pochoir("video", clips / "pan.mp4", "-o", out, *STYLE, style_file, "--preview", "--json")
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert facts["frames"] == COUNT
    assert facts["keys"] == 3
    assert facts["seconds"] > 0
    with Image.open(out) as sheet:
        assert sheet.width > 3 * 64
    assert not list(tmp_path.glob(".*"))


# ---- what stops on the way


def test_redo_of_a_film_says_that_a_built_in_style_is_drawn_differently(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.mp4"
    assert pochoir("video", clips / "pan.mp4", "-o", out, *STYLE, "mosaic").exit_code == 0
    drawn = dataclasses.replace(load_style("mosaic"), sha256="0" * 64)
    monkeypatch.setattr("pochoir.sources._load_newest", lambda name: drawn)
    refused = pochoir("redo", out, "-o", tmp_path / "new.mp4")
    assert refused.exit_code == 2
    assert "The built-in style mosaic is drawn differently now" in error_line(refused)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_a_killed_run_gives_a_film_so_far_and_resumes_to_the_same_bytes(
    clips: Path, tmp_path: Path, style_file: Path
) -> None:
    long = write(tmp_path / "long.mp4", pan(40, step_px=1))
    straight, out = tmp_path / "straight.mp4", tmp_path / "out.mp4"
    options = (*STYLE, style_file, "--keys", "3")
    process = start_tiny("video", long, "-o", out, *options, keys=4)
    parts = tmp_path / ".out.mp4.parts"
    process.kill()
    _, stderr = process.communicate()
    assert process.returncode == -signal.SIGKILL, stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.mp4.parts", "long.mp4", "style.png"]
    done = sorted(parts.rglob("key-*.png"))
    assert len(done) == 4
    done[2].write_bytes(done[2].read_bytes()[:100])
    other = pochoir("video", long, "-o", out, *STYLE, style_file, "--keys", "48", "--partial")
    assert "there is no interrupted run of this request" in error_line(other)  # and what is done stays

    partial = pochoir("video", long, "-o", out, *options, "--partial", "--json")
    assert partial.exit_code == 0, partial.output
    facts = json.loads(partial.stdout)
    assert facts["partial"] is True
    assert len(frames_of(out)) == facts["frames"] == 3

    resumed = pochoir("video", long, "-o", out, *options)
    assert resumed.exit_code == 0, resumed.output
    assert "resumed a run that was interrupted" in resumed.stderr
    assert not parts.exists()
    assert pochoir("video", long, "-o", straight, *options).exit_code == 0
    assert out.read_bytes() == straight.read_bytes()


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(tmp_path: Path, style_file: Path) -> None:
    long = write(tmp_path / "long.mp4", pan(60, step_px=1))
    out = tmp_path / "out.mp4"
    process = start_tiny("video", long, "-o", out, *STYLE, style_file, "--keys", "2", keys=2)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 130, stderr
    assert "what is done is kept; repeat the command to go on" in stderr
    assert "Traceback" not in stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.mp4.parts", "long.mp4", "style.png"]


def test_a_full_disk_is_said_and_leaves_no_part_of_a_film(
    clips: Path, tmp_path: Path, style_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("PIL.Image.Image.save", fail)
    full = pochoir("video", clips / "pan.mp4", "-o", tmp_path / "out.mp4", *STYLE, style_file)
    assert full.exit_code == 1
    assert "No space left on device" in error_line(full)
    assert not (tmp_path / "out.mp4").exists()


def test_very_long_work_is_agreed_to_first(
    clips: Path, tmp_path: Path, style_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filming, "measure", lambda painted: Speed(0.0, 3600.0, 0.0))
    out, command = tmp_path / "out.mp4", ("video", clips / "pan.mp4", "-o", tmp_path / "out.mp4", *STYLE, style_file)
    refused = pochoir(*command)
    assert refused.exit_code == 2
    assert "takes about" in error_line(refused)
    assert "(--yes)" in error_line(refused)
    assert not out.exists()
    assert pochoir(*command, "--end", "0.3s", "--yes").exit_code == 0


def test_a_time_limit_takes_fewer_steps_and_is_redone_alike(
    clips: Path, tmp_path: Path, style_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filming, "measure", lambda painted: Speed(0.0, 1.0, 0.0))
    out, again = tmp_path / "out.mp4", tmp_path / "again.mp4"
    options = ("--style", style_file, "--threads", 1, "--end", "0.4s", "--time", "20s")
    done = pochoir("video", clips / "pan.mp4", "-o", out, *options)
    assert done.exit_code == 0, done.output
    assert done.stderr.count("of 36 steps for the first key, so that the time is kept") == 1
    assert pochoir("redo", out, "-o", again).exit_code == 0
    assert again.read_bytes() == out.read_bytes()


# ---- what cannot be used


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("missing.mp4", ("--style", "mosaic"), "there is no such file"),
        ("text.mp4", ("--style", "mosaic"), "it is damaged, or not a video"),
        ("empty.mp4", ("--style", "mosaic"), "the file is empty"),
        ("still.png", ("--style", "mosaic"), "is a still picture; use: pochoir stylize"),
        ("pan.mp4", (), "Nothing is to be painted: give a --style"),
        ("pan.mp4", ("--style", "mosiac"), "Did you mean 'mosaic'?"),
        ("pan.mp4", ("--style", "mosaic", "--start", "9s"), "it lasts 1.17 s"),
        ("pan.mp4", ("--style", "mosaic", "--start", "1s", "--end", "0.5s"), "has to be later than its start (1s)"),
        ("pan.mp4", ("--style", "mosaic", "--keys", "0"), "Keys are auto, or 1 to 48 frames apart"),
        ("pan.mp4", ("--style", "mosaic", "--on", "99"), "on must be between 1 and 12; got 99."),
        ("pan.mp4", ("--style", "mosaic", "--codec", "h265"), "Unknown codec 'h265'"),
        ("pan.mp4", ("--style", "mosaic", "--codec", "vp9", "-o", "out.mov"), ".mov cannot hold vp9"),
        ("pan.mp4", ("--as", "cutout"), ".mp4 holds no transparency"),
        ("pan.mp4", ("--as", "film"), "Unknown form of a video 'film'"),
        ("pan.mp4", ("--as", "matte", "--style", "mosaic"), "A matte has no style"),
        ("pan.mp4", ("--subject-style", "mosaic", "--mask-frame", "14=a.png"), "There is no frame 14 to correct"),
        (
            "pan.mp4",
            ("--as", "matte", "--keep-points", "2=999,2"),
            "frame 2 cannot be used. keep points: 999,2 lies",
        ),
        ("pan.mp4", ("--as", "matte", "--jobs", "-1"), "--jobs takes 1 to 256"),
        ("pan.mp4", ("--as", "matte", "--box", "0=999,2,5,5"), "lies outside the photo"),
        (
            "pan.mp4",
            ("--as", "matte", "--on", "2", "--box", "2=1,1,5,5", "--box", "3=1,1,6,6"),
            "Frames 2 and 3 show one",
        ),
        (
            "pan.mp4",
            ("--as", "matte", "--keep-points", "1=5,5", "--drop-points", "1=5,5"),
            "correction of frame 1 cannot be used. Keep and drop lie on the same pixels",
        ),
        ("pan.mp4", ("--subject-style", "mosaic", "--mask-frame", "a.png"), "such as 12=matte.png; got 'a.png'"),
        ("pan.mp4", ("--style", "mosaic", "-o", "out.txt"), "Cannot tell the format"),
        ("pan.mp4", ("--style", "mosaic", "-o", "pan.mp4"), "is an input and would be overwritten"),
        ("pan.mp4", ("--style", "mosaic", "-o", "still.png"), "was not made by pochoir video"),
        ("pan.mp4", ("--style", "mosaic", "-o", "-"), "not to standard output"),
        ("pan.mp4", ("--style", "mosaic", "-o", "no/out.mp4"), "does not exist; make it first"),
        ("pan.mp4", ("--style", "mosaic", "-o", "no/frames"), "does not exist; make it first"),
        (
            "pan.mp4",
            ("--as", "matte", "--size", "16", "--keep-points", "1=40,20", "--drop-points", "1=42,20"),
            "correction of frame 1 cannot be used at 16x11 pixels. Keep and drop lie on the same pixels",
        ),
        ("pan.mp4", ("--style", "mosaic", "--partial"), "No frame of 'out.mp4' is done"),
    ],
)
def test_bad_input_gets_one_line(
    clips: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    options: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.mp4").write_text("hello")
    Path("empty.mp4").touch()
    Image.new("RGB", (8, 8)).save("still.png")
    Path("pan.mp4").write_bytes((clips / "pan.mp4").read_bytes())
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    output = () if "-o" in options else ("-o", "out.mp4")
    result = pochoir("video", name, *output, *options)
    assert result.exit_code == 2, result.output
    assert message in error_line(result)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".avif", ".heic"])
@pytest.mark.parametrize("options", [("--style", "mosaic"), ("--as", "matte"), ("--style", "mosaic", "--preview")])
def test_without_pyav_a_still_picture_is_sent_to_stylize(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, options: tuple[str, ...]
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    still, out = tmp_path / f"photo{suffix}", tmp_path / ("sheet.png" if "--preview" in options else "out.mp4")
    if suffix == ".heic":
        still.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    else:
        Image.new("RGB", (64, 48), "teal").save(still)
    result = pochoir("video", still, "-o", out, *options)
    assert result.exit_code == 2
    assert error_line(result) == f"'{still}' is a still picture; use: pochoir stylize"
    assert list(tmp_path.iterdir()) == [still]


def test_without_pyav_the_extra_is_named(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    result = pochoir("video", clips / "pan.mp4", "-o", tmp_path / "out.gif", "--style", "mosaic")
    assert result.exit_code == 1
    assert "pip install 'pochoir[video]'" in error_line(result)
