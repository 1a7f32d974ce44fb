"""Metrics on the pixels themselves: structural similarity and distance of colours."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from skimage.color import rgb2lab
from skimage.metrics import structural_similarity
from torch import Tensor

from pochoir import imaging
from pochoir._types import Size
from pochoir.similarity.protocol import Features, Measure, View
from pochoir.similarity.vectors import cosine, euclidean

_DIRECTIONS = 32
_QUANTILES = 256
_SMALLEST_WINDOW_PX = 11


class StructuralSimilarity:
    """SSIM of two pictures, pixel by pixel, at most 1 (Wang et al. 2004), through scikit-image.

    The settings are the authors': a Gaussian window of sigma 1.5 and population statistics. RGB channels are averaged.
    The score of a part is the weighted mean of the map of local values.
    """

    name = "ssim"
    closer: Literal["higher", "lower"] = "higher"
    pixels: int | None = 256 * 256

    def describe(self, views: Sequence[View]) -> list[Features]:
        """Keep the pictures themselves."""
        return [
            (view.rgb, view.rgb.new_ones(1, 1, *view.size) if view.weight is None else view.weight) for view in views
        ]

    def compare(self, one: Features, other: Features) -> Measure:
        """Compare two pictures; if their shapes differ, both are resized to the smaller height and width."""
        size = Size(*(min(a, b) for a, b in zip(one[0].shape[-2:], other[0].shape[-2:], strict=True)))
        a, b = (imaging.resize(each[0], size)[0].permute(1, 2, 0).double().numpy() for each in (one, other))
        _, local = structural_similarity(  # type: ignore[no-untyped-call]
            a,
            b,
            data_range=1.0,
            channel_axis=2,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            full=True,
        )
        first, second = (imaging.resize(each[1], size, mode="bilinear")[0, 0].double().numpy() for each in (one, other))
        weight = (first + second) / 2
        return Measure(float(np.average(local.mean(axis=2), weights=weight)))


class ColorDistance:
    """Distance of the colours of two pictures, wherever they are: sliced Wasserstein distance in CIE Lab.

    The unit is that of colour difference (CIE 1976): about 2 is just visible. The colours are projected on directions
    that are spread evenly over the half sphere. The distance in one direction is the mean difference of the quantiles
    of the two distributions. The result is the mean over directions.

    References:
        Bonneel et al., "Sliced and Radon Wasserstein Barycenters of Measures", JMIV 2015.
    """

    name = "color"
    closer: Literal["higher", "lower"] = "lower"
    pixels: int | None = 128 * 128

    def describe(self, views: Sequence[View]) -> list[Features]:
        """Describe pictures by the quantiles of their colours along each direction."""
        return [(_quantiles(view),) for view in views]

    def compare(self, one: Features, other: Features) -> Measure:
        """Compare two descriptions."""
        distance = float((one[0] - other[0]).abs().mean())
        return Measure(distance, cosine(one[0], other[0]), euclidean(one[0], other[0]))


def _quantiles(view: View) -> Tensor:  # -> (directions, quantiles)
    lab = rgb2lab(view.rgb[0].permute(1, 2, 0).double().numpy())
    projected = torch.from_numpy(lab).view(-1, 3) @ _directions().T  # (H * W, directions)
    weight = torch.ones(len(projected)) if view.weight is None else view.weight.flatten()
    is_scored = weight > 0
    values, order = projected[is_scored].sort(dim=0)
    shares = weight[is_scored].double()[order].cumsum(dim=0)
    wanted = (torch.arange(_QUANTILES, dtype=torch.float64) + 0.5) / _QUANTILES
    at = torch.searchsorted((shares / shares[-1]).T.contiguous(), wanted.repeat(_DIRECTIONS, 1))
    return values.T.gather(1, at.clamp_max(len(values) - 1)).float()


def _directions() -> Tensor:  # (directions, 3), of length 1
    """Return points of a spiral over the half sphere; all neighbours are about equally far apart."""
    at = torch.arange(_DIRECTIONS, dtype=torch.float64) + 0.5
    height = at / _DIRECTIONS
    angle = at * math.pi * (3.0 - math.sqrt(5.0))
    radius = (1.0 - height.square()).sqrt()
    return torch.stack([height, radius * angle.cos(), radius * angle.sin()], dim=1)
