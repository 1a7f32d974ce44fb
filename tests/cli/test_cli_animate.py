"""``pochoir animate`` and ``redo`` of clips, through the command line."""

import json
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from support.cutouts import draw_person, paint, person_rig
from support.program import pochoir, start_program


@pytest.fixture
def cutout(tmp_path: Path) -> Path:
    layer = paint(draw_person())
    straight = np.where(layer[..., 3:] > 0, layer[..., :3] / np.maximum(layer[..., 3:], 1e-6), 0)
    path = tmp_path / "person.png"
    Image.fromarray(np.rint(np.dstack([straight, layer[..., 3]]) * 255).astype(np.uint8)).save(path)
    return path


def test_motions_are_listed_with_what_they_move() -> None:
    shown = pochoir("animate", "--list")
    assert shown.exit_code == 0
    lines = {line.split()[0]: line for line in shown.stdout.splitlines() if line.strip()}
    assert "people" in lines["wave"]
    assert "anything" in lines["nod"]
    assert "--towards" in lines["waddle"]


def test_a_clip_is_written_and_made_again(cutout: Path, tmp_path: Path) -> None:
    out, again = tmp_path / "clip.webp", tmp_path / "again.webp"
    options = ["--motion", "nod:0.5", "--motion", "breathe", "--duration", "0.5s", "--on", "2"]
    done = pochoir("animate", cutout, "-o", out, *options, "--json")
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert facts["frames"] == 12
    assert facts["transparent"] is True
    again_done = pochoir("animate", cutout, "-o", out, *options)
    assert "is up to date" in again_done.output
    other = pochoir("animate", cutout, "-o", out, "--duration", "0.5s")
    assert other.exit_code == 2
    assert "is another clip" in other.output
    with Image.open(out) as image:
        assert image.n_frames <= 12  # equal frames are shown longer
    redone = pochoir("redo", out, "-o", again)
    assert redone.exit_code == 0, redone.output
    assert out.read_bytes() == again.read_bytes()
    assert pochoir("recipe", out).stdout.startswith("size = ") or "style" in pochoir("recipe", out).stdout
    refused = pochoir("redo", out, "-o", out)
    assert refused.exit_code == 2
    assert "is an input and would be overwritten" in refused.output


def test_limbs_are_given_by_file(cutout: Path, tmp_path: Path) -> None:
    rig = tmp_path / "rig.json"
    rig.write_text(person_rig().to_json())
    out = tmp_path / "wave.gif"
    done = pochoir("animate", cutout, "-o", out, "--motion", "wave", "--rig", rig, "--duration", "0.5s", "--fps", 10)
    assert done.exit_code == 0, done.output
    with Image.open(out) as image:
        assert image.n_frames == 5


def test_strips_show_what_the_subject_can_do(cutout: Path, tmp_path: Path) -> None:
    rig = tmp_path / "rig.json"
    rig.write_text(person_rig().to_json())
    done = pochoir("animate", cutout, "-o", tmp_path / "strips.png", "--list", "--rig", rig, "--size", 96, "--json")
    assert done.exit_code == 0, done.output
    assert {"nod", "wave", "dance"} <= set(json.loads(done.stdout)["motions"])
    assert "flap" not in json.loads(done.stdout)["motions"]
    assert (tmp_path / "strips.png").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--motion", "wavee"], "Did you mean 'wave'?"),
        (["--motion", "nod:9"], "above 0 and up to 3"),
        (["--duration", "0s"], "A time is above 0 and written like"),
        (["--duration", "1h"], "lasts from 0.1 s to 10 minutes"),
        (["--fps", "1000"], "fps must be between 1 and 120"),
        (["--towards", "up"], "left, right"),
        (["--margin", "-5%"], "from 0% to 100%"),
        (["--rig", "none.json"], "Cannot read the rig"),
        (["--as", "film"], "Unknown form 'film'"),
        (["--quality", "0"], "between 1 and 100"),
    ],
)
def test_bad_input_gets_one_line_and_code_2(cutout: Path, tmp_path: Path, options: list[str], message: str) -> None:
    done = pochoir("animate", cutout, "-o", tmp_path / "clip.webp", "--size", 32, "--duration", "0.2s", *options)
    assert done.exit_code == 2
    assert message in done.output
    assert not (tmp_path / "clip.webp").exists()


def test_bad_outputs_are_refused_at_once(cutout: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.gif"
    Image.new("RGB", (4, 4)).save(mine)
    for out, message in (
        (cutout, "is an input and would be overwritten"),
        (mine, "was not made by pochoir animate"),
        (tmp_path / "clip.avi", "allowed: .webp"),
        (tmp_path / "none" / "clip.webp", "does not exist"),
        (tmp_path / "none" / "frames", "does not exist"),
        (tmp_path / "clip.mp4", "holds no transparency"),
    ):
        done = pochoir("animate", cutout, "-o", out)
        assert done.exit_code == 2
        assert message in done.output
    assert "Give a photo and -o OUT" in pochoir("animate", cutout).output


def test_an_interrupted_clip_leaves_nothing(cutout: Path, tmp_path: Path) -> None:
    out = tmp_path / "clip.png"
    process = start_program("animate", cutout, "-o", out, "--duration", "120s", "--fps", "60")
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not list(tmp_path.glob("clip.png.*")):
        time.sleep(0.1)
    assert list(tmp_path.glob("clip.png.*")), "no draft was begun"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Interrupted." in errors
    assert sorted(path.name for path in tmp_path.iterdir()) == ["person.png"]


def test_layers_go_into_one_file(cutout: Path, tmp_path: Path) -> None:
    import zipfile

    rig = tmp_path / "rig.json"
    rig.write_text(person_rig().to_json())
    out = tmp_path / "layers.ora"
    options = ["--motion", "wave", "--rig", rig, "--backdrop", "#204060", "--margin", "0%", "--as", "layers"]
    done = pochoir("animate", cutout, "-o", out, *options)
    assert done.exit_code == 0, done.output
    with zipfile.ZipFile(out) as archive:
        stack = archive.read("stack.xml").decode()
        with archive.open("mergedimage.png") as merged, Image.open(merged) as image:
            flat = np.array(image.convert("RGB")).astype(int)
    order = [name for name in ("matte", "arm_right", "body", "leg_left", "plate", "photo") if name in stack]
    assert order == sorted(order, key=stack.index)
    assert len(order) == 6
    layer = paint(draw_person())
    wanted = layer[..., :3] + (1 - layer[..., 3:]) * np.float32([0x20, 0x40, 0x60]) / 255
    assert np.abs(flat - wanted * 255).mean() < 1.5  # parts at rest add up to the subject
    refused = pochoir("animate", cutout, "-o", tmp_path / "layers.png", *options)
    assert refused.exit_code == 2
    assert ".ora" in refused.output
