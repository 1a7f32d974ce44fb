"""Animated pictures (GIF, WebP, APNG) read as videos."""

import struct
import warnings
from collections.abc import Generator
from fractions import Fraction
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from PIL import Image

from pochoir._types import Size
from pochoir.errors import InputError
from pochoir.video.colors import ColorTags, Rgb
from pochoir.video.source import Moment

ANIMATED: Final = ("GIF", "WEBP", "PNG", "AVIF")
"""Pillow's names of formats that hold motion."""
_STILL: Final = ("JPEG", "TIFF", "BMP", "JPEG2000", "PPM", "ICO", "TGA", "PSD")
_OPAQUE: Final = 255
_DAMAGE: Final = (
    *(OSError, EOFError, ValueError, SyntaxError, IndexError, KeyError, TypeError, OverflowError, struct.error),
    Image.DecompressionBombError,
)
"""Errors that Pillow raises on damaged files."""
_LEAST_MS: Final = 20
_USUAL_MS: Final = 100
"""Browsers show frames of less than 20 ms for 100 ms."""


def count_frames(path: Path) -> int | None:
    """Return the number of frames if Pillow knows the file as a picture, and None if it does not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(path, formats=_known_formats()) as image:
                return int(getattr(image, "n_frames", 1)) if image.format in ANIMATED else 1
        except _DAMAGE:
            return None


def _known_formats() -> list[str]:
    """Return the formats to try; Pillow raises an error at the name of one that it was built without."""
    Image.init()
    return [name for name in (*ANIMATED, *_STILL) if name in Image.OPEN]


class AnimatedPicture:
    """An animated picture.

    Args:
        path: A file that Pillow knows as a picture of several frames.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        times = _durations_ms(path)
        with Image.open(path) as image:
            self.size = Size(image.height, image.width)
            self.has_alpha = image.has_transparency_data
        self._starts = [0, *accumulate(times)]
        self.time_base = Fraction(1, 1000)
        self.estimate = len(times)
        self.duration_s = Fraction(sum(times), 1000)
        self.fps = len(times) / self.duration_s
        self.rotation = 0
        self.has_sound = False
        self.is_variable = len(set(times)) > 1
        self.color = ColorTags("rgb", "full", 1, 13)
        self.notes: list[str] = []

    def moments(self, first: int) -> Generator[Moment, None, None]:
        """Yield all frames in order; each is drawn over the one before, so there is no other place to start at."""
        with Image.open(self._path) as image:
            for number in range(self.estimate):
                try:
                    image.seek(number)
                    rgb = self._on_white(image)
                except _DAMAGE:
                    self._note(f"frames from number {number} on are damaged and left out")
                    return
                start, end = self._starts[number : number + 2]
                yield Moment(number, Fraction(start, 1000), Fraction(end - start, 1000), partial(_resize, rgb))

    def find(self, time_s: Fraction) -> int:
        """Return the first frame."""
        return 0

    def key_before(self, index: int) -> int:
        """Return the first frame."""
        return 0

    def count(self) -> int:
        """Return the number of frames."""
        return self.estimate

    def _on_white(self, image: Image.Image) -> Rgb:
        rgba = np.asarray(image.convert("RGBA"))
        if (rgba[..., 3] == _OPAQUE).all():
            return np.ascontiguousarray(rgba[..., :3])
        self._note("transparent parts are laid on white")
        alpha = rgba[..., 3:].astype(np.float32) / _OPAQUE
        return np.rint(rgba[..., :3] * alpha + _OPAQUE * (1 - alpha)).astype(np.uint8)

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def _durations_ms(path: Path) -> list[int]:
    """Return the time that each frame is shown for, in milliseconds."""
    times = []
    with Image.open(path) as image:
        for number in range(int(getattr(image, "n_frames", 1))):
            try:
                image.seek(number)
                image.load()  # WebP knows the time only then
            except _DAMAGE:
                break
            time = round(image.info.get("duration", 0))
            times.append(time if time >= _LEAST_MS else _USUAL_MS)
    if not times:
        raise InputError(f"Cannot read the video {str(path)!r}: it holds no whole frame.")
    return times


def _resize(rgb: Rgb, size: Size) -> Rgb:
    if rgb.shape[:2] == tuple(size):
        return rgb
    way = cv2.INTER_AREA if size.pixels < rgb.shape[0] * rgb.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, (size.width, size.height), interpolation=way), np.uint8)
