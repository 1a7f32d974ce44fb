import pytest
import torch

from pochoir._types import Size
from pochoir.transfer.tiling import GRID_PX, Window, find_window, plan_tiles

SIZES = [Size(700, 900), Size(513, 1031), Size(129, 2000), Size(300, 40)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("most_px", [1, 150_000, 300_000])
def test_cores_cover_the_picture_once(size, most_px):
    count = torch.zeros(1, 1, *size)
    for tile in plan_tiles(size, most_px=most_px, margin_px=70, grid_px=16):
        tile.core.cut(count).add_(1.0)
    assert count.min() == count.max() == 1.0


@pytest.mark.parametrize("size", SIZES)
def test_tiles_begin_on_the_grid_and_show_a_whole_margin(size):
    for tile in plan_tiles(size, most_px=1, margin_px=70, grid_px=16):
        (top, left, (height, width)), (above, before, shown) = tile.core, tile.shown
        assert top % 16 == left % 16 == above % 16 == before % 16 == 0
        assert above <= max(0, top - 70)
        assert before <= max(0, left - 70)
        assert above + shown.height >= min(size.height, top + height + 70)
        assert before + shown.width >= min(size.width, left + width + 70)


def test_positions_of_all_tiles_are_those_of_the_whole():
    size = Size(513, 1031)
    for stride in (1, 2, 8, 16):
        count = torch.zeros(size.height // stride, size.width // stride)
        for tile in plan_tiles(size, most_px=1, margin_px=70, grid_px=16):
            tile.positions(stride).cut(count).add_(1.0)
            shown = tile.positions_shown(stride)
            assert shown.top + shown.size.height <= tile.shown.size.height // stride
            assert shown.left + shown.size.width <= tile.shown.size.width // stride
        assert count.min() == count.max() == 1.0


def test_a_picture_that_fits_is_one_tile():
    (tile,) = plan_tiles(Size(60, 50), most_px=3000, margin_px=70, grid_px=16)
    assert tile.core == tile.shown == Window(0, 0, Size(60, 50))


def test_limit_is_held_where_margins_allow():
    tiles = plan_tiles(Size(2048, 3072), most_px=500_000, margin_px=70, grid_px=16)
    assert max(tile.shown.size.pixels for tile in tiles) <= 500_000
    assert sum(tile.shown.size.pixels for tile in tiles) < 1.6 * 2048 * 3072
    assert (
        min(tile.core.size.short_side for tile in plan_tiles(Size(1000, 1000), most_px=1, margin_px=9, grid_px=16)) > 99
    )


def test_paste_changes_only_the_window():
    frame, part = torch.zeros(1, 1, 6, 7), torch.ones(1, 1, 2, 3)
    pasted = Window(1, 2, Size(2, 3)).paste(frame, part)
    assert pasted.sum() == 6.0
    assert torch.equal(pasted[..., 1:3, 2:5], part)
    assert frame.sum() == 0.0


@pytest.mark.parametrize("margin_px", [0, 5, 48])
@pytest.mark.parametrize("box", [(0, 1, 0, 1), (99, 100, 129, 130), (40, 41, 0, 130), (33, 70, 17, 90)])
def test_a_window_lies_on_the_deep_layers_grid_and_holds_a_position(box, margin_px):
    cover = torch.zeros(1, 1, 100, 130)
    cover[..., box[0] : box[1], box[2] : box[3]] = 1.0
    window = find_window(cover, margin_px=margin_px)
    assert float(window.cut(cover).sum()) == float(cover.sum())
    assert window.top % GRID_PX == window.left % GRID_PX == 0
    for start, side, length in zip(window[:2], window.size, (100, 130), strict=True):
        assert side >= GRID_PX
        assert (start + side) % GRID_PX == 0 or start + side == length


def test_a_window_of_a_frame_without_a_whole_position_is_the_frame():
    assert find_window(torch.ones(1, 1, 9, 12), margin_px=3) == Window(0, 0, Size(9, 12))
