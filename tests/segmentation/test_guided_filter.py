import itertools
import tracemalloc

import numpy as np
import pytest
import torch

from pochoir.errors import ShapeError
from pochoir.segmentation.matting.guided_filter import guided_filter


def picture(height, width, seed=0):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def matte(height, width, seed=1):
    return torch.rand(1, 1, height, width, generator=torch.Generator().manual_seed(seed))


def slow_guided_filter(target, guide, *, radius, eps):
    """The definition, pixel by pixel: a ridge regression in each window, then the mean over the windows."""
    p, colours = target[0, 0].double().numpy(), guide[0].permute(1, 2, 0).double().numpy()
    height, width = p.shape

    def window(y, x):
        return slice(max(0, y - radius), y + radius + 1), slice(max(0, x - radius), x + radius + 1)

    fits = np.empty((height, width, 4))
    for y, x in itertools.product(range(height), range(width)):
        samples, values = colours[window(y, x)].reshape(-1, 3), p[window(y, x)].ravel()
        centred = samples - samples.mean(axis=0)
        covariance = centred.T @ centred / len(samples) + eps * np.eye(3)
        slope = np.linalg.solve(covariance, centred.T @ (values - values.mean()) / len(samples))
        fits[y, x] = *slope, values.mean() - slope @ samples.mean(axis=0)
    result = np.empty((height, width))
    for y, x in itertools.product(range(height), range(width)):
        mean_fit = fits[window(y, x)].reshape(-1, 4).mean(axis=0)
        result[y, x] = mean_fit[:3] @ colours[y, x] + mean_fit[3]
    return torch.from_numpy(result)[None, None].float()


@pytest.mark.parametrize(("radius", "eps"), [(1, 1e-4), (2, 1e-2), (20, 1e-4)])
@pytest.mark.parametrize("size", [(7, 9), (12, 5)])
def test_equals_the_definition(size, radius, eps):
    target, guide = matte(*size), picture(*size)
    expected = slow_guided_filter(target, guide, radius=radius, eps=eps)
    torch.testing.assert_close(guided_filter(target, guide, radius_px=radius, eps=eps), expected, rtol=0, atol=1e-5)


def test_equals_the_definition_where_windows_have_one_colour():
    target, guide = matte(8, 8), picture(8, 8)
    guide[..., :4] = torch.tensor([0.8, 0.3, 0.1]).view(1, 3, 1, 1)
    expected = slow_guided_filter(target, guide, radius=1, eps=1e-6)
    torch.testing.assert_close(guided_filter(target, guide, radius_px=1, eps=1e-6), expected, rtol=0, atol=1e-5)


def test_linear_function_of_the_colours_is_kept():
    guide = picture(20, 30)
    target = 0.2 * guide[:, :1] + 0.5 * guide[:, 1:2] - 0.1 * guide[:, 2:] + 0.15
    torch.testing.assert_close(guided_filter(target, guide, radius_px=3, eps=1e-9), target, rtol=0, atol=1e-5)


@pytest.mark.parametrize("subsampling", [1, 4])
def test_constant_target_stays_constant(subsampling):
    target = torch.full((1, 1, 41, 23), 0.3)
    given = guided_filter(target, picture(41, 23), radius_px=4, eps=1e-4, subsampling=subsampling)
    torch.testing.assert_close(given, target, rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", [(128, 96), (127, 93)])
def test_subsampled_filter_is_near_the_exact_one_on_a_smooth_picture(size):
    y, x = torch.meshgrid(torch.linspace(0, 3, size[0]), torch.linspace(0, 3, size[1]), indexing="ij")
    guide = torch.stack([y.sin(), x.cos(), (x * y).sin()])[None] / 2 + 0.5
    target = ((x + y).sin() / 2 + 0.5)[None, None]
    exact = guided_filter(target, guide, radius_px=8, eps=1e-3)
    fast = guided_filter(target, guide, radius_px=8, eps=1e-3, subsampling=4)
    error = (fast - exact).abs()
    assert float(error[..., 12:-12, 12:-12].max()) < 0.01  # windows at the border are clipped to coarser shapes
    assert float(error.mean()) < 0.003
    assert float((exact - target).abs().max()) > 0.1  # the filter has work to do here


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (3, 2)])
@pytest.mark.parametrize("subsampling", [1, 4])
def test_tiny_pictures_work(size, subsampling):
    given = guided_filter(matte(*size), picture(*size), radius_px=1, eps=1e-4, subsampling=subsampling)
    assert given.shape == (1, 1, *size)
    assert bool(given.isfinite().all())


def test_operands_are_left_as_they_are():
    target, guide = matte(16, 16), picture(16, 16)
    copies = target.clone(), guide.clone()
    guided_filter(target, guide, radius_px=2, eps=1e-4)
    assert torch.equal(target, copies[0])
    assert torch.equal(guide, copies[1])


def test_memory_of_a_large_photo_is_a_few_planes():
    target, guide = torch.zeros(1, 1, 1500, 2000), torch.zeros(1, 3, 1500, 2000)
    tracemalloc.start()
    guided_filter(target, guide, radius_px=20, eps=1e-4, subsampling=4)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak / (4 * 1500 * 2000) < 10  # an exact filter in float64 would take over 60


@pytest.mark.parametrize(
    ("target", "guide"),
    [((1, 1, 8, 8), (1, 3, 8, 9)), ((1, 3, 8, 8), (1, 3, 8, 8)), ((2, 1, 8, 8), (2, 3, 8, 8))],
)
def test_other_shapes_are_refused(target, guide):
    with pytest.raises(ShapeError, match="of the same size; got"):
        guided_filter(torch.zeros(target), torch.zeros(guide), radius_px=1, eps=1e-4)
