"""Writing: exact, whole or not at all, with its record."""

import errno
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from pochoir import imaging
from pochoir.errors import ImageReadError, InputError, OutputPathError, ShapeError, WriteError
from pochoir.imaging import writing


def random_picture(seed: int = 0, *, channels: int = 3, height: int = 9, width: int = 11) -> torch.Tensor:
    values = np.random.default_rng(seed).integers(0, 256, (1, channels, height, width), dtype=np.uint8)
    return torch.from_numpy(values).float() / 255


@pytest.mark.parametrize("extension", ["png", "PNG", "tif", "tiff"])
def test_lossless_round_trip_is_bit_exact(tmp_path: Path, extension: str) -> None:
    rgb, alpha = random_picture(), random_picture(1, channels=1)
    path = tmp_path / f"a.{extension}"
    imaging.save(path, rgb, alpha=alpha)
    back = imaging.load(path)
    assert torch.equal(back.rgb, rgb)
    assert torch.equal(back.alpha, alpha)
    assert back.notes == ()


def test_all_256_values_come_back(tmp_path: Path) -> None:
    rgb = (torch.arange(256).float() / 255).expand(1, 3, 1, 256)
    imaging.save(tmp_path / "a.png", rgb)
    assert torch.equal(imaging.load(tmp_path / "a.png").rgb, rgb)


@given(st.lists(st.floats(-0.5, 1.5, width=32), min_size=1, max_size=30))
@settings(max_examples=30, deadline=None)
def test_rounds_to_the_nearest_and_clips(tmp_path_factory: pytest.TempPathFactory, values: list[float]) -> None:
    path = tmp_path_factory.mktemp("round") / "a.png"
    rgb = torch.tensor(values, dtype=torch.float32).expand(1, 3, 1, -1)
    imaging.save(path, rgb)
    assert (imaging.load(path).rgb - rgb.clamp(0, 1)).abs().max() <= 0.5 / 255 + 1e-6


def test_halves_go_up(tmp_path: Path) -> None:
    imaging.save(tmp_path / "a.png", torch.full((1, 3, 1, 1), 0.5))  # 127.5
    with Image.open(tmp_path / "a.png") as image:
        assert image.getpixel((0, 0)) == (128, 128, 128)


@pytest.mark.parametrize("extension", ["jpg", "jpeg", "webp", "avif", "jxl"])
def test_lossy_formats_stay_close(tmp_path: Path, extension: str) -> None:
    ramp = torch.linspace(0, 1, 64).expand(1, 3, 32, 64)
    imaging.save(tmp_path / f"a.{extension}", ramp)
    assert (imaging.load(tmp_path / f"a.{extension}").rgb - ramp).abs().mean() < 0.01


def test_jpeg_keeps_full_chroma(tmp_path: Path) -> None:
    rgb = torch.zeros(1, 3, 16, 16)
    rgb[:, 0, :, ::2], rgb[:, 2, :, 1::2] = 1, 1  # red and blue columns, one pixel wide
    imaging.save(tmp_path / "a.jpg", rgb)
    assert (imaging.load(tmp_path / "a.jpg").rgb - rgb).abs().mean() < 0.05


def test_webp_keeps_alpha_and_the_colours_under_it(tmp_path: Path) -> None:
    rgb, alpha = torch.full((1, 3, 16, 16), 0.8), torch.ones(1, 1, 16, 16)
    alpha[..., :8] = 0
    imaging.save(tmp_path / "a.webp", rgb, alpha=alpha)
    back = imaging.load(tmp_path / "a.webp")
    assert torch.equal(back.alpha, alpha)
    assert back.rgb[..., 2].min() > 0.75


