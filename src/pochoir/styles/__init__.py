"""Style pictures drawn by code, at any size and for any seed.

Each style is one small module with a function ``paint(canvas, rng)``; the modules and the array libraries they
need are imported when a picture is drawn, so names and descriptions can be listed at no cost.

Texture makes a picture useful as a style: the Gram matrices of an encoder keep which features occur
together and forget where. So every style has marks at several scales (grain, stroke, line, large shape), a decided
palette from dark to light, and no large flat area. But marks of a few pixels that lie close together, such as curls of
foam or specks of ink, come out as worms all over a photo's sky, so shapes are broad where a style has a sky.
"""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from pochoir import _plugins
from pochoir._types import Size
from pochoir.errors import ImageReadError, OptionError, UnknownNameError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["MAX_ASPECT", "MAX_SIDE_PX", "MIN_SIDE_PX", "NAMES", "check_style", "describe", "draw", "style_names"]

MIN_SIDE_PX = 16
"""Shortest side that still shows a style."""
MAX_SIDE_PX = 16384
"""Longest side that is drawn."""
MAX_ASPECT = 64
"""Largest ratio of the long side to the short one."""

_DESCRIPTIONS = {
    "stained-glass": "Streaked glass in jewel colours around a sun, held by lead lines of two widths",
    "woodblock-waves": "Breaking waves with foam claws in Prussian blue and cream, printed from grained wood",
    "pointillism": "A river at sunset in dabs of three sizes, each hue broken by its complement",
    "marbling": "Ink stones floated on water, combed into feathers and curled with a stylus",
    "cut-paper": "Fronds and pebbles cut from gouache-painted papers, laid with their shadows on bold blocks",
    "hatching": "Pen strokes in four inks that follow the folds of the land and cross where it is dark",
    "mosaic": "Glass and gold tesserae set in rows along the outlines, with grout between",
    "ink-wash": "Misty mountains and bamboo in black ink, with vermilion and indigo, on fibrous paper",
}

NAMES: tuple[str, ...] = tuple(_DESCRIPTIONS)
"""Names of the built-in styles, in the order in which they are listed."""


def style_names() -> tuple[str, ...]:
    """Return the names of all styles: ``NAMES``, and those of other packages' entry points ``pochoir.styles``."""
    return (*NAMES, *(name for name in _plugins.plugin_names(_plugins.STYLES) if name not in NAMES))


def describe(name: str) -> str:
    """Return one line about a style.

    Args:
        name: One of ``style_names()``.

    Returns:
        Contents and technique of a built-in style, or the package of another one, without a full stop.

    Raises:
        UnknownNameError: There is no style of that name.
    """
    _check_name(name)
    if name in _DESCRIPTIONS:
        return _DESCRIPTIONS[name]
    return f"Of the package {_plugins.package_of(_plugins.STYLES, name)}"


def draw(name: str, *, size: Size, seed: int = 0) -> "npt.NDArray[np.uint8]":
    """Draw a style picture.

    All lengths are shares of the short side. So for one seed and one shape of picture, a small drawing shows the scene
    of the large one; the places of single strokes and stones may differ. Shapes are drawn at twice the size or more
    and averaged down, up to six million pixels. Larger pictures are enlarged from that, which bounds time and memory.

    Args:
        name: One of ``style_names()``.
        size: Height and width in pixels.
        seed: Which of the style's pictures, from 0 to 2**32 - 1; the same seed and size give the same bytes.

    Returns:
        RGB picture, uint8, shape (height, width, 3).

    Raises:
        UnknownNameError: There is no style of that name.
        OptionError: The size or the seed is out of bounds.
        PluginError: The style is another package's, and cannot be used.
    """
    _check_name(name)
    _check_size(size)
    if not 0 <= seed < 2**32:
        raise OptionError(f"A style's seed must be between 0 and {2**32 - 1}; got {seed}.")
    if name not in NAMES:
        picture: npt.NDArray[np.uint8] = _plugins.call_plugin(_plugins.STYLES, name, size, seed)
        return picture
    from pochoir.styles import canvas

    style = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    return canvas.render(style.paint, size, seed)


def check_style(source: str) -> None:
    """Raise an error if a style that is no file is no known name, either.

    Raises:
        ImageReadError: It looks like the path of a file.
        UnknownNameError: It looks like a name.
    """
    if source not in style_names() and (Path(source).suffix or "/" in source or "\\" in source):
        raise ImageReadError(f"The style {source} does not exist; built-in styles are {', '.join(style_names())}.")
    _check_name(source)


def _check_name(name: str) -> None:
    if name not in _DESCRIPTIONS and name not in style_names():
        raise UnknownNameError("style", name, style_names())


def _check_size(size: Size) -> None:
    if size.short_side < MIN_SIDE_PX or size.long_side > MAX_SIDE_PX:
        raise OptionError(f"A style is drawn with sides from {MIN_SIDE_PX} to {MAX_SIDE_PX} pixels; got {size}.")
    if size.long_side > MAX_ASPECT * size.short_side:
        raise OptionError(f"A style is drawn up to {MAX_ASPECT} times as long as it is wide; got {size}.")
