"""Quality and speed of animation: python benchmarks/animation.py FOLDER [--style S] [--size N].

One line for each photo and motion, then the worst of all beside what is wanted. U2-Net finds the mattes, or a folder
``--mattes`` holds pictures of the same names. With ``--style`` the subjects are painted first. Times are processor
seconds, which a busy machine disturbs less than the clock.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from pochoir import clips, imaging, similarity
from pochoir.animation import raster
from pochoir.animation.clip import Clip
from pochoir.animation.mesh import Mesh
from pochoir.animation.motions import MOTIONS
from pochoir.animation.rig import Rig
from pochoir.clips.plan import Plan
from pochoir.errors import InputError, PochoirError

FRAMES_LOOKED_AT = 8
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
    looked_at = range(0, len(clip), max(1, len(clip) // FRAMES_LOOKED_AT))
    seen = list(_look(clip, looked_at))
    return Figures(
        render_s=render_s,
        rest=float(rest),
        loop_px=0.0 if holds else float(np.abs(after - before).max()),
        flips=float((ratios <= 0).mean()),
        area_low=float(low),
        area_high=float(high),
        sharpness=min(each[0] for each in seen),
        rmse=max(each[1] for each in seen),
        style=max(_style_distance(clip, index) for index in list(looked_at)[1::3]) if with_style else 0.0,
        bone=max(_bone_error(clip, index) for index in looked_at),
        cracks=sum(each[2] for each in seen),
        flicker=_flicker(clip, looked_at),
    )


def _look(clip: Clip, indices: range) -> Iterator[tuple[float, float, int]]:
    """Yield sharpness, difference after unwarping and cracks of frames."""
    actor = clip.stage.actors[0]
    puppet, cutout = actor.puppet, actor.cutouts[0]
    inside = cv2.erode((cutout[..., 3] > 0.98).astype(np.uint8), np.ones((7, 7), np.uint8))
    marked = np.repeat(inside[..., None].astype(np.float32), 4, axis=2)
    marks = raster.Textures(*puppet.layers(marked))
    sharp = _laplacian(cutout, inside > 0)
    for index in indices:
        points = clip.points_at(index)
        layer = clip.layer_at(index)
        solid = np.zeros_like(layer)
        raster.draw(solid, marks, points, puppet.rest, puppet.triangles, puppet.parts)
        where = solid[..., 3] > 0.99
        if where.sum() < 50:  # a traveller out of sight
            continue
        back = np.zeros_like(layer)
        raster.draw(back, raster.Textures(layer), puppet.rest, points, puppet.triangles, np.zeros_like(puppet.parts))
        known = (back[..., 3] > 0.97) & (inside > 0)
        difference = cv2.GaussianBlur(back[..., :3] - cutout[..., :3], (0, 0), 1.0)[known]
        rmse = float(np.sqrt((difference**2).mean())) * 255 if known.sum() > 50 else 0.0
        cracks = int((where & (layer[..., 3] < 0.97)).sum())
        yield _laplacian(layer, where) / sharp, rmse, cracks


def _laplacian(layer: np.ndarray, where: np.ndarray) -> float:
    gray = cv2.cvtColor(np.ascontiguousarray(layer[..., :3]), cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(gray, cv2.CV_32F)[where].var()) + 1e-12


@cache
def _scorer() -> similarity.Scorer:
    return similarity.Scorer(["gram"], other_backdrops=())


def _style_distance(clip: Clip, index: int) -> float:
    """Return the distance of Gram matrices between the subject in a frame and at rest, on grey."""
    rest, moved = (_on_grey(layer) for layer in (clip.stage.actors[0].cutouts[0], clip.layer_at(index)))
    return _scorer().score(rest, moved)[0].value


def _on_grey(layer: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(layer[..., :3] + (1 - layer[..., 3:]) * 0.5, 0, 1) * 255).astype(np.uint8)


def _bone_error(clip: Clip, index: int) -> float:
    """Return the largest relative error of a bone's length against what the pose asks for."""
    actor = clip.stage.actors[0]
    rig: Rig | None = getattr(actor.puppet, "rig", None)
    if rig is None:
        return 0.0
    points, worst = clip.points_at(index), 0.0
    for move in actor.moves:
        if move.motion.curve is None:
            continue
        pose = move.motion.curve(rig, clip.timing.phase(index, move.motion.period_s), move.amount, move.face)
        for limb in rig.limbs:
            for k in range(len(limb.points) - 2):
                ends = [_follow(actor.puppet.rest, points, limb.joints[k + j]) for j in range(2)]
                wanted = np.linalg.norm(limb.joints[k + 1] - limb.joints[k]) * pose.scales.get((limb.name, k), 1.0)
                worst = max(worst, abs(float(np.linalg.norm(ends[1] - ends[0]) / wanted) - 1))
    return worst


def _follow(rest: np.ndarray, points: np.ndarray, joint: np.ndarray) -> np.ndarray:
    near = np.argsort(np.linalg.norm(rest - joint, axis=1))[:6]
    return joint + (points[near] - rest[near]).mean(axis=0)


def _flicker(clip: Clip, indices: range) -> int:
    """Return the number of background pixels that the subject never comes near and that change all the same."""
    far = np.ones(clip.size, bool)
    for index in range(len(clip)):
        far &= clip.layer_at(index)[..., 3] == 0
    first = clip.frame_at(0)[far]
    return int(sum((clip.frame_at(index)[far] != first).any(axis=1).sum() for index in indices))


def build(photo: Path, motion: str, options: argparse.Namespace, painted: dict[str, object]) -> Clip:
    """Return the clip of a photo; paints it once for all motions."""
    settings = {"motion": (motion,), "margin": "0%"}
    if "production" not in painted:
        mask = None if options.mattes is None else next(Path(options.mattes).glob(f"{photo.stem}.*"), None)
        extra = {} if mask is None else {"mask": mask}
        extra |= {} if options.style is None else {"style": options.style}
        production = clips.prepare(photo, size=options.size, threads=options.threads, **settings, **extra)
        made = production.clip()
        scene = production._subject.scene
        painted["production"] = production
        painted["cutout"] = np.sum([actor.cutouts[0] for actor in made.stage.actors], axis=0)
        painted["plate"] = made.stage.plates[0] if made.stage.plates else np.full((*made.size, 3), 0.9, np.float32)
        painted["photo"] = scene.photo_at(scene.saved_size)[0].permute(1, 2, 0).numpy()
        painted["alpha"] = scene.matte_at(scene.saved_size)[0, 0].numpy()
    from pochoir.animation.clip import Actor, Effects, Stage
    from pochoir.animation.settings import ClipSettings

    plan = Plan(painted["photo"], painted["alpha"], ClipSettings(**settings), None, is_transparent=False)
    role = next(role for role in plan.cast.roles if role.moves)
    actor = Actor(role.puppet, (role.take(painted["cutout"]),), role.moves)
    return Clip(Stage((actor,), (painted["plate"],), plan.size), plan.timing, Effects())


def main() -> None:
    """Measure all photos of a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mattes", help="folder with a matte for each photo, of the same name")
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
        painted: dict[str, object] = {}
        for motion in options.motions.split(","):
            try:
                clip = build(photo, motion, options, painted)
            except InputError:
                refused.setdefault(motion, []).append(photo.stem)
                continue
            except PochoirError as error:
                print(f"{photo.stem}: {error}")
                break
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
