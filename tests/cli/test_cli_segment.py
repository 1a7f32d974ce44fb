import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

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
        (["--refine", "slow"], "Unknown refine 'slow'. Allowed: none, fast, best."),
        (
            ["--size", "100"],
            "--trim, --pad, --size, --square, --shadow and --backdrop are for cutouts; add --as cutout.",
        ),
        (["--as", "cutout", "--pad", "5 %%"], "A margin is a number of pixels such as 20, or a share such as 5%"),
        (["--as", "cutout", "--size", "30", "--pad", "15"], "leaves no room"),
        (["--as", "cutout", "--backdrop", "wall"], "is transparent, #rgb, #rrggbb or a name such as white; got 'wall'"),
        (["--as", "cutout", "--shadow", "kept"], "Unknown shadow 'kept'. Did you mean 'keep'?"),
        ([*GRABCUT, "--keep-points", "1,2;3"], "Points are X,Y;X,Y in whole photo pixels; got '3'"),
        ([*GRABCUT, "--drop-points", "900,2"], "900,2"),
        ([*GRABCUT, "--subject", "7"], "There is no subject 7"),
        ([*GRABCUT, "--scribble", "no-such.png"], "no-such.png"),
        ([*GRABCUT[:2], "--box", "500,500,10,10"], "500,500,10,10"),
    ],
)
def test_wrong_options_are_exit_2(photo_file: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
    result = pochoir("segment", photo_file, "-o", tmp_path / "out.png", *arguments)
    assert result.exit_code == 2
    assert message in error_line(result)
    assert not (tmp_path / "out.png").exists()


def test_a_cutout_on_white_is_a_plain_picture(photo_file: Path, tmp_path: Path) -> None:
    cut, white = tmp_path / "cut.png", tmp_path / "white.jpg"
    framing = ["--as", "cutout", "--trim", "--pad", "10%", "--size", "80"]
    assert pochoir("segment", photo_file, "-o", cut, *GRABCUT, *framing).exit_code == 0
    done = pochoir("segment", photo_file, "-o", white, *GRABCUT, *framing, "--backdrop", "#fff", "--quality", "95")
    assert done.exit_code == 0, done.output
    colors, alpha = pixels(cut)[..., :3] / 255, pixels(cut)[..., 3:] / 255
    expected = 255 * (colors * alpha + (1 - alpha))
    made = pixels(white)
    assert made.shape == expected.shape
    assert abs(made - expected).mean() < 4
    assert made[0, 0].min() >= 253


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


def test_framed_cutouts(photo_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "cutout.png"
    options = ("--as", "cutout", "--trim", "--pad", "10%", "--size", "120", *GRABCUT)
    assert pochoir("segment", photo_file, "-o", out, *options).exit_code == 0
    cutout = pixels(out)
    assert max(cutout.shape[:2]) == 120
    assert cutout[:9, :, 3].max() == 0
    assert cutout[:12, :, 3].max() > 0


def test_square_cutouts_are_other_pictures(photo_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "cutout.png"
    options = ("--as", "cutout", "--size", "120", *GRABCUT)
    assert pochoir("segment", photo_file, "-o", out, *options).exit_code == 0
    assert min(pixels(out).shape[:2]) < 120
    assert pochoir("segment", photo_file, "-o", out, *options, "--square").exit_code == 2  # made with other settings
    assert pochoir("segment", photo_file, "-o", out, *options, "--square", "--force").exit_code == 0
    assert pixels(out).shape[:2] == (120, 120)


def test_the_shadow_is_carried_into_the_cutout(tmp_path: Path) -> None:
    y, x = np.mgrid[0:192, 0:256]
    photo = np.broadcast_to(np.array([200, 195, 185]), (192, 256, 3)).copy()
    photo[((x - 140) / 50) ** 2 + ((y - 135) / 14) ** 2 < 1] = (100, 98, 92)
    ball = (x - 128) ** 2 + (y - 96) ** 2 < 40**2
    photo[ball] = (220, 60, 40)
    Image.fromarray(photo.astype(np.uint8)).save(tmp_path / "photo.png")
    box = ("--segmenter", "grabcut", "--box", "85,53,86,84", "--refine", "none", "--as", "cutout")
    kept, dropped = tmp_path / "kept.png", tmp_path / "dropped.png"
    assert pochoir("segment", tmp_path / "photo.png", "-o", kept, *box, "--shadow", "keep").exit_code == 0
    assert pochoir("segment", tmp_path / "photo.png", "-o", dropped, *box).exit_code == 0
    below = (slice(139, 146), slice(135, 150))
    assert pixels(dropped)[below][..., 3].max() == 0
    assert abs(pixels(kept)[below][..., 3].mean() / 255 - 0.5) < 0.08
    assert pixels(kept)[below][..., :3].max() == 0


@pytest.mark.parametrize("form", ["parts", "doubt"])
def test_parts_and_doubt_are_pictures_of_the_photos_size(photo_file: Path, tmp_path: Path, form: str) -> None:
    out = tmp_path / "shown.png"
    result = pochoir("segment", photo_file, "-o", out, "--as", form, *GRABCUT, "--json")
    assert result.exit_code == 0, result.output
    assert pixels(out).shape == (48, 64, 3)
    confidence = json.loads(result.stdout)["confidence"]
    assert (confidence is None) == (form == "parts")


def test_the_record_says_what_made_it_and_redo_what_it_cannot(photo_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "matte.png"
    assert pochoir("segment", photo_file, "-o", out, *GRABCUT).exit_code == 0
    assert 'segmenter = "grabcut"' in pochoir("recipe", out).stdout
    told = json.loads(pochoir("recipe", out, "--json").stdout)
    assert told["inputs"][0]["name"] == "photo.png"
    result = pochoir("redo", out, "-o", tmp_path / "again.png")
    assert result.exit_code == 2
    assert "pochoir segment" in error_line(result)


@pytest.fixture
def cutout_file(tmp_path: Path) -> Path:
    picture = Image.new("RGBA", (60, 48), (200, 120, 40, 255))
    alpha = Image.new("L", picture.size)
    ImageDraw.Draw(alpha).ellipse((20, 10, 39, 33), fill=255)
    picture.putalpha(alpha)
    picture.save(tmp_path / "shirt.png")
    return tmp_path / "shirt.png"


def test_a_finished_cutout_is_trimmed_and_not_cut_out_again(
    cutout_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POCHOIR_HOME", str(tmp_path / "nothing"))  # no network is asked
    out = tmp_path / "trimmed.png"
    facts = json.loads(pochoir("segment", cutout_file, "-o", out, "--as", "cutout", "--trim", "--json").stdout)
    assert facts["method"] == "alpha"
    with Image.open(out) as trimmed, Image.open(cutout_file) as cutout:
        assert trimmed.tobytes() == cutout.crop(cutout.getchannel("A").getbbox()).tobytes()


def test_a_cutout_has_no_doubt_to_draw(cutout_file: Path, tmp_path: Path) -> None:
    result = pochoir("segment", cutout_file, "-o", tmp_path / "doubt.png", "--as", "doubt")
    assert result.exit_code == 2
    assert "no doubt about it" in result.stderr
