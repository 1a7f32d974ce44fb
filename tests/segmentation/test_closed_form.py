import numpy as np
import pytest

from pochoir.segmentation.matting import closed_form
from pochoir.segmentation.matting.closed_form import solve_matte


def laplacian_by_hand(photo, eps):
    """Levin's formula, pixel pair by pixel pair."""
    height, width, _ = photo.shape
    matrix = np.zeros((height * width,) * 2)
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            places = [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
            colours = np.array([photo[place] for place in places])
            centred = colours - colours.mean(axis=0)
            inverse = np.linalg.inv(centred.T @ centred / 9 + eps / 9 * np.eye(3))
            for i, a in enumerate(places):
                for j, b in enumerate(places):
                    share = (1 + centred[i] @ inverse @ centred[j]) / 9
                    matrix[a[0] * width + a[1], b[0] * width + b[1]] += (i == j) - share
    return matrix


@pytest.fixture
def problem():
    rng = np.random.default_rng(1)
    photo = rng.random((9, 11, 3))
    trimap = np.full((9, 11), 0.5)
    trimap[:, :3], trimap[:, -3:] = 0.0, 1.0
    return photo, trimap, rng.random((9, 11)), rng.random((9, 11))


def test_solution_is_that_of_the_dense_system(problem, monkeypatch):
    photo, trimap, prior, weight = problem
    weight = 0.1 + weight
    monkeypatch.setattr(closed_form, "_ITERATIONS", 500)
    monkeypatch.setattr(closed_form, "_TOLERANCE", 1e-12)
    given = solve_matte(photo, trimap, np.full((9, 11), 0.5), prior=prior, weight=weight)
    matrix = laplacian_by_hand(photo, closed_form._EPS)
    unsure, known = np.flatnonzero(trimap == 0.5), np.flatnonzero(trimap != 0.5)
    left = matrix[np.ix_(unsure, unsure)] + np.diag(weight.ravel()[unsure])
    right = weight.ravel()[unsure] * prior.ravel()[unsure] - matrix[np.ix_(unsure, known)] @ trimap.ravel()[known]
    expected = trimap.ravel().copy()
    expected[unsure] = np.clip(np.linalg.solve(left, right), 0, 1)
    np.testing.assert_allclose(given.ravel(), expected, rtol=0, atol=1e-6)


def test_windows_may_be_taken_in_any_portions(problem, monkeypatch):
    photo, trimap, prior, weight = problem
    whole = solve_matte(photo, trimap, prior, prior=prior, weight=weight)
    monkeypatch.setattr(closed_form, "_WINDOWS_AT_ONCE", 7)
    portions = solve_matte(photo, trimap, prior, prior=prior, weight=weight)
    np.testing.assert_allclose(portions, whole, rtol=0, atol=1e-9)


def test_mixture_of_two_colours_is_taken_apart_without_a_prior():
    rng = np.random.default_rng(2)
    exact = np.clip((np.arange(60)[None] - 20 + 3 * rng.random((40, 1))) / 20, 0, 1) * np.ones((40, 60))
    photo = exact[..., None] * [0.8, 0.4, 0.2] + (1 - exact[..., None]) * [0.1, 0.3, 0.6]
    trimap = np.where(exact == 0, 0.0, np.where(exact == 1, 1.0, 0.5))
    zeros = np.zeros_like(exact)
    given = solve_matte(photo, trimap, np.full_like(exact, 0.5), prior=zeros, weight=zeros)
    assert np.abs(given - exact).max() < 0.02


def test_coarser_sizes_start_the_finer_ones(monkeypatch):
    ramp = np.clip(np.linspace(-0.125, 1.125, 200), 0, 1)[None] * np.ones((150, 1))
    photo = ramp[..., None] * [1.0, 0.5, 0.2]
    trimap = np.full((150, 200), 0.5)
    trimap[:, :20], trimap[:, -20:] = 0.0, 1.0
    zeros, half = np.zeros_like(ramp), np.full_like(ramp, 0.5)
    errors = []
    for coarsest in (20, 1000):
        monkeypatch.setattr(closed_form, "_COARSEST_LONG_SIDE", coarsest)
        errors.append(np.abs(solve_matte(photo, trimap, half, prior=zeros, weight=zeros) - ramp).mean())
    assert errors[0] < 0.25 * errors[1]


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_sure_pixels_are_kept(level):
    trimap = np.full((5, 400), level)
    given = solve_matte(np.zeros((5, 400, 3)), trimap, 1 - trimap, prior=1 - trimap, weight=np.ones((5, 400)))
    np.testing.assert_array_equal(given, trimap)
