"""Measures of one subject's clip: what happens to its pixels, its triangles and its bones."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from pochoir.animation import raster
from pochoir.animation.clip import Clip
from pochoir.animation.rig import Rig

FRAMES = 8
"""Frames that are looked at, at uneven phases of all motions."""
SOLID = 0.98
"""Alpha from which a pixel is inside."""
RIM_PX = 3
"""Pixels at the rim of parts that are left out: edges are soft there."""
_CRACK_PX = 1.5
"""Half the width of a gap that looks like a crack; an arm that swings away from the trunk opens wider ones."""


def frames_to_look_at(clip: Clip) -> list[int]:
    """Return frames that are not whole fractions of the clip, so that no motion is at rest in all of them."""
    return sorted({int((k + 0.37) * len(clip) / FRAMES) for k in range(FRAMES)})


@dataclass(frozen=True)
class Look:
    """Measures of one frame.

    Attributes:
        sharpness: Variance of the Laplacian relative to that of the same pixels at rest.
        rmse: Difference to the still after undoing the motion, low-passed with sigma 1 pixel, of 255. Pixels that
            another part hides in the frame, or hid at rest, do not count.
        cracks: Pixels that solid triangles cover and that are less than solid, and pixels of thin holes along the
            seams of parts.
    """

    sharpness: float
    rmse: float
    cracks: int


class Probe:
    """Follows the pixels of a clip's first subject."""

    def __init__(self, clip: Clip) -> None:
        self.clip, self.puppet = clip, clip.stage.actors[0].puppet
        self.cutout = clip.stage.actors[0].cutouts[0]
        height, width = self.cutout.shape[:2]
        self._x, self._y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        self._layers = self.puppet.layers(self.cutout)
        alphas = [layer[..., 3] for layer in self._layers]
        place = np.dstack([self._x / width, self._y / height, np.zeros_like(self._x)])
        self._places = raster.Textures(*(np.dstack([place * a[..., None], a]).astype(np.float32) for a in alphas))
        kernel = np.ones((2 * RIM_PX + 1, 2 * RIM_PX + 1), np.uint8)
        tops = [
            (alpha > SOLID)
            & ~np.any([other > 0.02 for other in alphas[k + 1 :]] or [np.zeros_like(alpha, bool)], axis=0)
            for k, alpha in enumerate(alphas)
        ]
        self._tops = [cv2.erode(top.astype(np.uint8), kernel, borderValue=0) > 0 for top in tops]
        cores = [cv2.erode((alpha > SOLID).astype(np.uint8), kernel, borderValue=0) for alpha in alphas]
        self._marks = _to_textures(cores)
        seam = np.zeros(self.cutout.shape[:2], np.uint8)
        for k, one in enumerate(alphas):
            for other in alphas[k + 1 :]:
                seam |= ((one > 0.02) & (other > 0.02) & (self.cutout[..., 3] > SOLID)).astype(np.uint8)
        self._seams = _to_textures([cv2.dilate(seam, np.ones((5, 5), np.uint8))] * len(alphas))

    def look(self, index: int) -> Look | None:
        """Return the measures of a frame; None if the subject is out of sight."""
        points, layer = self.clip.points_at(index), self.clip.layer_at(index)
        covered = self._draw(self._marks, points)[..., 3] > 0.9
        if covered.sum() < 50:
            return None
        torn = covered & (layer[..., 3] < 0.97)
        torn |= _thin_holes(layer[..., 3], self._draw(self._seams, points)[..., 3] > 0.3)
        laplacian, at_rest = _laplacian(layer), [_laplacian(each) for each in self._layers]
        low, span = float(laplacian.min()), max(float(np.ptp(laplacian)), 1e-6)
        seen = _opaque(self._draw(self._places, points)), _opaque(layer)
        fine = _opaque(np.repeat((laplacian[..., None] - low) / span, 4, axis=2))
        total, count, sharp, sharp_rest = 0.0, 0, [], []
        for number, top in enumerate(self._tops):
            if not top.any():
                continue
            places, colors = (self._undo(each, points, number) for each in seen)
            visible = top & self._is_in_place(places)
            if visible.sum() < 50:
                continue
            difference = _low_pass(colors[..., :3] - self._layers[number][..., :3], visible)[visible]
            total += float((difference**2).sum())
            count += difference.size
            sharp_rest.append(at_rest[number][visible])
            sharp.append(self._undo(fine, points, number)[..., 0][visible] * span + low)
        if not count:
            return None
        ratio = np.concatenate(sharp).var() / max(float(np.concatenate(sharp_rest).var()), 1e-12)
        return Look(float(ratio), float(np.sqrt(total / count)) * 255, int(torn.sum()))

    def looks(self) -> Iterator[Look]:
        """Yield the measures of the frames that are looked at."""
        for index in frames_to_look_at(self.clip):
            look = self.look(index)
            if look is not None:
                yield look

    def bone_error(self) -> float:
        """Return the largest relative error of a bone's length in any frame, against what the pose asks for.

        Bones that a motion foreshortens are asked to be shorter. Hands, feet and the head's tip have no joint at their
        end, and do not count.
        """
        rig: Rig | None = getattr(self.puppet, "rig", None)
        if rig is None:
            return 0.0
        worst = 0.0
        actor = self.clip.stage.actors[0]
        anchors = {limb.name: [self._anchor(limb.name, joint) for joint in limb.joints] for limb in rig.limbs}
        for index in range(len(self.clip)):
            points = self.clip.points_at(index)
            for move in actor.moves:
                if move.motion.curve is None:
                    continue
                phase = self.clip.timing.phase(index, move.motion.period_s)
                pose = move.motion.curve(rig, phase, move.amount, move.face)
                for limb in rig.limbs:
                    for k in range(len(limb.points) - 2):
                        start, end = (
                            (points[at] * share[:, None]).sum(axis=0) for at, share in anchors[limb.name][k : k + 2]
                        )
                        wanted = np.linalg.norm(limb.joints[k + 1] - limb.joints[k]) * pose.scales.get(
                            (limb.name, k), 1.0
                        )
                        worst = max(worst, abs(float(np.linalg.norm(end - start) / wanted) - 1))
        return worst

    def _anchor(self, name: str, joint: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the corners of the limb's own triangle at a joint, and the joint's place in it."""
        names = self.puppet.names
        part = names.index(name) if name in names else names.index("body")
        triangles = self.puppet.triangles[self.puppet.parts == part]
        a, b, c = (self.puppet.rest[triangles[:, k]] for k in range(3))
        area = _cross(b - a, c - a)
        shares = np.stack(
            [_cross(b - joint, c - joint), _cross(c - joint, a - joint), _cross(a - joint, b - joint)], axis=1
        )
        shares /= area[:, None]
        best = int(shares.min(axis=1).argmax())
        return triangles[best], shares[best]

    def _draw(self, textures: raster.Textures, points: np.ndarray) -> np.ndarray:
        target = np.zeros_like(self.cutout)
        puppet = self.puppet
        raster.draw(target, textures, points, puppet.rest, puppet.triangles, puppet.parts)
        return target

    def _undo(self, frame: raster.Textures, points: np.ndarray, number: int) -> np.ndarray:
        """Return what a frame shows, where one part's pixels were at rest."""
        target = np.zeros_like(self.cutout)
        own = np.ascontiguousarray(self.puppet.triangles[self.puppet.parts == number])
        raster.draw(target, frame, self.puppet.rest, points, own, np.zeros(len(own), np.int32))
        return target

    def _is_in_place(self, places: np.ndarray) -> np.ndarray:
        height, width = self.cutout.shape[:2]
        away = np.hypot(places[..., 0] * width - self._x, places[..., 1] * height - self._y)
        return cv2.erode((away < 0.7).astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=0) > 0


def _opaque(layer: np.ndarray) -> raster.Textures:
    """Return a texture to sample from that keeps its values where the layer is transparent."""
    return raster.Textures(np.dstack([layer[..., :3], np.ones_like(layer[..., 3])]).astype(np.float32))


def _to_textures(masks: list[np.ndarray]) -> raster.Textures:
    """Return textures of masks, blurred so that sampling them does not ring."""
    soft = [cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.8) for mask in masks]
    return raster.Textures(*(np.repeat(each[..., None], 4, axis=2) for each in soft))


