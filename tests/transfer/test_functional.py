import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pochoir.errors import ShapeError
from pochoir.transfer.functional import (
    differentiated,
    gamut_excess,
    gram,
    relative_distance,
    total_variation,
    weighted_squares,
)
from support.close import assert_close


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def gram_by_loops(features: torch.Tensor, guide: torch.Tensor) -> torch.Tensor:
    batch, channels, height, width = features.shape
    result = torch.zeros(batch, channels, channels, dtype=torch.float64)
    for b in range(batch):
        area = sum(float(guide[b, 0, y, x]) for y in range(height) for x in range(width))
        for i in range(channels):
            for j in range(channels):
                total = 0.0
                for y in range(height):
                    for x in range(width):
                        total += float(guide[b, 0, y, x] * features[b, i, y, x] * features[b, j, y, x])
                result[b, i, j] = total / area
    return result


class TestGram:
    features = noise(2, 3, 4, 5) - 0.4

    def test_plain_gram_by_loops(self):
        assert_close(gram(self.features), gram_by_loops(self.features, torch.ones(2, 1, 4, 5)))

    def test_guided_gram_by_loops(self):
        guide = noise(2, 1, 4, 5, seed=1)
        assert_close(gram(self.features, guide), gram_by_loops(self.features, guide))

    def test_one_guide_serves_a_batch(self):
        guide = noise(1, 1, 4, 5, seed=1)
        assert_close(gram(self.features, guide), gram(self.features, guide.expand(2, -1, -1, -1)))

    def test_two_by_hand(self):
        features = torch.tensor([[1.0, 2.0], [3.0, -1.0]]).view(1, 2, 1, 2)
        assert_close(gram(features), torch.tensor([[[2.5, 0.5], [0.5, 5.0]]]))
        guide = torch.tensor([0.5, 1.5]).view(1, 1, 1, 2)
        # (0.5 * [1, 3; 3, 9] + 1.5 * [4, -2; -2, 1]) / 2
        assert_close(gram(features, guide), torch.tensor([[[3.25, -0.75], [-0.75, 3.0]]]))

    @pytest.mark.parametrize("level", [1.0, 0.3, 7.0])
    def test_a_constant_guide_is_none(self, level):
        assert_close(gram(self.features, torch.full((2, 1, 4, 5), level).double()), gram(self.features))

    @given(seed=st.integers(0, 2**31), count=st.integers(1, 4))
    def test_guides_that_add_up_to_one_share_out_the_gram_matrix(self, seed, count):
        guides = noise(count, 1, 1, 4, 5, seed=seed) + 1e-3
        guides = guides / guides.sum(dim=0)
        parts = sum(gram(self.features[:1], guide) * (guide.sum() / 20.0) for guide in guides)
        assert_close(parts, gram(self.features[:1]))

    def test_only_where_the_guide_is_counts(self):
        guide = torch.zeros(2, 1, 4, 5).double()
        guide[..., 1:3, 2:4] = 1.0
        changed = self.features.clone()
        changed[..., 0, :] = 99.0
        assert_close(gram(changed, guide), gram(self.features[..., 1:3, 2:4]))

    def test_the_order_of_positions_does_not_matter(self):
        order = torch.randperm(20, generator=torch.Generator().manual_seed(3))
        guide = noise(2, 1, 4, 5, seed=1)
        shuffled, shuffled_guide = (t.flatten(2)[..., order].view(t.shape) for t in (self.features, guide))
        assert_close(gram(shuffled), gram(self.features))
        assert_close(gram(shuffled, shuffled_guide), gram(self.features, guide))

    def test_the_size_does_not_matter(self):
        assert_close(gram(self.features.repeat(1, 1, 3, 2)), gram(self.features))

    def test_symmetric_without_negative_eigenvalues(self):
        matrix = gram(self.features, noise(2, 1, 4, 5, seed=1))
        assert_close(matrix, matrix.transpose(1, 2))
        assert float(torch.linalg.eigvalsh(matrix).min()) > -1e-12

    def test_gradients(self):
        features = self.features[:, :2, :2, :3].clone().requires_grad_()
        guide = (noise(2, 1, 2, 3, seed=1) + 0.1).requires_grad_()
        assert torch.autograd.gradcheck(gram, (features,))
        assert torch.autograd.gradcheck(gram, (features, guide))

    def test_guide_of_another_size(self):
        with pytest.raises(ShapeError, match=r"must have its features' size \(4, 5\); got \(5, 4\)\."):
            gram(self.features, torch.ones(2, 1, 5, 4).double())


