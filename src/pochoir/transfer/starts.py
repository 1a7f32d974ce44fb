"""Pictures that painting starts from."""

from collections.abc import Callable

import torch
from torch import Tensor

from pochoir import imaging
from pochoir._types import Size
from pochoir.transfer.color import match_color
from pochoir.transfer.filters import gaussian_blur
from pochoir.transfer.pyramid import Level, Sample

TEXTURE_AMOUNT = 0.6
"""Share of the style texture added to the start for seeds other than 0. At this amount the strokes of two seeds have a
correlation of about .7 and objectives within 3 %; at 1 the objective was up to 4.4 % higher."""
TEXTURE_BLUR_PX = 6.0
"""Texture is the detail of the style that this blur removes; broad colour is left to the photo."""


def start_from_content(level: Level, seed: int) -> Tensor:
    """Return the photo, each region in the palette of its style: half of the change to a style is colour.

    Args:
        level: Photo and regions at the coarsest scale.
        seed: 0 adds nothing. Any other adds the texture of a random crop of each style, so that other strokes form.

    Returns:
        Shape (1, 3, H, W), in [0, 1].
    """
    picture = level.photo * (1.0 - level.cover).clamp_min(0.0)
    generator = torch.Generator().manual_seed(seed)
    size = Size(*level.photo.shape[-2:])
    for region in level.regions:
        shares = sum(style.share for style in region.samples)
        for style in map(level.scale_style, region.samples):
            painted = match_color(level.photo, style.picture, region.matte, style.mask)
            if seed:
                painted = painted + TEXTURE_AMOUNT * style_texture(style, size, generator)
            picture = picture + region.matte * painted * (style.share / shares)
    return picture.clamp(0.0, 1.0)


def style_texture(style: Sample, size: Size, generator: torch.Generator) -> Tensor:
    """Return the fine detail of a random, mirrored crop of a style.

    Args:
        style: The style at the scale to paint at. Where it has a mask, only the texture inside is taken.
        size: Size of the crop; a smaller style is carried on by reflection.
        generator: Draws the place and the mirroring, on the CPU.

    Returns:
        Shape (1, 3, height, width), about 0 on average.
    """
    rows, columns = (
        _reflected_places(wanted, own, generator).to(style.picture.device)
        for wanted, own in zip(size, style.picture.shape[-2:], strict=True)
    )

    def crop(picture: Tensor) -> Tensor:
        return picture[..., rows, :][..., columns]

    part = crop(style.picture)
    texture = part - gaussian_blur(part, TEXTURE_BLUR_PX)
    return texture if style.mask is None else texture * crop(style.mask)


def _reflected_places(count: int, length: int, generator: torch.Generator) -> Tensor:
    """Return neighbouring indices into an axis, from a random one in a random direction, reflected at its ends."""
    period = max(1, 2 * (length - 1))
    first = int(torch.randint(period, (), generator=generator))  # the second half of a period runs backwards
    places = (first + torch.arange(count)) % period
    return torch.where(places < length, places, period - places)


def start_from_noise(level: Level, seed: int) -> Tensor:
    """Return uniform noise, drawn on the CPU so that every device starts alike."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(level.photo.shape, generator=generator).to(level.photo)


def start_from_style(level: Level, seed: int) -> Tensor:
    """Return each region's first style picture, stretched over the frame."""
    size = Size(*level.photo.shape[-2:])
    picture = level.photo * (1.0 - level.cover).clamp_min(0.0)
    for region in level.regions:
        picture = picture + region.matte * imaging.resize(region.styles[0][0], size)
    return picture.clamp(0.0, 1.0)


STARTS: dict[str, Callable[[Level, int], Tensor]] = {
    "content": start_from_content,
    "noise": start_from_noise,
    "style": start_from_style,
}
