import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pochoir import imaging
from pochoir.errors import EmptyRegionError, OptionError, UnknownNameError
from pochoir.imaging import Picture
from pochoir.similarity import Exhibit, Framing, read_exhibit
from pochoir.similarity.views import SMALLEST_SIDE_PX, edge_band, parse_color


def test_the_whole_picture_is_seen_as_it_is(photo: Picture) -> None:
    view = Exhibit(photo).view(Framing())
    assert view.weight is None
    assert torch.equal(view.rgb, photo.rgb)


def test_a_cutout_stands_on_the_backdrop(photo: Picture) -> None:
    alpha = torch.zeros(1, 1, *photo.size)
    alpha[..., 30:, :] = 1.0
    alpha[..., 30, :] = 0.25
    cutout = dataclasses.replace(photo, alpha=alpha)
    rgb = Exhibit(cutout).view(Framing(backdrop="#ff0000")).rgb
    red = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1)
    torch.testing.assert_close(rgb[..., :30, :], red.expand(1, 3, 30, 80))
    torch.testing.assert_close(rgb[..., 30:31, :], 0.25 * photo.rgb[..., 30:31, :] + 0.75 * red)
    assert torch.equal(rgb[..., 31:, :], photo.rgb[..., 31:, :])


def test_what_is_not_scored_has_the_backdrops_colour(photo: Picture, box_mask: np.ndarray) -> None:
    exhibit = read_exhibit(photo, box_mask)
    subject, background = (exhibit.view(Framing(part, "white")) for part in ("subject", "background"))
    box = torch.from_numpy(box_mask > 0)
    assert bool((subject.rgb[..., ~box] == 1).all())
    assert torch.equal(subject.rgb[..., box], photo.rgb[..., box])
    assert bool((background.rgb[..., box] == 1).all())
    assert subject.weight is not None
    assert background.weight is not None
    assert torch.equal(subject.weight + background.weight, torch.ones(1, 1, 60, 80))


def test_a_cutouts_subject_is_its_alpha(photo: Picture) -> None:
    alpha = torch.rand(1, 1, *photo.size, generator=torch.Generator().manual_seed(0))
    view = Exhibit(dataclasses.replace(photo, alpha=alpha)).view(Framing("subject"))
    assert view.weight is not None
    assert torch.equal(view.weight, alpha)


def test_the_edge_band_lies_on_both_sides_of_the_outline() -> None:
    matte = torch.zeros(1, 1, 100, 100)
    matte[..., 50:] = 1.0
    band = edge_band(matte)
    columns = band[0, 0, 0].nonzero().flatten().tolist()
    assert columns == [48, 49, 50, 51]  # two pixels, 2 % of 100, to either side
    assert bool((band == band[:, :, :1]).all())


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 40), (2000, 50), (31, 33)])
def test_any_shape_gets_a_view_of_about_the_area(height: int, width: int) -> None:
    picture = imaging.load(np.zeros((height, width, 3), np.uint8))
    size = Exhibit(picture).view(Framing(), pixels=256 * 256).size
    assert size.short_side >= SMALLEST_SIDE_PX
    if 1 / 4 < height / width < 4:
        assert abs(size.pixels / 256**2 - 1) < 0.01


def test_the_key_names_all_that_changes_the_view(photo: Picture, box_mask: np.ndarray) -> None:
    exhibit, other_mask = read_exhibit(photo, box_mask), read_exhibit(photo, 255 - box_mask)
    keys = [
        exhibit.key(Framing()),
        exhibit.key(Framing(), pixels=100 * 100),
        exhibit.key(Framing("subject")),
        exhibit.key(Framing("edge")),
        exhibit.key(Framing("subject", "white")),
        other_mask.key(Framing("subject")),
    ]
    assert len(set(keys)) == len(keys)
    assert exhibit.key(Framing()) == exhibit.key(Framing(backdrop="white")) == other_mask.key(Framing())
    assert exhibit.view(Framing("edge")).key == exhibit.key(Framing("edge"))


def test_a_part_needs_a_mask(photo: Picture) -> None:
    with pytest.raises(OptionError, match="To score the edge of <image>, a mask or a picture with transparency"):
        Exhibit(photo).view(Framing("edge"))


@pytest.mark.parametrize(("part", "fill"), [("subject", 0), ("background", 255), ("edge", 255), ("edge", 0)])
def test_an_empty_part_is_told(photo: Picture, part: str, fill: int) -> None:
    with pytest.raises(EmptyRegionError, match=f"The {part} of <image> has no pixels"):
        read_exhibit(photo, np.full((60, 80), fill, np.uint8)).view(Framing(part))


def test_a_mask_of_another_size_is_resized_with_a_note(photo: Picture) -> None:
    exhibit = read_exhibit(photo, np.full((30, 40), 255, np.uint8))
    assert exhibit.notes == ("<image>: mask resized from 40x30 to 80x60",)


@pytest.mark.parametrize("text", ["blu", "#12345", "", "#ff000080", "12"])
def test_a_backdrop_is_an_opaque_colour(text: str) -> None:
    with pytest.raises(OptionError, match="a colour such as white, #rgb or #rrggbb"):
        Framing(backdrop=text)


def test_an_unknown_part_is_told() -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown part 'subjekt'\. Did you mean 'subject'"):
        Framing("subjekt")


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_colours_are_red_green_blue(values: tuple[int, int, int]) -> None:
    color = parse_color("#{:02x}{:02x}{:02x}".format(*values))
    assert (color.flatten() * 255).round().int().tolist() == list(values)