@pytest.mark.parametrize("extension", ["png", "jpg", "webp", "tif"])
def test_file_says_it_is_srgb(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"a.{extension}"
    imaging.save(path, random_picture())
    with Image.open(path) as image:
        if extension == "png":
            assert image.info["srgb"] == 0
        else:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
            assert "sRGB" in ImageCms.getProfileDescription(profile)


@pytest.mark.parametrize("extension", ["png", "jpg", "webp", "tif", "avif", "jxl"])
def test_same_picture_same_bytes(tmp_path: Path, extension: str) -> None:
    for name in ("a", "b"):
        imaging.save(tmp_path / f"{name}.{extension}", random_picture(), record="{}")
    assert (tmp_path / f"a.{extension}").read_bytes() == (tmp_path / f"b.{extension}").read_bytes()


class TestRecord:
    @pytest.mark.parametrize("extension", ["png", "jpg", "webp", "tif", "avif", "jxl"])
    @pytest.mark.parametrize("length", [10, 50_000, 1_500_000])
    def test_comes_back(self, tmp_path: Path, extension: str, length: int) -> None:
        record = json.dumps({"name": "Grüße, 世界 🎨", "losses": "x" * length}, ensure_ascii=False)
        path = tmp_path / f"a.{extension}"
        imaging.save(path, random_picture(), record=record)
        assert imaging.read_record(path) == record
        assert imaging.load(path).notes == ()  # a long record keeps nobody from reading the picture
        assert (tmp_path / f"a.{extension}.json").exists() == (extension != "png")

    def test_long_record_is_compressed(self, tmp_path: Path) -> None:
        imaging.save(tmp_path / "a.png", random_picture(), record="x" * 100_000)
        assert (tmp_path / "a.png").stat().st_size < 5000

    def test_of_a_huge_picture(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        imaging.save(tmp_path / "a.png", torch.zeros(1, 3, 16, 16), record="{}")
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # Pillow refuses above twice of it
        assert imaging.read_record(tmp_path / "a.png") == "{}"

    def test_behind_the_pixels(self, tmp_path: Path) -> None:
        path = tmp_path / "a.png"
        imaging.save(path, random_picture(), record="moved")
        data = path.read_bytes()
        start = data.index(b"iTXt") - 4
        end = start + int.from_bytes(data[start : start + 4], "big") + 12
        path.write_bytes(data[:start] + data[end:-12] + data[start:end] + data[-12:])
        assert imaging.read_record(path) == "moved"

    @pytest.mark.parametrize(
        ("name", "message"), [("a.png", "holds no recipe"), ("a.jpg", r"'a\.jpg\.json' should lie in the same folder")]
    )
    def test_none(self, tmp_path: Path, name: str, message: str) -> None:
        imaging.save(tmp_path / name, random_picture())
        with pytest.raises(InputError, match=message):
            imaging.read_record(tmp_path / name)

    @pytest.mark.parametrize("name", ["a.mp4", "a.txt"])
    def test_no_file_beside_is_asked_for_where_none_would_be(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_text("no picture")
        with pytest.raises(InputError, match="holds no recipe"):
            imaging.read_record(tmp_path / name)

    @pytest.mark.parametrize("name", ["a.png", "a.jpg"])
    def test_no_file(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(InputError, match="there is no such file"):
            imaging.read_record(tmp_path / name)

    def test_not_a_picture(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_text("text")
        with pytest.raises(InputError, match="Cannot read the recipe"):
            imaging.read_record(tmp_path / "a.png")


class TestRefusals:
    def test_jpeg_cannot_hold_alpha(self, tmp_path: Path) -> None:
        with pytest.raises(OutputPathError, match=r"transparency, which JPEG cannot; use \.png, \.webp or \.tiff"):
            imaging.save(tmp_path / "a.jpg", random_picture(), alpha=random_picture(channels=1))

    @pytest.mark.parametrize("name", ["a.gif", "a", "a.pgn"])
    def test_unknown_extension(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(OutputPathError, match=r"allowed: \.png, \.jpg"):
            imaging.save(tmp_path / name, random_picture())

    @pytest.mark.parametrize("shape", [(3, 4, 4), (2, 3, 4, 4), (1, 4, 4, 4), (1, 3, 0, 4)])
    def test_not_one_picture(self, tmp_path: Path, shape: tuple[int, ...]) -> None:
        with pytest.raises(ShapeError, match=r"\(1, 3, H, W\); got"):
            imaging.save(tmp_path / "a.png", torch.zeros(shape))

    def test_alpha_of_another_size(self, tmp_path: Path) -> None:
        with pytest.raises(ShapeError, match=r"got \(1, 1, 4, 5\)"):
            imaging.save(tmp_path / "a.png", torch.zeros(1, 3, 4, 4), alpha=torch.zeros(1, 1, 4, 5))

    def test_values_that_are_no_numbers(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="not finite numbers"):
            imaging.save(tmp_path / "a.png", torch.full((1, 3, 2, 2), torch.nan))
        assert list(tmp_path.iterdir()) == []

    def test_too_wide_for_webp(self, tmp_path: Path) -> None:
        with pytest.raises(OutputPathError, match=r"20000x1 cannot be written as WEBP.*try \.png"):
            imaging.save(tmp_path / "a.webp", torch.zeros(1, 3, 1, 20_000))


class TestAtomic:
    @pytest.mark.parametrize("name", ["a.png", "a.jpg"])
    def test_full_disk_leaves_the_old_file_and_nothing_else(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        (tmp_path / name).write_bytes(b"old")

        def write_until_full(path: Path, data: bytes) -> None:
            path.write_bytes(data[:10])
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(writing, "_write_new", write_until_full)
        with pytest.raises(WriteError, match=rf"Cannot write '.*{name}'.*: No space left on device\."):
            imaging.save(tmp_path / name, random_picture(), record="{}")
        assert (tmp_path / name).read_bytes() == b"old"
        assert [item.name for item in tmp_path.iterdir()] == [name]

    def test_interrupt_leaves_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(Path, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            imaging.save(tmp_path / "a.jpg", random_picture(), record="{}")
        assert list(tmp_path.iterdir()) == []

    def test_missing_folder(self, tmp_path: Path) -> None:
        with pytest.raises(WriteError, match="No such file or directory"):
            imaging.save(tmp_path / "none" / "a.png", random_picture())

    @pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
    def test_permissions_follow_the_umask(self, tmp_path: Path) -> None:
        previous = os.umask(0o027)
        try:
            imaging.save(tmp_path / "a.jpg", random_picture(), record="{}")
        finally:
            os.umask(previous)
        assert {item.stat().st_mode & 0o777 for item in tmp_path.iterdir()} == {0o640}

    def test_link_is_written_through(self, tmp_path: Path) -> None:
        (tmp_path / "real.png").write_bytes(b"old")
        (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
        imaging.save(tmp_path / "link.png", random_picture())
        assert (tmp_path / "link.png").is_symlink()
        assert torch.equal(imaging.load(tmp_path / "real.png").rgb, random_picture())

    def test_links_in_a_circle(self, tmp_path: Path) -> None:
        circle = tmp_path / "a.png"
        circle.symlink_to(circle)
        with pytest.raises(ImageReadError, match="symbolic links"):
            imaging.load(circle)
        imaging.check_output(circle, inputs=[tmp_path / "b.png"])
        imaging.save(circle, random_picture())
        assert torch.equal(imaging.load(circle).rgb, random_picture())


class TestCheckOutput:
    def test_usable_paths(self, tmp_path: Path) -> None:
        (tmp_path / "old.png").touch()
        (tmp_path / "in.png").touch()
        for name in ("new.png", "old.png", "new.jpg"):
            imaging.check_output(tmp_path / name, inputs=[tmp_path / "in.png"])
        assert sorted(item.name for item in tmp_path.iterdir()) == ["in.png", "old.png"]  # nothing is created

    @pytest.mark.parametrize("name", ["in.png", "./in.png", "sub/../in.png", "link.png"])
    def test_input_is_protected_under_any_name(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        (tmp_path / "in.png").touch()
        (tmp_path / "sub").mkdir()
        (tmp_path / "link.png").symlink_to(tmp_path / "in.png")
        monkeypatch.chdir(tmp_path)
        with pytest.raises(OutputPathError, match="is an input and would be overwritten"):
            imaging.check_output(name, inputs=[tmp_path / "in.png"])
        imaging.check_output(name, inputs=[tmp_path / "in.png"], force=True)

    def test_sidecar_may_not_hit_an_input(self, tmp_path: Path) -> None:
        (tmp_path / "a.jpg.json").touch()
        with pytest.raises(OutputPathError, match=r"a\.jpg\.json' is an input"):
            imaging.check_output(tmp_path / "a.jpg", inputs=[tmp_path / "a.jpg.json"])

    def test_folder(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").mkdir()
        with pytest.raises(OutputPathError, match="is a folder; give a file's name"):
            imaging.check_output(tmp_path / "a.png")

    def test_missing_folder(self, tmp_path: Path) -> None:
        with pytest.raises(OutputPathError, match=r"The folder '.*none' of the output does not exist"):
            imaging.check_output(tmp_path / "none" / "a.png")

    def test_file_where_a_folder_should_be(self, tmp_path: Path) -> None:
        (tmp_path / "f").touch()
        with pytest.raises(OutputPathError, match="is a file, not a folder"):
            imaging.check_output(tmp_path / "f" / "a.png")

    def test_unwritable_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "access", lambda *_: False)  # rights do not bind the root user
        with pytest.raises(OutputPathError, match="cannot be written to"):
            imaging.check_output(tmp_path / "a.png")

    def test_folder_that_cannot_be_asked(self, tmp_path: Path) -> None:
        with pytest.raises(OutputPathError, match="cannot be used: File name too long"):
            imaging.check_output(tmp_path / ("d" * 300) / "a.png")

    def test_jpeg_for_a_cutout(self, tmp_path: Path) -> None:
        with pytest.raises(OutputPathError, match="transparency"):
            imaging.check_output(tmp_path / "a.jpg", alpha=True)

    def test_impossible_names(self, tmp_path: Path) -> None:
        with pytest.raises(OutputPathError, match="too long"):
            imaging.check_output(tmp_path / ("a" * 260 + ".png"))
        with pytest.raises(OutputPathError, match="characters no file can"):
            imaging.check_output("a\0b.png")
