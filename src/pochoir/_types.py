"""Types that all modules share.

The contract of tensors: pictures are RGB, float32, sRGB-encoded, in [0, 1], shape (B, 3, H, W);
mattes are float32 in [0, 1], shape (B, 1, H, W). PIL images and uint8 arrays exist only at the edges.
"""

from typing import NamedTuple


class Size(NamedTuple):
    """Height and width of a picture in pixels, in this order."""

    height: int
    width: int

    @property
    def long_side(self) -> int:
        """Larger side in pixels."""
        return max(self.height, self.width)

    @property
    def short_side(self) -> int:
        """Smaller side in pixels."""
        return min(self.height, self.width)

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return self.height * self.width

    def scaled(self, factor: float) -> "Size":
        """Return this size times a factor, rounded, with at least one pixel on each side."""
        return Size(max(1, round(self.height * factor)), max(1, round(self.width * factor)))

    def fit_long_side(self, long_side_px: int) -> "Size":
        """Return the size of the same proportions whose long side is exactly ``long_side_px``."""
        return self.scaled(long_side_px / self.long_side)

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


class Box(NamedTuple):
    """Rectangle in pixels: left edge, top edge, width, height."""

    x: int
    y: int
    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.x},{self.y},{self.width},{self.height}"
