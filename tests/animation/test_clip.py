"""Clips: frames as a pure function of time."""

import tracemalloc

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from pochoir._types import Size
from pochoir.animation import raster
from pochoir.animation.arrays import Layer, Picture
from pochoir.animation.clip import Actor, Clip, Effects, Stage
from pochoir.animation.motions import MOTIONS, Move
from pochoir.animation.puppet import Sheet
from pochoir.animation.timing import Timing
from support.cutouts import laplacian_energy

USUAL = Timing(3.0, 24.0)


def clip(cutout: Layer, *names: str, plate: Picture | None = None, timing: Timing = USUAL, **effects: object) -> Clip:
    moves = tuple(Move.parse(name) for name in names)
    actor = Actor(Sheet(cutout[..., 3]), (cutout,), moves)
    stage = Stage((actor,), () if plate is None else (plate,), Size(*cutout.shape[:2]))
    return Clip(stage, timing, Effects(**effects))


def to_still(cutout: Layer, plate: Picture) -> np.ndarray:
    return raster.over_plate(plate, cutout)


@pytest.mark.parametrize("name", [name for name, motion in MOTIONS.items() if motion.field is not None])
def test_the_first_frame_is_the_still(name: str, standing: Layer, plate: Picture) -> None:
    made = clip(standing, name, plate=plate)
    difference = np.abs(made.frame(0.0).astype(int) - to_still(standing, plate))
    assert difference.max() <= 1
    assert difference.mean() < 0.01


def test_frames_do_not_depend_on_the_order_in_which_they_are_asked_for(standing: Layer, plate: Picture) -> None:
    made = clip(standing, "nod", "breathe", plate=plate, timing=Timing(0.5, 24), shadow=0.4, parallax=0.01)
    in_order = list(made)
    assert len(in_order) == len(made) == 12
    for index in (7, 2, 11, 0):
        np.testing.assert_array_equal(made.frame(index / 24), in_order[index])
    np.testing.assert_array_equal(made.frame(0.5 + 3 / 24), in_order[3])  # a loop goes on


def test_a_loop_has_no_jump_where_it_closes(standing: Layer, plate: Picture) -> None:
    made = clip(standing, "sway", plate=plate)
    moved = [np.abs(made.points_at(i) - made.points_at((i + 1) % 72)).max() for i in range(72)]
    assert moved[71] <= 1.05 * max(moved[:71])


def test_a_clip_that_plays_once_ends_at_rest(standing: Layer, plate: Picture) -> None:
    made = clip(standing, "nod", plate=plate, timing=Timing(1.0, 24, loop=False, hold=3))
    np.testing.assert_array_equal(made.frame_at(23), made.frame_at(0))
    np.testing.assert_array_equal(made.frame(9.0), made.frame_at(23))


def test_held_frames_repeat(standing: Layer, plate: Picture) -> None:
    made = clip(standing, "nod", plate=plate, timing=Timing(1.0, 24, hold=3))
    for first in range(0, 24, 3):
        np.testing.assert_array_equal(made.frame_at(first), made.frame_at(first + 2))
    assert (made.frame_at(3) != made.frame_at(2)).any()


def test_the_plate_does_not_change_away_from_the_subject(standing: Layer, plate: Picture) -> None:
    made = clip(standing, "bounce", plate=plate)
    frames = np.stack(list(made))
    far = np.zeros(frames.shape[1:3], bool)
    far[:, :10] = far[:, -10:] = True
    assert (frames[:, far] == frames[0][far]).all()


def test_no_crack_opens_inside_the_subject(standing: Layer) -> None:
    whole = np.where(standing[..., 3:] > 0.99, np.float32(1), np.float32(0)) * np.ones((1, 1, 4), np.float32)
    for name in ("nod", "turn", "jelly", "bounce"):
        made = clip(whole.astype(np.float32), name)
        for index in range(0, 72, 9):
            alpha = made.layer_at(index)[..., 3]
            solid = gaussian_filter((alpha > 0.5).astype(np.float64), 3) > 0.999  # well inside
            assert alpha[solid].min() > 0.99


def test_strokes_stay_sharp_when_they_move(standing: Layer) -> None:
    made = clip(standing, "sway")
    rest = laplacian_energy(made.layer_at(0))
    assert min(laplacian_energy(made.layer_at(index)) / rest for index in range(0, 72, 6)) > 0.75


def test_transparent_frames_have_straight_alpha(standing: Layer) -> None:
    frame = clip(standing, "nod").frame(0.0)
    assert frame.shape == (120, 96, 4)
    alpha = standing[..., 3]
    assert np.abs(frame[..., 3] / 255 - alpha).max() <= 1 / 255
    solid = alpha > 0.5
    straight = standing[..., :3][solid] / alpha[solid][:, None]
    assert np.abs(frame[..., :3][solid] / 255 - straight).max() <= 2 / 255


def test_a_travelling_subject_crosses_the_picture_and_returns(standing: Layer, plate: Picture) -> None:
    for towards, sign in (("right", 1), ("left", -1)):
        made = clip(standing, "waddle", plate=plate, towards=towards)
        x = np.array([made.points_at(index)[:, 0].mean() for index in range(72)])
        steps = np.diff(np.append(x, x[0]))
        jumps = np.abs(steps) > 40
        assert jumps.sum() == 1  # it re-enters from the other side, once
        assert (np.sign(steps[~jumps]) == sign).mean() > 0.7
        k = int(np.flatnonzero(jumps)[0])
        for index in (k, (k + 1) % 72):  # where it jumps it is out of sight
            assert made.layer_at(index)[..., 3].max() == 0


def test_boil_shows_pictures_in_turn(standing: Layer, plate: Picture) -> None:
    other = standing.copy()
    other[..., :3] *= 0.5
    actor = Actor(Sheet(standing[..., 3]), (standing, other), (Move.parse("nod"),))
    made = Clip(Stage((actor,), (plate,), Size(120, 96)), Timing(1.0, 24), Effects(boil_hold=2))
    light = [made.layer_at(index)[..., :3].sum() for index in range(8)]
    assert light[0] > 1.7 * light[2]
    assert light[4] > 1.7 * light[3]
    assert abs(light[0] - light[1]) < 0.05 * light[0]


def test_shadow_darkens_the_ground_only_below_the_foot(standing: Layer, plate: Picture) -> None:
    plain, shaded = clip(standing, "hop", plate=plate), clip(standing, "hop", plate=plate, shadow=0.5)
    difference = plain.frame_at(0).astype(int) - shaded.frame_at(0)
    assert difference.max() > 20
    assert difference.min() >= 0
    assert difference[:60].max() == 0


def test_rendering_long_clips_takes_no_more_memory(standing: Layer, plate: Picture) -> None:
    peaks = []
    for seconds in (0.5, 8.0):
        made = clip(standing, "nod", plate=plate, timing=Timing(seconds, 24))
        made.frame_at(1)
        tracemalloc.start()
        for _ in made:
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 3 * peaks[0]  # sixteen times as many frames


def test_stopping_early_ends_the_threads(standing: Layer, plate: Picture) -> None:
    import threading

    frames = iter(clip(standing, "nod", plate=plate))
    next(frames)
    frames.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("pochoir-clip")]