class TestRelativeDistance:
    def test_by_hand(self):
        value, target = torch.tensor([1.0, 2.0, 5.0]), torch.tensor([1.0, 4.0, 3.0])
        assert_close(relative_distance(value, target), torch.tensor(8.0 / 26.0))
        weight = torch.tensor([9.0, 0.5, 2.0])
        assert_close(relative_distance(value, target, weight), torch.tensor((0.5 * 4 + 2 * 4) / (9 + 0.5 * 16 + 2 * 9)))

    def test_identity_is_zero_and_nothing_is_one(self):
        target, weight = noise(1, 3, 4, 5), noise(1, 1, 4, 5, seed=1)
        for chosen in (None, weight):
            assert float(relative_distance(target, target, chosen)) == 0.0
            assert_close(relative_distance(torch.zeros_like(target), target, chosen), torch.tensor(1.0).double())

    @given(scale=st.floats(1e-2, 1e4), seed=st.integers(0, 2**31))
    def test_scale_does_not_matter(self, scale, seed):
        value, target, weight = noise(1, 2, 3, 4, seed=seed), noise(1, 2, 3, 4, seed=seed + 1), noise(1, 1, 3, 4)
        assert_close(relative_distance(value * scale, target * scale), relative_distance(value, target))
        assert_close(relative_distance(value, target, weight * scale), relative_distance(value, target, weight))

    def test_weight_is_one_a_position(self):
        value, target, weight = noise(1, 3, 4, 5), noise(1, 3, 4, 5, seed=1), noise(1, 1, 4, 5, seed=2)
        expected = relative_distance(value, target, weight.expand(-1, 3, -1, -1))
        assert_close(relative_distance(value, target, weight), expected)

    def test_a_target_that_is_zero_throughout(self):
        value = torch.full((2, 2), 0.5).requires_grad_()
        loss = relative_distance(value, torch.zeros(2, 2))
        (gradient,) = torch.autograd.grad(loss, value)
        assert torch.isfinite(loss)
        assert torch.isfinite(gradient).all()
        assert float(relative_distance(torch.zeros(2, 2), torch.zeros(2, 2))) == 0.0

    def test_gradients(self):
        value, target, weight = noise(1, 2, 2, 3), noise(1, 2, 2, 3, seed=1), noise(1, 1, 2, 3, seed=2)
        assert torch.autograd.gradcheck(relative_distance, (value.requires_grad_(), target))
        assert torch.autograd.gradcheck(relative_distance, (value, target, weight))


class TestWeightedSquares:
    def test_by_hand(self):
        value, target = torch.tensor([1.0, 2.0, 5.0]), torch.tensor([1.0, 4.0, 3.0])
        assert float(weighted_squares(value, target, torch.tensor([9.0, 0.5, 2.0]))) == 0.5 * 4 + 2 * 4

    def test_gradients(self):
        value, target, weight = noise(1, 3, 4, 5).requires_grad_(), noise(1, 3, 4, 5, seed=1), noise(1, 1, 4, 5, seed=2)
        assert torch.autograd.gradcheck(lambda picture: 3.0 * weighted_squares(picture, target, weight), (value,))


class TestTotalVariation:
    picture = torch.tensor([[0.0, 1.0, 3.0], [2.0, 2.0, 2.0], [5.0, 1.0, 1.0]]).view(1, 1, 3, 3)

    def test_three_by_three_by_hand(self):
        across = 1 + 4 + 0 + 0 + 16 + 0
        down = 4 + 1 + 1 + 9 + 1 + 1
        assert_close(total_variation(self.picture), torch.tensor((across + down) / 6.0))

    def test_three_by_three_with_weights_by_hand(self):
        weight = torch.tensor([[1.0, 1.0, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 0.0]]).view(1, 1, 3, 3)
        # Pairs that touch weight 0 are out; of the others the lesser weight counts.
        across = (1.0 * 1 + 0.5 * 0) / (1.0 + 0.5)
        down = (0.5 * 4 + 1.0 * 1) / (0.5 + 1.0)
        assert_close(total_variation(self.picture, weight), torch.tensor(across + down))

    def test_what_has_no_weight_does_not_count(self):
        weight = torch.ones(1, 1, 3, 3)
        weight[..., 2] = 0.0
        changed = self.picture.clone()
        changed[..., 2] = 1e6
        assert_close(total_variation(changed, weight), total_variation(self.picture[..., :2]))

    @pytest.mark.parametrize("batch", [1, 2])
    def test_full_weight_is_none(self, batch):
        picture = noise(batch, 3, 5, 4)
        for own in {1, batch}:
            assert_close(total_variation(picture, torch.ones(own, 1, 5, 4).double()), total_variation(picture))

    def test_weight_of_zero_throughout(self):
        assert float(total_variation(self.picture, torch.zeros(1, 1, 3, 3))) == 0.0

    @pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (4, 6)])
    def test_constant_is_zero(self, size):
        picture = torch.full((1, 3, *size), 0.37)
        assert float(total_variation(picture)) == 0.0
        assert float(total_variation(picture, torch.ones(1, 1, *size))) == 0.0

    def test_a_row_has_no_pairs_downwards(self):
        assert_close(total_variation(torch.tensor([0.0, 2.0, 1.0]).view(1, 1, 1, 3)), torch.tensor(2.5))

    def test_gradients(self):
        picture = noise(2, 2, 3, 4).requires_grad_()
        weight = noise(1, 1, 3, 4, seed=1) + 0.1
        assert torch.autograd.gradcheck(total_variation, (picture,))
        assert torch.autograd.gradcheck(total_variation, (picture, weight))


class TestGamutExcess:
    def test_by_hand(self):
        picture = torch.tensor([-0.5, 0.0, 0.3, 1.0, 1.25]).requires_grad_()
        loss = gamut_excess(picture)
        assert_close(loss.detach(), torch.tensor((0.25 + 0.0625) / 5))
        (gradient,) = torch.autograd.grad(loss, picture)
        # It draws what lies outside to the nearest value inside and leaves the rest alone.
        assert_close(gradient, torch.tensor([-0.2, 0.0, 0.0, 0.0, 0.1]))

    def test_nothing_inside(self):
        assert float(gamut_excess(noise(1, 3, 4, 5))) == 0.0

    def test_gradients(self):
        picture = torch.tensor([-0.5, 0.2, 0.7, 1.3], dtype=torch.float64).requires_grad_()
        assert torch.autograd.gradcheck(gamut_excess, (picture,))


def test_a_value_with_a_known_gradient():
    picture, gradient = noise(1, 3, 4, 5).requires_grad_(), noise(1, 3, 4, 5, seed=1)
    value = differentiated(picture, torch.tensor(2.5), gradient)
    assert float(value.detach()) == 2.5
    (3.0 * value).backward()
    assert_close(picture.grad, 3.0 * gradient)
