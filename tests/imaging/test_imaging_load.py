"""Reading: every kind of file a person may bring, and what bad ones get."""

import contextlib
import hashlib
import io
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
import torch
from PIL import Image, ImageCms, ImageFile, ImageOps

from pochoir import imaging
from pochoir._types import Size
from pochoir.errors import ImageReadError


@pytest.fixture
def pixels() -> np.ndarray:
    """(12, 17, 3) uint8, smooth enough for lossy formats, no two corners alike."""
    y, x = np.mgrid[0:12, 0:17]
    return np.stack([x * 15, y * 21, (x + y) * 9], axis=-1).astype(np.uint8)


def to_uint8(picture: imaging.Picture) -> np.ndarray:
    return (picture.rgb[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)


def test_png_comes_in_exactly_and_says_nothing(tmp_path: Path, pixels: np.ndarray) -> None:
    path = tmp_path / "photo.png"
    Image.fromarray(pixels).save(path)
    picture = imaging.load(path)
    assert picture.rgb.shape == (1, 3, 12, 17)
    assert picture.rgb.dtype == torch.float32
    assert torch.equal(picture.rgb, torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255)
    assert picture.alpha is None
    assert picture.notes == ()
    assert picture.size == Size(12, 17)
    assert (picture.name, picture.path) == ("photo.png", str(path))
    assert picture.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("extension", ["png", "jpg", "webp", "tiff", "gif", "bmp", "avif", "jp2", "ppm"])
def test_common_formats_are_read(tmp_path: Path, pixels: np.ndarray, extension: str) -> None:
    path = tmp_path / f"photo.{extension}"
    Image.fromarray(pixels).save(path)
    assert np.abs(to_uint8(imaging.load(path)).astype(int) - pixels).mean() < 8


def test_picture_passes_through(pixels: np.ndarray) -> None:
    picture = imaging.load(pixels)
    assert imaging.load(picture) is picture


class TestModes:
    def test_grey(self, tmp_path: Path, pixels: np.ndarray) -> None:
        Image.fromarray(pixels[..., 0]).save(tmp_path / "a.png")
        picture = imaging.load(tmp_path / "a.png")
        assert np.array_equal(to_uint8(picture), np.repeat(pixels[..., :1], 3, axis=2))
        assert picture.notes == ("grey spread to RGB",)

    def test_grey_with_alpha(self, tmp_path: Path, pixels: np.ndarray) -> None:
        Image.fromarray(pixels[..., :2]).save(tmp_path / "a.png")
        picture = imaging.load(tmp_path / "a.png")
        seen = pixels[..., 1] > 0
        assert np.array_equal(to_uint8(picture)[..., 2][seen], pixels[..., 0][seen])
        assert torch.equal(picture.alpha[0, 0], torch.from_numpy(pixels[..., 1]).float() / 255)

    def test_one_bit(self, tmp_path: Path, pixels: np.ndarray) -> None:
        bits = pixels[..., 0] > 100
        Image.fromarray(bits).save(tmp_path / "a.png")
        assert np.array_equal(to_uint8(imaging.load(tmp_path / "a.png"))[..., 0], bits * np.uint8(255))

    def test_palette_with_a_transparent_colour(self, tmp_path: Path) -> None:
        image = Image.new("P", (4, 2), 1)
        image.putpalette([10, 20, 30, 200, 100, 50])
        image.putpixel((0, 0), 0)
        image.save(tmp_path / "a.png", transparency=0)
        picture = imaging.load(tmp_path / "a.png")
        assert to_uint8(picture)[1, 1].tolist() == [200, 100, 50]
        assert picture.alpha.flatten().tolist() == [0, 1, 1, 1, 1, 1, 1, 1]
        assert picture.notes == ("palette colours converted to RGB",)

    def test_palette_with_translucent_colours(self, tmp_path: Path) -> None:
        image = Image.new("P", (2, 1), 1)
        image.putpalette([10, 20, 30, 200, 100, 50])
        image.putpixel((0, 0), 0)
        image.save(tmp_path / "a.png", transparency=b"\x33\xff")
        picture = imaging.load(tmp_path / "a.png")
        assert picture.alpha.flatten().tolist() == pytest.approx([0.2, 1])
        assert to_uint8(picture)[0].tolist() == [[10, 20, 30], [200, 100, 50]]

    def test_colour_key_of_rgb(self, tmp_path: Path, pixels: np.ndarray) -> None:
        Image.fromarray(pixels).save(tmp_path / "a.png", transparency=tuple(int(v) for v in pixels[3, 4]))
        picture = imaging.load(tmp_path / "a.png")
        assert picture.alpha[0, 0, 3, 4] == 0
        assert picture.alpha.sum() == 12 * 17 - 1
        seen = picture.alpha[0, 0].numpy() > 0
        assert np.array_equal(to_uint8(picture)[seen], pixels[seen])

    def test_alpha_is_kept_and_hidden_colours_are_not(self, tmp_path: Path, pixels: np.ndarray) -> None:
        alpha = pixels[..., :1].copy()
        alpha[0, 0] = 0
        Image.fromarray(np.dstack([pixels, alpha])).save(tmp_path / "a.png")
        picture = imaging.load(tmp_path / "a.png")
        assert np.array_equal(to_uint8(picture)[:, 1:], pixels[:, 1:])
        assert to_uint8(picture)[0, 0].tolist() != pixels[0, 0].tolist()
        assert picture.alpha.shape == (1, 1, 12, 17)
        assert picture.alpha[0, 0, 0, 0] == 0

    def test_opaque_alpha_is_none(self, pixels: np.ndarray) -> None:
        assert imaging.load(Image.fromarray(pixels).convert("RGBA")).alpha is None

    def test_cmyk(self, tmp_path: Path) -> None:
        Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=100)
        picture = imaging.load(tmp_path / "a.jpg")
        assert picture.rgb[0, :, 4, 4].tolist() == pytest.approx([1, 0, 0], abs=0.03)
        assert picture.notes == ("CMYK without a profile converted to RGB",)


