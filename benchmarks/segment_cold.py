"""Whole commands from a cold start: ``pochoir segment`` next to ``rembg i`` and ``rembg p``, same photos and weights.

The commands take turns, all with the same number of threads; printed are the median seconds, processor seconds (what to
compare on a busy machine), the peak memory of the process (resident, from Linux's own account of it) and the ratios to
rembg.

    python benchmarks/segment_cold.py --rembg ~/rembg/bin/rembg
    python benchmarks/segment_cold.py --rembg ~/rembg/bin/rembg --photos 100 --size 1800 --json cold.json
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from pochoir import weights
from pochoir.lab import scenes

LARGE_PX = 5860  # 5860 x 4102: 24 megapixels
# A process starts with its parent's peak on its account, so a small one stands between this script and the command.
LAUNCHER = """
import os, subprocess, sys, time
start = time.perf_counter()
child = subprocess.Popen(sys.argv[2:], stdout=sys.stderr)
_, status, usage = os.wait4(child.pid, 0)
with open(sys.argv[1], "w") as account:
    print(time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, file=account)
sys.exit(os.waitstatus_to_exitcode(status))
"""
POCHOIR = [sys.executable, "-c", "from pochoir.cli import main; main()", "segment"]


def main() -> None:
    options = read_options()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        variables = environment(folder, options.threads)
        one, many = folder / "one.jpg", folder / "many"
        originals = sorted(options.source.iterdir()) if options.source else draw(options.size, folder / "drawn")
        shutil.copy(originals[0], one)
        many.mkdir()
        for index in range(options.photos if "many" in options.only else 0):
            original = originals[index % len(originals)]
            shutil.copy(original, many / f"{index:03}-{original.name}")
        tasks = {"one": one_photo(one, folder, options.rembg), "many": folder_of_photos(many, folder, options.rembg)}
        if options.large:
            save("cat", LARGE_PX, folder / "large.jpg")
            tasks["24 megapixels"] = one_photo(folder / "large.jpg", folder, options.rembg)
            tasks["24 megapixels"].pop("rembg -a", None)  # solves for the whole photo: many gigabytes, many minutes
        rows = []
        for task, commands in tasks.items():
            if task in options.only:
                rows += compare(task, commands, variables, options.repeats if task == "one" else 1, folder)
    if options.json is not None:
        about = {"cores": os.cpu_count(), "threads": options.threads, "torch": torch.__version__, "size": options.size}
        options.json.write_text(
            json.dumps({"about": about | {"photos": options.photos}, "rows": rows}, indent=1) + "\n"
        )


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rembg", default=shutil.which("rembg"), metavar="FILE", help="its command (default: on PATH)")
    parser.add_argument("--source", type=Path, metavar="DIR", help="JPEG photos to use (default: drawn scenes)")
    parser.add_argument("--photos", type=int, default=16, metavar="N", help="photos in the folder (default: 16)")
    parser.add_argument("--size", type=int, default=1800, metavar="PX", help="long side (default: 1800, 2 megapixels)")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each command on one photo (default: 3)")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--large", action="store_true", help="a 24-megapixel photo too")
    parser.add_argument("--only", nargs="+", default=["one", "many", "24 megapixels"], metavar="TASK")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    if options.rembg is None:
        print("rembg is skipped: no such command on PATH; name one with --rembg.")
    return options


def environment(folder: Path, threads: int) -> dict[str, str]:
    home = folder / "weights"
    home.mkdir()
    (home / "u2net.onnx").symlink_to(weights.pull("u2net"))
    pinned = {name: str(threads) for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    return {**os.environ, **pinned, "U2NET_HOME": str(home)}


def draw(size: int, folder: Path) -> list[Path]:
    folder.mkdir()
    for scene in scenes.MATTE_SCENES:
        save(scene, size, folder / f"{scene}.jpg")
    return [folder / f"{scene}.jpg" for scene in scenes.MATTE_SCENES]


def save(scene: str, size: int, path: Path) -> None:
    photo = scenes.draw_matte_scene(scene, long_side_px=size).photo
    pixels = (photo[0] * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    Image.fromarray(np.ascontiguousarray(pixels)).save(path, quality=92)


def one_photo(photo: Path, folder: Path, rembg: str | None) -> dict[str, list[str]]:
    out = ["-o", str(folder / "ours.png"), "--as", "cutout", "--force", "--quiet"]
    commands = {f"pochoir {refine}": [*POCHOIR, str(photo), *out, "--refine", refine] for refine in ("fast", "best")}
    if rembg is not None:
        theirs = str(folder / "theirs.png")
        commands["rembg"] = [rembg, "i", "-m", "u2net", str(photo), theirs]
        commands["rembg -a"] = [rembg, "i", "-m", "u2net", "-a", str(photo), theirs]
    return commands


def folder_of_photos(photos: Path, folder: Path, rembg: str | None) -> dict[str, list[str]]:
    commands = {"pochoir fast": [*POCHOIR, str(photos), "-o", str(folder / "ours"), "--as", "cutout", "--quiet"]}
    if rembg is not None:
        commands["rembg"] = [rembg, "p", "-m", "u2net", str(photos), str(folder / "theirs")]
    return commands


def compare(
    task: str, commands: dict[str, list[str]], variables: dict[str, str], repeats: int, folder: Path
) -> list[dict[str, Any]]:
    runs: dict[str, list[tuple[float, float, float]]] = {name: [] for name in commands}
    for _ in range(repeats):
        for name, command in commands.items():
            runs[name].append(run(command, variables, folder))
    rows = []
    for name, measured in runs.items():
        seconds, cpu = (statistics.median(item[column] for item in measured) for column in (0, 1))
        peak = max(item[2] for item in measured)
        peer = {"pochoir fast": "rembg", "pochoir best": "rembg -a"}.get(name)
        row = {"task": task, "command": name, "seconds": seconds, "cpu_seconds": cpu, "peak_gb": peak}
        versus = ""
        if peer in runs:
            row["ratio"] = seconds / statistics.median(item[0] for item in runs[peer])
            row["cpu_ratio"] = cpu / statistics.median(item[1] for item in runs[peer])
            versus = f"  {row['ratio']:5.2f} x {peer}, {row['cpu_ratio']:5.2f} x its processor time"
        rows.append(row)
        print(f"{task:14} {name:13} {seconds:8.2f} s  {cpu:8.2f} s of processor  {peak:5.2f} GB{versus}", flush=True)
    return rows


def run(command: list[str], variables: dict[str, str], folder: Path) -> tuple[float, float, float]:
    own = variables if command[0] == sys.executable else {k: v for k, v in variables.items() if k != "PYTHONPATH"}
    account, log = folder / "account.txt", folder / "log.txt"
    with log.open("wb") as messages:
        launched = [sys.executable, "-I", "-S", "-c", LAUNCHER, str(account), *command]
        ended = subprocess.run(launched, env=own, stderr=messages, check=False)
    if ended.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{log.read_text()[-2000:]}")
    seconds, cpu, kilobytes = account.read_text().split()
    return float(seconds), float(cpu), int(kilobytes) / 1e6


if __name__ == "__main__":
    main()
