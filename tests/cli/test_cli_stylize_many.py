"""Many photos painted by one command: grids of styles, kills, two processes on one folder, folders that fill up."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pochoir.errors import OptionError
from pochoir.jobs import Store
from support.program import LISTEN, PROGRAM, error_line, pochoir, run_program, start_program

pytestmark = pytest.mark.weights


def draw(path: Path, number: int, size: tuple[int, int] = (40, 32)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(number).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)


@pytest.fixture
def quick(tmp_path: Path, style_file: Path) -> tuple[str, str]:
    """Options of a painting that takes a moment."""
    file = tmp_path / "quick.toml"
    file.write_text(
        f'style = ["{style_file.as_posix()}"]\nsize = 32\nsteps = 1\nthreads = 1\n'
        'style_layers = ["relu1_1"]\ncontent_layers = []\n'
    )
    return "--recipe", str(file)


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Three photos, one of them in a folder below."""
    for number, name in enumerate(("a.png", "b.png", "below/c.png")):
        draw(tmp_path / "album" / name, number)
    return tmp_path / "album"


def written(folder: Path) -> list[str]:
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in paths if not path.parts[0].startswith("."))


def statuses(text: str) -> Counter[str]:
    return Counter(str(json.loads(line)["status"]) for line in text.splitlines())


def times(folder: Path) -> dict[str, int]:
    return {name: (folder / name).stat().st_mtime_ns for name in written(folder)}


def are_whole(folder: Path) -> bool:
    for name in written(folder):
        with Image.open(folder / name) as image:
            image.load()
    return True


def test_a_folder_is_mirrored_and_skipped_the_second_time(album: Path, tmp_path: Path, quick: tuple[str, str]) -> None:
    out = tmp_path / "out"
    result = pochoir("stylize", album, "-o", out, *quick)
    assert (result.exit_code, result.stdout) == (0, "Saved 3.\n"), result.output
    assert written(out) == ["a.png", "b.png", "below/c.png"]
    before = times(out)
    single = tmp_path / "single.png"
    assert pochoir("stylize", album / "a.png", "-o", single, *quick).exit_code == 0
    assert single.read_bytes() == (out / "a.png").read_bytes()
    again = pochoir("stylize", album, "-o", out, *quick)
    assert (again.exit_code, again.stdout) == (0, "Saved 0, 3 were there already.\n")
    assert times(out) == before


def test_several_styles_make_a_grid(album: Path, tmp_path: Path, quick: tuple[str, str], style_file: Path) -> None:
    out = tmp_path / "out"
    styles = ("--each-style", style_file, "--each-style", "ink-wash")
    result = pochoir("stylize", album / "*.png", "-o", out, *styles, *quick, "--format", "jpg")
    assert result.exit_code == 0, result.output
    names = ["a-ink-wash.jpg", "a-style.jpg", "b-ink-wash.jpg", "b-style.jpg"]
    assert written(out) == sorted([*names, *(f"{name}.json" for name in names)])
    first, second = ((out / name).read_bytes() for name in names[:2])
    assert first != second


def test_one_photo_in_several_recipes(album: Path, tmp_path: Path, quick: tuple[str, str]) -> None:
    other = tmp_path / "other.toml"
    other.write_text(Path(quick[1]).read_text().replace("steps = 1", "steps = 2"))
    result = pochoir("stylize", album / "a.png", "-o", tmp_path / "out", *quick, "--recipe", other)
    assert result.exit_code == 0, result.output
    assert written(tmp_path / "out") == ["a-other.png", "a-quick.png"]


