"""Metrics on the features of VGG19: likeness, content distance, style distance."""

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from pochoir._types import Size
from pochoir.similarity.protocol import Features, Measure, View
from pochoir.similarity.shared_encoder import SharedEncoder
from pochoir.similarity.vectors import cosine, euclidean, relative_distance
from pochoir.transfer.functional import gram

VIEW_PIXELS = 256 * 256
"""Area at which pictures are compared, in pixels."""
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT_LAYER = "relu4_2"
_LEAST_DEVIATION = 1e-3
_TINY = 1e-12


class VggLikeness:
    """Similarity in contents, whatever the style: 100 times the cosine of two descriptions.

    A description holds the features of one deep layer, averaged over a grid of cells. First, each channel is scaled
    to mean 0 and deviation 1 over the picture. These two numbers are style (Huang and Belongie 2017); the rest says
    which things are where. Without the scaling the ranking is reversed: a picture is nearer to others in its style than
    to its own photo in another style. The layer and the grid were chosen on stylised photos; docs/similarity.md has the
    numbers.

    Args:
        encoder: Computes the features.

    References:
        Huang and Belongie, "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization",
        arXiv:1703.06868.
    """

    name = "vgg"
    closer: Literal["higher", "lower"] = "higher"
    pixels: int | None = VIEW_PIXELS
    layer = "relu4_4"
    grid = 5

    def __init__(self, encoder: SharedEncoder) -> None:
        encoder.register((self.layer,))
        self._encoder = encoder

    def describe(self, views: Sequence[View]) -> list[Features]:
        """Describe pictures of one size."""
        features = self._encoder.encode([view.rgb for view in views])[self.layer]
        return [
            (_normalised_cells(one[None], view.weight, self.grid),) for one, view in zip(features, views, strict=True)
        ]

    def compare(self, one: Features, other: Features) -> Measure:
        """Compare two descriptions."""
        angle = cosine(one[0], other[0])
        return Measure(100.0 * angle, angle, euclidean(one[0], other[0]))


class ContentDistance:
    """Distance in content as style transfer defines it: feature by feature, position by position.

    It is the relative squared distance of ``relu4_2``, in [0, 1], since activations are not negative.

    Args:
        encoder: Computes the features.
    """

    name = "content"
    closer: Literal["higher", "lower"] = "lower"
    pixels: int | None = VIEW_PIXELS

    def __init__(self, encoder: SharedEncoder) -> None:
        encoder.register((CONTENT_LAYER,))
        self._encoder = encoder

    def describe(self, views: Sequence[View]) -> list[Features]:
        """Describe pictures of one size."""
        features = self._encoder.encode([view.rgb for view in views])[CONTENT_LAYER]
        return [(_guided(one[None], view.weight),) for one, view in zip(features, views, strict=True)]

    def compare(self, one: Features, other: Features) -> Measure:
        """Compare two descriptions; if their shapes differ, the finer one is averaged down."""
        a, b = _same_grid(one[0], other[0])
        return Measure(relative_distance(a, b), cosine(a, b), euclidean(a, b))


class GramDistance:
    """Distance in style: in the features that occur together, wherever they are.

    It is the relative squared distance of Gram matrices, the mean over five layers. It lies in [0, 1], since the inner
    product of two Gram matrices is never negative. For the cosine the matrices of all layers are scaled to length 1 and
    joined.

    Args:
        encoder: Computes the features.

    References:
        Gatys et al., "A Neural Algorithm of Artistic Style", arXiv:1508.06576.
    """

    name = "gram"
    closer: Literal["higher", "lower"] = "lower"
    pixels: int | None = VIEW_PIXELS

    def __init__(self, encoder: SharedEncoder) -> None:
        encoder.register(STYLE_LAYERS)
        self._encoder = encoder

    def describe(self, views: Sequence[View]) -> list[Features]:
        """Describe pictures of one size."""
        features = self._encoder.encode([view.rgb for view in views])
        return [
            tuple(_gram(features[layer][index : index + 1], view.weight) for layer in STYLE_LAYERS)
            for index, view in enumerate(views)
        ]

    def compare(self, one: Features, other: Features) -> Measure:
        """Compare two descriptions."""
        distances = [relative_distance(a, b) for a, b in zip(one, other, strict=True)]
        a, b = (torch.cat([F.normalize(matrix.flatten(), dim=0) for matrix in each]) for each in (one, other))
        return Measure(sum(distances) / len(distances), cosine(a, b), euclidean(a, b))


def _guide(weight: Tensor, features: Tensor) -> Tensor:
    return F.adaptive_avg_pool2d(weight, Size(*features.shape[-2:]))


def _guided(features: Tensor, weight: Tensor | None) -> Tensor:
    return features if weight is None else features * _guide(weight, features)


def _normalised_cells(features: Tensor, weight: Tensor | None, grid: int) -> Tensor:
    guide = features.new_ones(1, 1, *features.shape[-2:]) if weight is None else _guide(weight, features)
    share = guide / guide.sum()
    centred = features - (features * share).sum(dim=(-2, -1), keepdim=True)
    variance = (centred.square() * share).sum(dim=(-2, -1), keepdim=True)
    # A channel that hardly varies is noise, and must not be scaled up.
    deviation = variance.sqrt() + _LEAST_DEVIATION * variance.mean().sqrt() + _TINY
    return F.adaptive_avg_pool2d(centred / deviation * guide, grid)


def _gram(features: Tensor, weight: Tensor | None) -> Tensor:
    return gram(features, None if weight is None else _guide(weight, features))[0]


def _same_grid(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    size = Size(*(min(a, b) for a, b in zip(one.shape[-2:], other.shape[-2:], strict=True)))
    return F.adaptive_avg_pool2d(one, size), F.adaptive_avg_pool2d(other, size)
