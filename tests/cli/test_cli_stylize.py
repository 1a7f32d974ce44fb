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

from pochoir import imaging
from pochoir.cli import running
from pochoir.recipe import Recipe
from pochoir.sources import load_style
from support.program import LISTEN, PROGRAM, error_line, pochoir, run_program

pytestmark = pytest.mark.weights

QUICK = ("--size", "64", "--steps", "2", "--threads", "1")


def pixels(path: Path) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    with Image.open(path) as image:
        return np.asarray(image)


def test_one_style_for_the_whole_picture(photo_file: Path, style_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    result = pochoir("stylize", photo_file, "-o", out, "--style", style_file, *QUICK)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"Saved {out} (64x48) after ")
    assert pixels(out).shape == (48, 64, 3)
    assert np.abs(pixels(out).astype(int) - pixels(photo_file)).mean() > 2


def test_a_region_without_a_style_is_the_photos_to_the_last_bit(
    photo_file: Path, mask_file: Path, style_file: Path, tmp_path: Path
) -> None:
    out, photo, inside = tmp_path / "out.png", pixels(photo_file), pixels(mask_file) == 255
    common = [photo_file, "-o", out, "--mask", mask_file, *QUICK]
    assert pochoir("stylize", *common, "--subject-style", style_file).exit_code == 0
    assert (pixels(out)[~inside] == photo[~inside]).all()
    assert (pixels(out)[inside] != photo[inside]).any(axis=-1).mean() > 0.5
    assert pochoir("stylize", *common, "--background-style", style_file, "--force").exit_code == 0
    assert (pixels(out)[inside] == photo[inside]).all()
    assert (pixels(out)[~inside] != photo[~inside]).any(axis=-1).mean() > 0.5


