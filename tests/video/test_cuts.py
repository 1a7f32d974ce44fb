"""Cuts are found; flashes, fades, pans and noise are none."""

import cv2
import numpy as np
import pytest

from pochoir.video.shots import CutFinder, find_cuts

HEIGHT, WIDTH = 72, 128


def scenery(seed: int) -> np.ndarray:
    """A wide picture of soft patches and grain, (72, 512, 3)."""
    rng = np.random.default_rng(seed)
    total = np.zeros((HEIGHT, 4 * WIDTH, 3))
    for step, strength in ((4, 18), (12, 35), (36, 45)):
        noise = rng.normal(rng.uniform(-0.4, 0.4, 3), 1, (HEIGHT // step + 1, 4 * WIDTH // step + 1, 3))
        total += strength * cv2.resize(noise, (4 * WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.clip(128 + total, 0, 255).astype(np.uint8)


def pan(seed: int, count: int, speed: float = 2.0, noise: float = 2.0) -> list[np.ndarray]:
    wide = scenery(seed).astype(np.float32)
    rng = np.random.default_rng(seed)
    frames = []
    for index in range(count):
        shift = np.float32([[1, 0, -speed * index - 10], [0, 1, 0]])
        view = cv2.warpAffine(wide, shift, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
        frames.append(np.clip(view + rng.normal(0, noise, view.shape), 0, 255).astype(np.uint8))
    return frames


def mix(one: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    return np.rint(one * (1 - share) + other * share).astype(np.uint8)


def test_cuts_between_moving_shots() -> None:
    lengths = (20, 9, 30, 14)
    frames = [frame for seed, count in enumerate(lengths) for frame in pan(seed, count)]
    assert find_cuts(frames) == [0, 20, 29, 59]


def test_a_cut_near_the_start_and_near_the_end() -> None:
    assert find_cuts(pan(0, 3) + pan(1, 20) + pan(2, 3)) == [0, 3, 23]


@pytest.mark.parametrize("speed", [0.0, 2.0, 6.0])
def test_pans_and_noise_are_none(speed: float) -> None:
    assert find_cuts(pan(3, 40, speed)) == [0]


def test_a_camera_that_starts_to_move_is_none() -> None:
    still, moving = pan(4, 20, 0.0), pan(4, 20, 5.0)
    assert find_cuts(still + moving) == [0]


def test_a_flash_is_none() -> None:
    frames = pan(5, 30)
    frames[12] = mix(frames[12], np.full_like(frames[12], 255), 0.8)
    frames[13] = mix(frames[13], np.full_like(frames[13], 255), 0.5)
    assert find_cuts(frames) == [0]


def test_fades_are_none() -> None:
    one, other = pan(6, 30), pan(7, 30)
    dissolve = [mix(one[20 + index], other[index], index / 9) for index in range(10)]
    assert find_cuts(one[:20] + dissolve + other[10:]) == [0]
    black = [mix(one[index], np.zeros_like(one[0]), max(0, min(1, (index - 10) / 8))) for index in range(30)]
    assert find_cuts(black) == [0]


def test_cuts_in_a_black_and_white_still_film() -> None:
    dark, light = np.full((HEIGHT, WIDTH, 3), 10, np.uint8), np.full((HEIGHT, WIDTH, 3), 240, np.uint8)
    assert find_cuts([dark] * 10 + [light] * 10) == [0, 10]


def test_streaming_gives_the_same_and_knows_in_time() -> None:
    frames = pan(0, 20) + pan(1, 20)
    finder = CutFinder()
    told = {first: index for index, frame in enumerate(frames) for first in finder.feed(frame)}
    assert told == {0: 0, 20: 26}  # six frames later
    assert finder.finish() == []


def test_any_size_and_count() -> None:
    assert find_cuts([]) == []
    assert find_cuts(pan(0, 1)) == [0]
    tiny = [np.full((1, 1, 3), value, np.uint8) for value in [10] * 8 + [200] * 8]
    assert find_cuts(tiny) == [0, 8]
    long = [np.full((2, 400, 3), value, np.uint8) for value in [10] * 8 + [200] * 8]
    assert find_cuts(long) == [0, 8]
