"""Damaged files of all kinds: frames or one line, no traceback, no hang, no memory that grows."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from pochoir._types import Size
from pochoir.errors import InputError
from pochoir.video import open_video
from support import films

TRIALS = 40


@pytest.fixture(scope="module")
def sound_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("sound")
    fast = {"deadline": "realtime", "cpu-used": "8"}
    paths = [
        films.write(folder / "a.mp4", count=12, sound=True),
        films.write(folder / "a.mkv", count=12),
        films.write(folder / "a.webm", count=12, codec="libvpx-vp9", pixels="yuv420p", options=fast),
        films.write(folder / "a.avi", count=12, codec="mpeg4", pixels="yuv420p"),
        films.write(folder / "a.ts", count=12),
    ]
    pictures = [Image.fromarray(films.draw(index)) for index in range(5)]
    for suffix in (".gif", ".webp", ".png"):
        path = folder / f"a{suffix}"
        pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=50)
        paths.append(path)
    return paths


def damage(data: bytes, rng: np.random.Generator) -> bytes:
    """Cut off the end, change single bytes, overwrite a stretch, or take one out."""
    changed = bytearray(data)
    at, kind = int(rng.integers(len(data))), rng.integers(4)
    if kind == 0:
        return data[:at]
    if kind == 1:
        for place in rng.integers(0, len(data), 12):
            changed[place] = rng.integers(256)
    elif kind == 2:
        changed[at : at + 300] = rng.bytes(300)
    else:
        del changed[at : at + int(rng.integers(1, 50))]
    return bytes(changed)


@pytest.mark.parametrize("kind", range(8), ids=["mp4", "mkv", "webm", "avi", "ts", "gif", "webp", "png"])
def test_damaged_bytes_give_frames_or_one_line(sound_files: list[Path], tmp_path: Path, kind: int) -> None:
    source = sound_files[kind]
    rng = np.random.default_rng(kind)
    read = lines = 0
    for trial in range(TRIALS):
        path = tmp_path / f"{trial}{source.suffix}"
        path.write_bytes(damage(source.read_bytes(), rng))
        try:
            with open_video(path) as video:
                frames = list(video.frames())
                indices = [frame.index for frame in frames]
                assert indices == sorted(set(indices))
                assert all(after.time_s > before.time_s for before, after in itertools.pairwise(frames))
                assert {frame.rgb.shape for frame in frames} <= {(*video.info.size, 3)}
                read += len(frames)
                video.frame(3)
                list(video.frames(0.2, 0.4))
        except InputError as error:
            lines += str(error).count("\n")
    assert lines == 0
    assert read > 10  # something is still there; lossless WebP loses most


MEASURE = """
import sys
from pochoir._types import Size
from pochoir.video import open_video
import psutil

peaks = []
with open_video(sys.argv[1]) as video:
    for frame in video.frames(size=Size(90, 120)):
        if frame.index in (20, int(sys.argv[2]) - 1):
            peaks.append(psutil.Process().memory_info().rss)
print(peaks[1] - peaks[0])
"""


def grown_bytes(path: Path, count: int) -> int:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path), str(count)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return int(done.stdout)


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    two = [films.draw(0), films.draw(9)]
    path = films.write(tmp_path / "a.mkv", [two[index % 2] for index in range(700)])
    assert grown_bytes(path, 700) < 8 << 20  # a frame has 32 kB: all of them would be 22 MB


def test_large_frames_are_decoded_at_the_size_that_is_wanted(tmp_path: Path) -> None:
    large = np.kron(films.draw(0, 27, 48), np.ones((80, 80, 1), np.uint8))
    path = films.write(tmp_path / "a.mkv", [large] * 4, pixels="yuv420p")
    with open_video(path) as video:
        assert video.info.size == Size(2160, 3840)
        before = psutil.Process().memory_info().rss
        for frame in video.frames(size=Size(270, 480)):
            assert np.abs(frame.rgb[5::10, 5::10].astype(int) - films.draw(0, 27, 48)).mean() < 3
        assert psutil.Process().memory_info().rss - before < 250 << 20  # FFmpeg's own frames; one in RGB has 25 MB
