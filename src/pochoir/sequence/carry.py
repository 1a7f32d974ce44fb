"""Pictures between two keys, carried to them from both sides."""

import itertools
from collections.abc import Sequence
from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from pochoir.faces import Face
from pochoir.video.flow import Flows, pull_push
from pochoir.video.warping import FlowField, photo_error, warp

Pixels = npt.NDArray[np.uint8]
Map = npt.NDArray[np.float32]

ERROR_LEVELS: Final = 24.0
"""Difference between a frame and a warped key, in 8-bit levels, at which the key's weight has fallen to 1 / e."""
SMOOTHING_PX: Final = 2.0
"""Blur of the weights, so that the two keys meet without a seam."""
SMOOTH_BELOW, TORN_FROM = 0.5, 1.5
"""Difference of the flow in neighbouring pixels up to which it is smooth, and from which it jumps, in pixels."""
TORN_PX: Final = 2
"""Distance from a jump at which what is carried may have steps."""
AROUND: Final = 0.2
"""Side of the square around a pixel from which colours are taken, as a share of the long side."""
LEAST_AROUND: Final = 0.3
"""Share of it that has to be seen."""
DETAIL_SIGMA: Final = 3.0
"""Detail whose contrast is kept is what a blur of so many pixels removes."""
CONTRAST_SIGMA: Final = 4.0
"""Blur of its square, of which the root is the contrast."""
MOST_CONTRAST: Final = 1.5
LEAST_CONTRAST: Final = 4.0
"""Largest gain, and squared levels that hold it down where there is hardly any detail."""
NOTHING: Final = 1e-3
"""Weight below which a key does not count at all."""
LEAST_TRUST: Final = 0.15
"""Weight, apart from nearness, below which what a key shows in a pixel gives way to the frame."""


LEAST_FACE_SEEN: Final = 0.5
"""Share of a face that another frame has to show for it to be the same face."""


class Carried(NamedTuple):
    """A painting as it is seen from another frame."""

    picture: Map
    """Shape (H, W, 3), in 8-bit levels."""
    seen: Map
    """Certainty that each pixel is visible in the key, in [0, 1], shape (H, W)."""
    weight: Map
    """The same, less where the frame looks different from the key."""


def carry(painting: Pixels, frames: Sequence[Pixels], flows: Flows, *, key: int, to: int) -> Carried:
    """Carry the painting of a key to another frame of its shot.

    Args:
        painting: Shape (H, W, 3).
        frames: The frames that ``flows`` is of.
        flows: Flow between them.
        key: Number of the painted frame.
        to: Number of the other frame.
    """
    flow = flows.flow(to, key)
    error = cv2.GaussianBlur(photo_error(frames[to], frames[key], flow), (0, 0), SMOOTHING_PX)
    seen = flows.visible(to, key)
    weight = seen * np.exp(-np.square(error / np.float32(ERROR_LEVELS)))
    return Carried(warp(painting, flow), seen, weight.astype(np.float32))


def carry_faces(faces: Sequence[Face], flows: Flows, *, key: int, to: int) -> tuple[Face, ...]:
    """Return the faces of a key at their places in another frame, without those that it does not show.

    Args:
        faces: Boxes in pixels of the key.
        flows: Flow between the frames.
        key: Number of the key.
        to: Number of the other frame.
    """
    if not faces:
        return ()
    flow, seen = flows.flow(key, to), flows.visible(key, to)
    height, width = seen.shape
    moved = []
    for face in faces:
        top, left = max(0, round(face.top)), max(0, round(face.left))
        inside = np.s_[top : round(face.top + face.height), left : round(face.left + face.width)]
        if not seen[inside].size or float(seen[inside].mean()) < LEAST_FACE_SEEN:
            continue
        across, down = np.median(flow[inside].reshape(-1, 2), axis=0).tolist()
        place = face._replace(left=face.left + across, top=face.top + down)
        if 0 <= place.left + face.width / 2 < width and 0 <= place.top + face.height / 2 < height:
            moved.append(place)
    return tuple(moved)


def between(
    paintings: tuple[Pixels, Pixels],
    frames: Sequence[Pixels],
    flows: Flows,
    *,
    keys: tuple[int, int],
    at: int,
    subject: Map | None = None,
) -> Map:
    """Return the picture of a frame between two keys.

    Each key counts by its nearness in time, by what it sees, and by how much the frame looks like it. What neither
    sees takes the frame's own forms, with the change of colour that painting made around it.

    Args:
        paintings: Of the two keys, shape (H, W, 3).
        frames: The frames that ``flows`` is of.
        flows: Flow between them.
        keys: Numbers of the keys.
        at: Number of the frame, between them.
        subject: Matte of the frame in [0, 1], shape (H, W); None where it is not known.

    Returns:
        Shape (H, W, 3), in 8-bit levels.
    """
    first, second = keys
    share = share_of_way(frames[first : second + 1], at - first)
    parts = [carry(painting, frames, flows, key=key, to=at) for painting, key in zip(paintings, keys, strict=True)]
    share = share * (1.0 + share * (3.0 - 2.0 * share)) / 2.0  # eases in and out: equal parts of two pictures blur
    shares = (1.0 - share, share)
    trusts = [smoothed(part.weight) for part in parts]
    weights = [trust * np.float32(amount) for trust, amount in zip(trusts, shares, strict=True)]
    total = weights[0] + weights[1]
    mean = sum(part.picture * weight[..., None] for part, weight in zip(parts, weights, strict=True))
    mean = mean / np.maximum(total, NOTHING)[..., None]
    mean = with_contrast(np.asarray(mean, np.float32), [part.picture for part in parts], weights)
    # A key that is far away is trusted where it alone sees a pixel, but hardly any weight is a speck of something else.
    trust = np.max([each * min(1.0, amount / NOTHING) for each, amount in zip(trusts, shares, strict=True)], axis=0)
    seen = np.minimum(trust / np.float32(LEAST_TRUST), 1.0).astype(np.float32)
    if subject is not None:
        steps = sum(torn(flows.flow(at, key)) * np.float32(amount) for key, amount in zip(keys, shares, strict=True))
        seen = seen * (1.0 - edge(subject) * steps)
    return fill(np.asarray(mean, np.float32), seen, frames[at], subject)


