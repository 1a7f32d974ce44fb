"""Closed-form matting of the unsure pixels, from coarse to fine, held to what is known already."""

import cv2
import numpy as np
import scipy.sparse  # type: ignore[import-untyped]
from numpy.typing import NDArray

Plane = NDArray[np.float64]
Indices = NDArray[np.int64]

_EPS = 1e-4  # less (1e-7 is usual) finds a hair more in clean pictures, and a JPEG file's blocks in all others
_COARSEST_LONG_SIDE = 160
_ITERATIONS = 30  # at each size; 60 change the error by 1 % only, since the coarser size has done the far-reaching part
_TOLERANCE = 1e-6
_INERTIA = 1e-9  # pixels without known neighbours and prior stay as they were
_WINDOWS_AT_ONCE = 1 << 14

_WINDOW = tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1))
_REACH = tuple((dy, dx) for dy in range(-2, 3) for dx in range(-2, 3))  # neighbours that share a window with a pixel
_SLOTS = np.array([[_REACH.index((b[0] - a[0], b[1] - a[1])) for b in _WINDOW] for a in _WINDOW])
_OWN = _REACH.index((0, 0))


def solve_matte(photo: Plane, trimap: Plane, start: Plane, *, prior: Plane, weight: Plane) -> Plane:
    """Solve for a matte of the unsure pixels that is nearly linear in the colours of every 3x3 window.

    It minimises ``a' L a + sum(weight * (a - prior)**2)``, L the matting Laplacian, with the sure pixels fixed. Rows of
    L are made for the unsure pixels only. The system is solved by conjugate gradients on pictures of growing size,
    each started from the one before.

    Args:
        photo: Shape (H, W, 3), RGB in [0, 1].
        trimap: Shape (H, W): 0 background, 1 subject, 0.5 unsure.
        start: Initial matte of the coarsest size, shape (H, W), in [0, 1].
        prior: Matte that the solution is drawn to, shape (H, W), in [0, 1].
        weight: Strength of the prior, shape (H, W), 0 or more.

    Returns:
        Shape (H, W), in [0, 1]; exactly 0 and 1 where the trimap is.

    References:
        Levin, Lischinski, Weiss, "A Closed-Form Solution to Natural Image Matting", TPAMI 2008. We add the prior, and
        let the coarser solution only start the finer one, where they carry over its linear coefficients.
    """
    height, width = trimap.shape
    matte = start
    if max(height, width) > _COARSEST_LONG_SIDE:
        half = ((width + 1) // 2, (height + 1) // 2)
        coarse = solve_matte(
            _halve(photo, half),
            _halve_trimap(trimap, half),
            _halve(start, half),
            prior=_halve(prior, half),
            weight=_halve(weight, half),
        )
        matte = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR))
    unsure = (trimap > 0.0) & (trimap < 1.0)
    matte = np.where(unsure, matte, trimap)
    if not unsure.any():
        return matte
    pixels = np.flatnonzero(unsure)
    matrix, wanted = _system(photo, unsure, pixels, np.where(unsure, 0.0, trimap).ravel())
    held, begun = weight.ravel()[pixels], matte.ravel()[pixels]
    matrix = matrix + scipy.sparse.diags_array(held + _INERTIA, format="csr")
    found = _conjugate_gradients(matrix, wanted + held * prior.ravel()[pixels] + _INERTIA * begun, begun)
    matte.ravel()[pixels] = np.clip(found, 0.0, 1.0)
    return matte


def _halve(plane: Plane, half: tuple[int, int]) -> Plane:
    return np.asarray(cv2.resize(plane, half, interpolation=cv2.INTER_AREA), np.float64)


def _halve_trimap(trimap: Plane, half: tuple[int, int]) -> Plane:
    # Sure only where every covered pixel is sure; sums of areas have rounding errors.
    sure_subject, sure_background = (_halve((trimap == sure).astype(np.float64), half) > 0.999 for sure in (1.0, 0.0))
    return np.where(sure_subject, 1.0, np.where(sure_background, 0.0, 0.5))


