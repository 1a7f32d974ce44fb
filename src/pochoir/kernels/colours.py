"""The convolution from three colours, and its way back to them."""

import numba
import numpy as np
from numpy.typing import NDArray

from pochoir.kernels.compiling import compiled
from pochoir.kernels.products import UNIT, multiply
from pochoir.kernels.vectors import FLOAT_BYTES, clear, copy, rectify, settle

TAPS = 27
"""Weights of 3x3 pixels of three colours."""
TAP_COLUMNS = 32
"""Columns of a product that holds all taps, a multiple of what a product takes."""
DEPTH = TAPS + 1
"""The last one is the bias, as the weight of a constant 1."""
PIXELS = 48
"""Pixels at a time, a multiple of what a product takes."""


@compiled("void(float32[:,:,::1], intp, intp, float32, intp, float32[:,::1], intp, intp, intp)")
def convolve_colours(
    padded: NDArray[np.float32],
    weights: int,
    channels: int,
    floor: float,
    target: int,
    patches: NDArray[np.float32],
    products: int,
    top: int,
    bottom: int,
) -> None:
    """Some rows of results.

    Args:
        padded: Picture with a border of one pixel, (H + 2, W + 2, 3).
        weights: Address of the packed weights, (DEPTH, channels) in panels.
        channels: Of the result.
        floor: Lower bound of the results: 0 for a ReLU.
        target: Address of the result, (H, W, channels).
        patches: Room, (PIXELS, DEPTH).
        products: Address of room, (PIXELS, channels).
        top: The first row.
        bottom: The row after the last.
    """
    width = padded.shape[1] - 2
    for row in range(top, bottom):
        for first in range(0, width, PIXELS):
            count = min(PIXELS, width - first)
            for pixel in range(count):
                for y in range(3):
                    for x in range(9):
                        patches[pixel, 9 * y + x] = padded[row + y, first + pixel + x // 3, x % 3]
                patches[pixel, TAPS] = 1.0
            rounded = (count + UNIT - 1) // UNIT * UNIT
            multiply(rounded, patches.ctypes.data, DEPTH, weights, channels, products)
            rectify(products, target + FLOAT_BYTES * (row * width + first) * channels, count * channels, floor)
    settle()


@numba.njit(nogil=True)
def _multiply_row(gradient: int, width: int, channels: int, weights: int, target: int, rest: int) -> None:
    """Products of one row of pixels with the weights of all taps."""
    whole = width // UNIT * UNIT
    if whole:
        multiply(whole, gradient, channels, weights, TAP_COLUMNS, target)
    if whole < width:
        # A product takes UNIT pixels, and beyond the last row there is no memory to read.
        clear(rest, UNIT * channels)
        copy(gradient + FLOAT_BYTES * whole * channels, rest, (width - whole) * channels)
        multiply(UNIT, rest, channels, weights, TAP_COLUMNS, target + FLOAT_BYTES * whole * TAP_COLUMNS)


@numba.njit(nogil=True)
def _collect_row(products: NDArray[np.float32], target: NDArray[np.float32], y: int) -> None:
    """Add up what each tap of the rows around gives to the pixels of row ``y``."""
    height, width = target.shape[1:]
    for x in range(width):
        red = green = blue = np.float32(0.0)
        for tap_y in range(max(0, y + 2 - height), min(3, y + 2)):
            for tap_x in range(max(0, x + 2 - width), min(3, x + 2)):
                pixel = products[(y + 4 - tap_y) % 3, x + 1 - tap_x]
                tap = 3 * (3 * tap_y + tap_x)
                red += pixel[tap]
                green += pixel[tap + 1]
                blue += pixel[tap + 2]
        target[0, y, x] = red
        target[1, y, x] = green
        target[2, y, x] = blue


@compiled("void(intp, intp, intp, float32[:,:,::1], float32[:,:,::1], intp, intp, intp)")
def convolve_colours_back(
    gradient: int,
    channels: int,
    weights: int,
    target: NDArray[np.float32],
    products: NDArray[np.float32],
    rest: int,
    first: int,
    last: int,
) -> None:
    """Some rows of the gradient of the picture.

    Args:
        gradient: Address of the gradient of the results, (H, W, channels).
        channels: Of the results.
        weights: Address of the packed weights, (channels, TAP_COLUMNS) in panels, of which TAPS columns
            count.
        target: The gradient, (3, H, W).
        products: Room, (3, W rounded up to UNIT, TAP_COLUMNS).
        rest: Address of room, (UNIT, channels).
        first: The first row.
        last: The row after the last.
    """
    height, width = target.shape[1:]
    room = FLOAT_BYTES * products.shape[1] * TAP_COLUMNS
    for row in range(first - 1, last + 1):
        if 0 <= row < height:
            coming = gradient + FLOAT_BYTES * row * width * channels
            _multiply_row(coming, width, channels, weights, products.ctypes.data + (row + 3) % 3 * room, rest)
        if row > first:
            _collect_row(products, target, row - 1)
