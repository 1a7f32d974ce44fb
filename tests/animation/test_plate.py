"""The plate behind the subject."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from pochoir.animation.colors import spread
from pochoir.animation.plate import fill_plate, hole_of


def disc(size: tuple[int, int], cx: float, cy: float, radius: float) -> np.ndarray:
    y, x = np.mgrid[0 : size[0], 0 : size[1]]
    return np.hypot(x - cx, y - cy) < radius


def landscape(size: tuple[int, int] = (96, 128)) -> np.ndarray:
    """Sky above grass, both with grain of their own."""
    rng = np.random.default_rng(0)
    sky = 0.75 + 0.05 * gaussian_filter(rng.standard_normal(size), 3)
    grass = 0.35 + 0.10 * gaussian_filter(rng.standard_normal(size), 0.7)
    is_sky = (np.arange(size[0]) < 40)[:, None]
    light = np.where(is_sky, sky, grass)
    return np.stack([light * 0.7, light, np.where(is_sky, light * 1.2, light * 0.4)], -1).clip(0, 1).astype(np.float32)


def test_outside_of_the_hole_nothing_changes() -> None:
    photo = landscape()
    hole = disc(photo.shape[:2], 60, 45, 22)
    filled = fill_plate(photo, hole)
    np.testing.assert_array_equal(filled[~hole], photo[~hole])
    assert (filled[hole] != photo[hole]).any()
    assert filled.min() >= 0
    assert filled.max() <= 1


def test_the_horizon_goes_on_behind_the_subject() -> None:
    photo = landscape()
    hole = disc(photo.shape[:2], 60, 45, 22)
    photo[hole] = (0.9, 0.1, 0.1)  # what was there must not shine through
    filled = fill_plate(photo, hole)
    truth = landscape()
    above, below = hole & (np.arange(96) < 37)[:, None], hole & (np.arange(96) > 43)[:, None]
    for part in (above, below):
        assert np.abs(filled[part].mean(0) - truth[part].mean(0)).max() < 0.04
        # The grain goes on as well: a smooth fill would have none.
        assert filled[part].std(0).mean() > 0.5 * truth[part].std(0).mean()


def test_a_slope_of_light_is_carried_on_without_a_seam() -> None:
    y, x = np.mgrid[0:80, 0:100]
    photo = np.repeat((0.2 + 0.006 * x + 0.001 * y)[..., None], 3, -1).astype(np.float32)
    hole = disc((80, 100), 50, 40, 20)
    filled = fill_plate(photo, hole)
    step = np.abs(np.diff(filled[..., 0], axis=1))
    rim = hole[:, 1:] != hole[:, :-1]
    assert step[rim].max() < 0.02  # the slope's own step is .006
    assert np.abs(filled[hole] - photo[hole]).mean() < 0.03


def test_the_same_photo_gives_the_same_plate() -> None:
    photo = landscape()
    hole = disc(photo.shape[:2], 60, 45, 22)
    np.testing.assert_array_equal(fill_plate(photo, hole), fill_plate(photo, hole))


def test_large_photos_are_exact_outside_too() -> None:
    photo = np.repeat(np.repeat(landscape((60, 160)), 5, 0), 5, 1)  # 800 pixels wide
    hole = disc(photo.shape[:2], 400, 150, 60)
    filled = fill_plate(photo, hole)
    np.testing.assert_array_equal(filled[~hole], photo[~hole])
    assert np.isfinite(filled).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 5), (16, 16), (10, 200)])
def test_odd_sizes_and_full_holes_give_a_picture(size: tuple[int, int]) -> None:
    photo = np.random.default_rng(0).random((*size, 3)).astype(np.float32)
    for hole in (np.ones(size, bool), np.zeros(size, bool), np.random.default_rng(1).random(size) > 0.5):
        filled = fill_plate(photo, hole)
        assert filled.shape == photo.shape
        assert np.isfinite(filled).all()
        np.testing.assert_array_equal(filled[~hole], photo[~hole])


def test_the_hole_holds_the_matte_and_a_rim() -> None:
    alpha = np.zeros((40, 40), np.float32)
    alpha[20, 20] = 0.5
    hole = hole_of(alpha, grow_px=6)
    assert hole[20, 14]
    assert hole[14, 20]
    assert not hole[20, 12]


def test_colors_spread_smoothly_from_what_is_known() -> None:
    picture = np.zeros((32, 32, 3), np.float32)
    picture[:, :16], picture[:, 16:] = (1, 0, 0), (0, 0, 1)
    known = np.zeros((32, 32), bool)
    known[:, :6] = known[:, -6:] = True
    filled = spread(picture, known)
    np.testing.assert_array_equal(filled[known], picture[known])
    assert np.abs(np.diff(filled, axis=1)).max() < 0.35
    np.testing.assert_allclose(filled.sum(-1), 1, atol=1e-4)
    np.testing.assert_array_equal(spread(picture, np.zeros((32, 32), bool)), 0.5)
