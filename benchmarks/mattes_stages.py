"""Worth of each stage of ``fast`` and ``best``: real photographs scored with the stage left out.

    python benchmarks/mattes_stages.py --photos ~/mattes

DIR holds photos/ and alpha/, as for ``mattes.py --photos``. Every input of the network is run once for each photo.
"""

import argparse
import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import mattes_photos
import torch
from torch import Tensor

from pochoir import imaging, weights
from pochoir._types import Size
from pochoir.segmentation import U2NetSegmenter, refine_matte
from pochoir.segmentation.matting import refine
from pochoir.segmentation.matting.local_colors import ColorMatch
from pochoir.segmentation.u2net import multiscale
from pochoir.segmentation.u2net.network import SaliencyMaps

Changes = tuple[tuple[Any, str, Any], ...]


def distrust(matte: Tensor, photo: Tensor) -> ColorMatch:
    return ColorMatch(matte, torch.zeros_like(matte))


def pass_through(matte: Tensor, photo: Tensor, **options: Any) -> Tensor:
    return matte.clone()


def leave(matte: Tensor) -> Tensor:
    return matte


VARIANTS: dict[str, tuple[str, bool, Changes]] = {
    "fast": ("fast", False, ()),
    "fast, first input alone": ("fast", False, ((multiscale, "AGREED_FROM", 0.0),)),
    "fast, always the median": ("fast", False, ((multiscale, "AGREED_FROM", 2.0),)),
    "fast without colours": ("fast", False, ((refine, "match_colors", distrust),)),
    "fast without guided filter": ("fast", False, ((refine, "guided_filter", pass_through),)),
    "fast without contrast": ("fast", False, ((refine, "_FOG", 0.0),)),
    "fast without filled insides": ("fast", False, ((refine, "fill_insides", leave),)),
    "best": ("best", True, ()),
    "best without fine details": ("best", False, ()),
    "best without closed form": ("fast", True, ()),
    "best without colours": ("best", True, ((refine, "match_colors", distrust),)),
    "best, changed pixels sure": ("best", True, ((refine, "_CHANGED", 2.0),)),
    "best without contrast": ("best", True, ((refine, "_FOG", 0.0),)),
    "best without filled insides": ("best", True, ((refine, "fill_insides", leave),)),
}
"""Method, whether details are taken, and what is changed."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR")
    options = parser.parse_args()
    segmenter = U2NetSegmenter.from_file(weights.where("u2net"), name="u2net", many=True)
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in VARIANTS}
    for photo_file, alpha_file in mattes_photos.find_photos(options.photos).values():
        pixels, truth = mattes_photos.read_pair(photo_file, alpha_file)
        photo = imaging.load(photo_file).rgb
        predict = remember(segmenter._predict)
        for name, (method, with_detail, changes) in VARIANTS.items():
            with changed(changes):
                found = multiscale.predict_multiscale(photo, predict, with_detail=with_detail)
                matte = imaging.resize(found.merged, Size(*photo.shape[-2:]), mode="bilinear")
                refined = refine_matte(matte, photo, method=method)
            levels = (refined[0, 0] * 255).round() / 255
            rows[name].append(mattes_photos.score(levels.numpy(), truth))
        print(f"{photo_file.stem} {pixels.shape[1]}x{pixels.shape[0]}", flush=True)
    for label, part in (("all", slice(None)), ("tune", slice(0, None, 2)), ("check", slice(1, None, 2))):
        print(f"\n{label}: {' '.join(mattes_photos.COLUMNS)}")
        for name, scores in rows.items():
            means = {key: statistics.mean(row[key] for row in scores[part]) for key in mattes_photos.COLUMNS}
            print(f"{name:28} {mattes_photos.format_row(means)}")


def remember(predict: Callable[[Tensor], SaliencyMaps]) -> Callable[[Tensor], SaliencyMaps]:
    known: dict[bytes, SaliencyMaps] = {}

    def run(small: Tensor) -> SaliencyMaps:
        key = small.numpy().tobytes()  # the mirrored photo has the same shape
        if key not in known:
            known[key] = predict(small)
        return known[key]

    return run


@contextmanager
def changed(changes: Changes) -> Iterator[None]:
    with ExitStack() as stack:
        for module, name, value in changes:
            stack.enter_context(mock.patch.object(module, name, value))
        yield


if __name__ == "__main__":
    main()
