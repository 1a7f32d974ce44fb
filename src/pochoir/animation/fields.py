"""Motions of any subject, as closed-form displacement fields over its bounding box.

Every field is a pure function of the rest position and of the phase in [0, 1). Phases 0 and 1 give the same points, and
phase 0 gives the rest position. Heights ``v`` run from 0 at the subject's foot line to 1 at its top.
"""

from collections.abc import Callable
from math import cos, pi, sin

import numpy as np

from pochoir.animation.arrays import Points
from pochoir.animation.body import Body, Heights

_PERSPECTIVE = 3.5


Field = Callable[[Body, Points, float, float], Points]
"""A motion: body, rest positions, phase in [0, 1), amount (1 is the usual strength) to new positions."""


def smoothstep(start: float, end: float, x: Heights) -> Heights:
    """Return 0 below ``start``, 1 above ``end`` and a cubic without kinks in between."""
    t = np.clip((x - start) / (end - start), 0.0, 1.0)
    eased: Heights = t * t * (3 - 2 * t)
    return eased


def anchored(body: Body, rest: Points, moved: Points, reach: float) -> Points:
    """Fade a displacement out towards the edges of the frame that cut the subject off.

    Args:
        body: The subject's measures.
        rest: Positions at rest.
        moved: Positions to fade.
        reach: Distance over which the displacement fades, as a share of the subject's size.
    """
    weight = np.ones(len(rest))
    distances = {
        "bottom": (body.height_px - 1 - rest[:, 1], body.h),
        "top": (rest[:, 1], body.h),
        "left": (rest[:, 0], body.w),
        "right": (body.width_px - 1 - rest[:, 0], body.w),
    }
    for edge in body.touched:
        distance, size = distances[edge]
        weight *= smoothstep(0.0, reach * size, distance)
    faded: Points = rest + (moved - rest) * weight[:, None]
    return faded


def bend(body: Body, points: Points, angle_at: Callable[[Heights], Heights]) -> Points:
    """Bend an upright spine that stands on the foot line; each row of the subject turns rigidly with it.

    Args:
        body: The subject's measures.
        points: Positions at rest.
        angle_at: Angle of the spine in radians at heights in [0, 1].
    """
    heights = np.linspace(-0.1, 1.1, 97)
    angle = angle_at(np.clip(heights, 0.0, 1.0))
    step = heights[1] - heights[0]
    along_x = np.concatenate([[0.0], np.cumsum((np.sin(angle[1:]) + np.sin(angle[:-1])) / 2 * step)])
    along_y = np.concatenate([[0.0], np.cumsum((np.cos(angle[1:]) + np.cos(angle[:-1])) / 2 * step)])
    along_x -= np.interp(0.0, heights, along_x)
    along_y -= np.interp(0.0, heights, along_y)
    # The integral of the cosine is the height itself only up to rounding; at rest it has to be exact.
    along_y = np.where(angle.any(), along_y, heights)
    v = body.v(points)
    turn = np.interp(v, heights, angle)
    across = points[:, 0] - body.support_x
    below = np.minimum(v - heights[0], 0.0) + np.maximum(v - heights[-1], 0.0)  # continue straight beyond both ends
    x = body.support_x + np.interp(v, heights, along_x) * body.h + across * np.cos(turn)
    y = body.foot - (np.interp(v, heights, along_y) + below) * body.h + across * np.sin(turn)
    return np.stack([x, y], axis=1)


def _slender(body: Body) -> float:
    """Return the factor by which angles shrink so that rows of a wide subject do not cross."""
    return min(1.0, body.h / body.w)


def sway(body: Body, points: Points, phase: float, amount: float) -> Points:
    """Bend the whole subject to both sides, like a reed."""
    angle = np.deg2rad(7 * amount) * _slender(body) * sin(2 * pi * phase)
    return anchored(body, points, bend(body, points, lambda v: angle * v * (2 - v)), 0.25)


def nod(body: Body, points: Points, phase: float, amount: float) -> Points:
    """Bend the upper part, like a head on a neck."""
    curve = 0.6 * sin(2 * pi * phase) + 0.25 * sin(4 * pi * phase)
    angle = np.deg2rad(8 * amount) * _slender(body) * curve
    return anchored(body, points, bend(body, points, lambda v: angle * smoothstep(0.40, 0.70, v)), 0.2)


def breathe(body: Body, points: Points, phase: float, amount: float) -> Points:
    """Widen the chest and lift what is above it."""
    full = (1 - cos(2 * pi * phase)) / 2 * amount
    v = body.v(points)
    wider = 0.035 * np.exp(-(((v - 0.55) / 0.28) ** 2)) * full
    lift = 0.022 * body.h * smoothstep(0.1, 0.9, v) * full
    moved = np.stack([points[:, 0] + body.u(points) * body.w * wider, points[:, 1] - lift], axis=1)
    return anchored(body, points, moved, 0.3)


def bounce(body: Body, points: Points, phase: float, amount: float) -> Points:
    """Stretch and squash on the foot line, keeping the area nearly the same."""
    stretch = 0.07 * amount * (sin(2 * pi * phase) - 0.35 * sin(4 * pi * phase))
    x = body.support_x + (points[:, 0] - body.support_x) * (1 - 0.8 * stretch)
    y = body.foot - (body.foot - points[:, 1]) * (1 + stretch)
    return anchored(body, points, np.stack([x, y], axis=1), 0.5)


