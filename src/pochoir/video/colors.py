"""Conversion of decoded frames to full-range RGB, sRGB."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from pochoir._types import Size
from pochoir.errors import ImageReadError, InputError

Rgb = npt.NDArray[np.uint8]
"""Frame of shape (H, W, 3), sRGB-encoded, full range."""

_UNSPECIFIED: Final = 2
_BT709: Final = 1
_SWS_OF_SPACE: Final = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
_SPACE_NAMES: Final = {1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020", 10: "bt2020"}
_SWS_BT601: Final = 5
_FULL: Final = 2
_HD_FROM_LINES: Final = 576
"""Height above which untagged video is taken as BT.709; up to it, as BT.601 (the custom of players)."""
_WIDE_PRIMARIES: Final = (9, 11, 12)
"""BT.2020, DCI-P3 and Display P3. Those of BT.601 differ so little from sRGB's that players ignore them."""
_HDR_TRANSFERS: Final = (16, 18)
_STRIP_PIXELS: Final = 1 << 18
_ANGLE: Final = 90


class ColorTags(NamedTuple):
    """Colours of a video.

    Attributes:
        space: Matrix from Y'CbCr to R'G'B': ``"bt709"``, ``"bt601"``, ``"bt2020"``, ``"rgb"``, ...
        range: ``"limited"`` or ``"full"``.
        primaries: Code point of the primaries (ITU-T H.273).
        transfer: Code point of the transfer function (ITU-T H.273).
    """

    space: str
    range: str
    primaries: int
    transfer: int

    @property
    def is_hdr(self) -> bool:
        """True for PQ and HLG."""
        return self.transfer in _HDR_TRANSFERS

    @property
    def is_wide(self) -> bool:
        """True if pixels have to be converted to the primaries of sRGB."""
        return self.is_hdr or self.primaries in _WIDE_PRIMARIES


@dataclass(frozen=True)
class Geometry:
    """Shape of a video's frames on the screen.

    Attributes:
        stored: Size of the decoded pixels.
        turns: Quarter turns counter-clockwise that make the picture upright.
        aspect: Width of a pixel through its height.
    """

    stored: Size
    turns: int = 0
    aspect: Fraction = Fraction(1)

    @property
    def upright(self) -> Size:
        """Size of the upright picture with square pixels; no side is made smaller."""
        height, width = self.stored
        if self.aspect > 1:
            width = max(1, round(width * self.aspect))
        else:
            height = max(1, round(height / self.aspect))
        return Size(width, height) if self.turns % 2 else Size(height, width)


def geometry_of(frame: Any, aspect: Fraction | None) -> Geometry:
    """Return the geometry that a decoded frame and its stream declare; absurd values count as none."""
    ratio = aspect if aspect and Fraction(1, 10) <= aspect <= 10 else Fraction(1)
    return Geometry(Size(frame.height, frame.width), round(frame.rotation / _ANGLE) % 4, ratio)


def tags_of(frame: Any) -> ColorTags:
    """Return the colours of a decoded frame, with the customary ones where it declares none."""
    is_full = frame.color_range == _FULL or frame.format.name.startswith("yuvj")
    if frame.format.is_rgb or frame.format.name in ("pal8", "gray", "monob", "monow"):
        space, is_full = "rgb", True
    else:
        usual = "bt709" if frame.height > _HD_FROM_LINES else "bt601"
        space = _SPACE_NAMES.get(frame.colorspace, usual)
    return ColorTags(space, "full" if is_full else "limited", int(frame.color_primaries), int(frame.color_trc))


def to_rgb(library: Any, frame: Any, size: Size, turns: int) -> Rgb:
    """Convert a decoded frame to upright RGB.

    Args:
        library: PyAV.
        frame: Decoded frame.
        size: Size of the result, upright.
        turns: Quarter turns counter-clockwise.

    Returns:
        Shape (H, W, 3). Light above the white of a page is compressed; other primaries become those of sRGB.

    Raises:
        InputError: The colours are none that pochoir knows.
    """
    tags = tags_of(frame)
    flat = Size(size.width, size.height) if turns % 2 else size
    deep = tags.is_wide
    flags = library.video.reformatter.Interpolation
    is_smaller = flat.pixels < frame.width * frame.height
    # Without the flags for chroma, FFmpeg's short cuts are off by up to three levels.
    way = (flags.AREA if is_smaller else flags.BICUBIC) | flags.ACCURATE_RND
    way |= flags.FULL_CHR_H_INT | flags.FULL_CHR_H_INP
    options: dict[str, Any] = {"interpolation": way, "dst_color_range": _FULL, "threads": 1}
    if tags.space != "rgb":
        options["src_colorspace"] = _SWS_OF_SPACE.get(frame.colorspace, _SWS_BT601 if tags.space == "bt601" else _BT709)
    picture = frame.reformat(flat.width, flat.height, "rgb48le" if deep else "rgb24", **options).to_ndarray()
    rgb: Rgb = _to_srgb(picture, tags) if deep else picture
    return np.ascontiguousarray(np.rot90(rgb, turns))


def _to_srgb(picture: npt.NDArray[np.uint16], tags: ColorTags) -> Rgb:
    from pochoir.imaging.transfer_functions import (
        encoding_of_cicp,
        from_linear_srgb,
        rgb_to_rgb,
        srgb_to_linear,
        tone_map,
    )

    try:
        encoding = encoding_of_cicp(tags.primaries, tags.transfer)
    except ImageReadError as error:
        raise InputError(f"The video cannot be read: {error}.") from error
    out = np.empty(picture.shape, np.uint8)
    step = max(1, _STRIP_PIXELS // picture.shape[1])
    for top in range(0, len(picture), step):  # strips, so that a large frame needs little memory
        values = picture[top : top + step].astype(np.float32) / np.float32(65535)
        if encoding is not None:
            linear = srgb_to_linear(values) if encoding.to_linear is None else encoding.to_linear(values)
            if encoding.primaries is not None:
                linear = rgb_to_rgb(linear, encoding.primaries)
            values = from_linear_srgb(tone_map(linear) if encoding.is_hdr else linear)
        out[top : top + step] = np.rint(values.clip(0, 1) * 255)
    return out
