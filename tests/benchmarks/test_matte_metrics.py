"""The metrics of the matte benchmark against values worked by hand."""

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest

_FILE = Path(__file__).parents[2] / "benchmarks" / "matte_metrics.py"
_spec = importlib.util.spec_from_file_location("matte_metrics", _FILE)
assert _spec is not None
assert _spec.loader is not None
metrics = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(metrics)


def square(size: int, low: int, high: int) -> np.ndarray:
    matte = np.zeros((size, size), np.float32)
    matte[low:high, low:high] = 1
    return matte


def test_iou_counts_what_is_above_one_half() -> None:
    ours = np.array([[1.0, 0.6, 0.5, 0.0]], np.float32)
    truth = np.array([[1.0, 0.2, 0.9, 0.0]], np.float32)
    assert metrics.iou(ours, truth) == pytest.approx(1 / 3)


def test_two_empty_mattes_agree() -> None:
    empty = np.zeros((4, 4), np.float32)
    assert metrics.iou(empty, empty) == 1.0
    assert metrics.boundary_iou(empty, empty) == 1.0


def test_boundary_iou_compares_the_inner_strips_only() -> None:
    # One pixel wide strips of a 6x6 and a 4x4 square with one centre: 20 and 12 pixels that never meet.
    truth, ours = square(10, 2, 8), square(10, 3, 7)
    assert metrics.boundary_iou(ours, truth, band=0.07) == 0.0
    assert metrics.iou(ours, truth) == pytest.approx(16 / 36)
    # Two pixels wide: 32 and the whole 16, of which the ring of 12 is shared; 36 in all.
    assert metrics.boundary_iou(ours, truth, band=0.14) == pytest.approx(12 / 36)


def test_frame_counts_as_outside() -> None:
    full = np.ones((10, 10), np.float32)
    half = full.copy()
    half[:, 5:] = 0
    # Strips one pixel wide: 36 pixels around the whole, 26 around the half, 18 of them shared.
    assert metrics.boundary_iou(half, full, band=0.07) == pytest.approx(18 / (36 + 26 - 18))


def test_sad_is_in_thousands_and_mse_a_mean() -> None:
    ours, truth = np.full((20, 50), 0.75, np.float32), np.full((20, 50), 0.25, np.float32)
    assert metrics.sad(ours, truth) == pytest.approx(0.5)
    assert metrics.mse(ours, truth) == pytest.approx(0.25)


def test_gradient_error_sees_blur_but_no_constant_shift() -> None:
    step = np.zeros((40, 40), np.float32)
    step[:, 20:] = 1
    ramp = np.broadcast_to(np.clip((np.arange(40) - 15) / 10, 0, 1), (40, 40)).astype(np.float32)
    assert metrics.gradient_error(step, step) == 0.0
    assert metrics.gradient_error(step * 0.5 + 0.5, step * 0.5) == pytest.approx(0.0, abs=1e-12)
    assert metrics.gradient_error(ramp, step) > 0.0


def test_gradient_of_a_long_ramp_is_the_kernels_first_moment() -> None:
    ramp = np.broadcast_to(np.arange(60, dtype=np.float32) / 60, (30, 60)).astype(np.float32)
    flat = np.zeros_like(ramp)
    x = np.arange(-5, 6)
    bell = np.exp(-(x**2) / (2 * 1.4**2))
    moment = bell.sum() * (x**2 * bell).sum() / 60 / math.sqrt((bell**2).sum() * ((x * bell) ** 2).sum())
    assert metrics._gradient(ramp)[15, 30] == pytest.approx(moment, rel=1e-5)
    assert metrics.gradient_error(ramp[10:20, 20:40], flat[10:20, 20:40]) > 0.0


def test_backdrop_psnr_of_a_wrong_colour() -> None:
    truth = np.full((4, 4), 0.5, np.float32)
    colors = np.zeros((4, 4, 3), np.float32)
    # Half of a colour error of 0.2 is seen on any backdrop: 20 dB.
    assert metrics.backdrop_psnr(colors + 0.2, truth, colors, truth) == pytest.approx(20.0, abs=1e-4)
    assert metrics.backdrop_psnr(colors, truth, colors, truth) == math.inf


def test_backdrop_psnr_looks_at_the_edge_only() -> None:
    truth = np.zeros((100, 100), np.float32)
    truth[:, 50:] = 1
    truth[:, 49] = 0.5
    colors = np.zeros((100, 100, 3), np.float32)
    far = colors.copy()
    far[:, 80:] = 1
    assert metrics.backdrop_psnr(far, truth, colors, truth) == math.inf
    near = colors.copy()
    near[:, 50] = 1  # one of the three columns of the band, wrong by 1
    assert metrics.backdrop_psnr(near, truth, colors, truth) == pytest.approx(-10 * math.log10(1 / 3), abs=1e-4)
