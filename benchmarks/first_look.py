"""Seconds from the start of a command to the first picture of a painting, and to the message about a missing photo.

Commands are started as a user starts them. The first picture is the first file in the folder of ``--save-steps``: the
state after one step at the coarsest scale, enlarged to the size of the painting. The command is ended then. Beside the
wall time stands the processor time of all threads, which other programs change less.

    python benchmarks/first_look.py --repeats 5
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image
from skimage import data

import pochoir

POCHOIR = [sys.executable, "-m", "pochoir", "stylize"]
PHOTO_PX = 1600
POLL_S = 0.005


class Seconds(NamedTuple):
    """Wall time and processor time."""

    wall: float
    cpu: float


def main() -> None:
    options = read_options()
    print(
        f"pochoir {pochoir.__version__}, torch {torch.__version__}, {os.cpu_count()} cores, {options.threads} threads"
    )
    rows: dict[str, list[Seconds]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo = folder / "photo.jpg"
        astronaut = Image.fromarray(data.astronaut()).resize((PHOTO_PX, PHOTO_PX), Image.Resampling.LANCZOS)
        astronaut.save(photo, quality=92)
        style = folder / "style.jpg"
        Image.fromarray(data.coffee()).save(style, quality=92)
        for repeat in range(options.repeats + 1):
            taken = {"message about a missing photo": time_message(folder)}
            for size in options.size:
                for label, given in (("built-in style", "mosaic"), ("style of a file", str(style))):
                    taken[f"first picture, {size} px, {label}"] = time_first_picture(
                        photo, given, size, folder / f"{size}-{label}-{repeat}", options.threads
                    )
            for label, seconds in taken.items():
                if repeat:  # the first round fills the caches of files
                    rows.setdefault(label, []).append(seconds)
    for label, values in rows.items():
        wall, cpu = zip(*values, strict=True)
        print(
            f"{label:46} wall: median {statistics.median(wall):.2f} s, {min(wall):.2f} to {max(wall):.2f}; "
            f"processor: {statistics.median(cpu):.2f} s"
        )
    if options.json is not None:
        options.json.write_text(json.dumps({label: [list(pair) for pair in rows[label]] for label in rows}) + "\n")


def time_message(folder: Path) -> Seconds:
    """Return the seconds until a command with a missing photo has ended."""
    command = [*POCHOIR, str(folder / "absent.jpg"), "-o", str(folder / "no.png"), "--style", "mosaic"]
    began = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 2
    return Seconds(time.perf_counter() - began, usage.ru_utime + usage.ru_stime)


def time_first_picture(photo: Path, style: str, size: int, folder: Path, threads: int) -> Seconds:
    """Return the seconds until the first picture lies in its folder, whole."""
    steps = folder / "steps"
    folder.mkdir(parents=True)
    command = [*POCHOIR, str(photo), "-o", str(folder / "out.png"), "--style", style, "--size", str(size)]
    command += ["--threads", str(threads), "--save-steps", str(steps), "-q"]
    began = time.perf_counter()
    process = subprocess.Popen(command)
    while not list(steps.glob("step-*.png")):
        time.sleep(POLL_S)
        assert process.poll() is None, "the command ended without a picture"
    seconds = time.perf_counter() - began
    process.kill()
    _, _, usage = os.wait4(process.pid, 0)
    return Seconds(seconds, usage.ru_utime + usage.ru_stime)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, nargs="+", default=[512, 1024])
    parser.add_argument("--repeats", type=int, default=5, help="rounds after one to warm up")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
