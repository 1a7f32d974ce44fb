"""Drawn scenes with a wrong matte, and what points, strokes and boxes make of it."""

import pytest
import torch

from pochoir import imaging
from pochoir._types import Box, Size
from pochoir.errors import OptionError, ShapeError
from pochoir.recipe import Points, SegmentSettings
from pochoir.segmentation import GivenMatte, correct_matte, find_subject, read_corrections
from pochoir.segmentation.corrections import check_points

SIZE = Size(160, 240)
SKY, BALL, BARREL = (0.55, 0.7, 0.9), (0.85, 0.3, 0.2), (0.25, 0.45, 0.2)


def disc(x: float, y: float, radius: float, size: Size = SIZE) -> torch.Tensor:
    rows, columns = torch.meshgrid(torch.arange(size.height), torch.arange(size.width), indexing="ij")
    return ((columns - x) ** 2 + (rows - y) ** 2 <= radius**2)[None, None]


def paint(*things: tuple[torch.Tensor, tuple[float, float, float]], size: Size = SIZE) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    photo = torch.tensor(SKY).view(1, 3, 1, 1).expand(1, 3, *size).clone()
    for mask, color in things:
        photo = torch.where(mask, torch.tensor(color).view(1, 3, 1, 1), photo)
    return (photo + 0.03 * torch.randn(photo.shape, generator=generator)).clamp(0, 1)


def iou(matte: torch.Tensor, truth: torch.Tensor) -> float:
    inside = matte > 0.5
    return float((inside & truth).sum() / (inside | truth).sum())


def corrected(photo, matte, scribble=None, **settings):
    corrections = read_corrections(SegmentSettings(**settings), photo, scribble=scribble)
    return correct_matte(matte, photo, corrections)


APART = (disc(60, 80, 40), disc(190, 90, 25))
TOUCHING = (disc(80, 80, 42), disc(155, 80, 40))


class TestPoints:
    @pytest.mark.parametrize("text", ["", "3,4", "0,0;239,159"])
    def test_in_the_photo(self, text):
        points = Points.parse(text)
        assert check_points(points, SIZE) == points

    @pytest.mark.parametrize("text", ["240,0", "0,160", "-1,5", "5,5;999999999,3"])
    def test_outside_the_photo(self, text):
        with pytest.raises(
            OptionError, match=r"lies outside the photo, which is 240x160; x goes from 0 to 239, y .*159"
        ):
            check_points(Points.parse(text), SIZE)

    def test_on_one_spot(self):
        with pytest.raises(OptionError, match="Keep and drop lie on the same pixels"):
            read_corrections(SegmentSettings(keep_points="5,5", drop_points="5,5"), paint())