def with_contrast(mean: Map, pictures: Sequence[Map], weights: Sequence[Map]) -> Map:
    """Return a mean of pictures with the contrast of their detail.

    The mean of two paintings with different strokes is flatter than both.

    Args:
        mean: Shape (H, W, 3).
        pictures: What it is the mean of, likewise.
        weights: Of each picture, shape (H, W).

    References:
        Heitz and Neyret, "High-Performance By-Example Noise using a Histogram-Preserving Blending Operator", 2018, keep
        the variance of a mean of textures that are independent. Here it is measured, since most strokes agree.
    """
    detail, energy = _detail(mean)
    total = np.maximum(sum(weights, np.zeros_like(energy)), NOTHING)
    wanted = sum(
        (_detail(each)[1] * weight for each, weight in zip(pictures, weights, strict=True)), np.zeros_like(energy)
    )
    gain = np.sqrt((wanted / total + LEAST_CONTRAST) / (energy + LEAST_CONTRAST)).clip(1.0, MOST_CONTRAST)
    # What hardly any key sees is filled later.
    gain = 1.0 + (gain - 1.0) * np.minimum(2.0 * total, 1.0)
    return np.asarray(mean + detail * (gain - 1.0)[..., None], np.float32)


def _detail(picture: Map) -> tuple[Map, Map]:
    """Return the fine detail of a picture and its mean square around each pixel, shape (H, W)."""
    detail = np.asarray(picture - cv2.GaussianBlur(picture, (0, 0), DETAIL_SIGMA), np.float32)
    energy = cv2.GaussianBlur(np.square(detail).mean(axis=2), (0, 0), CONTRAST_SIGMA)
    return detail, np.asarray(energy, np.float32)


def share_of_way(frames: Sequence[Pixels], at: int) -> float:
    """Return how far a frame is on the way from the first frame to the last, in [0, 1].

    The way is measured by the change of the picture and not by time: where nothing moves the painting stays as it is,
    and where all moves its own change does not show.

    Args:
        frames: The frames from key to key.
        at: Number of the frame among them.
    """
    changes = [float(np.abs(one.astype(np.int16) - other).mean()) for one, other in itertools.pairwise(frames)]
    total = sum(changes)
    return sum(changes[:at]) / total if total > 0 else at / max(1, len(changes))


def smoothed(weight: Map) -> Map:
    """Return a weight without hard edges, still 0 where it was."""
    return np.asarray(cv2.GaussianBlur(weight, (0, 0), SMOOTHING_PX) * (weight > 0), np.float32)


def edge(subject: Map) -> Map:
    """Return the silhouette of a matte and its neighbours, in [0, 1], shape (H, W).

    The flow jumps there, so that what is carried has steps. The frame itself shows how its edge is smoothed.
    """
    soft = ((subject > 0.05) & (subject < 0.95)).astype(np.uint8)
    crossed = cv2.morphologyEx((subject > 0.5).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    band = cv2.dilate(cv2.bitwise_or(soft, crossed), np.ones((3, 3), np.uint8)).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(band, (0, 0), 0.7), np.float32)


def torn(flow: FlowField) -> Map:
    """Return where a flow jumps from pixel to pixel, in [0, 1], shape (H, W)."""
    jump = cv2.morphologyEx(flow, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)).max(axis=2)
    near = cv2.dilate(jump, np.ones((2 * TORN_PX + 1, 2 * TORN_PX + 1), np.uint8))
    return np.asarray(np.clip((near - SMOOTH_BELOW) / (TORN_FROM - SMOOTH_BELOW), 0.0, 1.0), np.float32)


def known_around(seen: Map) -> Map:
    """Return how much of a painting is seen around each pixel, in [0, 1]: from how near ``fill`` takes its colours."""
    side = max(1, round(AROUND * max(seen.shape)))
    return np.asarray(np.minimum(cv2.blur(seen, (side, side)) / np.float32(LEAST_AROUND), 1.0), np.float32)


def fill(picture: Map, seen: Map, frame: Pixels, subject: Map | None = None) -> Map:
    """Fill what is not seen of a painting from its frame, in the colours that the painting has around it.

    Args:
        picture: Shape (H, W, 3), in 8-bit levels.
        seen: Share of each pixel that is seen, in [0, 1], shape (H, W).
        frame: Shape (H, W, 3).
        subject: Matte in [0, 1], shape (H, W), where colours must not be taken from across the silhouette.

    Returns:
        Shape (H, W, 3), in 8-bit levels.
    """
    if float(seen.min()) >= 1.0:
        return picture
    own = frame.astype(np.float32)
    change = picture - own
    if subject is None:
        shift = pull_push(change, seen)
    else:
        inside, share = subject > 0.5, subject[..., None]
        shift = pull_push(change, seen * inside + 1e-6) * share
        shift += pull_push(change, seen * ~inside + 1e-6) * (1.0 - share)
    hole = 1.0 - seen[..., None]
    return np.asarray(np.clip(picture * (1.0 - hole) + (own + shift) * hole, 0.0, 255.0), np.float32)
