"""Sheets of eight frames to look at: python benchmarks/clip_sheets.py FOLDER OUT [--only NAME].

FOLDER holds photos named as in ``SHEETS``; those that are missing are left out. Two photos come from scikit-image. Each
subject is painted once, and ``--keep`` keeps the paintings for the next time.
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from painted_clips import Painted
from skimage import data

from pochoir import imaging
from pochoir.animation.clip import Clip
from pochoir.animation.rig import Rig
from pochoir.animation.settings import ClipSettings
from pochoir.errors import InputError

FRAMES = 8
PARROT = {
    "pochoir_rig": 1,
    "width": 512,
    "height": 341,
    "limbs": [
        {"name": "wing_left", "kind": "wing", "points": [[222, 228], [165, 318]], "width": 30},
        {"name": "wing_right", "kind": "wing", "points": [[345, 228], [400, 318]], "width": 30},
        {"name": "head", "kind": "head", "points": [[270, 215], [255, 120]], "width": 75, "cut": False},
    ],
}


@dataclass(frozen=True)
class Sheet:
    """Clips of one painted photo.

    Attributes:
        styles: Options of the painting.
        clips: Settings of each clip.
        rig: Limbs, for the photo at any size.
        boil: Further paintings.
        margin: Room around the photo.
    """

    styles: dict[str, str]
    clips: tuple[dict[str, object], ...]
    rig: dict[str, object] | None = None
    boil: int = 0
    margin: str = "0%"


SHEETS = {
    "parrot": Sheet(
        {"subject": "mosaic", "background": "ink-wash"}, ({"motion": "nod"}, {"motion": ["flap", "nod:0.5"]}), PARROT
    ),
    "horse": Sheet(
        {"subject": "woodblock-waves", "background": "pointillism"},
        (
            {"motion": "trot", "boil": 2},
            {"motion": "run", "on": 2},
            {"motion": "trot", "towards": "left", "shadow": True},
        ),
        boil=2,
    ),
    "girl": Sheet(
        {"subject": "stained-glass", "background": "woodblock-waves"},
        ({"motion": "wave"}, {"motion": "walk", "parallax": True}),
    ),
    "spacesuit": Sheet(
        {"subject": "stained-glass", "backdrop": "#e9e0cf"},
        (
            {"motion": "walk", "towards": "right", "shadow": True, "duration": "4s"},
            {"motion": "dance", "boil": 1},
            {"motion": "wave"},
            {"motion": "jump", "shadow": True},
            {"motion": "march"},
        ),
        boil=1,
        margin="22%",
    ),
    "boat": Sheet(
        {"subject": "cut-paper", "background": "woodblock-waves"},
        ({"motion": "waddle"}, {"motion": "waddle", "towards": "left"}),
    ),
    "chelsea": Sheet(
        {"subject": "woodblock-waves", "background": "hatching"},
        ({"motion": "breathe"}, {"motion": ["nod", "breathe"]}),
    ),
    "astronaut": Sheet({"subject": "mosaic", "background": "ink-wash"}, ({"motion": "turn", "parallax": True},)),
}
SAMPLES = {"chelsea": data.chelsea, "astronaut": data.astronaut}
"""Photos that come with scikit-image: CC0, and NASA's in the public domain."""


def draw(clip: Clip, caption: str, tile_px: int) -> torch.Tensor:
    """Return eight frames at nearly even distances, the first at rest, shape (1, 3, H, W)."""
    tiles = []
    for step in range(FRAMES):
        frame = clip.frame_at(int((step + 0.37) * len(clip) / FRAMES) if step else 0)
        picture = torch.from_numpy(np.ascontiguousarray(frame)).permute(2, 0, 1)[None].float() / 255
        tiles.append((caption if step == 0 else f"{step}/{FRAMES}", picture))
    return imaging.contact_sheet(tiles, columns=4, tile_px=tile_px)


def find_photo(folder: Path, name: str, spare: Path) -> Path | None:
    """Return the file of a photo; a sample of scikit-image is written to ``spare``."""
    found = next((path for path in sorted(folder.glob(f"{name}.*"))), None)
    if found is None and name in SAMPLES:
        found = spare / f"{name}.png"
        imaging.save(found, imaging.load(SAMPLES[name]()).rgb)
    return found


def main() -> None:
    """Write the sheets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", help="name of one photo")
    parser.add_argument("--keep", type=Path, help="folder that keeps the paintings")
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clips", action="store_true", help="save each clip as WebP as well")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as spare:
        for name, sheet in SHEETS.items():
            photo = find_photo(options.folder, name, Path(spare))
            if photo is None or options.only not in (None, name):
                continue
            painted = Painted.make(
                photo,
                keep=None if options.keep is None else options.keep / f"{name}-{options.size}.npz",
                boil=sheet.boil,
                margin=sheet.margin,
                size=options.size,
                threads=options.threads,
                **sheet.styles,
            )
            rig = None if sheet.rig is None else Rig.from_dict(sheet.rig)
            for number, values in enumerate(sheet.clips, start=1):
                caption = " ".join(f"{key} {value}" for key, value in values.items())
                try:
                    clip = painted.clip(ClipSettings.model_validate(values), rig)
                except InputError as error:
                    print(f"{name}: {caption}: {error}")
                    continue
                imaging.save(options.out / f"{name}-{number}.jpg", draw(clip, caption, options.size))
                if options.clips:
                    clip.save(options.out / f"{name}-{number}.webp")
                print(f"{name}-{number}: {caption}", flush=True)


if __name__ == "__main__":
    main()
