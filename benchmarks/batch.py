"""Overhead of each photo in a batch against single runs, and how often weights and style targets are computed.

    python benchmarks/batch.py [--photos 16] [--size 128] [--steps 4] [--threads N] [--style mosaic]

Three ways to paint the same photos: one program for each photo, ``pochoir.stylize`` in a loop, and ``pochoir.run``.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import pochoir
from pochoir import loading, sources
from pochoir.transfer import targets

COUNTS: Counter[str] = Counter()


def count(module: Any, name: str, label: str) -> None:
    """Count the calls of a function from now on."""
    function = getattr(module, name)

    def counted(*arguments: Any, **keywords: Any) -> Any:
        COUNTS[label] += 1
        return function(*arguments, **keywords)

    setattr(module, name, counted)


def draw_photos(folder: Path, number: int, size: int) -> list[Path]:
    """Draw photos of smooth colours with some noise."""
    paths = []
    y, x = np.mgrid[0 : size * 3 // 4, 0:size]
    for index in range(number):
        waves = [np.sin((x * (index + 1) + y * channel) / size * 6) for channel in range(1, 4)]
        noise = np.random.default_rng(index).normal(0, 6, (*y.shape, 3))
        paths.append(folder / f"{index:02}.png")
        Image.fromarray((np.stack(waves, -1) * 90 + 128 + noise).clip(0, 255).astype(np.uint8)).save(paths[-1])
    return paths


def measure(label: str, number: int, work: Callable[[], None]) -> float:
    """Print the seconds and the counts of a way; return the seconds of one photo."""
    COUNTS.clear()
    began = time.monotonic()
    work()
    seconds = (time.monotonic() - began) / number
    loaded = ", ".join(f"{name} {times}" for name, times in sorted(COUNTS.items())) or "not counted"
    print(f"{label:<34} {seconds:7.3f} s a photo   {loaded}")
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=16)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--style", default="mosaic")
    given = parser.parse_args()
    count(loading, "load_encoder", "encoders loaded")
    count(sources, "load_style", "styles decoded")
    count(targets, "GuidedGrams", "style targets computed")
    recipe = pochoir.Recipe(style=given.style, size=given.size, steps=given.steps, threads=given.threads)
    options = ["--style", given.style, "--size", given.size, "--steps", given.steps, "--threads", given.threads]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        photos = draw_photos(folder, given.photos, given.size)

        def programs() -> None:
            for photo in photos:
                command = [sys.executable, "-m", "pochoir", "stylize", photo, "-o", folder / f"one-{photo.name}", "-q"]
                subprocess.run([str(word) for word in (*command, *options)], check=True)

        def loop() -> None:
            for photo in photos:
                pochoir.stylize(photo, recipe).save(folder / f"loop-{photo.name}")

        def batch() -> None:
            jobs = [
                pochoir.Job(photo=str(photo), output=str(folder / f"run-{photo.name}"), recipe=recipe)
                for photo in photos
            ]
            kinds = Counter(event.kind for event in pochoir.run(jobs) if event.is_final)
            assert kinds == {"saved": len(jobs)}, kinds

        single = measure("a program for each photo", given.photos, programs)
        measure("pochoir.stylize in a loop", given.photos, loop)
        many = measure("pochoir.run (serial)", given.photos, batch)
        same = all(
            (folder / f"loop-{photo.name}").read_bytes() == (folder / f"run-{photo.name}").read_bytes()
            for photo in photos
        )
        print(f"saved by the batch: {single - many:.3f} s a photo")
        print(f"bytes of loop and batch are {'equal' if same else 'NOT EQUAL'}")


if __name__ == "__main__":
    main()
