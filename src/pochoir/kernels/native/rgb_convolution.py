"""Convolution from RGB to many channels, and its backward pass."""

import numpy as np

from pochoir.kernels.layout import FLOAT_BYTES, PIXELS, TAP_COLUMNS, TAP_DEPTH, TAPS, UNIT
from pochoir.kernels.native.compiling import helper, kernel
from pochoir.kernels.native.memory import clear, copy, fence, read, rectify, write
from pochoir.kernels.native.products import multiply


@kernel("void(intp, intp, intp, intp, float32, intp, intp, intp, intp, intp)")
def convolve_rgb(
    padded: int,
    width: int,
    weights: int,
    channels: int,
    floor: float,
    target: int,
    patches: int,
    products: int,
    top: int,
    bottom: int,
) -> None:
    """Compute some rows of the output.

    Args:
        padded: Address of the picture with a border of one pixel, (H + 2, width + 2, 3).
        width: Width of the picture without the border.
        weights: Address of the packed weights, (TAP_DEPTH, channels) in panels.
        channels: Output channels.
        floor: Lower bound of the outputs: 0 for a ReLU.
        target: Address of the result, (H, width, channels).
        patches: Address of scratch space, (PIXELS, TAP_DEPTH).
        products: Address of scratch space, (PIXELS, channels).
        top: The first row.
        bottom: The row after the last.
    """
    for row in range(top, bottom):
        for first in range(0, width, PIXELS):
            count = min(PIXELS, width - first)
            for pixel in range(count):
                patch = patches + FLOAT_BYTES * pixel * TAP_DEPTH
                for y in range(3):
                    place = padded + FLOAT_BYTES * 3 * ((row + y) * (width + 2) + first + pixel)
                    for x in range(9):  # three pixels side by side are nine numbers
                        write(patch + FLOAT_BYTES * (9 * y + x), read(place + FLOAT_BYTES * x))
                write(patch + FLOAT_BYTES * TAPS, np.float32(1.0))
            rounded = (count + UNIT - 1) // UNIT * UNIT
            multiply(rounded, patches, TAP_DEPTH, weights, channels, products)
            rectify(products, target + FLOAT_BYTES * (row * width + first) * channels, count * channels, floor)
    fence()


@helper
def _multiply_row(gradient: int, width: int, channels: int, weights: int, target: int, rest: int) -> None:
    """Multiply one row of pixels by the weights of all taps."""
    whole = width // UNIT * UNIT
    if whole:
        multiply(whole, gradient, channels, weights, TAP_COLUMNS, target)
    if whole < width:
        # A product reads UNIT pixels, and there is no memory beyond the last row.
        clear(rest, UNIT * channels)
        copy(gradient + FLOAT_BYTES * whole * channels, rest, (width - whole) * channels)
        multiply(UNIT, rest, channels, weights, TAP_COLUMNS, target + FLOAT_BYTES * whole * TAP_COLUMNS)


@helper
def _collect_row(products: int, row_bytes: int, target: int, height: int, width: int, y: int) -> None:
    """Sum the taps that reach the pixels of row ``y``; rows of products are ``row_bytes`` apart."""
    plane = FLOAT_BYTES * height * width
    for x in range(width):
        red = green = blue = np.float32(0.0)
        for tap_y in range(max(0, y + 2 - height), min(3, y + 2)):
            for tap_x in range(max(0, x + 2 - width), min(3, x + 2)):
                pixel = products + (y + 4 - tap_y) % 3 * row_bytes + FLOAT_BYTES * (x + 1 - tap_x) * TAP_COLUMNS
                tap = pixel + FLOAT_BYTES * 3 * (3 * tap_y + tap_x)
                red += read(tap)
                green += read(tap + FLOAT_BYTES)
                blue += read(tap + 2 * FLOAT_BYTES)
        place = target + FLOAT_BYTES * (y * width + x)
        write(place, red)
        write(place + plane, green)
        write(place + 2 * plane, blue)


@kernel("void(intp, intp, intp, intp, intp, intp, intp, intp, intp, intp)")
def convolve_rgb_back(
    gradient: int,
    channels: int,
    weights: int,
    target: int,
    height: int,
    width: int,
    products: int,
    rest: int,
    first: int,
    last: int,
) -> None:
    """Compute some rows of the gradient of the picture.

    Args:
        gradient: Address of the gradient of the results, (height, width, channels).
        channels: Output channels.
        weights: Address of the packed weights, (channels, TAP_COLUMNS) in panels, of which TAPS columns are used.
        target: Address of the gradient, (3, height, width).
        height: Height of the picture.
        width: Width of the picture.
        products: Address of scratch space, (3, width rounded up to UNIT, TAP_COLUMNS).
        rest: Address of scratch space, (UNIT, channels).
        first: The first row.
        last: The row after the last.
    """
    row_bytes = FLOAT_BYTES * ((width + UNIT - 1) // UNIT * UNIT) * TAP_COLUMNS
    for row in range(first - 1, last + 1):
        if 0 <= row < height:
            coming = gradient + FLOAT_BYTES * row * width * channels
            _multiply_row(coming, width, channels, weights, products + (row + 3) % 3 * row_bytes, rest)
        if row > first:
            _collect_row(products, row_bytes, target, height, width, row - 1)
