"""Drawn scenes hold what they say: colours at the asked distance, figures that hide each other, exact mattes."""

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from pochoir._types import Size
from pochoir.errors import OptionError
from pochoir.lab.scenes import FigureScene, draw_figures

SIZE = Size(96, 128)


def mean_tone(scene: FigureScene, matte: torch.Tensor) -> np.ndarray:
    lab = rgb2lab(scene.photo[0].permute(1, 2, 0).double().numpy())
    return lab[matte[0, 0].numpy() == 1].mean(axis=0)


@pytest.mark.parametrize("distance", [10.0, 30.0, 60.0])
def test_the_front_figures_tone_is_at_the_asked_distance_from_the_ground(distance: float) -> None:
    found = []
    for seed in range(8):  # the patches shift the mean of any one figure
        scene = draw_figures(figures=3, distance=distance, size=SIZE, seed=seed)
        found.append(np.linalg.norm(mean_tone(scene, scene.front) - mean_tone(scene, 1 - scene.everyone)))
    assert np.mean(found) == pytest.approx(distance, abs=0.05 * distance + 1)


def test_the_front_figure_is_one_of_all_and_hides_its_neighbours() -> None:
    scene = draw_figures(figures=4, distance=40.0, size=SIZE, seed=1)
    assert bool((scene.front <= scene.everyone).all())
    assert 0.15 < float(scene.front.sum() / scene.everyone.sum()) < 0.5
    alone = draw_figures(figures=1, distance=40.0, size=SIZE, seed=1)
    assert torch.equal(alone.front, alone.everyone)


@pytest.mark.parametrize("figures", [1, 3, 6])
@pytest.mark.parametrize("size", [SIZE, Size(32, 32), Size(120, 60)])
def test_all_figures_stand_inside_the_picture(figures: int, size: Size) -> None:
    for seed in range(3):
        everyone = draw_figures(figures=figures, distance=30.0, size=size, seed=seed).everyone
        assert float(everyone[..., 0, :].max()) == float(everyone[..., -1, :].max()) == 0
        assert float(everyone[..., 0].max()) == float(everyone[..., -1].max()) == 0


def test_the_same_arguments_give_the_same_pixels_and_another_seed_others() -> None:
    first, again, other = (draw_figures(figures=2, distance=20.0, size=SIZE, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.photo, again.photo)
    assert torch.equal(first.front, again.front)
    assert not torch.equal(first.everyone, other.everyone)


def test_figures_stand_alike_at_every_distance() -> None:
    near, far = (draw_figures(figures=3, distance=distance, size=SIZE, seed=2) for distance in (5.0, 70.0))
    assert torch.equal(near.everyone, far.everyone)
    assert torch.equal(near.front, far.front)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"figures": 0}, "1 to 6 figures; got 0"),
        ({"figures": 7}, "1 to 6 figures; got 7"),
        ({"distance": 0.0}, "above 0 and at most 90; got 0"),
        ({"distance": 91.0}, "at most 90; got 91"),
        ({"size": Size(31, 64)}, "at least 32x32 pixels; got 64x31"),
    ],
)
def test_what_cannot_be_drawn_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        draw_figures(**({"figures": 2, "distance": 20.0, "size": SIZE} | arguments))
