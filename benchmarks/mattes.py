"""Mattes and cut-outs of pochoir and of rembg against the truth, with the same U2-Net weights, in the same run.

Every method gets the same 8-bit photo and hands back a cut-out of 8 bits, as a user gets it: subject found, edges
refined, colours of the edge estimated. The matte that is judged is the cut-out's alpha. ``--photos`` judges real
photographs, without it drawn scenes are.

    python benchmarks/mattes.py                                    # the half that settings are not tuned on
    python benchmarks/mattes.py --photos ~/mattes --half all --sheet worst.png
    python benchmarks/mattes.py --half all --json mattes.json --rembg-python ~/rembg/bin/python
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import matte_metrics as metrics
import numpy as np
import torch
from mattes_photos import measure_photos
from numpy.typing import NDArray
from PIL import Image

import pochoir
from pochoir import compositing, weights
from pochoir.lab import scenes
from pochoir.recipe import REFINEMENTS, SegmentSettings
from pochoir.segmentation import Segmenter, create_segmenter, refine_matte

Pixels = NDArray[np.uint8]
Method = Callable[[Pixels], tuple[Pixels, dict[str, float]]]
"""From a photo (H, W, 3) to a cut-out (H, W, 4) and the seconds it took."""

COLUMNS = ("iou", "boundary_iou", "thin_boundary_iou", "sad", "mse", "gradient", "psnr_db", "seconds")
HALVES = {"tune": scenes.TUNE, "held-out": scenes.HELD_OUT, "all": scenes.MATTE_SCENES}


def main() -> None:
    options = read_options()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        worker = Rembg.start(options.rembg_python, Path(folder), options.threads)
        methods = make_methods(worker)
        warm_up(methods)
        rows = []
        if options.photos is not None:
            rows = measure_photos(options.photos, options.half, methods, options.sheet)
        for size in options.sizes if options.photos is None else ():
            rows += [row for name in HALVES[options.half] for row in measure(name, size, methods, options.repeats)]
            print_means([row for row in rows if row["size"] == size], size)
        about = describe(options) | ({} if worker is None else worker.about)
        if worker is not None:
            worker.stop()
    if options.json is not None:
        options.json.write_text(json.dumps({"about": about, "rows": rows}, indent=1) + "\n")


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, metavar="DIR", help="folder with photos/NAME.jpg and alpha/NAME.png")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="write a contact sheet of the worst photographs")
    parser.add_argument("--half", choices=HALVES, default="held-out", help="pictures to use (default: %(default)s)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[800], metavar="PX", help="long sides (default: 800)")
    parser.add_argument("--repeats", type=int, default=1, help="runs of each method; the median time counts")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="for all (default: %(default)s)")
    parser.add_argument("--rembg-python", metavar="FILE", help="interpreter that can import rembg (default: this one)")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser.parse_args()


class Rembg:
    """rembg in a process of its own, on pochoir's weights."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path) -> None:
        self._process = process
        self._folder = folder
        self.about = {f"rembg_{key}": value for key, value in self._answer().items()}

    @classmethod
    def start(cls, python: str | None, folder: Path, threads: int) -> "Rembg | None":
        if python is None and find_spec("rembg") is None:
            print("rembg is skipped: it is not installed here; name an interpreter that has it with --rembg-python.")
            return None
        home = folder / "weights"
        home.mkdir()
        (home / "u2net.onnx").symlink_to(weights.pull("u2net"))
        variables = {**os.environ, "U2NET_HOME": str(home), "OMP_NUM_THREADS": str(threads)}
        variables |= {"NUMBA_NUM_THREADS": str(threads)}
        variables.pop("PYTHONPATH", None)
        program = Path(__file__).with_name("rembg_worker.py")
        command = [python or sys.executable, str(program)]
        return cls(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=variables), folder
        )

    def remove(self, photo: Pixels, *, alpha_matting: bool) -> tuple[Pixels, dict[str, float]]:
        source, target = self._folder / "photo.png", self._folder / "cutout.png"
        Image.fromarray(photo).save(source, compress_level=1)
        order = {"photo": str(source), "alpha_matting": alpha_matting, "out": str(target)}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        seconds = self._answer()["seconds"]
        return np.asarray(Image.open(target).convert("RGBA")), {"seconds": seconds}

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("rembg ended early; its messages are above.")
        answer: dict[str, Any] = json.loads(line)
        return answer