def _thin_holes(alpha: np.ndarray, near_seam: np.ndarray) -> np.ndarray:
    """Return holes inside a subject that are nowhere wider than a few pixels and lie along seams."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((alpha < 0.9).astype(np.uint8), connectivity=4)
    open_labels = {0, *np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])).tolist()}
    found = np.zeros(alpha.shape, bool)
    for label in set(range(count)) - open_labels:
        x, y, width, height = stats[label, :4]
        window = np.s_[y : y + height, x : x + width]
        hole = labels[window] == label
        radius = cv2.distanceTransform(np.pad(hole, 1).astype(np.uint8), cv2.DIST_L2, 3).max()
        if radius <= _CRACK_PX and alpha[window][hole].min() < 0.5 and near_seam[window][hole].mean() > 0.5:
            found[window] |= hole
    return found


def _low_pass(difference: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Blur with sigma 1 pixel, counting only pixels inside."""
    share = cv2.GaussianBlur(where.astype(np.float32), (0, 0), 1.0)
    blurred = cv2.GaussianBlur((difference * where[..., None]).astype(np.float32), (0, 0), 1.0)
    return blurred / np.maximum(share, 1e-3)[..., None]


def _laplacian(layer: np.ndarray) -> np.ndarray:
    gray = cv2.cvtColor(np.ascontiguousarray(layer[..., :3]), cv2.COLOR_RGB2GRAY)
    return cv2.Laplacian(gray, cv2.CV_32F)


def _cross(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
