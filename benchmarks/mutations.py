"""Damage pictures at random and read them: every one is read or refused in one line, in bounded time and memory.

Truncations, flipped bits, swapped and repeated pieces, over 12 formats; the seed decides everything. Each batch runs in
a process of its own, so that a crash or a hang of a codec is counted, not suffered.
Run: python benchmarks/mutations.py [--count 5000] [--seed 0]
"""

import argparse
import io
import multiprocessing
import resource
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from PIL import Image

from pochoir import imaging
from pochoir.errors import ImageReadError

HANG_S = 5.0
MEMORY_BYTES = 4_000_000_000  # address space that one process may take beyond its libraries
BATCH = 100
EXTREMES = (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\1\0\0")


@dataclass(frozen=True)
class Outcome:
    """Outcome for one damaged picture: read, refused, or a fault."""

    name: str
    verdict: str
    detail: str = ""


def sources() -> dict[str, bytes]:
    """Small sound pictures, one for each format."""
    y, x = np.mgrid[0:40, 0:56]
    rgb = np.stack([x * 4, y * 6, (x * y) % 256], axis=-1).astype(np.uint8)
    image = Image.fromarray(rgb)
    exif = Image.Exif()
    exif[0x0112] = 6

    def pillow(file_format: str, **options: object) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, file_format, **options)
        return buffer.getvalue()

    def tiff(values: np.ndarray, **options: object) -> bytes:
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, values, photometric="rgb", **options)
        return buffer.getvalue()

    icc = imagecodecs.cms_profile(
        "rgb", whitepoint=[0.3127, 0.329], primaries=[0.68, 0.32, 0.265, 0.69, 0.15, 0.06], gamma=2
    )
    deep = rgb.astype(np.uint16) * 257
    return {
        "PNG": pillow("PNG", exif=exif, icc_profile=icc),
        "PNG, 16 bits": imagecodecs.png_encode(deep),
        "JPEG": pillow("JPEG", exif=exif, icc_profile=icc),
        "JPEG, progressive": pillow("JPEG", progressive=True),
        "WebP": pillow("WEBP", exif=exif, icc_profile=icc),
        "TIFF": tiff(rgb, rowsperstrip=8, iccprofile=icc),
        "TIFF, float, LZW": tiff(rgb / np.float32(255), compression="lzw", tile=(16, 16), bigtiff=True),
        "GIF": pillow("GIF"),
        "BMP": pillow("BMP"),
        "AVIF": pillow("AVIF", exif=exif),
        "JPEG XL": imagecodecs.jpegxl_encode(rgb, lossless=True),
        "JPEG 2000": pillow("JPEG2000"),
        "TGA": pillow("TGA", compression="tga_rle"),
    } | heif_source(image)