def make_methods(worker: Rembg | None) -> dict[str, Method]:
    def ours(refine: str, preprocess: str = "multiscale") -> Method:
        segmenter = create_segmenter(SegmentSettings(segmenter="u2net", refine=refine, preprocess=preprocess))
        return lambda photo: cut_out(photo, segmenter, refine)

    methods = {"pochoir official": ours("none", "official")}
    methods |= {f"pochoir {refine}": ours(refine) for refine in REFINEMENTS}
    if worker is not None:
        methods["rembg"] = lambda photo: worker.remove(photo, alpha_matting=False)
        methods["rembg -a"] = lambda photo: worker.remove(photo, alpha_matting=True)
    return methods


def cut_out(pixels: Pixels, segmenter: Segmenter, refine: str) -> tuple[Pixels, dict[str, float]]:
    start = time.perf_counter()
    photo = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None].float() / 255  # (1, 3, H, W)
    found = segmenter.segment(photo).matte
    before = time.perf_counter()
    matte = refine_matte(found, photo, method=refine)
    refined = time.perf_counter()
    cutout = compositing.cutout(photo, matte)
    result = (cutout[0] * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
    end = time.perf_counter()
    return result, {"seconds": end - start, "refine_seconds": refined - before, "colors_seconds": end - refined}


def warm_up(methods: dict[str, Method]) -> None:
    """First calls compile and load; nobody's times shall have that in."""
    pixels = to_pixels(scenes.draw_matte_scene("mug", long_side_px=400).photo)
    for run in methods.values():
        run(pixels)


def measure(name: str, size: int, methods: dict[str, Method], repeats: int) -> list[dict[str, Any]]:
    scene = scenes.draw_matte_scene(name, long_side_px=size)
    photo, truth, colors = (
        to_pixels(scene.photo),
        scene.alpha[0, 0].numpy(),
        scene.foreground[0].permute(1, 2, 0).numpy(),
    )
    runs: dict[str, list[dict[str, float]]] = {method: [] for method in methods}
    cutouts: dict[str, Pixels] = {}
    for _ in range(repeats):
        for method, run in methods.items():  # in turn, so that a busy moment of the machine hits all
            cutouts[method], times = run(photo)
            runs[method].append(times)
    rows = []
    for method, cutout in cutouts.items():
        times = {key: statistics.median(run[key] for run in runs[method]) for key in runs[method][0]}
        row = {"scene": name, "family": scenes.FAMILIES[name], "size": size, "method": method}
        rows.append(row | score(cutout, truth, colors) | times)
        print(f"{name:11} {method:13} {format_row(rows[-1])}", flush=True)
    return rows


def score(cutout: Pixels, truth: metrics.Matte, colors: metrics.Picture) -> dict[str, float]:
    front, matte = (layer.astype(np.float32) / 255 for layer in (cutout[..., :3], cutout[..., 3]))
    return {
        "iou": metrics.iou(matte, truth),
        "boundary_iou": metrics.boundary_iou(matte, truth),
        "thin_boundary_iou": metrics.boundary_iou(matte, truth, band=metrics.THIN_BAND),
        "sad": metrics.sad(matte, truth),
        "mse": metrics.mse(matte, truth),
        "gradient": metrics.gradient_error(matte, truth),
        "psnr_db": metrics.backdrop_psnr(front, matte, colors, truth),
    }


def print_means(rows: list[dict[str, Any]], size: int) -> None:
    print(f"\nmeans over {len({row['scene'] for row in rows})} scenes, long side {size} px")
    print(f"{'':13} {'  '.join(f'{column:>9.9}' for column in COLUMNS)}")
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method]
        means = {column: statistics.mean(row[column] for row in own) for column in COLUMNS}
        print(f"{method:13} {format_row(means)}")
    print(flush=True)


def format_row(row: dict[str, Any]) -> str:
    return "  ".join(f"{row[column]:9.4f}" for column in COLUMNS)


def to_pixels(picture: torch.Tensor) -> Pixels:
    return np.ascontiguousarray((picture[0] * 255).round().to(torch.uint8).permute(1, 2, 0).numpy())


def describe(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "pochoir": pochoir.__version__,
        "torch": torch.__version__,
        "opencv": cv2.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "threads": options.threads,
        "half": options.half,
        "repeats": options.repeats,
    }


if __name__ == "__main__":
    main()
