"""Does the same strength feel the same, whatever the size, the area and the style?

A subject is laid over a ground so that it covers some share of the frame and is painted with the defaults; a share of
1 is the whole picture. Printed is the share of the way to the style that was gone, 1 - sqrt(d / d0), with d the style
distance on the composite after rounding to 8 bits and d0 that of the unpainted photo: relative distances of guided
Gram matrices, the mean over the layers weighted as in the objective.

    python benchmarks/strength.py --photo parrot.jpg --style candy.jpg --style starry_night.jpg --json out.json
    python benchmarks/strength.py --strength 0.3 --strength 0.7 --size 256
"""

import argparse
import itertools
import json
import math
from pathlib import Path

import torch
from area_fairness import cut_subject, lay, measure, to_array
from skimage import data

import pochoir
from pochoir import imaging
from pochoir._types import Size
from pochoir.encoders import load_encoder
from pochoir.recipe import Recipe
from pochoir.sources import load_style

STYLES = ("stained-glass", "mosaic")
SIZES = (256, 512, 768)
AREAS = (1.0, 0.15, 0.04)
SUBJECT_OF_WHOLE = 0.4
"""Share of the frame that the subject covers where all of the picture is painted."""


def main() -> None:
    options = read_options()
    encoder = load_encoder("vgg19")
    subject = cut_subject(options.photo)
    ground = imaging.load(data.rocket() if options.ground is None else options.ground).rgb
    rows = []
    for strength, name, size, area in itertools.product(
        options.strength or (Recipe().strength,),
        options.style or STYLES,
        options.size or SIZES,
        options.area or AREAS,
    ):
        recipe = Recipe(size=size, strength=strength, threads=options.threads)
        frame = Size(size, size)
        photo, matte = lay(subject, imaging.resize(ground, frame), SUBJECT_OF_WHOLE if area == 1.0 else area)
        style = load_style(name)
        if area == 1.0:
            matte = torch.ones_like(matte)
            result = pochoir.stylize(to_array(photo), recipe, style=style, encoder=encoder)
        else:
            mask = to_array(matte.expand(-1, 3, -1, -1))
            result = pochoir.stylize(to_array(photo), recipe, subject=style, mask=mask, encoder=encoder)
        target = imaging.resize(style.rgb, style.size.scaled(math.sqrt(frame.pixels / style.size.pixels)))
        saved = (result.composite * 255).round() / 255
        before, after = (measure(picture, matte, target, encoder, recipe)["weighted"] for picture in (photo, saved))
        share = 1.0 - math.sqrt(after / before)
        rows.append({"strength": strength, "style": Path(name).stem, "size": size, "area": area, "share": share})
        print(f"strength {strength:g}  {Path(name).stem:16} {size:4} px  area {area:4.0%}  {share:.3f}", flush=True)
    for strength in dict.fromkeys(row["strength"] for row in rows):
        shares = [row["share"] for row in rows if row["strength"] == strength]
        middle = (min(shares) + max(shares)) / 2
        print(f"strength {strength:g}: {min(shares):.3f} to {max(shares):.3f}, within {max(shares) - middle:.3f}")
    if options.json is not None:
        options.json.write_text(json.dumps({"rows": rows, "torch": torch.__version__}, indent=2) + "\n")


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photo", help="photo whose subject is used (default: scikit-image's cat)")
    parser.add_argument("--ground", help="photo that is laid behind it (default: scikit-image's rocket)")
    parser.add_argument("--style", action="append", help="may be given several times")
    parser.add_argument("--size", type=int, action="append", help="may be given several times")
    parser.add_argument(
        "--area", type=float, action="append", help="may be given several times; 1 is the whole picture"
    )
    parser.add_argument("--strength", type=float, action="append", help="may be given several times")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
