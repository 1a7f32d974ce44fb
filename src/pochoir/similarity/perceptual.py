"""LPIPS and DISTS: distances trained on the judgement of people."""

import pickle
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, TypeAlias, TypeVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pochoir import imaging, weights
from pochoir._types import Size
from pochoir.encoders import VGG, load_encoder
from pochoir.encoders.array_pickle import read_array_pickle, to_convolution
from pochoir.encoders.vgg import TORCHVISION
from pochoir.errors import WeightsError
from pochoir.similarity.alexnet import AlexNet
from pochoir.similarity.protocol import Features, Measure, View

NAMES = ("lpips", "lpips:alex", "lpips:vgg", "dists")
"""Names of the metrics; ``lpips`` is ``lpips:alex``, the variant that its authors recommend for evaluation."""
VIEW_PIXELS = 256 * 256
"""Area at which pictures are compared: that of the pictures that both were trained on."""

_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")
_HEADS = tuple(f"NetLinLayer_{at}" for at in range(len(_LAYERS)))
_DISTS_CHANNELS = [3, 64, 128, 256, 512, 512]
_UNIT_EPSILON = 1e-10
_POOL_EPSILON = 1e-12
_STABILIZER = 1e-6
_REMEMBERED = 4
_DAMAGE = (pickle.UnpicklingError, EOFError, OSError, RuntimeError, ValueError, LookupError, TypeError, AttributeError)

_T = TypeVar("_T")

Network: TypeAlias = Callable[[Tensor], list[Tensor]]
"""Takes a picture, RGB in [0, 1], shape (1, 3, H, W); returns feature maps from fine to coarse."""


class DistsWeights(NamedTuple):
    """Weight of each channel, one tensor (1, C, 1, 1) for the picture and each layer; all sum to 1."""

    texture: Sequence[Tensor]
    structure: Sequence[Tensor]


class Lpips:
    """Learned perceptual distance: 0 for equal pictures, larger as people see them differ.

    A part is the weighted mean of the map of local distances at each layer. The features just inside an outline still
    see the backdrop outside of it, which is the same for both pictures.

    Args:
        name: Name that the metric was asked for by.
        network: Computes the feature maps.
        heads: Weight of each channel, one tensor (1, C, 1, 1) for each map.

    References:
        Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", arXiv:1801.03924;
        version 0.1 of its weights.
    """

    closer: Literal["higher", "lower"] = "lower"
    pixels: int | None = VIEW_PIXELS

    def __init__(self, name: str, network: Network, heads: Sequence[Tensor]) -> None:
        self.name = name
        self._network = _Recent(lambda picture: [_to_unit_length(found) for found in network(picture)])
        self._heads = heads

    def describe(self, views: Sequence[View]) -> list[Features]:
        """Keep the pictures and their weights; features are computed for pairs of one size."""
        return _keep(views)

    def compare(self, one: Features, other: Features) -> Measure:
        """Compare two pictures; if their shapes differ, both are resized to the smaller height and width."""
        first, second, weight = _pair(one, other)
        total = 0.0
        for a, b, head in zip(self._network(first), self._network(second), self._heads, strict=True):
            local = ((a - b).square() * head).sum(dim=1, keepdim=True)
            total += float(_weighted_mean(local, weight))
        return Measure(total)


class Dists:
    """Distance in structure and texture: 0 for equal pictures, at most about 1, tolerant of resampled texture.

    A part takes all means, variances and covariances over its pixels, weighted alike for both pictures.

    Args:
        network: Computes the feature maps.
        channel_weights: Weights of the picture's own channels and of each map's.

    References:
        Ding et al., "Image Quality Assessment: Unifying Structure and Texture Similarity", arXiv:2004.07728.
    """

    name = "dists"
    closer: Literal["higher", "lower"] = "lower"
    pixels: int | None = VIEW_PIXELS

    def __init__(self, network: Network, channel_weights: DistsWeights) -> None:
        self._network = _Recent(network)
        self._weights = channel_weights

    def describe(self, views: Sequence[View]) -> list[Features]:
        """Keep the pictures and their weights; features are computed for pairs of one size."""
        return _keep(views)

    def compare(self, one: Features, other: Features) -> Measure:
        """Compare two pictures; if their shapes differ, both are resized to the smaller height and width."""
        first, second, weight = _pair(one, other)
        pairs = zip([first, *self._network(first)], [second, *self._network(second)], strict=True)
        likeness = 0.0
        for (a, b), texture, structure in zip(pairs, self._weights.texture, self._weights.structure, strict=True):
            mean_a, mean_b = _weighted_mean(a, weight), _weighted_mean(b, weight)
            variance_a = _weighted_mean((a - mean_a).square(), weight)
            variance_b = _weighted_mean((b - mean_b).square(), weight)
            # Maps are centred first, so that equal pictures are at distance 0 to the last digit.
            covariance = _weighted_mean((a - mean_a) * (b - mean_b), weight)
            means = (2 * mean_a * mean_b + _STABILIZER) / (mean_a.square() + mean_b.square() + _STABILIZER)
            spreads = (2 * covariance + _STABILIZER) / (variance_a + variance_b + _STABILIZER)
            likeness += float((texture * means + structure * spreads).sum())
        return Measure(max(0.0, 1.0 - likeness))  # no likeness exceeds 1 but by rounding


