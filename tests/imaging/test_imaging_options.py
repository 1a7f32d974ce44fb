"""Depth, compression, colours and kept facts of written files."""

import io
from functools import cache
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
import torch
from PIL import ExifTags, Image, ImageCms

from pochoir import imaging
from pochoir.errors import OutputPathError
from pochoir.imaging import Metadata, SaveOptions

ALL = ["png", "jpg", "webp", "tif", "avif", "jxl"]


@pytest.fixture
def picture() -> torch.Tensor:
    """(1, 3, 24, 40) smooth, with values between the steps of 8 bits."""
    y, x = torch.meshgrid(torch.linspace(0, 1, 24), torch.linspace(0, 1, 40), indexing="ij")
    return torch.stack([x, y, 1 - (x + y) / 2])[None]


@pytest.fixture
def exif() -> bytes:
    """EXIF block of a photo: camera, dates, author, place, orientation and a description."""
    block = Image.Exif()
    block[ExifTags.Base.Make] = "Maker"
    block[ExifTags.Base.Model] = "Model 7"
    block[ExifTags.Base.Copyright] = "Me, 2026"
    block[ExifTags.Base.ImageDescription] = "secret"
    block[ExifTags.Base.Orientation] = 6
    block[ExifTags.IFD.Exif] = {ExifTags.Base.DateTimeOriginal: "2026:11:30 05:43:03"}
    block[ExifTags.IFD.GPSInfo] = {ExifTags.GPS.GPSLatitudeRef: "N", ExifTags.GPS.GPSLatitude: (48.0, 8.0, 30.0)}
    return block.tobytes()


@cache  # it holds the time
def wide_profile() -> bytes:
    primaries = [0.68, 0.32, 0.265, 0.69, 0.15, 0.06]
    return imagecodecs.cms_profile("rgb", whitepoint=[0.3127, 0.3290], primaries=primaries, gamma=2.2)


def read_exif(path: Path) -> Image.Exif:
    with Image.open(path) as image:
        image.load()
        return image.getexif()


class TestDepth:
    @pytest.mark.parametrize("extension", ["png", "tif", "jxl"])
    @pytest.mark.parametrize("has_alpha", [False, True])
    def test_16_bits_keep_what_lies_between(
        self, tmp_path: Path, picture: torch.Tensor, extension: str, has_alpha: bool
    ) -> None:
        alpha = picture[:, :1] * 0.9 + 0.05 if has_alpha else None
        path = tmp_path / f"a.{extension}"
        imaging.save(path, picture, alpha=alpha, options=SaveOptions(bits=16, quality=100))
        back = imaging.load(path)
        limit = 0.06 / 255 if extension == "jxl" else 0.6 / 65535  # JPEG XL holds linear light
        assert (back.rgb - picture).abs().max() <= limit
        assert (back.alpha is not None) == has_alpha
        if alpha is not None:
            assert (back.alpha - alpha).abs().max() <= 0.6 / 65535

    @pytest.mark.parametrize("extension", ["jpg", "webp", "avif"])
    def test_formats_of_8_bits_refuse_16(self, tmp_path: Path, picture: torch.Tensor, extension: str) -> None:
        with pytest.raises(OutputPathError, match=r"holds 8 bits; for 16 bits use \.png, \.tiff or \.jxl"):
            imaging.save(tmp_path / f"a.{extension}", picture, options=SaveOptions(bits=16))
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("extension", ["png", "tif"])
    def test_other_programs_see_16_bits(self, tmp_path: Path, picture: torch.Tensor, extension: str) -> None:
        path = tmp_path / f"a.{extension}"
        imaging.save(path, picture, options=SaveOptions(bits=16))
        values = imagecodecs.png_decode(path.read_bytes()) if extension == "png" else tifffile.imread(path)
        assert values.dtype == np.uint16
        assert values.shape == (24, 40, 3)