class TestDepth:
    @pytest.fixture
    def deep(self) -> np.ndarray:
        return np.random.default_rng(0).integers(0, 65536, (6, 7, 4), dtype=np.uint16)

    @pytest.mark.parametrize("extension", ["png", "tif"])
    def test_16_bit_grey(self, tmp_path: Path, deep: np.ndarray, extension: str) -> None:
        cv2.imwrite(str(tmp_path / f"a.{extension}"), deep[..., 0])
        picture = imaging.load(tmp_path / f"a.{extension}")
        assert np.array_equal((picture.rgb[0, 2].numpy() * 65535).round(), deep[..., 0])

    @pytest.mark.parametrize("extension", ["png", "tif"])
    @pytest.mark.parametrize("channels", [3, 4])
    def test_16_bit_colour_keeps_every_bit(
        self, tmp_path: Path, deep: np.ndarray, extension: str, channels: int
    ) -> None:
        bgr = deep[..., [2, 1, 0, 3][:channels]]
        cv2.imwrite(str(tmp_path / f"a.{extension}"), bgr)
        picture = imaging.load(tmp_path / f"a.{extension}")
        assert np.array_equal((picture.rgb[0].permute(1, 2, 0).numpy() * 65535).round(), deep[..., :3])
        assert (picture.alpha is not None) == (channels == 4)
        if picture.alpha is not None:
            assert np.array_equal((picture.alpha[0, 0].numpy() * 65535).round(), deep[..., 3])

    @pytest.mark.parametrize("shape", [(6, 7), (6, 7, 3)])
    def test_float_tiff(self, tmp_path: Path, shape: tuple[int, ...]) -> None:
        values = np.random.default_rng(0).random(shape, np.float32)
        cv2.imwrite(str(tmp_path / "a.tif"), values if values.ndim == 2 else values[..., ::-1])
        picture = imaging.load(tmp_path / "a.tif")
        expected = values if values.ndim == 3 else np.repeat(values[..., None], 3, axis=2)
        assert np.array_equal(picture.rgb[0].permute(1, 2, 0).numpy(), expected)

    def test_float_tiff_out_of_range_is_refused(self, tmp_path: Path) -> None:
        Image.fromarray(np.array([[0, 255]], np.float32)).save(tmp_path / "a.tif")
        with pytest.raises(ImageReadError, match=r"a\.tif': its values run from 0 to 255; 0 to 1 is allowed"):
            imaging.load(tmp_path / "a.tif")

    def test_16_bit_with_wide_gamut_profile_keeps_its_depth(self, tmp_path: Path, deep: np.ndarray) -> None:
        cv2.imwrite(str(tmp_path / "a.png"), deep[..., :3])
        # OpenCV writes no profile: put one behind the 33 bytes of signature and header.
        data, profiled = (tmp_path / "a.png").read_bytes(), io.BytesIO()
        Image.new("RGB", (1, 1)).save(profiled, "PNG", icc_profile=wide_gamut_profile())
        chunk = profiled.getvalue()[33:]
        length = int.from_bytes(chunk[:4], "big") + 12
        assert chunk[4:8] == b"iCCP"
        (tmp_path / "a.png").write_bytes(data[:33] + chunk[:length] + data[33:])
        picture = imaging.load(tmp_path / "a.png")
        assert picture.notes == ("colours converted from sRGB built-in to sRGB",)
        expected = deep[..., [1, 2, 0]] / 65535  # OpenCV writes BGR, and the profile swaps red and green
        assert np.abs(picture.rgb[0].permute(1, 2, 0).numpy() - expected).max() < 1 / 1024


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("extension", ["jpg", "png", "webp", "tif"])
def test_exif_orientation_is_undone(tmp_path: Path, pixels: np.ndarray, orientation: int, extension: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{extension}"
    Image.fromarray(pixels).save(path, exif=exif, quality=100)
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    picture = imaging.load(path)
    assert np.array_equal(to_uint8(picture), expected)
    if orientation > 1 and extension != "tif":
        assert picture.notes == (f"turned upright (EXIF orientation {orientation})",)


@pytest.mark.parametrize("orientation", [3, 6])
@pytest.mark.parametrize("extension", ["png", "tif"])
def test_exif_orientation_of_16_bit_colour(
    tmp_path: Path, pixels: np.ndarray, orientation: int, extension: str
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(tmp_path / f"8.{extension}", exif=exif)
    deep_path = tmp_path / f"16.{extension}"
    if extension == "png":
        cv2.imwrite(str(deep_path), pixels[..., ::-1].astype(np.uint16) * 257)
        shallow, deep = (tmp_path / "8.png").read_bytes(), deep_path.read_bytes()
        start = shallow.index(b"eXIf") - 4
        length = int.from_bytes(shallow[start : start + 4], "big") + 12
        deep_path.write_bytes(deep[:33] + shallow[start : start + length] + deep[33:])
    else:
        tifffile.imwrite(
            deep_path, pixels.astype(np.uint16) * 257, photometric="rgb", extratags=[(274, "H", 1, orientation, True)]
        )
    assert np.array_equal(to_uint8(imaging.load(deep_path)), to_uint8(imaging.load(tmp_path / f"8.{extension}")))


def wide_gamut_profile() -> bytes:
    """An RGB profile with red and green swapped, cut from Pillow's sRGB: unmistakably not sRGB."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    entries = {bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * profile[131], 12)}
    red, green = entries[b"rXYZ"], entries[b"gXYZ"]
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


class TestProfiles:
    def test_foreign_profile_is_applied(self, tmp_path: Path) -> None:
        Image.new("RGB", (3, 3), (250, 10, 20)).save(tmp_path / "a.png", icc_profile=wide_gamut_profile())
        picture = imaging.load(tmp_path / "a.png")
        assert to_uint8(picture)[1, 1].tolist() == pytest.approx([10, 250, 20], abs=2)
        assert picture.notes[0].startswith("colours converted from ")

    def test_srgb_profile_changes_nothing(self, tmp_path: Path, pixels: np.ndarray) -> None:
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        Image.fromarray(pixels).save(tmp_path / "a.png", icc_profile=srgb)
        picture = imaging.load(tmp_path / "a.png")
        assert np.array_equal(to_uint8(picture), pixels)
        assert picture.notes == ()

    def test_alpha_survives_a_profile(self, tmp_path: Path) -> None:
        Image.new("RGBA", (3, 3), (250, 10, 20, 51)).save(tmp_path / "a.png", icc_profile=wide_gamut_profile())
        picture = imaging.load(tmp_path / "a.png")
        assert picture.alpha[0, 0, 1, 1] == pytest.approx(0.2)
        assert to_uint8(picture)[1, 1].tolist() == pytest.approx([10, 250, 20], abs=2)

    def test_broken_profile_is_told_and_ignored(self, tmp_path: Path, pixels: np.ndarray) -> None:
        Image.fromarray(pixels).save(tmp_path / "a.png", icc_profile=b"no profile at all")
        picture = imaging.load(tmp_path / "a.png")
        assert np.array_equal(to_uint8(picture), pixels)
        assert picture.notes == ("broken colour profile ignored, colours taken as sRGB",)

    def test_grey_picture_with_rgb_profile(self, tmp_path: Path, pixels: np.ndarray) -> None:
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        Image.fromarray(pixels[..., 0]).save(tmp_path / "a.png", icc_profile=srgb)
        assert np.array_equal(to_uint8(imaging.load(tmp_path / "a.png"))[..., 1], pixels[..., 0])

    def test_profile_of_another_kind_is_told_and_ignored(self, tmp_path: Path) -> None:
        lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
        Image.new("RGB", (2, 2), (1, 2, 3)).save(tmp_path / "a.png", icc_profile=lab)
        picture = imaging.load(tmp_path / "a.png")
        assert to_uint8(picture)[0, 0].tolist() == [1, 2, 3]
        assert picture.notes == ("Lab colour profile ignored, since the picture is RGB",)


@pytest.mark.parametrize("extension", ["gif", "webp", "png", "tif"])
def test_first_of_several_frames(tmp_path: Path, extension: str) -> None:
    frames = [Image.new("RGB", (6, 4), color) for color in ("#ff0000", "#00ff00", "#0000ff")]
    path = tmp_path / f"a.{extension}"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    picture = imaging.load(path)
    assert to_uint8(picture)[2, 3].tolist() == pytest.approx([255, 0, 0], abs=3)
    assert "first of 3 frames taken" in picture.notes


class TestArrays:
    def test_uint8_uint16_bool_and_float(self) -> None:
        assert imaging.load(np.full((2, 3), 51, np.uint8)).rgb.unique().tolist() == pytest.approx([0.2])
        assert imaging.load(np.full((2, 3, 1), 13107, np.uint16)).rgb.unique().tolist() == pytest.approx([0.2])
        assert imaging.load(np.array([[True, False]])).rgb[0, 0].tolist() == [[1, 0]]
        assert imaging.load(np.full((2, 3, 3), 0.2)).rgb.unique().tolist() == pytest.approx([0.2])

    def test_fourth_channel_is_alpha(self) -> None:
        picture = imaging.load(np.full((2, 3, 4), 0.25, np.float32))
        assert picture.alpha.unique().tolist() == [0.25]

    def test_later_changes_of_the_array_do_not_reach_the_picture(self) -> None:
        values = np.zeros((2, 2, 3), np.float32)
        picture = imaging.load(values)
        values[:] = 1
        assert picture.rgb.max() == 0

    def test_hash_is_of_the_values(self, pixels: np.ndarray) -> None:
        one, same = imaging.load(pixels), imaging.load(Image.fromarray(pixels))
        assert one.sha256 == same.sha256
        assert one.sha256 != imaging.load(pixels[::-1]).sha256
        assert (one.name, one.path) == ("<image>", None)

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            (np.full((2, 2, 3), np.nan), "not finite numbers"),
            (np.full((2, 2, 3), 255.0), "run from 255 to 255; 0 to 1 is allowed for float64"),
            (np.full((2, 2, 3), -0.5, np.float16), "run from -0.5"),
            (np.zeros((2, 2, 3), np.int64), "got int64"),
            (np.zeros((2, 2, 2), np.uint8), r"got \(2, 2, 2\)"),
            (np.zeros((1, 3, 2, 2), np.uint8), r"got \(1, 3, 2, 2\)"),
            (np.zeros((0, 5, 3), np.uint8), "no pixels"),
        ],
    )
    def test_unusable_arrays(self, values: np.ndarray, message: str) -> None:
        with pytest.raises(ImageReadError, match=message):
            imaging.load(values)

    def test_something_else(self) -> None:
        with pytest.raises(ImageReadError, match=r"Cannot use the style: expected a path.*got int"):
            imaging.load(3, role="style")

    def test_empty_pil_image(self) -> None:
        with pytest.raises(ImageReadError, match="no pixels"):
            imaging.load(Image.new("RGB", (0, 4)))


class TestBadFiles:
    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(ImageReadError, match=r"Cannot read the style '.*no\.png': there is no such file\."):
            imaging.load(tmp_path / "no.png", role="style")

    def test_empty(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").touch()
        with pytest.raises(ImageReadError, match=r"a\.png': the file is empty"):
            imaging.load(tmp_path / "a.png")

    def test_folder(self, tmp_path: Path) -> None:
        with pytest.raises(ImageReadError, match="it is a folder"):
            imaging.load(tmp_path)

    def test_empty_path_and_impossible_path(self) -> None:
        with pytest.raises(ImageReadError, match="its path is empty"):
            imaging.load("")
        with pytest.raises(ImageReadError, match="null byte"):
            imaging.load("a\0b.png")

    def test_name_too_long(self) -> None:
        with pytest.raises(ImageReadError, match="too long"):
            imaging.load("a" * 5000 + ".png")

    @pytest.mark.parametrize("data", [b"hello, this is text", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"])
    def test_not_a_picture(self, tmp_path: Path, data: bytes) -> None:
        (tmp_path / "a.jpg").write_bytes(data)
        with pytest.raises(ImageReadError, match=r"a\.jpg': it is not a picture that can be read \(PNG, JPEG"):
            imaging.load(tmp_path / "a.jpg")

    @pytest.mark.parametrize(
        "data", [b"\0\0\0\x1cftypisom", b"\0\0\0\x14ftypqt  ", b"\x1aE\xdf\xa3", b"RIFF\0\0\0\0AVI "]
    )
    def test_a_video_is_sent_to_its_command(self, tmp_path: Path, data: bytes) -> None:
        (tmp_path / "a.jpg").write_bytes(data + bytes(100))
        with pytest.raises(ImageReadError, match=r"a\.jpg': it is a video, not a picture; .* pochoir video"):
            imaging.load(tmp_path / "a.jpg")

    @pytest.mark.parametrize("extension", ["png", "jpg", "webp", "tif", "gif", "bmp", "avif"])
    @pytest.mark.parametrize("kept", [0.5, 0.9])
    def test_truncated(self, tmp_path: Path, pixels: np.ndarray, extension: str, kept: float) -> None:
        path = tmp_path / f"a.{extension}"
        Image.fromarray(pixels).resize((170, 120)).save(path)
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * kept)])
        with pytest.raises(ImageReadError, match=rf"a\.{extension}': it is ") as caught:
            imaging.load(path)
        assert "\n" not in str(caught.value)

    def test_flipped_bytes_never_raise_anything_else(self, tmp_path: Path, pixels: np.ndarray) -> None:
        rng, path = np.random.default_rng(0), tmp_path / "a.bin"
        for picture_format in ("PNG", "JPEG", "WEBP", "GIF", "BMP"):
            buffer = io.BytesIO()
            Image.fromarray(pixels).save(buffer, picture_format)
            for _ in range(30):
                data = np.frombuffer(buffer.getvalue(), np.uint8).copy()
                data[rng.integers(0, len(data), 3)] = rng.integers(0, 256, 3)
                path.write_bytes(data.tobytes())
                with contextlib.suppress(ImageReadError):
                    imaging.load(path)

    def test_lazy_pil_image_of_a_truncated_file(self, pixels: np.ndarray) -> None:
        buffer = io.BytesIO()
        Image.fromarray(pixels).resize((170, 120)).save(buffer, "JPEG")
        with (
            Image.open(io.BytesIO(buffer.getvalue()[:1500])) as image,
            pytest.raises(ImageReadError, match="Cannot use the photo: it is truncated or damaged"),
        ):
            imaging.load(image)

    def test_bomb(self, tmp_path: Path) -> None:
        Image.new("1", (20_000, 20_000)).save(tmp_path / "a.png")
        with pytest.raises(ImageReadError, match=r"400 million pixels of 1 bytes; at most 300 million"):
            imaging.load(tmp_path / "a.png")

    def test_pillow_is_left_as_it_was(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        limit = Image.MAX_IMAGE_PIXELS
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)  # a 10x9 picture is now in the range that is warned about
        Image.new("RGB", (10, 9)).save(tmp_path / "a.png")
        with warnings.catch_warnings(record=True) as leaked:
            warnings.simplefilter("always")
            assert imaging.load(tmp_path / "a.png").size == Size(9, 10)
        assert leaked == []
        assert Image.MAX_IMAGE_PIXELS == 50
        assert not ImageFile.LOAD_TRUNCATED_IMAGES
        assert limit > 50


class TestMatte:
    def test_alpha_comes_first(self, tmp_path: Path) -> None:
        image = Image.new("RGBA", (4, 3), (255, 255, 255, 51))
        image.putpixel((0, 0), (255, 255, 255, 255))
        image.save(tmp_path / "m.png")
        matte = imaging.load_matte(tmp_path / "m.png", size=Size(3, 4))
        assert matte.matte.shape == (1, 1, 3, 4)
        assert matte.matte.unique().tolist() == pytest.approx([0.2, 1])
        assert (matte.name, matte.size) == ("m.png", Size(3, 4))

    def test_luminance_of_grey_is_exact(self) -> None:
        values = np.arange(256, dtype=np.uint8).reshape(16, 16)
        matte = imaging.load_matte(np.repeat(values[..., None], 3, axis=2), size=Size(16, 16)).matte
        assert torch.equal(matte[0, 0], torch.from_numpy(values).float() / 255)

    def test_a_grey_mask_is_nothing_to_note(self, tmp_path: Path) -> None:
        Image.new("L", (4, 3), 255).save(tmp_path / "m.png")
        assert imaging.load_matte(tmp_path / "m.png", size=Size(3, 4)).notes == ()

    def test_luminance_of_colours(self) -> None:
        ramp = np.linspace(0, 1, 100, dtype=np.float32)[None, :, None]
        matte = imaging.load_matte(ramp * np.array([1, 0.5, 0], np.float32), size=Size(1, 100))
        assert matte.matte.flatten().numpy() == pytest.approx(ramp[0, :, 0] * (0.299 + 0.587 / 2), abs=1e-6)
        assert matte.notes == ("coloured mask read by its brightness",)

    def test_other_size_is_resized_with_a_note(self) -> None:
        matte = imaging.load_matte(np.eye(2, dtype=bool), size=Size(8, 8))
        assert matte.matte.shape == (1, 1, 8, 8)
        assert matte.notes[-1] == "mask resized from 2x2 to 8x8"
        assert matte.matte[0, 0, 0, 0] == 1
        assert matte.matte[0, 0, 0, -1] == 0

    def test_other_shape_is_said(self) -> None:
        assert "stretched" in imaging.load_matte(np.eye(2, dtype=bool), size=Size(4, 8)).notes[-1]

    def test_error_says_mask(self, tmp_path: Path) -> None:
        with pytest.raises(ImageReadError, match="Cannot read the mask"):
            imaging.load_matte(tmp_path / "none.png", size=Size(2, 2))
