import csv
import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from pochoir import imaging
from support.program import error_line, pochoir, start_program

pytestmark = pytest.mark.weights

SMALL = ("--size", "32", "--steps", "2", "--threads", "1")
LONG = ("--size", "32", "--steps", "30", "--threads", "1", "--grid", "seed=0,1,2,3")


def saved(folder: Path) -> list[Path]:
    pictures = folder / "pictures"
    return sorted(path for path in pictures.glob("*.png") if imaging.is_intact(path)) if pictures.exists() else []


def measured(folder: Path) -> list[Path]:
    return sorted((folder / "measured").glob("*.json"))


def test_as_typed(photo_file: Path, style_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "sweep"
    typed = ["sweep", photo_file, "--style", style_file, "--grid", "style-weight=1,100", "-o", out, *SMALL]
    result = pochoir(*typed)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"Painted 2 pictures. See {out / 'index.html'}\n"
    with (out / "runs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(saved(out)) == 2
    for row in rows:
        assert 0 < float(row["content_distance"]) < 1
        assert 0 < float(row["style_distance"]) < 1
    assert pochoir("recipe", saved(out)[0]).exit_code == 0
    before = [path.stat().st_mtime_ns for path in saved(out)]
    again = pochoir(*typed)
    assert again.stdout == f"Painted 0 pictures, 2 were up to date. See {out / 'index.html'}\n"
    assert [path.stat().st_mtime_ns for path in saved(out)] == before


def test_json_has_a_line_for_each_run(photo_file: Path, tmp_path: Path) -> None:
    typed = ["sweep", photo_file, "--style", "mosaic", "--style", "hatching", "-o", tmp_path / "out", *SMALL, "--json"]
    told = [json.loads(line) for line in pochoir(*typed).stdout.splitlines()]
    assert [(each["style"], each["status"]) for each in told] == [("mosaic", "saved"), ("hatching", "saved")]
    assert all(Path(each["picture"]).is_file() for each in told)
    assert pochoir(*typed[:-1], "--quiet").output == ""


def test_several_jobs_paint_the_same_pictures(photo_file: Path, tmp_path: Path) -> None:
    typed = ["sweep", photo_file, "--style", "mosaic", "--grid", "seed=0,1,2", "--set", "init=noise", *SMALL]
    for jobs in (1, 2):
        result = pochoir(*typed, "--jobs", jobs, "-o", tmp_path / str(jobs))
        assert result.exit_code == 0, result.output
    one, two = (sorted((tmp_path / str(jobs) / "pictures").iterdir()) for jobs in (1, 2))
    assert [path.name for path in one] == [path.name for path in two]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_keeps_what_is_done(photo_file: Path, tmp_path: Path, jobs: int) -> None:
    out = tmp_path / "out"
    typed = ["sweep", photo_file, "--style", "mosaic", "-o", out, "--set", "init=noise", *LONG, "--jobs", str(jobs)]
    process = start_program(*typed)
    wait_for_a_run(process, out)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    done = measured(out)
    assert 1 <= len(done) <= len(saved(out))
    assert f"{len(done)} of 4 runs are done" in (out / "index.html").read_text()


def test_a_kill_loses_only_the_run_at_hand(photo_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    typed = ["sweep", photo_file, "--style", "mosaic", "-o", out, "--set", "init=noise", *LONG]
    process = start_program(*typed)
    wait_for_a_run(process, out)
    process.kill()
    process.communicate(timeout=60)
    done = len(saved(out))
    result = pochoir(*typed)
    up_to_date = f", {done} were up to date" if done else ""
    assert result.stdout.startswith(f"Painted {4 - done} pictures{up_to_date}.")


def wait_for_a_run(process: "subprocess.Popen[str]", out: Path) -> None:
    deadline = time.monotonic() + 90
    while not measured(out):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--grid", "style-wieght=1,2"], "Unknown field to sweep 'style-wieght'. Did you mean 'style-weight'?"),
        (["--grid", "seed="], "The grid of seed is empty"),
        (["--grid", "style-weight=1,-5"], "style_weight must be between 0 and"),
        (["--grid", "pooling=max,mean"], "Unknown pooling 'mean'"),
        (["--grid", "style=mosaic,hatching"], "Give each style with --style S"),
        ([], "There is nothing to sweep"),
        (["--grid", "seed=1,2", "--jobs", "-1"], "--jobs takes 1 to 256"),
        (["--grid", "seed=1,2", "--content-weight", "-1"], "content_weight must be between"),
        (["--grid", "seed=1,2", "--style", "mozaic"], "Unknown style 'mozaic'"),
    ],
)
def test_wrong_input_is_exit_2_before_the_first_run(
    photo_file: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    out = tmp_path / "out"
    result = pochoir("sweep", photo_file, "--style", "hatching", "-o", out, *SMALL, *options)
    assert result.exit_code == 2, result.output
    assert message in error_line(result)
    assert not list(out.glob("**/*.png"))


def test_a_style_is_needed_and_missing_weights_are_exit_3(
    photo_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = ["sweep", photo_file, "-o", tmp_path / "out", "--grid", "seed=0,1"]
    result = pochoir(*typed)
    assert (result.exit_code, "A sweep needs a style: --style S" in error_line(result)) == (2, True)
    monkeypatch.setenv("POCHOIR_HOME", str(tmp_path / "empty"))
    assert pochoir(*typed, "--style", "mosaic").exit_code == 3
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_folders_place_is_told(photo_file: Path) -> None:
    result = pochoir("sweep", photo_file, "--style", "mosaic", "--grid", "seed=0,1", "-o", photo_file)
    assert result.exit_code == 2
    assert "Cannot make the folder" in error_line(result)
