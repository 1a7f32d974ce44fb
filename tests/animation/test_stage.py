"""Plates that pass by behind a subject that runs."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from pochoir._types import Size
from pochoir.animation.arrays import Layer, Picture
from pochoir.animation.clip import Actor, Clip, Stage
from pochoir.animation.motions import Move
from pochoir.animation.puppet import Sheet
from pochoir.animation.stage import close_plates, pass_by
from pochoir.animation.timing import Timing

HEIGHT, WIDTH = 48, 96


@pytest.fixture
def meadow() -> Picture:
    """Noise below a sky, brighter at the right: its edges do not fit together."""
    noise = gaussian_filter(np.random.default_rng(0).random((HEIGHT, WIDTH)), 1.5)
    noise = (noise - noise.min()) / np.ptp(noise)
    grey = np.where(np.arange(HEIGHT)[:, None] < 18, 0.9, 0.2 + 0.4 * noise) + np.linspace(-0.1, 0.1, WIDTH)
    return np.repeat(grey[..., None], 3, axis=2).astype(np.float32).clip(0, 1)


def jump(plate: Picture, column: int) -> float:
    """Mean difference of a column to the one before it."""
    return float(np.abs(plate[:, column] - plate[:, column - 1]).mean())


def test_it_begins_and_ends_with_the_plate_itself(meadow: Picture) -> None:
    (closed,) = close_plates([meadow])
    for progress in (0.0, 0.5, 1.0):
        np.testing.assert_array_equal(pass_by(closed, progress, -2, WIDTH), meadow)


def test_both_edges_of_the_join_fit(meadow: Picture) -> None:
    (closed,) = close_plates([meadow])
    usual = np.mean([jump(meadow, column) for column in range(1, WIDTH)])
    assert abs(meadow[:, 0] - meadow[:, -1]).mean() > 3 * usual  # simply repeated, the seam would show
    assert jump(closed, WIDTH) < 2 * usual
    assert jump(closed, 0) < 2 * usual


def test_the_plate_passes_by_in_its_own_order(meadow: Picture) -> None:
    (closed,) = close_plates([meadow])
    around = closed.shape[1]
    shifted = pass_by(closed, 30 / around, 1, WIDTH)
    np.testing.assert_array_equal(shifted[:, 30:], meadow[:, : WIDTH - 30])  # to the right
    np.testing.assert_array_equal(shifted[:, :30], closed[:, around - 30 :])
    shifted = pass_by(closed, 30 / around, -1, WIDTH)
    np.testing.assert_array_equal(shifted[:, : around - 30], closed[:, 30:])  # to the left


def test_all_plates_of_a_clip_get_the_same_join(meadow: Picture) -> None:
    first, second = close_plates([meadow, 1 - meadow])
    np.testing.assert_array_equal(first[:, WIDTH:], second[:, WIDTH:])
    np.testing.assert_array_equal(second[:, :WIDTH], 1 - meadow)
    assert close_plates([]) == []


def test_a_clip_with_a_passing_plate_starts_at_rest_and_keeps_its_size(standing: Layer) -> None:
    height, width = standing.shape[:2]
    plate = np.tile(np.linspace(0.2, 0.8, width, dtype=np.float32)[None, :, None], (height, 1, 3))
    body = Sheet(standing[..., 3])
    actor = Actor(body, (standing,), (Move.parse("nod"),))
    clip = Clip(Stage((actor,), (plate,), Size(height, width), scroll=1), Timing(1.0, 8.0))
    still = Clip(Stage((actor,), (plate,), Size(height, width)), Timing(1.0, 8.0))
    np.testing.assert_array_equal(clip.frame(0), still.frame(0))
    passing, standing_still = clip.frame(0.4).astype(int), still.frame(0.4).astype(int)
    assert passing.shape == standing_still.shape
    assert np.abs(passing - standing_still).max() > 25
