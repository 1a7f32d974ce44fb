import pytest
import torch

from pochoir.errors import ShapeError
from pochoir.segmentation.matting.local_colors import match_colors

SUBJECT, BACKGROUND = torch.tensor([0.8, 0.3, 0.2]).view(1, 3, 1, 1), torch.tensor([0.2, 0.4, 0.7]).view(1, 3, 1, 1)


def ramp(height=90, width=160, *, wide=0.06):
    x = (torch.arange(width) + 0.5) / width
    return ((x - 0.5) / wide + 0.5).clamp(0, 1).expand(1, 1, height, width).contiguous()


def test_a_mixture_of_the_two_colours_is_measured():
    exact = ramp()
    judged = match_colors(ramp(wide=0.12), torch.lerp(BACKGROUND, SUBJECT, exact))
    believed = judged.trust > 0.5
    assert int(believed.sum()) > 500
    assert float((judged.matte - exact)[believed].abs().max()) < 0.06


def test_edge_in_the_wrong_place_is_moved():
    exact = ramp(wide=0.01)
    shifted = ramp(wide=0.01).roll(2, dims=-1)
    shifted[..., :2] = 0.0
    judged = match_colors(shifted, torch.lerp(BACKGROUND, SUBJECT, exact))
    moved = shifted.lerp(judged.matte, judged.trust)
    assert float((moved - exact).abs().sum()) < 0.6 * float((shifted - exact).abs().sum())


def test_colours_that_do_not_differ_are_not_trusted():
    noise = 0.05 * torch.rand(1, 3, 90, 160, generator=torch.Generator().manual_seed(0))
    assert float(match_colors(ramp(), BACKGROUND + noise).trust.max()) < 0.1


def test_trust_grows_with_the_distance_of_the_colours():
    trusts = [
        float(match_colors(ramp(), torch.lerp(BACKGROUND, BACKGROUND + apart, ramp())).trust.max())
        for apart in (0.02, 0.05, 0.2)
    ]
    assert trusts == sorted(trusts)
    assert trusts[0] < 0.4
    assert trusts[2] > 0.8


def test_nothing_is_judged_away_from_the_edge():
    trust = match_colors(ramp(), torch.lerp(BACKGROUND, SUBJECT, ramp())).trust
    assert float(trust[..., :55].max()) == 0.0
    assert float(trust[..., -55:].max()) == 0.0


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_empty_and_full_mattes_leave_nothing_to_judge(level):
    judged = match_colors(torch.full((1, 1, 30, 40), level), torch.rand(1, 3, 30, 40))
    assert float(judged.trust.max()) == 0.0
    assert bool(judged.matte.isfinite().all())


def test_result_hardly_depends_on_the_size_of_the_photo():
    small = match_colors(ramp(), torch.lerp(BACKGROUND, SUBJECT, ramp()))
    large_ramp = ramp(540, 960)
    large = match_colors(large_ramp, torch.lerp(BACKGROUND, SUBJECT, large_ramp))
    assert float((large.trust[..., 3::6, 3::6] - small.trust).abs().mean()) < 0.03


def test_sizes_must_agree():
    with pytest.raises(ShapeError, match="The matte is 5x4, the photo 4x4; resize the matte first"):
        match_colors(torch.zeros(1, 1, 4, 5), torch.zeros(1, 3, 4, 4))