def heif_source(image: Image.Image) -> dict[str, bytes]:
    try:
        import pillow_heif
    except ImportError:
        return {}
    buffer = io.BytesIO()
    pillow_heif.from_pillow(image).save(buffer)
    return {"HEIF": buffer.getvalue()}


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """One kind of damage, or several."""
    values = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        kind = int(rng.integers(0, 6))
        start, end = sorted(int(at) for at in rng.integers(0, max(1, len(values)), 2))
        if kind == 0:  # cut off
            del values[max(1, end) :]
        elif kind == 1:  # flip bits
            for at in rng.integers(0, len(values), int(rng.integers(1, 20))):
                values[at] ^= 1 << int(rng.integers(0, 8))
        elif kind == 2:  # overwrite by extremes, as lengths and sizes
            at = int(rng.integers(0, min(len(values), 200)))
            values[at : at + 4] = rng.choice(
                [b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\1\0\0"]
            ).tobytes()
        elif kind == 3:  # move a piece
            piece = values[start:end]
            del values[start:end]
            at = int(rng.integers(0, len(values) + 1))
            values[at:at] = piece
        elif kind == 4:  # repeat a piece
            values[start:start] = values[start : min(end, start + 400)]
        else:  # remove a piece
            del values[start : min(end, start + 64)]
        if not values:
            values = bytearray(b"\0")
    return bytes(values)


def plan(count: int, seed: int) -> Iterator[tuple[int, str, bytes]]:
    """Damaged pictures, the formats in turn."""
    pictures = list(sources().items())
    rng = np.random.default_rng(seed)
    for index in range(count):
        name, data = pictures[index % len(pictures)]
        yield index, name, mutate(data, rng)


def try_one(name: str, data: bytes, folder: Path) -> Outcome:
    """Read one picture."""
    path = folder / "picture.bin"
    path.write_bytes(data)
    try:
        picture = imaging.load(path)
    except ImageReadError as error:
        return Outcome(name, "refused" if "\n" not in str(error) else "several lines", str(error))
    except BaseException:  # the very thing that is looked for
        return Outcome(name, "traceback", traceback.format_exc())
    if not bool(picture.rgb.isfinite().all()) or picture.rgb.min() < 0 or picture.rgb.max() > 1:
        return Outcome(name, "wrong values")
    return Outcome(name, "read")


def work(jobs: list[tuple[int, str, bytes]], results: Connection) -> None:
    """Try a batch; the parent hears of each picture before and after."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES, used + MEMORY_BYTES))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for index, kind, data in jobs:
            results.send(index)
            outcome = try_one(kind, data, folder)
            left = [item.name for item in folder.iterdir() if item.name != "picture.bin"]
            results.send(outcome if not left else Outcome(kind, "file left behind", ", ".join(left)))


def run(count: int, seed: int) -> list[tuple[int, Outcome, float]]:
    """Try ``count`` damaged pictures; a batch that dies goes on behind the picture that killed it."""
    context = multiprocessing.get_context("fork")
    outcomes: list[tuple[int, Outcome, float]] = []
    waiting = list(plan(count, seed))
    while waiting:
        batch, waiting = waiting[:BATCH], waiting[BATCH:]
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=work, args=(batch, sender))
        process.start()
        sender.close()
        done = follow(batch, receiver, outcomes)
        process.kill()
        process.join()
        waiting = batch[done:] + waiting
    return outcomes


def follow(
    batch: list[tuple[int, str, bytes]], receiver: Connection, outcomes: list[tuple[int, Outcome, float]]
) -> int:
    """Collect the outcomes of a batch; returns how many pictures are done with."""
    for done, (index, name, _) in enumerate(batch):
        start = time.perf_counter()
        try:
            if not receiver.poll(60.0) or receiver.recv() != index:  # it begins
                outcomes.append((index, Outcome(name, "crash"), 0.0))
                return done + 1
            start = time.perf_counter()
            outcome = receiver.recv() if receiver.poll(HANG_S) else Outcome(name, "hang")
        except EOFError:
            outcome = Outcome(name, "crash")
        outcomes.append((index, outcome, time.perf_counter() - start))
        if outcome.verdict in ("hang", "crash"):
            return done + 1
    return len(batch)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    outcomes = run(arguments.count, arguments.seed)
    verdicts = sorted({outcome.verdict for _, outcome, _ in outcomes})
    print("| format | " + " | ".join(verdicts) + " |")
    print("|---|" + "---|" * len(verdicts))
    for name in sources():
        counts = Counter(outcome.verdict for _, outcome, _ in outcomes if outcome.name == name)
        print(f"| {name} | " + " | ".join(str(counts[verdict]) for verdict in verdicts) + " |")
    slowest = max(outcomes, key=lambda item: item[2])
    print(f"{len(outcomes)} pictures, seed {arguments.seed}; slowest {slowest[2]:.2f} s ({slowest[1].name})")
    bad = [item for item in outcomes if item[1].verdict not in ("read", "refused")]
    for index, outcome, seconds in bad[:10]:
        print(f"picture {index}, {outcome.name}: {outcome.verdict} after {seconds:.1f} s\n{outcome.detail}")
    if bad:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
