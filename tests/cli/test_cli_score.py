import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pochoir import imaging, similarity
from support.program import error_line, pochoir

FREE = ("--metric", "ssim", "--metric", "color")
"""Metrics that need no weights."""


def test_the_table_has_a_line_for_each_metric_and_null_scores_beside_it(photo_file: Path, style_file: Path) -> None:
    result = pochoir("score", photo_file, style_file, *FREE, "--style", "mosaic")
    assert result.exit_code == 0, result.output
    head, ssim, color = (line.split() for line in result.stdout.splitlines())
    assert " ".join(head).endswith("itself noise style another photo")
    assert (ssim[0], ssim[2], color[0], color[2]) == ("ssim", "higher", "color", "lower")


def test_json_says_what_the_library_says(photo_file: Path, style_file: Path) -> None:
    result = pochoir("score", photo_file, style_file, *FREE, "--json")
    assert result.exit_code == 0, result.output
    assert result.stdout.count("\n") == 1
    told = json.loads(result.stdout)
    scores = similarity.score(photo_file, style_file, metrics=("ssim", "color"))
    assert [each["value"] for each in told["scores"]] == [each.value for each in scores]
    assert told["scores"][0]["nulls"]["itself"] == pytest.approx(1)
    assert told["pictures"] == [str(photo_file), str(style_file)]
    assert (told["part"], told["backdrop"]) == ("all", "#808080")


def test_a_mask_means_its_subject_unless_a_part_is_named(photo_file: Path, mask_file: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.png"
    pixels = np.array(Image.open(photo_file))
    pixels[np.asarray(Image.open(mask_file)) == 0] = (255, 0, 0)
    Image.fromarray(pixels).save(changed)
    whole, subject, background = (
        json.loads(pochoir("score", photo_file, changed, "--metric", "ssim", *options, "--json").stdout)
        for options in ((), ("--mask", mask_file), ("--mask", mask_file, "--part", "background"))
    )
    assert [each["part"] for each in (whole, subject, background)] == ["all", "subject", "background"]
    assert subject["scores"][0]["value"] == pytest.approx(1)
    assert background["scores"][0]["value"] < whole["scores"][0]["value"] < 0.9
    assert set(subject["scores"][0]["backdrops"]) == {"#000000", "#ffffff"}
    assert background["scores"][0]["backdrop_shift"] > 0


def test_a_cutout_is_laid_on_the_backdrop(photo_file: Path, mask_file: Path, tmp_path: Path) -> None:
    photo, matte = imaging.load(photo_file), imaging.load(mask_file)
    cutout, laid = tmp_path / "cutout.png", tmp_path / "laid.png"
    imaging.save(cutout, photo.rgb, alpha=matte.rgb[:, :1])
    imaging.save(laid, photo.rgb * matte.rgb)
    result = pochoir("score", cutout, laid, *FREE, "--backdrop", "black", "--json")
    assert json.loads(result.stdout)["scores"][0]["value"] == pytest.approx(1)
    told = pochoir("score", cutout, laid, *FREE, "--backdrop", "white")
    assert "±" in told.stdout


def test_notes_go_to_stderr_and_quiet_says_nothing(photo_file: Path, mask_file: Path, tmp_path: Path) -> None:
    small = tmp_path / "small.png"
    Image.open(mask_file).resize((32, 24)).save(small)
    arguments = ["score", photo_file, photo_file, *FREE, "--mask", small]
    told = pochoir(*arguments)
    assert "note: small.png: mask resized from 32x24 to 64x48" in told.stderr
    assert "note" not in told.stdout
    assert pochoir(*arguments, "--quiet").output == ""


@pytest.mark.weights
def test_the_default_is_vgg(photo_file: Path, style_file: Path) -> None:
    told = json.loads(pochoir("score", photo_file, style_file, "--json").stdout)
    (score,) = told["scores"]
    assert score["metric"] == "vgg"
    assert score["value"] == pytest.approx(100 * score["cosine"])
    assert score["nulls"]["itself"] == pytest.approx(100)
    assert score["value"] < 60


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--metric", "sim"], "Unknown metric 'sim'. Did you mean 'ssim'?"),
        ([*FREE, "--part", "subject"], "To score the subject of photo.png, a mask or a picture with transparency"),
        ([*FREE, "--part", "top"], "Unknown part 'top'"),
        ([*FREE, "--backdrop", "reddish"], "a colour such as white, #rgb or #rrggbb; got 'reddish'"),
        ([*FREE, "--mask", "missing.png"], "Cannot read the mask 'missing.png': there is no such file"),
        ([*FREE, "--style", "mosaik"], "Unknown style 'mosaik'. Did you mean 'mosaic'?"),
        ([*FREE, "--device", "tpu"], "device"),
    ],
)
def test_wrong_input_is_exit_2(
    photo_file: Path,
    style_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = pochoir("score", photo_file, style_file, *options)
    assert result.exit_code == 2, result.output
    assert message in error_line(result)


def test_missing_pictures_are_exit_2_and_missing_weights_exit_3(
    photo_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = pochoir("score", photo_file, tmp_path / "no.png", *FREE)
    assert (result.exit_code, "no such file" in error_line(result)) == (2, True)
    monkeypatch.setenv("POCHOIR_HOME", str(tmp_path / "empty"))
    result = pochoir("score", photo_file, photo_file)
    assert result.exit_code == 3
    assert "pochoir models pull vgg19" in error_line(result)


def test_threads_are_those_that_were_asked_for_and_put_back(
    photo_file: Path, style_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    score_pairs = similarity.Scorer.score_pairs

    def watched(scorer, pairs):
        seen.append(torch.get_num_threads())
        return score_pairs(scorer, pairs)

    monkeypatch.setattr(similarity.Scorer, "score_pairs", watched)
    before = torch.get_num_threads()
    assert pochoir("score", photo_file, style_file, *FREE, "--threads", "3").exit_code == 0
    assert set(seen) == {3}
    assert torch.get_num_threads() == before
