"""Damaged side data does not cost the picture; missing pixels do; what is not understood is refused."""

import io
import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
import torch
from PIL import Image, ImageCms, PngImagePlugin

from pochoir import imaging
from pochoir.errors import ImageReadError
from pochoir.imaging import exif as exif_module
from pochoir.imaging.transfer_functions import encoding_of_cicp, from_linear_srgb, srgb_to_linear, tone_map


@pytest.fixture
def pixels() -> np.ndarray:
    """(64, 96, 3) uint8 with detail up to the last pixel."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[0:64, 0:96]
    smooth = np.stack([x * 2, y * 3, (x + y) * 1.5], axis=-1)
    return (smooth + rng.integers(0, 20, smooth.shape)).clip(0, 255).astype(np.uint8)


def encode(pixels: np.ndarray, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, file_format, **options)
    return buffer.getvalue()


def load(tmp_path: Path, data: bytes) -> imaging.Picture:
    (tmp_path / "picture").write_bytes(data)
    return imaging.load(tmp_path / "picture")


def to_uint8(picture: imaging.Picture) -> np.ndarray:
    return (picture.rgb[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)


def chunk(kind: bytes, payload: bytes, *, damage: int = 0) -> bytes:
    checksum = zlib.crc32(kind + payload) ^ damage
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", checksum)


def with_chunk(data: bytes, extra: bytes) -> bytes:
    return data[:33] + extra + data[33:]


class TestSideChunksOfPng:
    @pytest.mark.parametrize(
        ("kind", "payload"),
        [(b"pHYs", bytes(9)), (b"tEXt", b"a\0b"), (b"eXIf", b"II*\0"), (b"gAMA", bytes(4)), (b"tRNS", bytes(6))],
    )
    def test_wrong_checksum(self, tmp_path: Path, pixels: np.ndarray, kind: bytes, payload: bytes) -> None:
        picture = load(tmp_path, with_chunk(encode(pixels, "PNG"), chunk(kind, payload, damage=1)))
        assert np.array_equal(to_uint8(picture), pixels)
        assert picture.alpha is None
        assert picture.notes == (f"damaged {kind.decode()} chunk ignored",)

    @pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"tEXt"])
    def test_text_of_many_megabytes(self, tmp_path: Path, pixels: np.ndarray, kind: bytes) -> None:
        packed = zlib.compress(bytes(20_000_000))
        payload = {b"zTXt": b"a\0\0" + packed, b"iTXt": b"a\0\1\0\0\0" + packed, b"tEXt": b"a\0" + bytes(2_000_000)}[
            kind
        ]
        picture = load(tmp_path, with_chunk(encode(pixels, "PNG"), chunk(kind, payload)))
        assert np.array_equal(to_uint8(picture), pixels)
        assert picture.notes == ()

    def test_profile_of_many_megabytes_is_applied(self, tmp_path: Path, pixels: np.ndarray) -> None:
        primaries = [0.68, 0.32, 0.265, 0.69, 0.15, 0.06]
        icc = imagecodecs.cms_profile("rgb", whitepoint=[0.3127, 0.3290], primaries=primaries, gamma=2.2)
        long = icc + np.random.default_rng(0).bytes(2_000_000)
        payload = b"p\0\0" + zlib.compress(long)
        picture = load(tmp_path, with_chunk(encode(pixels, "PNG"), chunk(b"iCCP", payload)))
        assert "colours converted" in picture.notes[0]

    def test_endless_profile_is_not_unpacked(self, tmp_path: Path, pixels: np.ndarray) -> None:
        payload = b"p\0\0" + zlib.compress(bytes(100_000_000))
        picture = load(tmp_path, with_chunk(encode(pixels, "PNG"), chunk(b"iCCP", payload)))
        assert picture.notes == ("broken colour profile ignored, colours taken as sRGB",)

    def test_unknown_critical_chunk_is_refused(self, tmp_path: Path, pixels: np.ndarray) -> None:
        with pytest.raises(ImageReadError, match="it needs CgBI, an extension of PNG"):
            load(tmp_path, with_chunk(encode(pixels, "PNG"), chunk(b"CgBI", bytes(4))))

    @pytest.mark.parametrize("kind", [b"IHDR", b"IDAT"])
    def test_wrong_checksum_of_pixels(self, tmp_path: Path, pixels: np.ndarray, kind: bytes) -> None:
        data = bytearray(encode(pixels, "PNG"))
        start = data.index(kind)
        length = int.from_bytes(data[start - 4 : start], "big")
        data[start + 4 + length] ^= 255
        with pytest.raises(ImageReadError, match=f"the checksum of {kind.decode()} is wrong"):
            load(tmp_path, bytes(data))


class TestMissingEnd:
    @pytest.mark.parametrize("bits", [8, 16])
    def test_png_without_its_last_chunk(self, tmp_path: Path, pixels: np.ndarray, bits: int) -> None:
        deep = pixels if bits == 8 else pixels.astype(np.uint16) * 257
        picture = load(tmp_path, imagecodecs.png_encode(deep)[:-12])
        assert np.array_equal(to_uint8(picture), pixels)
        assert picture.notes == ("read without its end marker, which is missing",)

    @pytest.mark.parametrize("bits", [8, 16])
    def test_png_cut_between_two_chunks_of_pixels(self, tmp_path: Path, pixels: np.ndarray, bits: int) -> None:
        data = imagecodecs.png_encode(pixels if bits == 8 else pixels.astype(np.uint16) * 257)
        body = b"".join(part.payload for part in iter_pixel_chunks(data))
        halves = chunk(b"IDAT", body[: len(body) // 2])
        with pytest.raises(ImageReadError, match="truncated or damaged"):
            load(tmp_path, data[:33] + halves + chunk(b"IEND", b""))

    @pytest.mark.parametrize("progressive", [False, True])
    def test_jpeg_without_its_marker(self, tmp_path: Path, pixels: np.ndarray, progressive: bool) -> None:
        data = encode(pixels, "JPEG", quality=92, progressive=progressive)
        whole = load(tmp_path, data)
        cut = load(tmp_path, data[:-2])
        assert torch.equal(cut.rgb, whole.rgb)
        assert cut.notes == ("read without its end marker, which is missing",)

    @pytest.mark.parametrize("missing", [8, 40, 400, 2000])
    @pytest.mark.parametrize("end", [b"", b"\xff\xd9"])
    def test_cut_jpeg_is_refused(self, tmp_path: Path, pixels: np.ndarray, missing: int, end: bytes) -> None:
        data = encode(pixels, "JPEG", quality=92)[:-missing] + end
        with pytest.raises(ImageReadError, match="it is truncated or damaged"):
            load(tmp_path, data)

    def test_grey_jpeg_is_not_taken_for_a_cut_one(self, tmp_path: Path) -> None:
        picture = load(tmp_path, encode(np.full((64, 64, 3), 128, np.uint8), "JPEG"))
        assert picture.notes == ()

    def test_bytes_behind_the_end_do_not_matter(self, tmp_path: Path, pixels: np.ndarray) -> None:
        data = encode(pixels, "JPEG")
        assert torch.equal(load(tmp_path, data + b"more" * 50).rgb, load(tmp_path, data).rgb)

    @pytest.mark.parametrize("compression", [None, "lzw"])
    @pytest.mark.parametrize("kept", [0.5, 0.95])
    def test_cut_tiff_is_refused(
        self, tmp_path: Path, pixels: np.ndarray, compression: str | None, kept: float
    ) -> None:
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, pixels, photometric="rgb", rowsperstrip=16, compression=compression)
        data = buffer.getvalue()
        with pytest.raises(ImageReadError, match="truncated or damaged"):
            load(tmp_path, data[: int(len(data) * kept)])


def iter_pixel_chunks(data: bytes) -> list:
    from pochoir.imaging.png import iter_chunks

    return [part for part in iter_chunks(data) if part.kind == b"IDAT"]


class TestBrokenExif:
    @pytest.mark.parametrize("block", [b"x", b"rubbish", b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\x09\0", bytes(40)])
    @pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
    def test_is_ignored_with_a_note(self, tmp_path: Path, pixels: np.ndarray, file_format: str, block: bytes) -> None:
        block = b"Exif\0\0" + block
        options = {} if file_format == "PNG" else {"exif": block}
        data = encode(pixels, file_format, lossless=True, **options)
        if file_format == "PNG":
            data = with_chunk(data, chunk(b"eXIf", block))
        picture = load(tmp_path, data)
        assert picture.size == (64, 96)
        assert picture.notes == (exif_module.UNREADABLE_NOTE,)

    def test_orientation_of_a_wrong_type(self, tmp_path: Path, pixels: np.ndarray) -> None:
        entry = struct.pack("<HHII", 0x0112, 2, 1, 6)  # text
        block = b"II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(4)
        picture = load(tmp_path, with_chunk(encode(pixels, "PNG"), chunk(b"eXIf", block)))
        assert picture.size == (64, 96)
        assert picture.notes == (exif_module.UNREADABLE_NOTE,)

    @pytest.mark.parametrize("value", [0, 9, 77])
    def test_orientation_that_does_not_exist(self, tmp_path: Path, pixels: np.ndarray, value: int) -> None:
        exif = Image.Exif()
        exif[0x0112] = value
        assert load(tmp_path, encode(pixels, "JPEG", exif=exif)).size == (64, 96)

    @pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
    def test_orientation_in_xmp_alone(self, tmp_path: Path, pixels: np.ndarray, file_format: str) -> None:
        packet = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
        if file_format == "PNG":
            info = PngImagePlugin.PngInfo()
            info.add_itxt("XML:com.adobe.xmp", packet)
            data = encode(pixels, "PNG", pnginfo=info)
        else:
            data = encode(pixels, file_format, xmp=packet.encode())
        assert load(tmp_path, data).size == (96, 64)


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_tiff_is_turned_at_every_depth(
    tmp_path: Path, pixels: np.ndarray, orientation: int, dtype: type, planar: str
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    expected = to_uint8(load(tmp_path, encode(pixels, "PNG", exif=exif)))
    values = pixels.astype(dtype) * {np.uint8: 1, np.uint16: 257, np.float32: np.float32(1 / 255)}[dtype]
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        np.moveaxis(values, 2, 0) if planar == "separate" else values,
        photometric="rgb",
        planarconfig=planar,
        extratags=[(274, "H", 1, orientation, True)],
    )
    assert np.array_equal(to_uint8(load(tmp_path, buffer.getvalue())), expected)


class TestTiffLayouts:
    def test_subsampled_ycbcr_without_compression(self, tmp_path: Path, pixels: np.ndarray) -> None:
        data = encode(pixels, "TIFF", compression="jpeg", quality=95)
        assert np.abs(to_uint8(load(tmp_path, data)).astype(int) - pixels).mean() < 8

    def test_thumbnail_before_the_picture_is_passed_over(self, tmp_path: Path, pixels: np.ndarray) -> None:
        buffer = io.BytesIO()
        with tifffile.TiffWriter(buffer) as writer:
            writer.write(pixels[::8, ::8], photometric="rgb", subfiletype=1)
            writer.write(pixels, photometric="rgb")
        picture = load(tmp_path, buffer.getvalue())
        assert np.array_equal(to_uint8(picture), pixels)
        assert picture.notes == ("number 2 of 2 frames taken",)

    def test_palette(self, tmp_path: Path, pixels: np.ndarray) -> None:
        image = Image.fromarray(pixels).quantize(100)
        buffer = io.BytesIO()
        image.save(buffer, "TIFF")
        assert np.array_equal(to_uint8(load(tmp_path, buffer.getvalue())), np.asarray(image.convert("RGB")))

    def test_12_bits(self, tmp_path: Path) -> None:
        values = np.arange(4096, dtype=np.uint16).reshape(64, 64)
        packed = imagecodecs.packints_encode(values, 12) if hasattr(imagecodecs, "packints_encode") else None
        if packed is None:
            pytest.skip("this imagecodecs does not pack 12 bits")
        tags = struct.pack("<H", 8)
        entries = [(256, 3, 64), (257, 3, 64), (258, 3, 12), (259, 3, 1), (262, 3, 1), (273, 4, 110), (278, 3, 64)]
        entries.append((279, 4, len(packed)))
        for tag, kind, value in entries:
            tags += struct.pack("<HHII", tag, kind, 1, value)
        data = b"II*\0" + struct.pack("<I", 8) + tags + bytes(4)
        picture = load(tmp_path, data + packed)
        assert len(data) == 110
        assert np.abs(picture.rgb[0, 0].numpy() - values / 4095).max() < 1e-4

    @pytest.mark.parametrize("dtype", [np.int16, np.int8, np.complex64])
    def test_types_that_are_no_intensities(self, tmp_path: Path, dtype: type) -> None:
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, np.ones((8, 8), dtype))
        with pytest.raises(ImageReadError, match="unsigned integers, bool or floating point"):
            load(tmp_path, buffer.getvalue())

    def test_volume(self, tmp_path: Path) -> None:
        buffer = io.BytesIO()
        tifffile.imwrite(
            buffer, np.zeros((4, 16, 16), np.uint8), volumetric=True, tile=(4, 16, 16), photometric="minisblack"
        )
        with pytest.raises(ImageReadError, match="a volume of 4 slices"):
            load(tmp_path, buffer.getvalue())

    def test_same_file_twice_is_the_same_picture(self, tmp_path: Path, pixels: np.ndarray) -> None:
        buffer = io.BytesIO()
        tifffile.imwrite(
            buffer, np.moveaxis(pixels / np.float32(255), 2, 0), photometric="rgb", planarconfig="separate"
        )
        one, other = (load(tmp_path, buffer.getvalue()) for _ in range(2))
        assert torch.equal(one.rgb, other.rgb)
        assert np.array_equal(to_uint8(one), pixels)


class TestRawFiles:
    @pytest.mark.parametrize("tags", [[(50706, "B", 4, (1, 4, 0, 0), True)], [(33422, "B", 4, (0, 1, 1, 2), True)]])
    def test_preview_of_a_raw_file_is_not_taken(self, tmp_path: Path, pixels: np.ndarray, tags: list) -> None:
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, pixels, photometric="rgb", extratags=tags)
        with pytest.raises(ImageReadError, match="a camera's raw file; develop it first"):
            load(tmp_path, buffer.getvalue())

    def test_raw_picture_in_a_sub_directory(self, tmp_path: Path, pixels: np.ndarray) -> None:
        buffer = io.BytesIO()
        with tifffile.TiffWriter(buffer) as writer:
            writer.write(pixels[::8, ::8], photometric="rgb", subifds=1)
            writer.write(pixels[..., 0].astype(np.uint16), photometric="cfa")
        with pytest.raises(ImageReadError, match="raw file"):
            load(tmp_path, buffer.getvalue())

    @pytest.mark.parametrize(
        "start", [b"FUJIFILMCCD-RAW 0201", b"IIU\0\x18\0\0\0", b"\0\0\0\x18ftypcrx \0\0\0\1crx isom"]
    )
    def test_other_makers(self, tmp_path: Path, start: bytes) -> None:
        with pytest.raises(ImageReadError, match="raw file"):
            load(tmp_path, start + bytes(100))


class TestColorsByFormula:
    def test_hdr_is_tone_mapped_with_a_note(self, tmp_path: Path) -> None:
        ramp = np.linspace(0, 255, 96).astype(np.uint8)
        values = np.broadcast_to(ramp[None, :, None], (64, 96, 3)).copy()
        picture = load(tmp_path, with_chunk(encode(values, "PNG"), chunk(b"cICP", bytes([9, 16, 0, 1]))))
        assert picture.notes == ("colours converted from high dynamic range (PQ, BT.2020) to sRGB",)
        levels = picture.rgb[0, 0, 0]
        assert bool((levels.diff() >= 0).all())
        assert levels[-1] > 0.97
        page_white = picture.rgb[0, 0, 0, int(np.abs(ramp - 0.5807 * 255).argmin())]  # PQ of 203 nits
        assert 0.85 < float(page_white) < 0.97

    @pytest.mark.parametrize("code", [(12, 13, 0, 0), (99, 13, 0, 1), (12, 99, 0, 1), (12, 13, 9, 1)])
    def test_code_points_that_are_not_known(self, tmp_path: Path, pixels: np.ndarray, code: tuple[int, ...]) -> None:
        with pytest.raises(ImageReadError, match=r"its (cICP chunk|colour primaries|transfer function)"):
            load(tmp_path, with_chunk(encode(pixels, "PNG"), chunk(b"cICP", bytes(code))))

    def test_srgb_chunk_wins_over_gamma(self, tmp_path: Path, pixels: np.ndarray) -> None:
        gamma = chunk(b"gAMA", struct.pack(">I", 100_000))
        data = with_chunk(with_chunk(encode(pixels, "PNG"), gamma), chunk(b"sRGB", b"\0"))
        assert np.array_equal(to_uint8(load(tmp_path, data)), pixels)

    def test_primaries_of_adobe_rgb(self, tmp_path: Path) -> None:
        points = (0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
        data = encode(np.full((4, 4, 3), (60, 200, 90), np.uint8), "PNG")
        data = with_chunk(data, chunk(b"cHRM", struct.pack(">8I", *(round(value * 1e5) for value in points))))
        data = with_chunk(data, chunk(b"gAMA", struct.pack(">I", 45455)))
        icc = imagecodecs.cms_profile("rgb", whitepoint=points[:2], primaries=points[2:], gamma=2.2)
        (tmp_path / "b.png").write_bytes(encode(np.full((4, 4, 3), (60, 200, 90), np.uint8), "PNG", icc_profile=icc))
        expected = imaging.load(tmp_path / "b.png").rgb
        assert (load(tmp_path, data).rgb - expected).abs().max() < 1 / 255

    def test_curve_of_srgb_and_its_inverse(self) -> None:
        values = np.linspace(0, 1, 1001, dtype=np.float32)
        assert np.abs(from_linear_srgb(srgb_to_linear(values)) - values).max() < 1e-5

    def test_tone_mapping_leaves_mid_tones_alone(self) -> None:
        linear = np.array([[[0.1, 0.5, 0.7], [4.0, 2.0, 0.0]]], np.float32)
        mapped = tone_map(linear)
        assert np.array_equal(mapped[0, 0], linear[0, 0])
        assert mapped.max() <= 1
        assert mapped[0, 1, 1] == pytest.approx(mapped[0, 1, 0] / 2)

    def test_srgb_by_code_is_nothing_to_convert(self) -> None:
        assert encoding_of_cicp(1, 13) is None
        assert encoding_of_cicp(2, 2) is None


class TestLargePictures:
    def test_jpeg_is_reduced_while_it_is_decoded(
        self, tmp_path: Path, pixels: np.ndarray, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("pochoir.imaging.jpeg.MAX_PIXELS", 2000)
        picture = load(tmp_path, encode(pixels, "JPEG", quality=95))
        assert picture.size == (32, 48)
        assert "reduced from 96x64 to 48x32" in picture.notes[-1]

    @pytest.mark.parametrize("bits", [1, 8, 16])
    @pytest.mark.parametrize("file_format", ["png", "tif"])
    def test_others_are_reduced_afterwards(
        self, tmp_path: Path, pixels: np.ndarray, monkeypatch: pytest.MonkeyPatch, bits: int, file_format: str
    ) -> None:
        monkeypatch.setattr("pochoir.imaging.raster.MAX_PIXELS", 2000)
        values = {1: pixels[..., 0] > 90, 8: pixels, 16: pixels.astype(np.uint16) * 257}[bits]
        if file_format == "tif" and bits > 1:
            tifffile.imwrite(tmp_path / "a", values, photometric="rgb")
        elif bits == 16:
            (tmp_path / "a").write_bytes(imagecodecs.png_encode(values))
        else:
            Image.fromarray(values).save(tmp_path / "a", {"png": "PNG", "tif": "TIFF"}[file_format])
        picture = imaging.load(tmp_path / "a")
        levels = values.astype(float) * {1: 255, 8: 1, 16: 1 / 257}[bits]
        means = levels.reshape(32, 2, 48, 2, -1).mean(axis=(1, 3))
        assert np.abs(picture.rgb[0].permute(1, 2, 0).numpy() * 255 - means).max() <= 0.51
        assert any("reduced from 96x64 to 48x32" in note for note in picture.notes)

    def test_too_large_is_refused_before_it_is_decoded(self, tmp_path: Path) -> None:
        header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
        data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
        with pytest.raises(ImageReadError, match="it has 10000 million pixels of 4 bytes; at most 300 million"):
            load(tmp_path, data)


def test_metadata_is_kept_with_the_picture(tmp_path: Path, pixels: np.ndarray) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    data = encode(pixels, "JPEG", exif=exif, dpi=(300, 300))
    metadata = load(tmp_path, data).metadata
    assert metadata.dpi == (300, 300)
    assert b"Maker" in (metadata.exif or b"")
    assert metadata.icc is None


class TestDeepProfiles:
    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
    def test_cmyk_with_a_profile(self, tmp_path: Path, dtype: type) -> None:
        inks = np.random.default_rng(0).integers(0, 256, (12, 16, 4)).astype(np.uint8)
        icc = ink_profile()
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(icc)),
            ImageCms.createProfile("sRGB"),
            "CMYK",
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        expected = np.asarray(ImageCms.applyTransform(Image.fromarray(inks, "CMYK"), transform), float)
        scale = {np.uint8: 1, np.uint16: 257, np.float32: 1 / 255}[dtype]
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, (inks * float(scale)).astype(dtype), photometric="separated", iccprofile=icc)
        picture = load(tmp_path, buffer.getvalue())
        assert np.abs(picture.rgb[0].permute(1, 2, 0).numpy() * 255 - expected).max() <= 1
        assert picture.notes[0].startswith("colours converted from ")

    def test_shadows_of_16_bit_linear_light(self, tmp_path: Path) -> None:
        dark = np.repeat(np.arange(0, 640, 10, dtype=np.uint16)[None, :, None], 3, axis=2)
        icc = imagecodecs.cms_profile(
            "rgb", whitepoint=[0.3127, 0.3290], primaries=[0.64, 0.33, 0.3, 0.6, 0.15, 0.06], gamma=1.0
        )
        data = with_chunk(imagecodecs.png_encode(dark), chunk(b"iCCP", b"p\0\0" + zlib.compress(icc)))
        levels = load(tmp_path, data).rgb[0, 1, 0].numpy()
        assert np.abs(levels - from_linear_srgb(dark[0, :, 1] / np.float32(65535))).max() < 0.5 / 255
        assert len(np.unique(levels.round(6))) == 64


def ink_profile() -> bytes:
    """CMYK profile with a small table from inks to Lab, built by hand (ICC.1, lut8Type)."""
    grid = np.stack(np.meshgrid(*[np.linspace(0, 1, 3)] * 4, indexing="ij"), axis=-1).reshape(-1, 4)
    light = (1 - grid[:, 3:]) * (1 - grid[:, :3] * [0.9, 0.8, 0.95])
    lab = np.stack(
        [light.mean(1) * 255, 128 + 60 * (light[:, 0] - light[:, 1]), 128 + 60 * (light[:, 1] - light[:, 2])], axis=-1
    )
    ramp = bytes(range(256))
    identity = struct.pack(">9i", *(65536 if at % 4 == 0 else 0 for at in range(9)))
    table = (
        b"mft1"
        + bytes(4)
        + bytes([4, 3, 3, 0])
        + identity
        + ramp * 4
        + lab.round().astype(np.uint8).tobytes()
        + ramp * 3
    )
    name = b"desc" + bytes(4) + struct.pack(">I", 5) + b"inks\0" + bytes(78)
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    tags = [
        (b"desc", name),
        (b"wtpt", white),
        (b"A2B0", table),
        (b"A2B1", table),
        (b"cprt", b"text" + bytes(4) + b"none\0"),
    ]
    at, entries, body = 132 + 12 * len(tags), b"", b""
    for kind, data in tags:
        padded = data + bytes(-len(data) % 4)
        entries += kind + struct.pack(">II", at, len(data))
        body, at = body + padded, at + len(padded)
    header = (
        struct.pack(">I4sI4s4s4s", at, bytes(4), 0x02400000, b"prtr", b"CMYK", b"Lab ")
        + bytes(12)
        + b"acsp"
        + bytes(28)
    )
    header += struct.pack(">3i", 63190, 65536, 54061) + bytes(48)
    return header + struct.pack(">I", len(tags)) + entries + body


@pytest.mark.parametrize("missing", [10, 100, 1000])
@pytest.mark.parametrize("end", [b"", b"\xff\xd9"])
def test_cut_progressive_jpeg_is_refused(tmp_path: Path, missing: int, end: bytes) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    data = encode(noise, "JPEG", quality=90, progressive=True)
    with pytest.raises(ImageReadError, match="truncated or damaged"):
        load(tmp_path, data[:-missing] + end)


def test_avif_is_turned_upright(tmp_path: Path, pixels: np.ndarray) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = load(tmp_path, encode(pixels, "AVIF", exif=exif, quality=95))
    assert picture.size == (96, 64)
    assert picture.notes == ("turned upright (EXIF orientation 6)",)
