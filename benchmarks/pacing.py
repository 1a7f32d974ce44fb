"""Paint within limited time, and estimate the time of a whole painting, beside busy processes and without.

Each painting is a process of its own. Printed for each: the seconds given and taken, up to the saved file; the share
of the time that was left while steps were left; the steps; the reason to stop; and the seconds that the command
line would have announced, beside those that the rest took. Busy processes only count; "slower" starts them when half of
the time is up.

    python benchmarks/pacing.py --time 20 30 --busy 0 1 --slower
"""

import argparse
import json
import math
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from skimage import data

import pochoir
from pochoir.cli.running import ESTIMATED_AT

BUSY_WHEN_SLOWER = 2
"""Busy processes for each core that make a machine slower half-way."""


def main() -> None:
    options = read_options()
    if options.child is not None:
        print(json.dumps(paint(**json.loads(options.child))))
        return
    print(f"pochoir {pochoir.__version__}, {os.cpu_count()} cores, {options.threads} threads, {options.size} px")
    rows = []
    cases: list[tuple[float | None, int, bool]] = [
        (budget, busy, False) for budget in (*options.time, None) for busy in options.busy
    ]
    cases += [(budget, 0, True) for budget in options.time if options.slower]
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.png"
        Image.fromarray(data.astronaut()).save(photo)
        given = {"photo": str(photo), "style": options.style, "size": options.size, "threads": options.threads}
        for budget, busy, slower in cases:
            rows.append(run(given, budget, busy, slower))
    if options.json is not None:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


def run(given: dict[str, Any], budget: float | None, busy: int, slower: bool) -> dict[str, Any]:
    """Paint once in a process of its own, print the row and return it."""
    command = [sys.executable, __file__, "--child", json.dumps(given | {"budget": budget})]
    load = os.getloadavg()[0]
    with counting(busy), subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        if slower and budget is not None:
            time.sleep(budget / 2)
            with counting(BUSY_WHEN_SLOWER * (os.cpu_count() or 1)):
                output, _ = process.communicate()
        else:
            output, _ = process.communicate()
    row: dict[str, Any] = {"budget": budget, "busy": busy, "slower": slower, "load": load, **json.loads(output)}
    label = f"{busy} busy, slower half-way" if slower else f"{busy} busy"
    text = f"{label:24} load {load:4.1f}  {row['done']}/{row['total']} steps in {row['took']:.1f} s"
    if budget is not None:
        left = f"{1 - row['took'] / budget:+.0%} left" if row["done"] < row["total"] else "all steps done"
        text += f" of {budget:g} s, {left}, {row['reason'] or 'no reason'}"
    announced = f"; announced {row['announced']:.1f} s, took {row['rest']:.1f} s"
    print(text + ("" if math.isnan(row["announced"]) else announced), flush=True)
    return row


def paint(photo: str, style: str, size: int, threads: int, budget: float | None) -> dict[str, Any]:
    """Paint a photo and say how the time went."""
    stylize = pochoir.iter_stylize  # loads torch; the command line counts that, too
    began = time.monotonic()
    painting = stylize(photo, style=style, size=size, threads=threads, time=budget)
    announced = first = math.nan
    for step in painting:
        if (step.scale, step.step) == (min(ESTIMATED_AT[0], step.scales), ESTIMATED_AT[1]):
            announced, first = step.left_s, time.monotonic()
    rest = time.monotonic() - first
    with tempfile.TemporaryDirectory() as folder:
        painting.result().save(Path(folder) / "out.png")
    last = painting.last_step
    assert last is not None
    took = time.monotonic() - began
    about = {"took": took, "announced": announced, "rest": rest}
    return about | {"done": last.done, "total": last.total, "reason": last.reason}


@contextmanager
def counting(processes: int) -> Iterator[None]:
    """Keep so many processes busy for the duration of a block."""
    workers = [multiprocessing.Process(target=count, daemon=True) for _ in range(processes)]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()


def count() -> None:
    while True:
        pass


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--time", type=float, nargs="*", default=[20.0, 30.0])
    parser.add_argument("--busy", type=int, nargs="*", default=[0, 1])
    parser.add_argument("--slower", action="store_true")
    parser.add_argument("--style", default="mosaic")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
