"""Several pictures on one sheet, each with a caption."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from pochoir._types import Size
from pochoir.errors import OptionError, ShapeError
from pochoir.imaging.resizing import resize

_PAPER = (247, 246, 243)
_INK = (58, 56, 52)
_HAIRLINE = (214, 211, 205)  # keeps a white picture from melting into the paper
_CHECKER = (1.0, 0.9)
_CHECKER_PX = 8
_SMALLEST_TILE_PX = 32
_ELLIPSIS = "…"

_Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont


def contact_sheet(tiles: Sequence[tuple[str, Tensor]], *, columns: int, tile_px: int) -> Tensor:
    """Lay pictures out in rows, each fitted into a square and with its caption below.

    Pictures keep their shapes and stand on their captions; a row is as high as its highest picture. Transparency is
    shown on a light checkerboard. A caption that is too long ends in an ellipsis. Pillow's own font is used, which
    draws an empty box for letters beyond ASCII.

    Args:
        tiles: Captions and pictures in [0, 1], shape (1, 3, H, W), or (1, 4, H, W) with alpha not multiplied in.
        columns: Pictures in a row, at least 1.
        tile_px: Long side of every picture on the sheet, at least 32.

    Returns:
        An opaque picture, shape (1, 3, H, W).

    Raises:
        OptionError: There are no pictures, or ``columns`` or ``tile_px`` is too small.
        ShapeError: A tile is not one RGB or RGBA picture.
    """
    if not tiles:
        raise OptionError("A contact sheet needs at least one picture.")
    if columns < 1 or tile_px < _SMALLEST_TILE_PX:
        raise OptionError(
            f"A contact sheet has at least 1 column of {_SMALLEST_TILE_PX} px; got {columns} of {tile_px} px."
        )
    font = ImageFont.load_default(max(11, tile_px / 20))
    strips = [_row(tiles[at : at + columns], tile_px, font) for at in range(0, len(tiles), columns)]
    margin = tile_px // 14
    sheet = Image.new("RGB", (strips[0].width + margin, sum(strip.height for strip in strips) + 2 * margin), _PAPER)
    top = margin
    for strip in strips:
        sheet.paste(strip, (margin, top))
        top += strip.height
    return torch.from_numpy(np.array(sheet)).permute(2, 0, 1)[None].float().div_(255).contiguous()


def _row(tiles: Sequence[tuple[str, Tensor]], tile_px: int, font: _Font) -> Image.Image:
    """One row; every cell has its gutter to the right and its caption's room below."""
    pictures = [_fit(picture, tile_px) for _, picture in tiles]
    height = max(picture.height for picture in pictures)
    gutter, line = tile_px // 14, int(font.size) if isinstance(font, ImageFont.FreeTypeFont) else 11
    strip = Image.new("RGB", (len(tiles) * (tile_px + gutter), height + round(3.2 * line)), _PAPER)
    draw = ImageDraw.Draw(strip)
    for index, ((caption, _), picture) in enumerate(zip(tiles, pictures, strict=True)):
        left = index * (tile_px + gutter)
        corner = (left + (tile_px - picture.width) // 2, height - picture.height)
        strip.paste(picture, corner)
        edge = (corner[0], corner[1], corner[0] + picture.width - 1, corner[1] + picture.height - 1)
        draw.rectangle(edge, outline=_HAIRLINE)
        place = (left + tile_px / 2, height + line * 0.6)
        draw.text(place, _shorten(caption, tile_px, font), fill=_INK, font=font, anchor="ma")
    return strip


def _fit(picture: Tensor, tile_px: int) -> Image.Image:
    if picture.ndim != 4 or picture.shape[0] != 1 or picture.shape[1] not in (3, 4) or 0 in picture.shape:
        raise ShapeError(f"A tile has the shape (1, 3, H, W) or (1, 4, H, W); got {tuple(picture.shape)}.")
    picture = picture.detach().cpu()
    size = Size(*picture.shape[-2:]).fit_long_side(tile_px)
    if picture.shape[1] == 3:
        shown = resize(picture, size)
    else:
        alpha = picture[:, 3:]
        # Multiplied first, so that colours under alpha 0 are not mixed in while shrinking.
        shown = resize(picture[:, :3] * alpha, size) + (1 - resize(alpha, size)) * _checkerboard(size)
    values = shown[0].permute(1, 2, 0).clamp(0, 1).mul(255).add(0.5).to(torch.uint8)
    return Image.fromarray(values.numpy())


def _checkerboard(size: Size) -> Tensor:
    rows, columns = torch.arange(size.height) // _CHECKER_PX, torch.arange(size.width) // _CHECKER_PX
    is_dark = (rows[:, None] + columns[None]) % 2 == 1
    light, dark = _CHECKER
    return torch.where(is_dark, dark, light)[None, None]


def _shorten(caption: str, width_px: int, font: _Font) -> str:
    text = " ".join(caption.split())
    if font.getlength(text) <= width_px:
        return text
    while text and font.getlength(text + _ELLIPSIS) > width_px:
        text = text[:-1]
    return text.rstrip() + _ELLIPSIS