class TestScribble:
    def test_green_keeps_and_red_drops(self):
        scribble = torch.ones(1, 3, *SIZE)
        scribble[0, :, 10, 20:30] = torch.tensor([0.0, 1.0, 0.0])[:, None]
        scribble[0, :, 50, 60:90] = torch.tensor([0.9, 0.1, 0.1])[:, None]
        read = read_corrections(SegmentSettings(), paint(), scribble=scribble)
        assert read.keep.nonzero()[:, 2:].tolist() == [[10, x] for x in range(20, 30)]
        assert read.drop.nonzero()[:, 2:].tolist() == [[50, x] for x in range(60, 90)]
        assert read.notes == ()

    def test_drawn_on_the_photo_itself_counts_only_where_it_differs(self):
        photo = paint((APART[0], (0.9, 0.05, 0.05)))
        scribble = photo.clone()
        scribble[0, :, 80, 180:200] = torch.tensor([0.0, 1.0, 0.0])[:, None]
        read = read_corrections(SegmentSettings(), photo, scribble=scribble)
        assert int(read.keep.sum()) == 20
        assert not read.drop.any()

    def test_what_is_transparent_is_no_stroke(self):
        scribble = torch.tensor([0.0, 1.0, 0.0, 0.0]).view(1, 4, 1, 1).expand(1, 4, *SIZE).clone()
        scribble[0, 3, 5, 5] = 1.0
        assert int(read_corrections(SegmentSettings(), paint(), scribble=scribble).keep.sum()) == 1

    def test_of_another_size_is_resized_and_its_thin_strokes_survive(self):
        scribble = torch.ones(1, 3, 4 * SIZE.height, 4 * SIZE.width)
        scribble[0, :, 41, 80:120] = torch.tensor([0.0, 1.0, 0.0])[:, None]
        read = read_corrections(SegmentSettings(), paint(), scribble=scribble)
        assert read.keep.nonzero()[:, 2:].tolist() == [[10, x] for x in range(20, 30)]
        assert read.notes == ("The scribble was resized from 960x640 to 240x160.",)

    def test_without_strokes(self):
        for scribble in (torch.zeros(1, 3, *SIZE), torch.ones(1, 3, 9, 9), paint((APART[0], BARREL))):
            with pytest.raises(OptionError, match=r"The scribble holds no stroke: draw with strong green \(0,255,0\)"):
                read_corrections(SegmentSettings(), paint(), scribble=scribble)

    def test_of_another_shape(self):
        with pytest.raises(ShapeError, match="A scribble has the shape"):
            read_corrections(SegmentSettings(), paint(), scribble=torch.zeros(1, 1, 5, 5))

    def test_saved_as_jpeg_gives_the_same_matte(self, tmp_path):
        from PIL import Image

        feathers = torch.rand(1, 3, *SIZE, generator=torch.Generator().manual_seed(1)) * torch.tensor(
            [0.1, 0.3, 0.3]
        ).view(1, 3, 1, 1)
        red = torch.tensor([0.85, 0.0, 0.0]).view(1, 3, 1, 1)
        photo = torch.where(APART[0], red + feathers, paint())
        matte = APART[0].float()
        drawn = photo.clone()
        drawn[0, :, 60:100, 58:62] = torch.tensor([0.0, 1.0, 0.0])[:, None, None]
        drawn[0, :, 20:24, 150:200] = torch.tensor([1.0, 0.0, 0.0])[:, None, None]
        pixels = (drawn[0].permute(1, 2, 0) * 255).round().byte().numpy()
        Image.fromarray(pixels).save(tmp_path / "strokes.jpg", quality=90)
        lossy = imaging.load(tmp_path / "strokes.jpg").rgb
        assert float((corrected(photo, matte, lossy) - corrected(photo, matte, drawn)).abs().mean()) < 0.005

    def test_takes_the_place_of_points(self):
        photo, matte = paint(*zip(APART, (BALL, BARREL), strict=True)), (APART[0] | APART[1]).float()
        scribble = torch.ones(1, 3, *SIZE)
        scribble[0, :, 88:92, 180:200] = torch.tensor([1.0, 0.0, 0.0])[:, None, None]
        assert iou(corrected(photo, matte, scribble), APART[0]) == 1.0


