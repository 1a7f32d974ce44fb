"""Drawn scenes with difficult edges."""

import pytest
import torch

from pochoir.errors import OptionError, UnknownNameError
from pochoir.lab.scenes import FAMILIES, HELD_OUT, MATTE_SCENES, TUNE, draw_matte_scene

SMALL = 64


@pytest.mark.parametrize("name", ["bottle", "holed-leaf", "mug", "fern"])
def test_the_photo_is_the_two_layers_composited_with_sensor_noise(name: str) -> None:
    scene = draw_matte_scene(name, long_side_px=SMALL)
    composite = scene.foreground * scene.alpha + scene.background * (1 - scene.alpha)
    difference = (scene.photo - composite).abs()
    assert max(scene.photo.shape[-2:]) == SMALL
    assert 0.001 < float(difference.mean()) < 0.01
    assert torch.equal((scene.photo * 255).round() / 255, scene.photo)
    assert 0.05 < float(scene.alpha.mean()) < 0.7
    soft = (scene.alpha > 0) & (scene.alpha < 1)
    assert soft.any()


def test_the_same_name_gives_the_same_pixels_and_another_size_the_same_scene() -> None:
    first, again = (draw_matte_scene("toy", long_side_px=SMALL) for _ in range(2))
    assert torch.equal(first.photo, again.photo)
    larger = draw_matte_scene("toy", long_side_px=2 * SMALL)
    shrunk = torch.nn.functional.avg_pool2d(larger.alpha, 2)
    rows = min(shrunk.shape[-2], first.alpha.shape[-2])
    assert float((shrunk[..., :rows, :] - first.alpha[..., :rows, :]).abs().mean()) < 0.02


def test_every_family_has_one_scene_to_tune_on_and_one_to_report_on() -> None:
    assert set(TUNE) | set(HELD_OUT) == set(MATTE_SCENES)
    assert not set(TUNE) & set(HELD_OUT)
    assert sorted(FAMILIES[name] for name in TUNE) == sorted(FAMILIES[name] for name in HELD_OUT)


def test_bad_names_and_sizes_are_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown drawn scene 'catt'\. Did you mean 'cat'\?"):
        draw_matte_scene("catt")
    with pytest.raises(OptionError, match="at least 32 pixels long; got 31"):
        draw_matte_scene("cat", long_side_px=31)