def test_a_transparent_backdrop_gives_alpha(
    photo_file: Path, mask_file: Path, style_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.webp"
    style = ("--subject-style", style_file, "--backdrop", "transparent")
    result = pochoir("stylize", photo_file, "-o", out, "--mask", mask_file, *style, *QUICK)
    assert result.exit_code == 0, result.output
    assert (pixels(out)[..., 3] == pixels(mask_file)).all()


def test_json_is_one_line_with_everything(photo_file: Path, style_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jpg"
    result = pochoir(
        "stylize", photo_file, "-o", out, "--style", f"{style_file}:2", "--style", "mosaic", "--json", *QUICK
    )
    assert result.exit_code == 0, result.output
    assert result.stdout.count("\n") == 1
    told = json.loads(result.stdout)
    assert told["outputs"] == [str(out)]
    assert told["size"] == {"height": 48, "width": 64}
    assert told["losses"]["total"] > 0
    assert told["timings"]["paint"] > 0
    assert told["notes"] == []
    assert told["seed"] == 0
    assert told["recipe"]["style"] == [f"{style_file}:2", "mosaic"]
    assert Recipe.from_dict(told["recipe"]).steps == 2


def test_quiet_says_nothing(photo_file: Path, style_file: Path, tmp_path: Path) -> None:
    result = pochoir("stylize", photo_file, "-o", tmp_path / "out.png", "--style", style_file, "-q", *QUICK)
    assert (result.exit_code, result.output) == (0, "")


def test_notes_are_told_on_stderr(photo_file: Path, style_file: Path, tmp_path: Path) -> None:
    with Image.open(photo_file) as image:
        image.convert("CMYK").save(tmp_path / "print.jpg")
    result = pochoir("stylize", tmp_path / "print.jpg", "-o", tmp_path / "out.png", "--style", style_file, *QUICK)
    assert result.exit_code == 0
    assert "note: print.jpg: CMYK" in result.stderr
    assert "note:" not in result.stdout


def test_save_steps_keeps_pictures_on_the_way(photo_file: Path, style_file: Path, tmp_path: Path) -> None:
    steps = tmp_path / "new" / "steps"
    result = pochoir(
        "stylize", photo_file, "-o", tmp_path / "out.png", "--style", style_file, "--save-steps", steps, *QUICK
    )
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in steps.iterdir()) == ["step-00001.png", "step-00002.png"]
    assert (pixels(steps / "step-00002.png") == pixels(tmp_path / "out.png")).all()


def test_steps_do_not_replace_an_input(photo_file: Path, style_file: Path, tmp_path: Path) -> None:
    start = tmp_path / "step-00001.png"
    start.write_bytes(photo_file.read_bytes())
    typed = ["stylize", photo_file, "-o", tmp_path / "out.png", "--style", style_file]
    arguments = [*typed, "--set", f"init={start}", *QUICK]
    result = pochoir(*arguments, "--save-steps", tmp_path)
    assert result.exit_code == 2
    assert "is an input and could be overwritten by --save-steps" in error_line(result)
    assert start.read_bytes() == photo_file.read_bytes()
    assert pochoir(*arguments, "--save-steps", tmp_path, "--force").exit_code == 0


def test_many_steps_leave_about_twenty_pictures(photo_file: Path, style_file: Path, tmp_path: Path) -> None:
    options = (
        "--size",
        "24",
        "--steps",
        "47",
        "--set",
        "style-layers=relu1_1",
        "--set",
        "content-layers=",
        "--threads",
        "1",
    )
    steps = tmp_path / "steps"
    result = pochoir(
        "stylize", photo_file, "-o", tmp_path / "out.png", "--style", style_file, "--save-steps", steps, *options
    )
    assert result.exit_code == 0, result.output
    assert len(list(steps.iterdir())) == 24
    assert (steps / "step-00047.png").exists()


def test_a_recipe_file_is_the_start(photo_file: Path, style_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "start.toml"
    file.write_text(f'style = ["{style_file.as_posix()}"]\nsize = 32\nsteps = 1\nthreads = 1\n')
    result = pochoir("stylize", photo_file, "-o", tmp_path / "out.png", "--recipe", file, "--size", "40", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["size"] == {"height": 30, "width": 40}


def test_choices_of_a_subject_that_nothing_looks_for_are_noted(
    photo_file: Path, style_file: Path, tmp_path: Path
) -> None:
    options = ("--style", style_file, "--subject", "1", "--box", "1,2,30,30", *QUICK)
    result = pochoir("stylize", photo_file, "-o", tmp_path / "out.png", *options)
    assert result.exit_code == 0
    assert "no subject is looked for, so this has no effect: subject, box" in " ".join(result.stderr.split())


def test_options_for_many_photos_are_noted_with_one(photo_file: Path, style_file: Path, tmp_path: Path) -> None:
    options = ("--style", style_file, "--cluster", "auto", *QUICK)
    result = pochoir("stylize", photo_file, "-o", tmp_path / "out.png", *options)
    assert result.exit_code == 0
    assert "one photo is worked on here, in this process: --cluster would share out several" in " ".join(
        result.stderr.split()
    )


def test_ctrl_c_after_a_scale_says_how_to_go_on(
    photo_file: Path, style_file: Path, tmp_path: Path, monkeypatch
) -> None:
    from pochoir import checkpoints

    write = checkpoints.write

    def write_and_stop(*args: object, **kwargs: object) -> None:
        write(*args, **kwargs)
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints, "write", write_and_stop)
    arguments = ("stylize", photo_file, "--style", style_file, "--size", "64", "--schedule", "1,2", "--threads", "1")
    result = pochoir(*arguments, "-o", tmp_path / "out.png")
    assert result.exit_code == 130
    assert "the unfinished painting is kept; repeat the command to go on" in result.stderr


def test_a_run_that_was_killed_goes_on(photo_file: Path, style_file: Path, tmp_path: Path, monkeypatch) -> None:
    from pochoir import checkpoints

    out, straight = tmp_path / "out.png", tmp_path / "straight.png"
    arguments = ("stylize", photo_file, "--style", style_file, "--size", "64", "--schedule", "1,2", "--threads", "1")
    assert pochoir(*arguments, "-o", straight).exit_code == 0
    write = checkpoints.write

    def write_and_die(*args: object, **kwargs: object) -> None:
        write(*args, **kwargs)
        raise SystemExit(9)

    monkeypatch.setattr(checkpoints, "write", write_and_die)
    assert pochoir(*arguments, "-o", out).exit_code == 9
    assert not out.exists()
    monkeypatch.setattr(checkpoints, "write", write)
    again = pochoir(*arguments, "-o", out)
    assert "note: resumed after 1 steps of a run that was interrupted" in again.stderr
    assert out.read_bytes() == straight.read_bytes()
    assert not checkpoints.path_beside(out).exists()


def test_redo_gives_the_same_bytes_and_recipe_tells_the_settings(
    photo_file: Path, mask_file: Path, style_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, new, elsewhere = tmp_path / "out.png", tmp_path / "new.png", tmp_path / "elsewhere"
    regions = ("--mask", mask_file, "--subject-style", style_file, "--background-style", "mosaic")
    monkeypatch.chdir(tmp_path)
    assert pochoir("stylize", "photo.png", "-o", out, *regions, "--seed", "5", *QUICK).exit_code == 0

    told = pochoir("recipe", out)
    file = tmp_path / "again.toml"
    file.write_text(told.stdout)
    assert Recipe.from_file(file) == Recipe.from_dict(json.loads(pochoir("recipe", out, "--json").stdout)["recipe"])
    assert Recipe.from_file(file).seed == 5

    assert pochoir("redo", out, "-o", new).exit_code == 0
    assert new.read_bytes() == out.read_bytes()

    # The inputs may have moved, as long as they are the same.
    elsewhere.mkdir()
    for path in (photo_file, mask_file, style_file):
        path.rename(elsewhere / path.name)
    monkeypatch.chdir(elsewhere.parent.parent)
    lost = pochoir("redo", out, "-o", new)
    assert lost.exit_code == 2
    assert "is not there any more; name its folder with --inputs DIR" in error_line(lost)
    nowhere = pochoir("redo", out, "-o", new, "--inputs", "nowhere")
    assert nowhere.exit_code == 2
    assert "There is no folder 'nowhere'" in error_line(nowhere)
    new.unlink()
    assert pochoir("redo", out, "-o", new, "--inputs", elsewhere).exit_code == 0
    assert new.read_bytes() == out.read_bytes()

    Image.new("RGB", (40, 56)).save(elsewhere / style_file.name)
    changed = pochoir("redo", out, "-o", new, "--inputs", elsewhere)
    assert changed.exit_code == 2
    assert "is not the file that made this picture: it changed" in error_line(changed)


def test_redo_says_that_a_built_in_style_is_drawn_differently(
    photo_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, new, file = tmp_path / "out.png", tmp_path / "new.png", tmp_path / "recipe.toml"
    assert pochoir("stylize", photo_file, "-o", out, "--style", "mosaic", *QUICK).exit_code == 0
    drawn = dataclasses.replace(load_style("mosaic"), sha256="0" * 64)
    monkeypatch.setattr("pochoir.sources._load_newest", lambda name: drawn)
    refused = pochoir("redo", out, "-o", new)
    assert refused.exit_code == 2
    assert "The built-in style mosaic is drawn differently now" in error_line(refused)
    assert not new.exists()
    file.write_text(pochoir("recipe", out).stdout)
    assert pochoir("stylize", photo_file, "-o", new, "--recipe", file).exit_code == 0  # as the message says


def test_parts_of_styles_and_settings_of_regions(
    photo_file: Path, mask_file: Path, style_file: Path, tmp_path: Path
) -> None:
    """As typed; told again by the picture's recipe, and made again to the last bit."""
    part, out, new = tmp_path / "part.png", tmp_path / "out.png", tmp_path / "new.png"
    mask = Image.new("L", (40, 56))
    mask.paste(255, (0, 0, 40, 28))
    mask.save(part)
    result = pochoir(
        *("stylize", photo_file, "-o", out, "--mask", mask_file, *QUICK),
        *("--subject-style", style_file, "--subject-style-mask", part, "--subject-color", "photo"),
        *("--background-style", "mosaic", "--background-strength", "0.8", "--set", "background-content-layers=relu3_1"),
    )
    assert result.exit_code == 0, result.output
    told = json.loads(pochoir("recipe", out, "--json").stdout)
    assert told["recipe"]["subject_style_mask"] == [str(part)]
    assert (told["recipe"]["subject_color"], told["recipe"]["background_strength"]) == ("photo", 0.8)
    assert "subject style mask" in {entry["role"] for entry in told["inputs"]}
    # The subject has the photo's colours: what was added is the same in red, green and blue.
    whole = (pixels(out) > 0).all(axis=-1) & (pixels(out) < 255).all(axis=-1) & (pixels(mask_file) == 255)
    added = (pixels(out).astype(int) - pixels(photo_file))[whole]
    assert np.ptp(added, axis=-1).max() <= 1
    assert pochoir("redo", out, "-o", new).exit_code == 0
    assert new.read_bytes() == out.read_bytes()
    replaced = pochoir("redo", out, "-o", part)
    assert replaced.exit_code == 2
    assert "is an input and would be overwritten" in error_line(replaced)


def test_a_white_style_mask_is_none_to_the_last_bit(photo_file: Path, style_file: Path, tmp_path: Path) -> None:
    white, plain, masked = tmp_path / "white.png", tmp_path / "plain.png", tmp_path / "masked.png"
    Image.new("L", (40, 56), 255).save(white)
    options = (photo_file, "--style", style_file, *QUICK)
    assert pochoir("stylize", *options, "-o", plain).exit_code == 0
    assert pochoir("stylize", *options, "-o", masked, "--style-mask", white).exit_code == 0
    assert (pixels(plain) == pixels(masked)).all()


def test_redo_does_not_replace_what_it_reads(photo_file: Path, style_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    assert pochoir("stylize", photo_file, "-o", out, "--style", style_file, *QUICK).exit_code == 0
    for target in (out, photo_file, style_file):
        before = target.read_bytes()
        result = pochoir("redo", out, "-o", target)
        assert result.exit_code == 2
        assert "is an input and would be overwritten" in error_line(result)
        assert target.read_bytes() == before
    assert pochoir("redo", out, "-o", out, "--force").exit_code == 0


@pytest.mark.parametrize("command", [["recipe"], ["redo", "-o", "new.png"]])
def test_a_picture_without_a_record_is_exit_2(photo_file: Path, command: list[str]) -> None:
    result = pochoir(*command, photo_file)
    assert result.exit_code == 2
    assert "holds no recipe" in error_line(result)


def test_a_record_of_something_else_is_exit_2(photo_file: Path, tmp_path: Path) -> None:
    imaging.save(tmp_path / "odd.png", imaging.load(photo_file).rgb, record='{"some": "thing"}')
    result = pochoir("recipe", tmp_path / "odd.png")
    assert result.exit_code == 2
    assert "not a record that pochoir wrote" in error_line(result)


def test_the_installed_program_paints(photo_file: Path, style_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    done = run_program("stylize", photo_file, "-o", out, "--style", style_file, *QUICK)
    assert (done.returncode, done.stderr) == (0, "")
    assert out.exists()


WAITING = """
import signal, time
from pochoir.jobs.kinds import paint

save = paint._save_step


def save_and_wait(job, step):
    save(job, step)
    handler = signal.getsignal(signal.SIGINT)
    while signal.getsignal(signal.SIGINT) is handler:  # until Ctrl-C has arrived, which may put another in its place
        time.sleep(0.01)


paint._save_step = save_and_wait
from pochoir.cli import running,  main

main()
"""
"""The program, but it waits after its first step until it is interrupted: it cannot end before."""


@pytest.mark.parametrize("keep", [False, True])
def test_ctrl_c_leaves_no_partial_file_and_the_best_picture_if_asked(
    photo_file: Path, style_file: Path, tmp_path: Path, keep: bool
) -> None:
    out, steps = tmp_path / "out.png", tmp_path / "steps"
    before = {path.name for path in tmp_path.iterdir()}
    options = ["--style", style_file, "--save-steps", steps, *QUICK, *(["--keep-interrupted"] if keep else [])]
    command = [sys.executable, "-c", WAITING, "stylize", photo_file, "-o", out, *options]
    with subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True, preexec_fn=LISTEN) as process:
        while not (steps / "step-00001.png").exists():
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert {path.name for path in tmp_path.iterdir()} - before - {"steps"} == ({"out.png"} if keep else set())
    if keep:
        assert "best picture so far" in stderr
        assert pixels(out).shape == (48, 64, 3)


@pytest.mark.skipif(sys.platform == "win32", reason="needs ulimit")
def test_a_full_disk_is_exit_1_and_leaves_nothing(photo_file: Path, style_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    before = set(tmp_path.iterdir())
    arguments = " ".join(map(str, ["stylize", photo_file, "-o", out, "--style", style_file, *QUICK]))
    done = subprocess.run(
        # No file may grow beyond 1024 bytes, as on a disk that is full.
        ["bash", "-c", f"ulimit -f 1; exec {PROGRAM} {arguments}"],
        capture_output=True,
        text=True,
        env=os.environ | {"POCHOIR_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: Cannot write")
    assert set(tmp_path.iterdir()) == before


def test_variations_make_a_sheet_and_tell_their_seeds(photo_file: Path, style_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "sheet.png"
    result = pochoir("stylize", photo_file, "-o", out, "--style", style_file, "--variations", "3", *QUICK)
    assert result.exit_code == 0, result.output
    assert "--seed" in result.stdout
    assert pixels(out).shape[1] > 2 * 256
    result = pochoir("stylize", tmp_path, "-o", tmp_path / "d", "--style", style_file, "--variations", "3", *QUICK)
    assert result.exit_code == 2
    assert "one photo" in error_line(result)


def test_limited_time_counts_from_the_start_of_the_program(photo_file: Path, style_file: Path, tmp_path: Path) -> None:
    """Importing torch takes seconds of it on a busy machine."""
    typed = ["stylize", photo_file, "--style", style_file, "--time", "60s", "--size", "64", "--steps", "30"]
    done = []
    for name, ago_s in (("early", 0.0), ("late", 59.5)):
        token = running.started_s.set(time.monotonic() - ago_s)
        try:
            result = pochoir(*typed, "-o", tmp_path / f"{name}.png")
        finally:
            running.started_s.reset(token)
        assert result.exit_code == 0, result.output
        done.append("time was up" in result.stderr)
    assert done == [False, True]