def _system(
    photo: Plane, unsure: NDArray[np.bool_], pixels: Indices, known: Plane
) -> tuple[scipy.sparse.csr_array, Plane]:
    """Return the Laplacian's rows and columns of the unsure pixels, and the known pixels' share of the right side."""
    height, width = unsure.shape
    count = len(pixels)
    number = np.full(height * width, -1)  # of each pixel among the unsure ones
    number[pixels] = np.arange(count)
    values = _rows(photo, unsure, number, count)
    near = pixels[:, None] + np.array([dy * width + dx for dy, dx in _REACH])  # (U, 25)
    np.clip(near, 0, height * width - 1, out=near)  # what lies outside shares no window: its value is 0
    columns = number[near]
    is_known = columns < 0
    wanted = -np.where(is_known, values * known[near], 0.0).sum(axis=1)
    values[is_known] = 0.0
    columns = np.where(is_known, np.arange(count)[:, None], columns)
    starts = np.arange(0, len(_REACH) * count + 1, len(_REACH))
    return scipy.sparse.csr_array((values.ravel(), columns.ravel(), starts), shape=(count, count)), wanted


def _rows(photo: Plane, unsure: NDArray[np.bool_], number: Indices, count: int) -> Plane:
    """Return the Laplacian's values for each unsure pixel and its 25 neighbours, shape (U, 25)."""
    width = unsure.shape[1]
    touched = cv2.dilate(unsure.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    touched[[0, -1]] = touched[:, [0, -1]] = False  # only whole windows count
    centres = np.flatnonzero(touched)
    steps = np.array([dy * width + dx for dy, dx in _WINDOW])
    colors = photo.reshape(-1, 3)
    values = np.zeros((count + 1) * len(_REACH))  # known pixels share the last row, which is thrown away
    for first in range(0, len(centres), _WINDOWS_AT_ONCE):
        members = centres[first : first + _WINDOWS_AT_ONCE, None] + steps  # (N, 9)
        parts = _window_laplacians(colors[members])  # (N, 9, 9)
        rows = number[members]
        rows = np.where(rows < 0, count, rows) * len(_REACH)
        for i in range(len(_WINDOW)):  # at one place of the window every unsure pixel comes once, so += loses nothing
            values[rows[:, i, None] + _SLOTS[i]] += parts[:, i]
    return values.reshape(-1, len(_REACH))[:-1]


def _window_laplacians(colors: Plane) -> Plane:  # (N, 9, 3) -> (N, 9, 9)
    centred = colors - colors.mean(axis=1, keepdims=True)
    flipped = centred.transpose(0, 2, 1)
    parts = centred @ _inverse(flipped @ centred + _EPS * np.eye(3)) @ flipped
    parts += 1.0 / len(_WINDOW)
    np.negative(parts, out=parts)
    parts[:, range(len(_WINDOW)), range(len(_WINDOW))] += 1.0
    return np.asarray(parts)


def _inverse(matrices: Plane) -> Plane:
    """Invert symmetric (N, 3, 3) matrices by cofactors, ten times as fast as a library call for each."""
    a, b, c = matrices[:, 0, 0], matrices[:, 0, 1], matrices[:, 0, 2]
    d, e, f = matrices[:, 1, 1], matrices[:, 1, 2], matrices[:, 2, 2]
    first, second, third = d * f - e * e, c * e - b * f, b * e - c * d
    rows = [first, second, third, second, a * f - c * c, b * c - a * e, third, b * c - a * e, a * d - b * b]
    return np.stack(rows, axis=-1).reshape(-1, 3, 3) / (a * first + b * second + c * third)[:, None, None]


def _conjugate_gradients(matrix: scipy.sparse.csr_array, wanted: Plane, start: Plane) -> Plane:
    # SciPy's version sums with BLAS, whose order of addition depends on the number of threads. An incomplete
    # Cholesky factor in place of the diagonal saves iterations and costs more than it saves.
    scale = 1.0 / np.maximum(matrix.diagonal(), 1e-12)
    found, residual = start, wanted - matrix @ start
    enough = _TOLERANCE * np.sqrt(np.square(wanted).sum())
    scaled = scale * residual
    direction, slope = scaled, (residual * scaled).sum()
    for _ in range(_ITERATIONS):
        if np.sqrt(np.square(residual).sum()) <= enough:
            break
        product = matrix @ direction
        step = slope / (direction * product).sum()
        found = found + step * direction
        residual = residual - step * product
        scaled = scale * residual
        previous, slope = slope, (residual * scaled).sum()
        direction = scaled + slope / previous * direction
    return np.asarray(found)
