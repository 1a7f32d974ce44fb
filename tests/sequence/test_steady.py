"""Mixing of neighbouring pictures along the motion."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from pochoir.sequence.steady import MOST_REPEATS, PASSES, SHARE, Moment, Steady, Steadying, link
from pochoir.video.flow import Flows
from pochoir.video.warping import warp
from support.drawn_films import HEIGHT, WIDTH, pan, texture, walk

INSIDE = np.s_[6:-6, 12:-12]
NO_FRAME: Any = None


def moments(frames: Sequence[np.ndarray], pictures: Sequence[np.ndarray], mattes: Any = None) -> list[Moment]:
    flows = Flows(frames, mattes)
    links = [link(frames, flows, at) for at in range(len(frames) - 1)]
    return [Moment(NO_FRAME, *pair) for pair in zip(pictures, [*links, None], strict=True)]


def steadied(shown: Sequence[Moment]) -> list[np.ndarray]:
    steady = Steady()
    return [done.picture for moment in shown for done in steady.push(moment)]


def paintings(count: int, noise: float, grain_px: int = 1) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """A painting that moves with the texture of ``pan``, without noise and with."""
    wide, rng = texture(7, HEIGHT, WIDTH + 2 * count), np.random.default_rng(0)
    true = [wide[:, 2 * at : 2 * at + WIDTH] for at in range(count)]
    small = (HEIGHT // grain_px, WIDTH // grain_px, 1)
    noises = [np.kron(rng.normal(0, noise, small), np.ones((grain_px, grain_px, 3))) for _ in true]
    noisy = [np.clip(np.rint(each + extra), 0, 255).astype(np.uint8) for each, extra in zip(true, noises, strict=True)]
    return true, noisy


def test_what_changes_by_chance_is_averaged_and_strokes_move_on() -> None:
    true, noisy = paintings(6, 20.0, grain_px=3)
    after = steadied(moments(pan(6), noisy))
    spreads = [
        np.mean(
            [np.std((one.astype(float) - other)[INSIDE]) for one, other in zip(film[1:-1], true[1:-1], strict=True)]
        )
        for film in (noisy, after)
    ]
    assert spreads[1] < 0.7 * spreads[0]  # three equal parts: .58 and what resampling adds


def test_detail_is_spared_where_the_painting_does_not_change() -> None:
    flow = Flows(pan(6))
    for noise, grain_px, is_kept in ((3.0, 1, True), (20.0, 6, False)):
        _, film = paintings(6, noise, grain_px)
        after = steadied(moments(pan(6), film))[2]
        whole = (film[2] + sum(warp(film[at], flow.flow(2, at)) for at in (1, 3))) / 3
        changes = [np.abs(each - film[2].astype(float))[INSIDE].mean() for each in (after, whole)]
        assert (changes[0] < 0.5 * changes[1]) == is_kept


def test_what_a_neighbour_does_not_show_leaves_no_ghost() -> None:
    frames, mattes = walk(3, step_px=8)
    pictures = [np.repeat(matte[..., None], 3, axis=2) for matte in mattes]  # the ball is white, the ground black
    after = steadied(moments(frames, pictures, mattes))[1]
    ghost = ((mattes[0] == 255) | (mattes[2] == 255)) & (mattes[1] == 0)
    assert ghost.sum() > 100
    assert after[ghost].mean() < 0.25 * SHARE * 255
    assert after[mattes[1] == 255].mean() > 0.9 * 255


def test_still_pixels_do_not_change_by_a_bit() -> None:
    frames = [texture(0, HEIGHT, WIDTH)] * 3
    pictures = [texture(seed, HEIGHT, WIDTH) for seed in (1, 2, 3)]
    still = np.zeros((HEIGHT, WIDTH), np.float32)
    still[:, :30] = 1.0
    flows = Flows(frames)
    links = [link(frames, flows, at, (still, still)) for at in (0, 1)]
    shown = [Moment(NO_FRAME, *pair) for pair in zip(pictures, [*links, None], strict=True)]
    for before, after in zip(pictures, steadied(shown), strict=True):
        assert np.array_equal(before[:, :30], after[:, :30])
        assert np.abs(before[:, 40:].astype(int) - after[:, 40:]).mean() > 5


def test_shots_and_single_pictures_stay_apart() -> None:
    black, white = (np.full((HEIGHT, WIDTH, 3), level, np.uint8) for level in (0, 255))
    frames = [texture(0, HEIGHT, WIDTH)] * 2
    shots = [*moments(frames, [black, black]), *moments(frames, [white, white]), Moment(NO_FRAME, black)]
    assert [picture.mean() for picture in steadied(shots)] == [0, 0, 255, 255, 0]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_each_picture_comes_out_once_in_its_order(count: int) -> None:
    pictures = [np.full((HEIGHT, WIDTH, 3), 40 * at, np.uint8) for at in range(count)]
    steady = Steady()
    shown, waiting = [], []
    for moment in moments([texture(0, HEIGHT, WIDTH)] * count, pictures):
        shown += [round(done.picture.mean() / 40) for done in steady.push(moment)]
        waiting.append(len(shown))
    assert shown == list(range(count))
    assert waiting == [*range(count - 1), count]  # no more than one is held back


def test_a_repeated_frame_has_the_same_picture_again() -> None:
    moving = pan(5)
    frames = [moving[0], moving[1], moving[2], moving[2].copy(), moving[3], moving[4]]
    frames[3][::8, ::8] ^= 1  # as a codec changes it
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8) for _ in frames]
    steadying = Steadying()
    after = [done for moment in moments(frames, pictures) for done in steadying.push(moment)]
    same = [np.array_equal(one.picture, other.picture) for one, other in pairwise(after)]
    assert same == [False, False, True, False, False]


def test_a_shot_of_nothing_but_repeats_ends_and_holds_few_back() -> None:
    frames = [texture(0, HEIGHT, WIDTH)] * 11
    pictures = [np.full((HEIGHT, WIDTH, 3), 20 * at, np.uint8) for at in range(11)]
    steadying, counts = Steadying(), [0]
    for moment in moments(frames, pictures):
        counts.append(counts[-1] + len(list(steadying.push(moment))))
    assert counts[-1] == 11
    assert max(at - count for at, count in enumerate(counts)) <= MOST_REPEATS * (PASSES + 1)


def test_a_second_pass_averages_more() -> None:
    true, noisy = paintings(8, 20.0, grain_px=3)
    shown, steadying = moments(pan(8), noisy), Steadying()
    twice = [done.picture for moment in shown for done in steadying.push(moment)]
    spreads = [
        np.mean(
            [np.std((one.astype(float) - other)[INSIDE]) for one, other in zip(film[2:-2], true[2:-2], strict=True)]
        )
        for film in (steadied(shown), twice)
    ]
    assert spreads[1] < 0.9 * spreads[0]
