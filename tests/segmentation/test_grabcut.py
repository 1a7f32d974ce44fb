import cv2
import numpy as np
import pytest
import skimage.data
import torch

from pochoir._types import Box
from pochoir.errors import OptionError, ShapeError
from pochoir.segmentation import grabcut
from pochoir.segmentation.grabcut import GrabCutSegmenter, box_around
from pochoir.segmentation.matting.refine import trimap
from pochoir.segmentation.protocol import Segmentation

RED, BLUE = (0.9, 0.1, 0.1), (0.1, 0.1, 0.9)


def scene(height=60, width=80, *, scale=1):
    """A red disc before blue with some noise, and its exact mask."""
    height, width = height * scale, width * scale
    y, x = torch.meshgrid(torch.arange(float(height)), torch.arange(float(width)), indexing="ij")
    mask = (torch.hypot(x - width / 2, y - height / 2) < height / 4).float()[None, None]
    red, blue = (torch.tensor(colour).view(1, 3, 1, 1) for colour in (RED, BLUE))
    noise = 0.1 * torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))
    return (blue + (red - blue) * mask + noise).clamp(0, 1), mask


class Finder:
    name = "finder"

    def __init__(self, matte):
        self.matte = matte

    def segment(self, photo):
        return Segmentation(matte=self.matte, method=self.name)


def iou(one, other):
    one, other = one > 0.5, other > 0.5
    return float((one & other).sum() / (one | other).sum())


def test_subject_in_a_box_is_found():
    photo, mask = scene()
    found = GrabCutSegmenter(box=Box(15, 8, 50, 44)).segment(photo)
    assert iou(found.matte, mask) > 0.97
    assert set(found.matte.unique().tolist()) == {0.0, 1.0}
    assert found.method == "grabcut"
    assert found.box == Box(15, 8, 50, 44)
    assert found.notes == ()


def test_stage_shows_the_start():
    photo, _ = scene()
    ((caption, start),) = GrabCutSegmenter(box=Box(15, 8, 50, 44)).segment(photo).stages
    expected = torch.zeros(1, 1, 60, 80)
    expected[..., 8:52, 15:65] = 0.5
    assert caption == "start"
    assert torch.equal(start, expected)


def test_opencv_gets_blue_green_red(monkeypatch):
    seen = []

    def spy(image, labels, *rest):
        seen.append(image.copy())
        return labels, None, None

    monkeypatch.setattr(cv2, "grabCut", spy)
    photo = torch.zeros(1, 3, 10, 10)
    photo[:, 0, :, :5], photo[:, 2, :, 5:] = 1.0, 1.0  # red left, blue right
    GrabCutSegmenter(box=Box(2, 2, 5, 5)).segment(photo)
    assert seen[0].dtype == np.uint8
    assert seen[0][0, 0].tolist() == [0, 0, 255]
    assert seen[0][0, 9].tolist() == [255, 0, 0]


def test_result_does_not_depend_on_what_ran_before():
    photo = torch.from_numpy(skimage.data.chelsea()[::5, ::5].transpose(2, 0, 1)[None] / np.float32(255))
    box = Box(11, 7, 68, 45)
    segmenter = GrabCutSegmenter(box=box, iterations=1)
    cv2.setRNGSeed(1)
    first = segmenter.segment(photo).matte
    cv2.setRNGSeed(2)
    assert torch.equal(segmenter.segment(photo).matte, first)
    others = [GrabCutSegmenter(box=box, iterations=1, seed=seed).segment(photo) for seed in range(1, 6)]
    assert any(not torch.equal(other.matte, first) for other in others)


def test_iterations_are_passed_on(monkeypatch):
    seen = []

    def spy(image, labels, rect, background, foreground, iterations, mode):
        seen.append(iterations)
        return labels, None, None

    monkeypatch.setattr(cv2, "grabCut", spy)
    GrabCutSegmenter(box=Box(2, 2, 5, 5), iterations=7).segment(torch.rand(1, 3, 10, 10))
    assert seen == [7]


@pytest.mark.parametrize("box", [Box(80, 0, 5, 5), Box(0, 60, 5, 5), Box(-9, 2, 9, 5), Box(2, -9, 5, 9)])
def test_box_outside_the_photo_is_refused(box):
    with pytest.raises(OptionError, match=f"box {box} lies outside the photo, which is 80x60"):
        GrabCutSegmenter(box=box).segment(scene()[0])


def test_box_that_reaches_beyond_the_photo_is_clipped_and_said():
    photo, mask = scene()
    found = GrabCutSegmenter(box=Box(10, 10, 500, 40)).segment(photo)
    assert found.box == Box(10, 10, 70, 40)
    assert found.notes == ("The box 10,10,500,40 reaches beyond the photo; 10,10,70,40 is used.",)
    assert iou(found.matte, mask) > 0.97


def test_box_around_everything_says_that_a_frame_is_background():
    photo, mask = scene()
    found = GrabCutSegmenter(box=Box(0, 0, 80, 60)).segment(photo)
    assert found.box == Box(2, 1, 76, 58)
    assert "covers the whole photo" in found.notes[0]
    assert iou(found.matte, mask) > 0.97


