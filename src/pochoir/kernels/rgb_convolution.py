"""3x3 convolution from RGB to many channels, forward and backward."""

from math import ceil, inf

import torch
from torch import Tensor

from pochoir.kernels.arena import Arena, scratch
from pochoir.kernels.layout import PIXELS, TAP_COLUMNS, TAP_DEPTH, TAPS, UNIT, in_panels
from pochoir.kernels.library import kernel
from pochoir.kernels.threads import run_pieces

_convolve_rgb, _convolve_rgb_back = kernel("convolve_rgb"), kernel("convolve_rgb_back")

ROWS_AT_ONCE = 16
"""Rows per piece."""


class RgbConvolution:
    """3x3 convolution from RGB to many channels, with zero padding.

    Args:
        weight: Shape (C_out, 3, 3, 3), with C_out a multiple of COLUMNS.
        bias: Shape (C_out,).
        arena: Allocates the outputs.
    """

    def __init__(self, weight: Tensor, bias: Tensor, arena: Arena) -> None:
        self._channels, self._arena = weight.shape[0], arena
        taps = weight.permute(2, 3, 1, 0).reshape(TAPS, self._channels)
        self._weights = in_panels(torch.cat([taps, bias[None]]))
        self._backward_weights = in_panels(torch.nn.functional.pad(taps.T, (0, TAP_COLUMNS - TAPS)))

    def forward(self, picture: Tensor, *, rectified: bool, target: Tensor | None = None) -> Tensor:
        """Convolve a picture.

        Args:
            picture: Shape (3, H, W).
            rectified: Apply a ReLU to the result.
            target: Contiguous memory for the result; None allocates it.

        Returns:
            Shape (H, W, C_out).
        """
        _, height, width = picture.shape
        result = self._arena.allocate(height, width, self._channels) if target is None else target
        padded = torch.nn.functional.pad(picture, (1, 1, 1, 1)).permute(1, 2, 0).contiguous()
        floor = 0.0 if rectified else -inf

        def work(piece: int) -> None:
            room = scratch(PIXELS * (TAP_DEPTH + self._channels))
            patches, products = room[: PIXELS * TAP_DEPTH], room[PIXELS * TAP_DEPTH :]
            _convolve_rgb(
                *(padded.data_ptr(), width, self._weights.data_ptr(), self._channels, floor, result.data_ptr()),
                *(patches.ctypes.data, products.ctypes.data),
                *(piece * ROWS_AT_ONCE, min(height, (piece + 1) * ROWS_AT_ONCE)),
            )

        run_pieces(work, ceil(height / ROWS_AT_ONCE))
        return result

    def backward(self, gradient: Tensor) -> Tensor:
        """Return the gradient of the picture, (3, H, W), for a gradient of the output, (H, W, C_out)."""
        height, width, channels = gradient.shape
        target = gradient.new_empty(3, height, width)
        rounded = ceil(width / UNIT) * UNIT

        def work(piece: int) -> None:
            count = 3 * rounded * TAP_COLUMNS
            room = scratch(count + UNIT * channels)
            _convolve_rgb_back(
                *(gradient.data_ptr(), channels, self._backward_weights.data_ptr(), target.data_ptr(), height, width),
                *(room.ctypes.data, room[count:].ctypes.data),
                *(piece * ROWS_AT_ONCE, min(height, (piece + 1) * ROWS_AT_ONCE)),
            )

        run_pieces(work, ceil(height / ROWS_AT_ONCE))
        return target
