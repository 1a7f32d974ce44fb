from itertools import islice

import pytest
import torch

from pochoir.recipe import OPTIMIZERS as NAMES
from pochoir.transfer.criterion import Terms
from pochoir.transfer.optimize import OPTIMIZERS
from support.close import assert_close


def distance_to(target: torch.Tensor):
    def objective(picture: torch.Tensor):
        return Terms((picture - target).square().sum(), *torch.zeros(5))

    return objective


@pytest.fixture
def start() -> torch.Tensor:
    return torch.rand(1, 3, 5, 6, generator=torch.Generator().manual_seed(0))


FREE = torch.ones(1, 1, 5, 6)


def test_the_recipe_offers_all_of_them():
    assert set(OPTIMIZERS) == set(NAMES)


@pytest.mark.parametrize("name", OPTIMIZERS)
class TestEach:
    def test_the_first_item_is_the_start(self, name, start):
        first = next(OPTIMIZERS[name](distance_to(start + 0.1), start, FREE))
        assert torch.equal(first.picture, start)

    def test_losses_belong_to_their_picture(self, name, start):
        objective = distance_to(torch.full_like(start, 0.5))
        items = list(islice(OPTIMIZERS[name](objective, start, FREE), 6))
        for item in items:  # looked at after all were made: none was changed later
            assert item.losses.total == pytest.approx(float(objective(item.picture).total), rel=1e-6)

    def test_it_comes_near(self, name, start):
        target = torch.full_like(start, 0.5)
        items = list(islice(OPTIMIZERS[name](distance_to(target), start, FREE), 60))
        assert items[-1].losses.total < 0.02 * items[0].losses.total

    def test_what_is_not_free_stays_bit_exact(self, name, start):
        free = FREE.clone()
        free[..., :3] = 0.0
        *_, last = islice(OPTIMIZERS[name](distance_to(1.0 - start), start, free), 12)
        assert torch.equal(last.picture[..., :3], start[..., :3])
        assert not torch.isclose(last.picture[..., 3:], start[..., 3:], atol=1e-6).any()

    def test_no_gradient_is_taken_that_is_not_asked_for(self, name, start):
        taken = []

        def objective(picture: torch.Tensor):
            terms = distance_to(1.0 - start)(picture)
            terms.total.register_hook(lambda slope: taken.append(slope))
            return terms

        assert len(list(islice(OPTIMIZERS[name](objective, start, FREE), 4))) == 4
        assert len(taken) == 3

    def test_the_start_is_left_alone(self, name, start):
        before = start.clone()
        list(islice(OPTIMIZERS[name](distance_to(1.0 - start), start, FREE), 4))
        assert torch.equal(start, before)

    def test_gradients_may_be_off_outside(self, name, start):
        with torch.no_grad():
            items = list(islice(OPTIMIZERS[name](distance_to(1.0 - start), start, FREE), 3))
        assert items[-1].losses.total < items[0].losses.total
        assert not items[-1].picture.requires_grad


def test_adam_stays_in_gamut(start):
    *_, last = islice(OPTIMIZERS["adam"](distance_to(torch.full_like(start, 3.0)), start, FREE), 80)
    assert_close(last.picture, torch.ones_like(start))
    for item in islice(OPTIMIZERS["adam"](distance_to(torch.full_like(start, -3.0)), start, FREE), 40):
        assert float(item.picture.min()) >= 0.0
        assert float(item.picture.max()) <= 1.0


def test_lbfgs_is_not_clamped(start):
    *_, last = islice(OPTIMIZERS["lbfgs"](distance_to(torch.full_like(start, 3.0)), start, FREE), 20)
    assert_close(last.picture, torch.full_like(start, 3.0))