class TestDrop:
    @pytest.mark.parametrize("point", ["22,110", "14,140", "20,155"])
    def test_a_click_on_a_strip_at_the_edge_of_the_subject_leaves_the_subject(self, point):
        body = disc(120, 160, 95) | disc(120, 42, 34)
        strip = torch.zeros(1, 1, *SIZE, dtype=torch.bool)
        strip[..., 100:, 8:28] = True
        strip &= ~body
        photo = paint((body, BALL), (strip, (0.5, 0.1, 0.15)))
        made = corrected(photo, (body | strip).float(), drop_points=point)
        assert iou(made, body) > 0.97
        assert float(made[strip].mean()) < 0.1

    def test_a_click_removes_the_object_that_it_hits(self):
        photo, matte = paint(*zip(APART, (BALL, BARREL), strict=True)), (APART[0] | APART[1]).float()
        made = corrected(photo, matte, drop_points="185,95")
        assert torch.equal(made, APART[0].float())

    def test_its_soft_fringe_goes_with_it(self):
        photo, hard = paint(*zip(APART, (BALL, BARREL), strict=True)), (APART[0] | APART[1]).float()
        matte = torch.nn.functional.avg_pool2d(hard, 9, stride=1, padding=4)
        made = corrected(photo, matte, drop_points="190,90")
        assert float(made[..., 130:].max()) == 0.0
        assert torch.equal(made[..., :115], matte[..., :115])

    def test_a_click_on_one_of_two_that_touch_divides_them_where_the_colour_changes(self):
        photo, both = paint(*zip(TOUCHING, (BALL, BARREL), strict=True)), TOUCHING[0] | TOUCHING[1]
        made = corrected(photo, both.float(), drop_points="165,85")
        assert iou(made, TOUCHING[0] & ~TOUCHING[1]) > 0.97

    def test_a_keep_point_says_which_of_the_two_stays(self):
        photo, both = paint(*zip(TOUCHING, (BALL, BARREL), strict=True)), TOUCHING[0] | TOUCHING[1]
        made = corrected(photo, both.float(), drop_points="80,80", keep_points="160,80")
        assert iou(made, TOUCHING[1]) > 0.97

    def test_a_click_on_a_flat_patch_of_one_bulge_removes_the_patch(self):
        patch = disc(60, 100, 14)
        photo = paint((APART[0], BALL), (patch, SKY))
        made = corrected(photo, APART[0].float(), drop_points="60,100")
        assert iou(made, APART[0] & ~patch) > 0.95

    def test_a_click_on_faint_fog_removes_the_fog(self):
        photo, matte = paint((APART[0], BALL)), APART[0].float()
        matte[APART[1]] = 0.3
        assert torch.equal(corrected(photo, matte, drop_points="190,90"), APART[0].float())

    def test_a_click_on_the_background_changes_nothing(self):
        photo, matte = paint((APART[0], BALL)), APART[0].float()
        assert torch.equal(corrected(photo, matte, drop_points="190,90"), matte)


class TestKeep:
    def test_a_click_brings_in_the_part_that_was_missed(self):
        photo = paint(*zip(APART, (BALL, BARREL), strict=True))
        made = corrected(photo, APART[0].float(), keep_points="190,90")
        assert iou(made, APART[0] | APART[1]) > 0.97
        assert torch.equal(made[..., :110], APART[0].float()[..., :110])

    def test_a_missed_part_of_the_subject_itself(self):
        whole, missed = disc(110, 80, 50), disc(110, 55, 20)
        photo = paint((whole, BALL), (missed, BARREL))
        made = corrected(photo, (whole & ~missed).float(), keep_points="110,55")
        assert iou(made, whole) > 0.98

    def test_a_click_inside_the_subject_changes_nothing(self):
        photo, matte = paint((APART[0], BALL)), APART[0].float()
        assert torch.equal(corrected(photo, matte, keep_points="60,80"), matte)

    def test_a_drop_stroke_holds_back_what_a_keep_stroke_brings(self):
        photo = paint(*zip(TOUCHING, (BALL, BALL), strict=True))
        made = corrected(photo, torch.zeros(1, 1, *SIZE), keep_points="80,80", drop_points="160,80")
        assert float(made[0, 0, 80, 80]) == 1.0
        assert float(made[0, 0, 80, 160]) == 0.0


class TestBox:
    def test_what_lies_outside_is_dropped_and_the_rest_is_untouched(self):
        matte = torch.rand(1, 1, *SIZE, generator=torch.Generator().manual_seed(1))
        made = corrected(paint(), matte, box=Box(-10, 20, 60, 500))
        assert torch.equal(made[..., 20:, :50], matte[..., 20:, :50])
        assert float(made.sum()) == pytest.approx(float(matte[..., 20:, :50].sum()))

    def test_that_lies_outside(self):
        with pytest.raises(OptionError, match="The box 240,0,5,5 lies outside the photo, which is 240x160"):
            corrected(paint(), torch.zeros(1, 1, *SIZE), box=Box(240, 0, 5, 5))


def test_without_corrections_it_is_the_very_same_matte():
    matte = torch.rand(1, 1, *SIZE)
    assert corrected(paint(), matte) is matte


