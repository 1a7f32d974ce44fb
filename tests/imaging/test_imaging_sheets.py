"""Contact sheets: layout, transparency, captions."""

import pytest
import torch

from pochoir import imaging
from pochoir.errors import OptionError, ShapeError

RED = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1)


def red(height: int, width: int) -> torch.Tensor:
    return RED.expand(1, 3, height, width)


def red_box(sheet: torch.Tensor) -> tuple[int, int, int, int]:
    """Top, left, height and width of what is pure red; the hairline around a tile is not."""
    rows, columns = torch.nonzero((sheet[0] == RED[0]).all(0), as_tuple=True)
    top, left = int(rows.min()), int(columns.min())
    return top, left, int(rows.max()) - top + 1, int(columns.max()) - left + 1


@pytest.mark.parametrize(("height", "width"), [(50, 50), (400, 200), (30, 90), (2000, 50)])
def test_tiles_keep_their_shape(height: int, width: int) -> None:
    sheet = imaging.contact_sheet([("red", red(height, width))], columns=1, tile_px=120)
    _, _, seen_height, seen_width = red_box(sheet)
    scale = 120 / max(height, width)
    assert seen_height + 2 == pytest.approx(height * scale, abs=1)
    assert seen_width + 2 == pytest.approx(width * scale, abs=1)


def test_fills_rows_of_the_given_length() -> None:
    tile = ("t", red(40, 40))
    one, three, four, seven = (imaging.contact_sheet([tile] * n, columns=3, tile_px=64) for n in (1, 3, 4, 7))
    assert one.shape[3] < three.shape[3] == four.shape[3] == seven.shape[3]
    assert three.shape[2] < four.shape[2] < seven.shape[2]
    assert seven.shape[2] - four.shape[2] == four.shape[2] - three.shape[2]


def test_margins_are_equal_left_and_right() -> None:
    sheet = imaging.contact_sheet([("", red(40, 40))] * 2, columns=2, tile_px=64)
    _, left, _, width = red_box(sheet)
    assert left == sheet.shape[3] - left - width


def test_transparency_shows_a_checkerboard_and_hides_colours_under_it() -> None:
    rgba = torch.cat([red(64, 64), torch.ones(1, 1, 64, 64)], dim=1)
    rgba[:, 3, :, 32:] = 0
    sheet = imaging.contact_sheet([("", rgba)], columns=1, tile_px=64)
    top, left, height, width = red_box(sheet)
    assert width == 31
    hidden = sheet[0, :, top : top + height, left + width : left + 62]
    assert hidden.unique().tolist() == pytest.approx([0.9020, 1.0], abs=1e-3)


def test_caption_is_written_below_and_stays_in_its_column() -> None:
    blank = imaging.contact_sheet([("", red(64, 64))], columns=1, tile_px=64)
    short = imaging.contact_sheet([("caption", red(64, 64))], columns=1, tile_px=64)
    long = imaging.contact_sheet([("caption " * 40, red(64, 64))], columns=1, tile_px=64)
    top, left, height, _ = red_box(blank)
    for sheet in (short, long):
        assert sheet.shape == blank.shape
        written = torch.nonzero((sheet != blank).any(1)[0])
        assert written[:, 0].min() > top + height
        assert written[:, 1].min() >= left - 1
        assert written[:, 1].max() < left + 64


def test_values_are_those_of_the_picture() -> None:
    tile = torch.full((1, 3, 64, 64), 0.2)
    sheet = imaging.contact_sheet([("", tile)], columns=1, tile_px=64)
    assert sheet.dtype == torch.float32
    assert sheet[0, :, 30, 30].tolist() == pytest.approx([0.2] * 3, abs=0.002)


def test_unusable_layouts() -> None:
    with pytest.raises(OptionError, match="at least one picture"):
        imaging.contact_sheet([], columns=4, tile_px=64)
    with pytest.raises(OptionError, match="got 0 of 64 px"):
        imaging.contact_sheet([("", red(4, 4))], columns=0, tile_px=64)
    with pytest.raises(OptionError, match="got 1 of 3 px"):
        imaging.contact_sheet([("", red(4, 4))], columns=1, tile_px=3)
    with pytest.raises(ShapeError, match=r"got \(1, 1, 4, 4\)"):
        imaging.contact_sheet([("", torch.zeros(1, 1, 4, 4))], columns=1, tile_px=64)


def test_heads_stand_above_columns_and_before_rows() -> None:
    tiles = [("", red(60, 60))] * 6
    plain = imaging.contact_sheet(tiles, columns=3, tile_px=64)
    headed = imaging.contact_sheet(tiles, columns=3, tile_px=64, column_heads=["a", "b", "c"], row_heads=["one", "two"])
    added = [bigger - smaller for bigger, smaller in zip(headed.shape[-2:], plain.shape[-2:], strict=True)]
    assert min(added) > 10
    # Below and right of the heads nothing changes.
    assert torch.equal(headed[..., added[0] + 4 :, added[1] + 4 :], plain[..., 4:, 4:])
    assert float(headed[..., : added[0], added[1] :].min()) < 0.5  # ink
    assert float(headed[..., added[0] :, : added[1]].min()) < 0.5


def test_an_empty_place_stays_paper() -> None:
    sheet = imaging.contact_sheet([("", red(64, 64)), ("gone", None)], columns=2, tile_px=64)
    is_red = (sheet[0, 0] > 0.9) & (sheet[0, 1] < 0.1)
    assert bool(is_red[:, : sheet.shape[-1] // 2].any())
    assert not bool(is_red[:, sheet.shape[-1] // 2 :].any())
    assert imaging.contact_sheet([("none", None)], columns=1, tile_px=64).shape[1] == 3


@pytest.mark.parametrize("heads", [{"column_heads": ["a"]}, {"row_heads": ["a", "b"]}])
def test_heads_for_some_only_are_refused(heads: dict[str, list[str]]) -> None:
    with pytest.raises(OptionError, match="2 columns and 1 rows has a head for each or none"):
        imaging.contact_sheet([("", red(40, 40))] * 2, columns=2, tile_px=64, **heads)