def test_a_bad_file_does_not_stop_the_rest(album: Path, tmp_path: Path, quick: tuple[str, str]) -> None:
    (album / "b.png").write_text("no picture")
    with Image.open(album / "a.png") as image:
        image.convert("CMYK").save(album / "d.jpg")
    result = pochoir("stylize", album, tmp_path / "missing.png", "-o", tmp_path / "out", *quick)
    assert (result.exit_code, result.stdout) == (1, "Saved 3, 2 failed.\n")
    lines = result.stderr.splitlines()
    failed = [line for line in lines if line.startswith("failed: ")]
    assert len(failed) == 2
    assert any("b.png" in line and "not a picture" in line for line in failed)
    assert any("missing.png" in line and "no such file" in line for line in failed)
    assert "CMYK" in lines[-1]  # notes come at the end
    assert lines[-1].startswith(f"note: {album / 'd.jpg'}: ")
    assert lines[-1].count("d.jpg") == 1
    for path in (*album.rglob("*.png"), album / "d.jpg"):
        path.write_bytes(b"")
    result = pochoir("stylize", album, "-o", tmp_path / "none", *quick, "--json")
    assert result.exit_code == 2
    assert statuses(result.stdout) == {"failed": 4}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--each-style", "mosaic", "--style", "mosaic"], "--style blends styles into one picture"),
        (["--each-style", "mosaik"], "Did you mean 'mosaic'"),
        (["--each-style", "none.png"], "none.png does not exist"),
        (["--style", "mosaic", "--jobs", "300"], "--jobs takes 1 to 256"),
        (["--style", "mosaic", "--executor", "thread"], "Did you mean 'threads'"),
        (["--style", "mosaic", "--executor", "serial", "--cluster", "auto"], "--cluster needs the executor ray"),
        (["--style", "mosaic", "--executor", "serial", "--jobs", "2"], "runs one job at a time; got 2 workers"),
        (["--style", "mosaic", "--save-steps", "steps"], "--save-steps is for one photo"),
        (["--style", "mosaic", "--format", "gif"], "Unknown format 'gif'"),
        (["--style", "mosaic", "--recipe", "none.toml"], "Cannot read the recipe none.toml"),
        (["--style", "mosaic", "--backdrop", "transparent", "--format", "jpg"], "transparency, which JPEG cannot"),
    ],
)
def test_wrong_options_are_told_before_anything_is_written(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = pochoir("stylize", "album", "-o", "out", *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("names", "out", "message"),
    [
        (["album"], "out.png", "'album' means many photos, so -o takes a folder"),
        (["album/a.png", "album/b.png"], "out.png", "2 photos are given, so -o takes a folder"),
        (["album/a.png", "-"], "out", "Standard input is one photo"),
        (["album"], "-", "Standard output takes one picture"),
        (["album/*.gif"], "out", "There is no picture in 'album/*.gif'"),
    ],
)
def test_wrong_names(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: list[str], out: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = pochoir("stylize", *names, "-o", out, "--style", "mosaic")
    assert result.exit_code == 2
    assert message in error_line(result)


def test_missing_weights_end_it_at_once(
    album: Path, tmp_path: Path, quick: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POCHOIR_HOME", str(tmp_path / "empty"))
    result = pochoir("stylize", album, "-o", tmp_path / "out", *quick)
    assert result.exit_code == 3
    assert error_line(result).endswith("pochoir models pull vgg19")
    assert written(tmp_path / "out") == []


def test_standard_input_and_output(album: Path, tmp_path: Path, quick: tuple[str, str]) -> None:
    plain = tmp_path / "plain.png"
    assert pochoir("stylize", album / "a.png", "-o", plain, *quick).exit_code == 0
    command = [str(PROGRAM), "stylize", "-", "-o", "-", *quick]
    done = subprocess.run(command, input=(album / "a.png").read_bytes(), capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (tmp_path / "piped.png").write_bytes(done.stdout)
    with Image.open(plain) as expected, Image.open(tmp_path / "piped.png") as piped:
        assert (np.asarray(piped) == np.asarray(expected)).all()
    empty = subprocess.run(command, input=b"", capture_output=True, timeout=120)
    assert empty.returncode == 2
    assert b"no picture on standard input" in empty.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems take no such names")
def test_names_that_are_not_utf_8(album: Path, tmp_path: Path, quick: tuple[str, str]) -> None:
    name = os.fsdecode(os.fsencode(album) + b"/\xff.png")
    (album / "a.png").rename(name)
    done = run_program("stylize", name, "-o", os.fsdecode(os.fsencode(tmp_path) + b"/\xfe.png"), *quick)
    assert done.returncode == 0, done.stderr
    done = run_program("stylize", album, "-o", tmp_path / "out", *quick, "--executor", "processes", "--jobs", "1")
    assert (done.returncode, done.stdout) == (0, "Saved 3.\n"), done.stderr
    assert b"\xff.png" in {os.fsencode(path.name) for path in (tmp_path / "out").iterdir()}


class TestKills:
    COUNT = 40

    @pytest.fixture
    def many(self, tmp_path: Path) -> Path:
        for number in range(self.COUNT):
            draw(tmp_path / "many" / f"{number:02}.png", number, (32 + number % 17, 32))
        return tmp_path / "many"

    def test_forty_photos_killed_at_a_third(self, many: Path, tmp_path: Path, quick: tuple[str, str]) -> None:
        out = tmp_path / "out"
        with start_program("stylize", many, "-o", out, *quick, "--json") as process:
            assert process.stdout is not None
            for _ in range(self.COUNT // 3):
                assert json.loads(process.stdout.readline())["status"] == "saved"
            process.kill()
        before = times(out)
        assert self.COUNT // 3 <= len(before) < self.COUNT
        assert are_whole(out)
        again = pochoir("stylize", many, "-o", out, *quick, "--json")
        assert again.exit_code == 0, again.output
        assert statuses(again.stdout) == {"skipped": len(before), "saved": self.COUNT - len(before)}
        assert {name: when for name, when in times(out).items() if name in before} == before
        assert len(written(out)) == self.COUNT
        assert are_whole(out)

    def test_two_processes_on_one_folder(self, many: Path, tmp_path: Path, quick: tuple[str, str]) -> None:
        out = tmp_path / "out"
        processes = [start_program("stylize", many, "-o", out, *quick, "--json") for _ in range(2)]
        printed = [process.communicate(timeout=120)[0] for process in processes]
        assert [process.returncode for process in processes] == [0, 0]
        counts = [statuses(text) for text in printed]
        assert sum(each["saved"] for each in counts) == self.COUNT
        assert all(each.total() == self.COUNT for each in counts)
        with Store.in_folder(out) as store:
            saved = [event.job for _, event in store.events() if event.kind == "saved"]
        assert len(saved) == len(set(saved)) == self.COUNT

    def test_a_painting_that_was_killed_resumes_in_the_batch(self, album: Path, tmp_path: Path) -> None:
        recipe = tmp_path / "slow.toml"
        recipe.write_text('style = ["mosaic"]\nsize = 64\nschedule = [1, 2]\nthreads = 1\nstyle_layers = ["relu1_1"]\n')
        draw(album / "a.png", 1, (64, 48))
        code = (
            "import os\nfrom pochoir import checkpoints\nwrite = checkpoints.write\n"
            "def write_and_die(*a, **k):\n    write(*a, **k)\n    os.kill(os.getpid(), 9)\n"
            "checkpoints.write = write_and_die\nfrom pochoir.cli import main\nmain()\n"
        )
        out = tmp_path / "out"
        arguments = ["stylize", str(album), "-o", str(out), "--recipe", str(recipe)]
        killed = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, timeout=120)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert written(out) == []
        result = pochoir(*arguments)
        assert (result.exit_code, result.stdout) == (0, "Saved 3.\n"), result.output
        assert "a.png: resumed after 1 steps of a run that was interrupted" in result.stderr
        straight = pochoir("stylize", album / "a.png", "-o", tmp_path / "straight.png", "--recipe", recipe)
        assert straight.exit_code == 0
        assert (out / "a.png").read_bytes() == (tmp_path / "straight.png").read_bytes()
        assert not list(out.glob(".*.partial"))


@pytest.mark.parametrize("keep", [False, True])
def test_ctrl_c_ends_a_batch(album: Path, tmp_path: Path, quick: tuple[str, str], keep: bool) -> None:
    waiting = """
import signal, time
from pochoir.jobs.kinds import paint

save = paint._save_step


def save_and_wait(job, step):
    if job.photo.endswith("b.png"):
        handler = signal.getsignal(signal.SIGINT)
        print("waiting", flush=True)
        while signal.getsignal(signal.SIGINT) is handler:
            time.sleep(0.01)


paint._save_step = save_and_wait
from pochoir.cli import main

main()
"""
    out = tmp_path / "out"
    recipe = Path(quick[1])
    recipe.write_text(recipe.read_text().replace("steps = 1", "steps = 3"))
    options = [*quick, *(["--keep-interrupted"] if keep else [])]
    command = [sys.executable, "-c", waiting, "stylize", str(album), "-o", str(out), *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=LISTEN
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert written(out) == (["a.png", "b.png"] if keep else ["a.png"])
    if keep:
        assert "b.png: interrupted: this is the best picture so far" in stderr


class TestWatch:
    def test_once_paints_what_is_there(self, album: Path, tmp_path: Path, quick: tuple[str, str]) -> None:
        out = tmp_path / "out"
        result = pochoir("watch", album, "-o", out, *quick, "--once", "--settle", "0")
        assert (result.exit_code, result.stdout) == (0, "Saved 3.\n"), result.output
        assert written(out) == ["a.png", "b.png", "below/c.png"]
        (album / "b.png").write_text("no picture")
        (out / "b.png").unlink()
        result = pochoir("watch", album, "-o", out, *quick, "--once", "--settle", "0")
        assert (result.exit_code, result.stdout) == (1, "Saved 0, 2 were there already, 1 failed.\n")

    def test_photos_are_painted_as_they_arrive_until_ctrl_c(
        self, album: Path, tmp_path: Path, quick: tuple[str, str]
    ) -> None:
        out = tmp_path / "out"
        with start_program("watch", album, "-o", out, *quick, "--settle", "0.2") as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "Saved 3.\n"
            shutil.copy(album / "a.png", album / "late.png")
            assert process.stdout.readline() == "Saved 1.\n"
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=60)
        assert process.returncode == 0, stderr
        assert "note: stopped" in stderr
        assert written(out) == ["a.png", "b.png", "below/c.png", "late.png"]

    @pytest.mark.parametrize(
        ("folder", "options", "message"),
        [
            ("none", [], "there is no such folder"),
            ("album", ["--settle", "-1"], "--settle takes 0 to 3600 seconds; got -1."),
            ("album", ["-o", "album/a.png"], "-o takes a folder"),
            ("album", ["--format", "gif"], "Unknown format 'gif'"),
        ],
    )
    def test_wrong_words(
        self, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, options: list[str],
        message: str,
    ) -> None:  # fmt: skip
        monkeypatch.chdir(tmp_path)
        result = pochoir("watch", folder, "-o", "out", "--style", "mosaic", "--once", *options)
        assert result.exit_code == 2
        assert message in error_line(result)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ("serial", None, None)),
        (["--jobs", "1"], ("serial", 1, None)),
        (["--jobs", "3", "--threads", "2"], ("processes", 3, 2)),
        (["--executor", "threads"], ("threads", None, None)),
        (["--cluster", "auto"], ("ray", None, None)),
        (["--cluster", "10.0.0.1:6379", "--jobs", "5"], ("ray", 5, None)),
    ],
)
def test_the_place_that_is_typed(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], expected: tuple[object, ...]
) -> None:
    asked = []

    def create(name: str, *_: object, workers: int | None, threads: int | None, address: str) -> None:
        asked.append((name, workers, threads))
        raise OptionError(f"asked at {address}")

    monkeypatch.setattr("pochoir.jobs.create_executor", create)
    result = pochoir("stylize", album, "-o", tmp_path / "out", "--style", "mosaic", *options)
    assert error_line(result) == f"asked at {options[1] if '--cluster' in options else 'auto'}"
    assert asked == [expected]