@pytest.mark.parametrize("refine", ["none", "fast"])
def test_seeds_are_exact_to_the_end(refine):
    generator = torch.Generator().manual_seed(3)
    photo, matte = (0.8 * torch.rand(1, channels, *SIZE, generator=generator) for channels in (3, 1))
    scribble = torch.ones(1, 3, *SIZE)
    scribble[0, :, 20:25, 20:200] = torch.tensor([0.0, 1.0, 0.0])[:, None, None]
    scribble[0, :, 100:103, 10:220] = torch.tensor([1.0, 0.0, 0.0])[:, None, None]
    settings = SegmentSettings(refine=refine, box=Box(0, 0, 210, 160))
    made = find_subject(photo, settings, segmenter=GivenMatte(matte, name="given"), scribble=scribble).matte
    assert bool((made[..., 20:25, 20:200] == 1).all())
    assert bool((made[..., 100:103, 10:220] == 0).all())
    assert float(made[..., 25:, 210:].max()) == 0.0
    assert 0.0 <= float(made.min()) <= float(made.max()) <= 1.0


def test_a_large_photo_is_corrected_on_a_small_copy_and_is_exact_under_the_click():
    size = Size(1200, 1800)
    ball, barrel = disc(450, 600, 300, size), disc(1425, 675, 190, size)
    photo = paint((ball, BALL), (barrel, BARREL), size=size)
    made = corrected(photo, (ball | barrel).float(), drop_points="1400,700")
    assert torch.equal(made, ball.float())
    brought = corrected(photo, ball.float(), keep_points="1400,700")
    assert iou(brought, ball | barrel) > 0.97


@pytest.mark.parametrize("size", [Size(1, 1), Size(1, 40), Size(3, 3), Size(2, 700)])
def test_tiny_and_thin_photos(size):
    photo, matte = torch.rand(1, 3, *size), torch.ones(1, 1, *size)
    made = corrected(photo, matte, drop_points="0,0")
    assert made.shape == matte.shape
    assert float(made[0, 0, 0, 0]) == 0.0
    assert float(corrected(photo, torch.zeros_like(matte), keep_points="0,0")[0, 0, 0, 0]) == 1.0


def test_sizes_have_to_agree():
    corrections = read_corrections(SegmentSettings(keep_points="5,5"), paint())
    with pytest.raises(ShapeError, match="must have one size"):
        correct_matte(torch.zeros(1, 1, 8, 8), paint(), corrections)


def test_a_loaded_scribble_is_taken_by_the_pipeline(tmp_path):
    from PIL import Image, ImageDraw

    from pochoir import pipeline

    photo = paint(*zip(APART, (BALL, BARREL), strict=True))
    imaging.save(tmp_path / "photo.png", photo)
    strokes = Image.new("RGBA", (SIZE.width // 2, SIZE.height // 2))
    ImageDraw.Draw(strokes).line((85, 45, 105, 45), fill=(255, 0, 0, 255), width=2)
    strokes.save(tmp_path / "strokes.png")
    found = pipeline.segment(
        tmp_path / "photo.png",
        segmenter=GivenMatte((APART[0] | APART[1]).float(), name="given"),
        scribble=tmp_path / "strokes.png",
        refine="none",
    )
    assert torch.equal(found.matte, APART[0].float())
    assert "The scribble was resized from 120x80 to 240x160." in found.notes


class TestMisses:
    MATTE = APART[0].float()

    def find(self, **settings):
        return find_subject(
            paint((APART[0], BALL)), SegmentSettings(**settings), segmenter=GivenMatte(self.MATTE, name="given")
        )

    def test_a_box_beside_the_subject_says_where_it_is(self):
        found = self.find(box=Box(150, 0, 60, 60))
        assert found.is_empty
        assert any(
            "The box 150,0,60,60 holds nothing of the subject, which was found in 20,40" in x for x in found.notes
        )

    def test_a_box_that_holds_a_part_says_nothing(self):
        assert self.find(box=Box(50, 50, 150, 60)).notes == ()

    def test_drop_points_beside_the_subject(self):
        assert self.find(drop_points="200,20").notes == (
            "The drop points and strokes lie outside the subject and remove nothing.",
        )
        assert self.find(drop_points="200,20;60,80").notes == ()
