import pytest
import torch

from pochoir import imaging
from pochoir._types import Size
from pochoir.transfer import NOISY_ABOVE, Region, Sample, grain, measure_noise
from pochoir.transfer.grain import remove_grain
from pochoir.transfer.pyramid import Level
from support.close import assert_close


def striped(noise: float) -> torch.Tensor:
    """Broad strokes, and noise of a standard deviation in levels of 255 in each channel."""
    y, x = torch.meshgrid(torch.arange(128.0), torch.arange(160.0), indexing="ij")
    strokes = torch.stack([(x + y) % 40 < 20, (x - y) % 32 < 16, x % 64 < 32]).float() * 0.5 + 0.25
    drawn = torch.randn(1, 1, 128, 160, generator=torch.Generator().manual_seed(7))
    return (strokes[None] + drawn * noise / 255).clamp(0.0, 1.0)


@pytest.mark.parametrize("noise", [0.0, 3.0, 8.0, 15.0])
def test_noise_is_measured_between_the_strokes(noise):
    assert measure_noise(striped(noise)) == pytest.approx(noise, rel=0.3, abs=1.5)


@pytest.mark.parametrize("size", [(1, 1), (17, 190), (96, 97)])
def test_pictures_of_any_size(size):
    assert measure_noise(torch.full((1, 3, *size), 0.4)) == 0.0
    flat = torch.full((1, 3, *size), 0.4)
    assert torch.equal(remove_grain(flat, measure_noise(flat)), flat)


def test_the_median_removes_noise_and_keeps_strokes():
    clean, noisy = striped(0.0), striped(14.0)
    assert measure_noise(remove_grain(noisy, measure_noise(noisy))) < 0.5 * measure_noise(noisy)
    assert float((remove_grain(noisy, measure_noise(noisy)) - clean).abs().mean()) < float((noisy - clean).abs().mean())
    assert float((remove_grain(clean, measure_noise(clean)) - clean).abs().mean()) < 0.01


def test_strokes_as_narrow_as_grain_stay():
    drawn = torch.randn(1, 1, 128, 160, generator=torch.Generator().manual_seed(7))
    lines = torch.where(torch.arange(160) < 80, 0.5, 0.35 + 0.3 * (torch.arange(160) % 3 == 0).float())
    noisy = (lines.expand(1, 3, 128, 160) + drawn * 6 / 255).clamp(0.0, 1.0)
    cleaned = remove_grain(noisy, measure_noise(noisy))
    calm, busy = (..., slice(4, 76)), (..., slice(84, 156))
    assert float(cleaned[calm].std()) < 0.6 * float(noisy[calm].std())
    assert float(cleaned[busy].std()) > 0.9 * float(noisy[busy].std())
    assert float(grain._median(noisy)[busy].std()) < 0.2 * float(noisy[busy].std())


def test_the_median_is_that_of_nine_values():
    picture = torch.rand(1, 3, 20, 31, generator=torch.Generator().manual_seed(7))
    nine = [picture[..., y : y + 18, x : x + 29] for y in range(3) for x in range(3)]
    assert torch.equal(grain._median(picture), torch.stack(nine).median(dim=0).values)


def test_a_grainy_style_is_cleaned_where_its_grain_shows():
    noisy = striped(NOISY_ABOVE * 3)
    sample = Sample(noisy, 1.0, None, "key", noise=measure_noise(noisy))
    for side, is_cleaned in ((140, True), (40, False)):
        photo = torch.zeros(1, 3, side, side)
        level = Level(photo, [Region(torch.ones_like(photo[:, :1]), [sample])], style_scale=1.0, frame_px=side**2)
        scaled, plain = level.scale_style(sample), level.scale_style(sample._replace(noise=0.0))
        assert torch.equal(scaled.picture, plain.picture) == (not is_cleaned)
        assert (scaled.key != plain.key) == is_cleaned
        if is_cleaned:
            cleaned = remove_grain(noisy, sample.noise)
            assert_close(scaled.picture, imaging.resize(cleaned, Size(*plain.picture.shape[-2:])))


def test_strokes_that_are_narrow_at_the_painted_size_stay():
    y, x = torch.meshgrid(torch.arange(256.0), torch.arange(256.0), indexing="ij")
    drawn = torch.randn(1, 1, 256, 256, generator=torch.Generator().manual_seed(7))
    lines = (((x + y) % 12 < 6).float() * 0.5 + 0.25 + drawn * 6 / 255).clamp(0.0, 1.0).expand(1, 3, 256, 256)
    side = 128
    photo = torch.zeros(1, 3, side, side)
    level = Level(photo, [Region(torch.ones_like(photo[:, :1]), [(lines, 1.0)])], style_scale=1.0, frame_px=side**2)
    plain, cleaned = (
        level.scale_style(Sample(lines, 1.0, None, "key", noise)).picture for noise in (0.0, measure_noise(lines))
    )
    assert float(cleaned.std()) > 0.97 * float(plain.std())
    at_this_size = remove_grain(plain, measure_noise(plain))  # would take them away
    assert float(at_this_size.std()) < 0.95 * float(plain.std())


def test_a_large_picture_is_cleaned_in_strips(monkeypatch):
    noisy = striped(8.0)
    whole = remove_grain(noisy, measure_noise(noisy))
    monkeypatch.setattr(grain, "_STRIP_PX", 7 * noisy.shape[-1])
    assert torch.equal(remove_grain(noisy, measure_noise(noisy)), whole)
