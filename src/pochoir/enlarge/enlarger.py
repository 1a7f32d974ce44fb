"""Enlargement of pictures 2, 3 or 4 times, in tiles of bounded memory."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from pochoir import imaging, kernels, weights
from pochoir._types import Size
from pochoir.enlarge.weights_file import CHANNELS, LAYERS, SCALE, Layer, read_layers
from pochoir.errors import OptionError, ShapeError

WEIGHTS = "realesr-animevideov3"
"""Name of the enlarger's weights."""
FACTORS = (2, 3, 4)

MARGIN_PX = LAYERS + 2
"""Pixels around a tile that its result depends on: one for each convolution, and two for scaling down."""
TILE_PX = 224
"""Side of a tile without its margin. Two maps of a tile take 35 MB."""

_ZERO_OR_ONE = 1e-6


class Enlarger:
    """The network ``realesr-animevideov3``: small 3x3 convolutions, whose result is added to the enlarged picture.

    Args:
        layers: Weights of its 18 convolutions.
        device: Device to compute on.

    References:
        Wang et al., "Real-ESRGAN", arXiv:2107.10833.
    """

    def __init__(self, layers: Sequence[Layer], *, device: str = "cpu") -> None:
        self._device = torch.device(device)
        is_compiled = self._device.type == "cpu" and kernels.SUPPORTED and kernels.chosen_engine() != "torch"
        self._network = _CompiledNetwork(layers) if is_compiled else _TorchNetwork(layers, self._device)

    def enlarge(self, picture: Tensor, factor: int, *, tile_px: int = TILE_PX) -> Tensor:
        """Return a picture 2, 3 or 4 times as large.

        The tiles overlap by as much as the network sees, so that the result does not depend on their size.

        Args:
            picture: Colours in [0, 1], shape (1, 3, H, W).
            factor: 2, 3 or 4. The network enlarges 4 times; smaller results are scaled down from that.
            tile_px: Side of the tiles.

        Returns:
            Shape (1, 3, factor * H, factor * W), values in [0, 1], on the device of ``picture``.

        Raises:
            OptionError: The factor is another.
            ShapeError: The picture has another shape.
        """
        if factor not in FACTORS:
            raise OptionError(f"Pictures are enlarged 2, 3 or 4 times; got {factor}.")
        if picture.ndim != 4 or picture.shape[:2] != (1, 3) or 0 in picture.shape:
            raise ShapeError(f"A picture to enlarge has the shape (1, 3, H, W); got {tuple(picture.shape)}.")
        height, width = picture.shape[-2:]
        result = picture.new_empty(1, 3, factor * height, factor * width)
        for tile in _iter_tiles(Size(height, width), tile_px):
            source = picture[..., tile.rows_seen, tile.columns_seen].to(self._device)
            enlarged = self._network(source)
            size = Size(factor * source.shape[-2], factor * source.shape[-1])
            if factor != SCALE:
                enlarged = imaging.resize(enlarged.clamp(0, 1), size)
            inner = enlarged[..., tile.rows_inside(factor), tile.columns_inside(factor)]
            result[..., tile.rows_of_result(factor), tile.columns_of_result(factor)] = inner.clamp(0, 1).to(result)
        return result


def load_enlarger(*, device: str = "cpu") -> Enlarger:
    """Load the network from the cache.

    Raises:
        WeightsMissingError: The weights are not in the cache.
        WeightsError: They cannot be read.
    """
    return Enlarger(read_layers(weights.where(WEIGHTS)), device=device)


def enlarge_matte(matte: Tensor, size: Size) -> Tensor:
    """Return a matte at a larger size; where it is exactly 0 or 1 and flat, it stays so.

    Args:
        matte: Values in [0, 1], shape (1, 1, H, W).
        size: Wanted size.
    """
    larger = imaging.resize(matte, size)  # bicubic, whose edges are steeper than those of bilinear resampling
    low, high = (imaging.resize(bound, size, mode="bilinear") for bound in (-_spread(-matte), _spread(matte)))
    larger = torch.where(high < _ZERO_OR_ONE, torch.zeros_like(larger), larger)
    return torch.where(low > 1 - _ZERO_OR_ONE, torch.ones_like(larger), larger)