class TestCompression:
    @pytest.mark.parametrize("extension", ["jpg", "webp", "avif", "jxl"])
    def test_lower_quality_is_smaller(self, tmp_path: Path, extension: str) -> None:
        noise = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
        sizes = []
        for quality in (40, 90):
            imaging.save(tmp_path / f"a.{extension}", noise, options=SaveOptions(quality=quality))
            sizes.append((tmp_path / f"a.{extension}").stat().st_size)
        assert sizes[0] < 0.7 * sizes[1]

    @pytest.mark.parametrize("extension", ["webp", "jxl"])
    def test_full_quality_is_lossless(self, tmp_path: Path, extension: str) -> None:
        noise = torch.randint(0, 256, (1, 3, 32, 32), generator=torch.Generator().manual_seed(0)) / 255
        imaging.save(tmp_path / f"a.{extension}", noise, options=SaveOptions(quality=100))
        assert torch.equal(imaging.load(tmp_path / f"a.{extension}").rgb, noise)

    @pytest.mark.parametrize(("chroma", "expected"), [("444", 0), ("422", 1), ("420", 2)])
    def test_chroma_of_jpeg(self, tmp_path: Path, picture: torch.Tensor, chroma: str, expected: int) -> None:
        from PIL import JpegImagePlugin

        imaging.save(tmp_path / "a.jpg", picture, options=SaveOptions(chroma=chroma))
        with Image.open(tmp_path / "a.jpg") as image:
            assert JpegImagePlugin.get_sampling(image) == expected

    def test_alpha_of_jpeg_xl_has_no_loss(self, tmp_path: Path, picture: torch.Tensor) -> None:
        alpha = (picture[:, :1] * 255).round() / 255
        imaging.save(tmp_path / "a.jxl", picture, alpha=alpha, options=SaveOptions(quality=50))
        assert torch.equal(imaging.load(tmp_path / "a.jxl").alpha, alpha)


class TestProfile:
    @pytest.mark.parametrize("extension", ["png", "jpg", "webp", "tif", "avif"])
    def test_kept_profile_shows_the_same_colours(self, tmp_path: Path, picture: torch.Tensor, extension: str) -> None:
        path, metadata = tmp_path / f"a.{extension}", Metadata(icc=wide_profile())
        imaging.save(path, picture, metadata=metadata, options=SaveOptions(profile="keep", quality=100))
        with Image.open(path) as image:
            assert image.info["icc_profile"] == wide_profile()
            raw = np.asarray(image.convert("RGB"))
        assert np.abs(raw / 255 - picture[0].permute(1, 2, 0).numpy()).max() > 0.05
        error = (imaging.load(path).rgb - picture).abs()[
            (picture > 0.2) & (picture < 0.9)
        ]  # the curve is steep in shadows
        assert error.max() <= {"png": 2, "tif": 2, "webp": 2}.get(extension, 12) / 255

    @pytest.mark.parametrize("bits", [8, 16])
    def test_at_each_depth(self, tmp_path: Path, picture: torch.Tensor, bits: int) -> None:
        options = SaveOptions(profile="keep", bits=bits)
        imaging.save(tmp_path / "a.png", picture, metadata=Metadata(icc=wide_profile()), options=options)
        error = (imaging.load(tmp_path / "a.png").rgb - picture).abs()
        assert error[picture > 0.2].max() <= (2 if bits == 8 else 0.02) / 255

    def test_profile_of_another_kind_is_not_kept(self, tmp_path: Path, picture: torch.Tensor) -> None:
        lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
        imaging.save(tmp_path / "a.png", picture, metadata=Metadata(icc=lab), options=SaveOptions(profile="keep"))
        with Image.open(tmp_path / "a.png") as image:
            assert image.info["srgb"] == 0

    def test_srgb_is_the_default(self, tmp_path: Path, picture: torch.Tensor) -> None:
        imaging.save(tmp_path / "a.jpg", picture, metadata=Metadata(icc=wide_profile()))
        with Image.open(tmp_path / "a.jpg") as image:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        assert "sRGB" in ImageCms.getProfileDescription(profile)

    def test_jpeg_xl_cannot(self, tmp_path: Path, picture: torch.Tensor) -> None:
        with pytest.raises(OutputPathError, match="JXL is written in sRGB"):
            imaging.save(
                tmp_path / "a.jxl", picture, metadata=Metadata(icc=wide_profile()), options=SaveOptions(profile="keep")
            )


