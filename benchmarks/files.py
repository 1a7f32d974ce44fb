"""Table of docs/files.md: every format, depth, colour space and alpha, with its largest error in 8-bit levels.

Each file is written here by its own library, read by pochoir, and compared with a reference: the values that were
written, littleCMS for profiles, or a closed formula. Run: python benchmarks/files.py [--write docs/files.md]
"""

import argparse
import io
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
import torch
from PIL import Image, ImageCms

from pochoir import imaging

BEGIN, END = "<!-- table: benchmarks/files.py -->", "<!-- end of table -->"
MOST = 1.0
HEIGHT, WIDTH = 24, 32
XYZ_D50_TO_SRGB = [
    [3.1338561, -1.6168667, -0.4906146],
    [-0.9787684, 1.9161415, 0.0334540],
    [0.0719453, -0.2289914, 1.4052427],
]

Array = np.ndarray


@dataclass(frozen=True)
class Case:
    """One file and what it means."""

    format: str
    depth: str
    space: str
    alpha: str
    data: bytes
    rgb: Array
    """(H, W, 3), in 8-bit levels."""
    opacity: Array | None = None
    """(H, W), in 8-bit levels."""


def rgb8() -> Array:
    """(24, 32, 3) uint8, smooth, each channel through nearly its whole range."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([x * 8, y * 10 + 5, 255 - (x + y) * 4], axis=-1).astype(np.uint8)


def grey8() -> Array:
    return np.ascontiguousarray(rgb8()[..., 0])


def alpha8() -> Array:
    """(24, 32) uint8, from 55 on: a cut-out would need transparent pixels, whose colours are never kept."""
    return (255 - np.mgrid[0:HEIGHT, 0:WIDTH][0] * 8).clip(55, 255).astype(np.uint8)


def cmyk8() -> Array:
    return np.dstack([rgb8(), np.full((HEIGHT, WIDTH), 40, np.uint8)])


DEPTHS: dict[str, Callable[[Array], Array]] = {
    "8": lambda values: values,
    "16": lambda values: values.astype(np.uint16) * 257,
    "32": lambda values: values.astype(np.uint32) * 16843009,
    "float16": lambda values: (values / 255).astype(np.float16),
    "float32": lambda values: (values / 255).astype(np.float32),
}


def profile(name: str) -> bytes:
    """ICC profile made by littleCMS."""
    d65, p3 = [0.3127, 0.3290], [0.680, 0.320, 0.265, 0.690, 0.150, 0.060]
    adobe = [0.64, 0.33, 0.21, 0.71, 0.15, 0.06]
    if name == "P3":
        return imagecodecs.cms_profile("rgb", whitepoint=d65, primaries=p3, gamma=2.2)
    if name == "Adobe RGB":
        return imagecodecs.cms_profile("rgb", whitepoint=d65, primaries=adobe, gamma=2.2)
    if name == "linear":
        return imagecodecs.cms_profile("rgb", whitepoint=d65, primaries=[0.64, 0.33, 0.3, 0.6, 0.15, 0.06], gamma=1.0)
    return imagecodecs.cms_profile("gray", whitepoint=d65, gamma=1.8)


def by_littlecms(values: Array, icc: bytes, mode: str = "RGB") -> Array:
    transform = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(icc)),
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    return np.asarray(ImageCms.applyTransform(Image.fromarray(values, mode), transform), np.float64)


def into_profile(values: Array, icc: bytes) -> Array:
    transform = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"),
        ImageCms.ImageCmsProfile(io.BytesIO(icc)),
        "RGB",
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    return np.asarray(ImageCms.applyTransform(Image.fromarray(values), transform), np.float64)


def spread(grey: Array) -> Array:
    return np.repeat(grey[..., None], 3, axis=2).astype(np.float64)


def cmyk_reference(inks: Array) -> Array:
    inks = inks.astype(np.float64)
    return (255 - inks[..., :3]) * (255 - inks[..., 3:]) / 255


def lab_reference(lab: Array) -> Array:
    """sRGB in 8-bit levels of L*, a*, b* under D50, by the formulas of CIE 15 and IEC 61966-2-1."""
    y = (lab[..., 0] + 16) / 116
    ratios = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], axis=-1)
    xyz = np.where(ratios > 6 / 29, ratios**3, 3 * (6 / 29) ** 2 * (ratios - 4 / 29)) * [0.96422, 1.0, 0.82521]
    to_rgb = [
        [3.1338561, -1.6168667, -0.4906146],
        [-0.9787684, 1.9161415, 0.0334540],
        [0.0719453, -0.2289914, 1.4052427],
    ]
    return 255 * srgb_curve(xyz @ np.transpose(to_rgb))


def srgb_curve(linear: Array) -> Array:
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def srgb_light(values: Array) -> Array:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def p3_reference(values: Array) -> Array:
    to_srgb = [[1.2249401, -0.2249404, 0], [-0.0420569, 1.0420571, 0], [-0.0196376, -0.0786361, 1.0982735]]
    return 255 * srgb_curve(srgb_light(values / 255) @ np.transpose(to_srgb))


def pillow(values: Array, file_format: str, mode: str | None = None, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(values, mode).save(buffer, file_format, **options)
    return buffer.getvalue()


def tiff(values: Array, **options: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, **options)
    return buffer.getvalue()


def png_with(data: bytes, **chunks: bytes) -> bytes:
    """PNG with further chunks behind its header."""
    parts = [data[:33]]
    for kind, payload in chunks.items():
        body = kind.encode() + payload
        parts.append(struct.pack(">I", len(payload)) + body + struct.pack(">I", zlib.crc32(body)))
    return b"".join([*parts, data[33:]])


def iccp(icc: bytes) -> bytes:
    return b"profile\0\0" + zlib.compress(icc)


def png_cases() -> Iterator[Case]:
    rgb, grey, alpha = rgb8(), grey8(), alpha8()
    for depth in ("8", "16"):
        deepen = DEPTHS[depth]
        grey_alpha, rgb_alpha = np.dstack([grey, alpha]), np.dstack([rgb, alpha])
        for space, values, expected, opacity in (
            ("grey", grey, spread(grey), None),
            ("grey", grey_alpha, spread(grey), alpha),
            ("RGB", rgb, rgb, None),
            ("RGB", rgb_alpha, rgb, alpha),
        ):
            data = imagecodecs.png_encode(deepen(values))
            yield Case("PNG", depth, space, "-" if opacity is None else "straight", data, expected, opacity)
        plain = imagecodecs.png_encode(deepen(rgb))
        for name in ("P3", "Adobe RGB", "linear"):
            icc = profile(name)
            yield Case("PNG", depth, f"RGB, ICC {name}", "-", png_with(plain, iCCP=iccp(icc)), by_littlecms(rgb, icc))
        icc = profile("grey 1.8")
        data = png_with(imagecodecs.png_encode(deepen(grey)), iCCP=iccp(icc))
        yield Case("PNG", depth, "grey, ICC gamma 1.8", "-", data, by_littlecms(grey, icc, "L"))
        linear = 255 * srgb_curve(rgb / 255)
        yield Case("PNG", depth, "RGB, gAMA 1.0", "-", png_with(plain, gAMA=struct.pack(">I", 100_000)), linear)
        yield Case("PNG", depth, "RGB, cICP P3", "-", png_with(plain, cICP=bytes([12, 13, 0, 1])), p3_reference(rgb))
        key = struct.pack(">3H", *(deepen(rgb)[3, 4].astype(int)))
        opacity = np.where((rgb == rgb[3, 4]).all(axis=2), 0, 255)
        yield Case("PNG", depth, "RGB", "one colour (tRNS)", png_with(plain, tRNS=key), rgb, opacity)
    palette = Image.fromarray(rgb).quantize(64)
    buffer = io.BytesIO()
    palette.save(buffer, "PNG")
    yield Case("PNG", "8", "palette", "-", buffer.getvalue(), np.asarray(palette.convert("RGB")))
    bits = grey > 100
    yield Case("PNG", "1", "black and white", "-", pillow(bits, "PNG"), spread(bits * 255))


def tiff_cases() -> Iterator[Case]:
    rgb, grey, alpha, inks = rgb8(), grey8(), alpha8(), cmyk8()
    layouts: dict[str, dict[str, object]] = {
        "": {},
        ", separate planes": {"planarconfig": "separate"},
        ", tiles": {"tile": (16, 16)},
        ", LZW": {"compression": "lzw", "predictor": True},
        ", BigTIFF": {"bigtiff": True},
        ", big-endian": {"byteorder": ">"},
    }
    for depth, deepen in DEPTHS.items():
        for layout, options in layouts.items():
            if depth == "float16" and layout == ", LZW":
                continue
            values = deepen(rgb)
            if "separate" in layout:
                values = np.moveaxis(values, 2, 0)
            yield Case("TIFF", depth, f"RGB{layout}", "-", tiff(values, photometric="rgb", **options), rgb)
        yield Case("TIFF", depth, "grey", "-", tiff(deepen(grey), photometric="minisblack"), spread(grey))
        yield Case(
            "TIFF", depth, "grey, white is 0", "-", tiff(deepen(255 - grey), photometric="miniswhite"), spread(grey)
        )
        yield from tiff_alpha_cases(depth, rgb, grey, alpha)
        yield Case("TIFF", depth, "CMYK", "-", tiff(deepen(inks), photometric="separated"), cmyk_reference(inks))
        icc = profile("P3")
        data = tiff(deepen(rgb), photometric="rgb", iccprofile=icc)
        yield Case("TIFF", depth, "RGB, ICC P3", "-", data, by_littlecms(rgb, icc))
        icc = profile("grey 1.8")
        data = tiff(deepen(grey), photometric="minisblack", iccprofile=icc)
        yield Case("TIFF", depth, "grey, ICC gamma 1.8", "-", data, by_littlecms(grey, icc, "L"))
    lab = np.stack(
        [rgb[..., 0] / 2.55, (rgb[..., 1].astype(float) - 128) / 3, (rgb[..., 2].astype(float) - 128) / 3], -1
    )
    coded = np.round(np.stack([lab[..., 0] * 2.55, lab[..., 1], lab[..., 2]], -1)).astype(np.int16)
    meant = lab_reference(coded / [2.55, 1, 1])
    yield Case("TIFF", "8", "Lab", "-", tiff(coded.astype(np.uint8), photometric="cielab"), meant)
    coded = np.round(np.stack([lab[..., 0] * 655.35, lab[..., 1] * 256, lab[..., 2] * 256], -1)).astype(np.int32)
    data = tiff(coded.astype(np.uint16), photometric="cielab")
    yield Case("TIFF", "16", "Lab", "-", data, lab_reference(coded / [655.35, 256, 256]))


def tiff_alpha_cases(depth: str, rgb: Array, grey: Array, alpha: Array) -> Iterator[Case]:
    deepen = DEPTHS[depth]
    exact = rgb // 51 * 51  # so that products with alpha are whole numbers where they are stored as such
    opaque = np.where(alpha > 150, 255, 85).astype(np.uint8)
    product = (exact.astype(int) * opaque[..., None] // 255).astype(np.uint8)
    for name, kind, values, expected, opacity in (
        ("straight", "unassalpha", np.dstack([rgb, alpha]), rgb, alpha),
        ("multiplied", "assocalpha", np.dstack([product, opaque]), exact, opaque),
        ("unspecified channel", "unspecified", np.dstack([rgb, alpha]), rgb, None),
    ):
        data = tiff(deepen(values), photometric="rgb", extrasamples=[kind])
        yield Case("TIFF", depth, "RGB", name, data, expected, opacity)
    data = tiff(
        deepen(np.dstack([grey, alpha])), photometric="minisblack", extrasamples=["unassalpha"], planarconfig="contig"
    )
    yield Case("TIFF", depth, "grey", "straight", data, spread(grey), alpha)


def other_cases() -> Iterator[Case]:
    rgb, grey, alpha, inks = rgb8(), grey8(), alpha8(), cmyk8()
    rgba = np.dstack([rgb, alpha])
    for name, values, expected in (("grey", grey, spread(grey)), ("RGB", rgb, None), ("CMYK", inks, None)):
        data = pillow(values, "JPEG", "CMYK" if name == "CMYK" else None, quality=95, subsampling=0)
        if expected is None or name == "grey":
            decoded = imagecodecs.jpeg8_decode(data)
            expected = cmyk_reference(255 - decoded) if name == "CMYK" else decoded
            expected = spread(decoded) if name == "grey" else expected
        yield Case("JPEG", "8", name, "-", data, expected)
    icc = profile("P3")
    data = pillow(rgb, "JPEG", quality=95, icc_profile=icc)
    yield Case("JPEG", "8", "RGB, ICC P3", "-", data, by_littlecms(imagecodecs.jpeg8_decode(data), icc))
    yield Case("WebP", "8", "RGB", "-", pillow(rgb, "WEBP", lossless=True), rgb)
    yield Case("WebP", "8", "RGB", "straight", pillow(rgba, "WEBP", lossless=True, exact=True), rgb, alpha)
    for file_format in ("BMP", "TGA", "PPM", "QOI", "JPEG2000"):
        yield Case(file_format, "8", "RGB", "-", pillow(rgb, file_format), rgb)
    yield Case("TGA", "8", "RGB", "straight", pillow(rgba, "TGA"), rgb, alpha)
    quantized = Image.fromarray(rgb).quantize(64)
    buffer = io.BytesIO()
    quantized.save(buffer, "GIF")
    yield Case("GIF", "8", "palette", "-", buffer.getvalue(), np.asarray(quantized.convert("RGB")))
    yield from modern_cases()


def modern_cases() -> Iterator[Case]:
    rgb, grey, alpha = rgb8(), grey8(), alpha8()
    rgba = np.dstack([rgb, alpha])
    for bits in (8, 10, 12):
        values = np.round(rgba / 255 * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)
        for channels, opacity in ((3, None), (4, alpha)):
            data = imagecodecs.avif_encode(
                values[..., :channels],
                level=100,
                bitspersample=bits,
                pixelformat="444",
                matrix=0,
                primaries=1,
                transfer=13,
            )
            yield Case("AVIF", str(bits), "RGB", "-" if channels == 3 else "straight", data, rgb, opacity)
    data = imagecodecs.avif_encode(rgb, level=100, pixelformat="444", matrix=0, primaries=12, transfer=13)
    yield Case("AVIF", "8", "RGB, P3", "-", data, p3_reference(rgb))
    for depth in ("8", "16", "float32"):
        deepen = DEPTHS[depth]
        for space, values, expected, opacity in (
            ("grey", grey, spread(grey), None),
            ("RGB", rgb, rgb, None),
            ("RGB", rgba, rgb, alpha),
        ):
            data = imagecodecs.jpegxl_encode(deepen(values), lossless=True)
            if depth != "8":  # libjxl's encoder labels deep samples as linear light
                space, expected = f"{space}, linear light", 255 * srgb_curve(expected / 255)
            yield Case("JPEG XL", depth, space, "-" if opacity is None else "straight", data, expected, opacity)
    yield from heif_cases(rgb, rgba, alpha)


def heif_cases(rgb: Array, rgba: Array, alpha: Array) -> Iterator[Case]:
    try:
        import pillow_heif
    except ImportError:
        return
    for depth, mode, values, opacity in (
        ("8", "RGB", rgb, None),
        ("8", "RGBA", rgba, alpha),
        ("12", "RGB;16", rgb.astype(np.uint16) * 257, None),
    ):
        pillow_heif.options.SAVE_HDR_TO_12_BIT = True
        file = pillow_heif.from_bytes(mode, (WIDTH, HEIGHT), values.tobytes())
        buffer = io.BytesIO()
        file.save(buffer, quality=-1, chroma=444, matrix_coefficients=0)
        yield Case("HEIF", depth, "RGB", "-" if opacity is None else "straight", buffer.getvalue(), rgb, opacity)


def cases() -> list[Case]:
    return [*png_cases(), *tiff_cases(), *other_cases()]


def measure(case: Case, folder: Path) -> float:
    """Largest error of colours and alpha, in 8-bit levels; colours under invisible pixels do not count."""
    path = folder / "picture"
    path.write_bytes(case.data)
    picture = imaging.load(path)
    rgb = picture.rgb[0].permute(1, 2, 0).numpy() * 255.0
    error = np.abs(rgb - case.rgb).max(axis=2)
    if case.opacity is None:
        return float(error.max()) if picture.alpha is None else 255.0
    if picture.alpha is None:
        return 255.0
    opacity = picture.alpha[0, 0].numpy() * 255.0
    return float(max(error[case.opacity > 0].max(), np.abs(opacity - case.opacity).max()))


@dataclass(frozen=True)
class Written:
    """A kind of file that pochoir writes, and how another library reads it back, in levels of 255."""

    suffix: str
    bits: int
    alpha: bool
    read: Callable[[Path], Array]
    space: str = "RGB"
    profile: bytes | None = None


def written_kinds() -> list[Written]:
    """Lossless ones: what others lose is a matter of taste."""

    def by_pillow(path: Path) -> Array:
        with Image.open(path) as image:
            return np.asarray(image, np.float64)

    def by_png_codec(path: Path) -> Array:
        return imagecodecs.png_decode(path.read_bytes()) / 257

    def by_tifffile(path: Path) -> Array:
        values = tifffile.imread(path)
        return values / (257 if values.dtype == np.uint16 else 1)

    def by_libjxl(path: Path) -> Array:
        values = imagecodecs.jpegxl_decode(path.read_bytes())
        if values.dtype == np.uint8:
            return values
        return np.dstack([255 * srgb_curve(values[..., :3] / 65535), values[..., 3:] / 257])

    kinds = [
        Written(suffix, bits, alpha, read)
        for suffix, bits, read in (
            (".png", 8, by_pillow),
            (".png", 16, by_png_codec),
            (".tiff", 8, by_tifffile),
            (".tiff", 16, by_tifffile),
            (".webp", 8, by_pillow),
            (".jxl", 8, by_libjxl),
            (".jxl", 16, by_libjxl),
        )
        for alpha in (False, True)
    ]
    return kinds + [
        Written(suffix, 8, False, by_pillow, "RGB, ICC P3", profile("P3")) for suffix in (".png", ".tiff", ".webp")
    ]


def measure_written(kind: Written, folder: Path) -> float:
    """Largest error of what another library reads, in 8-bit levels."""
    rgb, alpha = rgb8() / np.float32(255), alpha8() / np.float32(255)
    path = folder / f"picture{kind.suffix}"
    imaging.save(
        path,
        torch.from_numpy(np.moveaxis(rgb, 2, 0).copy())[None],
        alpha=torch.from_numpy(alpha)[None, None] if kind.alpha else None,
        options=imaging.SaveOptions(bits=kind.bits, quality=100, profile="srgb" if kind.profile is None else "keep"),
        metadata=imaging.Metadata(icc=kind.profile),
    )
    if kind.profile is not None:
        return float(np.abs(kind.read(path) - into_profile(rgb8(), kind.profile)).max())
    expected = np.dstack([rgb, alpha]) if kind.alpha else rgb
    return float(np.abs(kind.read(path) - 255 * expected).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", type=Path, help="replace the table in this page")
    arguments = parser.parse_args()
    lines = ["| | format | bits | colours | alpha | largest error |", "|---|---|---|---|---|---|"]
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for case in cases():
            error = measure(case, Path(folder))
            worst = max(worst, error)
            lines.append(f"| in | {case.format} | {case.depth} | {case.space} | {case.alpha} | {error:.2f} |")
        for kind in written_kinds():
            error = measure_written(kind, Path(folder))
            worst = max(worst, error)
            alpha = "straight" if kind.alpha else "-"
            lines.append(f"| out | {kind.suffix} | {kind.bits} | {kind.space} | {alpha} | {error:.2f} |")
    table = "\n".join(lines)
    print(table)
    print(f"{len(lines) - 2} kinds of files; largest error {worst:.2f} of 255")
    if arguments.write:
        page = arguments.write.read_text()
        start, end = page.index(BEGIN) + len(BEGIN), page.index(END)
        arguments.write.write_text(f"{page[:start]}\n{table}\n{page[end:]}")
    if worst > MOST:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
