"""U2-Net on a photo, its mirror image and other sizes, with stand-ins that see what they are told to see."""

import pytest
import torch

from pochoir._types import Size
from pochoir.segmentation.u2net import multiscale
from pochoir.segmentation.u2net.multiscale import FINE_PX, SHAPED_PX, SQUARE_SIZE, add_detail, predict_multiscale
from pochoir.segmentation.u2net.network import SaliencyMaps
from pochoir.segmentation.u2net.predictor import U2NetSegmenter
from support.close import assert_close

SHAPED, FINE = Size(224, SHAPED_PX), Size(288, FINE_PX)
PHOTO = torch.rand(1, 3, 200, 300, generator=torch.Generator().manual_seed(0))


def half(size: Size, side: str) -> torch.Tensor:
    """Half of the frame, the left or the upper one."""
    found = torch.zeros(1, 1, *size)
    if side == "left":
        found[..., : size.width // 2] = 1.0
    else:
        found[..., : size.height // 2, :] = 1.0
    return found


class Network:
    """Answers each input with a side of the frame and counts them; the second of a batch sees a mirror image."""

    def __init__(self, *, shaped: str, mirrored: str, square: str = "left", fine: str = "left") -> None:
        self.sides = {SHAPED: shaped, SQUARE_SIZE: square, FINE: fine}
        self.mirrored = mirrored
        self.seen: list[Size] = []

    def __call__(self, small: torch.Tensor) -> SaliencyMaps:
        size = Size(*small.shape[-2:])
        self.seen += [size] * len(small)
        found = [half(size, self.sides[size]), half(size, self.mirrored).flip(-1)]
        return SaliencyMaps(torch.cat(found[: len(small)]), ())


def test_the_second_look_is_at_the_mirrored_photo() -> None:
    seen: list[torch.Tensor] = []

    def look(small: torch.Tensor) -> SaliencyMaps:
        seen.append(small)
        return SaliencyMaps(half(Size(*small.shape[-2:]), "upper").expand(len(small), -1, -1, -1), ())

    predict_multiscale(PHOTO, look)
    assert torch.equal(seen[0][1], seen[0][0].flip(-1))


def test_a_mirror_image_that_agrees_needs_no_more_looks() -> None:
    network = Network(shaped="left", mirrored="left")
    found = predict_multiscale(PHOTO, network)
    assert network.seen == [SHAPED, SHAPED]
    assert found.agreement == 1.0
    assert torch.equal(found.merged, half(SHAPED, "left"))
    assert float(found.difference.max()) == 0.0


@pytest.mark.parametrize(("shaped", "square"), [("left", "upper"), ("upper", "left")])
def test_where_the_mirror_image_differs_the_other_sizes_decide(shaped: str, square: str) -> None:
    network = Network(shaped=shaped, mirrored="upper" if shaped == "left" else "left", square=square, fine="left")
    found = predict_multiscale(PHOTO, network)
    assert sorted(network.seen) == sorted([SHAPED, SHAPED, SQUARE_SIZE, FINE])
    assert found.agreement == pytest.approx(1 / 3, abs=0.01)
    expected = half(Size(*found.merged.shape[-2:]), "left")
    assert float((found.merged - expected).abs().mean()) < 0.01


def test_detail_comes_from_the_finest_size_alone_where_it_agrees() -> None:
    network = Network(shaped="left", mirrored="left", fine="upper")
    found = predict_multiscale(PHOTO, network, with_detail=True)
    assert network.seen == [SHAPED, SHAPED, FINE]
    expected = half(Size(*found.merged.shape[-2:]), "left")
    assert float((found.merged - expected).abs().mean()) < 0.02  # the finest size saw another subject


def test_a_whisker_is_taken_over_and_another_subject_is_not() -> None:
    base = torch.zeros(1, 1, 200, 300)
    base[..., 50:150, 50:100] = 1.0
    fine = base.clone()
    fine[..., 100, 100:130] = 1.0
    assert torch.equal(add_detail(base, fine)[..., 100, 100:130], fine[..., 100, 100:130])
    fine[..., 50:150, 200:260] = 1.0
    assert float(add_detail(base, fine)[..., 60:140, 210:250].max()) == 0.0


def test_maps_are_stretched_before_they_are_compared() -> None:
    strengths = torch.tensor([1.0, 2.0]).view(2, 1, 1, 1)

    def faint(small: torch.Tensor) -> SaliencyMaps:
        return SaliencyMaps(0.1 + 0.2 * half(Size(*small.shape[-2:]), "upper") * strengths, ())

    found = predict_multiscale(PHOTO, faint)
    assert found.agreement > 0.98
    assert (float(found.merged.min()), float(found.merged.max())) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (Size(1000, 1000), Size(320, 320)),
        (Size(600, 900), Size(224, 320)),
        (Size(40, 1600), Size(32, 320)),
        (Size(3, 1), Size(320, 96)),
    ],
)
def test_shapes_keep_the_photos_proportions(size: Size, expected: Size) -> None:
    assert multiscale._shape(size, SHAPED_PX) == expected


def test_the_segmenter_reports_agreement_as_confidence(tiny, monkeypatch) -> None:
    segmenter = U2NetSegmenter(tiny)
    monkeypatch.setattr(segmenter, "_predict", Network(shaped="left", mirrored="upper"))
    found = segmenter.segment(PHOTO)
    assert found.doubt is not None
    assert found.doubt.confidence == pytest.approx(1 / 3, abs=0.01)
    doubt = torch.nn.functional.interpolate(found.doubt.map, (200, 300))
    assert float(doubt[..., 150:, :100].min()) > 0.9  # left, but not in the upper half
    assert float(doubt[..., :80, :100].max()) < 0.1


def test_one_size_gives_no_confidence(tiny) -> None:
    assert U2NetSegmenter(tiny, preprocess="official").segment(PHOTO).doubt is None


def test_flat_maps_show_no_subject() -> None:
    found = predict_multiscale(
        PHOTO, lambda small: SaliencyMaps(small.new_full((len(small), 1, *small.shape[-2:]), 0.02), ())
    )
    assert_close(found.merged, torch.full_like(found.merged, 0.02), rtol=0, atol=1e-6)
