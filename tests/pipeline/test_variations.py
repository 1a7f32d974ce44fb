from itertools import combinations

import pytest
import torch

import pochoir
from pochoir.errors import OptionError


@pytest.fixture
def photo():
    return torch.rand(1, 3, 40, 56, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def style():
    return torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(2)).round()


def test_variations_differ_in_their_seed_and_strokes(photo, style, quick):
    results = list(pochoir.iter_variations(photo, count=3, style=style, seed=7, **quick))
    assert [result.recipe.seed for result in results] == [7, 8, 9]
    for one, other in combinations(results, 2):
        assert float((one.composite - other.composite).abs().mean()) > 1 / 255


def test_a_variation_is_the_painting_with_its_seed(photo, style, quick):
    *_, last = pochoir.iter_variations(photo, count=2, style=style, size=32, **quick)
    again = pochoir.stylize(photo, style=style, size=32, seed=1, **quick)
    assert torch.equal(last.composite, again.composite)


def test_they_are_small(style, quick):
    photo = torch.rand(1, 3, 30, 600)
    (result,) = pochoir.iter_variations(photo, count=1, style=style, size=512, **quick)
    assert result.composite.shape[-1] == 256


@pytest.mark.parametrize("count", [0, 65, -1])
def test_a_number_out_of_bounds(photo, style, count):
    with pytest.raises(OptionError, match="Variations are 1 to 64"):
        pochoir.iter_variations(photo, count=count, style=style)
