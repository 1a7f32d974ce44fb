"""Several pictures on one sheet, each with a caption."""

import math
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


def contact_sheet(
    tiles: Sequence[tuple[str, Tensor | None]],
    *,
    columns: int,
    tile_px: int,
    column_heads: Sequence[str] = (),
    row_heads: Sequence[str] = (),
) -> Tensor:
    """Lay pictures out in rows, each fitted into a square and with its caption below.

    Pictures keep their shapes and stand on their captions; a row is as high as its highest picture. Transparency is
    shown on a light checkerboard. A caption that is too long ends in an ellipsis. Pillow's own font is used, which
    draws an empty box for letters beyond ASCII.

    Args:
        tiles: Captions and pictures in [0, 1], shape (1, 3, H, W), or (1, 4, H, W) with alpha not multiplied in; None
            leaves a place empty.
        columns: Pictures in a row, at least 1.
        tile_px: Long side of every picture on the sheet, at least 32.
        column_heads: Above the columns, one for each; none if empty.
        row_heads: Before the rows, one for each; none if empty.

    Returns:
        An opaque picture, shape (1, 3, H, W).

    Raises:
        OptionError: There are no pictures, ``columns`` or ``tile_px`` is too small, or heads are missing.
        ShapeError: A tile is not one RGB or RGBA picture.
    """
    if not tiles:
        raise OptionError("A contact sheet needs at least one picture.")
    if columns < 1 or tile_px < _SMALLEST_TILE_PX:
        raise OptionError(
            f"A contact sheet has at least 1 column of {_SMALLEST_TILE_PX} px; got {columns} of {tile_px} px."
        )
    rows = [tiles[at : at + columns] for at in range(0, len(tiles), columns)]
    if len(column_heads) not in (0, columns) or len(row_heads) not in (0, len(rows)):
        raise OptionError(
            f"A sheet of {columns} columns and {len(rows)} rows has a head for each or none; "
            f"got {len(column_heads)} and {len(row_heads)}."
        )
    font = ImageFont.load_default(max(11, tile_px / 20))
    strips = [_row(row, tile_px, font) for row in rows]
    margin = tile_px // 14
    left = margin + (0 if not row_heads else _head_width(row_heads, tile_px, font) + margin)
    top = margin + (0 if not column_heads else 2 * _line(font))
    height = sum(strip.height for strip in strips)
    sheet = Image.new("RGB", (left + strips[0].width, top + height + margin), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for index, head in enumerate(column_heads):
        place = (left + index * (tile_px + margin) + tile_px / 2, margin)
        draw.text(place, _shorten(head, tile_px, font), fill=_INK, font=font, anchor="ma")
    for index, strip in enumerate(strips):
        sheet.paste(strip, (left, top))
        if row_heads:
            middle = top + (strip.height - _caption_height(font)) / 2
            text = _shorten(row_heads[index], tile_px, font)
            draw.text((left - margin, middle), text, fill=_INK, font=font, anchor="rm")
        top += strip.height
    return torch.from_numpy(np.array(sheet)).permute(2, 0, 1)[None].float().div_(255).contiguous()


def _head_width(heads: Sequence[str], tile_px: int, font: _Font) -> int:
    return min(tile_px, math.ceil(max(font.getlength(" ".join(head.split())) for head in heads)))


def _line(font: _Font) -> int:
    return int(font.size) if isinstance(font, ImageFont.FreeTypeFont) else 11


def _caption_height(font: _Font) -> int:
    return round(3.2 * _line(font))


def _row(tiles: Sequence[tuple[str, Tensor | None]], tile_px: int, font: _Font) -> Image.Image:
    """One row; every cell has its gutter to the right and its caption's room below."""
    pictures = [None if picture is None else _fit(picture, tile_px) for _, picture in tiles]
    height = max((picture.height for picture in pictures if picture is not None), default=_SMALLEST_TILE_PX)
    gutter, line = tile_px // 14, _line(font)
    strip = Image.new("RGB", (len(tiles) * (tile_px + gutter), height + _caption_height(font)), _PAPER)
    draw = ImageDraw.Draw(strip)
    for index, ((caption, _), picture) in enumerate(zip(tiles, pictures, strict=True)):
        left = index * (tile_px + gutter)
        place = (left + tile_px / 2, height + line * 0.6)
        draw.text(place, _shorten(caption, tile_px, font), fill=_INK, font=font, anchor="ma")
        if picture is None:
            continue
        corner = (left + (tile_px - picture.width) // 2, height - picture.height)
        strip.paste(picture, corner)
        edge = (corner[0], corner[1], corner[0] + picture.width - 1, corner[1] + picture.height - 1)
        draw.rectangle(edge, outline=_HAIRLINE)
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
