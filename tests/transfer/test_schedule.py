from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pochoir._types import Size
from pochoir.transfer.schedule import COARSEST_LONG_SIDE_PX, plan_scales

SIDES = st.integers(1, 8192)


@given(height=SIDES, width=SIDES, steps=st.integers(1, 500))
@example(height=3584, width=2000, steps=6)
@example(height=8192, width=8192, steps=7)
@example(height=1, width=8192, steps=3)
@example(height=3584, width=1, steps=10)
def test_steps_add_up_and_the_last_size_is_exact(height, width, steps):
    scales = plan_scales(Size(height, width), steps)
    assert scales[-1].size == Size(height, width)
    assert sum(scale.steps for scale in scales) == steps
    assert all(scale.steps >= 1 for scale in scales)
    shares = [scale.steps for scale in scales]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] <= shares[-1] + 1


@given(height=SIDES, width=SIDES, steps=st.integers(1, 500))
def test_sizes_double_from_one_that_is_large_enough(height, width, steps):
    scales = plan_scales(Size(height, width), steps)
    for coarse, fine in pairwise(scales):
        assert coarse.size.height == pytest.approx(fine.size.height / 2, abs=0.76)
        assert coarse.size.width == pytest.approx(fine.size.width / 2, abs=0.76)
    if len(scales) > 1:
        assert scales[0].size.long_side >= COARSEST_LONG_SIDE_PX
    if steps > len(scales):  # not cut short
        assert scales[0].size.long_side < 2 * COARSEST_LONG_SIDE_PX + 1


def test_common_cases():
    assert plan_scales(Size(384, 512), 36) == (
        (Size(96, 128), 12),
        (Size(192, 256), 12),
        (Size(384, 512), 12),
    )
    assert [scale.steps for scale in plan_scales(Size(1536, 2048), 36)] == [8, 7, 7, 7, 7]


@pytest.mark.parametrize(("steps", "sizes"), [(1, [512]), (2, [256, 512]), (3, [128, 256, 512]), (9, [128, 256, 512])])
def test_coarse_scales_without_a_step_are_dropped(steps, sizes):
    assert [scale.size.width for scale in plan_scales(Size(300, 512), steps)] == sizes


@pytest.mark.parametrize("size", [Size(1, 1), Size(64, 111), Size(223, 100)])
def test_small_pictures_have_one_scale(size):
    assert plan_scales(size, 7) == ((size, 7),)


def test_panorama_keeps_a_side_of_one_pixel():
    assert [scale.size for scale in plan_scales(Size(1, 500), 10)] == [Size(1, 125), Size(1, 250), Size(1, 500)]


def test_no_coarse_scale_is_without_a_position_of_the_shallowest_layer():
    assert [scale.size for scale in plan_scales(Size(20, 800), 10, stride=16)] == [Size(20, 800)]
    sizes = [scale.size for scale in plan_scales(Size(400, 400), 10, smallest_region_px=500, stride=16)]
    assert sizes == [Size(400, 400)]
