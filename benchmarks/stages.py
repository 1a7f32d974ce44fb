"""What each stage of a cutout costs: seconds and processor seconds of a 2-megapixel photo, in one process.

The network is left out of "adds": that is what refining the matte takes on top of it. Processor seconds with one
thread are what to compare on a busy machine.

    python benchmarks/stages.py --threads 1
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import torch

from pochoir import compositing, imaging
from pochoir.lab import scenes
from pochoir.recipe import SegmentSettings
from pochoir.segmentation import create_segmenter, refine_matte


def main() -> None:
    options = read_options()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    photo = scenes.draw_matte_scene(options.scene, long_side_px=options.size).photo
    segmenter = create_segmenter(SegmentSettings())
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "photo.jpg"), Path(folder, "cutout.png")
        imaging.save(source, photo, options=imaging.SaveOptions(quality=92))
        stages: dict[str, Callable[[dict[str, Any]], Any]] = {
            "decode": lambda made: imaging.load(source).rgb,
            "network": lambda made: segmenter.segment(made["decode"]).matte,
            "best adds": lambda made: refine_matte(made["network"], made["decode"], method="best"),
            "fast adds": lambda made: refine_matte(made["network"], made["decode"], method="fast"),
            "edge colours": lambda made: compositing.cutout(made["decode"], in_8_bits(made["fast adds"])),
            "save": lambda made: imaging.save(target, made["edge colours"][:, :3], alpha=made["edge colours"][:, 3:]),
        }
        print(f"{photo.shape[3]} x {photo.shape[2]}, {options.threads} threads, load {os.getloadavg()[0]:.1f}")
        report(stages, options.repeats)


def in_8_bits(matte: torch.Tensor) -> torch.Tensor:
    return matte.mul(255).round().div(255)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=1800, metavar="PX", help="long side (default: 1800, 2 megapixels)")
    parser.add_argument("--scene", default="cat", choices=scenes.MATTE_SCENES)
    parser.add_argument("--repeats", type=int, default=5, help="after one run that does not count (default: 5)")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    return parser.parse_args()


def report(stages: dict[str, Callable[[dict[str, Any]], Any]], repeats: int) -> None:
    """Print the medians over all runs but the first, which loads and warms up."""
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in stages}
    for _ in range(repeats + 1):
        made: dict[str, Any] = {}
        for name, stage in stages.items():
            wall, cpu = time.perf_counter(), time.process_time()
            made[name] = stage(made)
            runs[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    for name, taken in runs.items():
        wall, cpu = (statistics.median(column) for column in zip(*taken[1:], strict=True))
        print(f"{name:13} {wall:6.2f} s  {cpu:6.2f} s of processor")


if __name__ == "__main__":
    main()
