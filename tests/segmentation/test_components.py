import pytest
import torch

from pochoir._types import Box
from pochoir.errors import OptionError, ShapeError
from pochoir.recipe import SegmentSettings
from pochoir.segmentation import GivenMatte, find_parts, find_subject, select_parts, show_parts


def blocks() -> torch.Tensor:
    """Three blocks, in this order from left to right: middle, largest, smallest; and a speck."""
    matte = torch.zeros(1, 1, 60, 100)
    matte[..., 10:30, 5:25] = 1.0  # 400
    matte[..., 5:45, 35:65] = 1.0  # 1200
    matte[..., 10:20, 80:90] = 0.8  # 100
    matte[..., 50:53, 80:83] = 1.0  # 9, half a percent
    return matte


def test_numbered_from_the_largest_to_the_smallest_without_specks():
    parts = find_parts(blocks())
    assert len(parts) == 3
    assert parts.areas_px == (1200, 400, 100)
    assert parts.boxes == (Box(35, 5, 30, 40), Box(5, 10, 20, 20), Box(80, 10, 10, 10))
    labels = parts.labels[0, 0]
    assert [int(labels[y, x]) for y, x in ((20, 50), (20, 10), (15, 85), (51, 81), (0, 0))] == [1, 2, 3, 0, 0]


def test_equals_are_numbered_by_place_and_corners_connect():
    matte = torch.zeros(1, 1, 9, 9)
    matte[..., 0:2, 0:2] = matte[..., 2:4, 2:4] = 1.0
    matte[..., 6:8, 1:5] = 1.0
    assert find_parts(matte).areas_px == (8, 8)
    assert find_parts(matte).boxes[0] == Box(0, 0, 4, 4)


@pytest.mark.parametrize(("choice", "numbers"), [("largest", [1]), ("2", [2]), ("1,3", [1, 3]), ("3,1,3", [1, 3])])
def test_chosen_parts_stay_bit_for_bit(choice, numbers):
    matte = blocks()
    parts = find_parts(matte)
    made = select_parts(matte, parts, choice)
    chosen = torch.isin(parts.labels, torch.tensor(numbers))
    assert torch.equal(made, torch.where(chosen, matte, torch.zeros_like(matte)))


def test_all_is_the_very_same_matte_with_its_specks():
    matte = blocks()
    assert select_parts(matte, find_parts(matte), "all") is matte


def test_a_soft_fringe_goes_with_the_nearest_part():
    matte = torch.nn.functional.avg_pool2d(blocks()[..., :48, :], 5, stride=1, padding=2)
    made = select_parts(matte, find_parts(matte), "largest")
    assert torch.equal(made[..., 31:70], matte[..., 31:70])
    assert float(made[..., :28].max()) == float(made[..., 72:].max()) == 0.0


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("4", "There is no subject 4: 3 subjects were found. --as parts shows their numbers."),
        ("1,9", "There is no subject 9: 3 subjects"),
        ("0", "A subject is all, largest, or numbers such as 1 or 1,3; got '0'"),
        ("biggest", "A subject is all, largest, or numbers such as 1 or 1,3; got 'biggest'"),
    ],
)
def test_what_cannot_be_chosen(choice, message):
    with pytest.raises(OptionError, match=message.replace(".", r"\.")):
        select_parts(blocks(), find_parts(blocks()), choice)


def test_an_empty_matte_has_no_parts_and_stays_empty():
    matte = torch.full((1, 1, 8, 8), 0.3)
    parts = find_parts(matte)
    assert len(parts) == 0
    assert select_parts(matte, parts, "largest") is matte


def test_sizes_have_to_agree():
    parts = find_parts(blocks())
    with pytest.raises(ShapeError, match="The parts are"):
        select_parts(torch.zeros(1, 1, 5, 5), parts, "1")
    with pytest.raises(ShapeError, match="The parts are"):
        show_parts(torch.zeros(1, 3, 5, 5), parts)


def test_shown_parts_are_outlined_and_the_rest_is_dimmed():
    photo = torch.full((1, 3, 60, 100), 0.8)
    shown = show_parts(photo, find_parts(blocks()))
    assert shown.shape == photo.shape
    assert 0.0 <= float(shown.min()) <= float(shown.max()) <= 1.0
    dimmed = shown[0, :, 58, 2]
    assert float(dimmed.max()) < 0.5
    torch.testing.assert_close(shown[0, :, 40, 40], photo[0, :, 40, 40], rtol=0, atol=0.5 / 255)
    assert float((shown[0, :, 5, 50] - dimmed).abs().max()) > 0.2  # an outline
    assert float((shown[0, :, 20:30, 45:56] - 0.8).abs().max()) > 0.2  # a number


@pytest.mark.parametrize("size", [(1, 1), (2, 90), (90, 2)])
def test_tiny_photos_can_be_shown(size):
    parts = find_parts(torch.ones(1, 1, *size))
    assert parts.areas_px == (size[0] * size[1],)
    assert show_parts(torch.rand(1, 3, *size), parts).shape == (1, 3, *size)


def test_numbers_that_are_shown_are_those_that_are_taken():
    photo, given = torch.full((1, 3, 60, 100), 0.5), GivenMatte(blocks(), name="given")
    shown = find_subject(photo, SegmentSettings(), segmenter=given, with_parts=True).parts
    chosen = find_subject(photo, SegmentSettings(subject="2"), segmenter=given)
    assert torch.equal(chosen.parts.labels, shown.labels)
    assert find_parts(chosen.matte).boxes == (shown.boxes[1],)
    assert find_subject(photo, SegmentSettings(), segmenter=given).parts is None
