import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from support.program import error_line, pochoir

GRABCUT = ("--segmenter", "grabcut", "--box", "14,6,36,36")


def pixels(path: Path) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    with Image.open(path) as image:
        return np.asarray(image)


def test_grabcut_finds_the_ball_in_its_box(photo_file: Path, mask_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "matte.png"
    result = pochoir("segment", photo_file, "-o", out, *GRABCUT, "--refine", "none")
    assert result.exit_code == 0, result.output
    assert str(out) in result.stdout
    assert "grabcut" in result.stdout
    found, ball = pixels(out)[..., 0] > 127, pixels(mask_file) > 127
    assert (found & ball).sum() / (found | ball).sum() > 0.9


def test_cutout_keeps_the_subjects_colours_and_nothing_of_the_background(photo_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "cutout.png"
    assert pochoir("segment", photo_file, "-o", out, "--as", "cutout", *GRABCUT).exit_code == 0
    cutout, photo = pixels(out), pixels(photo_file)
    alpha = cutout[..., 3]
    assert alpha.min() == 0
    assert (cutout[alpha == 255][:, :3] == photo[alpha == 255]).all()
    # The ball is yellow and the sky is blue: wherever there is any opacity, red has to win over blue.
    visible = cutout[alpha > 25].astype(int)
    assert (visible[:, 0] > visible[:, 2]).mean() > 0.97


def test_trimap_has_three_values(photo_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "trimap.png"
    # At 64 pixels the band of doubt around a hard edge is less than a pixel wide; a larger photo shows it.
    with Image.open(photo_file) as image:
        image.resize((256, 192)).save(photo_file)
    box = ("--segmenter", "grabcut", "--box", "56,24,144,144")
    assert pochoir("segment", photo_file, "-o", out, "--as", "trimap", *box).exit_code == 0
    assert set(np.unique(pixels(out))) == {0, 128, 255}


def test_overlay_darkens_the_background(photo_file: Path, mask_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "overlay.jpg"
    assert pochoir("segment", photo_file, "-o", out, "--as", "overlay", *GRABCUT).exit_code == 0
    shown, photo = pixels(out).astype(int), pixels(photo_file).astype(int)
    assert (photo - shown)[:4].mean() > 20
    assert abs((photo - shown)[22:26, 28:36].mean()) < 10


def test_json_tells_what_was_found(photo_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "matte.png"
    result = pochoir("segment", photo_file, "-o", out, *GRABCUT, "--json")
    assert result.stdout.count("\n") == 1
    told = json.loads(result.stdout)
    assert told["outputs"] == [str(out)]
    assert (told["as"], told["method"], told["box"]) == ("matte", "grabcut", [14, 6, 36, 36])
    assert told["size"] == {"height": 48, "width": 64}
    assert 0.15 < told["subject_share"] < 0.4


@pytest.mark.parametrize(
    "segmenter",
    [GRABCUT, pytest.param(("--segmenter", "u2netp"), marks=pytest.mark.weights)],
    ids=["grabcut", "u2netp"],
)
def test_stages_are_shown_in_one_sheet(photo_file: Path, tmp_path: Path, segmenter: tuple[str, ...]) -> None:
    out = tmp_path / "stages.png"
    result = pochoir("segment", photo_file, "-o", out, "--as", "stages", *segmenter, "-q")
    assert (result.exit_code, result.output) == (0, "")
    assert min(pixels(out).shape[:2]) > 200


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--as", "mate"], "Unknown form 'mate'. Did you mean 'matte'?"),
        (["--segmenter", "u3net"], "Unknown segmenter 'u3net'. Did you mean 'u2net'?"),
        (["--refine", "slow"], "Unknown refine 'slow'. Allowed: none, fast."),
        (["--box", "1,2,3,4"], "A box is for the grabcut segmenter"),
        ([*GRABCUT[:2], "--box", "500,500,10,10"], "500,500,10,10"),
    ],
)
def test_wrong_options_are_exit_2(photo_file: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
    result = pochoir("segment", photo_file, "-o", tmp_path / "out.png", *arguments)
    assert result.exit_code == 2
    assert message in error_line(result)
    assert not (tmp_path / "out.png").exists()


def test_missing_weights_are_exit_3(photo_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POCHOIR_HOME", str(tmp_path / "empty"))
    result = pochoir("segment", photo_file, "-o", tmp_path / "out.png")
    assert result.exit_code == 3
    assert error_line(result).endswith("pochoir models pull u2net")


def test_the_photo_is_not_replaced(photo_file: Path) -> None:
    before = photo_file.read_bytes()
    result = pochoir("segment", photo_file, "-o", photo_file, *GRABCUT)
    assert result.exit_code == 2
    assert "is an input and would be overwritten" in error_line(result)
    assert photo_file.read_bytes() == before
    assert pochoir("segment", photo_file, "-o", photo_file, *GRABCUT, "--force").exit_code == 0
    assert photo_file.read_bytes() != before
