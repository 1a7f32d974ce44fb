import numpy as np
import pytest

from pochoir._types import Size
from pochoir.styles.canvas import Canvas, render
from pochoir.styles.color import colors, mix, pigment, ramp, smoothstep
from pochoir.styles.noise import fractal_noise, ridge_line, slanted_streaks, smooth_noise
from pochoir.styles.shapes import discs, normals, smooth_curve, stroke, tapered


@pytest.fixture
def canvas():
    return Canvas(Size(100, 200), 1.0, 2.0, 100.0)


def rng():
    return np.random.default_rng(5)


def test_grid_holds_pixel_centres_in_short_sides(canvas):
    x, y = canvas.grid()
    assert x.shape == (1, 200)
    assert y.shape == (100, 1)
    assert (x[0, 0], x[0, -1]) == pytest.approx((0.005, 1.995))
    assert y[-1, 0] == pytest.approx(0.995)


def test_scatter_covers_canvas_and_margin(canvas):
    points = canvas.scatter(rng(), 0.1, margin=0.2)
    assert len(points) == 24 * 14
    assert points.min(axis=0) == pytest.approx([-0.2, -0.2], abs=0.1)
    assert points.max(axis=0) == pytest.approx([2.2, 1.2], abs=0.1)


def test_widened_canvas_keeps_the_scale(canvas):
    wide = canvas.widened(0.25)
    assert wide.size == Size(150, 250)
    assert (wide.height, wide.width, wide.unit_px) == (1.5, 2.5, 100.0)


def test_render_passes_the_canvas_that_fits_and_clamps():
    seen = []

    def paint(canvas, generator):
        seen.append(canvas)
        return np.full((*canvas.size, 3), (-1.0, 0.5, 2.0), dtype=np.float32)

    picture = render(paint, Size(300, 600), seed=1)
    assert seen[0].size == Size(600, 1200)
    assert (seen[0].height, seen[0].width, seen[0].unit_px) == (1.0, 2.0, 600.0)
    assert picture.shape == (300, 600, 3)
    assert (picture == (0, 128, 255)).all()


def test_render_bounds_the_canvas_of_a_large_picture():
    sizes = []

    def paint(canvas, generator):
        sizes.append(canvas.size)
        return np.zeros((*canvas.size, 3), dtype=np.float32)

    assert render(paint, Size(2600, 2600), seed=0).shape == (2600, 2600, 3)
    assert 5_900_000 < sizes[0].pixels < 6_100_000


@pytest.mark.parametrize(
    "make",
    [
        lambda canvas: smooth_noise(canvas, rng(), 6),
        lambda canvas: fractal_noise(canvas, rng(), 4),
        lambda canvas: slanted_streaks(canvas, rng(), angle=0.7, across=20, along=4),
    ],
)
def test_noise_is_centred_and_the_same_at_any_resolution(canvas, make):
    coarse = make(canvas)
    fine = make(Canvas(Size(300, 600), 1.0, 2.0, 300.0)).reshape(100, 3, 200, 3).mean(axis=(1, 3))
    assert coarse.shape == (100, 200)
    assert abs(coarse.mean()) < 0.2
    assert 0.2 < coarse.std() < 0.8
    assert np.corrcoef(coarse.ravel(), fine.ravel())[0, 1] > 0.9


def test_ridge_line_is_the_same_at_any_resolution(canvas):
    coarse = ridge_line(canvas, rng(), 3)
    fine = ridge_line(Canvas(Size(300, 600), 1.0, 2.0, 300.0), rng(), 3)
    assert coarse.shape == (1, 200)
    np.testing.assert_allclose(coarse, fine.reshape(1, 200, 3).mean(axis=2), atol=0.1)


def test_ramp_holds_its_ends_and_mixes_between():
    shades = ramp(np.array([-1.0, 0.0, 0.5, 1.0, 2.0]), "#000000 #ff0000 #ffffff")
    np.testing.assert_allclose(shades[:, 0], [0, 0, 1, 1, 1], atol=0.01)
    np.testing.assert_allclose(shades[:, 1], [0, 0, 0, 1, 1], atol=0.01)


def test_pigment_multiplies_with_its_density():
    paper = np.full((1, 3, 3), 0.8, dtype=np.float32)
    stained = pigment(paper, "#804020", np.array([[0.0, 1.0, 2.0]], dtype=np.float32))
    shade = colors("#804020")[0]
    np.testing.assert_allclose(stained[0], [paper[0, 0], 0.8 * shade, 0.8 * shade**2], rtol=1e-5)


def test_mix_and_smoothstep_by_hand():
    np.testing.assert_allclose(smoothstep(0.0, 1.0, np.array([-1.0, 0.25, 0.5, 3.0])), [0, 0.15625, 0.5, 1])
    np.testing.assert_allclose(smoothstep(1.0, 0.0, np.array([0.0, 1.0])), [1, 0])
    mixed = mix(np.zeros((1, 1, 3)), np.array([1.0, 0.5, 0.0]), np.array([[0.5]]))
    np.testing.assert_allclose(mixed, [[[0.5, 0.25, 0.0]]])


def test_smooth_curve_goes_through_its_knots():
    knots = np.array([(0, 0), (1, 2), (3, 1), (4, 4)], dtype=float)
    curve = smooth_curve(knots, samples=5)
    assert curve.shape == (16, 2)
    np.testing.assert_allclose(curve[::5], knots, atol=1e-6)


def test_normals_are_unit_and_across():
    line = np.stack([np.linspace(0, 1, 7), np.linspace(0, 2, 7)], axis=1)
    across = normals(line)
    np.testing.assert_allclose(np.linalg.norm(across, axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(across @ np.array([1.0, 2.0]), 0, atol=1e-6)


def test_tapered_outline_has_the_widths():
    lines = np.array([[(0, 0), (1, 0), (2, 0)], [(0, 0), (0, 1), (0, 2)]], dtype=float)
    widths = np.array([[0.2, 0.4, 0.0]] * 2)
    outlines = tapered(lines, widths)
    assert outlines.shape == (2, 6, 2)
    np.testing.assert_allclose(np.linalg.norm(outlines[:, :3] - outlines[:, :2:-1], axis=-1), widths, atol=1e-6)


def test_shapes_are_drawn_in_short_sides(canvas):
    picture = np.zeros((100, 200, 3), dtype=np.uint8)
    discs(picture, canvas, np.array([(1.5, 0.5)]), np.array([0.1]), (1.0, 1.0, 1.0))
    stroke(picture, canvas, np.array([(0.1, 0.2), (0.9, 0.2)]), (1.0, 0.0, 0.0), 0.04)
    assert (picture[50, 150] == 255).all()
    assert 300 < (picture[..., 2] > 127).sum() < 360
    assert (picture[20, 15:85] == (255, 0, 0)).all()
    assert (picture[30] == 0).all(axis=-1)[:100].all()