def load_perceptual(name: str, *, device: str = "cpu") -> Lpips | Dists:
    """Load LPIPS or DISTS.

    Args:
        name: One of ``NAMES``.
        device: Device that the network runs on.

    Raises:
        WeightsMissingError: A weight file is not in the cache; the text says how to get it.
        WeightsError: A weight file is damaged.
    """
    if name == "dists":
        channel_weights = _guarded("dists", _read_dists)
        return Dists(_l2_pooled(load_encoder("vgg16", device=device)), channel_weights)
    file = "vgg16" if name == "lpips:vgg" else "alexnet"
    stored = _guarded(file, lambda: read_array_pickle(weights.where(file)))
    heads = _guarded(
        file, lambda: [to_convolution(stored[f"NetLinLayer_{at}"]["Conv_0"])[0] for at in range(len(_LAYERS))]
    )
    if file == "vgg16":
        return Lpips(name, _max_pooled(load_encoder("vgg16", device=device)), heads)
    network = _guarded(file, lambda: AlexNet(stored["AlexNet_0"], device))
    mean, std = (torch.tensor(values, device=device).view(1, 3, 1, 1) for values in TORCHVISION[1:])
    return Lpips(name, lambda picture: network((picture.to(device) - mean) / std), heads)


def _max_pooled(encoder: VGG) -> Network:
    def run(picture: Tensor) -> list[Tensor]:
        found = encoder(picture.to(encoder.mean.device), _LAYERS)
        return [found[layer] for layer in _LAYERS]

    return run


def _l2_pooled(encoder: VGG) -> Network:
    """Run VGG with the poolings of DISTS: the root of a Hann-weighted mean square, which does not alias."""
    ramp = torch.tensor([0.25, 0.5, 0.25], device=encoder.mean.device)
    window = torch.outer(ramp, ramp)[None, None]

    def pool(x: Tensor) -> Tensor:
        channels = x.shape[1]
        squares = F.conv2d(x.square(), window.expand(channels, 1, 3, 3), stride=2, padding=1, groups=channels)
        return (squares + _POOL_EPSILON).sqrt()

    def run(picture: Tensor) -> list[Tensor]:
        x, maps = (picture.to(encoder.mean.device) * encoder.scale - encoder.mean) / encoder.std, []
        for layer in encoder.layers:
            if layer.startswith("pool"):
                x = pool(x)
            elif layer.startswith("conv"):
                convolution = cast(nn.Conv2d, encoder.convolutions[layer])
                x = F.relu(F.conv2d(x, convolution.weight, convolution.bias, padding=1))
                if layer.replace("conv", "relu") in _LAYERS:
                    maps.append(x)
            if len(maps) == len(_LAYERS):
                break
        return maps

    return run


class _Recent:
    """Feature maps of the last few pictures, since one target is compared with many pictures in a row."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._kept: list[tuple[Tensor, list[Tensor]]] = []

    def __call__(self, picture: Tensor) -> list[Tensor]:
        for known, maps in self._kept:
            if known.shape == picture.shape and torch.equal(known, picture):
                return maps
        with torch.no_grad():
            maps = [found.cpu() for found in self._network(picture)]
        self._kept = [(picture, maps), *self._kept][:_REMEMBERED]
        return maps


def _keep(views: Sequence[View]) -> list[Features]:
    return [(view.rgb, view.rgb.new_ones(1, 1, *view.size) if view.weight is None else view.weight) for view in views]


def _pair(one: Features, other: Features) -> tuple[Tensor, Tensor, Tensor]:
    """Return two pictures at one size, and the mean of their weights."""
    size = Size(*(min(a, b) for a, b in zip(one[0].shape[-2:], other[0].shape[-2:], strict=True)))
    first, second = (imaging.resize(each[0], size) for each in (one, other))
    guides = [imaging.resize(each[1], size, mode="bilinear") for each in (one, other)]
    return first, second, (guides[0] + guides[1]) / 2


def _weighted_mean(values: Tensor, weight: Tensor) -> Tensor:
    guide = F.adaptive_avg_pool2d(weight, Size(*values.shape[-2:]))
    return (values * guide).sum(dim=(-2, -1), keepdim=True) / guide.sum()


def _to_unit_length(features: Tensor) -> Tensor:
    return features / (features.square().sum(dim=1, keepdim=True).sqrt() + _UNIT_EPSILON)


def _read_dists() -> DistsWeights:
    stored = torch.load(weights.where("dists"), map_location="cpu", weights_only=True)
    alpha, beta = stored["alpha"].double(), stored["beta"].double()
    total = alpha.sum() + beta.sum()
    texture, structure = (torch.split(each / total, _DISTS_CHANNELS, dim=1) for each in (alpha, beta))
    return DistsWeights(texture, structure)


def _guarded(name: str, read: Callable[[], _T]) -> _T:
    try:
        return read()
    except _DAMAGE as error:
        raise WeightsError(
            f"The weight file {weights.where(name)} is damaged or not {name}'s ({type(error).__name__}); "
            f"fetch it again with: pochoir models pull {name}"
        ) from error
