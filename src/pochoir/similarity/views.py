"""Views of pictures for the metrics: laid on a backdrop, with weights for the part that is scored."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from PIL import ImageColor
from torch import Tensor

from pochoir import imaging
from pochoir._types import Size
from pochoir.errors import EmptyRegionError, OptionError, UnknownNameError
from pochoir.imaging import Matte, Picture
from pochoir.similarity.protocol import PARTS, View

SMALLEST_SIDE_PX = 32
"""Least height and width of a view, so that deep layers have some positions."""
EDGE_BAND = 0.02
"""Width of the edge band on either side of the outline, as a share of the square root of the area."""
_FEWEST_PIXELS = 1.0


@dataclass(frozen=True)
class Framing:
    """The part of a picture that is scored, and the backdrop.

    Attributes:
        part: ``"all"``, ``"subject"``, ``"background"`` or ``"edge"``, the band along the subject's outline.
        backdrop: Colour behind cutouts and in place of the parts that are not scored: ``"#rgb"``, ``"#rrggbb"`` or a
            name such as ``"white"``.

    Raises:
        UnknownNameError: There is no such part.
        OptionError: The backdrop is not a colour.
    """

    part: str = "all"
    backdrop: str = "#808080"

    def __post_init__(self) -> None:
        if self.part not in PARTS:
            raise UnknownNameError("part", self.part, PARTS)
        parse_color(self.backdrop)


def parse_color(text: str) -> Tensor:
    """Read a colour; return it in [0, 1], shape (1, 3, 1, 1).

    Raises:
        OptionError: The text is not an opaque colour.
    """
    try:
        values: tuple[int, ...] = ImageColor.getrgb(text)
    except ValueError:
        values = ()
    if len(values) != 3:
        raise OptionError(f"A backdrop for scoring is a colour such as white, #rgb or #rrggbb; got {text!r}.")
    return torch.tensor(values).view(1, 3, 1, 1) / 255.0


@dataclass(frozen=True, eq=False)
class Exhibit:
    """A picture to score, and the mask of its subject.

    Attributes:
        picture: The picture. It is laid on the backdrop by its alpha, which is also its subject without a mask.
        mask: The subject, at the picture's size; needed for any part but ``"all"`` unless the picture has alpha.
    """

    picture: Picture
    mask: Matte | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Conversions that were made on reading."""
        read: list[Picture | Matte] = [self.picture, *([] if self.mask is None else [self.mask])]
        return tuple(f"{item.name}: {note}" for item in read for note in item.notes)

    def key(self, framing: Framing, *, pixels: int | None = None) -> str:
        """Return the key of a view without making it."""
        is_laid = self.picture.alpha is not None or framing.part != "all"
        parts = [self.picture.sha256, str(_fit_area(self.picture.size, pixels)), framing.part]
        parts += [] if self.mask is None or framing.part == "all" else [self.mask.sha256]
        parts += [framing.backdrop] if is_laid else []
        return "/".join(parts)

    def view(self, framing: Framing, *, pixels: int | None = None) -> View:
        """Return the picture as a metric sees it.

        Where a part is scored, everything else gets the backdrop's colour, so nothing outside can change the score.

        Args:
            framing: The part and the backdrop.
            pixels: Area to scale to, in pixels; None keeps the picture's size.

        Raises:
            OptionError: A part is asked for, and there is neither a mask nor transparency.
            EmptyRegionError: The part has no pixels.
        """
        weight = _weigh(self.picture, framing.part, self.mask)
        opacity = self.picture.alpha if weight is None else weight
        rgb = self.picture.rgb
        if opacity is not None:
            rgb = torch.lerp(parse_color(framing.backdrop).expand_as(rgb), rgb, opacity)
        size = _fit_area(self.picture.size, pixels)
        return View(
            rgb=imaging.resize(rgb, size),
            weight=None if weight is None else imaging.resize(weight, size, mode="bilinear"),
            key=self.key(framing, pixels=pixels),
        )


def _weigh(picture: Picture, part: str, mask: Matte | None) -> Tensor | None:
    if part == "all":
        return None
    subject = picture.alpha if mask is None else mask.matte
    if subject is None:
        raise OptionError(f"To score the {part} of {picture.name}, a mask or a picture with transparency is needed.")
    weight = _PARTS_OF_MATTE[part](subject)
    if picture.alpha is not None and mask is not None:
        weight = weight * picture.alpha
    if float(weight.sum()) < _FEWEST_PIXELS:
        raise EmptyRegionError(f"The {part} of {picture.name} has no pixels by its mask, so it cannot be scored.")
    return weight


def edge_band(matte: Tensor) -> Tensor:
    """Return the band along a subject's outline: ones near it, zeros elsewhere.

    Args:
        matte: The subject in [0, 1], shape (1, 1, H, W).

    Returns:
        Ones where the matte is on both sides of one half within ``EDGE_BAND`` of the pixel; same shape.
    """
    radius = max(1, round(EDGE_BAND * math.sqrt(matte.shape[-2] * matte.shape[-1])))
    inside = (matte > 0.5).to(matte.dtype)
    # The maximum over a square, one direction after the other: the same values at a fraction of the work.
    grown, shrunk = (_spread(values, radius) for values in (inside, 1.0 - inside))
    return grown * shrunk


def _spread(values: Tensor, radius: int) -> Tensor:
    wide = F.max_pool2d(values, (1, 2 * radius + 1), stride=1, padding=(0, radius))
    return F.max_pool2d(wide, (2 * radius + 1, 1), stride=1, padding=(radius, 0))


_PARTS_OF_MATTE: dict[str, Callable[[Tensor], Tensor]] = {
    "subject": lambda matte: matte,
    "background": lambda matte: 1.0 - matte,
    "edge": edge_band,
}


def _fit_area(size: Size, pixels: int | None) -> Size:
    """Return the size of about this area and the same shape, with sides that a network can work on."""
    wanted = size if pixels is None else size.scaled(math.sqrt(pixels / size.pixels))
    return Size(max(SMALLEST_SIDE_PX, wanted.height), max(SMALLEST_SIDE_PX, wanted.width))
