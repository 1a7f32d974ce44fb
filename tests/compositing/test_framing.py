"""Cutouts trimmed, scaled and padded, on any ground without a rim; and their shadow."""

import io
from dataclasses import replace

import pytest
import torch
from PIL import Image

from pochoir import imaging
from pochoir._types import Size
from pochoir.compositing import Framing, alpha_over, contact_shadow, cutout, frame, lay_shadow
from pochoir.errors import EmptyRegionError, OptionError, ShapeError

GROUNDS = {"white": (1.0, 1.0, 1.0), "black": (0.0, 0.0, 0.0), "green": (0.0, 1.0, 0.0)}
RED = (0.8, 0.2, 0.1)


def flat(color: tuple[float, float, float], height: int, width: int) -> torch.Tensor:
    return torch.tensor(color).view(1, 3, 1, 1).expand(1, 3, height, width).contiguous()


def red_cutout(matte: torch.Tensor, *, under: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> torch.Tensor:
    """A red subject; other programs leave any colour under alpha 0."""
    height, width = matte.shape[-2:]
    colors = torch.where(matte > 0, flat(RED, height, width), flat(under, height, width))
    return torch.cat([colors, matte], dim=1)


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("long_side", [23, 37, 150])
@pytest.mark.parametrize("hard", [True, False])
def test_a_resized_cutout_has_no_rim(disc_matte: torch.Tensor, ground: str, long_side: int, hard: bool) -> None:
    matte = (disc_matte > 0.5).float() if hard else disc_matte
    given = red_cutout(matte, under=(0.1, 0.3, 1.0))
    size = Size(48, 64).fit_long_side(long_side)
    scaled = imaging.resize_with_alpha(given, size)
    # The same subject with its red everywhere, so that nothing but red and the ground can be mixed.
    back = flat(GROUNDS[ground], *size)
    expected = alpha_over(flat(RED, *size), back, scaled[:, 3:])
    assert (alpha_over(scaled[:, :3], back, scaled[:, 3:]) - expected).abs().max() < 2 / 255
    # Scaling colours and alpha apart would show the blue that is not to be seen.
    naive = imaging.resize(given, size)
    assert (alpha_over(naive[:, :3], back, naive[:, 3:]) - expected).abs().max() > 8 / 255


def test_resizing_keeps_range_and_identity(disc_matte: torch.Tensor) -> None:
    given = red_cutout(disc_matte)
    assert imaging.resize_with_alpha(given, Size(48, 64)) is given
    scaled = imaging.resize_with_alpha(given, Size(7, 90))
    assert scaled.shape == (1, 4, 7, 90)
    assert scaled.min() >= 0
    assert scaled.max() <= 1


def test_trim_leaves_what_is_seen() -> None:
    matte = torch.zeros(1, 1, 20, 30)
    matte[..., 4:9, 10:22] = 1.0
    matte[..., 15, 2] = 0.01  # a speck that nobody sees
    trimmed = frame(red_cutout(matte), Framing(trim=True))
    assert trimmed.shape == (1, 4, 5, 12)
    assert bool((trimmed[:, 3] == 1).all())


def framing(pad: str, size: int | None) -> Framing:
    share = float(pad[:-1]) / 100 if pad.endswith("%") else 0.0
    return Framing(trim=True, pad_px=0 if share else int(pad), pad_share=share, long_side_px=size)


@pytest.mark.parametrize(
    ("pad", "size", "expected"),
    [
        ("0", None, (5, 12)),
        ("3", None, (11, 18)),
        ("25%", None, (11, 18)),
        ("0", 24, (10, 24)),
        ("2", 24, (8 + 4, 24)),
        ("25%", 36, (10 + 12, 36)),
        ("5%", 99, (38 + 8, 99)),
    ],
)
def test_sizes(pad: str, size: int | None, expected: tuple[int, int]) -> None:
    matte = torch.zeros(1, 1, 20, 30)
    matte[..., 4:9, 10:22] = 1.0
    framed = frame(red_cutout(matte), framing(pad, size))
    assert tuple(framed.shape[-2:]) == expected
    if pad != "0":
        assert framed[:, 3, 0].max() == 0
        assert (framed[:, :3, 0] - torch.tensor(RED).view(1, 3, 1)).abs().max() < 0.02  # red goes on under the margin


@pytest.mark.parametrize(
    ("pad", "size", "side"), [("0", None, 12), ("3", None, 18), ("0", 24, 24), ("5%", 99, 99), ("25%", 36, 36)]
)
@pytest.mark.parametrize("is_upright", [False, True])
def test_squares_have_the_cutout_in_the_middle(pad: str, size: int | None, side: int, is_upright: bool) -> None:
    matte = torch.zeros(1, 1, 20, 30)
    matte[..., 4:9, 10:22] = 1.0
    matte = matte.mT if is_upright else matte
    plain = frame(red_cutout(matte), framing(pad, size))
    square = frame(red_cutout(matte), replace(framing(pad, size), square=True))
    assert tuple(square.shape[-2:]) == (side, side)
    above, left = ((side - length) // 2 for length in plain.shape[-2:])
    inside = (..., slice(above, above + plain.shape[-2]), slice(left, left + plain.shape[-1]))
    assert torch.equal(square[inside], plain)
    assert square[:, 3].sum() == pytest.approx(float(plain[:, 3].sum()))  # all around is transparent
    assert (square[:, :3] - torch.tensor(RED).view(1, 3, 1, 1)).abs().max() < 0.02  # and red under it


def test_nothing_to_do_is_nothing_done(disc_matte: torch.Tensor) -> None:
    given = red_cutout(disc_matte)
    assert frame(given, Framing()) is given


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"pad_px": -1}, "A margin is 0 to 32768 pixels; got -1"),
        ({"pad_share": float("nan")}, "A margin is 0% to 1000%"),
        ({"long_side_px": 0}, "A size is 1 to 32768 pixels"),
        ({"long_side_px": 30, "pad_px": 15}, "leaves no room"),
    ],
)
def test_wrong_framings(values: dict[str, float], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Framing(**values)


def test_nothing_to_trim_to() -> None:
    with pytest.raises(EmptyRegionError, match="There is no subject to trim to"):
        frame(red_cutout(torch.zeros(1, 1, 4, 4)), Framing(trim=True))


@pytest.mark.parametrize("shape", [(1, 3, 4, 4), (2, 4, 4, 4), (4, 4, 4)])
def test_what_is_no_cutout(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="A cutout has the shape"):
        frame(torch.zeros(shape), Framing())


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tiff"])
def test_alpha_is_straight_in_every_format(disc_matte: torch.Tensor, tmp_path: object, suffix: str) -> None:
    given = red_cutout(disc_matte, under=RED)
    path = f"{tmp_path}/cutout{suffix}"
    imaging.save(path, given[:, :3], alpha=given[:, 3:], options=imaging.SaveOptions(quality=100))
    with open(path, "rb") as file, Image.open(io.BytesIO(file.read())) as image:  # noqa: PTH123
        assert image.mode == "RGBA"
    read = imaging.load(path)
    assert read.alpha is not None
    assert (read.alpha - disc_matte).abs().max() <= 0.5 / 255 + 1e-6
    soft = (disc_matte > 0.1).expand(-1, 3, -1, -1)
    # Colours multiplied by alpha would be ten times darker at its faintest.
    assert (read.rgb - flat(RED, 48, 64))[soft].abs().max() < 6 / 255


@pytest.fixture(scope="module")
def scene() -> dict[str, torch.Tensor]:
    """A red ball on a floor that gets darker to one side, its shadow below it."""
    y, x = torch.meshgrid(torch.arange(150.0), torch.arange(200.0), indexing="ij")
    grain = 0.02 * torch.randn(1, 3, 150, 200, generator=torch.Generator().manual_seed(0))
    floor = (torch.stack([0.75 - y / 600 + x / 2000, 0.7 - y / 750, 0.6 - y / 750])[None] + grain).clamp(0, 1)
    matte = ((30 - torch.hypot(x - 100, y - 75)) / 2 + 0.5).clamp(0, 1)[None, None]
    shadow = 0.5 * torch.sigmoid((1 - torch.hypot((x - 106) / 38, (y - 104) / 12)) * 8)[None, None]
    ball = flat(RED, 150, 200)
    return {
        "matte": matte,
        "shadow": shadow,
        "photo": alpha_over(ball, floor * (1 - shadow), matte),
        "bare": alpha_over(ball, floor, matte),
    }


class TestShadow:
    def test_a_known_shadow_is_found(self, scene: dict[str, torch.Tensor]) -> None:
        found = contact_shadow(scene["photo"], scene["matte"])
        outside = scene["matte"] == 0
        core = outside & (scene["shadow"] > 0.4)
        assert core.sum() > 100
        assert (found - scene["shadow"])[core].abs().mean() < 0.06
        assert found[outside & (scene["shadow"] < 0.005)].mean() < 0.005

    def test_where_there_is_none_none_is_found(self, scene: dict[str, torch.Tensor]) -> None:
        assert contact_shadow(scene["bare"], scene["matte"]).max() < 0.05

    @pytest.mark.parametrize("value", [0.0, 1.0])
    @pytest.mark.parametrize("size", [(1, 1), (3, 40), (20, 20)])
    def test_without_subject_or_ground(self, value: float, size: tuple[int, int]) -> None:
        matte = torch.full((1, 1, *size), value)
        assert torch.equal(contact_shadow(torch.rand(1, 3, *size), matte), torch.zeros(1, 1, *size))

    @pytest.mark.parametrize("ground", GROUNDS)
    def test_laid_as_one_or_after_each_other_is_the_same(self, scene: dict[str, torch.Tensor], ground: str) -> None:
        cut = cutout(scene["photo"], scene["matte"])
        both = lay_shadow(cut, scene["shadow"])
        back = flat(GROUNDS[ground], 150, 200)
        apart = alpha_over(cut[:, :3], alpha_over(torch.zeros_like(back), back, scene["shadow"]), cut[:, 3:])
        torch.testing.assert_close(alpha_over(both[:, :3], back, both[:, 3:]), apart, atol=1e-5, rtol=0)

    def test_wrong_shapes(self) -> None:
        with pytest.raises(ShapeError, match="of one size are needed"):
            lay_shadow(torch.zeros(1, 4, 4, 4), torch.zeros(1, 1, 4, 5))
        with pytest.raises(ShapeError, match="one photo at a time; got 2"):
            contact_shadow(torch.zeros(2, 3, 4, 4), torch.zeros(2, 1, 4, 4))
