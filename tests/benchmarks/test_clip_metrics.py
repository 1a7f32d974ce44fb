"""Measures of clips notice what they are there for."""

import sys
from pathlib import Path

import numpy as np
import pytest

from pochoir._types import Size
from pochoir.animation.clip import Actor, Clip, Stage
from pochoir.animation.motions import MOTIONS, Move
from pochoir.animation.rigged import Rigged
from pochoir.animation.timing import Timing
from support.cutouts import draw_person, paint, person_rig

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from clip_metrics import Probe


@pytest.fixture(scope="module")
def clip() -> Clip:
    cutout = paint(draw_person())
    puppet = Rigged(cutout[..., 3], person_rig())
    return Clip(Stage((Actor(puppet, (cutout,), (Move(MOTIONS["wave"]),)),), (), Size(220, 200)), Timing(1.0, 12))


def test_a_good_frame_has_no_faults(clip: Clip) -> None:
    look = Probe(clip).look(5)
    assert look is not None
    assert look.cracks == 0
    assert look.rmse < 1.5
    assert 0.75 < look.sharpness < 1.1
    assert Probe(clip).bone_error() < 0.08


def test_tears_blur_and_other_colors_are_noticed(clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = clip.layer_at(5)
    faded, torn = layer * np.float32([0.8, 0.8, 0.8, 1]), layer.copy()
    torn[75:110, 100:102] = 0
    for wrong, is_torn, is_faded in ((torn, True, False), (faded, False, True)):
        monkeypatch.setattr(clip, "layer_at", lambda index, wrong=wrong: wrong)
        look = Probe(clip).look(5)
        assert look is not None
        assert (look.cracks > 30) == is_torn
        assert (look.sharpness < 0.75) == is_faded
        assert not is_faded or look.rmse > 10


def test_longer_bones_are_noticed(clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    original = clip.points_at
    monkeypatch.setattr(clip, "points_at", lambda index: original(index) * 1.2)
    assert Probe(clip).bone_error() > 0.15