def jelly(body: Body, points: Points, phase: float, amount: float) -> Points:
    """Send waves up the subject."""
    v = body.v(points)
    size = 0.028 * amount * body.h * smoothstep(0.0, 0.35, v)
    wave, rest = 2 * pi * (1.25 * v - phase), 2 * pi * 1.25 * v
    x = points[:, 0] + size * (np.sin(wave) - np.sin(rest))
    y = points[:, 1] + 0.4 * size * (np.cos(wave) - np.cos(rest))
    return anchored(body, points, np.stack([x, y], axis=1), 0.35)


def turn(body: Body, points: Points, phase: float, amount: float) -> Points:
    """Turn the inflated matte about an upright axis and back, in weak perspective."""
    angle = np.deg2rad(16 * amount) * sin(2 * pi * phase)
    depth = body.depth_at(points)
    across = points[:, 0] - body.support_x
    x = across * cos(angle) + depth * sin(angle)
    nearer = -across * sin(angle) + depth * (cos(angle) - 1)
    scale = 1 / (1 - nearer / (_PERSPECTIVE * max(body.w, body.h)))
    eye_y = body.top + 0.5 * body.h
    moved = np.stack([body.support_x + x * scale, points[:, 1] + (points[:, 1] - eye_y) * (scale - 1)], axis=1)
    return anchored(body, points, moved, 0.25)


def jitter(body: Body, points: Points, phase: float, amount: float) -> Points:
    """Hold four slightly different poses in turn, like a paper puppet; the first one is the rest."""
    pose = int(phase * 24 + 1e-9) % 4
    if pose == 0:
        return points.copy()
    rng = np.random.default_rng(pose + 3)
    angle = np.deg2rad(1.2 * amount) * rng.uniform(-1, 1)
    shift = rng.uniform(-1, 1) * 0.006 * amount * body.h
    moved = shifted(rotate(points, (body.support_x, body.foot), angle), shift, 0.0)
    for _ in range(2):
        across, up = rng.uniform(2, 5, 2)
        first, second = rng.uniform(0, 2 * pi, 2)
        u, v = body.u(points), body.v(points)
        ripple = np.stack([np.sin(across * u + 2 * up * v + first), np.sin(2 * up * u - across * v + second)], axis=1)
        moved = moved + 0.002 * amount * body.h * ripple
    return anchored(body, points, moved, 0.25)


def hop(body: Body, points: Points, phase: float, amount: float) -> Points:
    """Jump up on the spot, three times, with a squash before and after."""
    beat = (phase * 3) % 1.0
    crouch = 0.28
    if beat < crouch:
        squash, air, lean = -0.13 * sin(pi * beat / crouch) ** 2, 0.0, 0.0
    else:
        air = (beat - crouch) / (1 - crouch)
        squash, lean = 0.28 * air * (1 - air), np.deg2rad(4) * sin(2 * pi * air)
    # A subject that stands in the frame jumps as high as there is room; another one only stretches.
    most = 0.06 if body.touched else 0.22
    headroom = max(0.05 * body.h, min(most * body.h, body.top))
    height = 4 * air * (1 - air) * headroom * amount
    x = (points[:, 0] - body.support_x) * (1 - 0.8 * squash * amount)
    y = (points[:, 1] - body.foot) * (1 + squash * amount)
    leaning = rotate(np.stack([x, y], axis=1), (0.0, 0.0), lean * amount)
    moved = shifted(leaning, body.support_x, body.foot - height)
    return anchored(body, points, moved, 0.5)


def waddle(body: Body, points: Points, phase: float, amount: float) -> Points:
    """Rock on the left and the right end of the foot line, like a penguin."""
    angle = np.deg2rad(6 * amount) * sin(2 * pi * phase * 3) * min(1.0, 1.2 * body.h / body.w)
    side = 0.5 if angle > 0 else -0.5
    moved = rotate(points, (body.support_x + side * body.support_px, body.foot), angle)
    return anchored(body, points, moved, 0.5)


def peek(body: Body, points: Points, phase: float, amount: float) -> Points:
    """Duck below the lower edge of the frame and come up again."""
    away = smoothstep(0.10, 0.35, np.array([phase]))[0] * (1 - smoothstep(0.60, 0.82, np.array([phase]))[0])
    overshoot = 0.03 * sin(pi * min(max((phase - 0.75) / 0.25, 0.0), 1.0)) ** 2
    down = (0.85 * away - overshoot) * min(amount, 1.0) * (body.height_px - body.top)
    return shifted(points, 0.0, down)


def rotate(points: Points, about: tuple[float, float], angle: float) -> Points:
    """Rotate points clockwise on the screen by ``angle`` in radians."""
    c, s = cos(angle), sin(angle)
    turned: Points = (points - about) @ np.array([[c, s], [-s, c]]) + about
    return turned


def shifted(points: Points, right: float, down: float) -> Points:
    """Shift points by a distance in pixels."""
    moved: Points = points + np.array([right, down])
    return moved