def test_without_a_box_the_middle_is_taken_and_said():
    photo, mask = scene()
    found = GrabCutSegmenter().segment(photo)
    assert found.box == Box(8, 6, 64, 48)
    assert found.notes == (
        "No box was given and no network's weights are there to find one; "
        "GrabCut starts from the middle of the photo, the box 8,6,64,48.",
    )
    assert iou(found.matte, mask) > 0.97


def test_finder_gives_the_box():
    photo, mask = scene()
    found = GrabCutSegmenter(finder=Finder(mask)).segment(photo)
    assert found.box == box_around(mask, margin=0.05)
    assert found.notes == (f"The box {found.box} was found with finder.",)
    assert iou(found.matte, mask) > 0.97


def test_finder_that_finds_nothing_is_said():
    photo, mask = scene()
    found = GrabCutSegmenter(finder=Finder(torch.zeros_like(mask))).segment(photo)
    assert found.box == Box(8, 6, 64, 48)
    assert found.notes[0].startswith("finder found no subject to put a box around; GrabCut starts from the middle")


def test_trimap_start_is_decided_in_its_unsure_part_only():
    photo, mask = scene()
    start = trimap(mask, margin=0.06)
    start[..., :3, :3] = 1.0  # blue, but surely subject
    found = GrabCutSegmenter(start=start).segment(photo)
    assert torch.equal(found.matte[start == 1.0], torch.ones_like(found.matte[start == 1.0]))
    assert torch.equal(found.matte[start == 0.0], torch.zeros_like(found.matte[start == 0.0]))
    assert iou(found.matte[..., 5:, 5:], mask[..., 5:, 5:]) > 0.97
    assert found.box is None


def test_soft_start_is_corrected_by_the_colours():
    photo, mask = scene()
    rough = 0.4 + 0.2 * torch.roll(mask, (6, 6), (2, 3))  # beside the disc, and nothing in it is sure
    assert iou(GrabCutSegmenter(start=rough).segment(photo).matte, mask) > 0.97


def test_hard_mask_as_start_is_kept_and_said():
    photo, mask = scene()
    found = GrabCutSegmenter(start=mask).segment(photo)
    assert torch.equal(found.matte, mask)
    assert "leaves nothing unsure" in found.notes[0]


@pytest.mark.parametrize(("level", "note"), [(0.3, "No subject was found"), (0.7, "fills the whole photo")])
def test_start_with_one_side_only_is_kept_and_said(level, note):
    photo, mask = scene()
    found = GrabCutSegmenter(start=torch.full_like(mask, level)).segment(photo)
    assert float(found.matte.mean()) == round(level)
    assert note in found.notes[-1]


def test_large_photo_is_cut_small_and_said(monkeypatch):
    monkeypatch.setattr(grabcut, "WORKING_LONG_SIDE", 80)
    photo, mask = scene(scale=3)
    found = GrabCutSegmenter(box=Box(45, 24, 150, 132)).segment(photo)
    assert found.matte.shape == (1, 1, 180, 240)
    assert found.box == Box(45, 24, 150, 132)
    assert found.notes == ("GrabCut worked at 80x60 because it is slow on larger photos; the matte is enlarged.",)
    assert iou(found.matte, mask) > 0.95
    start = trimap(mask)
    assert iou(GrabCutSegmenter(start=start).segment(photo).matte, mask) > 0.95


@pytest.mark.parametrize("size", [(3, 3), (3, 200), (50, 4)])
@pytest.mark.parametrize("box", [None, Box(1, 1, 1, 1), Box(0, 0, 200, 200)])
def test_small_and_thin_photos_work(size, box):
    found = GrabCutSegmenter(box=box).segment(torch.rand(1, 3, *size))
    assert found.matte.shape == (1, 1, *size)
    assert bool(found.matte.isfinite().all())


def test_panorama_keeps_a_working_size_with_something_inside():
    found = GrabCutSegmenter(box=Box(1000, 1, 500, 3)).segment(torch.rand(1, 3, 5, 4000))
    assert found.matte.shape == (1, 1, 5, 4000)


def test_too_small_photo_is_refused():
    with pytest.raises(OptionError, match="at least 3x3 pixels; got 2x8"):
        GrabCutSegmenter().segment(torch.rand(1, 3, 8, 2))


def test_box_and_start_contradict_each_other():
    with pytest.raises(OptionError, match="not from both"):
        GrabCutSegmenter(box=Box(1, 1, 2, 2), start=torch.zeros(1, 1, 4, 4))


def test_zero_iterations_are_refused():
    with pytest.raises(OptionError, match="at least 1 iteration; got 0"):
        GrabCutSegmenter(iterations=0)


def test_start_of_another_size_is_refused():
    with pytest.raises(ShapeError, match="The start is 5x4, the photo 80x60"):
        GrabCutSegmenter(start=torch.zeros(1, 1, 4, 5)).segment(scene()[0])


def test_box_around_a_matte_by_hand():
    matte = torch.zeros(1, 1, 20, 30)
    matte[..., 4:14, 10:20] = 0.6
    assert box_around(matte) == Box(10, 4, 10, 10)
    assert box_around(matte, margin=0.2) == Box(8, 2, 14, 14)
    assert box_around(matte, margin=5.0) == Box(0, 0, 30, 20)
    assert box_around(matte * 0.5) is None
