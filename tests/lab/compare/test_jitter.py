"""The spread of results under moved boxes, and the grid of overlapping figures."""

import numpy as np
import pytest
import torch

from pochoir._types import Box, Size
from pochoir.errors import OptionError
from pochoir.lab.compare.jitter import JitterRow, JitterSettings, box_iou, count_boxes, iter_jitter, move_box, trim
from pochoir.lab.compare.overlap import OverlapRow, OverlapSettings, iter_overlap
from pochoir.lab.scenes import FigureScene, draw_figures
from pochoir.segmentation import Segmentation
from pochoir.segmentation.grabcut import box_around

SIZE = Size(64, 80)


@pytest.fixture(scope="module")
def scene() -> FigureScene:
    return draw_figures(figures=1, distance=60.0, size=SIZE, seed=0)


def jitter(scene: FigureScene, settings: JitterSettings) -> list[JitterRow]:
    box = box_around(scene.everyone, margin=0.05)
    assert box is not None
    truth = scene.everyone
    steps = iter_jitter(scene.photo, box, name="scene", saliency=truth, settings=settings, truth=truth)
    return [row for rows in steps for row in rows]


def test_a_moved_box_stays_in_the_picture_and_keeps_some_width() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        moved = move_box(Box(60, 2, 18, 5), SIZE, share=0.5, rng=rng)
        assert moved.x >= 0
        assert moved.y >= 0
        assert moved.x + moved.width <= SIZE.width
        assert moved.y + moved.height <= SIZE.height
        assert min(moved.width, moved.height) >= 2


def test_each_edge_moves_by_no_more_than_its_share() -> None:
    rng = np.random.default_rng(1)
    for _ in range(100):
        moved = move_box(Box(20, 20, 40, 20), Size(100, 100), share=0.1, rng=rng)
        assert abs(moved.x - 20) <= 4
        assert abs(moved.x + moved.width - 60) <= 4
        assert abs(moved.y - 20) <= 2


def test_iou_of_boxes_by_hand() -> None:
    assert box_iou(Box(0, 0, 4, 2), Box(2, 0, 4, 2)) == pytest.approx(4 / 12)
    assert box_iou(Box(0, 0, 2, 2), Box(5, 5, 2, 2)) == 0.0


def test_trimming_drops_what_lies_outside_of_the_box(scene: FigureScene) -> None:
    trimmed = trim(torch.ones(1, 1, *SIZE), scene.photo, Box(10, 20, 30, 8))
    assert float(trimmed.sum()) == 30 * 8
    assert float(trimmed[..., 20:28, 10:40].min()) == 1.0


def test_jitter_has_a_row_for_each_method_and_moved_box(scene: FigureScene) -> None:
    settings = JitterSettings(shares=(0.05, 0.3), draws=3)
    rows = jitter(scene, settings)
    assert len(rows) == 2 * count_boxes(settings)
    assert {row.method for row in rows} == {"grabcut", "u2net"}
    near, far = ([row.box_iou for row in rows if row.share == share] for share in settings.shares)
    assert np.mean(near) > np.mean(far)


def test_a_perfect_matte_loses_only_what_the_box_cuts_off(scene: FigureScene) -> None:
    rows = [row for row in jitter(scene, JitterSettings(shares=(0.3,), draws=6)) if row.method == "u2net"]
    assert all(row.truth == pytest.approx(row.same) for row in rows)
    assert min(row.same for row in rows) < 1.0


def test_the_same_seed_moves_the_boxes_alike(scene: FigureScene) -> None:
    settings = JitterSettings(shares=(0.2,), draws=2)
    assert jitter(scene, settings) == jitter(scene, settings)
    assert jitter(scene, settings) != jitter(scene, JitterSettings(shares=(0.2,), draws=2, seed=1))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shares": ()}, "shares above 0 and at most 0.5"),
        ({"shares": (0.1, 0.6)}, "shares above 0 and at most 0.5"),
        ({"draws": 0}, "At least 1 moved box"),
    ],
)
def test_jitter_that_cannot_be_drawn_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        JitterSettings(**settings)


class BrightSubject:
    """Finds what differs most from the picture's mean colour."""

    name = "bright"

    def segment(self, photo: torch.Tensor) -> Segmentation:
        away = (photo - photo.mean(dim=(2, 3), keepdim=True)).abs().sum(dim=1, keepdim=True)
        return Segmentation(matte=(away / away.max()).contiguous(), method=self.name)


def test_overlap_scores_both_tasks_and_the_box_itself() -> None:
    settings = OverlapSettings(figures=(1, 3), distances=(5.0, 60.0), scenes=1, size=SIZE)
    rows = [row for rows in iter_overlap(settings, network=BrightSubject()) for row in rows]
    assert len(rows) == 7 * settings.count
    assert all(0.0 <= row.iou <= 1.0 for row in rows)
    by = {(row.figures, row.distance, row.task, row.method): row.iou for row in rows}
    assert by[1, 5.0, "everyone", "box"] == by[1, 60.0, "everyone", "box"]  # a box knows nothing of colours
    assert by[1, 60.0, "everyone", "grabcut"] > 0.9 > by[1, 60.0, "everyone", "box"]
    assert by[1, 5.0, "everyone", "grabcut"] < by[1, 60.0, "everyone", "grabcut"]
    assert isinstance(rows[0], OverlapRow)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"figures": (0,)}, "1 to 6 figures"),
        ({"distances": (100.0,)}, "at most 90"),
        ({"distances": ()}, "at most 90"),
        ({"scenes": 0}, "At least 1 scene"),
    ],
)
def test_scenes_that_cannot_be_drawn_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        OverlapSettings(**settings)