class TestFacts:
    @pytest.mark.parametrize("extension", ["png", "jpg", "webp", "avif", "tif"])
    def test_camera_date_and_copyright_are_kept(
        self, tmp_path: Path, picture: torch.Tensor, exif: bytes, extension: str
    ) -> None:
        path = tmp_path / f"a.{extension}"
        imaging.save(path, picture, metadata=Metadata(exif=exif))
        block = read_exif(path)
        assert (block[ExifTags.Base.Make], block[ExifTags.Base.Copyright]) == ("Maker", "Me, 2026")
        assert ExifTags.Base.Orientation not in block or block[ExifTags.Base.Orientation] == 1
        assert ExifTags.Base.ImageDescription not in block
        assert not block.get_ifd(ExifTags.IFD.GPSInfo)
        taken = block.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal) or block[ExifTags.Base.DateTime]
        assert taken == "2026:11:30 05:43:03"
        assert imaging.load(path).size == (24, 40)

    @pytest.mark.parametrize("extension", ["png", "jpg", "webp", "avif"])
    def test_place_on_request_alone(self, tmp_path: Path, picture: torch.Tensor, exif: bytes, extension: str) -> None:
        path = tmp_path / f"a.{extension}"
        imaging.save(path, picture, metadata=Metadata(exif=exif), options=SaveOptions(metadata="gps"))
        assert read_exif(path).get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] == (48.0, 8.0, 30.0)

    @pytest.mark.parametrize("extension", ALL)
    def test_none_if_asked(self, tmp_path: Path, picture: torch.Tensor, exif: bytes, extension: str) -> None:
        path = tmp_path / f"a.{extension}"
        imaging.save(path, picture, metadata=Metadata(exif=exif), options=SaveOptions(metadata="none"))
        assert b"Maker" not in path.read_bytes()

    def test_jpeg_xl_keeps_them_in_a_box(self, tmp_path: Path, picture: torch.Tensor, exif: bytes) -> None:
        imaging.save(tmp_path / "a.jxl", picture, metadata=Metadata(exif=exif), origin="painted")
        back = imaging.load(tmp_path / "a.jxl")
        assert b"Maker" in (back.metadata.exif or b"")
        assert b"DigitalSourceType" in (tmp_path / "a.jxl").read_bytes()
        assert (back.rgb - picture).abs().mean() < 0.02

    @pytest.mark.parametrize("extension", ALL)
    def test_broken_block_is_left_out(self, tmp_path: Path, picture: torch.Tensor, extension: str) -> None:
        imaging.save(tmp_path / f"a.{extension}", picture, metadata=Metadata(exif=b"II*\0\xff\xff\xff\xff"))
        assert imaging.load(tmp_path / f"a.{extension}").notes == ()

    @pytest.mark.parametrize("extension", ["png", "jpg", "tif"])
    @pytest.mark.parametrize(("asked", "expected"), [(None, 240), (300, 300)])
    def test_resolution(
        self, tmp_path: Path, picture: torch.Tensor, extension: str, asked: float | None, expected: int
    ) -> None:
        path = tmp_path / f"a.{extension}"
        imaging.save(path, picture, metadata=Metadata(dpi=(240, 240)), options=SaveOptions(dpi=asked))
        with Image.open(path) as image:
            assert image.info["dpi"] == pytest.approx((expected, expected), abs=0.02)
        assert imaging.load(path).metadata.dpi == pytest.approx((expected, expected), abs=0.02)

    @pytest.mark.parametrize("extension", ["png", "jpg", "webp", "avif", "tif"])
    @pytest.mark.parametrize(
        ("origin", "term"),
        [("painted", "compositeWithTrainedAlgorithmicMedia"), ("cut out", "algorithmicallyEnhanced")],
    )
    def test_files_say_how_they_were_made(
        self, tmp_path: Path, picture: torch.Tensor, extension: str, origin: str, term: str
    ) -> None:
        path = tmp_path / f"a.{extension}"
        imaging.save(path, picture, origin=origin)
        with Image.open(path) as image:
            image.load()
            packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or image.tag_v2[700]
        text = packet if isinstance(packet, str) else packet.decode()
        assert f'DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/{term}"' in text
        assert imaging.load(path).notes == ()

    def test_nothing_is_said_of_plain_pictures(self, tmp_path: Path, picture: torch.Tensor) -> None:
        imaging.save(tmp_path / "a.png", picture)
        assert b"DigitalSourceType" not in (tmp_path / "a.png").read_bytes()

    @pytest.mark.parametrize("extension", ALL)
    def test_no_record_if_asked(self, tmp_path: Path, picture: torch.Tensor, extension: str) -> None:
        path = tmp_path / f"a.{extension}"
        imaging.save(path, picture, record='{"secret": 1}', options=SaveOptions(embed_record=False))
        assert [item.name for item in tmp_path.iterdir()] == [path.name]
        assert b"secret" not in path.read_bytes()
        assert imaging.is_intact(path)
        path.write_bytes(path.read_bytes()[:-30])
        assert not imaging.is_intact(path)