def _spread(values: Tensor) -> Tensor:
    """Return the largest value among each pixel and its neighbours."""
    return F.max_pool2d(values, 3, stride=1, padding=1)


class _Tile(NamedTuple):
    """A rectangle of the picture, and the larger one that the network sees for it."""

    rows: slice
    columns: slice
    rows_seen: slice
    columns_seen: slice

    def rows_inside(self, factor: int) -> slice:
        return _scaled(self.rows, factor, self.rows_seen.start)

    def columns_inside(self, factor: int) -> slice:
        return _scaled(self.columns, factor, self.columns_seen.start)

    def rows_of_result(self, factor: int) -> slice:
        return _scaled(self.rows, factor, 0)

    def columns_of_result(self, factor: int) -> slice:
        return _scaled(self.columns, factor, 0)


def _scaled(span: slice, factor: int, origin: int) -> slice:
    return slice(factor * (span.start - origin), factor * (span.stop - origin))


def _iter_tiles(size: Size, side: int) -> Iterator[_Tile]:
    for top in range(0, size.height, side):
        for left in range(0, size.width, side):
            rows, columns = slice(top, min(top + side, size.height)), slice(left, min(left + side, size.width))
            yield _Tile(rows, columns, _widened(rows, size.height), _widened(columns, size.width))


def _widened(span: slice, end: int) -> slice:
    return slice(max(0, span.start - MARGIN_PX), min(end, span.stop + MARGIN_PX))


class _TorchNetwork:
    """The network in plain torch."""

    def __init__(self, layers: Sequence[Layer], device: torch.device) -> None:
        self._layers = [Layer(*(None if part is None else part.to(device) for part in layer)) for layer in layers]  # type: ignore[arg-type]

    @torch.no_grad()
    def __call__(self, picture: Tensor) -> Tensor:
        maps = picture
        for layer in self._layers:
            maps = F.conv2d(maps, layer.weight, layer.bias, padding=1)
            if layer.slope is not None:
                maps = F.prelu(maps, layer.slope)
        return F.pixel_shuffle(maps, SCALE) + F.interpolate(picture, scale_factor=SCALE, mode="nearest")


class _CompiledNetwork:
    """The network on the compiled kernels."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        from pochoir.kernels.arena import Arena
        from pochoir.kernels.convolution import Convolution

        self._first, self._slopes = layers[0], [layer.slope for layer in layers]
        self._arena = Arena()
        self._convolutions = [
            Convolution(*_in_whole_panels(layer), self._arena, has_backward=False) for layer in layers[1:]
        ]

    @torch.no_grad()
    def __call__(self, picture: Tensor) -> Tensor:
        first = F.conv2d(picture, self._first.weight, self._first.bias, padding=1)
        maps = first[0].permute(1, 2, 0).contiguous()
        for convolution, slope in zip(self._convolutions, self._slopes, strict=False):
            assert slope is not None  # noqa: S101 - the last convolution alone has none behind it
            maps = _apply_prelu(maps, slope)
            (following,) = convolution.forward([maps], rectified=False)
            maps = following
        pixels = F.pixel_shuffle(maps[..., : 3 * SCALE * SCALE].permute(2, 0, 1)[None], SCALE)
        return pixels + F.interpolate(picture, scale_factor=SCALE, mode="nearest")


def _in_whole_panels(layer: Layer) -> tuple[Tensor, Tensor]:
    """Return weight and bias with further outputs of zeros: the kernels compute whole panels of channels."""
    spare = -layer.weight.shape[0] % kernels.COLUMNS
    return F.pad(layer.weight, (0, 0, 0, 0, 0, 0, 0, spare)), F.pad(layer.bias, (0, spare))


def _apply_prelu(maps: Tensor, slope: Tensor) -> Tensor:
    """Multiply negative values by the slope of their channel, in place; maps have the shape (H, W, C)."""
    return F.prelu(maps.view(-1, CHANNELS), slope).view(maps.shape)
