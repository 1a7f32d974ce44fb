"""Convolutions of 3x3 by Winograd's minimal filtering, in blocks of tiles that stay in the cache."""

from collections.abc import Callable

import numba

from pochoir.kernels.compiling import compiled
from pochoir.kernels.products import UNIT, multiply
from pochoir.kernels.tiles import make_back, make_forth
from pochoir.kernels.vectors import FLOAT_BYTES, clear, copy

SKEW = 16
"""Numbers between one position and the next beyond what is needed, so that positions do not share cache sets."""


@numba.njit(nogil=True)
def cut_patch(source: int, height: int, width: int, channels: int, top: int, left: int, side: int, patch: int) -> None:
    """Copy a square that reaches over the border, with zeros beyond it."""
    clear(patch, side * side * channels)
    first, last = max(left, 0), min(left + side, width)
    for y in range(max(top, 0), min(top + side, height)):
        goal = patch + FLOAT_BYTES * ((y - top) * side + first - left) * channels
        copy(source + FLOAT_BYTES * (y * width + first) * channels, goal, (last - first) * channels)


@numba.njit(nogil=True)
def paste_patch(
    target: int, height: int, width: int, channels: int, top: int, left: int, side: int, patch: int
) -> None:
    """Copy what of a square lies inside the border."""
    count = min(side, width - left) * channels
    for y in range(top, min(top + side, height)):
        goal = target + FLOAT_BYTES * (y * width + left) * channels
        copy(patch + FLOAT_BYTES * (y - top) * side * channels, goal, count)


def _make_input_transform(outputs: int) -> Callable[..., None]:
    forth = make_forth(outputs)
    side = outputs + 2

    @numba.njit(nogil=True)
    def transform_inputs(
        source: int, height: int, width: int, channels: int, tile: int, target: int, position: int, patch: int
    ) -> None:
        across = (width + outputs - 1) // outputs
        top, left = tile // across * outputs - 1, tile % across * outputs - 1
        if top >= 0 and left >= 0 and top + side <= height and left + side <= width:
            start = source + FLOAT_BYTES * (top * width + left) * channels
            forth(start, width * channels, target, position, channels)
        else:
            cut_patch(source, height, width, channels, top, left, side, patch)
            forth(patch, side * channels, target, position, channels)

    return transform_inputs


def _make_result_transform(outputs: int) -> Callable[..., None]:
    back, gated_back = make_back(outputs, gated=False), make_back(outputs, gated=True)

    @numba.njit(nogil=True)
    def transform_results(
        products: int,
        position: int,
        extra: int,
        full_extra: bool,
        gate: int,
        target: int,
        height: int,
        width: int,
        channels: int,
        tile: int,
        floor: float,
        patch: int,
    ) -> None:
        across = (width + outputs - 1) // outputs
        top, left = tile // across * outputs, tile % across * outputs
        inside = top + outputs <= height and left + outputs <= width
        size = FLOAT_BYTES * outputs * outputs * channels
        row, goal = width * channels, target + FLOAT_BYTES * (top * width + left) * channels
        extra_here, gate_here = extra, gate
        if not inside:
            row, goal = outputs * channels, patch
        if full_extra:
            extra_here = extra + FLOAT_BYTES * (top * width + left) * channels
            if not inside:
                extra_here = patch + size
                cut_patch(extra, height, width, channels, top, left, outputs, extra_here)
        extra_row, extra_pixel = (row, channels) if full_extra else (0, 0)
        if gate != 0:
            gate_here = gate + FLOAT_BYTES * (top * width + left) * channels
            if not inside:
                gate_here = patch + 2 * size
                cut_patch(gate, height, width, channels, top, left, outputs, gate_here)
            gated_back(
                products, position, extra_here, extra_row, extra_pixel, gate_here, row, goal, row, channels, floor
            )
        else:
            back(products, position, extra_here, extra_row, extra_pixel, gate_here, row, goal, row, channels, floor)
        if not inside:
            paste_patch(target, height, width, channels, top, left, outputs, patch)

    return transform_results


def _make_convolution(outputs: int) -> Callable[..., None]:
    """A convolution in tiles of ``outputs`` x ``outputs`` results, for some of the tiles."""
    transform_inputs, transform_results = _make_input_transform(outputs), _make_result_transform(outputs)
    side = outputs + 2

    @compiled("void(intp, intp, intp, intp, intp, intp, intp, boolean, intp, intp, float32, intp, intp, intp)")
    def convolve(
        source: int,
        height: int,
        width: int,
        inputs: int,
        weights: int,
        channels: int,
        extra: int,
        full_extra: bool,
        gate: int,
        target: int,
        floor: float,
        scratch: int,
        first: int,
        last: int,
    ) -> None:
        # Addresses: source, (height, width, inputs); weights as ``convolution.pack`` leaves them; extra, added to the
        # results, (height, width, channels) if full, else (channels,), a bias; gate, 0 or (height, width, channels);
        # target, (height, width, channels); scratch. Done are the tiles from first below last.
        count = last - first
        rows = (count + UNIT - 1) // UNIT * UNIT
        forth_position, back_position = rows * inputs + SKEW, rows * channels + SKEW
        products = scratch + FLOAT_BYTES * side * side * forth_position
        patch = products + FLOAT_BYTES * side * side * back_position
        for tile in range(count):
            goal = scratch + FLOAT_BYTES * tile * inputs
            transform_inputs(source, height, width, inputs, first + tile, goal, forth_position, patch)
        for place in range(side * side):
            multiply(
                rows,
                scratch + FLOAT_BYTES * place * forth_position,
                inputs,
                weights + FLOAT_BYTES * place * inputs * channels,
                channels,
                products + FLOAT_BYTES * place * back_position,
            )
        for tile in range(count):
            transform_results(
                products + FLOAT_BYTES * tile * channels,
                back_position,
                extra,
                full_extra,
                gate,
                target,
                height,
                width,
                channels,
                first + tile,
                floor,
                patch,
            )

    return convolve


CONVOLVE = {outputs: _make_convolution(outputs) for outputs in (4, 6)}
"""Compiled convolutions by their tiles' side."""
