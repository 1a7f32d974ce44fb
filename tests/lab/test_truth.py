"""Measures of mattes against the truth, held to the published implementation and to worked examples."""

import numpy as np
import pytest
import torch

from pochoir.errors import ShapeError
from pochoir.lab.truth import mask_iou, score_matte

# What pysodmetrics 1.6.2 gives for ``noisy_discs(case)``, taken once in an environment of its own:
#   measure = py_sod_metrics.Smeasure(); measure.step(matte, truth); measure.get_results()["sm"]
#   and likewise MAE; FmeasureV2({"f": FmeasureHandler(beta=0.3, with_dynamic=True, with_adaptive=False)}), its maximum.
PUBLISHED = [
    (0.6852922434561737, 0.23125408496732025, 0.7849011929696749),
    (0.7222391950240918, 0.22654084967320262, 0.8303068252974328),
    (0.6384812765831662, 0.2658937908496732, 0.6996625421822273),
    (0.5497494358933588, 0.3081184640522876, 0.5536329273414532),
    (0.4729242547544655, 0.35772630718954246, 0.4091316754993885),
]


def noisy_discs() -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Mattes in 8 bits that span 0 to 255 (pysodmetrics stretches others), and their truths."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[0:60, 0:80]
    cases = []
    for case in range(5):
        truth = np.hypot(y - 20 - 5 * case, x - 30 - 3 * case) < 15 + case
        guess = 0.6 * (np.hypot(y - 22, x - 33 - 2 * case) < 17) + 0.4 * rng.random(truth.shape)
        matte = np.clip(255 * guess, 0, 255).astype(np.uint8)
        matte[0, 0], matte[30, 40] = 0, 255
        cases.append((as_matte(matte / 255), as_matte(truth)))
    return cases


def as_matte(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.asarray(values, np.float64))[None, None]


@pytest.mark.parametrize("case", range(5))
def test_the_measures_are_those_of_the_published_implementation(case: int) -> None:
    scores = score_matte(*noisy_discs()[case])
    s_measure, mae, max_f = PUBLISHED[case]
    assert scores.s_measure == pytest.approx(s_measure, abs=1e-9)
    assert scores.mae == pytest.approx(mae, abs=1e-9)
    assert scores.max_f == pytest.approx(max_f, abs=1e-9)


def test_the_truth_itself_is_without_fault() -> None:
    _, truth = noisy_discs()[0]
    scores = score_matte(truth, truth)
    assert (scores.iou, scores.mae) == (1.0, 0.0)
    assert scores.max_f == pytest.approx(1.0)
    assert scores.s_measure == pytest.approx(1.0)


def test_the_opposite_of_the_truth_gets_the_worst_marks() -> None:
    _, truth = noisy_discs()[0]
    scores = score_matte(1 - truth, truth)
    assert (scores.iou, scores.mae, scores.s_measure) == (0.0, 1.0, 0.0)


def test_iou_by_hand() -> None:
    first = torch.tensor([[[[0.0, 0.6, 1.0, 0.5]]]])
    second = torch.tensor([[[[0.0, 0.0, 0.9, 1.0]]]])
    assert mask_iou(first, second) == pytest.approx(1 / 3)  # one half is not above one half
    assert mask_iou(torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)) == 1.0


@pytest.mark.parametrize(("level", "s_measure"), [(0.0, 0.75), (1.0, 0.25)])
def test_without_a_subject_or_a_background_only_brightness_counts(level: float, s_measure: float) -> None:
    matte = torch.full((1, 1, 4, 4), 0.25)
    assert score_matte(matte, torch.full_like(matte, level)).s_measure == pytest.approx(s_measure)


def test_a_subject_in_the_corner_leaves_no_empty_quarter_to_stumble_over() -> None:
    truth = torch.zeros(1, 1, 8, 8)
    truth[..., 7, 7] = 1.0
    assert score_matte(truth, truth).s_measure == pytest.approx(1.0)


def test_mattes_of_two_sizes_are_refused() -> None:
    with pytest.raises(ShapeError, match="must have the same size; got 4x4 and 5x4"):
        score_matte(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 5))
