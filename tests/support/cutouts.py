"""Drawn cutouts to animate, and measures of them."""

import numpy as np
from scipy.ndimage import gaussian_filter, laplace

from pochoir.animation.arrays import Layer
from pochoir.animation.rig import Rig


def paint(alpha: np.ndarray, seed: int = 0) -> Layer:
    """A premultiplied cutout of 8 bit values with strokes a few pixels wide."""
    rng = np.random.default_rng(seed)
    strokes = gaussian_filter(rng.random((*alpha.shape, 3)), (1.2, 1.2, 0))
    strokes = (strokes - strokes.min()) / (strokes.max() - strokes.min())
    eight = np.rint(alpha * 255) / 255
    colors = np.rint(strokes * 255) / 255
    return np.dstack([colors * eight[..., None], eight]).astype(np.float32)


def soft(distance: np.ndarray) -> np.ndarray:
    """Alpha of a shape from the signed distance to its outline, positive inside."""
    return np.clip(distance + 0.5, 0, 1)


def ellipse(height: int, width: int, cx: float, cy: float, rx: float, ry: float) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width]
    return soft((1 - np.hypot((x - cx) / rx, (y - cy) / ry)) * min(rx, ry))


def laplacian_energy(layer: Layer) -> float:
    """Strength of the finest detail well inside a cutout."""
    inside = gaussian_filter((layer[..., 3] > 0.99).astype(np.float64), 2) > 0.97
    return float(laplace(layer[..., :3].mean(axis=2).astype(np.float64))[inside].var())


def capsule(height: int, width: int, start: tuple[float, float], end: tuple[float, float], radius: float) -> np.ndarray:
    """Alpha of a line with round ends."""
    y, x = np.mgrid[0:height, 0:width]
    along = np.subtract(end, start)
    share = np.clip(((x - start[0]) * along[0] + (y - start[1]) * along[1]) / (along @ along), 0, 1)
    return soft(radius - np.hypot(x - start[0] - share * along[0], y - start[1] - share * along[1]))


def draw_person(height: int = 220, width: int = 200) -> np.ndarray:
    """Alpha of a person from the front, with arms that hang close to the trunk."""
    lines = [((100, 70), (100, 120), 24), ((100, 36), (100, 44), 15), ((100, 44), (100, 60), 8)]
    for side in (-1, 1):
        hand, foot = (100 + 40 * side, 134), (100 + 18 * side, 204)
        lines += [((100 + 26 * side, 66), (100 + 36 * side, 100), 8), ((100 + 36 * side, 100), hand, 7)]
        lines += [((100 + 13 * side, 124), (100 + 16 * side, 165), 11), ((100 + 16 * side, 165), foot, 9)]
    return np.max([capsule(height, width, *line) for line in lines], axis=0)


def person_rig(height: int = 220, width: int = 200) -> Rig:
    """The rig of ``draw_person``."""
    limbs = [{"name": "head", "kind": "head", "points": [(100, 60), (100, 26)], "width": 12, "cut": False}]
    for name, side in (("left", -1), ("right", 1)):
        arm = [(100 + 26 * side, 66), (100 + 36 * side, 100), (100 + 39 * side, 128), (100 + 40 * side, 140)]
        leg = [(100 + 13 * side, 124), (100 + 16 * side, 165), (100 + 18 * side, 198), (100 + 24 * side, 210)]
        limbs.append({"name": f"arm_{name}", "kind": "arm", "points": arm, "width": 8})
        limbs.append({"name": f"leg_{name}", "kind": "leg", "points": leg, "width": 9, "front": False})
    return Rig.from_dict({"width": width, "height": height, "limbs": limbs, "spine": [(100, 124), (100, 62)]})


def draw_animal(height: int = 160, width: int = 240) -> np.ndarray:
    """Alpha of an animal with four legs, a neck with a head at the left and a tail at the right."""
    lines = [((70, 80), (170, 80), 26), ((62, 70), (36, 34), 12), ((36, 34), (20, 44), 10), ((190, 74), (226, 100), 5)]
    for x, low in ((58, 146), (80, 140), (150, 140), (176, 146)):
        lines.append(((x, 92), (x + 2, low), 7))
    return np.max([capsule(height, width, *line) for line in lines], axis=0)
