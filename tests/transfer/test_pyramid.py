"""What the objective is built from at one scale."""

import pytest
import torch

from pochoir.transfer.pyramid import Level, Region, Sample


@pytest.mark.parametrize(
    ("frame_px", "style", "scale", "expected"),
    [
        (200 * 200, (100, 400), 1.0, (100, 400)),
        (100 * 100, (100, 400), 1.0, (50, 200)),
        (400 * 400, (100, 100), 1.0, (400, 400)),  # a small one is enlarged
        (1000 * 1000, (128, 128), 1.0, (512, 512)),  # but not without end
        (1000 * 1000, (640, 640), 1.0, (640, 640)),  # a large one is not
        (1000 * 1000, (640, 640), 1.5, (960, 960)),  # unless it is asked for
        (1000 * 1000, (1280, 1280), 1.0, (1000, 1000)),
    ],
)
def test_size_of_a_style(frame_px, style, scale, expected):
    picture = torch.rand(1, 3, *style, generator=torch.Generator().manual_seed(0))
    level = Level(torch.zeros(1, 3, 8, 8), [Region(torch.ones(1, 1, 8, 8), [(picture, 1.0)])], scale, frame_px)
    assert level.scale_style(Sample(picture, 1.0)).picture.shape[-2:] == expected
