"""Distance of a matte from the true one, by the measures of salient object detection.

The published implementation, pysodmetrics, needs older libraries than pochoir (version 1.6.2: numpy < 2.3.5,
scikit-image < 0.26, opencv < 5). The tests compare this module with values that pysodmetrics gave.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pochoir.errors import ShapeError
from pochoir.segmentation.protocol import SUBJECT_THRESHOLD, check_matte

F_BETA_SQUARED = 0.3
"""Weight of precision against recall in the F-measure, as usual in the field (Achanta et al. 2009)."""

_OBJECT_SHARE = 0.5

_Values: TypeAlias = NDArray[np.float64]
_Mask: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class TruthScores:
    """Measures of a matte against the truth; all in [0, 1].

    Attributes:
        iou: Intersection over union of the pixels above one half; higher is better.
        mae: Mean absolute difference; lower is better.
        max_f: Best F-measure over all 256 thresholds; higher is better.
        s_measure: Structure measure; higher is better.
    """

    iou: float
    mae: float
    max_f: float
    s_measure: float


MEASURES = ("iou", "mae", "max_f", "s_measure")
"""The fields of ``TruthScores``, in the order of the tables."""


def score_matte(matte: Tensor, truth: Tensor) -> TruthScores:
    """Measure a matte against the truth.

    Args:
        matte: Shape (1, 1, H, W), in [0, 1].
        truth: The true matte, same shape; pixels above one half are subject.

    Raises:
        ShapeError: The two are not mattes of one size.
    """
    _check_pair(matte, truth)
    values = matte[0, 0].detach().cpu().double().numpy()  # (H, W)
    subject = truth[0, 0].detach().cpu().numpy() > SUBJECT_THRESHOLD  # (H, W)
    return TruthScores(
        iou=mask_iou(matte, truth),
        mae=float(np.abs(values - subject).mean()),
        max_f=_max_f(values, subject),
        s_measure=_s_measure(values, subject),
    )


def mask_iou(first: Tensor, second: Tensor) -> float:
    """Return the intersection over union of the pixels above one half in two mattes; 1 if neither has any.

    Args:
        first: Shape (1, 1, H, W), in [0, 1].
        second: Same shape.

    Raises:
        ShapeError: The two are not mattes of one size.
    """
    _check_pair(first, second)
    a, b = first > SUBJECT_THRESHOLD, second > SUBJECT_THRESHOLD
    union = int((a | b).sum())
    return int((a & b).sum()) / union if union else 1.0


def _check_pair(first: Tensor, second: Tensor) -> None:
    sizes = check_matte(first), check_matte(second)
    if sizes[0] != sizes[1]:
        raise ShapeError(f"Two mattes to compare must have the same size; got {sizes[0]} and {sizes[1]}.")


def _max_f(values: _Values, subject: _Mask) -> float:
    """Return the best F-measure; Achanta et al., "Frequency-tuned Salient Region Detection", CVPR 2009."""
    levels = (values * 255).astype(np.uint8)
    hits, misses = (np.bincount(levels[region], minlength=256) for region in (subject, ~subject))
    found = hits[::-1].cumsum()  # subject pixels at or above each threshold, from 255 down to 0
    selected = found + misses[::-1].cumsum()
    precision = found / np.maximum(selected, 1)
    recall = found / max(int(subject.sum()), 1)
    weight = F_BETA_SQUARED * precision + recall
    f = (1 + F_BETA_SQUARED) * precision * recall / np.where(weight > 0, weight, 1)
    return float(f.max())


def _s_measure(values: _Values, subject: _Mask) -> float:
    """Return the structure measure; Fan et al., ICCV 2017, with alpha = 0.5."""
    share = float(subject.mean())
    if share == 0:
        return 1.0 - float(values.mean())
    if share == 1:
        return float(values.mean())
    by_object = share * _object_likeness(values[subject]) + (1 - share) * _object_likeness(1 - values[~subject])
    return max(0.0, _OBJECT_SHARE * by_object + (1 - _OBJECT_SHARE) * _region_likeness(values, subject))


def _object_likeness(inside: _Values) -> float:
    """Return the brightness and evenness of a region that should be all 1: the paper's equation 4, lambda = 0.5."""
    mean = float(inside.mean())
    spread = float(inside.std(ddof=1)) if inside.size > 1 else 0.0
    return 2 * mean / (mean**2 + 1 + spread)


def _region_likeness(values: _Values, subject: _Mask) -> float:
    """Return the structural similarity of the four quarters around the subject's centre, weighted by area."""
    row, column = (round(float(axis.mean())) + 1 for axis in np.nonzero(subject))
    total = 0.0
    for rows in (slice(0, row), slice(row, None)):
        for columns in (slice(0, column), slice(column, None)):
            quarter = subject[rows, columns]
            if quarter.size:
                total += quarter.size / subject.size * _likeness(values[rows, columns], quarter.astype(np.float64))
    return total


def _likeness(first: _Values, second: _Values) -> float:
    """Return luminance, contrast and structure of two patches in one number, without stabilising constants."""
    mean_a, mean_b = float(first.mean()), float(second.mean())
    freedom = max(first.size - 1, 1)
    variance_a, variance_b = (float(np.square(x - x.mean()).sum()) / freedom for x in (first, second))
    covariance = float(((first - mean_a) * (second - mean_b)).sum()) / freedom
    above = 4 * mean_a * mean_b * covariance
    below = (mean_a**2 + mean_b**2) * (variance_a + variance_b)
    if above == 0:
        return 1.0 if below == 0 else 0.0  # two patches without any subject are alike
    return above / below
