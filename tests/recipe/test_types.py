import pytest
from hypothesis import given
from hypothesis import strategies as st

from pochoir._types import Box, Size

SIDES = st.integers(1, 20_000)


def test_height_comes_first_but_people_read_width_first():
    size = Size(480, 640)
    assert (size.height, size.width) == (480, 640)
    assert str(size) == "640x480"
    assert (size.long_side, size.short_side, size.pixels) == (640, 480, 307_200)
    assert str(Box(1, 2, 30, 40)) == "1,2,30,40"


@given(SIDES, SIDES, SIDES)
def test_the_long_side_is_exact_and_the_shape_is_kept(height, width, long_side):
    size = Size(height, width)
    fitted = size.fit_long_side(long_side)
    assert fitted.long_side == long_side
    assert fitted.short_side >= 1
    assert abs(fitted.short_side - size.short_side * long_side / size.long_side) <= 0.5 + 1e-6 or fitted.short_side == 1
    assert (fitted.height >= fitted.width) == (height >= width) or fitted.height == fitted.width


@pytest.mark.parametrize(
    ("factor", "expected"), [(1.0, (40, 60)), (0.5, (20, 30)), (0.001, (1, 1)), (2.26, (90, 136)), (0.0, (1, 1))]
)
def test_scaled(factor, expected):
    assert Size(40, 60).scaled(factor) == expected
