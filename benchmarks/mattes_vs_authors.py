"""Our mattes of four photos against the maps that U-2-Net's authors publish for them.

The folder holds ``photos/{horse,boat}.jpg``, ``photos/{girl,im_21}.png`` and ``reference/NAME_{u2net,u2netp}.png``.
IoU is taken at 0.5; MAE is the mean absolute difference. Only ``none`` is meant to reproduce the authors' maps;
``fast`` departs from them on purpose, at the edges.
"""

import argparse
import statistics
from pathlib import Path

from torch import Tensor

from pochoir import imaging
from pochoir.recipe import REFINEMENTS, SegmentSettings
from pochoir.segmentation import create_segmenter, refine_matte

PHOTOS = ("horse.jpg", "boat.jpg", "girl.png", "im_21.png")
NETWORKS = ("u2net", "u2netp")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True, metavar="DIR", help="folder with photos/ and reference/")
    parser.add_argument("--device", default="cpu", help="where the networks run (default: %(default)s)")
    options = parser.parse_args()
    print(f"{'network':8} {'refine':6} {'photo':10} {'IoU':>7} {'MAE':>7}")
    for network in NETWORKS:
        segmenter = create_segmenter(SegmentSettings(segmenter=network, preprocess="official"), device=options.device)
        scores: dict[str, list[tuple[float, float]]] = {method: [] for method in REFINEMENTS}
        for file_name in PHOTOS:
            photo = imaging.load(options.images / "photos" / file_name).rgb
            stem = Path(file_name).stem
            reference = imaging.load(options.images / "reference" / f"{stem}_{network}.png").rgb[:, :1]
            found = segmenter.segment(photo).matte
            for method in REFINEMENTS:
                matte = refine_matte(found, photo, method=method)
                scores[method].append((iou(matte, reference), float((matte - reference).abs().mean())))
                print_row(network, method, stem, *scores[method][-1])
        for method, rows in scores.items():
            print_row(network, method, "mean", *(statistics.mean(column) for column in zip(*rows, strict=True)))


def iou(matte: Tensor, reference: Tensor) -> float:
    ours, theirs = matte > 0.5, reference > 0.5
    return float((ours & theirs).sum() / (ours | theirs).sum())


def print_row(network: str, method: str, photo: str, overlap: float, error: float) -> None:
    print(f"{network:8} {method:6} {photo:10} {overlap:7.4f} {error:7.4f}")


if __name__ == "__main__":
    main()
