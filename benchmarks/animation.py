"""Quality and speed of animation: python benchmarks/animation.py FOLDER [--style S] [--size N].

One line for each photo and motion, then the worst of all beside what is wanted. U2-Net finds the mattes, or a folder
``--mattes`` holds pictures of the same names. With ``--style`` the subjects are painted first. Times are processor
seconds, which a busy machine disturbs less than the clock.
"""

import argparse
import time
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import numpy as np
from clip_metrics import Probe, frames_to_look_at
from painted_clips import Painted

from pochoir import imaging, similarity
from pochoir.animation import raster
from pochoir.animation.clip import Clip
from pochoir.animation.mesh import Mesh
from pochoir.animation.motions import MOTIONS
from pochoir.animation.rig import Rig
from pochoir.animation.settings import ClipSettings
from pochoir.errors import InputError, PochoirError

PRESETS = ("breathe", "sway", "nod", "bounce", "jelly", "turn", "hop", "waddle", "jitter")
LIMBS = ("wave", "march", "walk", "jump", "dance", "trot", "flap")


@dataclass
class Figures:
    """Measurements of one clip."""

    render_s: float
    rest: float
    loop_px: float
    flips: float
    area_low: float
    area_high: float
    sharpness: float
    rmse: float
    style: float
    bone: float
    cracks: int
    flicker: int


WANTED = {
    "render_s": "3 (1)",
    "rest": "1 (0)",
    "loop_px": "1e-6 (0)",
    "flips": "0, people .0005 (0)",
    "area_low": ".65, people .5 (.85, .7)",
    "area_high": "1.35, people 1.55 (1.15, 1.3)",
    "sharpness": ".75 (.9)",
    "rmse": "2.5 (1.5)",
    "style": ".02, people .08 (.005, .03)",
    "bone": ".08 (.02)",
    "cracks": "0",
    "flicker": "0",
}
"""Required values, with ambitious ones in brackets."""
BEST_IS_HIGH = ("area_low", "sharpness")


def measure(clip: Clip, *, with_style: bool) -> Figures:
    """Return the figures of a clip with one subject."""
    actor = clip.stage.actors[0]
    puppet, cutout = actor.puppet, actor.cutouts[0]
    clip.frame_at(1)  # compiles
    began = time.process_time()
    for _ in clip:
        pass
    render_s = time.process_time() - began
    plate = clip.stage.plates[0]
    rest = np.abs(clip.still().astype(int) - raster.over_plate(plate, cutout)).max()
    before, after = (puppet.pose(actor.moves, lambda period_s, phase=phase: phase) for phase in (0.0, 1.0 - 1e-12))
    holds = any(move.motion.name == "jitter" for move in actor.moves)
    mesh = Mesh(puppet.rest, puppet.triangles)
    areas = mesh.areas(puppet.rest)
    points = [clip.points_at(index) for index in range(len(clip))]
    ratios = np.array([mesh.areas(each) / areas for each in points])
    low, high = np.percentile(ratios, [1, 99])
    looked_at = frames_to_look_at(clip)
    probe = Probe(clip)
    looks = list(probe.looks())
    return Figures(
        render_s=render_s,
        rest=float(rest),
        loop_px=0.0 if holds else float(np.abs(after - before).max()),
        flips=float((ratios <= 0).mean()),
        area_low=float(low),
        area_high=float(high),
        sharpness=min(look.sharpness for look in looks),
        rmse=max(look.rmse for look in looks),
        style=max(_style_distance(clip, index) for index in looked_at[1::3]) if with_style else 0.0,
        bone=probe.bone_error(),
        cracks=sum(look.cracks for look in looks),
        flicker=_flicker(clip, looked_at),
    )


@cache
def _scorer() -> similarity.Scorer:
    return similarity.Scorer(["gram"], other_backdrops=())


def _style_distance(clip: Clip, index: int) -> float:
    """Return the distance of Gram matrices between the subject in a frame and at rest, on grey."""
    rest, moved = (_on_grey(layer) for layer in (clip.stage.actors[0].cutouts[0], clip.layer_at(index)))
    return _scorer().score(rest, moved)[0].value


def _on_grey(layer: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(layer[..., :3] + (1 - layer[..., 3:]) * 0.5, 0, 1) * 255).astype(np.uint8)


def _flicker(clip: Clip, indices: list[int]) -> int:
    """Return the number of background pixels that the subject never comes near and that change all the same."""
    far = np.ones(clip.size, bool)
    for index in range(len(clip)):
        far &= clip.layer_at(index)[..., 3] == 0
    first = clip.frame_at(0)[far]
    return int(sum((clip.frame_at(index)[far] != first).any(axis=1).sum() for index in indices))


def paint(photo: Path, options: argparse.Namespace) -> Painted:
    """Paint a photo once for all motions; without a style it stays as it is."""
    mask = None if options.mattes is None else next(Path(options.mattes).glob(f"{photo.stem}.*"), None)
    extra: dict[str, object] = {} if mask is None else {"mask": mask}
    extra |= {} if options.style is None else {"style": options.style}
    return Painted.make(photo, size=options.size, threads=options.threads, **extra)


def find_rig(photo: Path, folder: Path | None) -> Rig | None:
    """Return the rig of a photo's name in a folder of rigs."""
    path = None if folder is None else folder / f"{photo.stem}.rig.json"
    return None if path is None or not path.exists() else Rig.from_json(path.read_text(encoding="utf-8"))


def main() -> None:
    """Measure all photos of a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mattes", help="folder with a matte for each photo, of the same name")
    parser.add_argument("--rigs", type=Path, help="folder with limbs as NAME.rig.json; others are found")
    parser.add_argument("--style", help="paint the subjects in this style first")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--motions", default=",".join((*PRESETS, *LIMBS)))
    options = parser.parse_args()
    names = [field.name for field in fields(Figures)]
    print(f"{'photo':22}{'motion':9}" + "".join(f"{name:>11}" for name in names))
    groups: dict[str, list[Figures]] = {"presets": [], "limbs": []}
    refused: dict[str, list[str]] = {}
    for photo in sorted(options.folder.iterdir()):
        if photo.suffix.lower() not in imaging.picture_suffixes():
            continue
        try:
            painted = paint(photo, options)
        except PochoirError as error:
            print(f"{photo.stem}: {error}")
            continue
        for motion in options.motions.split(","):
            try:
                clip = painted.clip(ClipSettings(motion=(motion,)), find_rig(photo, options.rigs), alone=True)
            except InputError:
                refused.setdefault(motion, []).append(photo.stem)
                continue
            figures = measure(clip, with_style=options.style is not None)
            groups["presets" if MOTIONS[motion].needs == "nothing" else "limbs"].append(figures)
            print(
                f"{photo.stem[:21]:22}{motion:9}" + "".join(f"{getattr(figures, n):11.4g}" for n in names), flush=True
            )
    for title, group in groups.items():
        if group:
            print(f"\nworst of {title}, {len(group)} clips")
            for name in names:
                values = [getattr(each, name) for each in group]
                print(
                    f"  {name:12}{min(values) if name in BEST_IS_HIGH else max(values):11.4g}   wanted {WANTED[name]}"
                )
    for motion, photos in refused.items():
        print(f"{motion} refused for {len(photos)}: {', '.join(photos)}")


if __name__ == "__main__":
    main()
