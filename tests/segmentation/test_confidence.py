import numpy as np
import pytest
import skimage.data
import torch

from pochoir import weights
from pochoir._types import Box
from pochoir.errors import ShapeError
from pochoir.recipe import SegmentSettings
from pochoir.segmentation import GivenMatte, GrabCutSegmenter, Segmentation, confidence, find_subject, measure_doubt
from pochoir.segmentation.confidence import SURE_FROM, decidedness, doubt_note
from pochoir.segmentation.u2net import U2NetSegmenter


class Finder:
    """Finds bright pixels; ``bias`` adds to what it finds on the right of any photo, mirrored or not."""

    name = "finder"

    def __init__(self, bias: float = 0.0) -> None:
        self.bias = bias
        self.calls = 0

    def segment(self, photo: torch.Tensor) -> Segmentation:
        self.calls += 1
        matte = (photo.mean(1, keepdim=True) > 0.5).float()
        matte[..., matte.shape[-1] // 2 :] *= 1.0 - self.bias
        return Segmentation(matte=matte, method=self.name)


@pytest.fixture
def photo() -> torch.Tensor:
    photo = torch.zeros(1, 3, 40, 60)
    photo[..., 10:30, 20:40] = 1.0
    return photo


class TestDecidedness:
    def test_is_one_for_yes_or_no(self, disc_matte):
        assert decidedness((disc_matte > 0.5).float()) == 1.0

    def test_by_hand(self):
        matte = torch.zeros(1, 1, 80, 80)  # edges are up to two pixels wide here
        matte[..., 10:30, 10:30] = 0.8
        matte[..., 50:52, :] = 0.4
        assert decidedness(matte) == pytest.approx(1 - 0.2 * 20 * 20 / (20 * 20 + 0.4 * 160))

    def test_falls_with_grey_and_not_with_area(self):
        matte = torch.zeros(1, 1, 120, 120)
        matte[..., 30:90, 30:90] = 0.6
        assert decidedness(matte) == pytest.approx(0.6)
        assert decidedness(torch.nn.functional.pad(matte, (40, 40, 40, 40))) == pytest.approx(0.6)

    def test_soft_edges_cost_nothing_however_small_the_subject(self, disc_matte):
        assert decidedness(disc_matte) > 0.98
        twig = torch.zeros(1, 1, 200, 200)
        twig[..., 20:180, 98:103] = torch.tensor([0.2, 0.7, 1.0, 0.7, 0.2])
        assert decidedness(twig) == pytest.approx(1.0, abs=1e-6)

    def test_is_zero_without_a_subject(self):
        assert decidedness(torch.full((1, 1, 5, 5), 0.4)) == 0.0
        assert decidedness(torch.zeros(1, 1, 5, 5)) == 0.0

    def test_is_measured_on_few_pixels_of_a_large_photo(self):
        small = torch.zeros(1, 1, 240, 320)
        small[..., 60:180, 80:240] = 0.7
        small[..., 100:140, 100:220] = 1.0
        large = torch.nn.functional.interpolate(small, size=(1920, 2560), mode="bilinear")
        assert decidedness(large) == pytest.approx(decidedness(small), abs=0.02)


class TestMeasureDoubt:
    def test_a_finder_that_treats_both_sides_alike_is_trusted(self, photo):
        finder = Finder()
        doubt = measure_doubt(photo, finder.segment(photo), finder)
        assert finder.calls == 2
        assert doubt.confidence == 1.0
        assert float(doubt.map.max()) == 0.0

    def test_one_that_does_not_is_doubted_where_it_differs(self, photo):
        finder = Finder(bias=1.0)
        doubt = measure_doubt(photo, finder.segment(photo), finder)
        assert doubt.confidence == 0.0
        assert torch.equal(doubt.map, (photo[:, :1] > 0.5).float())
        half = measure_doubt(photo, Finder(bias=0.4).segment(photo), Finder(bias=0.4))
        assert half.confidence == pytest.approx(0.6)

    def test_grey_counts_even_if_both_looks_agree(self, photo):
        found = Segmentation(matte=torch.full((1, 1, 40, 60), 0.75), method="grey")
        doubt = measure_doubt(photo, found, GivenMatte(found.matte, name="grey"))
        assert doubt.confidence == pytest.approx(0.75)
        torch.testing.assert_close(doubt.map, torch.full((1, 1, 40, 60), 0.5))

    def test_grabcut_starts_again_from_a_wider_box(self, photo, monkeypatch):
        generator = torch.Generator().manual_seed(0)
        noisy = (photo * 0.6 + 0.2 + 0.05 * torch.randn(photo.shape, generator=generator)).clamp(0, 1)
        segmenter = GrabCutSegmenter(box=Box(15, 6, 30, 28))
        found = segmenter.segment(noisy)
        assert measure_doubt(noisy, found, segmenter).confidence > 0.95
        boxes = []

        def other(*, box):
            boxes.append(box)
            return GivenMatte(torch.zeros(1, 1, 40, 60), name="grabcut")

        monkeypatch.setattr(confidence, "GrabCutSegmenter", other)
        doubt = measure_doubt(noisy, found, segmenter)
        assert boxes == [Box(13, 5, 34, 30)]
        assert doubt.confidence == 0.0
        assert torch.equal(doubt.map, found.matte)

    def test_is_for_photos(self, photo):
        with pytest.raises(ShapeError, match="one RGB photo"):
            measure_doubt(photo[0], Finder().segment(photo), Finder())


class TestNote:
    def test_says_what_to_try(self):
        (note,) = doubt_note("u2net", 0.421)
        for word in ("u2net is not sure", "0.42", "--as doubt", "--keep-points", "--box", "--segmenter"):
            assert word in note
        assert doubt_note("u2net", SURE_FROM) == ()

    def test_a_grey_matte_is_noted_without_a_second_look(self, photo):
        class Grey(Finder):
            def segment(self, photo):
                found = super().segment(photo)
                return Segmentation(matte=found.matte * 0.6, method=self.name)

        finder = Grey()
        found = find_subject(photo, SegmentSettings(), segmenter=finder)
        assert finder.calls == 1
        assert found.doubt is None
        assert any("not sure of this subject: confidence 0.60" in note for note in found.notes)
        asked = find_subject(photo, SegmentSettings(), segmenter=finder, with_doubt=True)
        assert asked.doubt.confidence == pytest.approx(0.6)

    def test_a_second_look_that_differs_is_noted_once_it_is_asked_for(self, photo):
        skewed = Finder(bias=1.0)
        assert find_subject(photo, SegmentSettings(), segmenter=skewed).notes == ()
        asked = find_subject(photo, SegmentSettings(), segmenter=skewed, with_doubt=True)
        assert asked.doubt.confidence == 0.0
        assert any("--as doubt" in note for note in asked.notes)

    def test_nothing_left_by_a_box_has_no_confidence(self, photo):
        missed = find_subject(photo, SegmentSettings(box="0,0,5,5"), segmenter=Finder(), with_doubt=True)
        assert missed.is_empty
        assert missed.doubt.confidence == 0.0
        assert any("holds nothing of the subject" in note for note in missed.notes)
        assert find_subject(photo, SegmentSettings(), segmenter=Finder(), with_doubt=True).doubt.confidence == 1.0

    def test_a_corrected_or_given_matte_needs_no_advice(self, photo):
        grey = (photo[:, :1] * 0.6).clone()
        given = GivenMatte(grey, name="mask")
        assert find_subject(photo, SegmentSettings(), segmenter=given).notes == ()
        assert find_subject(photo, SegmentSettings(), segmenter=given, with_doubt=True).doubt is None
        unsure = Finder(bias=0.6)
        assert find_subject(photo, SegmentSettings(), segmenter=unsure).notes != ()
        assert find_subject(photo, SegmentSettings(keep_points="25,15"), segmenter=unsure).notes == ()


@pytest.mark.weights
def test_photos_with_a_subject_are_told_from_pictures_without():
    segmenter = U2NetSegmenter.from_file(weights.where("u2net"), name="u2net")

    def confidence_of(pixels: np.ndarray) -> float:
        rgb = torch.from_numpy(np.ascontiguousarray(pixels).astype(np.float32) / 255.0)
        photo = (rgb if rgb.ndim == 3 else rgb[..., None].expand(-1, -1, 3)).permute(2, 0, 1)[None]
        doubt = segmenter.segment(photo).doubt
        return doubt.confidence

    assert confidence_of(skimage.data.coffee()) > SURE_FROM
    assert confidence_of(skimage.data.text()) < SURE_FROM - 0.1
