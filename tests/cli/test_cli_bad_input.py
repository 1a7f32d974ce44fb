"""Every row of the table of bad input, typed as a user types it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from support.program import error_line, pochoir

pytestmark = pytest.mark.weights

QUICK = ("--size", "64", "--steps", "1", "--threads", "1")


def gradient(mode: str = "RGB", size: tuple[int, int] = (64, 48)) -> Image.Image:
    """A picture that is different at every edge."""
    y, x = np.mgrid[0 : size[1], 0 : size[0]]
    values = np.stack([x * 255 // size[0], y * 255 // size[1], 128 + 0 * x], axis=-1).astype(np.uint8)
    return Image.fromarray(values).convert(mode)


@pytest.fixture
def broken(tmp_path: Path) -> dict[str, Path]:
    """Files that are no pictures."""
    files = {name: tmp_path / f"{name}.png" for name in ("missing", "empty", "truncated", "text", "folder")}
    files["empty"].touch()
    gradient().save(files["truncated"])
    whole = files["truncated"].read_bytes()
    files["truncated"].write_bytes(whole[: len(whole) // 2])
    files["text"].write_text("These are words.")
    files["folder"].mkdir()
    return files


@pytest.mark.parametrize("kind", ["missing", "empty", "truncated", "text", "folder"])
@pytest.mark.parametrize("role", ["photo", "style", "style-mask", "subject-style", "mask", "backdrop", "init"])
def test_what_is_no_picture_is_named(
    broken: dict[str, Path], photo_file: Path, style_file: Path, tmp_path: Path, kind: str, role: str
) -> None:
    bad, out = broken[kind], tmp_path / "out.png"
    before = set(tmp_path.rglob("*"))
    photo = bad if role == "photo" else photo_file
    options = ["--set", f"init={bad}"] if role == "init" else [] if role == "photo" else [f"--{role}", bad]
    style = [] if role.endswith("style") else ["--style", style_file]
    result = pochoir("stylize", photo, "-o", out, *options, *style, *QUICK)
    assert result.exit_code == 2
    assert bad.name in error_line(result)
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("kind", ["missing", "empty", "truncated", "text", "folder"])
@pytest.mark.parametrize("command", ["segment", "redo", "recipe"])
def test_the_other_commands_name_it_too(broken: dict[str, Path], tmp_path: Path, kind: str, command: str) -> None:
    out = [] if command == "recipe" else ["-o", tmp_path / "out.png"]
    result = pochoir(command, broken[kind], *out)
    assert result.exit_code == 2
    assert broken[kind].name in error_line(result)
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize("mode", ["L", "P", "1", "RGBA", "CMYK", "I;16"])
def test_every_kind_of_picture_is_painted(style_file: Path, tmp_path: Path, mode: str) -> None:
    photo, out = tmp_path / "photo.tif", tmp_path / "out.png"
    picture = gradient("L" if mode == "I;16" else mode)
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(picture).astype(np.uint16) * 257)
    picture.save(photo)
    result = pochoir("stylize", photo, "-o", out, "--style", style_file, *QUICK)
    assert result.exit_code == 0, result.output
    with Image.open(out) as image:
        assert (image.size, image.mode) == ((64, 48), "RGB")


def test_a_turned_photo_is_painted_upright(style_file: Path, tmp_path: Path) -> None:
    photo, out = tmp_path / "photo.jpg", tmp_path / "out.png"
    picture = gradient()
    exif = picture.getexif()
    exif[0x0112] = 6  # to be turned by a quarter
    picture.save(photo, exif=exif)
    assert pochoir("stylize", photo, "-o", out, "--style", style_file, *QUICK).exit_code == 0
    with Image.open(out) as image:
        assert image.size == (48, 64)


def test_the_photos_own_alpha_is_its_matte(style_file: Path, mask_file: Path, tmp_path: Path) -> None:
    photo, out = tmp_path / "photo.png", tmp_path / "out.png"
    picture = gradient("RGB")
    with Image.open(mask_file) as mask:
        picture.putalpha(mask)
        alpha = np.asarray(mask)
    picture.save(photo)
    result = pochoir("stylize", photo, "-o", out, "--subject-style", style_file, *QUICK)
    assert result.exit_code == 0, result.output
    assert "the photo's own alpha is used as the matte" in result.stderr
    with Image.open(out) as image:
        np.testing.assert_array_equal(np.asarray(image)[..., 3], alpha)


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (7, 5), (400, 10), (10, 400)], ids=str)
def test_tiny_and_narrow_photos_work(style_file: Path, tmp_path: Path, size: tuple[int, int]) -> None:
    photo, out = tmp_path / "photo.png", tmp_path / "out.png"
    gradient(size=size).save(photo)
    options = ("--steps", "1", "--threads", "1")
    result = pochoir("stylize", photo, "-o", out, "--style", style_file, *options)
    assert result.exit_code == 0, result.output
    with Image.open(out) as image:
        assert image.size == size
    assert pochoir("segment", photo, "-o", out, "--segmenter", "u2netp", "--force").exit_code == 0


def test_a_large_photo_is_worked_on_small(style_file: Path, tmp_path: Path) -> None:
    photo, out = tmp_path / "photo.jpg", tmp_path / "out.png"
    gradient(size=(5000, 3500)).save(photo)
    result = pochoir("stylize", photo, "-o", out, "--style", style_file, *QUICK)
    assert result.exit_code == 0, result.output
    with Image.open(out) as image:
        assert image.size == (64, 45)


@pytest.mark.parametrize(("shade", "exit_code", "message"), [(0, 2, "The mask is empty"), (255, 0, "")])
def test_empty_and_full_masks(
    photo_file: Path, style_file: Path, tmp_path: Path, shade: int, exit_code: int, message: str
) -> None:
    mask, out = tmp_path / "mask.png", tmp_path / "out.png"
    Image.new("L", (64, 48), shade).save(mask)
    result = pochoir("stylize", photo_file, "-o", out, "--mask", mask, "--subject-style", style_file, *QUICK)
    assert result.exit_code == exit_code, result.output
    assert message in result.stderr
    assert out.exists() == (exit_code == 0)


def test_a_full_mask_leaves_no_background_to_paint(photo_file: Path, style_file: Path, tmp_path: Path) -> None:
    mask, out = tmp_path / "mask.png", tmp_path / "out.png"
    Image.new("L", (64, 48), 255).save(mask)
    result = pochoir("stylize", photo_file, "-o", out, "--mask", mask, "--background-style", style_file, *QUICK)
    assert result.exit_code == 2
    assert "the background has no pixels" in error_line(result)
    assert not out.exists()


def test_a_mask_of_another_size_is_resized_with_a_note(photo_file: Path, style_file: Path, tmp_path: Path) -> None:
    mask = tmp_path / "mask.png"
    Image.new("L", (20, 20), 255).save(mask)
    options = ("--mask", mask, "--subject-style", style_file, *QUICK)
    result = pochoir("stylize", photo_file, "-o", tmp_path / "out.png", *options)
    assert result.exit_code == 0, result.output
    assert "note: mask.png: mask resized from 20x20 to 64x48" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--style", "stained-glas"], "Unknown style 'stained-glas'. Did you mean 'stained-glass'?"),
        (["--style", "mosaic", "--set", "style-layers=relu6_1"], "Unknown style layer of vgg19 'relu6_1'"),
        (["--style", "mosaic", "--set", "optimizer=sgd"], "Unknown optimizer 'sgd'. Allowed: lbfgs, adam"),
        (["--style", "mosaic", "--device", "cuda:99"], "There is no device cuda:99 here"),
        ([], "There is nothing to paint"),
    ],
)
def test_unknown_names_are_answered_with_the_known_ones(
    photo_file: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    result = pochoir("stylize", photo_file, "-o", tmp_path / "out.png", *arguments, *QUICK)
    assert result.exit_code == 2
    assert message in error_line(result)
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    ("size", "white", "message"),
    [
        ((56, 40), (0, 0, 56, 40), "The style mask part.png is 56x40, and its style style.png is 40x56"),
        (
            (40, 56),
            (0, 0, 0, 0),
            "The style mask part.png is black: it leaves nothing of style.png to take a look from",
        ),
    ],
)
def test_a_style_mask_that_does_not_fit_its_style(
    photo_file: Path,
    style_file: Path,
    tmp_path: Path,
    size: tuple[int, int],
    white: tuple[int, int, int, int],
    message: str,
) -> None:
    part, out = tmp_path / "part.png", tmp_path / "out.png"
    picture = Image.new("L", size)
    picture.paste(255, white)
    picture.save(part)
    result = pochoir("stylize", photo_file, "-o", out, "--style", style_file, "--style-mask", part, *QUICK)
    assert result.exit_code == 2
    assert message in error_line(result)
    assert not out.exists()


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("out.gif", [], "extension '.gif'"),
        ("out", [], "missing extension"),
        ("no/such/out.png", [], "does not exist; make it first"),
        ("style.png/out.png", [], "is a file, not a folder"),
        (".", [], "is an input and would be overwritten"),  # photo.png in that folder
        ("photo.png", [], "is an input and would be overwritten"),
        ("style.png", [], "is an input and would be overwritten"),
        ("out.jpg", ["--backdrop", "transparent"], "transparency, which JPEG cannot"),
    ],
)
def test_a_wrong_output_is_told_before_the_work(
    photo_file: Path, style_file: Path, tmp_path: Path, name: str, options: list[str], message: str
) -> None:
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    # So many steps would take hours.
    result = pochoir("stylize", photo_file, "-o", tmp_path / name, "--style", style_file, "--steps", "100000", *options)
    assert result.exit_code == 2
    assert message in error_line(result)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_steps_cannot_go_where_a_file_is(photo_file: Path, style_file: Path, tmp_path: Path) -> None:
    steps = ("--save-steps", style_file)
    result = pochoir("stylize", photo_file, "-o", tmp_path / "out.png", "--style", style_file, *steps, *QUICK)
    assert result.exit_code == 2
    assert f"Cannot make the folder {style_file}" in error_line(result)


def test_missing_weights_are_exit_3_with_the_command_that_gets_them(
    photo_file: Path, style_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POCHOIR_HOME", str(tmp_path / "empty"))
    result = pochoir("stylize", photo_file, "-o", tmp_path / "out.png", "--style", style_file, *QUICK)
    assert result.exit_code == 3
    assert error_line(result).endswith("pochoir models pull vgg19")
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    ("command", "place"),
    [
        (("stylize", "", "-o", "out"), "An argument is empty"),
        (("segment", "a.jpg", "", "-o", "out"), "An argument is empty"),
        (("animate", "", "-o", "out.gif"), "An argument is empty"),
        (("stylize", "-o", "out", "--", ""), "An argument is empty"),
        (("redo", ""), "An argument is empty"),
        (("stylize", "a.jpg", "-o", ""), "The value of -o is empty"),
        (("stylize", "a.jpg", "-o", "out", "--style="), "The value of --style is empty"),
        (("score", "a.jpg", "--metric", ""), "The value of --metric is empty"),
    ],
)
def test_empty_values_are_refused_instead_of_meaning_the_current_folder(command: tuple[str, ...], place: str) -> None:
    result = pochoir(*command)
    assert result.exit_code == 2
    assert place in error_line(result)
