"""How much faster is a step's encoder on compiled kernels than on plain torch?

One step of VGG19 to relu5_1, forward with six taps and backward to the picture, on either engine in turns within one
process. Printed are milliseconds, their ratio, and how far features and gradient are from plain torch's (relative, L2).
The first step on kernels, which packs the weights, is given apart.

    python benchmarks/kernels.py
    python benchmarks/kernels.py --sizes 512x341 --threads 2 --json out.json
"""

import argparse
import importlib
import json
import platform
import time
from pathlib import Path

import torch
from torch import Tensor

from pochoir.encoders import VGG, load_encoder

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu4_2", "relu5_1")


def main() -> None:
    options = read_options()
    began = time.perf_counter()
    importlib.import_module("pochoir.encoders.stack")  # compiles the kernels, or loads them
    print(f"kernels ready after {time.perf_counter() - began:.2f} s", flush=True)
    rows = []
    for threads in options.threads:
        torch.set_num_threads(threads)
        for size in options.sizes:
            width, height = (int(side) for side in size.split("x"))
            rows.append({"threads": threads, "size": size, **compare(height, width, options.rounds)})
            told = (
                f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}"
                for key, value in rows[-1].items()
            )
            print("  ".join(told), flush=True)
    if options.json:
        machine = {"python": platform.python_version(), "torch": torch.__version__, "cpu": platform.processor()}
        options.json.write_text(json.dumps({"machine": machine, "rows": rows}, indent=1))


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=["128x85", "256x171", "512x341", "1024x683"])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def compare(height: int, width: int, rounds: int) -> dict[str, float]:
    """Time both engines in turns."""
    engines = {"kernels": load_encoder("vgg19"), "torch": load_encoder("vgg19", engine="torch")}
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, height // 8 + 2, width // 8 + 2, generator=generator)
    picture = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bilinear", align_corners=False)
    with torch.no_grad():
        seeds = {name: value / value.square().mean() for name, value in engines["torch"](picture, LAYERS).items()}
    began = time.perf_counter()
    ours, gradient = step(engines["kernels"], picture, seeds)
    first_ms = 1e3 * (time.perf_counter() - began)
    theirs, expected = step(engines["torch"], picture, seeds)
    error = max(distance(ours[name], theirs[name]) for name in LAYERS)
    of_gradient = distance(gradient, expected)
    del ours, theirs
    times: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(rounds):
        for name, encoder in engines.items():
            began = time.perf_counter()
            step(encoder, picture, seeds)
            times[name].append(1e3 * (time.perf_counter() - began))
    best = {f"{name}_ms": min(values) for name, values in times.items()}
    return {
        **best,
        "ratio": best["torch_ms"] / best["kernels_ms"],
        "first_ms": first_ms,
        "feature_error": error,
        "gradient_error": of_gradient,
    }


def step(encoder: VGG, picture: Tensor, seeds: dict[str, Tensor]) -> tuple[dict[str, Tensor], Tensor]:
    """Features, and the picture's gradient for given gradients of theirs, laid out as the features are."""
    seen = picture.clone().requires_grad_()
    features = encoder(seen, LAYERS)
    values = list(features.values())
    given = [torch.empty_like(value).copy_(seeds[name]) for name, value in features.items()]
    torch.autograd.backward(values, given)
    assert seen.grad is not None
    return {name: value.detach() for name, value in features.items()}, seen.grad


def distance(actual: Tensor, expected: Tensor) -> float:
    return float((actual - expected).norm() / expected.norm())


if __name__ == "__main__":
    main()
