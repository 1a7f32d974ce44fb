"""pochoir compare and pochoir lab report as typed."""

import json
from pathlib import Path

import pytest
from PIL import Image

from pochoir.encoders import tiny_encoder
from pochoir.lab.compare.methods import MethodRunner
from pochoir.segmentation import Segmentation
from support.program import error_line, pochoir


class Finder:
    """Finds the middle of every picture."""

    def __init__(self, name: str) -> None:
        self.name = name

    def segment(self, photo):
        matte = photo[:, :1] * 0
        height, width = matte.shape[-2:]
        matte[..., height // 4 : -height // 4, width // 4 : -width // 4] = 1.0
        return Segmentation(matte=matte, method=self.name, stages=(("fused", matte),))


@pytest.fixture
def _small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = tiny_encoder()
    monkeypatch.setattr(
        MethodRunner, "load", classmethod(lambda cls, device="cpu": cls(Finder("u2net"), Finder("u2netp")))
    )
    monkeypatch.setattr("pochoir.loading.load_encoder", lambda *_, **__: encoder)
    monkeypatch.setattr("pochoir.similarity.registry.load_encoder", lambda *_, **__: encoder)


@pytest.mark.usefixtures("_small_networks")
def test_a_page_and_its_tables_come_out(photo_file: Path, mask_file: Path, style_file: Path, tmp_path: Path) -> None:
    truths = tmp_path / "truths"
    truths.mkdir()
    mask_file.rename(truths / "photo.png")
    out = tmp_path / "out"
    arguments = ["--truth", truths, "--style", style_file, "--steps", "2", "--threads", "1", "--no-weaknesses"]
    result = pochoir("compare", photo_file, *arguments, "-o", out, "--json")
    assert result.exit_code == 0, result.output
    outputs = json.loads(result.stdout)["outputs"]
    assert outputs[0] == str(out / "index.html")
    assert all(Path(path).is_file() for path in outputs)
    summary = json.loads((out / "summary.json").read_text())
    assert summary["settings"]["recipe"]["steps"] == 2
    assert {item["seen"] for item in summary["truth"]} == {"photo", "pastiche"}
    assert (out / "painted" / "photo.png").is_file()


@pytest.mark.usefixtures("_small_networks")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--box", "1,2,3"], "A box is four whole numbers X,Y,WIDTH,HEIGHT; got '1,2,3'."),
        (["--box", "0,0,0,5"], "A box needs a width and a height"),
        (["--box", "cat=0,0,5,5"], "Unknown photo of a box 'cat'. Allowed: photo."),
        (["--box", "80,0,5,5"], "The box 80,0,5,5 lies outside of photo, which is 64x48."),
        (["--truth", "nowhere"], "--truth takes a folder of true mattes; 'nowhere' is not a folder."),
        (["--style", "mosaik"], "Unknown style 'mosaik'. Did you mean 'mosaic'?"),
        (["--style", "mosaic", "--style", "marbling"], "takes exactly one style; got 2."),
        (["--metric", "vg"], "Unknown metric 'vg'. Did you mean 'vgg'?"),
        (["--backdrop", "blau"], "A backdrop for scoring is a colour"),
        (["--steps", "0"], "steps must be between 1"),
    ],
)
def test_what_cannot_be_compared_is_told_in_one_line(
    photo_file: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    out = tmp_path / "out"
    result = pochoir("compare", photo_file, *arguments, "-o", out)
    assert result.exit_code == 2
    assert message in error_line(result)
    assert not list(out.rglob("*.html"))


def test_a_photo_that_is_missing_is_named(tmp_path: Path) -> None:
    result = pochoir("compare", tmp_path / "no.png", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "no.png" in error_line(result)


@pytest.mark.usefixtures("_small_networks")
def test_photos_are_not_mixed_with_what_is_written(photo_file: Path) -> None:
    result = pochoir("compare", photo_file, "-o", photo_file.parent)
    assert result.exit_code == 2
    assert "lies in" in error_line(result)


def test_missing_weights_end_with_3(photo_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POCHOIR_HOME", str(tmp_path / "empty"))
    result = pochoir("compare", photo_file, "-o", tmp_path / "out")
    assert result.exit_code == 3
    assert "pochoir models pull" in error_line(result)


@pytest.mark.usefixtures("_small_networks")
def test_a_box_names_its_photo_where_there_are_several(photo_file: Path, tmp_path: Path) -> None:
    other = tmp_path / "more" / "other.png"
    other.parent.mkdir()
    Image.open(photo_file).save(other)
    result = pochoir("compare", photo_file, other, "--box", "1,1,9,9", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "such as photo=1,1,9,9" in error_line(result)


@pytest.mark.usefixtures("_small_networks")
def test_a_report_too_small_to_read_is_refused(tmp_path: Path) -> None:
    result = pochoir("lab", "report", "-o", tmp_path / "out", "--work", tmp_path / "work", "--size", "32")
    assert result.exit_code == 2
    assert "at least 64 pixels long; got 32, 160" in error_line(result)


@pytest.mark.weights
def test_finished_pastiches_are_not_painted_again_by_the_real_engine(photo_file: Path, tmp_path: Path) -> None:
    """The engine of a painting is known only after its first step, so it must not decide whether a picture is done."""
    out = tmp_path / "out"
    typed = [
        "compare",
        photo_file,
        "--style",
        "mosaic",
        "--steps",
        "2",
        "--metric",
        "ssim",
        "--no-weaknesses",
        "-o",
        out,
    ]
    assert pochoir(*typed).exit_code == 0
    painted = out / "painted" / "photo.png"
    before, written = painted.read_bytes(), painted.stat().st_mtime_ns
    assert pochoir(*typed).exit_code == 0
    assert (painted.read_bytes(), painted.stat().st_mtime_ns) == (before, written)
    assert pochoir(*typed, "--seed", "1").exit_code == 0  # another request
    assert painted.stat().st_mtime_ns != written


@pytest.mark.weights
@pytest.mark.usefixtures("_small_networks")
def test_a_subject_that_is_not_found_is_a_failure_and_noted(photo_file: Path, tmp_path: Path, monkeypatch) -> None:
    empty = Finder("u2netp")
    monkeypatch.setattr(empty, "segment", lambda photo: Segmentation(photo[:, :1] * 0, method="u2netp", stages=()))
    monkeypatch.setattr(MethodRunner, "load", classmethod(lambda cls, device="cpu": cls(Finder("u2net"), empty)))
    result = pochoir("compare", photo_file, "--metric", "ssim", "--no-weaknesses", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "failed mattes, which are not ranked: u2netp on the photo of photo (empty)" in result.stderr


@pytest.mark.weights
def test_trained_networks_find_the_ball_and_grabcut_follows(photo_file: Path, mask_file: Path, tmp_path: Path) -> None:
    truths = tmp_path / "truths"
    truths.mkdir()
    mask_file.rename(truths / "photo.png")
    out = tmp_path / "out"
    arguments = ["--truth", truths, "--metric", "ssim", "--no-weaknesses", "--json"]
    result = pochoir("compare", photo_file, *arguments, "-o", out)
    assert result.exit_code == 0, result.output
    summary = json.loads((out / "summary.json").read_text())
    found = {item["method"]: item["interval"]["mean"] for item in summary["truth"] if item["measure"] == "iou"}
    assert set(found) == {"u2net", "u2netp", "grabcut-auto", "grabcut-box", "grabcut-u2net"}
    assert min(found.values()) > 0.8
